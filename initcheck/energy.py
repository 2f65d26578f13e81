"""Whether the typical energy of a signal, or of a gradient, survives the depth of a network."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from initcheck.layer import Layer
from initcheck.statistics import Decision, Judgement, judge_median
from initcheck.trial import Stage, Trial

__all__ = ["keeps_energy"]

Floats = npt.NDArray[np.float64]
Direction = Literal["forward", "backward"]


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

    def word(log_ratio: float) -> dict[str, object]:
        per_layer = 10 ** (log_ratio / depth) if math.isfinite(log_ratio) else log_ratio
        factor = f"a factor {10**log_ratio:.3g}" if -300 < log_ratio < 300 else f"10^{log_ratio:.0f}"
        series = {curve: [[0, 0.0], [depth, log_ratio]]}
        return {"measured": f"{factor}, {per_layer:.3g} a layer", "value": log_ratio, "series": series}

    if trial.subject.is_constant(layer):
        ratio = float(chains.ratios("screen", 1)[0, which])
        exact = {**shown, **word(ratio), "calls": depth}
        return trial.holds(layer, **exact) if lo <= ratio <= hi else trial.fail(layer, **exact)

    def test(stage: Stage) -> Judgement:
        drawn = 0

        def draw(networks: int) -> Floats:
            nonlocal drawn
            drawn += networks
            return chains.ratios(stage.stream, drawn)[drawn - networks :, which]

        return judge_median(draw, lo, hi, level=stage.level, beta=stage.beta, screen=not stage.confirms)

    judgement, _ = trial.decide(layer, test)
    if judgement.decision is Decision.UNDECIDED and not math.isfinite(judgement.measured):
        trial.note("some networks lose the signal altogether, others do not")
    trial.settle(layer, judgement, judgement.groups * depth, **{**shown, **word(judgement.measured)})
