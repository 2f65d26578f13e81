"""What a call does beside returning weights: it may write to another result, or move what belongs to the user."""

from __future__ import annotations

import random

import numpy as np

from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.draws.streams import Stream
from initcheck.sandbox.global_generators import isolated, watching_generators


def shares_no_memory(trial: Trial, layer: Case) -> None:
    """Ask whether each of two live results has memory of its own, which the next call leaves alone.

    Raises:
        CaseFailed: they share memory, or one call overwrites the result of another.
    """
    first_seed, second_seed = trial.draws.seeds(layer, trial.dtype, Stream("memory"), 0, 2)
    raw_first = trial.draws.raw(layer, trial.dtype, [first_seed])[0]
    first = trial.draws.array(layer, trial.dtype, raw_first)
    kept = first.copy()
    raw_second = trial.draws.raw(layer, trial.dtype, [second_seed])[0]
    second = trial.draws.array(layer, trial.dtype, raw_second)
    allowed = "memory of its own for every result"
    if raw_first is raw_second or np.may_share_memory(first, second):
        trial.fail(layer, measured="two results share memory", allowed=allowed, calls=2)
    if not np.array_equal(first, kept, equal_nan=True):
        trial.fail(layer, measured="the second call changed the first result", allowed=allowed, calls=2)
    if any(stride == 0 and size > 1 for stride, size in zip(first.strides, first.shape, strict=True)):
        trial.fail(layer, measured="weights of one result share memory", allowed=allowed, calls=2)
    together = trial.draws.on_one_source(layer, trial.dtype, first_seed)
    if together is not None and np.may_share_memory(together[0], together[1]):
        trial.fail(layer, measured="two results of one generator or instance share memory", allowed=allowed, calls=2)
    if first.flags.writeable:
        first[...] = 0
        again = trial.draws.array(layer, trial.dtype, trial.draws.raw(layer, trial.dtype, [first_seed])[0])
        if kept.any() and not again.any():
            trial.fail(layer, measured="overwriting a result overwrites the next", allowed=allowed, calls=3)
    trial.holds(layer, measured="no shared memory", calls=3)


def moves_no_generator(trial: Trial, layer: Case) -> None:
    """Ask whether two calls leave every global generator and setting as it was.

    Raises:
        CaseFailed: something moved.
        NotAsked: by its signature it draws from a global generator.
    """
    draws = trial.draws
    seeds = draws.seeds(layer, trial.dtype, Stream("side effects"), 0, 2)
    # Away from a freshly seeded state, where a `seed(0)` inside the call would leave no trace.
    with isolated(seeds[0]), np.errstate(all="warn"):
        random.random()
        np.random.random_sample()
        with watching_generators() as moved:
            draws.raw(layer, trial.dtype, seeds)
    allowed = "the state before the call"
    changed = sorted(moved) if trial.initializer.takes_randomness else []
    others = draws.moved_by_others(set(changed))
    if others:
        trial.undecide(f"a thread that is none of its own moves {', '.join(sorted(others))} while nothing is called")
        return
    if changed:
        trial.fail(layer, measured=f"the call moves {', '.join(changed)}", allowed=allowed, calls=2)
    if draws.changes:
        trial.fail(layer, measured=f"the call changes {', '.join(sorted(draws.changes))}", allowed=allowed, calls=2)
    trial.asks(
        trial.initializer.takes_randomness or not trial.initializer.uses_global_generator,
        "the caller hands over no generator: it draws from a global one, by its signature",
    )
    trial.holds(layer, measured="nothing moved", calls=2)
