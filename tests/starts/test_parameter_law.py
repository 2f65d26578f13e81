"""The law of a parameter: found from samples whose law is known, and none where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from initcheck.starts.parameter_law import ParameterLaw, Sample, fitted
from initcheck.starts.schemes import beside_pytorch, kin_of, scheme_name

SIZES = ((32, 8), (8, 32), (64, 64))
Draw = Callable[[np.random.Generator, tuple[int, int], int, int], np.ndarray]


def law_of(draw: Draw) -> ParameterLaw:
    rng = np.random.default_rng(0)
    samples = [
        Sample(
            f"{i} -> {o}",
            [draw(rng, (o, i), i, o) for _ in range(max(3, 40_000 // (i * o)))],
            {"fan_in": i, "fan_out": o, "fan_avg": (i + o) / 2},
        )
        for i, o in SIZES
    ]
    return fitted("weight", samples)


@pytest.mark.parametrize(
    ("draw", "text", "called"),
    [
        (
            lambda g, s, i, o: g.normal(0, math.sqrt(2 / i), s),
            "normal, std sqrt(2/fan_in): variance 2/fan_in",
            "He (Kaiming) normal",
        ),
        (
            lambda g, s, i, o: g.uniform(-1, 1, s) * math.sqrt(6 / (i + o)),
            "uniform +-sqrt(3/fan_avg): variance 1/fan_avg",
            "Glorot (Xavier) uniform",
        ),
        (
            lambda g, s, i, o: g.uniform(-1, 1, s) / math.sqrt(i),
            "uniform +-1/sqrt(fan_in): variance 1/(3 fan_in)",
            "PyTorch's default: kaiming_uniform_(a=sqrt(5))",
        ),
        (lambda g, s, i, o: g.normal(0, 0.02, s), "normal, std 0.02 at every width", "BERT and GPT-2's fixed std"),
        (lambda g, s, i, o: np.zeros(s), "zero", ""),
        (lambda g, s, i, o: np.ones(s), "one", ""),
        (lambda g, s, i, o: np.eye(*s), "the same in every build: 0, 1", ""),
    ],
)
def test_a_known_law_is_named(draw: Draw, text: str, called: str) -> None:
    law = law_of(draw)
    assert law.text == text
    assert scheme_name(law) == called


def test_gain_and_fans_are_those_of_the_last_size() -> None:
    law = law_of(lambda g, s, i, o: g.normal(0, math.sqrt(2 / i), s))
    assert (law.fan_in, law.fan_out) == (64, 64)
    assert law.gain == pytest.approx(math.sqrt(2))
    assert law.std == pytest.approx(math.sqrt(2 / 64))


def test_no_law_is_claimed_where_none_fits() -> None:
    law = law_of(lambda g, s, i, o: g.normal(0, i**-0.25 * o**-0.4, s))
    assert law.constant is None
    assert "no formula of the fans fits" in law.text


def test_a_constant_a_tenth_off_is_not_taken_for_the_usual_one() -> None:
    law = law_of(lambda g, s, i, o: g.normal(0, math.sqrt(2.2 / i), s))
    assert law.constant == pytest.approx(2.2, rel=0.02)
    assert scheme_name(law) == ""


def test_the_kin_and_what_differs_are_said() -> None:
    glorot = law_of(lambda g, s, i, o: g.uniform(-1, 1, s) * math.sqrt(6 / (i + o)))
    assert beside_pytorch("Dense", glorot) == (
        "nn.Linear draws it uniform +-1/sqrt(fan_in): here the variance is 3 times as large"
    )
    torch_like = law_of(lambda g, s, i, o: g.uniform(-1, 1, s) / math.sqrt(i))
    assert beside_pytorch("Conv2D", torch_like) == "nn.Conv, uniform +-1/sqrt(fan_in): the same"
    assert kin_of("Dropout") is None


def test_the_ends_of_a_uniform_are_read_off_its_largest_entry() -> None:
    assert law_of(lambda g, s, i, o: g.uniform(-0.1, 0.1, s)).text == "uniform +-0.1: variance 0.003333"
    assert law_of(lambda g, s, i, o: g.uniform(-0.1013, 0.1013, s)).text != "uniform +-0.1: variance 0.003333"
