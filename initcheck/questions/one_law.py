"""Whether one law of the variance fits every shape: fitted on a first sample, decided on fresh calls."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from initcheck.claims.trial import Stage, Trial
from initcheck.contract.layer import Layer
from initcheck.contract.second_moments import MeanSquare
from initcheck.diagnosis.evidence.denominators import DENOMINATORS, Denominator
from initcheck.diagnosis.evidence.variance_law import LawSample, exponents, fit_laws
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import Stream
from initcheck.statistics import Decision, Judgement

# What jumps from one width to the next, or divides by zero, is the very thing that the claim is to find.
_LAWS = tuple(d for d in DENOMINATORS if not any(jump in d.name for jump in ("//", " - 1", "rounded")))

_FIRST_LOOK = Stream("first look")
_FIRST_WEIGHTS = 2_048
_NAMED = 3  # of the laws that stand
# Two constants further apart than this are two constants; nearer ones are called one law.
_APART = 1.25
_BAND = (1 / _APART, _APART)


@dataclass(frozen=True)
class _OverLaw(MeanSquare):
    """E w^2 over the variance that a law gives.

    Attributes:
        variance: of the law, at this layer.
    """

    variance: float

    @property
    def ideal(self) -> float:
        """The variance."""
        return self.variance


@dataclass(frozen=True)
class _Fit:
    samples: dict[Layer, LawSample]
    denominator: Denominator
    constant: float
    words: str


def follows_one_law(trial: Trial, layer: Layer) -> None:
    """Ask whether the variance at this layer follows the law that fits the plan best.

    HOLDS: c(layer)/c lies in [0.8, 1.25], on calls that the fit never saw. FAILS: it does not, and every other law
    of the library is rejected as well, each by two shapes whose constants are shown to differ.

    Raises:
        CaseFailed: no law of the library fits.
    """
    fit = _fitted(trial, layer)
    variance = fit.constant / fit.denominator.of(layer) if fit.denominator.of(layer) > 0 else math.inf
    trial.asks(0 < variance < math.inf, f"the law {fit.words} divides by zero here")

    def words(judgement: Judgement) -> dict[str, object]:
        here = [layer.fan_in, _rounded(judgement.measured), *_BAND]
        fails = judgement.decision is Decision.FAILS
        return {
            "measured": f"Var w = {judgement.measured * variance:.3g} here; {fit.words} elsewhere",
            "allowed": f"{_BAND[0] * variance:.3g} to {_BAND[1] * variance:.3g}",
            "interval": None,
            "series": {"variance_by_width": [*_points(fit), here] if fails else [here]},
        }

    def some_law_stands() -> str | None:
        # One that stands leaves the claim open: of calls whose scales are far apart each costs all that is affordable.
        standing = list(itertools.islice((d.name for d in _LAWS if not _rejected(trial, d, layer)), _NAMED))
        return f"the laws not rejected are c/{', c/'.join(standing)}" if standing else None

    trial.keeps(_OverLaw(layer, trial.contract, variance), _BAND, words=words, unless=some_law_stands)


def _points(fit: _Fit) -> list[list[float]]:
    """The first sample of every shape over the law that fits best: where they part is seen."""
    law = {a: fit.constant / fit.denominator.of(a) for a in fit.samples if fit.denominator.of(a) > 0}
    return [[a.fan_in, _rounded(fit.samples[a].mean_square / v), *_BAND] for a, v in law.items() if v > 0]


def _rounded(ratio: float) -> float:
    return float(f"{ratio:.4g}")


def _fitted(trial: Trial, layer: Layer) -> _Fit:
    """The best law of the library on the first sample of the plan, once a trial for what one contract holds."""
    held_to = trial.subject.contract_of(layer)
    # A law is a function of the shape: what has none has no law.
    shapes = [case for case in trial.subject.domain.plan if isinstance(case, Layer)]
    # Asked of every layer of the sweep: the fields of a contract are compared where there are two alone.
    plan = [case for case in shapes if (its := trial.subject.contract_of(case)) is held_to or its == held_to]
    return trial.once(f"law of {[case.shape for case in plan[:1]]}", lambda: _fit(trial, plan))


def _fit(trial: Trial, plan: Sequence[Layer]) -> _Fit:
    samples = {}
    for layer in plan:
        sample = _sample(trial, layer)
        if sample is not None:
            samples[layer] = sample
    trial.asks(2 * len(samples) > len(plan), "hardly any shape gave a variance that is positive and finite")
    laws = fit_laws(list(samples.values()), _LAWS)
    trial.asks(bool(laws), "no shape gave a positive and finite variance")
    law = laws[0]
    power = exponents(list(samples.values()))
    trial.note(
        f"Var w = {law} fits {law.agreeing} of {len(samples)} shapes; measured exponents: fan_in^{power.fan_in:.2f}"
        f" fan_out^{power.fan_out:.2f}" + (f" receptive^{power.receptive:.2f}" if power.receptive else ""),
        topic="law",
    )
    return _Fit(samples, law.denominator, law.constant, str(law))


def _sample(trial: Trial, layer: Layer) -> LawSample | None:
    calls = max(8, math.ceil(_FIRST_WEIGHTS / layer.weights)) if layer.weights < _FIRST_WEIGHTS else 2
    try:
        record = trial.records(layer, _FIRST_LOOK, calls)
    except BrokenCall:
        return None
    values = record.energy / layer.weights
    mean = float(values.mean())
    if not 0 < mean < math.inf:
        return None
    error = float(values.std(ddof=1)) / mean / math.sqrt(calls)
    return LawSample(layer, mean, max(error, math.sqrt(2 / (calls * layer.weights)) / 2), calls * layer.weights)


def _rejected(trial: Trial, denominator: Denominator, layer: Layer) -> bool:
    """Whether two shapes are shown to have different constants under this law.

    With c the true constant of a true law, 'below t at one shape' and 'above t at another' are not both true; so
    both are shown with probability at most the level of one. The laws share calls; each pair of a law has a level of
    its own.
    """

    def decide() -> bool:
        fit = _fitted(trial, layer)
        known = {**fit.samples}
        if layer not in known:
            sample = _sample(trial, layer)
            if sample is not None:
                known[layer] = sample
        constants = {a: s.mean_square * denominator.of(a) for a, s in known.items() if denominator.of(a) > 0}
        if len(constants) < 2:
            return False
        return any(
            apart(low, high, math.sqrt(constants[low] * constants[high]))
            for low, high in _pairs_apart(constants, known)
            if constants[high] >= _APART * constants[low]
        )

    def apart(low: Layer, high: Layer, middle: float) -> bool:
        level = trial.ledger.next_confirmation()
        # The same calls for every law: which shapes they are held against was settled on the first sample.
        stage = Stage(Stream(f"reject at {layer.shape}"), level, trial.beta, 1, True)
        below = _OverLaw(low, trial.contract, middle / denominator.of(low))
        above = _OverLaw(high, trial.contract, middle / denominator.of(high))
        shown = [trial.judge_at(below, (1.0, math.inf), stage), trial.judge_at(above, (0.0, 1.0), stage)]
        return all(j.decision is Decision.FAILS for j in shown)

    return trial.once(f"rejected {denominator.name} {layer.shape}", decide)


def _pairs_apart(constants: dict[Layer, float], samples: dict[Layer, LawSample]) -> Iterable[tuple[Layer, Layer]]:
    """Pairs of layers whose constants may be shown to differ, the one of the smaller constant first in each.

    The pair that takes the fewest calls, then the one furthest apart: where layers are large, a budget of weights ends
    before a small difference of the cheapest pair is shown. Of two constants that lie log r apart some
    1/(weights * log(r)^2) calls tell which side of their middle each is on. Each constant is taken at the near end of
    its own error.
    """

    def lower(layer: Layer) -> float:
        return constants[layer] * (1 - 3 * min(samples[layer].relative_se, 0.3))

    def upper(layer: Layer) -> float:
        return constants[layer] * (1 + 3 * samples[layer].relative_se)

    def calls(pair: tuple[Layer, Layer]) -> float:
        low, high = pair
        return (1 / low.weights + 1 / high.weights) / math.log(lower(high) / upper(low)) ** 2

    apart = [
        (low, high)
        for low, high in itertools.permutations(constants, 2)
        if constants[high] >= _APART * constants[low] and lower(high) > upper(low)
    ]
    furthest = min(constants, key=upper), max(constants, key=lower)
    return dict.fromkeys([*([min(apart, key=calls)] if apart else []), furthest])
