"""Whether the typical energy of a signal, or of a gradient, survives the depth of a network."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from initcheck.interval import of_median
from initcheck.layer import Layer
from initcheck.statistics import Decision, Judgement, judge_median
from initcheck.trial import Stage, Trial

__all__ = ["keeps_energy"]

Floats = npt.NDArray[np.float64]
Direction = Literal["forward", "backward"]

_MOST_POINTS = 41


def keeps_energy(trial: Trial, layer: Layer, direction: Direction, within: tuple[float, float]) -> None:
    """Ask whether the median log10 energy ratio of networks of this layer lies in a band.

    Raises:
        CaseFailed: it is shown not to.
    """
    lo, hi = within
    depth = trial.contract.depth
    chains = trial.subject.chains(layer)
    which = 0 if direction == "forward" else 1
    curve = "signal_by_depth" if which == 0 else "gradient_by_depth"
    shown: dict[str, object] = {"allowed": f"[{10**lo:g}, {10**hi:g}] through {depth} layers", "band": within}

    def word(log_ratio: float, stream: str, networks: int) -> dict[str, object]:
        per_layer = 10 ** (log_ratio / depth) if math.isfinite(log_ratio) else log_ratio
        factor = f"a factor {10**log_ratio:.3g}" if -300 < log_ratio < 300 else f"10^{log_ratio:.0f}"
        curves = chains.curves(stream, networks)[:, which]
        return {
            "measured": f"{factor}, {per_layer:.3g} a layer",
            "value": log_ratio,
            "interval": of_median(curves[:, -1]),
            "series": {curve: _layers(curves)},
        }

    if trial.subject.is_constant(layer):
        ratio = float(chains.ratios("screen", 1)[0, which])
        exact = {**shown, **word(ratio, "screen", 1), "calls": depth}
        return trial.holds(layer, **exact) if lo <= ratio <= hi else trial.fail(layer, **exact)

    def test(stage: Stage) -> Judgement:
        drawn = 0

        def draw(networks: int) -> Floats:
            nonlocal drawn
            drawn += networks
            return chains.ratios(stage.stream, drawn)[drawn - networks :, which]

        return judge_median(draw, lo, hi, level=stage.level, beta=stage.beta, screen=not stage.confirms)

    judgement, stage = trial.decide(layer, test)
    if judgement.decision is Decision.UNDECIDED and not math.isfinite(judgement.measured):
        trial.note("some networks lose the signal altogether, others do not")
    shown.update(word(judgement.measured, stage.stream, judgement.groups))
    trial.settle(layer, judgement, judgement.groups * depth, **shown)


def _layers(curves: Floats) -> list[list[float]]:
    """The median over networks after each layer, at 41 layers at most; none where it is not a number."""
    if not len(curves):
        return []
    last = curves.shape[1] - 1
    chosen = sorted({round(k * last / min(last, _MOST_POINTS - 1)) for k in range(min(last, _MOST_POINTS - 1) + 1)})
    with np.errstate(invalid="ignore"):
        medians = [float(np.median(curves[:, k])) for k in chosen]
    return [[k, float(f"{m:.4g}")] for k, m in zip(chosen, medians, strict=True) if math.isfinite(m)]
