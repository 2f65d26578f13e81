"""Smaller is not better: what is left of a signal and of a gradient after many layers."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import (
    keeps_energy,
    keeps_singular_values,
    names_activation,
    promises_isometry,
    serves_both_ways,
)

NEEDS = ("accepts-every-shape", "returns-the-shape-asked", "finite", "calls-are-independent")
BAND = (-1.0, 1.0)
ONE_LAYER = "one layer is judged, not a network of them; check_model judges those"
NOT_PROMISED = "neither distribution=orthogonal nor distribution=isometric is declared"
GAIN_ALONE = "a gain is declared and no activation: what lies between the layers is not said"
_SIGN_TEST = (
    "exact sign test of the median log10 energy ratio through fresh networks of the contract's depth. Assumes that"
    " networks are independent, and nothing of the law. Not seen: other depths and widths than the one of the contract"
    " and of the square that is named, and rare networks: fewer than half may lie anywhere. A law whose second moment"
    " is right and carried by rare weights or rare calls loses a typical signal all the same, and FAILS"
)


@claim(
    "signal-survives-depth",
    says="Through many layers the typical energy of a signal stays within a factor of 10.",
    source="Hanin & Rolnick 2018 (arXiv 1803.01719); Poole et al. 2016 (arXiv 1606.05340)",
    topic="depth",
    not_asked_of={"layer": ONE_LAYER},
    needs=NEEDS,
    exact_on_constants=True,
    decided_by=_SIGN_TEST,
)
@given(layer=layers(of="square"))
def signal_survives_depth(trial: Trial, layer: Case) -> None:
    """The median over networks of E z_L^2 / E z_1^2 lies in [0.1, 10].

    The median, not the mean: at depth/width = 0.2 the mean of He with ReLU is carried by rare networks (median
    exp(-5L/2n) of it).

    Of silu and its like no gain keeps the length of a signal: q = 1 is a fixed point that repels. Where normal weights
    of the ideal gain leave the band as far, nothing is blamed.
    """
    trial.asks(trial.contract.std is None, "a fixed std promises nothing about depth")
    trial.asks(names_activation(trial.contract), GAIN_ALONE)
    keeps_energy(trial, layer, "forward", BAND)


@claim(
    "gradient-survives-depth",
    says="Through many layers the typical energy of a back-propagated gradient stays within a factor of 10.",
    source="Schoenholz et al. 2017 (arXiv 1611.01232); Glorot & Bengio 2010, eq. 13",
    topic="depth",
    backward=True,
    not_asked_of={"layer": ONE_LAYER},
    needs=NEEDS,
    exact_on_constants=True,
    decided_by=_SIGN_TEST,
)
@given(layer=layers(of="square"))
def gradient_survives_depth(trial: Trial, layer: Case) -> None:
    """The median over networks of E delta_1^2 / E delta_L^2 lies in [0.1, 10].

    Not asked of an activation for which no gain serves both directions (tanh, sigmoid, softplus).
    """
    trial.asks(trial.contract.std is None, "a fixed std promises nothing about depth")
    trial.asks(names_activation(trial.contract), GAIN_ALONE)
    trial.asks(serves_both_ways(trial.contract), "no gain of this activation serves both directions")
    keeps_energy(trial, layer, "backward", BAND)


@claim(
    "singular-values-survive-depth",
    says="Of the product of many layers nine in ten singular values stay within a factor of 2.",
    source="Saxe, McClelland & Ganguli 2014 (arXiv 1312.6120), section 3; Pennington, Schoenholz & Ganguli 2017 (arXiv"
    " 1711.04735)",
    topic="orthogonality",
    not_asked_of={"layer": ONE_LAYER},
    needs=NEEDS,
    exact_on_constants=True,
    unasked=lambda contract: None if promises_isometry(contract) else NOT_PROMISED,
    decided_by="exact sign test of the median share of singular values in [1/2, 2], of products of as many fresh layers"
    " as the contract's depth, each over its rms singular value. Assumes that networks are independent, and nothing of"
    " the law. Not seen: other depths and widths than the one of the contract and of the square that is named, the"
    " scale, which other claims judge, and what an activation does between the layers",
    finds="orthogonal matrices of 256 with noise of 0.15 of their size: 79 % stay through 20 layers; of 0.1, 98 % do",
)
@given(layer=layers(of="square"))
def singular_values_survive_depth(trial: Trial, layer: Case) -> None:
    """The median over networks of the share of singular values of W_L .. W_1 in [1/2, 2] is at least 0.9.

    Dynamical isometry: a signal keeps its length in nearly every direction, and so does a gradient. Of orthogonal
    layers all singular values of the product are 1; of normal ones of the right variance the length of a typical signal
    survives 20 layers of 256, and one direction in eleven does.
    """
    trial.asks(layer.is_square, "asked of square layers")
    keeps_singular_values(trial, layer, 0.9)
