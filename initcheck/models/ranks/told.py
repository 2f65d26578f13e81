"""What one rank tells of the model that it built: plain data, which goes from process to process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from initcheck.models.provenance.steps import Site


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one rank holds of one tensor.

    Attributes:
        name: its path in the model.
        shape: of what this rank holds; whole: of the tensor, where the framework says so.
        offset: where the piece begins in the whole; None where nobody says.
        parameter: whether it is a parameter; dtype: of its entries.
        count, squares, total: of its entries; digest: of all its bits.
        random: it holds chance: a draw made it, or it has other bits at another seed.
        constant: all entries are one value.
        never: entries that nobody wrote.
        law: in words; std: as the draw names it; site: who drew it.
        draws: state of the generator before each draw, its number in the build, its entries, its line.
    """

    name: str
    shape: tuple[int, ...]
    whole: tuple[int, ...] | None = None
    offset: tuple[int, ...] | None = None
    parameter: bool = True
    dtype: str = ""
    count: int = 0
    squares: float = 0.0
    total: float = 0.0
    digest: bytes = b""
    random: bool = False
    constant: bool = False
    never: int = 0
    law: str = ""
    std: float | None = None
    site: Site | None = None
    draws: tuple[tuple[bytes, int, int, Site | None], ...] = ()


@dataclass(frozen=True)
class RankTold:
    """What one rank came to.

    Attributes:
        rank: its number.
        pieces: by name; empty where it built none.
        tied: further names of tensors that are there already.
        model: class of the root.
        problem: why it built none: what it raised, how it ended, where it hung.
        seconds: of CPU time that it took.
    """

    rank: int
    pieces: Mapping[str, Piece] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    problem: str | None = None
    seconds: float = 0.0
