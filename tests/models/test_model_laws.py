"""Laws read off chains of writes, and declared laws read from text."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from initcheck.errors import UsageError
from initcheck.models.builds.torch_record import record
from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.provenance.trace import Trace
from initcheck.models.provenance.traced_law import law_of


def _law(make: Callable[[], torch.Tensor]) -> tuple[str, float | None, float]:
    torch.manual_seed(0)
    with Trace() as trace:
        tensor = make()
    found = record("w", tensor, "Linear", trace, None)
    return found.law.family, found.law.std, found.std


def _truncated() -> torch.Tensor:
    return torch.empty(300, 300).uniform_(-0.9545, 0.9545).erfinv_().mul_(0.02 * math.sqrt(2)).clamp_(-0.04, 0.04)


@pytest.mark.parametrize(
    ("family", "make"),
    [
        ("normal", lambda: nn.init.normal_(torch.empty(300, 300), std=0.3)),
        ("normal", lambda: torch.randn(300, 300) * 0.5 + 1.0),
        ("normal", lambda: torch.empty(300, 300).normal_().div_(-4.0)),
        ("normal", lambda: nn.init.kaiming_normal_(torch.empty(300, 300))),
        ("uniform", lambda: nn.init.xavier_uniform_(torch.empty(300, 300))),
        ("uniform", lambda: torch.rand(300, 300) - 0.5),
        ("uniform", lambda: nn.Linear(300, 300).weight),
        ("truncated_normal", _truncated),
    ],
)
def test_the_named_standard_deviation_is_the_measured_one(family: str, make: Callable[[], torch.Tensor]) -> None:
    found, named, measured = _law(make)
    assert found == family
    assert named == pytest.approx(measured, rel=0.02)


@pytest.mark.parametrize(
    ("family", "make"),
    [
        ("constant", lambda: nn.init.constant_(torch.empty(3, 3), 0.1)),
        ("constant", lambda: torch.ones(3, 3) * 2),
        ("orthogonal", lambda: nn.init.orthogonal_(torch.empty(8, 8))),
        ("derived", lambda: torch.randn(8, 8) @ torch.randn(8, 8)),
        ("fixed", lambda: torch.arange(8.0)),
        ("untraced", lambda: torch.tensor([[1.0, 2.0]])),
    ],
)
def test_what_names_no_standard_deviation_says_so(family: str, make: Callable[[], torch.Tensor]) -> None:
    assert _law(make)[0] == family


def test_a_second_whole_draw_replaces_the_first() -> None:
    with Trace() as trace:
        layer = nn.Linear(6, 6)
        nn.init.normal_(layer.weight, std=0.1)
    assert record("w", layer.weight, "Linear", trace, None).law.text == "normal std 0.1"


def test_a_row_written_later_leaves_the_law_and_is_noted() -> None:
    with Trace() as trace:
        table = nn.Embedding(6, 4, padding_idx=0)
    found = record("w", table.weight, "Embedding", trace, None)
    assert found.law.text == "normal std 1"
    assert [p.step.op for p in found.later] == ["fill_"]
    assert found.entries_of(found.later[0]) == "row 0"


def test_no_chain_is_an_untraced_law() -> None:
    assert law_of([]).family == "untraced"


@pytest.mark.parametrize(
    ("text", "std"),
    [
        ("0.02/sqrt(2*L)", 0.02 / 4),
        ("sqrt(2/fan_in)", math.sqrt(2 / 32)),
        ("uniform(1/sqrt(fan_in))", 1 / math.sqrt(96)),
        ("normal(min(0.02, 1/sqrt(d)))", 0.02),
        ("-(-0.5)**2*pi/pi", -0.25),
    ],
)
def test_a_declared_law_is_arithmetic_of_the_known_names(text: str, std: float) -> None:
    assert DeclaredLaw.read("*", text).std({"L": 8, "fan_in": 32, "d": 64}) == pytest.approx(std)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os')", "calls '__import__'"),
        ("fan_inn", "did you mean 'fan_in'?"),
        ("'a'", "is no number"),
        ("0.02 if L else 1", "is no arithmetic"),
        ("(lambda: 1)()", "calls '?'"),
        ("0.02/", "cannot be read"),
        ("2 % 3", "an operator other than"),
        ("sqrt.__class__", "is no arithmetic"),
    ],
)
def test_anything_else_is_refused_and_never_evaluated(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("?", r"\?").replace("(", r"\(")):
        DeclaredLaw.read("*", text)


def test_a_name_without_a_value_is_explained() -> None:
    with pytest.raises(UsageError, match="needs L, which this model does not give"):
        DeclaredLaw.read("*", "0.02/sqrt(2*L)").value({})


def test_arithmetic_that_leaves_the_numbers_is_explained() -> None:
    with pytest.raises(UsageError, match="has no value"):
        DeclaredLaw.read("*", "1/(L-8)").value({"L": 8})
