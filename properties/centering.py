"""Why around zero: with normalised data the expected weight is zero, as a whole and at every position."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import centred_at_every_position, centred_over_a_result


@claim(
    "zero-mean",
    says="Every weight has expectation zero.",
    source="LeCun et al. 1998, Efficient BackProp, section 4.6; Glorot & Bengio 2010, section 4.2",
    topic="centering",
    needs=("accepts-every-shape", "returns-the-shape-asked", "finite", "calls-are-independent"),
    exact_on_constants=True,
    sweep="values",
    decided_by="layer by layer, bets on the mean of every call over the deviation of a weight, in both directions:"
    " FAILS beyond 1e-4; HOLDS prints the mean that it excludes, 0.1 deviations at most. At a few layers of 64 to 1,100"
    " weights the same bets on five projections that a first sample suggests, HOLDS within 0.25 of their deviation."
    " Layers beside the plan are glanced at, where a mean of a third of a deviation shows: every width, and some 500"
    " layers that Hypothesis generates."
    " Assumes that calls are independent and that nothing carries a mean that is more than twice as large as all that"
    " was drawn: a skewed law is judged on a million weights or as many calls as the profile pays for. Not seen: a mean"
    " below what is printed, and positions that no first sample of 200 calls suggests",
    finds="a mean of 0.04 deviations of a weight in 131,072 weights of a layer; of 0.02 with half of the seeds",
    pictures=("histogram",),
)
@given(layer=layers())
def zero_mean(trial: Trial, layer: Case) -> None:
    """E w = 0 overall, and at every position: a sorted matrix has mean 0 and yet its positions do not.

    Not asked where the contract names the distribution 'identity': noise around it keeps that mean on purpose.
    """
    identity = trial.subject.contract_of(layer).promised("distribution") == "identity"
    trial.asks(not identity, "distribution=identity: the diagonal is meant to be off zero")
    centred_over_a_result(trial, layer)
    if layer in trial.subject.positioned:
        centred_at_every_position(trial, layer)
    elif trial.subject.medium and not trial.subject.positioned:
        trial.note("positions were not looked at one by one: that takes thousands of builds", topic="positions")
