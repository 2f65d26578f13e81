"""What is too rare to be drawn, and calls too different for as many as there are: why a second moment stays open."""

from __future__ import annotations

import contextlib
import math

import numpy as np

from initcheck.claims.trial import Trial
from initcheck.contract.case import Case
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN
from initcheck.draws.tail import spread_of_calls
from initcheck.statistics import Judgement, second_moment_shown
from initcheck.statistics.sign_eprocess import CLAUSE

BETS_SHARE = 1 / 6
"""Share of beta for a HOLDS by bets at the first look at a mean."""
# A look at the tail of one layer.
_TAIL_WEIGHTS, _TAIL_CALLS = 2**18, 2**15


def only_zeros_in_sight(trial: Trial, layer: Case) -> bool:
    """Whether a first look saw nothing but zeros, and as many as the budget pays for would show nothing either."""
    if trial.records(layer, SCREEN, trial.usual_calls(layer)).energy.any() or not trial.subject.probes:
        return False
    often = trial.once("how often a weight is not zero", lambda: _often_not_zero(trial))
    # No FAILS asks for less evidence than a HOLDS.
    return often * trial.subject.profile.weights < -math.log(trial.beta)


def rarely_not_zero(trial: Trial, layer: Case, judgement: Judgement, calls: int) -> str | None:
    """Why a second moment of exactly zero shows nothing, where weights that are not zero are rare elsewhere too.

    Weights of which one in 10^7 is not zero may have any second moment, and a million of them show none. None
    where as many weights here would have shown some, were they not zero as often as at any of three other layers.
    """
    if judgement.measured != 0:
        return None
    often = trial.once("how often a weight is not zero", lambda: _often_not_zero(trial))
    drawn = calls * layer.weights
    if often * drawn >= -math.log(judgement.error_spent):
        return None
    return zeros_say_nothing(trial, layer, drawn)


def tail_may_carry(trial: Trial, layer: Case, judgement: Judgement, lo: float) -> str | None:
    """Why a second moment below its band shows nothing, where the tail of the weights has hardly one.

    Of a tail x^-a of the weights, a = 2.1, half of the second moment lies beyond 10^3 times the usual weight: no
    number of draws shows it, and that nothing huge carries it is just what a bet from below assumes. None where
    the tail of all weights, or of this layer's, shows a second moment, and of what is too large.
    """
    if judgement.measured >= lo or trial.subject.second_moment_exists:
        return None
    calls = max(1, min(_TAIL_WEIGHTS // layer.weights, _TAIL_CALLS))
    if second_moment_shown(trial.draws.sample(layer, trial.dtype, SCREEN, calls)):
        return None
    return "the tail of the weights is too heavy: what carries the second moment may be too rare to be seen"


def why_nothing_can_hold(trial: Trial, within: tuple[float, float]) -> str | None:
    """Why the case of the most weights will stay open, where its calls differ too much for as many as it gets.

    Bets on N calls of relative deviation s are expected to reach N e^2/(2 s^2), in units of ln E, at a distance e
    from the edge; signs need calls of which most lie inside. As ``_out_of_reach`` has it, before the first case.

    Args:
        trial: of the claim.
        within: the band in which it HOLDS, around 1; of another one nothing is said.
    """
    edge = min(1 - within[0], within[1] - 1)
    if edge <= 0 or not trial.subject.domain.plan:
        return None
    case = trial.subject.domain.largest
    calls = trial.subject.profile.weights // case.weights
    spread, inside = spread_of_calls(trial.draws, case, trial.dtype, trial.usual_calls(case), edge)
    if inside > CLAUSE or calls * edge**2 >= -2 * spread**2 * math.log(trial.beta * BETS_SHARE):
        return None
    return (
        f"the energies of calls differ by {spread:.0%} at {case.described(trial.dtype)}: no {calls:,} of them, which"
        " the budget pays for, show a second moment"
    )


def zeros_say_nothing(trial: Trial, layer: Case, drawn: int) -> str:
    """The reason that is given where all that was drawn of a case is zero."""
    return (
        f"every one of {drawn:,} weights is zero at {layer.described(trial.dtype)}, and hardly any is not elsewhere:"
        " what carries the second moment may be too rare to be seen"
    )


def _often_not_zero(trial: Trial) -> float:
    shares = [0.0]
    for layer in trial.subject.probes:
        with contextlib.suppress(BrokenCall):
            weights = trial.draws.sample(layer, trial.dtype, SCREEN, trial.usual_calls(layer))
            shares.append(np.count_nonzero(weights) / weights.size)
    return max(shares)
