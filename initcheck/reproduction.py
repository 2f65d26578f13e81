"""The same seeds drawn again: in another order, under other global seeds, and in processes that know nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from initcheck.contract.layer import Layer
from initcheck.draws.draws import BrokenCall, digest
from initcheck.engine.trial import Trial
from initcheck.sandbox.global_generators import isolated

__all__ = ["repeats_bit_for_bit"]

Call = tuple[tuple[int, ...], int, tuple[int, ...]]


def repeats_bit_for_bit(trial: Trial, layers: Sequence[Layer]) -> None:
    """Ask whether a plan of (shape, seed) pairs gives the same bits every time it is drawn.

    Four times: here forward and backward under different global seeds, and the same in two fresh processes, because
    a cache by shape is invisible inside one process.

    Raises:
        CaseFailed: the values of a pair differ.
    """
    plan: list[Call] = []
    for layer in layers:
        plan += [(layer.asked, seed, layer.shape) for seed in trial.draws.seeds(layer, trial.dtype, "repeat", 0, 2)]
    # Seed 0 is a seed like another, and `seed or ...` takes it for none.
    plan.append((layers[-1].asked, 0, layers[-1].shape))
    fresh = trial.subject.fresh.start(trial.initializer, plan, trial.dtype)
    here = {
        "in this process": _drawn(trial, layers, plan, 1, backward=False),
        "in another order": _drawn(trial, layers, plan, 2, backward=True),
    }
    answers = fresh.answers()
    if answers is None:
        trial.note(f"not repeated in a fresh process: {fresh.why_not}")
        answers = {}
    expected = here["in this process"]
    for where, digests in {**here, **answers}.items():
        for call, first, again in zip(plan, expected, digests, strict=True):
            if first != again:
                layer = next(a for a in layers if a.asked == call[0])
                broken = again.removeprefix("broken: ") if again.startswith("broken: ") else None
                does = {None: "gives other values", "raises": "raises"}.get(broken, f"gives another {broken}")
                trial.fail(
                    layer,
                    measured=f"seed {call[1]} {does} {where}",
                    allowed="the same bits for the same shape, dtype and seed",
                    calls=len(plan) * (len(answers) + 2),
                )
    for layer in layers:
        trial.holds(layer, measured="the same bits every time", calls=2 * (len(answers) + 2))


def _drawn(trial: Trial, layers: Sequence[Layer], plan: Sequence[Call], seed: int, *, backward: bool) -> list[str]:
    """Digests of the plan's calls, in its order, though drawn in either order."""
    by_shape = {layer.asked: layer for layer in layers}
    digests: dict[Call, str] = {}
    with isolated(seed):
        for asked, call_seed, shape in reversed(plan) if backward else plan:
            layer = by_shape[asked]
            # Moves the global generators between calls: code that leans on them must show it.
            random.random()
            np.random.random_sample()
            try:
                result = trial.draws.raw(layer, trial.dtype, [call_seed])[0]
                digests[asked, call_seed, shape] = digest(trial.draws.array(layer, trial.dtype, result)).hex()
            except BrokenCall as broken:
                digests[asked, call_seed, shape] = f"broken: {broken.kind}"
    return [digests[call] for call in plan]
