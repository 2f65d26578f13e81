"""Many seeds turned into NumPy generators at once, each the one that ``default_rng(seed)`` makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import PCG64, Generator, SeedSequence
from numpy.random.bit_generator import ISpawnableSeedSequence

__all__ = ["generators"]

Words = npt.NDArray[np.uint32]

# NumPy hashes a seed in ten times the time of drawing four weights. Its hash is part of its promise of equal streams,
# and runs just as well over an array of seeds. From this many seeds on, that pays.
_WORTHWHILE = 12

_POOL = 4
_STATE = 8  # words of 32 bits that a PCG64 starts from
_SHIFT = np.uint32(16)
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_128_BITS = 2**128 - 1


def generators(seeds: Sequence[int]) -> Iterator[Generator]:
    """A generator a seed, in the state of ``numpy.random.default_rng(seed)``; one is done with when the next is asked.

    >>> [rng.integers(100) for rng in generators(range(20))] == [
    ...     np.random.default_rng(seed).integers(100) for seed in range(20)
    ... ]
    True

    Args:
        seeds: whole numbers in [0, 2^32).

    Source: O'Neill 2014, PCG, for the step; O'Neill 2015, Developing a seed_seq alternative; NumPy's ``SeedSequence``.
    """
    if len(seeds) < _WORTHWHILE:
        yield from map(np.random.default_rng, seeds)
        return
    states = _states(np.asarray(seeds, dtype=np.uint32)).tolist()
    sequence = _SeedInTurn()
    bits = PCG64(sequence)
    rng = Generator(bits)
    words: dict[str, int] = {}
    state: Any = {"bit_generator": "PCG64", "state": words, "has_uint32": 0, "uinteger": 0}
    for seed, (high, low, stream_high, stream_low) in zip(seeds, states, strict=True):
        sequence.seed = seed
        words["inc"] = increment = ((stream_high << 64 | stream_low) << 1 | 1) & _128_BITS
        words["state"] = ((increment + (high << 64 | low)) * _MULTIPLIER + increment) & _128_BITS
        # A new generator costs four times as much.
        bits.state = state
        yield rng


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


def _states(seeds: Words) -> npt.NDArray[np.uint64]:
    """What ``SeedSequence(seed).generate_state(4, uint64)`` gives, (seeds, 4)."""
    entropy = np.zeros((_POOL, len(seeds)), dtype=np.uint32)
    entropy[0] = seeds
    pool = _hashed(entropy, *_MIXING[0])
    for source in range(_POOL):
        others = [n for n in range(_POOL) if n != source]
        pool[others] = _mixed(pool[others], _hashed(pool[source], *_MIXING[source + 1]))
    words = _hashed(np.concatenate([pool, pool]), *_DRAWING)
    return np.ascontiguousarray(words.T.astype("<u4")).view("<u8").astype(np.uint64, copy=False)


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
