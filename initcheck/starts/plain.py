"""An initializer of plain shapes as one parameter: its law from draws at a few sizes, dense."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.axes import DENSE_OF
from initcheck.diagnosis.evidence.inference import infer_initializer
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
        initializer: of no layer; where its contract does not say the layout, the one that a check assumes is taken, and
            the example says so.

    Raises:
        UsageError: it raises at every size, or returns no finite numbers.
    """
    layout, size = _layout(initializer)
    samples: list[Sample] = []
    problem = "it returns no finite matrix"
    for n_in, n_out in _WIDTHS:
        if initializer.squares and n_in != n_out:
            continue
        layer = Layer((n_out, n_in) if layout == "out_in" else (n_in, n_out), layout)
        seeds = list(range(max(3, _ENTRIES // layer.weights)))[:64]
        try:
            values = _drawn(initializer, layer.shape, seeds)
        except InitializerRaised as error:
            problem = f"it raises {error}"
            continue
        if all(v.shape == layer.shape and np.isfinite(v).all() for v in values):
            fans = {"fan_in": float(n_in), "fan_out": float(n_out), "fan_avg": (n_in + n_out) / 2}
            fans["max(fan_in, fan_out)"] = float(max(n_in, n_out))
            samples.append(Sample(size, values, fans))
    if not samples:
        raise UsageError(f"{initializer.name} cannot be read: {problem}.")
    law = fitted("weight", samples)
    where: Any = initializer.location
    source = f"{short_path(where[0])}:{where[1]}" if where else ""
    return dataclasses.replace(law, called=scheme_name(law), source=source, beside=beside_pytorch("Linear", law))


def _layout(initializer: Initializer) -> tuple[str, str]:
    """How a matrix lies, and a size in words, with the layout where it is assumed."""
    declared = initializer.contract.layout
    dense = DENSE_OF.get(declared, declared) if declared else None
    if dense in ("out_in", "in_out"):
        return dense, "dense"
    inferred = infer_initializer(initializer, lambda shape, seed: _drawn(initializer, shape, [seed])[0]).contract
    layout = inferred.layout if inferred.layout in ("out_in", "in_out") else "out_in"
    assumed = inferred.origins.get("layout") == "assumed"
    return layout, f"dense, ({layout.replace('_', ', ')}) assumed" if assumed else "dense"


def _drawn(initializer: Initializer, shape: tuple[int, ...], seeds: Sequence[int]) -> list[npt.NDArray[np.float64]]:
    with contained():
        results = initializer.sampler.calls(shape, seeds, "float32")
        return [np.asarray(initializer.sampler.to_numpy(result), dtype=np.float64) for result in results]
