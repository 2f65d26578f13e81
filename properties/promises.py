"""What any initializer owes: a result of the asked shape and dtype, finite, in memory of its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from initcheck.claims.statement import claim
from initcheck.claims.strategies import layers
from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.draws.draws import BrokenCall
from initcheck.draws.streams import SCREEN, Stream
from initcheck.statistics import excluded_rate


@claim(
    "accepts-every-shape",
    says="No shape of its domain makes it raise, hang or crash.",
    source="by definition of an initializer",
    topic="promises",
    shape_by_shape=True,
    sweep="calls",
    decided_by="exact: one call at every layer of the plan, at widths 1, 2^k and 2^k +- 1 up to 1024, and at every"
    " width up to 256 (64 of a quick run, 1024 of a thorough one)",
)
@given(layer=layers(of="small"))
def accepts_every_shape(trial: Trial, layer: Case) -> None:
    """For every shape s of the domain, f(s) returns."""
    try:
        trial.first_call(layer)
    except BrokenCall as broken:
        trial.fail(layer, measured=broken.message, allowed="no exception", detail=broken.detail, calls=1)
    trial.holds(layer, measured="no exception", calls=1)


@claim(
    "returns-the-shape-asked",
    says="The result has exactly the shape that was asked for.",
    source="by definition of an initializer",
    topic="promises",
    not_asked_of={"layer": "a layer is asked for widths, and chooses the shapes of its weights itself"},
    needs=("accepts-every-shape",),
    shape_by_shape=True,
    sweep="calls",
    decided_by="exact: one call at every layer of the plan, at widths 1, 2^k and 2^k +- 1 up to 1024, and at every"
    " width up to 256 (64 of a quick run, 1024 of a thorough one)",
)
@given(layer=layers(of="small"))
def returns_the_shape_asked(trial: Trial, layer: Case) -> None:
    """For every shape s of the domain, f(s) is an array of numbers of shape s."""
    broken = trial.first_call(layer).broken
    if broken is not None:
        trial.fail(layer, measured=broken.message, allowed=f"an array of shape {layer.shape}", calls=1)
    trial.holds(layer, measured="the shape asked", calls=1)


@claim(
    "returns-the-dtype-asked",
    says="The result has the dtype that was asked for.",
    source="by definition of an initializer",
    topic="promises",
    needs=("accepts-every-shape", "returns-the-shape-asked"),
    decided_by="exact, every declared dtype at every layer of the plan; where no dtype can be asked for,"
    " float32 or float64",
)
@given(layer=layers())
def returns_the_dtype_asked(trial: Trial, layer: Case) -> None:
    """For every shape s and declared dtype t, f(s, dtype=t) has dtype t.

    A function without a dtype parameter was asked for none: it owes real floating-point numbers, of 32 bits or more,
    unless its contract declares dtypes.
    """
    asked = trial.initializer.takes_dtype or "dtypes" in trial.contract.origins
    for dtype in trial.contract.dtypes:
        allowed = (dtype,) if asked else ("float32", "float64")
        found = trial.first_call(layer, dtype).dtype
        if found not in allowed:
            trial.fail(layer, measured=found, allowed=" or ".join(allowed), calls=1)
        trial.holds(layer, measured=found, allowed=" or ".join(allowed), calls=1)


@claim(
    "finite",
    says="No weight is NaN or infinite.",
    source="by definition of an initializer",
    topic="promises",
    needs=("accepts-every-shape", "returns-the-shape-asked"),
    shape_by_shape=True,
    sweep="calls",
    decided_by="exact: one such weight is enough to fail; HOLDS states the rate per weight that it excludes at beta",
)
@given(layer=layers())
def finite(trial: Trial, layer: Case) -> None:
    """No draw holds a NaN or an infinity: here the calls that the statistical claims look at too."""
    calls = trial.usual_calls(layer)
    trial.draws.records(layer, trial.dtype, SCREEN, calls)
    found = trial.draws.nonfinite.get((layer, trial.dtype))
    if found is not None:
        trial.fail(layer, measured=found, allowed="finite weights", calls=calls)
    trial.holds(layer, measured="every weight is finite", calls=calls)
    rate = excluded_rate(sum(e.weights for e in trial.decided), trial.beta)
    trial.note(f"fewer than one weight in {1 / rate:,.0f} is not finite, at error {trial.beta:g}", topic="rate")


@claim(
    "owns-its-memory",
    says="Two results share no memory: the next call cannot overwrite the last layer.",
    source="by definition of an initializer",
    topic="memory",
    needs=("accepts-every-shape", "returns-the-shape-asked"),
    decided_by="exact: two live results at every layer of the plan",
)
@given(layer=layers())
def owns_its_memory(trial: Trial, layer: Case) -> None:
    """Of two live results, neither overlaps the other or itself, and writing to one leaves the next draw alone."""
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
    if first.flags.writeable:
        first[...] = 0
        again = trial.draws.array(layer, trial.dtype, trial.draws.raw(layer, trial.dtype, [first_seed])[0])
        if kept.any() and not again.any():
            trial.fail(layer, measured="overwriting a result overwrites the next", allowed=allowed, calls=3)
    trial.holds(layer, measured="no shared memory", calls=3)
