"""Where every seed comes from: (run seed, target, shape, dtype, stream, call), and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["SEED_LIMIT", "Seeds", "entropy", "generator"]

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

    >>> a, b = Seeds("x"), Seeds("x")
    >>> a.upto(5)[:3] == b.upto(3)
    True
    """

    def __init__(self, *parts: object) -> None:
        self._generator = generator("seeds", *parts)
        self._seeds: list[int] = []
        self._seen: set[int] = set()

    def upto(self, calls: int) -> list[int]:
        """The seeds of the first ``calls`` calls."""
        while len(self._seeds) < calls:
            missing = -(-(calls - len(self._seeds)) // 16) * 16
            for seed in self._generator.integers(0, SEED_LIMIT, size=missing).tolist():
                if seed not in self._seen:  # calls are the independent units: two of them must not be one
                    self._seen.add(seed)
                    self._seeds.append(seed)
        return self._seeds[:calls]
