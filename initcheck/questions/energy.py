"""Whether the typical energy of a signal, or of a gradient, survives the depth of a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.second_moments import nonlinearity
from initcheck.draws.chains import ISOMETRIC, NEAR_EDGE, Chains, ideal_ratios
from initcheck.draws.streams import SCREEN, Stream
from initcheck.statistics import Decision, Judgement, judge_median, worth_repeating
from initcheck.statistics.interval import of_median

Floats = npt.NDArray[np.float64]
Direction = Literal["forward", "backward"]

_MOST_POINTS = 41


def names_activation(contract: Contract) -> bool:
    """Whether it is said what lies between the layers: a gain alone may be meant for any activation.

    >>> names_activation(Contract(gain=2**0.5)), names_activation(Contract(gain=5 / 3, activation="tanh"))
    (False, True)
    """
    return contract.gain is None or contract.promised("activation") is not None


def keeps_energy(trial: Trial, layer: Case, direction: Direction, within: tuple[float, float]) -> None:
    """Ask whether the median log10 energy ratio of networks of this layer lies in a band.

    Raises:
        CaseFailed: it is shown not to.
        NotAsked: no gain of the contract's activation keeps it.
    """
    lo, hi = within
    depth = trial.contract.depth
    chains = _networks_of(trial, layer)
    which = 0 if direction == "forward" else 1
    curve = "signal_by_depth" if which == 0 else "gradient_by_depth"
    shown: dict[str, object] = {"allowed": f"[{10**lo:g}, {10**hi:g}] through {depth} layers", "band": within}

    def word(log_ratio: float, stream: Stream, networks: int) -> dict[str, object]:
        factor = f"a factor {_power(log_ratio)}" if -300 < log_ratio < 300 else _power(log_ratio)
        if not math.isfinite(log_ratio):
            factor = "nothing is left" if log_ratio < 0 else "no finite number is left"
        curves = chains.curves(stream, networks)[:, which]
        return {
            "measured": f"{factor}, {_power(log_ratio / depth)} a layer" if math.isfinite(log_ratio) else factor,
            "value": log_ratio,
            "interval": of_median(curves[:, -1]),
            "series": {curve: _layers(curves)},
        }

    if trial.subject.is_constant(layer):
        ratio = float(chains.ratios(SCREEN, 1)[0, which])
        exact = {**shown, **word(ratio, SCREEN, 1), "calls": depth}
        return trial.holds(layer, **exact) if lo <= ratio <= hi else trial.fail(layer, **exact)

    median = _Median(lambda *drawn: chains.ratios(*drawn)[:, which], lo, hi)
    judgement, stage = trial.decide(layer, median.test, rounds=2, alone=True, hope=median.may_show)
    if judgement.decision is Decision.UNDECIDED and not math.isfinite(judgement.measured):
        trial.note("some networks lose the signal altogether, others do not")
    if judgement.decision is not Decision.HOLDS:
        _blame_no_activation(trial, layer, which, judgement.measured, within)
    shown.update(word(judgement.measured, stage.stream, judgement.groups))
    trial.settle(layer, judgement, judgement.groups * depth, **shown)


def promises_isometry(contract: Contract) -> bool:
    """Whether the contract says that products of layers keep nearly all lengths.

    >>> promises_isometry(Contract(distribution="orthogonal")), promises_isometry(Contract(distribution="normal"))
    (True, False)
    """
    return contract.promised("distribution") in ISOMETRIC


def keeps_singular_values(trial: Trial, layer: Case, least: float) -> None:
    """Ask whether, in the median network, at least such a share of the product's singular values lies in [1/2, 2].

    Null of FAILS: the median share is at least ``least``; networks independent; exact sign test (``judge_median``).

    Raises:
        CaseFailed: it is shown not to.
    """
    chains = _networks_of(trial, layer)
    depth = trial.contract.depth
    allowed = f"at least {least:.0%} in [1/2, 2] through {depth} layers"

    def word(share: float) -> dict[str, object]:
        return {"measured": f"{share:.0%} of the singular values in [1/2, 2]", "allowed": allowed, "value": share}

    if trial.subject.is_constant(layer):
        share = float(chains.shares(SCREEN, 1)[0])
        exact = {**word(share), "calls": depth}
        return trial.holds(layer, **exact) if share >= least else trial.fail(layer, **exact)

    median = _Median(chains.shares, least, math.inf)
    judgement, _ = trial.decide(layer, median.test, rounds=2, alone=True, hope=median.may_show)
    trial.settle(layer, judgement, judgement.groups * depth, **word(judgement.measured))


def _networks_of(trial: Trial, layer: Case) -> Chains:
    """Networks of one layer, kept for the other claims on them."""
    return trial.draws.once(("networks", layer), lambda: Chains(trial.draws, trial.contract, layer))


class _Median:
    """The test that the median over networks of a value, given for the first so many of a stream, lies in a band."""

    def __init__(self, values: Callable[[Stream, int], Floats], lo: float, hi: float) -> None:
        self.values = values
        self.band = lo, hi
        self._seen = np.empty(0)
        self._error: dict[str, float] = {}

    def test(self, stage: Stage) -> Judgement:
        """Draw networks at a stage until it decides, or nothing more is in reach."""
        self._seen = np.empty(0)

        def draw(networks: int) -> Floats:
            drawn = len(self._seen)
            self._seen = self.values(stage.stream, drawn + networks)
            return self._seen[drawn:]

        self._error = {"level": stage.level, "beta": stage.beta}
        return judge_median(draw, *self.band, **self._error, screen=not stage.confirms, final=stage.final)

    def may_show(self, scale: int) -> bool:
        """Whether as many fresh networks may well show what those of the last stage left open."""
        return worth_repeating(self._seen, *self.band, **self._error)


def _blame_no_activation(trial: Trial, layer: Case, which: int, measured: float, within: tuple[float, float]) -> None:
    """Go on only where normal weights of the activation's ideal gain keep the band, or these leave it much further.

    Raises:
        NotAsked: they leave it too, as far: no gain of this activation keeps the energy through so many layers.
    """
    phi = nonlinearity(trial.contract)
    ideal = ideal_ratios(phi, layer.inputs, trial.contract.depth)[which]
    edge = within[1] if measured > 0 else within[0]
    excused = ideal / edge > NEAR_EDGE and abs(measured - ideal) < abs(edge)
    # A gate squares the energy in every layer: what begins above 1 grows without end, what begins below dies.
    excused = excused or (phi.gate is not None and abs(ideal) > 10 * max(-within[0], within[1]))
    direction = "a signal" if which == 0 else "a gradient"
    trial.asks(
        not excused,
        f"no gain of {phi} keeps {direction} through {trial.contract.depth} layers: normal weights of its ideal gain"
        f" change it by a factor of {_power(ideal)}",
    )


def _power(exponent: float) -> str:
    """10 to a power in words, also where no float64 holds it: behind a gate the energy is squared in every layer."""
    return f"{10**exponent:.3g}" if -300 < exponent < 300 else f"10^{exponent:.0f}"


def _layers(curves: Floats) -> list[list[float]]:
    """The median over networks after each layer, at 41 layers at most; none where it is not a number."""
    if not len(curves):
        return []
    last = curves.shape[1] - 1
    chosen = sorted({round(k * last / min(last, _MOST_POINTS - 1)) for k in range(min(last, _MOST_POINTS - 1) + 1)})
    with np.errstate(invalid="ignore"):
        medians = [float(np.median(curves[:, k])) for k in chosen]
    return [[k, float(f"{m:.4g}")] for k, m in zip(chosen, medians, strict=True) if math.isfinite(m)]
