"""From a failing claim to its likely cause and fix: words for what was proven, no verdict of its own."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.evidence.entries import structure_of
from initcheck.diagnosis.evidence.inference import best_law
from initcheck.diagnosis.evidence.marginal_law import Family, family_of
from initcheck.diagnosis.evidence.probe import Array, Draw, Probe, probe, repeated
from initcheck.diagnosis.family_causes import degenerate_cause, family_cause, mean_cause, orthogonal_cause
from initcheck.diagnosis.law_causes import exceptions_cause, law_cause
from initcheck.diagnosis.seed_behaviour import BEHAVIOURS, seed_behaviours
from initcheck.diagnosis.structure_causes import structure_cause
from initcheck.diagnosis.value_causes import cancelling_cause, grid_cause, largest_cause, not_finite_cause

__all__ = ["Cause", "Observed", "diagnose"]

_SEED_SHAPE = (16, 16)
_MATRICES = ("out_in", "in_out")
_MEAN_SHAPE, _MEAN_CALLS = (256, 256), 32
# A law that more than a third of the shapes contradict is not said to be the one in the code.
_MOST = 2 / 3


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is known of a failing initializer.

    Attributes:
        draw: ``draw(shape, seed)`` gives an array of that shape, or raises.
        contract: what it promises, inferred fields included.
        topic: what the claim that failed is about (``TOPICS``); None to name the first cause of any kind.
        layer: the smallest failing layer, where there is one: a convolution is then judged as one.
        behaviours: what was seen of its seeds and memory; keys of ``BEHAVIOURS``.
        seed: the seeds used are those that follow.
        seen: draws already made by ``probe``, to be read again.
    """

    draw: Draw
    contract: Contract = field(default_factory=Contract)
    topic: str | None = None
    layer: Layer | None = None
    behaviours: Collection[str] = ()
    seed: int = 0
    seen: Probe | None = None

    @property
    def layout(self) -> str:
        """The layout that the failing layer was judged in."""
        return self.layer.layout if self.layer is not None else self.contract.layout or "out_in"


def diagnose(evidence: Observed) -> Cause | None:
    """Name the likely cause of a failing claim, and its fix; None where nothing fits.

    Looks at the marginal law, structure, seeds, the mean, the law of the variance and its exceptions, in this
    order; of these only the first that can explain the claim is said. Draws about 230,000 weights.

    >>> def default(shape, seed):
    ...     return np.random.default_rng(seed).uniform(-1, 1, shape) / shape[1] ** 0.5
    >>> cause = diagnose(Observed(draw=default, contract=Contract(activation="linear", layout="out_in")))
    >>> print(cause.sentence)
    variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)
    >>> print(cause.fix)
    +-sqrt(3/fan_in) has unit output variance
    """
    with np.errstate(all="ignore"):
        for cause in _causes(evidence):
            if cause.explains(evidence.topic):
                return cause
    return None


def _causes(evidence: Observed) -> Iterator[Cause]:
    """Yield what can be said, in order; lazily, because the first that explains the claim ends the search."""
    contract, topic = evidence.contract, evidence.topic
    yield from (cause for name, cause in BEHAVIOURS.items() if name in evidence.behaviours)
    seen = evidence.seen or _look(evidence)
    yield from _if(_turned_cause(seen))
    family = family_of(seen.large(256))
    yield from _if(degenerate_cause(family, contract))
    if family.name in ("zero", "constant", "one-number"):
        return
    if family.name == "orthogonal":
        yield from _if(orthogonal_cause(contract))
    structure = structure_of(seen, evidence.layout)
    # Of what no entry may know of another an orthogonal matrix shows plenty; that it is the identity says more.
    if structure is not None and (family.name != "orthogonal" or structure.name == "diagonal"):
        yield from _if(structure_cause(structure, contract))
    if family.name == "orthogonal":
        yield from _if(_unsigned_cause(evidence))
    if topic in (None, "randomness", "memory", "globals"):
        yield from (BEHAVIOURS[name] for name in seed_behaviours(evidence.draw, evidence.seed))
    centering = topic == "centering"
    yield from _if(mean_cause(family, *(_mean(evidence) if centering else None) or seen.mean(), proven=centering))
    yield from _if(grid_cause(seen))
    yield from _if(largest_cause(seen))
    yield from _if(family_cause(family, contract))
    yield from _law_causes(evidence, seen, family)
    if topic == "promises":
        samples = seen.samples(evidence.layout, groups=contract.groups)
        yield from _if(not_finite_cause(evidence.draw, evidence.seed, samples, contract.fan or "fan_in"))
    if topic in ("scale", "depth"):
        yield from _if(cancelling_cause(evidence.draw, evidence.seed, evidence.layer, contract))


def _if(cause: Cause | None) -> tuple[Cause, ...]:
    return () if cause is None else (cause,)


def _look(evidence: Observed) -> Probe:
    layout = evidence.layout
    groups = evidence.contract.groups
    also = evidence.layer.shape if evidence.layer is not None else None
    if layout in _MATRICES:
        return probe(evidence.draw, seed=evidence.seed, ranks=(2,), also=also)
    return probe(
        evidence.draw,
        seed=evidence.seed,
        ranks=(len(layout), 2),
        depthwise=layout if groups == "depthwise" else None,
        grouped=(layout, groups) if isinstance(groups, int) and groups > 1 else None,
        also=also,
    )


def _mean(evidence: Observed) -> tuple[float, float] | None:
    """Mean over rms of two million weights, and its standard error between draws; None where it takes no matrix."""

    def of(weights: Array) -> float:
        rms = math.sqrt(float(np.mean(weights**2)))
        return float(weights.mean()) / rms if 0 < rms < math.inf else math.nan

    values = repeated(evidence.draw, _MEAN_SHAPE, evidence.seed, _MEAN_CALLS, of)
    if values is None or any(map(math.isnan, values)):
        return None
    return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(_MEAN_CALLS)


def _turned_cause(seen: Probe) -> Cause | None:
    rectangles = {asked: got for asked, got in seen.returned.items() if asked != asked[::-1]}
    if not rectangles or any(got != asked[::-1] for asked, got in rectangles.items()):
        return None
    return Cause(
        "the result has the axes the wrong way round",
        "return the shape that was asked for; the layout says which axis holds the units",
        frozenset({"promises"}),
    )


def _law_causes(evidence: Observed, seen: Probe, family: Family) -> Iterator[Cause]:
    contract, layout = evidence.contract, evidence.layout
    yield from _if(_scale_per_call(seen, family))
    law = best_law(seen, layout, family, groups=contract.groups)
    if law is None:
        return
    proven = evidence.topic in ("scale", "depth", "law")
    samples = seen.samples(layout, groups=contract.groups)
    wrong = None
    if law.denominator.name == (contract.fan or "fan_in") or law.agreeing >= _MOST * len(samples):
        wrong = law_cause(law, family, contract, proven=proven)
    yield from _if(wrong)
    if wrong is None:
        yield from _if(exceptions_cause(law, samples, contract.fan or "fan_in"))


def _scale_per_call(seen: Probe, family: Family) -> Cause | None:
    if family.name in ("no-variance", "outliers", "heavy-tail"):
        return None
    excess = []
    for arrays in seen.draws.values():
        if len(arrays) >= 4 and arrays[0].size >= 100:
            squares = [a * a for a in arrays]
            means = np.array([float(s.mean()) for s in squares])
            within = float(np.mean([np.std(s) for s in squares])) / math.sqrt(arrays[0].size)
            if means.mean() > 0:
                excess.append(float(np.std(means)) / max(within, 0.01 * float(means.mean())))
    if len(excess) < 3 or float(np.median(excess)) < 4:
        return None
    return Cause(
        "every call has a scale of its own: it is drawn, or taken from state, and shared by all weights",
        "let the scale depend on the shape alone",
        frozenset({"scale", "depth", "law"}),
    )


def _unsigned_cause(evidence: Observed) -> Cause | None:
    positive = repeated(evidence.draw, _SEED_SHAPE, evidence.seed, 24, lambda weights: weights[0, 0] > 0, step=1)
    if positive is None or len(set(positive)) > 1:
        return None
    return Cause(
        "a QR decomposition without the sign fix: the first entry always has the same sign",
        "multiply the columns of Q by the signs of R's diagonal",
        frozenset({"centering", "orthogonality"}),
    )
