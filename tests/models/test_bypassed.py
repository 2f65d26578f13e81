"""Init functions that ask for a class of layers which the model does not have, and those that ask for more than it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Verdict

DECLARED = "declared-laws-are-in-force"


def _by_name(m: nn.Module) -> None:
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


def _in_small_letters(m: nn.Module) -> None:
    if "linear" in type(m).__name__:
        nn.init.normal_(m.weight, std=0.02)


def _by_class(m: nn.Module) -> None:
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight)
    elif isinstance(m, nn.LayerNorm):
        nn.init.ones_(m.weight)


def _by_type(m: nn.Module) -> None:
    if type(m) in (nn.Conv2d, nn.ConvTranspose2d):
        nn.init.kaiming_normal_(m.weight)
    elif type(m) is nn.Linear:
        nn.init.xavier_normal_(m.weight)


def _norms(m: nn.Module) -> None:
    if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
        nn.init.normal_(m.weight, 1.0, 0.02)


class Dense(nn.Sequential):
    """No convolution."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 4))


class Signals(nn.Module):
    """Convolutions over time, and a head."""

    def __init__(self, *, deep: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(3, 16, 3), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 16, 3))
        self.head = nn.Linear(16, 4)
        if deep:
            self.body = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).flatten(2).mean(2))


def _nested() -> nn.Module:
    def init(m: nn.Module) -> None:
        if isinstance(m, nn.Conv2d):
            nn.init.orthogonal_(m.weight)

    return Dense().apply(init)


@pytest.mark.parametrize(
    ("build", "batch", "said"),
    [
        (lambda: Dense().apply(_by_name), "4x8", "'if classname.find('Conv') != -1' was never true of a module"),
        (lambda: Dense().apply(_in_small_letters), "4x8", "every matrix keeps the default of its layer (Linear)"),
        (lambda: Dense().apply(_by_class), "4x8", "'if isinstance(m, nn.Conv2d)' was never true of a module"),
        (_nested, "4x8", "'if isinstance(m, nn.Conv2d)' was never true of a module"),
        (lambda: Signals().apply(_by_type), "2x3x12", "and every Conv1d keeps its default"),
    ],
    ids=["by its name", "in small letters", "by its class", "in a function inside", "another of its kind"],
)
def test_an_init_function_that_asks_for_no_class_of_the_model_is_asked_about(
    build: Callable[[], nn.Module], batch: str, said: str
) -> None:
    found = initcheck.check_model(build, claims=[DECLARED], batch=batch)[DECLARED]
    assert found.verdict is Verdict.UNDECIDED
    assert said in str(found.reason)
    assert "test_bypassed.py:" in str(found.reason)


@pytest.mark.parametrize(
    ("build", "batch"),
    [
        (lambda: Signals().apply(_by_name), "2x3x12"),
        (lambda: Signals(deep=True).apply(_by_class), "2x3x8x8"),
        (lambda: Signals(deep=True).apply(_by_type), "2x3x8x8"),
        (lambda: Dense().apply(_by_type), "4x8"),
        (Dense, "4x8"),
        (lambda: Dense().apply(_norms), "4x8"),
    ],
    ids=["text in a name", "a head at its default", "no transposed one", "no convolution", "never asked", "of norms"],
)
def test_an_init_function_may_ask_for_more_classes_than_a_model_has(build: Callable[[], nn.Module], batch: str) -> None:
    found = initcheck.check_model(build, claims=[DECLARED], batch=batch)[DECLARED]
    assert found.verdict is Verdict.NOT_APPLICABLE


def test_a_declared_law_decides_what_the_guard_left_open() -> None:
    found = initcheck.check_model(
        lambda: Dense().apply(_by_class), claims=[DECLARED], batch="4x8", laws={"*.weight": "0.02"}
    )
    assert "never ran" not in str(found[DECLARED].reason)


class OnOneLine(Dense):
    """Questions with their draws on the same line: one never true, one true."""

    def __init__(self) -> None:
        super().__init__()
        for m in self.modules():
            # fmt: off
            if isinstance(m, nn.Conv2d): nn.init.kaiming_normal_(m.weight)  # noqa: E701
            # fmt: on


class OnOneLineThatRan(Dense):
    def __init__(self) -> None:
        super().__init__()
        for m in self.modules():
            # fmt: off
            if isinstance(m, nn.Linear): nn.init.kaiming_normal_(m.weight)  # noqa: E701
            # fmt: on


@pytest.mark.parametrize(("model", "never"), [(OnOneLine, True), (OnOneLineThatRan, False)])
def test_a_draw_on_the_line_of_its_question_ran_only_where_it_did(model: Callable[[], nn.Module], never: bool) -> None:
    [found] = [r for r in initcheck.check_model(model, claims=[DECLARED]) if r.claim == DECLARED]
    assert (found.verdict is Verdict.UNDECIDED) is never
    assert not never or "never ran: 'if isinstance(m, nn.Conv2d)'" in str(found)
