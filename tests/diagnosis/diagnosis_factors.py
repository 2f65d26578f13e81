"""Initializers off by a factor that was taken twice, forgotten or given in the wrong place: the cause and fix."""

import math

import numpy as np
from diagnosis_samplers import (
    DEPTH,
    ENTRIES,
    GLOROT,
    LINEAR,
    MEAN,
    OIHW,
    OUTPUT,
    RELU,
    kernel,
    normal,
    of,
    orthogonal,
    rng,
    truncated,
    uniform,
)

from initcheck.contract.contract import Contract

# The matrices that write to the residual stream of twelve blocks of two.
RESIDUAL = Contract(gain=24**-0.5, fan="fan_in", layout="out_in")
GPT = Contract(std=0.02, layout="out_in")
ORTHOGONAL = Contract(activation="relu", fan="fan_max", layout="out_in", distribution="orthogonal", entries="dependent")


def levels(count, end):
    return lambda s, seed: rng(seed).choice(np.linspace(-end(s), end(s), count), s)


def kept(correction):
    """A quarter of He weights, times the correction."""
    return of(lambda w, r: w * (r.random(w.shape) < 0.25) * correction)


# name: (draw, contract, the claim that fails, a part of the sentence, a part of the fix)
WRONG_FACTOR = {
    "depth twice": (
        normal(lambda s: 1 / 24**2 / s[1]), RESIDUAL, OUTPUT,
        "std is 0.0417/sqrt(fan_in): gain^2 stands where the gain belongs, or the gain is applied twice",
        "std = 1/sqrt(24*fan_in)",
    ),
    "depth without its 2": (
        normal(lambda s: 1 / 12 / s[1]), RESIDUAL, OUTPUT,
        "variance is 1/(12*fan_in): 12 stands where 24 was declared", "std = 1/sqrt(24*fan_in)",
    ),
    "depth of other blocks": (
        normal(lambda s: 1 / 22 / s[1]), Contract(gain=36**-0.5, layout="out_in"), OUTPUT,
        "variance is 1/(22*fan_in): 22 stands where 36 was declared", "std = 1/sqrt(36*fan_in)",
    ),
    "depth forgotten": (
        normal(lambda s: 1 / s[1]), RESIDUAL, OUTPUT,
        "variance is 1/fan_in: the gain that was declared, 0.204, is left out", "std = 1/sqrt(24*fan_in)",
    ),
    "divided by the density": (
        kept(4), RELU, OUTPUT, "are divided by the density 0.25, where its root is due", "the root of the density",
    ),
    "corrected for what is dropped": (
        kept(0.75**-0.5), RELU, OUTPUT, "corrected for the 0.75 that is dropped", "the root of the density",
    ),
    "levels at the ends of a uniform": (
        levels(4, lambda s: math.sqrt(3 / s[1])), LINEAR, OUTPUT,
        "4 levels from -sqrt(3/fan_in) to sqrt(3/fan_in), whose variance is 1.67 times that of a uniform",
        "levels from -sqrt(1.8/fan_in) to sqrt(1.8/fan_in)",
    ),
    "bytes between the deviations": (
        lambda s, seed: rng(seed).integers(-127, 128, s) / 127 * math.sqrt(1 / s[1]), LINEAR, OUTPUT,
        "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)", "+-sqrt(3/fan_in)",
    ),
    "levels at the deviation": (
        levels(8, lambda s: math.sqrt(2 / s[1])), RELU, OUTPUT,
        "8 levels from -sqrt(2/fan_in) to sqrt(2/fan_in)", "levels from -sqrt(",
    ),
    "truncation corrected twice": (
        truncated(lambda s: math.sqrt(2 / s[1]) / 0.87963**2), RELU, OUTPUT,
        "the correction for the cut, 1/0.8796, is made twice", "by 0.8796 once",
    ),
    "truncation corrected upside down": (
        truncated(lambda s: math.sqrt(2 / s[1]) * 0.87963), RELU, OUTPUT,
        "the std is multiplied by 0.8796 for the cut", "divide the std sqrt(2/fan_in) by 0.8796",
    ),
    "a normal widened for a cut": (
        normal(lambda s: 2 / s[1] / 0.7737), RELU, OUTPUT,
        "a normal that is not cut is widened by 1/0.8796", "or cut it at two deviations",
    ),
    "a uniform of that width": (
        uniform(lambda s: 0.5 * math.sqrt(3 / s[1])), LINEAR, OUTPUT,
        "a uniform whose whole width, and not its bound, is sqrt(3/fan_in)", "+-sqrt(3/fan_in)",
    ),
    "less a half": (
        uniform(lambda s: 0.5 / math.sqrt(s[1])), LINEAR, DEPTH,
        "a uniform whose whole width, and not its bound, is 1/sqrt(fan_in)", "+-sqrt(3/fan_in)",
    ),
    "student t3": (
        lambda s, seed: rng(seed).standard_t(3, s) / math.sqrt(s[1]), LINEAR, OUTPUT,
        "a heavy tail", "by the standard deviation of the law that is drawn",
    ),
    "no brackets": (
        uniform(lambda s: math.sqrt(6 / s[1] + s[0])), GLOROT, OUTPUT,
        "as if 6/fan_in + fan_out were written: a pair of brackets is missing", "write 6/(fan_in + fan_out)",
    ),
    "sides of a kernel added": (
        normal(lambda s: 2 / (s[1] * (s[2] + s[3]))), OIHW, OUTPUT,
        "the kernel's sides are added", "divide by fan_in",
    ),
    "axes of the shape added": (
        normal(lambda s: 2 / sum(s)), OIHW, OUTPUT,
        "the axes of the shape are added to make a fan", "divide by fan_in",
    ),
    "orthogonal and divided": (
        lambda s, seed: orthogonal()(s, seed) / math.sqrt(s[1]), ORTHOGONAL, DEPTH,
        "an orthogonal matrix is divided by the root of fan_in once more", "by the gain alone",
    ),
    # a std that was promised
    "std of a uniform": (
        uniform(lambda s: 0.02), GPT, OUTPUT,
        "the std is 0.0116 at every width: a uniform on +-0.02, whose std is its bound/sqrt(3)", "+-0.0346",
    ),
    "std of a truncated": (
        truncated(lambda s: 0.02), GPT, OUTPUT,
        "a normal truncated at 2 sigma, without correction; the contract says 0.02", "0.02 by 0.8796",
    ),
    "std as variance": (
        normal(lambda s: 0.02), GPT, OUTPUT, "0.02 is taken for a variance, and its root is drawn", "std = 0.02",
    ),
    "std squared": (
        normal(lambda s: 0.02**4), GPT, OUTPUT, "the square of the 0.02 that the contract says", "std = 0.02",
    ),
    "std over the depth": (
        normal(lambda s: (0.02 / 24) ** 2), Contract(std=0.02 / 24**0.5, layout="out_in"), OUTPUT,
        "the 0.004082 of the contract over sqrt(24); perhaps 24 is twice the layers", "std = 0.004082",
    ),
    # a mean that is given
    "std in the place of the mean": (
        lambda s, seed: rng(seed).normal(1 / math.sqrt(s[1]), 1, s), LINEAR, MEAN,
        "the std stands in the place of the mean", "loc=0, scale=1/sqrt(fan_in)",
    ),
    "the upper end left at 1": (
        lambda s, seed: rng(seed).uniform(-math.sqrt(3 / s[1]), 1, s), LINEAR, MEAN,
        "the upper end of the weights is 1 at every width", "give both ends",
    ),
    # divided by what was drawn
    "of length one": (
        of(lambda w, _: w / np.linalg.norm(w)), LINEAR, OUTPUT,
        "the length of all weights of a call together is 1 in every call", "what is expected",
    ),
    "by its largest": (
        of(lambda w, _: w / np.abs(w).max() / math.sqrt(w.shape[1])), LINEAR, OUTPUT,
        "the largest weight is one number in every call of a shape", "what is expected",
    ),
    "by its own deviation": (
        of(lambda w, _: w / math.sqrt((w * w).mean()) / math.sqrt(w.shape[1])), LINEAR, ENTRIES,
        "the length of all weights of a call together is one number", "what is expected",
    ),
    "normalised along the other axis": (
        of(lambda w, _: w / np.linalg.norm(w, axis=0, keepdims=True)), LINEAR, OUTPUT,
        "the weights of every input are normalised to one length, where those of every unit were meant",
        "normalise along the other axis",
    ),
    "cut at one number": (
        of(lambda w, _: np.clip(w, -0.3, 0.3), std=lambda s: s[1] ** -0.5), LINEAR, DEPTH,
        "the weights end at +-0.3 at the widths whose law goes beyond that", "a multiple of the std",
    ),
    "drawn again beyond one number": (
        lambda s, seed: truncated(lambda s: 1.0, 0.1 * s[1] ** 0.5)(s, seed) * s[1] ** -0.5, LINEAR, OUTPUT,
        "the weights end at +-0.1 at every width, whatever the std", "a multiple of the std",
    ),
    "one column for all": (
        lambda s, seed: np.broadcast_to(rng(seed).normal(size=(s[0], 1)), s) / math.sqrt(s[1]), LINEAR, ENTRIES,
        "inputs are copies of others'", "draw every unit on its own",
    ),
}  # fmt: skip

# Right ones beside them, of which nothing is to be said.
RIGHT_FACTOR = {
    "residual": (normal(lambda s: 1 / 24 / s[1]), RESIDUAL),
    "residual, uniform": (uniform(lambda s: math.sqrt(3 / 24 / s[1])), RESIDUAL),
    "a quarter, by the root": (kept(2), RELU),
    "four levels": (levels(4, lambda s: math.sqrt(1.8 / s[1])), LINEAR),
    "bytes": (lambda s, seed: rng(seed).integers(-127, 128, s) / 127 * math.sqrt(3 / s[1]), LINEAR),
    "sixteen levels": (levels(16, lambda s: math.sqrt(3 * 15 / 17 / s[1])), LINEAR),
    "truncated and corrected once": (truncated(lambda s: math.sqrt(2 / s[1]) / 0.87963), RELU),
    "student t6": (lambda s, seed: rng(seed).standard_t(6, s) * math.sqrt(2 / 3 / s[1]), LINEAR),
    "brackets": (uniform(lambda s: math.sqrt(6 / (s[1] + s[0]))), GLOROT),
    "he of a kernel": (normal(lambda s: 2 / (s[1] * kernel(s))), OIHW),
    "orthogonal for relu": (orthogonal(gain=2**0.5), ORTHOGONAL),
    "gpt": (normal(lambda s: 0.02**2), GPT),
    "gpt, uniform": (uniform(lambda s: 0.02 * math.sqrt(3)), GPT),
    "by its own deviation, as declared": (
        of(lambda w, _: w / max(math.sqrt((w * w).mean()), 1e-9) / math.sqrt(w.shape[1])),
        Contract(activation="linear", fan="fan_in", layout="out_in", entries="dependent"),
    ),
}  # fmt: skip
