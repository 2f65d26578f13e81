"""Ten pairs of starts as they are met in ports and refactorings, half of them one law; the answers were written first.

``python tests/long/comparison/pairs.py [NAME ...]`` compares them and prints a line each: what was said, what is true,
the cause, CPU seconds. Models are of PyTorch, functions of PyTorch, JAX, Keras and NumPy.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Rng = np.random.Generator
WIDTH, LAYERS = 24, 4


# One law, written in another way.


def glorot_by_unit_numbers(shape: tuple[int, int], rng: Rng) -> Any:
    """Glorot's uniform law from numbers in [0, 1)."""
    return (2 * rng.random(shape) - 1) * math.sqrt(6 / (shape[0] + shape[1]))


def cut_by_rejection(shape: tuple[int, int], rng: Rng) -> Any:
    """A normal of std 0.02 cut at two standard deviations: what lies outside is drawn again."""
    w = rng.standard_normal(shape)
    while (outside := np.abs(w) > 2).any():
        w[outside] = rng.standard_normal(int(outside.sum()))
    return 0.02 * w


def haar_by_svd(shape: tuple[int, int], rng: Rng) -> Any:
    """An orthogonal matrix as the polar factor of a normal one; torch takes the Q of a QR with signs mended."""
    u, _, v = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    return u @ v


# Another law, by a slip.


def lecun_without_the_correction(shape: tuple[int, int], rng: Rng) -> Any:
    """LeCun's law cut at two, whose variance nobody gave back; (inputs, outputs)."""
    return cut_by_rejection(shape, rng) / 0.02 / math.sqrt(shape[0])


def _attention(packed: bool, whole: bool) -> Callable[[], Any]:
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if packed:
                self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
                nn.init.zeros_(self.qkv.bias)
                if whole:
                    nn.init.xavier_uniform_(self.qkv.weight)
                else:
                    with torch.no_grad():
                        pieces = [nn.init.xavier_uniform_(torch.empty(WIDTH, WIDTH)) for _ in range(3)]
                        self.qkv.weight.copy_(torch.cat(pieces))
            else:
                self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
                for layer in (self.q, self.k, self.v):
                    nn.init.xavier_uniform_(layer.weight)
                    nn.init.zeros_(layer.bias)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = Attention()
            self.out = nn.Linear(WIDTH, WIDTH)

    return Net


attention_split = _attention(False, False)
attention_packed_by_pieces = _attention(True, False)
attention_packed_whole = _attention(True, True)


def _convolutions(receptive: bool) -> Any:
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    for layer in net[:3]:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.bias)
            fan_in = layer.weight[0].numel() if receptive else layer.in_channels
            nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
    return nn.Sequential(*net[:3])


def convolutions() -> Any:
    """He's law of the whole receptive field."""
    return _convolutions(True)


def convolutions_by_channels() -> Any:
    """The same, but that only channels are counted."""
    return _convolutions(False)


def _language_model(name: str) -> Any:
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.Linear(WIDTH, 2 * WIDTH, bias=False)
            setattr(self, name, nn.Linear(2 * WIDTH, WIDTH, bias=False))

    net = nn.Module()
    net.embed = nn.Embedding(40, WIDTH)
    net.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
    for path, weight in net.named_parameters():
        residual = path.endswith("proj.weight")
        nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if residual else 0.02)
    return net


def writers_found_by_name() -> Any:
    """Those that write to the residual stream are scaled by their name, proj."""
    return _language_model("proj")


def writers_renamed() -> Any:
    """A refactoring called them down, and no name ends in proj any more."""
    return _language_model("down")


def _recurrent(whole: bool) -> Any:
    import torch
    from torch import nn

    cell = nn.LSTMCell(WIDTH, WIDTH)
    with torch.no_grad():
        nn.init.xavier_uniform_(cell.weight_ih)
        nn.init.zeros_(cell.bias_ih)
        nn.init.zeros_(cell.bias_hh)
        if whole:
            nn.init.orthogonal_(cell.weight_hh)
        else:
            for gate in cell.weight_hh.chunk(4):
                nn.init.orthogonal_(gate)
    return cell


def gates_orthogonal() -> Any:
    """Each gate's matrix is orthogonal."""
    return _recurrent(False)


def gates_orthogonal_together() -> Any:
    """The four gates are one matrix with orthonormal columns: each is half as large."""
    return _recurrent(True)


HERE = "pairs"
PAIRS: dict[str, tuple[str, str, str, str]] = {
    "glorot": (f"{HERE}:glorot_by_unit_numbers", "torch.nn.init:xavier_uniform_", "SAME", ""),
    "cut": (f"{HERE}:cut_by_rejection", "torch.nn.init:trunc_normal_(std=0.02,a=-0.04,b=0.04)", "SAME", ""),
    "haar": (f"{HERE}:haar_by_svd", "torch.nn.init:orthogonal_", "SAME", ""),
    "he": ("keras.initializers:HeNormal", "jax.nn.initializers:he_normal()", "SAME", ""),
    "packed": (f"{HERE}:attention_packed_by_pieces", f"{HERE}:attention_split", "SAME", ""),
    "correction": (f"{HERE}:lecun_without_the_correction", "jax.nn.initializers:lecun_normal()", "DIFFERENT", "0.8796"),
    "receptive field": (f"{HERE}:convolutions", f"{HERE}:convolutions_by_channels", "DIFFERENT", "3 times"),
    "renamed": (f"{HERE}:writers_found_by_name", f"{HERE}:writers_renamed", "DIFFERENT", "2.83 times"),
    "packed whole": (
        f"{HERE}:attention_packed_whole",
        f"{HERE}:attention_split",
        "DIFFERENT",
        "counts all pieces in A",
    ),
    "gates": (f"{HERE}:gates_orthogonal", f"{HERE}:gates_orthogonal_together", "DIFFERENT", "orthogonal"),
}
"""Name -> A, B, what is true, a word that the report should say of the difference."""


def main(*names: str) -> None:
    """Print a line a pair."""
    import initcheck

    sys.path.insert(0, str(Path(__file__).parent))
    right = 0
    for name in names or PAIRS:
        a, b, truth, word = PAIRS[name]
        started = time.process_time()
        report = initcheck.same(a, b, profile="quick")
        said = str(report)
        verdict = report["start-from-one-law"].verdict.value
        answer = {"HOLDS": "SAME", "FAILS": "DIFFERENT"}.get(verdict, verdict)
        named = word in said
        right += answer == truth and named
        print(f"{name:16s} {answer:10s} true {truth:10s} {'' if named else f'without {word!r} '}"
              f"{time.process_time() - started:.1f} CPU s", flush=True)  # fmt: skip
        if answer != truth or not named:
            print(said, flush=True)
    print(f"{right} of {len(names or PAIRS)} right and named")


if __name__ == "__main__":
    main(*sys.argv[1:])
