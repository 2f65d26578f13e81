"""How standard deviations follow the width of a model, by role; shown, never judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class WidthLaw:
    """Exponents of the width, by role.

    Attributes:
        parameter: the factory's parameter that was varied.
        widths: the widths that were built.
        slopes: path of the role -> slope of log std over log width; roles without chance are left out.
    """

    parameter: str
    widths: tuple[int, ...]
    slopes: Mapping[str, float]
