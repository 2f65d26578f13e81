"""The layers that a law does not fit, and what they have in common: one width, one parity, a count that overflows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from initcheck.contract.layer import Layer
from initcheck.diagnosis.causes import Cause, Rule, first_cause
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.variance_law import LawSample, VarianceLaw

_TOPICS = "scale depth law promises"
_FEW = 64
# Weights from which on a result that is lost may have been counted in too few bits.
_LARGE = 16_384


def exceptions_cause(law: VarianceLaw, samples: Sequence[LawSample], fan: str) -> Cause | None:
    """Explain the layers that a law does not fit, by what they have in common."""
    ratios = {s.layer: s.mean_square / law.variance(s.layer) for s in samples if s.layer in law.exceptions}
    return first_cause(_RULES, _Exceptions(ratios, samples, fan)) if ratios else None


@dataclass(frozen=True)
class _Exceptions:
    """The layers that the law does not fit.

    Attributes:
        ratios: layer -> measured second moment over that of the law.
        samples: of all layers.
        fan: the promised fan, by which widths are told.
    """

    ratios: Mapping[Layer, float]
    samples: Sequence[LawSample]
    fan: str

    def width(self, layer: Layer) -> int:
        """The fan of a layer; the larger one where both are promised."""
        return {"fan_in": layer.fan_in, "fan_out": layer.fan_out}.get(self.fan, max(layer.fan_in, layer.fan_out))

    def are(self, kind: Callable[[Layer], bool], *, but_for: int = 0) -> bool:
        """Whether they are the layers of a kind, all of them and no others, ``but_for`` so many."""
        return sum(kind(s.layer) != (s.layer in self.ratios) for s in self.samples) <= but_for

    @property
    def nothing(self) -> bool:
        """Whether every weight of every one is zero."""
        return all(r == 0 for r in self.ratios.values())

    @property
    def finite(self) -> bool:
        """Whether each has finite weights."""
        return all(map(math.isfinite, self.ratios.values()))

    @property
    def broken(self) -> str:
        """What is wrong with them."""
        return "it is off" if self.finite else "it raises or is not finite"

    @property
    def first(self) -> int:
        """The smallest width."""
        return min(map(self.width, self.ratios))

    @functools.cached_property
    def most(self) -> int:
        """The most weights."""
        return max(a.weights for a in self.ratios)

    @functools.cached_property
    def least(self) -> int:
        """The fewest weights."""
        return min(a.weights for a in self.ratios)


def _held_in_8_bits(off: _Exceptions) -> Mapping[str, object] | None:
    below = max((w for s in off.samples if (w := off.width(s.layer)) < off.first), default=0)
    bits = next((b for b in (7, 8) if (below <= 128 if b == 7 else below < 256) and off.first >= 2**b), None)
    if bits is None or off.nothing or not off.are(lambda a: off.width(a) >= off.first):
        return None
    return {"from": 2**bits, "held": "8 bits, where 256 is 0" if bits == 8 else "a signed byte, where 128 is -128"}


def _width_1(off: _Exceptions) -> Mapping[str, object] | None:
    if not off.are(lambda a: off.width(a) == 1):
        return None
    how = "every weight is zero" if off.nothing else "the variance is off"
    return {"how": how if off.finite else "it raises or is not finite"}


def _single_weight(off: _Exceptions) -> Mapping[str, object] | None:
    singles = [r for a, r in off.ratios.items() if a.weights == 1]
    # What is normalised by its own draw is off at the next few weights too, where that draw is far from its mean.
    if not singles or off.most > _FEW or any(0 < r < math.inf for r in singles):
        return None
    return {"how": "not finite" if any(singles) else "zero"}


def _halved(off: _Exceptions) -> bool:
    halved = {a: (a.fan_in + a.fan_out) / 2 / ((a.fan_in + a.fan_out) // 2) for a in off.ratios}
    return off.fan == "fan_avg" and all(h > 1 and abs(off.ratios[a] / h - 1) < 0.1 for a, h in halved.items())


def _squares(off: _Exceptions) -> Mapping[str, object] | None:
    low, high = min(off.ratios.values()), max(off.ratios.values())
    if not (off.are(lambda a: a.fan_in == a.fan_out and a.weights > 1) and 0 < high < 1.5 * low and off.finite):
        return None
    largest = max(off.ratios, key=lambda a: a.weights)
    return {"share": number(off.ratios[largest], 0.03)}


def _small_tensors(off: _Exceptions) -> bool:
    return len(off.ratios) > 1 and off.most <= _FEW and off.are(lambda a: a.weights <= off.most)


def _odd_counts(off: _Exceptions) -> bool:
    odd = all(a.weights % 2 == 1 for a in off.ratios)
    return odd and off.are(lambda a: a.weights % 2 == 1, but_for=len(off.ratios))


def _odd_widths(off: _Exceptions) -> bool:
    # A layer of few weights may be off by a heavy tail's doing: their own standard error does not show it.
    measured = [s for s in off.samples if s.layer in off.ratios]
    sure = any(s.n >= 1000 or not math.isfinite(s.mean_square) for s in measured)
    widths = {off.width(a) for a in off.ratios}
    return sure and len(off.ratios) > 1 and widths != {1} and all(w % 2 == 1 for w in widths)


def _large_tensors(off: _Exceptions) -> Mapping[str, object] | None:
    lost = not any(map(math.isfinite, off.ratios.values()))
    if not (off.nothing or (lost and off.least >= _LARGE)) or not off.are(lambda a: a.weights >= off.least):
        return None
    overflow = "count the weights as an int: held in 16 bits that number overflows"
    return {
        "how": "every weight is zero" if off.nothing else "it raises or is not finite",
        "remedy": overflow if off.least >= _LARGE else "fill the whole tensor",
    }


_RULES: tuple[Rule[_Exceptions], ...] = (
    Rule(
        _held_in_8_bits,
        "from {fan} {from} on the variance is off, as if the fan were held in {held}",
        "compute the fan as an int",
        _TOPICS,
    ),
    Rule(_width_1, "{how} at {fan} 1: a division by zero, or a logarithm of 1", "use {fan} itself", _TOPICS),
    Rule(
        _single_weight,
        "a single weight is {how}: it is centred or normalised by its own draw",
        "scale by the fan, not by the weights drawn",
        _TOPICS,
    ),
    Rule(_halved, "the mean of both fans is rounded down by an integer division", "use /, not //", _TOPICS),
    Rule(
        _squares,
        "the variance is {share} of what it is elsewhere at square shapes alone",
        "treat squares as other shapes: (W + W^T)/2 halves the variance, an identity adds to it",
        _TOPICS,
    ),
    Rule(
        _small_tensors,
        "the variance is off at tensors of {most} weights or fewer: it hangs on how many are drawn at once",
        "scale by the fan, whatever the number of weights",
        _TOPICS,
    ),
    Rule(
        _odd_counts,
        "{broken} where the number of weights is odd: they are made in pairs",
        "draw one pair more and cut the result",
        _TOPICS,
    ),
    Rule(_odd_widths, "{broken} at odd {fan}: an integer division", "use /, not //", _TOPICS),
    Rule(_large_tensors, "{how} from {least:,} weights on", "{remedy}", f"{_TOPICS} symmetry"),
)
