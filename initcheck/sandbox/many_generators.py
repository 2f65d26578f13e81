"""Many seeds turned into NumPy generators at once, each the one that ``default_rng(seed)`` makes."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import PCG64, Generator, SeedSequence
from numpy.random.bit_generator import ISpawnableSeedSequence

Words = npt.NDArray[np.uint32]
Longs = npt.NDArray[np.uint64]

# NumPy hashes a seed in ten times the time of drawing four weights. Its hash is part of its promise of equal streams,
# and runs just as well over an array of seeds. From this many seeds on, that pays.
_WORTHWHILE = 12
# A seed of 128 bits costs it four times as much.
_WORTHWHILE_OF_LARGE = 3

_POOL = 4
_STATE = 8  # words of 32 bits that a PCG64 starts from
_SHIFT = np.uint32(16)
# A number of 128 bits is two of 64, the high one first.
_MULTIPLIER = np.uint64(0x2360ED051FC65DA4), np.uint64(0x4385DF649FCCF645)
_LOW, _HALF, _ONE = np.uint64(2**32 - 1), np.uint64(32), np.uint64(1)


def generators(seeds: Sequence[int]) -> Iterator[Generator]:
    """A generator a seed, in the state of ``numpy.random.default_rng(seed)``; one is done with when the next is asked.

    >>> [rng.integers(100) for rng in generators(range(20))] == [
    ...     np.random.default_rng(seed).integers(100) for seed in range(20)
    ... ]
    True

    Args:
        seeds: whole numbers in [0, 2^128).

    Source: O'Neill 2014, PCG, for the step; O'Neill 2015, Developing a seed_seq alternative; NumPy's ``SeedSequence``.
    """
    large = max(seeds, default=0) >= 2**32
    if len(seeds) < (_WORTHWHILE_OF_LARGE if large else _WORTHWHILE):
        yield from map(np.random.default_rng, seeds)
        return
    sequence = _SeedInTurn()
    bits = PCG64(sequence)
    rng = Generator(bits)
    # A new generator costs ten times as much.
    starts = _starts(_states(_words_of(seeds, large)))
    start = _in_memory(bits, starts) if _lies_as_here() else _by_its_state(bits, starts)
    for number, seed in enumerate(seeds):
        sequence.seed = seed
        start(number)
        yield rng


def _by_its_state(bits: PCG64, starts: Longs) -> Callable[[int], None]:
    """What puts a bit generator into the start of that number."""
    words: dict[str, int] = {}
    whole: Any = {"bit_generator": "PCG64", "state": words, "has_uint32": 0, "uinteger": 0}

    def start(number: int) -> None:
        low, high, stream_low, stream_high = starts[number].tolist()
        words["state"], words["inc"] = high << 64 | low, stream_high << 64 | stream_low
        bits.state = whole

    return start


def _in_memory(bits: PCG64, starts: Longs) -> Callable[[int], None]:
    """The same in less time: a pointer to 32 bytes, and behind it half a draw that may be left over."""
    address, size = bits.ctypes.state_address, starts.strides[0]
    pointer = ctypes.c_void_p.from_address(address)
    half = ctypes.c_uint64.from_address(address + ctypes.sizeof(pointer))
    # Views: a call of `ctypes` takes four times as long as to copy between two of them.
    numbers = memoryview((ctypes.c_char * size).from_address(pointer.value or 0)).cast("B")
    left_over = memoryview(half).cast("B").cast("Q")
    every = memoryview(starts.tobytes())

    def start(number: int) -> None:
        numbers[:] = every[number * size : (number + 1) * size]
        if left_over[0]:
            left_over[0] = 0

    return start


@functools.cache
def _lies_as_here() -> bool:
    """Whether the state of a PCG64 lies in memory as ``_in_memory`` has it: not so with every compiler."""
    tried, starts = PCG64(0), _starts(_states(_words_of([1], large=False)))
    Generator(tried).integers(2**32, dtype=np.uint32)  # leaves half a draw over
    before: Any = tried.state
    held = ctypes.string_at(ctypes.c_void_p.from_address(tried.ctypes.state_address).value or 0, 32)
    words = before["state"]
    if held != b"".join(words[name].to_bytes(16, sys.byteorder) for name in ("state", "inc")):
        return False
    _in_memory(tried, starts)(0)
    return bool(before["has_uint32"] and tried.state == PCG64(1).state)


class _SeedInTurn(ISpawnableSeedSequence):
    """``SeedSequence(seed)`` of one seed after the other, made where something is asked of it.

    Attributes:
        seed: of the generator now.
    """

    def __init__(self) -> None:
        self.seed = 0
        self._made: tuple[int, SeedSequence] | None = None

    @property
    def _whole(self) -> SeedSequence:
        if self._made is None or self._made[0] != self.seed:
            self._made = self.seed, SeedSequence(self.seed)
        return self._made[1]

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> npt.NDArray[Any]:
        """The words that a bit generator starts from."""
        return self._whole.generate_state(n_words, dtype)

    def spawn(self, n_children: int) -> Any:
        """The sequences of that many children."""
        return self._whole.spawn(n_children)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._whole, name)


def _words_of(seeds: Sequence[int], large: bool) -> Words:
    """The seeds as words of 32 bits, the low ones first, (4, seeds)."""
    words = np.zeros((_POOL, len(seeds)), dtype=np.uint32)
    if large:
        whole = b"".join(seed.to_bytes(4 * _POOL, "little") for seed in seeds)
        words[:] = np.frombuffer(whole, dtype="<u4").reshape(-1, _POOL).T
    else:
        words[0] = seeds
    return words


def _states(entropy: Words) -> npt.NDArray[np.uint64]:
    """What ``SeedSequence(seed).generate_state(4, uint64)`` gives of the words of seeds, (seeds, 4)."""
    pool = _hashed(entropy, *_MIXING[0])
    for source in range(_POOL):
        others = [n for n in range(_POOL) if n != source]
        pool[others] = _mixed(pool[others], _hashed(pool[source], *_MIXING[source + 1]))
    words = _hashed(np.concatenate([pool, pool]), *_DRAWING)
    return np.ascontiguousarray(words.T.astype("<u4")).view("<u8").astype(np.uint64, copy=False)


def _starts(states: Longs) -> Longs:
    """State and increment of PCG64's that are seeded with these words, (seeds, 4), the low half of each first."""
    high, low, stream_high, stream_low = states.T
    stream_high, stream_low = stream_high << _ONE | stream_low >> np.uint64(63), stream_low << _ONE | _ONE
    stream = stream_high, stream_low
    stepped = _sum(_multiplied(_sum((high, low), stream)), stream)
    return np.stack([stepped[1], stepped[0], stream_low, stream_high], axis=1)


def _sum(one: tuple[Longs, Longs], other: tuple[Longs, Longs]) -> tuple[Longs, Longs]:
    low = one[1] + other[1]
    return one[0] + other[0] + (low < one[1]), low


def _multiplied(number: tuple[Longs, Longs]) -> tuple[Longs, Longs]:
    high, low = number
    b1, b0 = _MULTIPLIER[1] >> _HALF, _MULTIPLIER[1] & _LOW
    a1, a0 = low >> _HALF, low & _LOW
    outer, inner = a0 * b1, a1 * b0
    middle = (a0 * b0 >> _HALF) + (outer & _LOW) + (inner & _LOW)
    over = a1 * b1 + (outer >> _HALF) + (inner >> _HALF) + (middle >> _HALF)
    return over + high * _MULTIPLIER[1] + low * _MULTIPLIER[0], low * _MULTIPLIER[1]


def _hashed(values: Words, before: Words, after: Words) -> Words:
    hashed: Words = (values ^ before) * after
    return hashed ^ (hashed >> _SHIFT)


def _mixed(values: Words, others: Words) -> Words:
    mixed: Words = values * np.uint32(0xCA01F9DD) - others * np.uint32(0x4973F715)
    return mixed ^ (mixed >> _SHIFT)


def _constants(first: int, factor: int, number: int) -> tuple[Words, Words]:
    """The constants of that many hashes in a row, as columns: each is the last one times a factor."""
    powers = [first * pow(factor, n, 2**32) % 2**32 for n in range(number + 1)]
    column = np.array(powers, dtype=np.uint32)[:, None]
    return column[:-1], column[1:]


def _mixing() -> list[tuple[Words, Words]]:
    before, after = _constants(0x43B0D7E5, 0x931E8875, _POOL * _POOL)
    parts = [slice(0, _POOL), *(slice(n, n + _POOL - 1) for n in range(_POOL, _POOL * _POOL, _POOL - 1))]
    return [(before[part], after[part]) for part in parts]


_MIXING = _mixing()
_DRAWING = _constants(0x8B51F9DD, 0x58F38DED, _STATE)
