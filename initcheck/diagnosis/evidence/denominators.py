"""What a variance may be divided by: the fans that somebody may promise, and the mistakes that are made with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from initcheck.contract.layer import Layer

_FIX = "divide by {wanted}: {write}"
# A uniform is worded by its bound.
_UNIFORM = "+-{bound_wanted} has unit output variance"


@dataclass(frozen=True)
class Mistake:
    """What it means that a variance is divided by something that was not promised.

    The sentences are filled by the facts of the case (``initcheck.diagnosis.observed``): ``{law}`` is the variance as
    measured, ``{wanted}`` the promised fan, ``{write}`` what to write instead.

    Attributes:
        sentence: the likely cause.
        fix: what to write instead.
        promised: the one fan of the contract for which it is said; every other fan where None.
        family: the one family of weights for which it is said; every family where None.
        topics: what it explains beside the scale.
    """

    sentence: str
    fix: str = _FIX
    promised: str | None = None
    family: str | None = None
    topics: str = ""


@dataclass(frozen=True)
class Denominator:
    """What a variance is divided by, as a function of the layer.

    Attributes:
        name: as it is written in a formula: ``fan_in``, ``fan_in^2``, ``channels``.
        of: its value at a layer; 0 where the law divides by zero.
        mistakes: what it means where another fan was promised, the particular first.
        is_plain: a fan somebody may promise, or no fan at all; the others are mistakes.
        fan: the fan of a contract that it keeps; empty where it keeps none.
    """

    name: str
    of: Callable[[Layer], float]
    mistakes: tuple[Mistake, ...] = ()
    is_plain: bool = False
    fan: str = ""

    def __str__(self) -> str:
        return self.name

    def mistake(self, promised: str, family: str) -> Mistake | None:
        """What is said of it where that fan was promised, and the weights are of that family.

        >>> denominator_named("fan_out").mistake("fan_in", "normal").sentence
        '{law}: the fans are swapped; {fan} was promised'
        """
        fitting = (m for m in self.mistakes if m.promised in (None, promised) and m.family in (None, family))
        return next(fitting, None)


def _fan_avg(layer: Layer) -> float:
    return (layer.fan_in + layer.fan_out) / 2


def _kernel_minus_one(layer: Layer) -> float:
    return float(layer.channels * math.prod(side - 1 for side in layer.sides))


def _square_kernel(side: int) -> Callable[[Layer], float]:
    """Channels times the square of one side of the kernel: the first, or the last."""

    def of(layer: Layer) -> float:
        return float(layer.channels * (layer.sides[side] if layer.sides else 1) ** 2)

    return of


def _but_for_side(side: int) -> Callable[[Layer], float]:
    """The fan without one side of the kernel: the first, or the last."""

    def of(layer: Layer) -> float:
        return layer.fan_in / (layer.sides[side] if layer.sides else 1)

    return of


def _sides_added(layer: Layer) -> float:
    return float(layer.channels * (sum(layer.sides) or 1))


def _no_brackets(power: float, first: Callable[[Layer], float], second: Callable[[Layer], float]) -> Denominator:
    """What ``power / first + second`` gives where ``power / (first + second)`` was meant."""
    names = ("fan_in", "fan_out") if first is _fan_in else ("fan_out", "fan_in")
    text = f"{power}/{names[0]} + {names[1]}"
    words = f"variance grows with {names[1]}, as if {text} were written: a pair of brackets is missing"
    fix = f"write {power}/({names[0]} + {names[1]})"
    uniform = Mistake(words, f"{fix}: +-{{bound_wanted}}", family="uniform")
    return Denominator(
        f"{text} without brackets", lambda a: 1 / (power / first(a) + second(a)), (uniform, Mistake(words, fix))
    )


def _fan_in(layer: Layer) -> float:
    return float(layer.fan_in)


def _fan_out(layer: Layer) -> float:
    return float(layer.fan_out)


# A fan read from another layout's axes: channels first is (out, in, ...), channels last (..., in, out).
def _first_in(layer: Layer) -> float:
    return float(math.prod(layer.shape[1:]))


def _first_out(layer: Layer) -> float:
    return float(layer.shape[0] * math.prod(layer.shape[2:]))


def _last_in(layer: Layer) -> float:
    return float(math.prod(layer.shape[:-1]))


def _last_out(layer: Layer) -> float:
    return float(math.prod(layer.shape[:-2]) * layer.shape[-1])


def _fan_alone(fan: str, other: str) -> tuple[Mistake, ...]:
    swapped = Mistake(
        "{law}: the fans are swapped; {fan} was promised",
        "divide by the other axis: {write}",
        promised=other,
    )
    return swapped, Mistake(f"{{law}}: scaled by {fan} alone; {{wanted}} was promised")


_INSTEAD = "the fan itself: {write}"
_ROOT_MISSING = "the square root is missing"
_NO_POSITIONS = "the kernel's positions are not counted in the"
_OR_STACK = f"{_FIX}; or, if an axis numbers matrices of their own (experts, heads), declare it, as stack=0"


def _squared(base: str) -> tuple[Mistake, ...]:
    uniform = Mistake(f"a uniform on +-{{bound}}/{base}: {_ROOT_MISSING}", _UNIFORM, family="uniform")
    return uniform, Mistake(f"variance is ({{std}}/{base})^2: {_ROOT_MISSING}", "{write}")


def _multiplied(fan: str) -> tuple[Mistake, ...]:
    return (Mistake(f"variance grows with {fan}: it is multiplied where it should be divided", "{write}"),)


def _less_one(fan: str) -> tuple[Mistake, ...]:
    words = f"{{law}}: infinite at {fan} 1, 1.5 times too large at 3"
    return (Mistake(words, _INSTEAD, topics="promises"),)


_CENTRED = (
    Mistake(
        "the mean of every unit's weights is taken off: nothing is left of one input, half of the variance of two",
        "draw every weight on its own and leave the mean where it is: std = {std_wanted}",
        topics="promises",
    ),
)


def _plus_one(fan: str) -> tuple[Mistake, ...]:
    return _says(f"half of what is needed at {fan} 1", _INSTEAD)


def _other_layout(order: str) -> tuple[Mistake, ...]:
    words = f"the fan is read from another layout's axes, {order}"
    return (Mistake(words, "pass the layout: the fan of {layout_promised} is {wanted}"),)


def _says(words: str, fix: str = _FIX) -> tuple[Mistake, ...]:
    return (Mistake(f"{{law}}: {words}", fix),)


_FIRST, _LAST = _other_layout("(out, in)-first"), _other_layout("(in, out)-last")
_LEFT_OUT = (
    Mistake("a uniform on +-{bound} at every width: the fan is left out", _UNIFORM, family="uniform"),
    Mistake(
        "the std is {std} at every width",
        "divide by sqrt({wanted}): std = {std_wanted}; or declare std={std} if it is meant, as of an embedding",
    ),
)
_GLOROT = _says("scaled by the mean of both fans, as Glorot; {fan} was promised")
_LARGER_SIDE = (
    Mistake(
        "{law}: an orthogonal matrix is scaled by the larger side",
        "declare distribution='orthogonal' if that is meant, or draw {normal}",
        family="orthogonal",
    ),
    *_says("scaled by the larger side"),
)


def _orthogonal_scaled(fan: str) -> tuple[Mistake, ...]:
    words = f"{{law}}: an orthogonal matrix is divided by the root of {fan} once more, and has unit lengths already"
    orthogonal = Mistake(words, "multiply the orthogonal matrix by the gain alone", family="orthogonal")
    return orthogonal, *_says(f"scaled by {fan} times the larger side")


_ROOTED = _says("the square root is taken twice", "one square root: {write}")
_POWER_OF_2 = _says("the fan is a power of 2", _INSTEAD)
_DEPTHWISE = _says(
    "the fan counts all channels, and a depthwise unit sees one",
    "fan_in is the kernel's positions, kh*kw: std = {std_wanted}",
)
_FLOORED = (
    Mistake("the fan is halved by integer division: odd fans lose one, and 1 becomes 0", "use /, not //: {write}"),
)
_WHOLE_ROOT = (Mistake("the square root of fan_in is rounded down to a whole number", "keep its fraction: {write}"),)

_PLAIN = (
    Denominator("fan_in", lambda a: a.fan_in, _fan_alone("fan_in", "fan_out"), True, "fan_in"),
    Denominator("fan_out", lambda a: a.fan_out, _fan_alone("fan_out", "fan_in"), True, "fan_out"),
    Denominator("fan_avg", _fan_avg, _GLOROT, True, "fan_avg"),
    Denominator("fan_max", lambda a: max(a.fan_in, a.fan_out), _LARGER_SIDE, True, "fan_max"),
    # As an orthogonal convolution is scaled.
    Denominator("max(units, fan_in)", lambda a: max(a.units, a.fan_in), _LARGER_SIDE, True, "fan_max"),
    Denominator("1", lambda a: 1.0, _LEFT_OUT, True),
    Denominator("fan_min", lambda a: min(a.fan_in, a.fan_out), _says("scaled by the smaller side"), True),
)

_POWERS = (
    Denominator("fan_in^2", lambda a: float(a.fan_in) ** 2, _squared("fan_in")),
    Denominator("fan_out^2", lambda a: float(a.fan_out) ** 2, _squared("fan_out")),
    Denominator("fan_avg^2", lambda a: _fan_avg(a) ** 2, _squared("fan_avg")),
    Denominator("sqrt(fan_in)", lambda a: math.sqrt(a.fan_in), _ROOTED),
    Denominator("sqrt(fan_out)", lambda a: math.sqrt(a.fan_out), _ROOTED),
    Denominator("sqrt(fan_avg)", lambda a: math.sqrt(_fan_avg(a)), _ROOTED),
    Denominator("fan_in*fan_out", lambda a: float(a.fan_in) * a.fan_out, _says("scaled by the number of weights")),
    Denominator(
        "sqrt(fan_in*fan_out)",
        lambda a: math.sqrt(float(a.fan_in) * a.fan_out),
        _says("scaled by the geometric mean of the fans"),
    ),
    Denominator("(fan_in*fan_out)^2", lambda a: (float(a.fan_in) * a.fan_out) ** 2, _squared("(fan_in*fan_out)")),
    Denominator("1/fan_in", lambda a: 1.0 / a.fan_in if a.fan_in else math.inf, _multiplied("fan_in")),
    Denominator("1/fan_out", lambda a: 1.0 / a.fan_out if a.fan_out else math.inf, _multiplied("fan_out")),
    Denominator("channels", lambda a: a.channels, _says(f"{_NO_POSITIONS} fan", _OR_STACK)),
    Denominator("units", lambda a: a.units, _says("the fan counts output channels alone")),
    Denominator(
        "receptive",
        lambda a: a.receptive,
        _says("the fan counts the kernel's positions alone, not the channels", _OR_STACK),
    ),
    Denominator("units*receptive", lambda a: float(a.units * a.receptive), _DEPTHWISE),
    Denominator("weights", lambda a: float(a.weights), _says("scaled by the number of weights")),
    Denominator("sqrt(weights)", lambda a: math.sqrt(a.weights), _says("scaled by the root of the number of weights")),
)

_OFF = (
    Denominator("fan_in - 1", lambda a: a.fan_in - 1.0, _less_one("fan_in")),
    Denominator("fan_out - 1", lambda a: a.fan_out - 1.0, _less_one("fan_out")),
    Denominator("fan_in + 1", lambda a: a.fan_in + 1.0, _plus_one("fan_in")),
    Denominator("fan_out + 1", lambda a: a.fan_out + 1.0, _plus_one("fan_out")),
    Denominator(
        "fan_in^2/(fan_in - 1)", lambda a: a.fan_in**2 / (a.fan_in - 1) if a.fan_in > 1 else math.inf, _CENTRED
    ),
    Denominator("2*(fan_in//2)", lambda a: 2.0 * (a.fan_in // 2), _FLOORED),
    Denominator("2*(fan_out//2)", lambda a: 2.0 * (a.fan_out // 2), _FLOORED),
    Denominator(
        "fan_in rounded up to 8",
        lambda a: 8.0 * math.ceil(a.fan_in / 8),
        _says("the fan is rounded up to a multiple of 8, as a padded buffer is"),
    ),
    Denominator("sqrt(fan_in) rounded down, squared", lambda a: float(math.isqrt(a.fan_in)) ** 2, _WHOLE_ROOT),
    Denominator("fan_in rounded down to a power of 2", lambda a: 2.0 ** (a.fan_in.bit_length() - 1), _POWER_OF_2),
    Denominator("fan_in rounded up to a power of 2", lambda a: 2.0 ** (a.fan_in - 1).bit_length(), _POWER_OF_2),
    Denominator(
        "max(fan_in - 1, 1)", lambda a: max(a.fan_in - 1.0, 1.0), _says("1.5 times too large at fan_in 3", _INSTEAD)
    ),
    *(_no_brackets(power, *fans) for power in (6, 2) for fans in ((_fan_in, _fan_out), (_fan_out, _fan_in))),
    *(
        Denominator(f"{fan}*fan_max", lambda a, of=of: of(a) * max(a.fan_in, a.fan_out), _orthogonal_scaled(fan))  # type: ignore[misc]
        for fan, of in (("fan_in", _fan_in), ("fan_out", _fan_out), ("fan_avg", _fan_avg))
    ),
    Denominator(
        "channels*(sum of the sides)",
        _sides_added,
        _says("the kernel's sides are added where they are to be multiplied"),
    ),
    Denominator(
        "sum of all axes", lambda a: float(sum(a.shape)), _says("the axes of the shape are added to make a fan")
    ),
    Denominator("fan_in*(kernel - 1)", _kernel_minus_one, _says("the kernel's sides are counted one too small")),
    Denominator("fan_in/first side", _but_for_side(0), _says("the kernel's first side is not counted in the fan")),
    Denominator("fan_in/last side", _but_for_side(-1), _says("the kernel's last side is not counted in the fan")),
    Denominator(
        "channels*first side squared",
        _square_kernel(0),
        _says("the kernel is taken for a square of its first side"),
    ),
    Denominator(
        "channels*last side squared",
        _square_kernel(-1),
        _says("the kernel is taken for a square of its last side"),
    ),
    Denominator("(1 + units)*receptive/2", lambda a: (1 + a.units) * a.receptive / 2, _DEPTHWISE),
    Denominator("(channels + units)/2", lambda a: (a.channels + a.units) / 2, _says(f"{_NO_POSITIONS} fans")),
    Denominator("fan_in read channels-last", _last_in, _LAST),
    Denominator("fan_in read channels-first", _first_in, _FIRST),
    Denominator("fan_out read channels-last", _last_out, _LAST),
    Denominator("fan_out read channels-first", _first_out, _FIRST),
    Denominator("fan_avg read channels-last", lambda a: (_last_in(a) + _last_out(a)) / 2, _LAST),
    Denominator("fan_avg read channels-first", lambda a: (_first_in(a) + _first_out(a)) / 2, _FIRST),
    Denominator("first axis", lambda a: a.shape[0], _says("the fan is the first axis alone")),
    Denominator("second axis", lambda a: a.shape[1], _says("the fan is the second axis alone")),
    Denominator("last axis", lambda a: a.shape[-1], _says("the fan is the last axis alone")),
    Denominator("last axis but one", lambda a: a.shape[-2], _says("the fan is the last axis but one alone")),
)

POWER_LAWS: tuple[Denominator, ...] = _PLAIN + _POWERS
"""One smooth law for every shape, right or wrong; the rest of the library fails at some shapes."""

DENOMINATORS: tuple[Denominator, ...] = POWER_LAWS + _OFF
"""The library, in order of preference: where two coincide at every shape sampled, the earlier is named."""


def denominator_named(name: str) -> Denominator:
    """Look a denominator up by its name.

    >>> denominator_named("fan_avg").of(Layer((2, 6)))
    4.0

    Raises:
        KeyError: no denominator of the library has this name.
    """
    for candidate in DENOMINATORS:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no denominator is named {name!r}; valid: {', '.join(d.name for d in DENOMINATORS)}")
