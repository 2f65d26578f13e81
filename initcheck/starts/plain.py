"""An initializer of plain shapes as one parameter: its law from draws at a few sizes, dense."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.errors import UsageError
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.starts.parameter_law import ParameterLaw, Sample, fitted
from initcheck.starts.schemes import beside_pytorch, scheme_name
from initcheck.starts.source_line import short_path

_WIDTHS = ((32, 8), (8, 32), (256, 64), (64, 64))
_ENTRIES = 40_000


def law_of_initializer(initializer: Initializer) -> ParameterLaw:
    """The law of what an initializer of shapes returns.

    Args:
        initializer: of no layer; its contract says the layout, (out, in) where it does not.

    Raises:
        UsageError: it raises at every size, or returns no finite numbers.
    """
    layout = initializer.contract.layout if initializer.contract.layout in ("out_in", "in_out") else None
    layout = layout or ("in_out" if initializer.framework in ("jax", "keras", "flax") else "out_in")
    samples: list[Sample] = []
    problem = "it returns no finite matrix"
    for n_in, n_out in _WIDTHS:
        if initializer.squares and n_in != n_out:
            continue
        layer = Layer((n_out, n_in) if layout == "out_in" else (n_in, n_out), layout)
        seeds = list(range(max(3, _ENTRIES // layer.weights)))[:64]
        try:
            with contained():
                results = initializer.sampler.calls(layer.shape, seeds, "float32")
                values = [np.asarray(initializer.sampler.to_numpy(r), dtype=np.float64) for r in results]
        except InitializerRaised as error:
            problem = f"it raises {error}"
            continue
        if all(v.shape == layer.shape and np.isfinite(v).all() for v in values):
            fans = {"fan_in": float(n_in), "fan_out": float(n_out), "fan_avg": (n_in + n_out) / 2}
            fans["max(fan_in, fan_out)"] = float(max(n_in, n_out))
            samples.append(Sample("dense", values, fans))
    if not samples:
        raise UsageError(f"{initializer.name} cannot be read: {problem}.")
    law = fitted("weight", samples)
    where: Any = initializer.location
    source = f"{short_path(where[0])}:{where[1]}" if where else ""
    return dataclasses.replace(law, called=scheme_name(law), source=source, beside=beside_pytorch("Linear", law))
