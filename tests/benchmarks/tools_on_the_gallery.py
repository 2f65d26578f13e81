"""What other tools say of the gallery: mistakes found, correct initializers blamed, seconds.

    python tests/benchmarks/tools_on_the_gallery.py [NAMES] [--seeds N] [--json FILE]

Every initializer fills the layers of one small network, of the layout and the activation that its contract declares;
each tool is asked as its users ask it, once a seed:

* PyTorch's own test_init: the Kolmogorov-Smirnov distance of one tensor to the declared law, blamed at p < 10^-4;
* Keras' own tests of initializers: shape (25, 20), one seed, std within 0.1 of the declared one (absolutely);
* JAX's own tests of initializers: Kolmogorov-Smirnov at 10^-2 where the law is named, the variance within 20 % else;
* TheDeepChecker: weights that do not vary; a variance 2.7 times off what the activation asks (LeCun, He or Glorot);
* neural_net_checklist: its three assertions on a network that is not trained (loss, calibration, gradients);
* AnyInit: ``assert_healthy``; it draws weights of its own, so that it judges the network and never the initializer;
* mup: the coordinate check, mean |activation| at widths 64, 256, 1,024, three networks each; blamed for a power
  of width beyond +-0.1.

PyTorch's, Keras' and JAX's tests and TheDeepChecker are rules, written here after their sources; the number for mup's
is ours, for there it is a picture. neural_net_checklist and AnyInit are the packages, where they are installed.
An initializer that raises counts as found by every tool that called it.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import inspect
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

import initcheck
from initcheck.contract.contract import Contract
from initcheck.contract.declaration import declared_contract
from initcheck.contract.gains import required_power
from initcheck.gallery import SPECIMENS, Specimen

ACTIVATIONS: dict[str, Callable[[], torch.nn.Module]] = {
    "linear": torch.nn.Identity,
    "relu": torch.nn.ReLU,
    "leaky_relu": functools.partial(torch.nn.LeakyReLU, 0.2),  # the slope of the gallery
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "selu": torch.nn.SELU,
    "gelu": torch.nn.GELU,
}
CLASSES, WIDTH, HIDDEN, BATCH = 10, 64, 4, 128
CONSTANT_RATIO = 2.70554  # TheDeepChecker's quantile, whatever the sample


class NoWeights(Exception):
    """An initializer raised, or gave no array of the shape that it was asked for: a test that called it is red."""


class Drawn:
    """One initializer with one seed: weights in the order (out, in, *kernel)."""

    def __init__(self, specimen: Specimen, seed: int) -> None:
        self.function: Callable[..., Any] = specimen.function
        self.contract: Contract = declared_contract(specimen.function.__initcheck__)  # type: ignore[attr-defined]
        self.rng = np.random.default_rng(seed)
        self.kernel = (3, 3) if len(str(self.contract.layout)) == 4 else ()

    def weight(self, out: int, inputs: int) -> np.ndarray:
        """One call. Shape (out, in) or (out, in, 3, 3).

        Raises:
            NoWeights: the initializer raised, or what came back has another shape.
        """
        order = {"out_in": "oi", "in_out": "io"}.get(str(self.contract.layout), str(self.contract.layout))
        groups = int(self.contract.groups) if isinstance(self.contract.groups, int) else 1
        sizes = {"o": out, "i": inputs // groups, "h": 3, "w": 3}
        shape = tuple(sizes[axis] for axis in order)
        wanted = {"shape": shape, "rng": self.rng, "dtype": np.float32, "seed": int(self.rng.integers(2**31))}
        names = inspect.signature(self.function).parameters
        try:
            drawn = np.asarray(self.function(**{n: wanted[n] for n in names if n in wanted}))
        except Exception as error:  # whatever an initializer raises
            raise NoWeights(f"the initializer raised at {shape}.") from error
        if drawn.shape != shape:
            raise NoWeights(f"the initializer gave {drawn.shape} for {shape}.")
        return drawn.transpose([order.index(axis) for axis in "oihw" if axis in order]).astype(np.float32)

    def ideal(self, out: int, inputs: int) -> float:
        """The std that the contract declares, or that its activation and fan ask."""
        if self.contract.std is not None:
            return float(self.contract.std)
        field = math.prod(self.kernel)
        fans = {"fan_in": inputs * field, "fan_out": out * field, "fan_max": max(out, inputs) * field}
        return math.sqrt(required_power(self.contract) / fans.get(str(self.contract.fan), (inputs + out) * field / 2))

    @property
    def activation(self) -> str:
        """The name that the contract has for it."""
        return str(self.contract.activation).partition("(")[0]

    def network(self, width: int = WIDTH) -> torch.nn.Sequential:
        """Layers of one width, each filled by a call; the last one has a unit for each class."""
        layers: list[torch.nn.Module] = []
        for n in range(HIDDEN):
            out = CLASSES if n == HIDDEN - 1 else width
            layer = torch.nn.Conv2d(width, out, 3, padding=1) if self.kernel else torch.nn.Linear(width, out)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(self.weight(out, width))))
                layer.bias.zero_()  # type: ignore[union-attr]
            layers += [layer, *([ACTIVATIONS[self.activation]()] if n < HIDDEN - 1 else [])]
        if self.kernel:
            layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
        return torch.nn.Sequential(*layers)

    def batch(self, width: int = WIDTH) -> tuple[torch.Tensor, torch.Tensor]:
        """Normalised inputs and labels."""
        shape = (BATCH, width, 8, 8) if self.kernel else (BATCH, width)
        inputs = self.rng.standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(inputs), torch.from_numpy(self.rng.integers(0, CLASSES, BATCH))


def _distance(drawn: Drawn, weights: np.ndarray, std: float) -> float | None:
    """The p-value of the Kolmogorov-Smirnov test against the declared law; None where no law of one weight is."""
    law = {
        "normal": stats.norm(scale=std),
        "uniform": stats.uniform(-math.sqrt(3) * std, 2 * math.sqrt(3) * std),
        "truncated_normal": stats.truncnorm(-2, 2, scale=std / 0.87962566103423978),
    }.get(str(drawn.contract.distribution))
    return None if law is None else float(stats.kstest(weights.ravel(), law.cdf).pvalue)


def pytorch_rule(drawn: Drawn) -> bool | None:
    """PyTorch, test/nn/test_init.py."""
    out, inputs = (int(n) for n in drawn.rng.integers(30, 50, 2))
    p = _distance(drawn, drawn.weight(out, inputs), drawn.ideal(out, inputs))
    return None if p is None else p < 1e-4


def keras_rule(drawn: Drawn) -> bool | None:
    """Keras, random_initializers_test.py."""
    return bool(abs(float(drawn.weight(20, 25).std()) - drawn.ideal(20, 25)) > 0.1)


def jax_rule(drawn: Drawn) -> bool | None:
    """JAX, tests/nn_test.py and random_test_util."""
    weights, std = drawn.weight(100, 200), drawn.ideal(100, 200)
    p = _distance(drawn, weights, std)
    return p < 1e-2 if p is not None else abs(float(weights.var()) / std**2 - 1) > 0.2


def deepchecker_rule(drawn: Drawn) -> bool | None:
    """TheDeepChecker, the check of initial weights."""
    for layer in drawn.network():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            weights = layer.weight.detach().numpy()
            out, inputs = weights.shape[0], weights[0].size
            asked = {"relu": 2 / inputs, "leaky_relu": 2 / inputs, "tanh": 2 / (inputs + out)}
            variance, ideal = float(weights.var()), asked.get(drawn.activation, 1 / inputs)
            if variance < 1e-12 or max(variance / ideal, ideal / variance) > CONSTANT_RATIO:
                return True
    return False


def checklist_rule(drawn: Drawn) -> bool | None:
    """neural_net_checklist 1.1.0, what it asserts of a network that is not trained."""
    try:
        from neural_net_checklist import torch_diagnostics as checklist
    except ImportError:
        return None
    network, batch = drawn.network(), drawn.batch()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            checklist.assert_balanced_classification_cross_entropy_loss_at_init(network, batch, num_classes=CLASSES)
            checklist.assert_balanced_classification_cross_entropy_init_calibrated(network, batch, num_classes=CLASSES)
            checklist.assert_non_zero_gradients(network, batch)
        except AssertionError:
            return True
    return False


def anyinit_rule(drawn: Drawn) -> bool | None:
    """AnyInit 0.4.0, assert_healthy of the report on the network."""
    try:
        import anyinit
    except ImportError:
        return None
    network, batch = drawn.network(), drawn.batch()
    try:
        anyinit.initialize(network, "analytic", batch[0]).assert_healthy()
    except AssertionError:
        return True
    return False


def mup_rule(drawn: Drawn) -> bool | None:
    """mup, the coordinate check at the start of training."""
    widths, sizes = (64, 256) if drawn.kernel else (64, 256, 1024), []
    for width in widths:
        hidden = [drawn.network(width)[: 2 * (HIDDEN - 1)](drawn.batch(width)[0]).detach() for _ in range(3)]
        sizes.append(max(float(torch.stack(hidden).abs().mean()), 1e-30))
    slope = np.polyfit(np.log(widths), np.log(sizes), 1)[0]
    return bool(abs(slope) > 0.1)


RULES: dict[str, Callable[[Drawn], bool | None]] = {
    "PyTorch's own tests": pytorch_rule,
    "Keras' own tests": keras_rule,
    "JAX's own tests": jax_rule,
    "TheDeepChecker's rule": deepchecker_rule,
    "neural_net_checklist": checklist_rule,
    "AnyInit, assert_healthy": anyinit_rule,
    "mup, coordinate check": mup_rule,
}


def asked(rule: Callable[[Drawn], bool | None], specimen: Specimen, seed: int) -> bool | None:
    """Whether a rule blames an initializer; None where it has nothing to say."""
    state = np.random.get_state()
    try:
        return rule(Drawn(specimen, seed))
    except NoWeights:
        return True
    finally:
        np.random.set_state(state)


@functools.cache
def ours(name: str) -> bool:
    """Whether initcheck says FAILS by default, or refuses to read it."""
    try:
        return bool(initcheck.check(f"initcheck.gallery:{name}").failures)
    except initcheck.UsageError:
        return True


def spent() -> float:
    """CPU seconds of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def lines(names: tuple[str, ...], seeds: int, with_ours: bool) -> Iterator[dict[str, Any]]:
    """The table, a line a tool."""
    chosen = [s for s in SPECIMENS if not names or s.name in names]
    for tool, rule in RULES.items():
        yield _line(tool, chosen, lambda s, rule=rule: [asked(rule, s, seed) for seed in range(seeds)])
    if with_ours:
        yield _line("initcheck", chosen, lambda s: [ours(s.name)])


def _line(tool: str, chosen: list[Specimen], says: Callable[[Specimen], list[bool | None]]) -> dict[str, Any]:
    started, wall = spent(), time.perf_counter()
    said = {s.name: [v for v in says(s) if v is not None] for s in chosen}
    seconds = (spent() - started) / max(1, sum(len(v) for v in said.values()))
    wrong = {s.name: said[s.name] for s in chosen if not s.correct}
    right = {s.name: said[s.name] for s in chosen if s.correct}
    return {
        "tool": tool,
        "mistakes": len(wrong),
        "asked of": sum(bool(v) for v in wrong.values()),
        "found": round(sum(float(np.mean(v)) for v in wrong.values() if v), 1),
        "correct": len(right),
        "asked of correct": sum(bool(v) for v in right.values()),
        "blamed": round(sum(float(np.mean(v)) for v in right.values() if v), 1),
        "CPU seconds each": float(f"{seconds:.2g}"),
        "wall": round(time.perf_counter() - wall, 1),
        "found always": sorted(n for n, v in wrong.items() if v and all(v)),
        "blamed names": sorted(n for n, v in right.items() if any(v)),
    }


def main() -> None:
    """Measure, print, and store where it is asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--without-initcheck", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    table = []
    for line in lines(tuple(given.names), given.seeds, not given.without_initcheck):
        table.append(line)
        if given.json:
            given.json.write_text(json.dumps(table, indent=1) + "\n")
        if not line["asked of"] and not line["asked of correct"]:
            print(f"{line['tool']:26} says nothing of these, or is not installed", flush=True)
            continue
        print(
            f"{line['tool']:26} found {line['found']:5} of {line['mistakes']} (asked of {line['asked of']}),"
            f" blamed {line['blamed']:4} of {line['correct']} correct ones (asked of {line['asked of correct']}),"
            f" {line['CPU seconds each']} CPU s each",
            flush=True,
        )


if __name__ == "__main__":
    main()
