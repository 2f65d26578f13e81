"""Why around zero: with normalised data the expected weight is zero, as a whole and at every position."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims.statement import claim
from initcheck.claims.strategies import layers
from initcheck.contract.layer import Layer
from initcheck.engine.trial import Trial
from initcheck.questions.centre import centred_at_every_position, centred_over_a_result, centred_over_all_shapes


@claim(
    "zero-mean",
    says="Every weight has expectation zero.",
    source="LeCun et al. 1998, Efficient BackProp, section 4.6; Glorot & Bengio 2010, section 4.2",
    topic="centering",
    needs=("accepts-every-shape", "returns-the-shape-asked", "finite", "calls-are-independent"),
    exact_on_constants=True,
    decided_by="sign e-process of the mean over rms (FAILS beyond 1e-4, HOLDS within 0.005) and of projections on"
    " directions learnt from a first sample",
    pictures=("histogram",),
)
@given(layer=layers())
def zero_mean(trial: Trial, layer: Layer) -> None:
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
    if layer == trial.subject.domain.largest:
        centred_over_all_shapes(trial, layer)
