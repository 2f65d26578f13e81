"""What one living model does with one batch, as numbers: signal and gradient by block, first loss, what arrives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

FEWEST_BLOCKS = 4
"""A chain shorter than this has no second half over which anything could grow."""

HEAD = re.compile(
    r"(^|\.)(head|heads|classifier|lm_head|logits|fc|unembed|cls|score|predictions|output_projection|qa_outputs)(\.out_proj|\.\d+|\.fc|\.l|\.linear|\.dense)?$"
)

BAND = (0.25, 4.0)
"""The growth over the second half of the blocks that is allowed."""

NORM_GAIN = math.pi / (math.pi - 1)
"""What a batch norm before a ReLU multiplies the second moment of a gradient by."""

FADED = 100
"""A difference of less than so many roundings was on its way to none."""

DROWNED = 0.01
"""A difference below this share of the output's own variation is lost in the rounding of bfloat16, 2^-8, or nearly."""

SAME = 1e-5
"""Outputs nearer than this are one, but for rounding in float32."""

CLOSED = 0.1
"""A constant below it may be a gate that is shut at the start: LayerScale begins with 1e-6 to 0.1, ReZero with 0."""


STEPS = 2
"""Steps that open what is shut at the start: a layer of zeros with the first, what stands behind it with the next."""


@dataclass(frozen=True)
class InputReach:
    """What another input changes.

    Attributes:
        share: root mean square of the difference of two outputs, over sqrt(2) standard deviations of the output.
        lost_in: the last module whose inputs differ and whose outputs do not; None where there is none.
        lost_behind: a layer whose outputs differ and are nowhere above zero, where what runs next is given no
            difference any more: a ReLU stands between, or what else is flat below zero.
        fades: it had become small before rounding swallowed it.
        closed: the first constant near zero, a gate or a matrix, where the input arrives once such constants are not.
        drowned_at: the module whose input no longer shows the difference, where everything before it did.
        stuck: constants near zero that no step moves, where the input arrives once they are random.
        chosen: the difference ends in a choice that makes the same of both, and hands a gradient back all the same.
    """

    share: float
    lost_in: str | None = None
    lost_behind: str | None = None
    fades: bool = False
    closed: str | None = None
    drowned_at: str | None = None
    stuck: tuple[str, ...] = ()
    chosen: bool = False

    @property
    def exact(self) -> bool:
        """The outputs are the same, but for rounding in float32."""
        return self.share < SAME

    def through(self, name: str, behind: str, *, given: bool, clearly: bool, made: bool) -> InputReach:
        """What is known once one more module was looked at; the last one where it is lost is kept.

        Args:
            name: of the module.
            behind: the layer that ran before it, where nothing of that is above zero; else nothing.
            given: whether its inputs differ, ``clearly`` by more than what fades.
            made: whether its outputs do.
        """
        if not given:
            return replace(self, lost_behind=behind or self.lost_behind)
        if made:
            return self
        return replace(self, lost_in=name, fades=False) if clearly else replace(self, fades=True)

    def drowned_before(self, name: str, share: float, least: float) -> InputReach:
        """What is known once one more module was given something; of those that are given too little the first is kept.

        Args:
            name: of the module.
            share: of the difference in what it is given.
            least: of all that was given and made before it.
        """
        drowned = self.drowned_at is None and 0 < share < DROWNED and least > 10 * DROWNED
        return replace(self, drowned_at=name) if drowned else self

    def opened_by(self, share: float | None) -> bool:
        """Whether a difference of that size, seen once closed gates are open, is another one: ten times as large."""
        return share is not None and share >= 10 * max(self.share, SAME)


@dataclass(frozen=True)
class OneChoice:
    """A constant router that sends a whole batch to the same experts.

    Attributes:
        router: the parameter.
        used: the experts that get a gradient.
        experts: how many there are.
    """

    router: str
    used: tuple[str, ...]
    experts: int


@dataclass(frozen=True)
class Untrained:
    """Trainable parameters that get no gradient, neither at once nor when what starts near zero is open.

    Attributes:
        shut: layers that made nothing above zero and get none themselves, a ReLU stands behind them; their units.
        flat: parameters that have a part in what is returned, whose gradient is zero for another reason.
        cut: parameters of modules that ran, from which no gradient leads: behind an argmin, a detach, or not used.
        unused: parameters of layers that the batch did not run.
        outside: tensors that ask for a gradient, have a part in what is returned, and are no parameter of the model.
        frozen: no parameter of the model is trainable.
        chosen: constant routers that choose the same experts for every token.
        levels: layers that made one thing of examples that differ.
    """

    shut: Mapping[str, int] = field(default_factory=dict)
    flat: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    frozen: bool = False
    chosen: tuple[OneChoice, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChainSignal:
    """One run of blocks of one shape.

    Attributes:
        name: container of the blocks.
        blocks: their paths.
        forward: second moment of what each block makes.
        backward: second moment of the gradient that reaches what each block makes, before a ReLU that it ends with;
            empty where there is none. Where it grows or fades, only of what comes back through the blocks behind it.
        norms: batch norms between the block in the middle and the last one.
    """

    name: str
    blocks: tuple[str, ...]
    forward: tuple[float, ...]
    backward: tuple[float, ...]
    norms: int = 0

    def growth(self, direction: str) -> float | None:
        """Last block over the block in the middle (forward), or the middle over the last (backward).

        None where the signal is zero from the middle on (nothing passes at all there, which says nothing of growth).
        """
        values = self.forward if direction == "forward" else self.backward
        if len(values) < FEWEST_BLOCKS:
            return None
        middle, last = values[len(values) // 2 - 1], values[-1]
        above, below = (last, middle) if direction == "forward" else (middle, last)
        if above == 0.0 and below == 0.0:
            return None
        return above / below if below else float("inf")

    @property
    def second_half(self) -> tuple[str, ...]:
        """The blocks that the growth goes through."""
        return self.blocks[len(self.blocks) // 2 :]

    def unexplained(self, direction: str) -> float | None:
        """The growth, of a gradient over what the stream's own growth and batch norms explain.

        Where block l adds one of l equal parts to a stream and reads it normalized, its part of the gradient is k/l for
        a product of k readings (a norm before every layer, a gate): the stream grows as l and the gradient as l^k, over
        any second half by 2^k, however deep the net is. Nothing explodes there. Two readings are taken off, so that a
        bottleneck of three layers, each normalized, keeps the band; as far as the stream grows by 4 at most.

        A batch norm before a ReLU multiplies the gradient by pi/(pi - 1), whatever the weights (Yang et al. 2019, A
        Mean Field Theory of Batch Normalization): no initialization changes that. It too is taken off up to 16.

        >>> bottlenecks = ChainSignal("layer3", tuple("abcd"), (1.0, 2.0, 3.0, 4.0), (27.0, 8.0, 2.4, 1.0))
        >>> bottlenecks.growth("backward"), bottlenecks.unexplained("backward")
        (8.0, 2.0)
        """
        growth = self.growth(direction)
        if growth is None or direction == "forward" or growth <= 1:
            return growth
        return max(growth / max(self._by_stream, self._by_norms), 1.0)

    @property
    def explained_by_norms(self) -> bool:
        """Whether batch norms explain more of a gradient's growth than the stream does."""
        return self._by_norms > self._by_stream

    @property
    def _by_stream(self) -> float:
        return min(max(self.growth("forward") or 1.0, 1.0), BAND[1]) ** 2

    @property
    def _by_norms(self) -> float:
        return float(min(NORM_GAIN**self.norms, BAND[1] ** 2))

    def outside(self, direction: str) -> bool:
        """Whether the growth lies outside of ``BAND``."""
        growth = self.growth(direction)
        return growth is not None and not BAND[0] <= growth <= BAND[1]


@dataclass(frozen=True)
class Signal:
    """What one model does with one batch.

    Attributes:
        batch: the batch in words; problem: why there is none, or no signal.
        chains: runs of at least four blocks.
        unheard: why blocks that are there could not be listened to.
        loss, classes: cross-entropy over uniform targets at a recognised head, and its number of classes.
        logits: root mean square of what the head makes.
        gradients: of the constant matrices that were asked for: ``zero``, ``rows``, ``columns``, ``differ``, ``later``,
            ``shut``, ``unreached``.
        twins: of the matrices with equal units: ``equal``, ``differ``, ``zero``.
        writers: names of the blocks of a run -> the layers of its middle block that write to the residual stream.
        reach: whether another input gives another output.
        repeated: the names of each layer that stands several times in one list and was given one input twice.
        untrained: what is trainable and gets no gradient; None where nothing could be differentiated.
    """

    batch: str = ""
    problem: str | None = None
    chains: tuple[ChainSignal, ...] = ()
    loss: float | None = None
    classes: int | None = None
    logits: float | None = None
    gradients: dict[str, str] = field(default_factory=dict)
    twins: dict[str, str] = field(default_factory=dict)
    writers: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    reach: InputReach | None = None
    unheard: str | None = None
    repeated: tuple[tuple[str, ...], ...] = ()
    untrained: Untrained | None = None

    def unexplained(self, blocks: tuple[str, ...], direction: str) -> float | None:
        """What ``ChainSignal`` says of the chain of these blocks; None where this model has no such chain."""
        return next((c.unexplained(direction) for c in self.chains if c.blocks == blocks), None)
