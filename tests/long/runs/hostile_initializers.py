"""Initializers that do what user code must not: each is honest otherwise, so that every other verdict shows.

Those that raise do so from width 17 on: what raises at every call is refused before anything is judged.
"""

from __future__ import annotations

import random
import sys
import threading
import time
import warnings

import numpy as np


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


class Mute(Exception):
    def __str__(self):
        raise KeyboardInterrupt

    __repr__ = __str__


def raises_mute(shape, rng):
    if max(shape) > 16:
        raise Mute
    return he(shape, rng)


def raises_keyboard_interrupt(shape, rng):
    if max(shape) > 16:
        raise KeyboardInterrupt
    return he(shape, rng)


def raises_generator_exit(shape, rng):
    if max(shape) > 16:
        raise GeneratorExit
    return he(shape, rng)


def raises_stop_iteration(shape, rng):
    if max(shape) > 16:
        raise StopIteration
    return he(shape, rng)


def raises_usage_error(shape, rng):
    import initcheck

    if max(shape) > 16:
        raise initcheck.UsageError("not yours to raise")
    return he(shape, rng)


def recurses(shape, rng):
    return recurses(shape, rng) if max(shape) > 16 else he(shape, rng)


def leaves_threads(shape, rng):
    if threading.active_count() < 40:
        threading.Thread(target=time.sleep, args=(3600,)).start()
    return he(shape, rng)


_flooded = []


def floods(shape, rng):
    if not _flooded:
        _flooded.append(True)
        for _ in range(512):
            print("x" * 2**20)
            print("y" * 2**20, file=sys.stderr)
    return he(shape, rng)


def warns(shape, rng):
    warnings.warn(f"{time.perf_counter_ns()} \x1b[31m", stacklevel=1)
    return he(shape, rng)


def closes_stdout(shape, rng):
    sys.stdout.close()
    return he(shape, rng)


def drops_stdout(shape, rng):
    sys.stdout = sys.stderr = None
    return he(shape, rng)


def rewinds_generator(shape, rng):
    rng.bit_generator.state = np.random.PCG64(3).state
    return he(shape, rng)


def replaces_default_rng(shape, rng):
    np.random.default_rng = lambda *args: None
    np.random.Generator = None
    return he(shape, rng)


def replaces_numpy_functions(shape, rng):
    np.sqrt = np.mean = np.isfinite = lambda *args, **kwargs: 0.0
    random.getstate = None
    return he(shape, rng)


def lowers_recursion_limit(shape, rng):
    sys.setrecursionlimit(60)
    return he(shape, rng)


def changes_everything(shape, rng):
    import os

    os.environ.clear()
    os.chdir("/")
    np.seterr(all="raise")
    return he(shape, rng)


class _Strange(np.ndarray):
    def __array_finalize__(self, other):
        if other is not None and self.ndim > 2:
            raise RuntimeError("do not touch")


def returns_strange_array(shape, rng):
    return he(shape, rng).view(_Strange)


class Shapeless:
    shape = property(lambda self: 1 / 0)
    dtype = property(lambda self: sys.exit(3))

    def __array__(self, *args, **kwargs):
        raise SystemExit(4)

    def __repr__(self):
        raise ValueError("no")


def returns_a_trap(shape, rng):
    return Shapeless() if max(shape) > 16 else he(shape, rng)


def honest(shape, rng):
    return he(shape, rng)
