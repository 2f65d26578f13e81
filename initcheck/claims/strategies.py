"""Hypothesis strategies for layers, activations and depths; public, for claims of your own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar

from hypothesis import strategies as st
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.strategies import DrawFn, SearchStrategy

from initcheck.claims.statement import Claim
from initcheck.claims.subject import Subject
from initcheck.contract.case import Case
from initcheck.contract.contract import ACTIVATIONS
from initcheck.contract.domain import make_layer
from initcheck.contract.layer import Layer
from initcheck.errors import closest

_WIDTHS = tuple(sorted({max(w, 1) for k in range(11) for w in (2**k - 1, 2**k, 2**k + 1)} | set(range(1, 11))))

Selection = Callable[[Subject, Claim], Sequence[Case]]
"""Which cases of a subject a claim is asked of."""


def _three_fans(subject: Subject, claim: Claim) -> Sequence[Case]:
    """The smallest, a middling and the largest fan_in: a cut at an absolute value shows where the weights are large.

    None where a subject cannot afford a thousand calls.
    """
    sized = [a for a in subject.domain.plan if 64 <= a.weights <= 1_100] if subject.positioned else []
    by_fan = sorted(sized, key=lambda case: (case.fan_in, case))
    return _ends(by_fan, by_fan[len(by_fan) // 2 :][:1])


def _two_matrices(subject: Subject, claim: Claim) -> Sequence[Case]:
    sized = [a for a in subject.domain.plan if min(a.units, a.inputs) >= 2 and a.weights <= 4_096]
    return _ends(sized)


def _medium_and_larger(subject: Subject, claim: Claim) -> Sequence[Case]:
    larger = [] if subject.dear_calls else [a for a in subject.domain.plan if a.weights > 1_100]
    return (*subject.medium, *larger)


def _ends(cases: Sequence[Case], between: Sequence[Case] = ()) -> tuple[Case, ...]:
    return tuple(dict.fromkeys((*cases[:1], *between, *cases[-1:])))


SELECTIONS: Mapping[str, tuple[Selection, str]] = {
    "plan": (lambda subject, claim: subject.plan_of(claim), "it was asked of no case"),
    "small": (
        lambda subject, claim: sorted(
            {*subject.plan_of(claim), *subject.domain.exact}, key=lambda case: (case.weights, case)
        ),
        "it was asked of no case",
    ),
    "square": (
        lambda subject, claim: [subject.domain.square] if subject.domain.square is not None else [],
        "asked of one square layer, as wide as the profile allows",
    ),
    "medium": (lambda subject, claim: subject.medium, "asked of a few layers of moderate size"),
    "medium and larger": (_medium_and_larger, "asked of layers of 64 weights and more"),
    "positioned": (lambda subject, claim: subject.positioned, "asked of layers that are cheap to draw by the thousand"),
    "called": (lambda subject, claim: subject.called, "it was asked of no case"),
    "probes": (lambda subject, claim: subject.probes, "asked of three layers, small, middling and large"),
    "smallest": (lambda subject, claim: subject.domain.plan[:1], "asked of three shapes together"),
    "largest": (lambda subject, claim: [subject.domain.largest], "asked of the largest layer"),
    "three fans": (_three_fans, "asked of three layers of 64 to 1,100 weights"),
    "two matrices": (_two_matrices, "asked of two layers of 4 to 4,096 weights"),
}
"""What ``layers(of=...)`` may name: which cases, and what is said where there are none."""

# The engine knows the subject; a property is written once, at import, long before there is one. So its strategy looks
# here when it draws, and outside a trial finds nothing.
_selected: ContextVar[Callable[[Layers], SearchStrategy[Case]] | None] = ContextVar("initcheck layers", default=None)


@contextlib.contextmanager
def selecting(cases: Callable[[Layers], SearchStrategy[Case]]) -> Iterator[None]:
    """Let every ``layers()`` draw what ``cases`` makes of it; the engine's, not the user's."""
    token = _selected.set(cases)
    try:
        yield
    finally:
        _selected.reset(token)


class Layers(SearchStrategy[Case]):
    """What ``layers()`` makes: a strategy that carries which cases it stands for.

    Attributes:
        of: a key of ``SELECTIONS``.
        elsewhere: what is drawn outside a trial.
    """

    def __init__(self, of: str, elsewhere: SearchStrategy[Layer]) -> None:
        super().__init__()
        self.of = of
        self.elsewhere = elsewhere

    def do_draw(self, data: ConjectureData) -> Case:
        """Draw from the subject's cases in a trial, dense layers elsewhere."""
        cases = _selected.get()
        return data.draw(self.elsewhere if cases is None else cases(self))

    def __repr__(self) -> str:
        return f"layers(of={self.of!r})"

    def among(self, subject: Subject, claim: Claim) -> Sequence[Case]:
        """The cases of a subject that are meant."""
        return SELECTIONS[self.of][0](subject, claim)

    @property
    def where_none(self) -> str:
        """Why a claim is not asked of a subject that has no such case."""
        return SELECTIONS[self.of][1]

    @property
    def shrinks(self) -> bool:
        """Whether smaller cases than those meant may be asked too: not where certain ones were picked."""
        return self.of in ("plan", "small", "called")


def layers(of: str = "plan", *, layout: str = "out_in", largest: int = 65_536) -> Layers:
    """Weight tensors: in a trial cases of its subject, elsewhere dense layers up to ``largest`` weights.

    Shrinks toward the smallest shape.

    >>> from hypothesis import find
    >>> find(layers(), lambda layer: layer.fan_in > 3).shape
    (1, 4)

    Args:
        of: which cases of the subject: ``plan``, the thirty or so that every run walks; ``small``, these and the many
            small ones that a claim decided by one call can afford; ``square``, one square layer as wide as the
            profile allows; ``medium``, a few of 64 to 1,200 weights; ``medium and larger``, these and
            whatever the plan has of more; ``positioned``, those of them that are cheap to
            draw by the thousand; ``called``, the plan, or two of it where each own call costs a compilation;
            ``probes``, a small, a middling and a large one; ``smallest``; ``largest``;
            ``three fans``, of small, middling and large fan_in; ``two matrices``, a small and a large one.
        layout: elsewhere, the meaning of the axes.
        largest: elsewhere, the most weights.

    Raises:
        ValueError: there is no such selection.
    """
    if of not in SELECTIONS:
        raise ValueError(f"layers(of={of!r}): there is no such selection; {closest(of, SELECTIONS)}")
    return Layers(of, _dense(layout, largest))


@st.composite
def _dense(draw: DrawFn, layout: str, largest: int) -> Layer:
    inputs = draw(st.sampled_from(_WIDTHS))
    units = draw(st.sampled_from([w for w in _WIDTHS if w * inputs <= largest]))
    return make_layer(layout, inputs, units, (1, 1, 1), 1)


@st.composite
def smaller_layers(
    draw: DrawFn,
    around: Layer,
    layouts: Sequence[str],
    smallest: int,
    *,
    every_width: bool = False,
    equal_kernels: bool = False,
) -> Layer:
    """Layers that are at most as large as one that failed, in every direction; that one itself every fourth time.

    Each size is an index into a sorted list whose upper half repeats the failing size: Hypothesis lowers indices,
    so it walks from the failing layer down to the smallest that still fails. The list holds the telling widths
    (powers of two and their neighbours); ``every_width`` takes all widths down to the next telling one instead.
    """
    layout = draw(st.sampled_from([layouts[0], *[around.layout] * 3]))

    def at_most(size: int, least: int = 1) -> int:
        below = [w for w in _WIDTHS if least <= w < size]
        if every_width and below:
            below = list(range(below[-1], size))
        width: int = draw(st.sampled_from([*below, *[size] * max(len(below), 1)]))
        return width

    inputs = at_most(around.channels, smallest)
    # A claim may be asked of squares only: two independent sizes would hardly ever give another square.
    square = around.channels == around.units and draw(st.sampled_from([False, True, True]))
    units = inputs if square else at_most(around.units // around.groups, smallest)
    kernel = tuple(at_most(n) for n in around.sides) if layout == around.layout else ()
    if equal_kernels:
        kernel = kernel[:1] * len(kernel)
    return make_layer(layout, inputs, units, (*_in_axis_order(around, kernel), 1, 1, 1)[:3], around.groups)


def _in_axis_order(layer: Layer, kernel: tuple[int, ...]) -> tuple[int, ...]:
    """Kernel sizes given in the order of the layer's axes, in the order h, w, d that ``make_layer`` takes."""
    by_axis = dict(zip([a for a in layer.axes if a not in "oi"], kernel, strict=False))
    return tuple(by_axis.get(a, 1) for a in "hwd") if by_axis else ()


def activations() -> SearchStrategy[str]:
    """Names of activations; shrinks toward ``linear``."""
    return st.sampled_from(ACTIVATIONS)


def depths(largest: int = 50) -> SearchStrategy[int]:
    """Numbers of layers, at least 2."""
    return st.integers(2, largest)
