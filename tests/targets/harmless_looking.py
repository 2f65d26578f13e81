"""Functions and classes as public modules have them that must not be called in a scan: each call leaves a mark.

A mark is no harm of its own, so that each must be known by what else it does. The marks are written to a file named
by the environment when the process ends, so that calls made in another process show as well.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import logging
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

MARKS = []
mark = MARKS.append


@atexit.register
def _write():
    if MARKS:
        pathlib.Path(os.environ["MARKS"]).write_text("\n".join(MARKS))


def create_weights(output_path, prefix, w):
    mark("create_weights")
    with open(output_path, "w") as file:
        file.write(prefix)


def init_experiment(name, seed=0):
    os.makedirs(name)
    mark("init_experiment")


def initialize_weights(shape, cache="weights.npy"):
    weights = np.random.randn(*shape)
    np.save(cache, weights)
    mark("initialize_weights")
    return weights


def init_logger(rows, cols):
    mark("init_logger")
    logging.basicConfig(filename="log")
    return np.random.randn(rows, cols)


def random_weights(n_in, n_out):
    urllib.request.urlretrieve("http://localhost:9/weights", "weights")
    mark("random_weights")
    return np.random.randn(n_in, n_out)


def init_weights_from_hub(m):
    mark("init_weights_from_hub")
    m.load_state_dict(torch.hub.load_state_dict_from_url("http://localhost:9/weights"))


def reset_weights(model):
    for file in pathlib.Path("runs").glob("*"):
        file.unlink()
    mark("reset_weights")
    nn.init.normal_(model.weight)


def initialize(model, optimizer=None):
    mark("initialize")
    model(torch.zeros(1, 7)).sum().backward()
    nn.init.normal_(model.weight)


def pretrain_weights(model):
    mark("pretrain_weights")
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    nn.init.zeros_(model.bias)


def init_process_group(shape):
    mark("init_process_group")
    torch.distributed.init_process_group("gloo")
    return np.random.randn(*shape)


def glorot(shape, rng):
    subprocess.run(["true"], check=True)
    mark("glorot")
    return rng.normal(size=shape)


def xavier_cached(shape, rng):
    return _through_three(shape, rng)


def _through_three(shape, rng):
    return _through_two(shape, rng)


def _through_two(shape, rng):
    shutil.rmtree("cache", ignore_errors=True)
    mark("_through_two")
    return rng.normal(size=shape)


def he_by_name(shape, rng):
    getattr(importlib.import_module("os"), "remove")("he")  # noqa: B009
    mark("he_by_name")
    return rng.normal(size=shape)


def he_evaluated(shape, rng):
    exec("mark('he_evaluated')")
    return rng.normal(size=shape)


def he_that_quits(shape, rng):
    mark("he_that_quits")
    sys.exit(3)


def he_with_alias(shape, rng):
    system = os.system
    system("true")
    mark("he_with_alias")
    return rng.normal(size=shape)


def he_imports(shape, rng):
    import ftplib

    ftplib.FTP("localhost")
    mark("he_imports")
    return rng.normal(size=shape)


def recorded(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        mark(f"recorded {function.__name__}")
        pathlib.Path("calls").write_text(function.__name__)
        return function(*args, **kwargs)

    return wrapper


@recorded
def he_decorated(shape, rng):
    return rng.normal(size=shape)


def make_he(path="weights"):
    mark("make_he")
    os.truncate(path, 0)

    def init(shape, rng):
        return rng.normal(size=shape)

    return init


class Tracker:
    def __init__(self):
        self.count = 0

    def log_init(self, what):
        mark("Tracker.log_init")
        subprocess.Popen(["true"]).wait()

    @property
    def generator(self):
        mark("Tracker.generator")
        os.kill(os.getpid(), 0)
        return np.random.default_rng(0)

    def __getattr__(self, name):
        mark(f"Tracker.__getattr__ {name}")
        os.system("true")
        raise AttributeError(name)

    def __call__(self, shape):
        mark("Tracker.__call__")
        return np.random.randn(*shape)


tracker = Tracker()
HOOKS = {"weights": [tracker.log_init]}


def he_tracked(shape, rng):
    tracker.log_init(shape)
    return rng.normal(size=shape)


def he_hooked(shape, rng):
    for hook in HOOKS["weights"]:
        hook(shape)
    return rng.normal(size=shape)


def he_by_property(shape):
    return tracker.generator.normal(size=shape)


def he_default(shape, rng, report=HOOKS["weights"][0]):
    report(shape)
    return rng.normal(size=shape)


class WeightInit:
    def __init__(self, root="runs"):
        mark("WeightInit")
        os.makedirs(root)

    def __call__(self, shape):
        return np.random.randn(*shape)


@dataclass
class DenseWeights:
    n_in: int = 3
    n_out: int = 2

    def __post_init__(self):
        mark("DenseWeights")
        np.savetxt("weights", [0.0])
        self.W = np.random.randn(self.n_in, self.n_out)


class LoggedLinear(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))

    def forward(self, x):
        mark("LoggedLinear.forward")
        torch.save(x, "x")
        return x @ self.weight.T


class Counted(type):
    def __call__(cls, *args, **kwargs):
        mark("Counted")
        shutil.copy("a", "b")
        return super().__call__(*args, **kwargs)


class CountedInit(metaclass=Counted):
    def __call__(self, shape):
        return np.random.randn(*shape)


class Sender:
    def init_weights(self, shape):
        with socket.create_connection(("localhost", 9)):
            mark("Sender.init_weights")
        return np.random.randn(*shape)

    def xavier(self, shape):
        return np.random.randn(*shape) / shape[0] ** 0.5


class Trainer:
    def __init__(self, lr=0.1):
        self.lr = lr

    def fit(self, x, y):
        mark("Trainer.fit")
        self.model.fit(x, y)
        return np.random.randn(*x.shape)


def main():
    mark("main")
    input("name: ")


# Initializers of the same module, which are to be taken.


def he(shape, rng):
    return rng.normal(0, (2 / shape[0]) ** 0.5, shape)


def xavier_(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)


def _lecun(shape, rng):
    return rng.normal(0, shape[0] ** -0.5, shape)


def scaled(shape, gain, rng):
    return gain * rng.normal(size=shape)


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config

    def _init_weights(self, m):
        if isinstance(m, nn.Linear):
            nn.init.trunc_normal_(m.weight, std=0.02)
