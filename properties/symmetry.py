"""Why not all equal: units that start alike get the same gradient and are never told apart."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import gradients_never_tie, ties_are_no_accident, units_never_tie

NEEDS = ("accepts-every-shape", "returns-the-shape-asked", "finite")
ACCIDENT = "so few weights a unit may tie by the grid of their values alone"


@claim(
    "units-differ",
    says="No two output units start with the same incoming weights, and none starts at zero.",
    source="Goodfellow, Bengio & Courville 2016, section 8.4; theorem equal-units-get-equal-gradients",
    topic="symmetry",
    needs=NEEDS,
    exact_on_constants=True,
    sweep="values",
    decided_by="rows compared bit for bit. FAILS: an e-process against 'at most 1 call in 1,000 has a tie', on calls"
    " never looked at. HOLDS: the exact binomial of all calls looked at, whose rate is printed layer by layer; a tie"
    " that was seen is never forgotten. Layers beside the plan are glanced at: every width, a layer of 64 inputs and"
    " (by default) 1,024 units, and some 500 layers that Hypothesis generates. Assumes that calls are independent. Not"
    " seen: ties that are rarer than that rate, units that are alike but not equal, and ties that only layers of more"
    " units have than any that is looked at, whose number is printed",
    finds="a unit copied in 1 call of 100, at every shape, in about 1,500 calls of the lightest layer",
)
@given(layer=layers())
def units_differ(trial: Trial, layer: Case) -> None:
    """No two rows of W are equal, and none is zero."""
    trial.asks(layer.units >= 2, "one unit has no other to equal")
    trial.asks(ties_are_no_accident(trial, layer), ACCIDENT)
    units_never_tie(trial, layer)


@claim(
    "gradients-tell-units-apart",
    says="In a network started so, any two hidden units get different gradients at the first step.",
    source="Goodfellow, Bengio & Courville 2016, section 8.4; theorem equal-units-get-equal-gradients",
    topic="symmetry",
    not_asked_of={"layer": "one layer is judged, not a network of them; units-differ is asked of its weights"},
    needs=NEEDS,
    exact_on_constants=True,
    sweep="values",
    decided_by="back-propagation in float64 on random data. FAILS: an e-process against 'at most 1 network in 1,000 has"
    " a tie', on networks never looked at. HOLDS: the exact binomial of all networks looked at, whose rate is printed;"
    " UNDECIDED where units start equal and their outgoing weights alone tell them apart. Beside the plan it is asked"
    " of the layers at which a glance sees equal units, as units-differ takes it. Assumes that calls are independent."
    " Not seen: ties that are rarer than that rate, and what units-differ does not see",
    pictures=("gradient_ties",),
)
@given(layer=layers())
def gradients_tell_units_apart(trial: Trial, layer: Case) -> None:
    """No two rows of dLoss/dW_1 are equal, to rounding."""
    # Of the plan those that are cheap; beside it what a glance finds.
    dear = layer.units > 64 and layer in trial.subject.domain.plan
    trial.asks(layer.units >= 2 and not dear, "asked of hidden layers of 2 to 64 units")
    trial.asks(layer.groups == 1, "asked where every unit sees every input")
    trial.asks(ties_are_no_accident(trial, layer), ACCIDENT)
    gradients_never_tie(trial, layer)
