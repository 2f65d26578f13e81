"""What a statistic of four calls that tops its shuffles says of the weights, in the words of who wrote them."""

from __future__ import annotations

from initcheck.diagnosis.causes import Cause

_OWN = "draw every weight on its own, or declare entries='dependent' if it is meant"
_MEASURED = "divide by what is expected, not by what was measured, or declare entries='dependent' if it is meant"

_OF = {"rows": "the weights of a unit", "columns": "the weights of an input", "calls": "the weights of a layer"}
_FIELDS = {
    "sums too far apart": ("{of} share an offset: in a call all lie above their mean, or all below it", _OWN),
    "sums too equal": (
        "{of} sum to nearly one number in every call: they are centred after they were drawn, or drawn in balance (a"
        " Latin hypercube, Sobol points)",
        _OWN,
    ),
    "energies too far apart": ("{of} share a scale of their own in every call", _OWN),
    "energies too equal": (
        "{of} have nearly one length in every call: they are normalised after they were drawn",
        _MEASURED,
    ),
    "signs too far apart": ("{of} share their signs", _OWN),
    "signs too equal": ("the signs of {of} are in balance in every call: nearly as many above as below", _OWN),
    "large weights too far apart": ("{of} are large, or zero, together", _OWN),
    "large weights too equal": (
        "nearly the same number of {of} is large, or not zero, in every call",
        _OWN,
    ),
}

_OTHERS = {
    "row Gram matrix too large": "units are correlated",
    "row Gram matrix too small": "units are nearer to orthogonal than independent ones",
    "column Gram matrix too large": "the weights of different inputs are correlated",
    "column Gram matrix too small": "the weights of inputs are nearer to orthogonal than independent ones",
    "magnitudes of rows": "the magnitudes of different units rise and fall together",
    "magnitudes of columns": "the magnitudes of the weights of different inputs rise and fall together",
    "neighbours along a row": "neighbouring weights of a unit are correlated",
    "neighbours down a column": "neighbouring units are correlated",
    "magnitudes of neighbours along a row": "neighbouring weights of a unit are large together",
    "magnitudes of neighbours down a column": "neighbouring units are large together",
    "two rows": "two units are correlated",
    "two columns": "the weights of two inputs are correlated",
    "largest row and column": "one unit and one input hold the large weights of a layer",
    "pairs of weights": "two weights are correlated",
    "pairs of magnitudes": "two weights are large together",
    "parity of neighbours along a row": "the sign of a weight follows from those of its neighbours in the unit",
    "parity of neighbours down a column": "the sign of a weight follows from those of its neighbours in other units",
    "parity of three columns": "in every unit the sign of one weight follows from those of two others",
    "parity of three rows": "the sign of a weight follows from those of two other units",
    "parity of whole rows": "the signs of all weights of a unit multiply to one sign",
    "parity of whole columns": "the signs of all weights of an input multiply to one sign",
}


def shuffle_cause(statistic: str) -> Cause:
    """Say in words what it means that this statistic tops its shuffles; of ``permutation.STATISTICS`` or ``Places``.

    >>> shuffle_cause("energies of calls too equal").sentence
    'the weights of a layer have nearly one length in every call: they are normalised after they were drawn'

    Raises:
        KeyError: no statistic has that name.
    """
    if statistic in _OTHERS:
        return Cause(_OTHERS[statistic], _OWN)
    extreme, moved, to = statistic.partition(" in one ")
    if moved:
        return Cause(f"the {extreme} of a layer is put into one {to}", _OWN)
    field, _, rest = statistic.partition(" of ")
    of, _, way = rest.partition(" ")
    sentence, fix = _FIELDS[f"{field} {way}"]
    return Cause(sentence.format(of=_OF[of]), fix)
