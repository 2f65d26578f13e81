"""Whether what an initializer promises survives the dtypes of fewer bits that it is declared for."""

from __future__ import annotations

import math
from dataclasses import replace

from initcheck.claims.trial import CaseFailed, Stage, Trial
from initcheck.contract.case import Case
from initcheck.contract.second_moments import MeanSquare
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN
from initcheck.questions.centre import Mean, judge_mean
from initcheck.questions.ties import units_never_tie
from initcheck.statistics import Judgement

_BAND = (0.8, 1.25)
# A grid of 8 bits is centred to half a step: 0.002 of a bound. A sampler that rounds down is off by 0.012 and more.
_FAILS_BEYOND, _HOLDS_WITHIN = 5e-3, 1e-2
# A mean of zero is shown to lie within 0.01 standard deviations by so many weights.
_FIRST_WEIGHTS = 786_432
# From here on no grid of values makes two units tie by accident (see ``ties``).
_NO_ACCIDENT = 64


def survives_in(trial: Trial, layer: Case, dtype: str) -> None:
    """Ask of this layer in another dtype: are there finite weights, of the same variance, with distinct units.

    Raises:
        CaseFailed: there are not.
    """
    view = trial.in_dtype(dtype)
    try:
        view.records(layer, SCREEN, view.usual_calls(layer))
    except BrokenCall as broken:
        view.fail(layer, measured=broken.message, allowed=f"finite weights in {dtype}", detail=broken.detail, calls=1)
    contract = trial.subject.contract_of(layer)
    fixed = contract.std is not None
    try:
        if fixed or contract.fan == "fan_in" or layer.stride == 1:
            statistic = MeanSquare(layer, contract) if fixed else trial.subject.output_second_moment(layer)
            view.keeps(statistic, within=_BAND)
    except CaseFailed as failure:
        kind = "mean square over std^2" if fixed else "second moment of the output over its ideal"
        raise CaseFailed(replace(failure.evidence, measured=f"{kind} {failure.evidence.measured}")) from None
    if layer.units >= 2 and layer.fan_in >= _NO_ACCIDENT:
        units_never_tie(view, layer, briefly=True)
    if layer == trial.subject.probes[-1]:
        _is_centred(view, layer)


def _is_centred(view: Trial, layer: Case) -> None:
    calls = math.ceil(_FIRST_WEIGHTS / layer.weights)
    # A mean of 0.013 deviations, as seven bits have, takes some two hundred calls of a large layer to confirm.
    asked = Mean(_FAILS_BEYOND, _HOLDS_WITHIN, calls, 8 * calls, (2 * calls, 32 * calls))

    def test(stage: Stage) -> Judgement:
        return judge_mean(view, layer, stage, asked)[0]

    judgement, _ = view.decide(layer, test, rounds=2)
    view.settle(
        layer,
        judgement,
        judgement.groups,
        measured=f"mean {judgement.measured:.3g} standard deviations",
        allowed=f"0 (+-{_FAILS_BEYOND:g} counts as zero)",
        value=judgement.measured,
        band=(-_HOLDS_WITHIN, _HOLDS_WITHIN),
    )
    view.note(f"in {view.dtype} a mean beyond {_HOLDS_WITHIN:g} standard deviations is excluded", topic=view.dtype)
