"""Initializers of a wrong scale: the claim that fails, and the cause and fix that must be said."""

import math

import numpy as np
from diagnosis_samplers import (
    BACK,
    DEPTH,
    DEPTHWISE,
    GLOROT,
    HE_OUT,
    HWIO,
    LAW,
    LINEAR,
    OIHW,
    OUTPUT,
    RELU,
    he,
    kernel,
    lecun,
    normal,
    odd_raises,
    of,
    orthogonal,
    outliers,
    own_scale,
    rng,
    std_of,
    truncated,
    uniform,
    wraps,
    zero_at_one,
)

from initcheck.contract.contract import Contract

# name: (draw, contract, the claim that fails, a part of the sentence, a part of the fix)
WRONG_SCALE = {
    # scale
    "tanh gain squared": (
        normal(lambda s: (5 / 3) ** 4 / s[1]), Contract(activation="tanh", layout="out_in"), OUTPUT,
        "std is 2.78/sqrt(fan_in): gain^2 stands where the gain belongs", "std = sqrt(2.54/fan_in)",
    ),
    "bound as std": (
        normal(lambda s: 6 / s[1]), RELU, OUTPUT,
        "variance is 6/fan_in: the bound of a uniform, sqrt(6/fan_in), stands", "std = sqrt(2/fan_in)",
    ),
    "clipped at one sigma": (
        of(lambda w, _: np.clip(w, -((2 / w.shape[1]) ** 0.5), (2 / w.shape[1]) ** 0.5)), RELU, OUTPUT,
        "/fan_in: cut at its edges, where 32 % of the weights lie, not corrected for", "do not clip",
    ),
    "rounded to a decimal": (
        of(lambda w, _: np.round(w, 1), std=lambda s: s[1] ** -0.5), LINEAR, OUTPUT,
        "every weight is a multiple of 0.1, whatever the width: they are rounded", "a fraction of the std",
    ),
    "whole numbers": (
        of(lambda w, _: np.trunc(127 * w), std=lambda s: s[1] ** -0.5), LINEAR, OUTPUT,
        "every weight is a whole number, whatever the width: they are rounded", "a fraction of the std",
    ),
    "fan rounded to a power of 2": (
        normal(lambda s: 1 / 2 ** int(math.log2(s[1]))), LINEAR, LAW,
        "1/(fan_in rounded down to a power of 2): the fan is a power of 2", "the fan itself",
    ),
    "root rounded down": (
        normal(lambda s: 1 / math.isqrt(s[1]) ** 2), LINEAR, OUTPUT,
        "the square root of fan_in is rounded down", "keep its fraction",
    ),
    "square kernels alone": (
        normal(lambda s: 2 / (s[1] * s[2] ** 2)), OIHW, OUTPUT,
        "the kernel is taken for a square of its first side", "divide by fan_in",
    ),
    "variance as std": (
        normal(lambda s: (2 / s[1]) ** 2), RELU, OUTPUT,
        "variance is (2/fan_in)^2: the square root is missing", "std = sqrt(2/fan_in)",
    ),
    "1/fan as std": (
        normal(lambda s: s[1] ** -2.0), LINEAR, DEPTH,
        "(1/fan_in)^2: the square root is missing", "std = 1/sqrt(fan_in)",
    ),
    "uniform 1/fan": (
        uniform(lambda s: 1 / s[1]), LINEAR, OUTPUT,
        "a uniform on +-1/fan_in: the square root is missing", "+-sqrt(3/fan_in)",
    ),
    "root twice": (
        normal(lambda s: (2 / s[1]) ** 0.5), RELU, BACK,
        "the square root is taken twice", "one square root: std = sqrt(2/fan_in)",
    ),
    "fixed std": (
        normal(lambda s: 0.02**2), LINEAR, OUTPUT,
        "the std is 0.02 at every width", "divide by sqrt(fan_in): std = 1/sqrt(fan_in)",
    ),
    "fixed uniform": (
        uniform(lambda s: 0.05), RELU, OUTPUT,
        "a uniform on +-0.05 at every width", "+-sqrt(6/fan_in)",
    ),
    "number of weights": (
        normal(lambda s: 2 / (s[0] * s[1])), RELU, OUTPUT,
        "scaled by the number of weights", "divide by fan_in",
    ),
    "smaller side": (
        normal(lambda s: 2 / min(s)), RELU, OUTPUT,
        "scaled by the smaller side", "divide by fan_in",
    ),
    "larger side": (
        normal(lambda s: 2 / max(s)), RELU, OUTPUT,
        "scaled by the larger side", "divide by fan_in",
    ),
    "geometric mean": (
        normal(lambda s: 2 / (s[0] * s[1]) ** 0.5), RELU, OUTPUT,
        "scaled by the geometric mean of the fans", "divide by fan_in",
    ),
    "glorot where he": (
        normal(lambda s: 4 / sum(s)), RELU, OUTPUT,
        "scaled by the mean of both fans, as Glorot", "divide by fan_in",
    ),
    "multiplied": (
        normal(lambda s: s[1]), LINEAR, OUTPUT,
        "multiplied where it should be divided", "1/sqrt(fan_in)",
    ),
    "pytorch's default": (
        uniform(lambda s: s[1] ** -0.5), LINEAR, OUTPUT,
        "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
        "+-sqrt(3/fan_in) has unit output variance",
    ),
    "pytorch's default, relu": (
        uniform(lambda s: s[1] ** -0.5), RELU, OUTPUT,
        "a uniform on +-1/sqrt(fan_in)", "+-sqrt(6/fan_in) has unit output variance",
    ),
    "uniform of he's std": (
        uniform(lambda s: (2 / s[1]) ** 0.5), RELU, OUTPUT,
        "a uniform on +-sqrt(2/fan_in)", "+-sqrt(6/fan_in)",
    ),
    "uniform of glorot's std": (
        uniform(lambda s: (2 / sum(s)) ** 0.5), GLOROT, OUTPUT,
        "a uniform on +-sqrt(2/(fan_in + fan_out))", "+-sqrt(6/(fan_in + fan_out))",
    ),
    "truncated he": (
        truncated(std_of(lambda s: s[1])), RELU, OUTPUT,
        "a normal truncated at 2 sigma, without correction", "by 0.8796",
    ),
    "truncated lecun": (
        truncated(lambda s: s[1] ** -0.5), LINEAR, DEPTH,
        "truncated at 2 sigma, without correction", "1/sqrt(fan_in) by 0.8796",
    ),
    "cut at one sigma": (
        truncated(lambda s: s[1] ** -0.5, 1.0), LINEAR, OUTPUT,
        "0.291/fan_in: a normal truncated at 1 sigma", "by 0.5396",
    ),
    "sparse": (
        of(lambda w, r: w * (r.random(w.shape) < 0.2)), RELU, OUTPUT,
        "% of the weights not zero, not corrected for", "the root of the density",
    ),
    "lecun for relu": (
        normal(lecun), RELU, OUTPUT,
        "variance is 1/fan_in: the gain of linear (LeCun); relu needs 2/fan_in", "sqrt(2/fan_in)",
    ),
    "he for linear": (
        normal(he), LINEAR, OUTPUT,
        "the gain of relu (He); linear needs 1/fan_in", "1/sqrt(fan_in)",
    ),
    "tanh for relu": (
        normal(lambda s: 25 / 9 / s[1]), RELU, OUTPUT,
        "the gain of tanh (PyTorch's 5/3)", "sqrt(2/fan_in)",
    ),
    "selu in pytorch's table": (
        normal(lambda s: 9 / 16 / s[1]), Contract(activation="selu", fan="fan_in"), OUTPUT,
        "PyTorch's gain 3/4 for SELU", "1/sqrt(fan_in)",
    ),
    "gain squared": (
        normal(lambda s: 4 / s[1]), RELU, OUTPUT,
        "gain^2 stands where the gain belongs", "sqrt(2/fan_in)",
    ),
    "gain not squared": (
        normal(lambda s: 2**0.5 / s[1]), RELU, OUTPUT,
        "the gain stands where gain^2 belongs", "sqrt(2/fan_in)",
    ),
    "glorot without its 2": (
        normal(lambda s: 1 / sum(s)), GLOROT, OUTPUT,
        "variance is 1/(fan_in + fan_out): the factor 2", "2/(fan_in + fan_out)",
    ),
    "four gates": (
        normal(lambda s: 1 / (4 * s[1])), LINEAR, OUTPUT,
        "perhaps the fan counts an extra axis of 4", "leave the axis out",
    ),
    "eight heads": (
        normal(lambda s: 2 / (8 * s[1])), RELU, OUTPUT,
        "divided by 8: perhaps", "leave the axis out",
    ),
    "fans swapped": (
        normal(lambda s: 2 / s[0]), RELU, OUTPUT,
        "variance is 2/fan_out: the fans are swapped; fan_in was promised", "the other axis",
    ),
    "fans swapped back": (
        normal(lambda s: 2 / s[1]), HE_OUT, BACK,
        "the fans are swapped; fan_out was promised", "sqrt(2/fan_out)",
    ),
    "laplace scale": (
        lambda s, seed: rng(seed).laplace(0, math.sqrt(he(s)), s), RELU, OUTPUT,
        "a Laplace law of scale sqrt(2/fan_in)", "scale = 1/sqrt(fan_in)",
    ),
    "bias counted": (
        normal(lambda s: 2 / (s[1] + 1)), RELU, OUTPUT,
        "2/(fan_in + 1): half of what is needed at fan_in 1", "the fan itself",
    ),
    "fan minus one": (
        normal(lambda s: 2 / (s[1] - 1) if s[1] > 1 else math.inf), RELU, "finite",
        "infinite at fan_in 1, 1.5 times too large at 3", "the fan itself",
    ),
    "floor division": (
        normal(lambda s: 1 / (s[1] // 2 or 0.5)), RELU, LAW,
        "integer division", "use /, not //",
    ),
    "padded to eight": (
        normal(lambda s: 2 / (8 * math.ceil(s[1] / 8))), RELU, LAW,
        "rounded up to a multiple of 8", "divide by fan_in",
    ),
    "declared std missed": (
        normal(lambda s: 0.05**2), Contract(std=0.02, layout="out_in"), OUTPUT,
        "the std is 0.05 at every width; the contract says 0.02", "std = 0.02",
    ),
    "orthogonal for fan_in": (
        orthogonal(), LINEAR, OUTPUT,
        "an orthogonal matrix is scaled by the larger side", "declare distribution='orthogonal'",
    ),
    # convolutions
    "positions not counted": (
        normal(lambda s: 2 / s[1]), OIHW, OUTPUT,
        "the kernel's positions are not counted", "divide by fan_in",
    ),
    "kernel minus one": (
        normal(lambda s: 2 / max(s[1] * (s[2] - 1) * (s[3] - 1), 1e-9)), OIHW, OUTPUT,
        "one too small", "divide by fan_in",
    ),
    "channels not counted": (
        normal(lambda s: 2 / kernel(s)), OIHW, OUTPUT,
        "the kernel's positions alone", "divide by fan_in",
    ),
    "hwio read of oihw": (
        normal(lambda s: 2 / math.prod(s[:-1])), OIHW, OUTPUT,
        "read from another layout's axes", "oihw",
    ),
    "oihw read of hwio": (
        normal(lambda s: 2 / math.prod(s[1:])), HWIO, OUTPUT,
        "read from another layout's axes", "hwio",
    ),
    "fan_out of a kernel": (
        normal(lambda s: 2 / (s[0] * kernel(s))), OIHW, OUTPUT,
        "the fans are swapped", "the other axis",
    ),
    "depthwise counts channels": (
        normal(lambda s: 2 / (s[0] * kernel(s))), DEPTHWISE, OUTPUT,
        "counts all channels, and a depthwise unit sees one", "kh*kw",
    ),
    "depthwise glorot": (
        normal(lambda s: 4 / ((s[0] + 1) * kernel(s))), DEPTHWISE, OUTPUT,
        "a depthwise unit sees one", "kh*kw",
    ),
    # exceptions
    "eight bits": (
        normal(wraps), RELU, LAW,
        "held in 8 bits", "as an int",
    ),
    "signed byte": (
        normal(lambda s: 2 / (abs((s[1] + 128) % 256 - 128) or 1)), RELU, LAW,
        "held in a signed byte", "as an int",
    ),
    "zero at one": (
        zero_at_one, RELU, OUTPUT,
        "every weight is zero at fan_in 1", "fan_in itself",
    ),
    "odd raises": (
        odd_raises, RELU, "accepts-every-shape",
        "they are made in pairs", "one pair more",
    ),
    "standardised": (
        own_scale, RELU, OUTPUT,
        "centred or normalised by its own draw", "not by the weights drawn",
    ),
    "scale per call": (
        of(lambda w, r: w * math.exp(r.normal())), RELU, DEPTH,
        "every call has a scale of its own", "the shape alone",
    ),
    # tails
    "student t2": (
        lambda s, seed: rng(seed).standard_t(2, s) * s[1] ** -0.5, LINEAR, OUTPUT,
        "which has no variance", "a normal or a uniform",
    ),
    "cauchy": (
        lambda s, seed: rng(seed).standard_cauchy(s) * s[1] ** -0.5, LINEAR, DEPTH,
        "which has no variance", "a normal of std 1/sqrt(fan_in)",
    ),
    "rare outliers": (
        of(outliers), RELU, OUTPUT,
        "beyond 8 standard deviations", "one law",
    ),
}  # fmt: skip
