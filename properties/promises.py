"""What any initializer owes: a result of the asked shape and dtype, finite, in memory of its own."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import SCREEN, BrokenCall, Case, Trial, claim, layers
from initcheck.questions import excluded_rate, shares_no_memory

_ONE_CALL = (
    "exact: one call at every layer of the plan, at widths 1, 2^k and 2^k +- 1 up to 1024, and at every width up to 256"
    " (64 of a quick run, 1024 of a thorough one), and at some 500 layers that Hypothesis generates. Not seen: other"
    " shapes, and calls that fail now and then: HOLDS says that one call at each of these did not"
)


@claim(
    "accepts-every-shape",
    says="No shape of its domain makes it raise, hang or crash.",
    source="by definition of an initializer",
    topic="promises",
    shape_by_shape=True,
    sweep="calls",
    decided_by=_ONE_CALL,
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
    decided_by=_ONE_CALL,
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
    " float32 or float64. Not seen: other shapes, and calls that differ from the first at their shape",
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
    decided_by="exact: one such weight is enough to fail; HOLDS states the rate per weight that it excludes at"
    " beta. Assumes that calls are independent. Not seen: what is rarer, or at other shapes",
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
    decided_by="exact: two live results at every layer of the plan, at two where each is compiled. Not seen: other"
    " shapes, and buffers that are shared by calls further apart",
)
@given(layer=layers(of="called"))
def owns_its_memory(trial: Trial, layer: Case) -> None:
    """Of two live results, neither overlaps the other or itself, and writing to one leaves the next draw alone."""
    shares_no_memory(trial, layer)
