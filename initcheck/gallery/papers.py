"""The initializers of the papers, each with the contract it keeps."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from initcheck.gallery.sampling import (
    CONVOLUTION,
    LINEAR,
    RELU,
    Array,
    Rng,
    Shape,
    fan_in,
    fan_out,
    normal,
    uniform,
)
from initcheck.gallery.specimen import correct

__all__ = [
    "gelu_normal", "glorot_normal", "glorot_uniform", "he_convolution", "he_convolution_fan_out",
    "he_fan_out", "he_half", "he_laplace", "he_leaky", "he_normal", "he_orthogonal", "he_rademacher", "he_sparse",
    "he_truncated", "he_uniform", "he_unit_rows", "lecun_in_out", "lecun_normal", "lecun_uniform",
    "orthogonal", "selu_normal", "tanh_five_thirds", "tanh_normal", "tutorial_normal_declared",
]  # fmt: skip

HE_2015 = "He et al. 2015 (arXiv 1502.01852), eq. 10"
LECUN_1998 = "LeCun et al. 1998, Efficient BackProp, section 4.6"
GLOROT_2010 = "Glorot & Bengio 2010, eq. 16"
SAXE_2014 = "Saxe, McClelland & Ganguli 2014 (arXiv 1312.6120)"


@correct(contract={**RELU, "distribution": "normal"}, source=HE_2015)
def he_normal(shape: Shape, rng: Rng) -> Array:
    """ReLU halves the second moment, so a variance of 2/fan_in keeps it.

    >>> he_normal((3, 2), np.random.default_rng(0)).shape
    (3, 2)
    """
    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))


@correct(contract={**RELU, "distribution": "uniform"}, source=HE_2015)
def he_uniform(shape: Shape, rng: Rng) -> Array:
    """A uniform on +-b has variance b^2/3, so the bound is sqrt(3 * 2/fan_in)."""
    return uniform(shape, rng, math.sqrt(6 / fan_in(shape)))


@correct(contract={**RELU, "distribution": "truncated_normal(2)"}, source=HE_2015)
def he_truncated(shape: Shape, rng: Rng) -> Array:
    """Cutting at two sigma leaves a standard deviation of 0.8796 sigma, which is divided out."""
    w = rng.standard_normal(shape, dtype=np.float32)
    while (far := np.abs(w) > 2).any():
        w[far] = rng.standard_normal(int(far.sum()), dtype=np.float32)
    return w * np.float32(math.sqrt(2 / fan_in(shape)) / 0.87962566)


@correct(
    contract={**RELU, "dtypes": ("float32", "float16")},
    source=f"{HE_2015}; Micikevicius et al. 2018 (arXiv 1710.03740), section 3.1, for the float32 copy",
)
def he_half(shape: Shape, rng: Rng, dtype: npt.DTypeLike = np.float32) -> Array:
    """Drawn in float32 and rounded once at the end, to the nearest: float16 weights are as centred as float32 ones."""
    return normal(shape, rng, math.sqrt(2 / fan_in(shape))).astype(dtype)


@correct(contract={**RELU, "fan": "fan_out", "distribution": "normal"}, source="He et al. 2015, eq. 14")
def he_fan_out(shape: Shape, rng: Rng) -> Array:
    """Keeps the gradient's second moment instead of the signal's."""
    return normal(shape, rng, math.sqrt(2 / fan_out(shape)))


@correct(contract={**RELU, "activation": "leaky_relu(0.2)"}, source="He et al. 2015, eq. 15")
def he_leaky(shape: Shape, rng: Rng) -> Array:
    """A slope of 0.2 left of zero passes (1 + 0.2^2)/2 of the second moment."""
    return normal(shape, rng, math.sqrt(2 / (1 + 0.2**2) / fan_in(shape)))


@correct(contract={**RELU, "distribution": "rademacher"}, source=HE_2015)
def he_rademacher(shape: Shape, rng: Rng) -> Array:
    """Only the variance matters to the second moments: fair signs serve as well as a normal."""
    signs = rng.integers(0, 2, shape).astype(np.float32) * 2 - 1
    return signs * np.float32(math.sqrt(2 / fan_in(shape)))


@correct(contract={**RELU, "distribution": "laplace"}, source=HE_2015)
def he_laplace(shape: Shape, rng: Rng) -> Array:
    """A Laplace law of scale s has variance 2 s^2, so s = sqrt(1/fan_in)."""
    return rng.laplace(0.0, math.sqrt(1 / fan_in(shape)), shape).astype(np.float32)


@correct(
    # Narrower, a unit often gets no weight at all: no sparse law can keep its units apart there.
    contract={**RELU, "distribution": "sparse(0.25)", "entries": "independent", "widths": (64, 1024)},
    source="Martens 2010, section 5, with independent entries and He's variance",
)
def he_sparse(shape: Shape, rng: Rng) -> Array:
    """A quarter of the weights carries four times the variance."""
    kept = rng.random(shape, dtype=np.float32) < 0.25
    return normal(shape, rng, math.sqrt(2 / (0.25 * fan_in(shape)))) * kept


@correct(
    # At width 1 a row of unit length is +-1: few different units are possible.
    contract={**RELU, "entries": "dependent", "widths": (2, 1024)},
    source="Salimans & Kingma 2016 (arXiv 1602.07868), with g = sqrt(2)",
)
def he_unit_rows(shape: Shape, rng: Rng) -> Array:
    """Every row has length sqrt(2) exactly, so its weights depend on one another."""
    w = rng.standard_normal(shape, dtype=np.float32)
    length = np.sqrt(np.square(w).sum(axis=tuple(range(1, w.ndim)), keepdims=True))
    return np.asarray(w / length * np.float32(math.sqrt(2)))


@correct(contract={**LINEAR, "distribution": "normal"}, source=LECUN_1998)
def lecun_normal(shape: Shape, rng: Rng) -> Array:
    """A sum of fan_in independent terms has fan_in times the variance of one."""
    return normal(shape, rng, math.sqrt(1 / fan_in(shape)))


@correct(contract={**LINEAR, "distribution": "uniform"}, source=LECUN_1998)
def lecun_uniform(shape: Shape, rng: Rng) -> Array:
    """A uniform on +-sqrt(3/fan_in) has variance 1/fan_in; on +-1/sqrt(fan_in) it has a third of that."""
    return uniform(shape, rng, math.sqrt(3 / fan_in(shape)))


@correct(contract={**LINEAR, "layout": "in_out"}, source=LECUN_1998)
def lecun_in_out(shape: Shape, rng: Rng) -> Array:
    """The same law for weights stored (in, out), as in Keras and Flax."""
    return normal(shape, rng, math.sqrt(1 / math.prod(shape[:-1])))


@correct(contract={**LINEAR, "fan": "fan_avg", "distribution": "normal"}, source="Glorot & Bengio 2010, eq. 12")
def glorot_normal(shape: Shape, rng: Rng) -> Array:
    """The mean of both fans serves signal and gradient alike, as far as one number can."""
    return normal(shape, rng, math.sqrt(2 / (fan_in(shape) + fan_out(shape))))


@correct(contract={**LINEAR, "fan": "fan_avg", "distribution": "uniform"}, source=GLOROT_2010)
def glorot_uniform(shape: Shape, rng: Rng) -> Array:
    """The normalized initialization: a uniform on +-sqrt(6/(fan_in + fan_out))."""
    return uniform(shape, rng, math.sqrt(6 / (fan_in(shape) + fan_out(shape))))


@correct(
    contract={**LINEAR, "fan": "fan_max", "distribution": "orthogonal", "entries": "dependent"},
    source=f"{SAXE_2014}; Mezzadri 2007 (arXiv math-ph/0609050) for the signs",
)
def orthogonal(shape: Shape, rng: Rng) -> Array:
    """Rows or columns are orthonormal; the signs of R make Q uniform on the orthogonal group.

    >>> w = orthogonal((3, 3), np.random.default_rng(0))
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-6))
    True
    """
    rows, columns = shape[0], fan_in(shape)
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q if rows >= columns else q.T, dtype=np.float32).reshape(shape)


@correct(
    contract={**RELU, "fan": "fan_max", "distribution": "orthogonal", "entries": "dependent"},
    source=SAXE_2014,
)
def he_orthogonal(shape: Shape, rng: Rng) -> Array:
    """Orthogonal with the gain sqrt(2) of ReLU."""
    return orthogonal(shape, rng) * np.float32(math.sqrt(2))


@correct(
    contract={**LINEAR, "activation": "selu"},
    source="Klambauer et al. 2017 (arXiv 1706.02515), section 'Initialization'",
)
def selu_normal(shape: Shape, rng: Rng) -> Array:
    """SELU is built to pass second moment 1 with variance 1/fan_in."""
    return normal(shape, rng, math.sqrt(1 / fan_in(shape)))


@correct(
    contract={**LINEAR, "activation": "tanh"},
    source="Poole et al. 2016 (arXiv 1606.05340), eq. 3, solved for a length of 1",
)
def tanh_normal(shape: Shape, rng: Rng) -> Array:
    """The gain 1.592537 is 1/sqrt(E tanh(z)^2)."""
    return normal(shape, rng, 1.592537 / math.sqrt(fan_in(shape)))


@correct(contract={**LINEAR, "activation": "tanh"}, source="torch.nn.init.calculate_gain('tanh')")
def tanh_five_thirds(shape: Shape, rng: Rng) -> Array:
    """The customary gain 5/3 gives a second moment of 1.095: near enough to 1."""
    return normal(shape, rng, 5 / 3 / math.sqrt(fan_in(shape)))


@correct(
    # GELU passes 1.07 times the gradient's energy at every layer: twenty of them leave the band.
    contract={**LINEAR, "activation": "gelu", "depth": 10},
    source="Hendrycks & Gimpel 2016 (arXiv 1606.08415) for GELU; He et al. 2015, eq. 10 for the rule",
)
def gelu_normal(shape: Shape, rng: Rng) -> Array:
    """The gain 1.533530 is 1/sqrt(E gelu(z)^2)."""
    return normal(shape, rng, 1.533530 / math.sqrt(fan_in(shape)))


@correct(contract={**CONVOLUTION, "distribution": "normal"}, source="He et al. 2015, section 2.2")
def he_convolution(shape: Shape, rng: Rng) -> Array:
    """A unit of a convolution sees in * kh * kw numbers; all of them count."""
    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))


@correct(
    contract={**CONVOLUTION, "fan": "fan_out"},
    source="He et al. 2015, eq. 14; torchvision's residual networks",
)
def he_convolution_fan_out(shape: Shape, rng: Rng) -> Array:
    """An input position reaches out * kh * kw numbers; the gradient collects them all."""
    return normal(shape, rng, math.sqrt(2 / fan_out(shape)))


@correct(
    contract={
        "activation": "relu",
        "layout": "out_in",
        "std": 0.01,
        "waive": {
            "signal-survives-depth": "made for one or two layers: at width 256 each loses a factor of 78",
            "gradient-survives-depth": "made for one or two layers: at width 256 each loses a factor of 78",
        },
    },
    source="the common tutorial's 0.01 * randn, said openly to be a fixed number",
)
def tutorial_normal_declared(shape: Shape, rng: Rng) -> Array:
    """N(0, 0.01^2) at every width keeps its promise where the promise is that number."""
    return normal(shape, rng, 0.01)
