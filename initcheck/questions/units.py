"""Whether every unit of a layer has its share of the energy: what an average over units cannot see."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall
from initcheck.engine.trials.looks import Standing, judged_by_looks
from initcheck.statistics import shares_log_e

Floats = npt.NDArray[np.float64]

# How far from its share a unit may be, as a factor.
_FACTOR = 2.0
_MOST_TO_SCREEN = 3_000
_MOST_TO_CONFIRM = 6_000


def units_share_the_energy(trial: Trial, layer: Case) -> None:
    """Ask whether each unit has between half and twice the average unit's second moment.

    The share of each unit in the energy of a call, sum w^2 of its row over that of the matrix, lies in [0, 1] whatever
    the law; where the units have the second moment of the average unit its mean is about 1/units. Bets on the shares of
    all units, in both directions.

    Raises:
        CaseFailed: a unit has another share.
    """
    units = layer.units
    lo, hi = 1.0 / (_FACTOR * units), _FACTOR / units
    worst: list[tuple[int, float]] = []
    drawn_any: list[bool] = []

    def looks(stage: Stage) -> Iterator[Standing]:
        shares = np.empty((0, units))
        total, most = 64, (_MOST_TO_CONFIRM if stage.confirms else _MOST_TO_SCREEN) // trial.thrift
        while len(shares) < most:
            more, any_energy = _shares(trial, layer, stage, len(shares), total)
            shares = np.concatenate([shares, more])
            drawn_any.append(any_energy)
            evidence = shares_log_e(shares, lo, hi)
            times = shares.mean(axis=0) * units
            unit = int(np.abs(np.log(np.maximum(times, 1e-12))).argmax())
            worst.append((unit, float(times[unit])))
            yield Standing(float(evidence.against.max()), float(evidence.inside[-1]), float(times[unit]), total)
            total = min(most, total + total // 2)

    judgement, _ = trial.decide(layer, lambda stage: judged_by_looks(stage, looks(stage)), rounds=2)
    if not any(drawn_any):
        return trial.undecide(f"every weight drawn is zero at {layer.described(trial.dtype)}: no unit has a share")
    unit, times = worst[-1]
    trial.settle(
        layer,
        judgement,
        judgement.groups,
        measured=f"unit {unit} has {times:.3g} times the energy of the average unit",
        allowed=f"[{1 / _FACTOR:g}, {_FACTOR:g}] times",
        value=times,
        band=(1 / _FACTOR, _FACTOR),
    )
    trial.note(
        f"a unit with less than {1 / _FACTOR:g} or more than {_FACTOR:g} times its share of the energy is excluded, at"
        " a few layers of 64 to 1,100 weights",
        topic="excluded",
    )


def _shares(trial: Trial, layer: Case, stage: Stage, start: int, stop: int) -> tuple[Floats, bool]:
    """The share of each unit in the energy of each call, (calls, units), and whether any weight is not zero.

    All shares of a call of zeros are equal.
    """
    found, any_energy = [], False
    for stack in trial.draws.stacks(layer, trial.dtype, stage.stream, start, stop):
        w = stack.astype(np.float64)
        # Energies of calls may be anything: by the largest weight they neither overflow nor vanish.
        largest = np.abs(w).max(axis=(1, 2), keepdims=True)
        if not np.isfinite(largest).all():
            raise BrokenCall("not finite", "a weight is not finite")
        energy = np.square(np.divide(w, largest, out=np.zeros_like(w), where=largest > 0)).sum(axis=2)
        whole = energy.sum(axis=1, keepdims=True)
        any_energy = any_energy or bool(whole.any())
        found.append(np.divide(energy, whole, out=np.full_like(energy, 1.0 / energy.shape[1]), where=whole > 0))
    return np.concatenate(found), any_energy
