"""How standard deviations follow the width: the factory rebuilt at three widths; shown, never judged."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from statistics import linear_regression
from typing import Any

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.models.builds.build import Build
from initcheck.models.builds.places import places
from initcheck.models.builds.roles import roles
from initcheck.models.builds.torch_build import ModelBuilder
from initcheck.models.builds.width_law import WidthLaw

WIDTH_NAMES = ("width", "d_model", "n_embd", "embed_dim", "hidden_size", "hidden_dim", "model_dim", "dim", "hidden")


def follow_width(builder: ModelBuilder, seed: int) -> WidthLaw | None:
    """Build at half, once and twice the width; None where the factory has no width or does not build at these.

    >>> import torch
    >>> law = follow_width(ModelBuilder(lambda width=64: torch.nn.Linear(width, width), "linear"), 0)
    >>> law.parameter, round(law.slopes["weight"], 2)
    ('width', -0.5)
    """
    found = _width_parameter(builder.factory)
    if found is None:
        return None
    parameter, width = found
    widths = (width // 2, width, 2 * width)
    measured: list[dict[str, float]] = []
    for size in widths:
        other = ModelBuilder(functools.partial(builder.factory, **{parameter: size}), builder.name)
        try:
            built = other.build(seed, traced=True, looks={"places": lambda model, _records: places(model)})
        except Exception:
            # Heads that do not divide the width, a fixed table: what cannot be built is not shown.
            return None
        measured.append(_spreads(built))
    shared = [path for path in measured[0] if all(path in m for m in measured)]
    logs = [math.log(w) for w in widths]
    slopes = {p: linear_regression(logs, [math.log(m[p]) for m in measured]).slope for p in shared}
    return WidthLaw(parameter, widths, slopes)


def _width_parameter(factory: Callable[..., Any]) -> tuple[str, int] | None:
    parameters = parameters_of(factory) or {}
    for name in WIDTH_NAMES:
        default = parameters[name].default if name in parameters else None
        if isinstance(default, int) and not isinstance(default, bool) and default >= 4:
            return name, default
    return None


def _spreads(built: Build) -> dict[str, float]:
    """Standard deviation of every random role: the traced one, else the measured one."""
    found: dict[str, float] = {}
    for role in roles(built.records, built.looks["places"]):
        member = role.members[0]
        std = member.law.std if member.law.named else member.std
        if std and len(role.shape) > 1 and not member.constant:
            found.setdefault(role.path, std)
    return found
