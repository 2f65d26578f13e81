"""A batch that a model refused, made anew by what its error says of the sizes that it wants."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from initcheck.models.batches.batch import Batch, text_of
from initcheck.models.batches.batch_text import flat, nested
from initcheck.models.batches.hints import whole_numbers

_SEED = 20260102
_STEPS = 9
"""Batches that are tried: the side of an image needs three or four, and any of two inputs may be the wrong one."""
_SIDES = (4, 1024)
_FOLDS = (4, 9, 16, 64)
"""Places of an image that are made channels of one."""
_SHORTER = 4
"""Tokens below which a sequence is not made shorter."""
_FEWEST_TOKENS = 2
"""Where nothing tells how many there are: each is a valid index of two or more."""

_PRODUCT = re.compile(r"shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)")
_SUM = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)|"
                  r"except in dimension \d+\. (?:Expected size|Got) (\d+) (?:but got size|and) (\d+)|"
                  r"subscript \w+ has size (\d+) for operand \d+ which does not broadcast with previously seen size"
                  r" (\d+)")  # fmt: skip
_CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")
_RANK = re.compile(r"[Ee]xpected (\d)D \(unbatched\) or (\d)D \(batched\) input(?:.*of size: \[([\d, ]+)\])?")
_UNPACKED = re.compile(r"values to unpack \(expected (\d), got (\d)\)|[Mm]ust be a (\d)D tensor|"
                       r"number of dimensions: got \d, expected (\d)")  # fmt: skip
_NORM = re.compile(r"expected input with shape \[\*, (\d+)\], but got input of size ?\[([\d, ]+)\]")
_STATISTICS = re.compile(r"running_mean should contain (\d+) elements not (\d+)")
_CELL = re.compile(r"must be equal to input_size\. Expected (\d+), got (\d+)|input has inconsistent input_size: "
                   r"got (\d+),? expected (\d+)|expecting embedding dimension of (\d+), but got (\d+)")  # fmt: skip
_TOKENS = re.compile(r"scalar types?:? ?Long|type Long|must be long, int|integer type|LongTensor|IntTensor|"
                     r"dtype int32/int64 for index")  # fmt: skip
_REAL = re.compile(r"same dtype, but got (?:Long|Int) and|not implemented for '(?:Long|Int)'|"
                   r"type Float but found (?:Long|Int)|\(Long|Int\) and bias type")  # fmt: skip
_TOO_MANY = re.compile(r"too many values to unpack \(expected (\d)\)")
_VIEW = re.compile(r"shape '\[([\d, -]+)\]' is invalid for input of size (\d+)")
_EINOPS_RANK = re.compile(r"expected (\d)(?:\+)? dims\. Received (\d)-dim tensor")
_EINOPS_CHUNKS = re.compile(r"can't divide axis of length (\d+) in chunks of (\d+)")
_CONFIG = re.compile(r"\((\d+)\) doesn't match (?:the )?model(?:'s)? config\w* \((\d+)\)|"
                     r"size for dimension \d: got (\d+), expected (\d+)")  # fmt: skip
_LAYOUT = re.compile(r"shape (?:must be|should be|expected|of) ?[\[(]([a-z_]+(?:, ?[a-z_]+)+)[\])]")
_SPLIT = re.compile(r"expects split_sizes to sum exactly to (\d+) .*got split_sizes=\[([\d, ]+)\]")
_BEYOND = re.compile(r"index out of range|out of bounds for dimension|index \d+ is out of bounds")
_SMALL = re.compile(r"too small|can't be greater than actual input size")
_IMAGE = re.compile(r"mage size \((\d+)\*(\d+)\) doesn't match model|height \((\d+)\) doesn't match model \((\d+)\)")


@dataclass(frozen=True)
class _Change:
    """What becomes of a tensor: the sizes it is to have, and of how many whole numbers, 0 for real ones."""

    shape: tuple[int, ...]
    high: int = 0


def corrected(batch: Batch, run: Callable[[Batch], Any], error: Exception, tokens: int) -> Iterator[Batch]:
    """Batches by what one error after another says; the caller runs the last and stops.

    >>> line = torch.nn.Linear(24, 4)
    >>> wrong = Batch((torch.zeros(2, 16),))
    >>> [b.text for b in corrected(wrong, lambda b: b.run(line), RuntimeError("shapes cannot be multiplied (2x16 and"
    ...  " 24x4)"), 0)]
    ['2x24']

    Args:
        batch: what was refused; only tensors at the places of arguments are changed.
        run: calls the model.
        error: with which it was refused.
        tokens: how many whole numbers a tensor of tokens has; 0 where none are known.
    """
    seen = {batch.text}
    refused = deque([(batch, error)])
    while refused:
        before, said = refused.popleft()
        for following in _changed(before, " ".join(str(said).split()), tokens):
            if following.text in seen or len(seen) > _STEPS:
                continue
            seen.add(following.text)
            try:
                run(following)
            except Exception as again:  # of the user's model: anything
                refused.append((following, again))
                continue
            yield following


def _changed(batch: Batch, said: str, tokens: int) -> Iterator[Batch]:
    """The batch with one of its tensors changed that the error may speak of."""
    named = dict(pair for name, value in batch.kwargs.items() for pair in flat(name, value))
    for place, value in [*enumerate(batch.args), *named.items()]:
        for change in _wanted(value, said, tokens) if isinstance(value, torch.Tensor) else ():
            made = _made(change)
            args = tuple(made if place == i else v for i, v in enumerate(batch.args))
            kwargs = nested({n: made if place == n else v for n, v in named.items()})
            yield Batch(args, kwargs, text_of(args, kwargs))


def _made(change: _Change) -> torch.Tensor:
    generator = torch.Generator().manual_seed(_SEED)
    if change.high:
        return whole_numbers(change.shape, change.high, generator)
    return torch.randn(change.shape, generator=generator)


def _wanted(tensor: torch.Tensor, said: str, tokens: int) -> Iterator[_Change]:
    """What the error may ask of this tensor, likeliest first."""
    shape, real = tuple(tensor.shape), tensor.dtype.is_floating_point
    if _BEYOND.search(said):
        if not real and int(tensor.max()) >= _FEWEST_TOKENS:  # an offset is added, of a field among others
            yield _Change(shape, _FEWEST_TOKENS)
        if len(shape) > 1 and shape[1] > _SHORTER:
            yield _Change((shape[0], shape[1] // 2, *shape[2:]), 0 if real else int(tensor.max()) + 1)
        return
    if real and (found := _SUM.search(said)) is not None:
        folded = _for_folded(shape, *_two(found))
        yield from [folded] if folded is not None else []
    if (found := _VIEW.search(said)) is not None and len(shape) == (3 if real else 2):
        length = _for_whole(shape, [int(n) for n in found[1].split(",")], int(found[2]))
        yield from [_Change(length, 0 if real else int(tensor.max()) + 1)] if length is not None else []
    change = _one_wanted(tensor, said, tokens)
    yield from [change] if change is not None else []


def _one_wanted(tensor: torch.Tensor, said: str, tokens: int) -> _Change | None:
    """What an error asks that says one thing of a tensor; None where it says nothing of it."""
    shape, real = tuple(tensor.shape), tensor.dtype.is_floating_point
    if _TOKENS.search(said):
        return _Change(shape[:2], tokens or _FEWEST_TOKENS) if real else None
    if _REAL.search(said):
        return None if real else _Change(shape)
    high = 0 if real else int(tensor.max()) + 1
    if (found := _PRODUCT.search(said)) is not None and real:
        return _for_product(shape, int(found[2]), int(found[3]))
    if (found := _SUM.search(said)) is not None:
        return _for_sum(shape, high, *_two(found))
    if (found := _CONFIG.search(said)) is not None:
        one, two = _two(found)
        return _for_sum(shape, high, one, two) if one in shape[1:] else None
    if not real:
        return None
    if (found := _SPLIT.search(said)) is not None:
        return _renamed(shape, int(found[1]), sum(map(int, found[2].split(","))), last=True)
    if (found := _IMAGE.search(said)) is not None:
        side = int(found[4] or found[1])
        return _Change((*shape[:-2], side, side)) if len(shape) > 3 else None
    if _SMALL.search(said) is not None:
        front = 2 if len(shape) > 2 else 1  # a signal over time may have no channels
        longer = (*shape[:front], *(2 * n for n in shape[front:]))
        return _Change(longer) if max(shape, default=0) < _SIDES[1] else None
    if (found := _CHANNELS.search(said)) is not None:
        had, channels = int(found[2]), int(found[1])
        second = _renamed(shape, had, channels) or _for_folded(shape, had, channels) or _fewer(shape, had, channels)
        # A series whose columns become channels has them last; beside those of an image or a frame others may stand.
        return second or (
            _renamed(shape, had, channels, last=True) if len(shape) == 3 else _more(shape, channels - had)
        )
    if (found := _STATISTICS.search(said)) is not None:
        return _renamed(shape, int(found[2]), int(found[1]))
    if (found := _NORM.search(said)) is not None:
        return _for_features(shape, int(found[2].split(",")[-1]), int(found[1]))
    if (found := _CELL.search(said)) is not None:
        wanted, got = (found[1], found[2]) if found[1] else (found[4], found[3]) if found[3] else (found[5], found[6])
        return _renamed(shape, int(got), int(wanted), last=True) or _less(shape, int(got), int(wanted))
    if (found := _RANK.search(said)) is not None:
        return _without_channel(shape, found[3] or "") or _of_rank(shape, int(found[2]))
    if (found := _TOO_MANY.search(said)) is not None:
        return _of_rank(shape, int(found[1])) if len(shape) > int(found[1]) else None
    if (found := _EINOPS_RANK.search(said)) is not None:
        return _of_rank(shape, int(found[1])) if len(shape) == int(found[2]) else None
    if (found := _EINOPS_CHUNKS.search(said)) is not None and int(found[1]) in shape[1:]:
        length, chunk = int(found[1]), int(found[2])
        return _Change(tuple(-(-n // chunk) * chunk if n == length else n for n in shape))
    if (found := _UNPACKED.search(said)) is not None:
        if len(shape) == int(found[1] or 0):  # not its axes: parts that it was cut into
            return _Change((shape[0], shape[1] * int(found[1]) // max(int(found[2]), 1), *shape[2:]))
        return _of_rank(shape, int(found[1] or found[3] or found[4]))
    if (found := _VIEW.search(said)) is not None:
        return _for_view(shape, [int(n) for n in found[1].split(",")])
    if (found := _LAYOUT.search(said)) is not None:
        return _of_rank(shape, found[1].count(",") + 1)
    return None


def _two(found: re.Match[str]) -> tuple[int, int]:
    """The two sizes that an error names."""
    one, two = [int(n) for n in found.groups() if n is not None]
    return one, two


def _for_product(shape: tuple[int, ...], got: int, wanted: int) -> _Change | None:
    """Features that a matrix wants: of the last axis, or of an image that was flattened."""
    if shape[-1] == got:
        return _Change((*shape[:-1], wanted))
    return (_less(shape, got, wanted) or _scaled(shape, wanted / got)) if got else None


def _less(shape: tuple[int, ...], got: int, wanted: int) -> _Change | None:
    """What a layer wants, less what stands beside it there: it was made as wide as all that the layer is given."""
    left = wanted - (got - wanted)
    return _Change((*shape[:-1], left)) if len(shape) < 4 and shape[-1] == wanted and 0 < left < wanted else None


def _for_folded(shape: tuple[int, ...], one: int, two: int) -> _Change | None:
    """Channels of an image whose places are folded into them, 2 x 2 or so, where a layer knows how many those are."""
    for got, wanted in ((one, two), (two, one)):
        if len(shape) == 4 and got == shape[1] * round(got / shape[1]) and got // shape[1] in _FOLDS:
            channels, left = divmod(wanted * shape[1], got)
            if channels and not left:
                return _Change((shape[0], channels, *shape[2:]))
    return None


def _fewer(shape: tuple[int, ...], had: int, channels: int) -> _Change | None:
    """Channels of which a layer is given several each: of a point, its own and how its neighbours differ."""
    each = had // shape[1] if len(shape) > 1 else 0
    wanted, left = divmod(channels, each) if each > 1 else (0, 1)
    whole = wanted > 0 and not left and each * shape[1] == had
    return _Change((shape[0], wanted, *shape[2:])) if whole else None


def _more(shape: tuple[int, ...], more: int) -> _Change | None:
    """So many more channels of an image, or of each frame of a series of images; fewer where that is negative."""
    axis = {4: 1, 5: 2}.get(len(shape))
    if axis is None or shape[axis] + more < 1:
        return None
    return _Change((*shape[:axis], shape[axis] + more, *shape[axis + 1 :]))


def _for_sum(shape: tuple[int, ...], high: int, one: int, two: int) -> _Change | None:
    """Two sizes that should be one: the length of a sequence, or the number of an image's patches."""
    for got, wanted in ((one, two), (two, one)):
        if got in shape[1:] and len(shape) < 4:
            axis = shape.index(got, 1)
            return _Change((*shape[:axis], wanted, *shape[axis + 1 :]), high)
        if len(shape) == 2 and got == shape[1] + 1 < wanted + shape[1]:  # a column of ones or so stands beside its own
            return _Change((shape[0], wanted - 1), high)
    return _scaled(shape, two / one) if one and not high else None


def _for_view(shape: tuple[int, ...], sizes: list[int]) -> _Change | None:
    """What is laid out in other axes by its own code: so many numbers an item, of an image so many places."""
    items = [n for i, n in enumerate(sizes) if n > 0 and not (i == 0 and n == shape[0])]
    if not items:
        return None
    if len(shape) > 3:
        side = math.isqrt(math.prod(items) // shape[1])
        square = side > 1 and side**2 * shape[1] == math.prod(items)
        return _Change((*shape[:2], side, side)) if square else None
    return _Change((shape[0], *items))


def _for_whole(shape: tuple[int, ...], sizes: list[int], entries: int) -> tuple[int, ...] | None:
    """A sequence as long as a table, of positions, that is laid beside it whole: one length alone goes through."""
    others = math.prod(sizes) // shape[1]
    if shape[1] not in sizes or others < 1 or entries % others or not 1 < entries // others <= _SIDES[1]:
        return None
    return (shape[0], entries // others, *shape[2:])


def _scaled(shape: tuple[int, ...], factor: float) -> _Change | None:
    """An image, or a signal over time, with so many times its places."""
    axes = len(shape) - 2
    if axes < 1 or not 0 < factor < math.inf:
        return None
    sides = tuple(round(n * factor ** (1 / axes)) for n in shape[2:])
    if sides == shape[2:]:
        sides = tuple(n + (1 if factor > 1 else -1) for n in sides)
    if not all(_SIDES[0] <= n <= _SIDES[1] for n in sides):
        return None
    return _Change((*shape[:2], *sides))


def _renamed(shape: tuple[int, ...], got: int, wanted: int, last: bool = False) -> _Change | None:
    """The axis of that size with another one: the last, or the channels."""
    axis = len(shape) - 1 if last else 1 if len(shape) > 1 else 0
    return _Change((*shape[:axis], wanted, *shape[axis + 1 :])) if shape[axis] == got else None


def _for_features(shape: tuple[int, ...], got: int, wanted: int) -> _Change | None:
    """Features that a norm wants: of the last axis, or made of an image's channels, so many times fewer or more."""
    if not got or shape[-1] == got or len(shape) < 4 or shape[1] * wanted % got:
        return _renamed(shape, got, wanted, last=True)
    return _Change((shape[0], shape[1] * wanted // got, *shape[2:]))


def _without_channel(shape: tuple[int, ...], got: str) -> _Change | None:
    """A signal or an image of one channel without that axis, where the model itself adds one: ``wave[:, None]``."""
    sizes = tuple(int(n) for n in got.split(",")) if got else ()
    added = len(sizes) == len(shape) + 1 and shape[1:2] == (1,) and sizes[:2] == (shape[0], 1)
    return _Change((shape[0], *shape[2:])) if added and sizes[2:] == shape[1:] else None


def _of_rank(shape: tuple[int, ...], rank: int) -> _Change | None:
    """A tensor of more axes, or of fewer: a video for an image, an image for a row of numbers."""
    if rank == len(shape) or not 2 <= rank <= 5:
        return None
    if rank < len(shape):
        return _Change((*shape[: rank - 1], shape[-1]) if rank < 4 else shape[:rank])
    if len(shape) == 4:  # a few frames of an image
        return _Change((*shape[:2], 5, *shape[2:]))
    side = (32,) * (rank - 2)
    return _Change((shape[0], shape[1] if len(shape) > 2 else 3, *side))
