"""Initializers that do harm in a roundabout way: by an operator, a format, a default, a library's lesser function.

Each call leaves a mark, written to a file named by the environment when the process ends.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import copy
import dataclasses
import enum
import functools
import inspect
import json
import logging
import logging.handlers
import operator
import os
import pathlib
import sys
import tempfile
import typing
import weakref

import equinox as eqx
import h5py
import jax
import keras
import numpy as np
import scipy.io
import scipy.sparse
import torch
from torch import nn

MARKS = []
mark = MARKS.append


@atexit.register
def _write():
    if MARKS:
        pathlib.Path(os.environ["MARKS"]).write_text("\n".join(MARKS))


def _weights(shape, rng):
    return rng.normal(0, (2 / shape[0]) ** 0.5, shape)


LOG = open(os.devnull, "w")  # noqa: SIM115
TABLE = np.memmap(tempfile.TemporaryFile(), np.float32, "w+", shape=(4, 4))  # noqa: SIM115


def he_printed(shape, rng):
    mark("he_printed")
    print(shape, file=LOG)
    return _weights(shape, rng)


def he_written_through(shape, rng):
    mark("he_written_through")
    TABLE[:] = 1.0
    return _weights(shape, rng)


def he_by_methodcaller(shape, rng, place=("nothing", "here")):
    mark("he_by_methodcaller")
    operator.methodcaller("unlink", missing_ok=True)(pathlib.Path(*place))
    return _weights(shape, rng)


def he_by_attrgetter(shape, rng):
    mark("he_by_attrgetter")
    operator.attrgetter("system")(sys.modules["os"])("true")
    return _weights(shape, rng)


def he_by_loaded_modules(shape, rng):
    mark("he_by_loaded_modules")
    sys.modules["shutil"].rmtree("nothing here", ignore_errors=True)
    return _weights(shape, rng)


def he_by_builtins_of_a_library(shape, rng):
    mark("he_by_builtins_of_a_library")
    json.__builtins__["open"](os.devnull, "w").close()
    return _weights(shape, rng)


def he_by_its_frame(shape, rng):
    mark("he_by_its_frame")
    inspect.currentframe().f_builtins["exec"]("pass")
    return _weights(shape, rng)


def _annotated(x: mark("he_by_annotation")):
    return x


def he_by_annotation(shape, rng):
    typing.get_type_hints(_annotated)
    return _weights(shape, rng)


def he_annotated(shape: mark("he_annotated"), rng):
    print(shape, file=LOG)
    return _weights(shape, rng)


def he_by_a_test_runner(shape, rng):
    mark("he_by_a_test_runner")
    np.testing.runstring("pass", {})
    return _weights(shape, rng)


def he_mapped(shape, rng):
    mark("he_mapped")
    np.lib.format.open_memmap("mapped.npy", mode="w+", shape=shape)
    return _weights(shape, rng)


def he_for_matlab(shape, rng):
    mark("he_for_matlab")
    weights = _weights(shape, rng)
    scipy.io.savemat("weights.mat", {"w": weights})
    return weights


def he_sparse(shape, rng):
    mark("he_sparse")
    weights = _weights(shape, rng)
    scipy.sparse.save_npz("weights.npz", scipy.sparse.csr_matrix(weights))
    return weights


def he_serialised(shape, rng):
    mark("he_serialised")
    weights = _weights(shape, rng)
    eqx.tree_serialise_leaves("weights.eqx", weights)
    return weights


def he_of_a_shared_file(shape):
    mark("he_of_a_shared_file")
    torch.from_file("weights.bin", shared=True, size=4)
    return torch.randn(shape)


def he_packaged(shape):
    mark("he_packaged")
    with torch.package.PackageExporter("weights.pt"):
        return torch.randn(shape)


def he_pictured(shape, rng):
    mark("he_pictured")
    weights = _weights(shape, rng)
    keras.utils.save_img("weights.png", weights[..., None])
    return weights


def he_handled(shape, rng):
    mark("he_handled")
    logging.getLogger("w").addHandler(logging.handlers.WatchedFileHandler("weights.log"))
    return _weights(shape, rng)


@functools.singledispatch
def he_dispatched(shape):
    raise TypeError(shape)


@he_dispatched.register(tuple)
def _of_tuple(shape):
    mark("he_dispatched")
    open("weights.txt", "w").close()
    return np.random.normal(0, (2 / shape[0]) ** 0.5, shape)


def _fetched():
    mark("he_of_defaults")
    open("weights.txt", "w").close()
    return 1.0


SCALES = collections.defaultdict(_fetched)


def he_of_defaults(shape, rng):
    return SCALES[shape] * _weights(shape, rng)


class Note:
    def __format__(self, spec):
        mark("he_formatted")
        open("weights.txt", "w").close()
        return ""

    def __rmul__(self, other):
        mark("he_multiplied")
        open("weights.txt", "w").close()
        return other

    def __iter__(self):
        mark("he_iterated")
        open("weights.txt", "w").close()
        return iter((1.0,))

    def __deepcopy__(self, memo):
        mark("he_copied")
        open("weights.txt", "w").close()
        return self

    def __bool__(self):
        mark("he_asked")
        open("weights.txt", "w").close()
        return True


NOTE = Note()


def he_formatted(shape, rng):
    return _weights(shape, rng) * (1 + len(f"{NOTE}"))


def he_multiplied(shape, rng):
    return _weights(shape, rng) * NOTE


def he_iterated(shape, rng):
    return sum(s * _weights(shape, rng) for s in NOTE)


def he_copied(shape, rng):
    copy.deepcopy(NOTE)
    return _weights(shape, rng)


def he_asked(shape, rng):
    return _weights(shape, rng) if NOTE else None


class Remembered(dict):
    def __missing__(self, key):
        mark("he_missing")
        open("weights.txt", "w").close()
        return 1.0


GAINS = Remembered()


def he_missing(shape, rng):
    return GAINS[shape] * _weights(shape, rng)


class HeChecked(eqx.Module):
    weight: jax.Array

    def __init__(self, in_features, out_features, key):
        self.weight = jax.random.normal(key, (out_features, in_features))

    def __check_init__(self):
        mark("HeChecked")
        open("weights.txt", "w").close()

    def __call__(self, x):
        return self.weight @ x


@dataclasses.dataclass
class HeConnected:
    log: object = dataclasses.field(default_factory=_fetched)

    def __call__(self, shape, rng):
        return _weights(shape, rng)


class Gain(enum.Enum):
    RELU = 2.0

    @classmethod
    def _missing_(cls, value):
        mark("he_of_gain")
        open("weights.txt", "w").close()
        return cls.RELU


def he_of_gain(shape, rng):
    return rng.normal(0, (Gain(shape).value / shape[0]) ** 0.5, shape)


def he_stored(shape, rng):
    mark("he_stored")
    weights = _weights(shape, rng)
    h5py.File("weights.h5", "w")["w"] = weights
    return weights


def he_elsewhere(shape, rng):
    mark("he_elsewhere")
    with contextlib.chdir("/"):
        return _weights(shape, rng)


def he_of_a_library(shape):
    mark("he_of_a_library")
    with contextlib.suppress(OSError):
        torch.ops.load_library("weights.so")
    return torch.randn(shape)


class Recorded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        mark("he_recorded")
        open("weights.txt", "w").close()
        return x


def he_recorded(shape):
    return Recorded.apply(torch.randn(shape))


def _before(module, args):
    mark("he_hooked")
    open("weights.txt", "w").close()


NET = nn.Identity()
NET.register_forward_pre_hook(_before)


def he_hooked(shape):
    return NET(torch.randn(shape))


def _erase():
    mark("he_finalised")
    open("weights.txt", "w").close()


def he_finalised(shape, rng):
    weights = _weights(shape, rng)
    weakref.finalize(weights, _erase)
    return weights


def he(shape, rng):
    """The only one that does no harm."""
    return _weights(shape, rng)
