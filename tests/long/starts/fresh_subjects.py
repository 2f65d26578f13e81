"""Thirty subjects for `initcheck what` in five frameworks, each with its answer, which was written before it was asked.

An answer is a parameter's path, by a regular expression, and what the line of its law must match.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["SUBJECTS"]

_THIRD = r"uniform \+-1/sqrt\((the shape's )?fan_in\): variance 1/\(3 "
_GLOROT = r"uniform \+-sqrt\(3/(the shape's )?fan_avg\)"
_LECUN = r"normal truncated at 2 sigma, std 1/sqrt\((the shape's )?fan_in\)"
_HIDDEN = r"uniform \+-1/sqrt\(hidden\)"


def glorot_by_hand(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return rng.normal(0.0, math.sqrt(2.0 / (shape[0] + shape[1])), shape)


def flat(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    return rng.uniform(-0.1, 0.1, shape)


def haar(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.sign(np.diag(r))
    return q if shape[0] >= shape[1] else q.T


def half_of_he(shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """fan_in of W @ x, where 0.5 stands for 2."""
    return rng.standard_normal(shape) * np.sqrt(0.5 / shape[1])


def fan_out_of_torch() -> Any:
    import torch

    return functools.partial(torch.nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")


def glorot_of_jax() -> Any:
    import jax

    return jax.nn.initializers.glorot_normal()


def small_scaling_of_jax() -> Any:
    import jax

    return jax.nn.initializers.variance_scaling(0.25, "fan_out", "uniform")


def lecun_of_keras() -> Any:
    import keras

    return keras.initializers.LecunUniform()


def patches_of_torch() -> Any:
    import torch

    def build() -> torch.nn.Module:
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 24, 4, stride=4), torch.nn.Flatten(), torch.nn.Linear(96, 5))
        torch.nn.init.trunc_normal_(model[0].weight, std=0.02)
        torch.nn.init.zeros_(model[2].weight)
        return model

    return build


def scaled_stack_of_torch() -> Any:
    import torch

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = torch.nn.Linear(8, 32, bias=False), torch.nn.Linear(32, 8, bias=False)
            torch.nn.init.normal_(self.up.weight, std=0.02)
            torch.nn.init.normal_(self.down.weight, std=0.02 / math.sqrt(2 * 6))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.down(torch.nn.functional.gelu(self.up(x)))

    return lambda: torch.nn.Sequential(*[Block() for _ in range(6)])


def network_of_keras() -> Any:
    import keras

    def build() -> Any:
        return keras.Sequential(
            [keras.Input((12,)), keras.layers.Dense(20, kernel_initializer="he_uniform"), keras.layers.Dense(3)]
        )

    return build


def network_of_equinox() -> Any:
    import equinox
    import jax

    return lambda key: equinox.nn.MLP(6, 3, 16, 2, key=key if key is not None else jax.random.key(0))


def named(text: str) -> Callable[[], str]:
    return lambda: text


SUBJECTS: Mapping[str, tuple[Callable[[], Any], Mapping[str, str]]] = {
    "torch grouped convolution": (named("torch.nn.Conv2d(groups=2)"), {"weight": _THIRD, "bias": r"uniform \+-1/sqrt"}),
    "torch instance norm": (named("torch.nn.InstanceNorm2d(affine=True)"), {"weight": "one", "bias": "zero"}),
    "torch LSTM of two layers": (
        named("torch.nn.LSTM(num_layers=2)"),
        {r"weight_ih_l[01]": _HIDDEN, "bias_hh_l1": _HIDDEN},
    ),
    "torch without bias": (named("torch.nn.Linear(bias=False)"), {"weight": _THIRD}),
    "torch kaiming of fan_out": (fan_out_of_torch, {".*": r"normal, std sqrt\(2/fan_out\)"}),
    "torch patches": (
        patches_of_torch,
        {r"0\.weight": r"(truncated_normal|normal).* std 0\.02", r"2\.weight": "zero", r"2\.bias": r"uniform"},
    ),
    "torch scaled stack": (
        scaled_stack_of_torch,
        {r".*up\.weight": r"normal.* std 0\.02$", r".*down\.weight": r"normal.*0\.02/sqrt\(2L\)"},
    ),
    "numpy Glorot": (lambda: glorot_by_hand, {".*": r"normal, std 1/sqrt\(fan_avg\)"}),
    "numpy flat": (lambda: flat, {".*": r"uniform \+-0\.1: variance 0\.00333"}),
    "numpy Haar": (lambda: haar, {".*": "orthogonal"}),
    "numpy half of He": (lambda: half_of_he, {".*": r"normal, std sqrt\((0\.5/fan_in|1/\(2 fan_in\))\)"}),
    "keras transposed convolution": (named("keras.layers.Conv2DTranspose"), {"kernel": _GLOROT, "bias": "zero"}),
    "keras separable": (
        named("keras.layers.SeparableConv1D"),
        {"depthwise_kernel": _GLOROT, "pointwise_kernel": _GLOROT, "bias": "zero"},
    ),
    "keras attention": (
        named("keras.layers.MultiHeadAttention(num_heads=2, key_dim=8)"),
        {r".*query.*kernel": r"uniform", r".*query.*bias": "zero"},
    ),
    "keras he_normal": (
        named("keras.layers.Dense(kernel_initializer='he_normal')"),
        {"kernel": r"normal truncated at 2 sigma, std sqrt\(2/fan_in\)", "bias": "zero"},
    ),
    "keras LeCun": (lecun_of_keras, {".*": r"uniform \+-sqrt\(3/fan_in\)"}),
    "keras network": (
        network_of_keras,
        {r".*0.*kernel": r"uniform.*sqrt\(2/fan_in\)", r".*1.*kernel": r"uniform.*", r".*bias": "zero"},
    ),
    "linen dense": (named("flax.linen.Dense"), {"kernel": _LECUN, "bias": "zero"}),
    "linen convolution": (named("flax.linen.Conv"), {"kernel": _LECUN, "bias": "zero"}),
    "linen embedding": (named("flax.linen.Embed"), {"embedding": r"normal, std 1/sqrt\((width|fan_in)\)"}),
    "linen layer norm": (named("flax.linen.LayerNorm"), {"scale": "one", "bias": "zero"}),
    "nnx attention": (
        named("flax.nnx.MultiHeadAttention(num_heads=4)"),
        {r"query\.kernel": _LECUN, r"out\.bias": "zero"},
    ),
    "nnx simple cell": (
        named("flax.nnx.SimpleCell"),
        {r"dense_i\.kernel": _LECUN, r"dense_h\.kernel": r"orthogonal matrix, std 1/sqrt\((hidden|fan_in)\)"},
    ),
    "nnx LoRA linear": (
        named("flax.nnx.LoRALinear(lora_rank=4)"),
        {"kernel": _LECUN, r"lora\.lora_a": r"uniform \+-sqrt\(6/", r"lora\.lora_b": "zero"},
    ),
    "nnx instance norm": (named("flax.nnx.InstanceNorm"), {"scale": "one", "bias": "zero"}),
    "equinox group norm": (named("equinox.nn.GroupNorm(groups=4)"), {"weight": "one", "bias": "zero"}),
    "equinox without bias": (named("equinox.nn.Linear(use_bias=False)"), {"weight": _THIRD}),
    "equinox network": (network_of_equinox, {r".*layers.*0.*weight": r"uniform", r".*layers.*0.*bias": r"uniform"}),
    "jax Glorot": (glorot_of_jax, {".*": r"normal truncated at 2 sigma, std 1/sqrt\(fan_avg\)"}),
    "jax quarter of fan_out": (small_scaling_of_jax, {".*": r"uniform \+-sqrt\(0\.75/fan_out\)"}),
}
