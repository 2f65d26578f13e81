"""Initializers broken in mean, symmetry, entries or seeds: the claim, and the cause and fix to be said."""

import math

import numpy as np
from diagnosis_samplers import (
    COUNTER,
    ENTRIES,
    FIXED,
    LINEAR,
    MEAN,
    ORTHOGONAL,
    OUTPUT,
    RELU,
    UNITS,
    ar,
    buffered,
    he,
    mask_fixed,
    normal,
    odd_row_zero,
    odd_rows,
    odd_zero,
    of,
    orthogonal,
    pairs,
    product,
    repeat_half,
    rng,
    set_last,
    square_only,
    uniform,
)

from initcheck.contract.contract import Contract


def of_uniform(shape: tuple[int, ...], seed: int) -> np.ndarray:
    left, _, right = np.linalg.svd(rng(seed).random(shape), full_matrices=False)
    return left if left.shape == shape else right


# name: (draw, contract, the claim that fails, a part of the sentence, a part of the fix)
WRONG_STRUCTURE = {
    # centering
    "random()": (
        lambda s, seed: rng(seed).random(s) * (3 / s[1]) ** 0.5, LINEAR, MEAN,
        "a uniform on [0, b): its mean is 0.866 of its rms", "uniform(-b, b) with b = sqrt(3/fan_in)",
    ),
    "absolute value": (
        of(lambda w, _: np.abs(w)), RELU, OUTPUT,
        "the absolute value of a normal", "leave the absolute value out",
    ),
    "exponential": (
        lambda s, seed: rng(seed).exponential(s[1] ** -0.5, s), LINEAR, MEAN,
        "weights of one sign", "draw around zero",
    ),
    "offset": (
        of(lambda w, _: w + 0.1 * (2 / w.shape[1]) ** 0.5), RELU, MEAN,
        "of their rms, not around zero", "leave the offset out",
    ),
    "rounded down": (
        of(lambda w, _: np.floor(w * 16 * w.shape[1] ** 0.5) / 16 / w.shape[1] ** 0.5), RELU, MEAN,
        "rounded down", "centre the grid",
    ),
    "few levels with zero": (
        lambda s, seed: (rng(seed).integers(0, 64, s) / 32 - 1) * (6 / s[1]) ** 0.5,
        RELU, "survives-its-precision",
        "a low-precision uniform whose 0 is kept", "centre the grid",
    ),
    "sorted": (
        of(lambda w, _: np.sort(w, axis=1)), RELU, MEAN,
        "sorted", "leave the sorting out",
    ),
    "sorted flat": (
        of(lambda w, _: np.sort(w, axis=None).reshape(w.shape)), RELU, MEAN,
        "sorted", "leave the sorting out",
    ),
    "identity plus noise": (
        of(lambda w, _: 0.1 * w + np.eye(*w.shape)), RELU, MEAN,
        "an identity is added", "leave the identity out",
    ),
    "fixed pattern": (
        of(lambda w, _: w + 0.3 * FIXED[: w.shape[0], : w.shape[1]] * (2 / w.shape[1]) ** 0.5), RELU, MEAN,
        "noise to one fixed pattern", "at every position",
    ),
    "qr without signs": (
        orthogonal(signs=False), ORTHOGONAL, "haar-distributed",
        "a QR decomposition without the sign fix", "signs of R's diagonal",
    ),
    "svd of numbers from 0 to 1": (
        of_uniform, ORTHOGONAL, MEAN,
        "what is decomposed is not drawn around zero", "a standard normal",
    ),
    # symmetry
    "zeros": (
        lambda s, seed: np.zeros(s), RELU, UNITS,
        "every weight is zero", "a normal of std",
    ),
    "constant": (
        lambda s, seed: np.full(s, 0.1), LINEAR, UNITS,
        "every weight is 0.1", "a normal of std 1/sqrt(fan_in)",
    ),
    "one number": (
        lambda s, seed: np.full(s, rng(seed).normal()), LINEAR, "gradients-tell-units-apart",
        "one random number fills the whole tensor", "draw every weight",
    ),
    "upper half repeated": (
        of(repeat_half), RELU, UNITS,
        "128 units are copies", "every unit on its own",
    ),
    "one row for all": (
        of(lambda w, _: np.broadcast_to(w[:1], w.shape).copy()), RELU, UNITS,
        "255 units are copies", "every unit on its own",
    ),
    "dead units": (
        of(odd_rows), RELU, UNITS,
        "6.2 % of the units have only zero weights", "on its own",
    ),
    # entries
    "antithetic units": (
        of(lambda w, r: repeat_half(w, r, -1)), RELU, ENTRIES,
        "opposite sign: antithetic", "on its own",
    ),
    "pairs": (
        pairs, RELU, ENTRIES,
        "every number is used twice", "on its own",
    ),
    "copied inputs": (
        of(lambda w, _: set_last(w, 0)), RELU, ENTRIES,
        "the weights of one input are a copy of another's", "on its own",
    ),
    "symmetric": (
        of(square_only(lambda w: (w + w.T) / 2**0.5)), RELU, ENTRIES,
        "W = W^T", "above and below the diagonal",
    ),
    "antisymmetric": (
        of(square_only(lambda w: (w - w.T) / 2**0.5)), RELU, ENTRIES,
        "W = -W^T", "above and below the diagonal",
    ),
    "low rank": (
        product, RELU, ENTRIES,
        "rank 3: a product of thin matrices", "full matrix",
    ),
    "spectral": (
        of(lambda w, _: w / np.linalg.norm(w, 2)), LINEAR, OUTPUT,
        "the largest singular value is 1 at every shape", "scale by the fan",
    ),
    "orthogonal, undeclared": (
        orthogonal(), LINEAR, ENTRIES,
        "the matrix is orthogonal", "distribution='orthogonal'",
    ),
    "autocorrelated": (
        of(ar), RELU, ENTRIES,
        "neighbouring weights of a unit are correlated, 0.6", "on its own",
    ),
    "smoothed down": (
        of(lambda w, _: ar(w.T.copy(), _).T), RELU, ENTRIES,
        "neighbouring units are correlated", "on its own",
    ),
    "unit norms": (
        of(lambda w, _: w / np.linalg.norm(w, axis=1, keepdims=True)), LINEAR, ENTRIES,
        "every unit is normalised to one length", "entries='dependent'",
    ),
    "unit scales": (
        of(lambda w, r: w * np.exp(r.normal(size=(len(w), 1)))), RELU, ENTRIES,
        "every unit has a scale of its own", "one standard deviation",
    ),
    "unit offsets": (
        of(lambda w, r: w + 0.5 * (2 / w.shape[1]) ** 0.5 * r.normal(size=(len(w), 1))), RELU, ENTRIES,
        "every unit has an offset of its own", "offset per unit",
    ),
    "near copies": (
        of(lambda w, r: np.concatenate([w[:-1], w[:1] + 0.1 * w[-1:]])), RELU, ENTRIES,
        "units are correlated", "every unit on its own",
    ),
    "triangular": (
        of(lambda w, _: np.tril(w) * 2**0.5), RELU, ENTRIES,
        "of the positions are zero in every call", "draw every position",
    ),
    "fixed mask": (
        of(mask_fixed), RELU, ENTRIES,
        "zero in every call", "the mask anew",
    ),
    # randomness
    "fixed seed": (
        lambda s, seed: normal(he)(s, 1), RELU, "calls-are-independent",
        "the seed is ignored", "the generator that is passed in",
    ),
    "four bits of seed": (
        lambda s, seed: normal(he)(s, seed % 16), RELU, "calls-are-independent",
        "reduced to a few values", "the whole seed",
    ),
    "counts its calls": (
        lambda s, seed: normal(he)(s, next(COUNTER)), RELU, "same-seed-same-weights",
        "keeps state between calls", "shape, dtype and seed alone",
    ),
    "global generator": (
        lambda s, seed: np.random.normal(0, math.sqrt(he(s)), s), RELU, "same-seed-same-weights",
        "a global generator", "default_rng(seed)",
    ),
    "one buffer": (
        buffered, RELU, "owns-its-memory",
        "calls return one buffer", "a new array",
    ),
    "mixes the last seed": (
        lambda s, seed: normal(he)(s, seed) + 0.5 * normal(he)(s, seed - 1), RELU, "calls-are-independent",
        "neighbouring seeds give related weights", "SeedSequence",
    ),
    # distribution
    "never cut": (
        normal(he),
        Contract(activation="relu", layout="out_in",
                 distribution="truncated_normal(2)"), "follows-its-distribution",
        "the normal is never cut", "multiples of the standard deviation",
    ),
    "uniform for normal": (
        uniform(lambda s: (6 / s[1]) ** 0.5),
        Contract(activation="relu", layout="out_in", distribution="normal"), "follows-its-distribution",
        "the weights follow a uniform; normal was promised", "draw from normal",
    ),
    "wrong axes": (
        lambda s, seed: normal(he)(s[::-1], seed), RELU, "returns-the-shape-asked",
        "the wrong way round", "the shape that was asked for",
    ),
    # pairs
    "odd zero": (
        odd_zero, RELU, OUTPUT,
        "zero where the number of weights is odd: they are made in pairs", "one pair more",
    ),
    "odd row zero": (
        odd_row_zero, RELU, OUTPUT,
        "zero where the last axis is odd: they are made in pairs", "one pair more",
    ),
}  # fmt: skip
