"""Initializers that end or stop their process once a shape is larger than what a target is looked at with."""

import ctypes
import os
import resource
import sys
import time

import numpy as np


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


def exits(shape, rng):
    if max(shape) > 16:
        os._exit(0)
    return he(shape, rng)


def segfaults(shape, rng):
    if max(shape) > 16:
        ctypes.string_at(0)
    return he(shape, rng)


class _Endless:
    def __getattr__(self, name):
        return getattr(self, name + "x")


def recurses_in_c(shape, rng):
    if max(shape) > 16:
        sys.setrecursionlimit(10**8)
        _Endless().x  # noqa: B018
    return he(shape, rng)


_kept = []


def hogs(shape, rng):
    if max(shape) > 16:
        resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, resource.RLIM_INFINITY))
        while True:
            _kept.append(np.empty(2**25))
    return he(shape, rng)


def hangs(shape, rng):
    if max(shape) > 16:
        time.sleep(3600)
    return he(shape, rng)


def leaves_stubborn_threads(shape, rng):
    import threading

    if threading.active_count() < 20:
        threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    return he(shape, rng)


def honest(shape, rng):
    return he(shape, rng)
