"""The law a tensor was drawn from, read off the last chain of writes that covers it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from initcheck.models.builds.trace import Draw, Site, Step

__all__ = ["UNTRACED", "Law", "last_chain", "law_of"]

_NORMAL = frozenset({"normal", "randn", "randn_like"})
_UNIFORM = frozenset({"uniform", "rand", "rand_like"})
_CONSTANT = {
    "zero": 0.0, "zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0, "ones_like": 1.0, "new_ones": 1.0,
}  # fmt: skip
_FILL = frozenset({"fill", "full", "full_like", "new_full"})
_SAME = frozenset({
    "copy", "clone", "detach", "_to_copy", "contiguous", "alias", "_unsafe_view", "_reshape_copy", "view_copy",
})  # fmt: skip
_ORIGIN = frozenset({
    "lift_fresh", "eye", "arange", "linspace", "bernoulli", "random", "randint", "randperm", "exponential",
    "cauchy", "log_normal", "geometric", "multinomial", "poisson",
})  # fmt: skip


@dataclass(frozen=True)
class Law:
    """The law of every entry of a tensor, as its draw names it.

    Attributes:
        family: ``normal``, ``uniform``, ``truncated_normal``, ``constant``, ``derived`` (a random tensor computed
            from draws, such as a QR), ``fixed`` (computed without a draw) or ``untraced`` (no operation was seen).
        mean, std: of one entry; None where they are not named by the arguments.
        low, high: the ends of its support.
        text: the law in words.
        site: file and line that drew it, or wrote it last.
    """

    family: str
    mean: float | None = None
    std: float | None = None
    low: float = -math.inf
    high: float = math.inf
    text: str = ""
    site: Site | None = None

    @property
    def signature(self) -> tuple[object, ...]:
        """What two tensors of one law have in common; numbers to six digits."""
        numbers = (self.mean, self.std, self.low, self.high)
        return (self.family, *(None if v is None else float(f"{v:.6g}") for v in numbers), self._operations)

    @property
    def _operations(self) -> str:
        return self.text if self.family == "derived" else ""

    @property
    def named(self) -> bool:
        """Whether the arguments name a standard deviation above 0."""
        return self.std is not None and self.std > 0.0


UNTRACED = Law("untraced", text="no operation of torch wrote it")


def last_chain(steps: Iterable[Step], start: int, stop: int) -> tuple[list[Step], list[Step]]:
    """The steps from the last one that wrote all of [start, stop) anew, and the partial writes after it."""
    chain: list[Step] = []
    partial: list[Step] = []
    for step in steps:
        if not (step.dense and step.start <= start and step.stop >= stop):
            partial.append(step)
            continue
        if _writes_anew(step):
            chain, partial = [], []
        chain.append(step)
    return chain, partial


def law_of(chain: Iterable[Step]) -> Law:
    """The law after a chain of whole-tensor steps.

    >>> from initcheck.models.builds.trace import Step
    >>> normal = Step("normal_", (("mean", 0.0), ("std", 0.02)), 0, 6, True, None)
    >>> half = Step("mul_", (("other", 0.5),), 0, 6, True, None)
    >>> law_of([normal, half]).text
    'normal std 0.01'
    >>> law_of([]).family
    'untraced'
    """
    law: Law | None = None
    draws: tuple[Draw, ...] = ()
    names: list[str] = []
    for step in chain:
        draws += step.draws
        names.append(step.op.rstrip("_"))
        law = _after(law, step)
        law = replace(law, site=step.site or law.site)
    if law is None:
        return UNTRACED
    if law.family == "derived":
        family = "derived" if draws else "fixed"
        shown = [n for n in names if n not in _SAME]
        return replace(law, family=family, text=_derived_text(chain, shown))
    return replace(law, text=_text(law))


def _writes_anew(step: Step) -> bool:
    name = step.op.rstrip("_")
    return name in _NORMAL or name in _UNIFORM or name in _CONSTANT or name in _FILL or name in _ORIGIN


def _after(law: Law | None, step: Step) -> Law:
    name, given = step.op.rstrip("_"), dict(step.arguments)
    if name in _NORMAL:
        if "tensor" in (given.get("mean"), given.get("std")):
            return Law("derived")
        return Law("normal", float(given.get("mean", 0.0)), abs(float(given.get("std", 1.0))))
    if name in _UNIFORM:
        return _uniform(float(given.get("from", 0.0)), float(given.get("to", 1.0)))
    if name in _CONSTANT:
        return _constant(_CONSTANT[name])
    if name in _FILL:
        value = given.get("value", given.get("fill_value", "tensor"))
        return Law("derived") if value == "tensor" else _constant(float(value))
    if name == "lift_fresh":
        return UNTRACED
    if law is None or name in _ORIGIN or law.family == "derived":
        return Law("derived")
    if name in _SAME or law.family == "untraced":
        return law
    if name in ("mul", "div", "add", "sub", "neg"):
        return _affine(law, name, given)
    if name == "erfinv" and law.family == "uniform" and law.low == -law.high:
        return _truncated(0.0, math.sqrt(0.5), _erfinv(law.high))
    if name == "clamp":
        return _clamped(law, given)
    return Law("derived")


def _uniform(low: float, high: float) -> Law:
    return Law("uniform", (low + high) / 2, abs(high - low) / math.sqrt(12.0), min(low, high), max(low, high))


def _constant(value: float) -> Law:
    return Law("constant", value, 0.0, value, value)


def _truncated(mean: float, sigma: float, bound: float) -> Law:
    """A normal of standard deviation sigma cut at +-bound around its mean."""
    c = bound / sigma
    inside = math.erf(c / math.sqrt(2.0))
    density = math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    spread = 1.0 - (2 * c * density / inside if math.isfinite(c) and inside else 0.0)
    return Law("truncated_normal", mean, sigma * math.sqrt(max(spread, 0.0)), mean - bound, mean + bound)


def _affine(law: Law, name: str, given: dict[str, object]) -> Law:
    value = given.get("other", "tensor")
    if name == "neg":
        factor, shift = -1.0, 0.0
    elif value == "tensor" or not isinstance(value, (int, float)) or (name == "div" and value == 0):
        return Law("derived")
    elif name in ("mul", "div"):
        factor, shift = (float(value) if name == "mul" else 1.0 / float(value)), 0.0
    else:
        alpha = given.get("alpha", 1)
        scaled = float(value) * (float(alpha) if isinstance(alpha, (int, float)) else 1.0)
        factor, shift = 1.0, (scaled if name == "add" else -scaled)
    ends = sorted((law.low * factor + shift, law.high * factor + shift)) if factor else (shift, shift)
    mean = None if law.mean is None else law.mean * factor + shift
    std = None if law.std is None else law.std * abs(factor)
    return Law(law.family if factor else "constant", mean, std, ends[0], ends[1])


def _clamped(law: Law, given: dict[str, object]) -> Law:
    low, high = given.get("min"), given.get("max")
    floor = float(low) if isinstance(low, (int, float)) else -math.inf
    ceiling = float(high) if isinstance(high, (int, float)) else math.inf
    cut = replace(law, low=max(law.low, floor), high=min(law.high, ceiling))
    std, mean = law.std or 0.0, law.mean or 0.0
    # Beyond four standard deviations a clamp moves nothing that anybody could measure.
    if law.family == "constant" or min(mean - cut.low, cut.high - mean) > 0.99 * min(
        4 * std, mean - law.low, law.high - mean
    ):
        return cut
    return Law("derived")


def _erfinv(y: float) -> float:
    if not -1.0 < y < 1.0:
        return math.inf
    low, high = 0.0, 6.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < abs(y) else (low, middle)
    return low


def _text(law: Law) -> str:
    if law.family == "constant":
        return f"constant {law.mean:.4g}"
    if law.family == "untraced":
        return law.text
    centre = f" mean {law.mean:.4g}" if law.mean and abs(law.mean) > 1e-12 * (law.std or 0.0) else ""
    if law.family == "uniform" and not centre:
        return f"uniform +-{law.high:.4g}"
    return f"{law.family}{centre} std {law.std:.4g}"


def _derived_text(chain: Iterable[Step], names: list[str]) -> str:
    factors = [v for s in chain for _, v in s.arguments if s.op in ("mul_", "div_", "mul", "div") and v != "tensor"]
    shown = " ".join(names[-5:])
    return f"by {shown}" + (f" {factors[-1]:.4g}" if factors else "")
