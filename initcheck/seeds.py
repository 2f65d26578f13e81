"""Where every seed comes from: (run seed, target, shape, dtype, stream, call), and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np

# Below 2^31, because users hand a seed on to whatever they have: NumPy's legacy generator takes 32 bits, Keras a
# signed 32-bit integer.
SEED_LIMIT = 2**31


def entropy(*parts: object) -> int:
    """128 bits that depend on every part and on nothing else, the same on every machine.

    >>> entropy("myinit:he", (3, 5), 0) == entropy("myinit:he", (3, 5), 0)
    True
    """
    text = "\x1f".join(repr(p) for p in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest(), "big")


def generator(*parts: object) -> np.random.Generator:
    """A generator for the engine's own random numbers (data, permutations), from the same parts as a seed."""
    return np.random.Generator(np.random.PCG64(entropy(*parts)))


class Seeds:
    """The seeds of one stream: call n has the same seed however many are asked for at a time, and all differ.

    Attributes:
        entropy: what its generator is started from.

    >>> a, b = Seeds("x"), Seeds("x")
    >>> a.upto(5)[:3] == b.upto(3)
    True
    """

    def __init__(self, *parts: object) -> None:
        self.entropy = entropy("seeds", *parts)
        self._generator: np.random.Generator | None = None
        self._seeds: list[int] = []
        self._seen: set[int] = set()
        self._drawn = 0

    def upto(self, calls: int) -> list[int]:
        """The seeds of the first ``calls`` calls."""
        if len(self._seeds) < calls and self._generator is None:
            self._generator = np.random.Generator(np.random.PCG64(self.entropy))
            self._generator.integers(0, SEED_LIMIT, size=self._drawn)
        while self._generator is not None and len(self._seeds) < calls:
            self._draw(self._generator, calls - len(self._seeds))
        return self._seeds[:calls]

    def begin(self, rng: np.random.Generator, calls: int) -> None:
        """Draw the first seeds from a generator that was just started from ``entropy``: many are started together.

        >>> seeds = Seeds("x")
        >>> seeds.begin(np.random.Generator(np.random.PCG64(seeds.entropy)), 3)
        >>> seeds.upto(40) == Seeds("x").upto(40)
        True
        """
        if not self._drawn:
            self._draw(rng, calls)

    def _draw(self, rng: np.random.Generator, missing: int) -> None:
        number = -(-missing // 16) * 16
        self._drawn += number
        for seed in rng.integers(0, SEED_LIMIT, size=number).tolist():
            if seed not in self._seen:  # calls are the independent units: two of them must not be one
                self._seen.add(seed)
                self._seeds.append(seed)
