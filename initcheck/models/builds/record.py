"""One tensor of a built model as a record of sums and digests; every entry is read, in blocks, none is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from initcheck.models.builds.sums import EntrySums, Twins
from initcheck.models.provenance.law import UNTRACED, Law
from initcheck.models.provenance.steps import Draw, Site
from initcheck.models.provenance.traced_law import Later

_FAR = 12.0
_ROUNDING = {"float64": 1e-9, "float32": 1e-5}
"""What an unordered sum in that dtype may move a tensor by, relative to its largest entry."""


def inputs_first_by_bias(name: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a matrix is (inputs, outputs), as the bias beside it has its columns and belongs to nothing else there.

    >>> inputs_first_by_bias("W", {"W": (8, 32), "b": (32,)})
    True
    >>> inputs_first_by_bias("A", {"weight": (32, 32), "A": (8, 32), "B": (32, 8), "bias": (32,)})
    False

    Args:
        name: of the matrix.
        shapes: of all parameters of its layer, by name.
    """
    shape = shapes.get(name, ())
    bias = next((b for b in ("bias", "b") if b in shapes), None)
    if bias is None or len(shape) != 2 or shape[0] == shape[1] or shapes[bias] != shape[1:]:
        return False
    # The outputs of another matrix (an adapter's), the bias of a norm with its scale, or the other one of two.
    others = [s for n, s in shapes.items() if n not in (name, bias)]
    return not any((len(s) == 2 and s[0] == shape[1] != s[1]) or s in ((shape[0],), (shape[1],)) for s in others)


@dataclass(frozen=True)
class Lost:
    """A value that a tensor had before another was written over it.

    Attributes:
        law: what it was.
        site: who wrote it; over: who wrote over it.
        default: it was the default of the layer's own class, or of torch.
        made: the tensor was made with it (``torch.randn(...)``), nothing was written into it.
        loaded: it was read by ``load_state_dict``.
        marked: what was written over is marked by its author as initialised.
        building: what wrote over it ran in a constructor; else the factory did it to the built model.
        part: it stood in a part of the tensor, such as one gate of a bias.
    """

    law: Law
    site: Site | None
    over: Site | None
    default: bool = False
    made: bool = False
    loaded: bool = False
    marked: bool = False
    building: bool = True
    part: bool = False


@dataclass(frozen=True, kw_only=True)
class TensorRecord:
    """What is known of one parameter or buffer.

    Attributes:
        name: its path in the model.
        parameter: whether it is a parameter, not a buffer.
        trainable: whether it asks for a gradient.
        owner: class of the module it belongs to.
        shape: of the tensor; dtype: its name, such as ``float32``; real: whether it holds real numbers.
        memory: storage and offset: equal for tied tensors.
        digest: of all its bits.
        sums: of all its entries; own: of those that its law describes, without what was written later.
        unwritten: entries that hold the fill; first_unwritten: the index of the first of them.
        order: digest of the order of the first 64 entries, None where they are too few, tied or sorted.
        spread: some entries from all over it.
        twins: equal non-zero rows or columns.
        law: what the trace says it was drawn from.
        draws: the draws its values come from.
        later: later writes to a part of it.
        lost: what was overwritten, in order.
        sites: the places that wrote all of it, in order, without repeats.
        far: entries beyond twelve standard deviations of the traced law, or outside its support.
        inputs_first: its axes are (..., inputs, outputs), not (outputs, inputs, ...).
        order_written, inside: place of the last write in the build, and the functions that initialise whole models
            in which it ran.
    """

    name: str
    parameter: bool
    trainable: bool
    owner: str
    shape: tuple[int, ...]
    dtype: str
    real: bool = True
    memory: tuple[int, int]
    digest: bytes
    count: int
    sums: EntrySums = field(default_factory=EntrySums)
    own: EntrySums = field(default_factory=EntrySums)
    unwritten: int = 0
    first_unwritten: tuple[int, ...] | None = None
    order: bytes | None = None
    spread: tuple[float, ...] = ()
    twins: Twins | None = None
    law: Law = UNTRACED
    draws: frozenset[Draw] = frozenset()
    later: tuple[Later, ...] = ()
    lost: tuple[Lost, ...] = ()
    sites: tuple[Site, ...] = ()
    far: int = 0
    first_far: tuple[int, ...] | None = None
    first_bad: tuple[int, ...] | None = None
    loaded: bool = False
    default: bool = False
    marked: bool = False
    inputs_first: bool = False
    order_written: int = 0
    inside: frozenset[object] = frozenset()

    @property
    def missing(self) -> int:
        """Entries that hold NaN where NaN was the fill; whole numbers may equal their fill and mean it."""
        return self.unwritten if self.real else 0

    @property
    def total(self) -> float:
        """Sum of its entries."""
        return self.sums.total

    @property
    def squares(self) -> float:
        """Sum of their squares."""
        return self.sums.squares

    @property
    def low(self) -> float:
        """The smallest entry."""
        return self.sums.low

    @property
    def high(self) -> float:
        """The largest entry."""
        return self.sums.high

    @property
    def mean(self) -> float:
        """Mean of its entries."""
        return self.sums.mean

    @property
    def second_moment(self) -> float:
        """Mean square of its entries."""
        return self.sums.second_moment

    @property
    def std(self) -> float:
        """Standard deviation of its entries around their mean."""
        return math.sqrt(max(self.second_moment - self.mean**2, 0.0))

    def rounds_to(self, other: TensorRecord) -> bool:
        """Whether two builds differ by rounding alone: sums, ends and the entries at some places are the same.

        A least-squares solution of LAPACK depends in its last bits on where its memory lies. What was drawn anew has
        other sums, and what was put in another order, such as rows that are shuffled, other entries at these places.
        """
        within = _ROUNDING.get(self.dtype, 0.0)
        alike = self.shape == other.shape and len(self.spread) == len(other.spread) > 0
        if not within or not alike or self.missing:
            return False
        mine, theirs = self.sums, other.sums
        largest = max(abs(mine.low), abs(mine.high))
        return (
            math.isclose(mine.squares, theirs.squares, rel_tol=within)
            and abs(mine.total - theirs.total) <= within * largest * self.count
            and max(abs(mine.low - theirs.low), abs(mine.high - theirs.high)) <= within * largest
            and all(abs(x - y) <= within * largest for x, y in zip(self.spread, other.spread, strict=True))
        )

    @property
    def law_text(self) -> str:
        """Its law in words; of one that nothing names its size."""
        return self.law.text if self.law.family != "untraced" else f"untraced, std {self.std:.4g}"

    @property
    def constant(self) -> bool:
        """All entries are one value."""
        return self.low == self.high

    @property
    def matrix(self) -> tuple[int, int] | None:
        """Rows and columns of what is left when dimensions of size 1 are dropped; None for a vector.

        A bias is one too where Flax gives it the axes of heads, or Keras one of two for a cell.
        """
        vector = self.inputs_first and self.name.rpartition(".")[2] == "bias"
        sizes = [] if vector else [n for n in self.shape if n > 1]
        return (sizes[0], math.prod(sizes[1:])) if len(sizes) > 1 else None

    @property
    def fans(self) -> tuple[int, int]:
        """What each output sums over, and over how many outputs each input is spread."""
        sizes = [*reversed(self.shape)] if self.inputs_first else [*self.shape]
        receptive = math.prod(sizes[2:])
        inputs = sizes[1] if len(sizes) > 1 else 1
        return max(1, inputs * receptive), max(1, (sizes[0] if sizes else 1) * receptive)

    @property
    def signature(self) -> tuple[object, ...]:
        """What siblings of one law have in common: the law, and the laws of the same slices."""
        start = self.memory[1]
        parts = []
        for part in self.later:
            region = part.region
            where = ("some", part.step.op) if region is None else (region.offset - start, region.sizes, region.strides)
            parts.append((where, part.law.signature))
        return (self.law.signature, tuple(parts))

    def entries_of(self, part: Later) -> str:
        """Which entries a later write reached, in words."""
        region = part.region
        if region is None:
            return "some entries"
        start, entries = region.offset - self.memory[1], region.entries
        width = math.prod(self.shape[1:])
        dense = _is_dense(region.sizes, region.strides)
        if entries == 1:
            return f"entry {start}" if len(self.shape) < 2 else f"entry {list(index_of(start, self.shape))}"
        if dense and len(self.shape) < 2:
            return f"entries {start}..{start + entries - 1}"
        if dense and width and start % width == 0 and entries % width == 0:
            first, last = start // width, (start + entries) // width - 1
            return f"row {first}" if first == last else f"rows {first}..{last}"
        return f"{entries:,} entries from {list(index_of(start, self.shape))} on"


def made_of_parts(law: Law, later: list[Later], entries: int) -> tuple[Law, list[Later]]:
    """Where later writes of one law reach every entry (a gate at a time), that is the tensor's law."""
    whole = [p for p in later if p.region is not None and p.step.anew]
    if len(whole) < 2 or len(whole) < len(later) or sum(p.region.entries for p in whole if p.region) < entries:
        return law, later
    if len({p.law.signature for p in whole}) != 1:
        return law, later
    one = whole[0].law
    return Law(
        one.family, one.mean, one.std, one.low, one.high, f"{one.text} in {len(whole)} parts", one.site, one.sigma,
        one.recipe,
    ), []  # fmt: skip


def ends_of(offset: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, int]:
    """The first entry of a view in its storage, and the one after the last."""
    return offset, offset + 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))


def _is_dense(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    first, last = ends_of(0, sizes, strides)
    return last - first == math.prod(sizes)


def index_of(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place of an entry in a tensor of this shape."""
    index = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.append(i)
    return tuple(reversed(index))


def maybe_index(position: int | None, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The same of an entry that may not be there."""
    return None if position is None else index_of(position, shape)


def bounds_of(law: Law) -> tuple[float, float]:
    """Where no entry of the law can be: beyond twelve standard deviations, or beyond its support and rounding."""
    if law.family not in ("normal", "uniform", "truncated_normal", "orthogonal") or not law.named:
        return -math.inf, math.inf
    mean, std = law.mean or 0.0, law.std or 0.0
    if law.family in ("uniform", "orthogonal"):
        reach = max(mean - law.low, law.high - mean) * (1.0 + 2.0**-7) + 0.05 * std
    else:
        reach = _FAR * std
    return mean - reach, mean + reach
