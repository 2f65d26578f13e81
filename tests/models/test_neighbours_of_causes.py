"""Causes and fixes of models beside the ones that a rule was written for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result


def judged(model: type[nn.Module], claim: str, batch: str | None = None) -> Result:
    """One claim's result on a model that a function makes."""

    def build() -> nn.Module:
        return model()

    return initcheck.check_model(build, claims=[claim], batch=batch)[claim]


class Branch(nn.Module):
    """A branch that starts as zero."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(32, 32), nn.Linear(32, 32)
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).relu())


class Shared(nn.Module):
    """One block four times, as ALBERT shares it, which starts as the identity."""

    def __init__(self) -> None:
        super().__init__()
        block = Branch()
        nn.init.zeros_(block.last.bias)
        self.stem, self.blocks, self.head = nn.Linear(16, 32), nn.ModuleList([block] * 4), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class Side(Shared):
    """The same block four times beside itself: four heads of one output."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head(sum(block(x) for block in self.blocks))


class Heads(nn.Module):
    """A list of Python's that is registered name by name: one layer for all heads, or as many (pyGAT)."""

    def __init__(self, one: bool = False) -> None:
        super().__init__()
        self.heads = [nn.Linear(16, 8)] * 4 if one else [nn.Linear(16, 8) for _ in range(4)]
        for i, head in enumerate(self.heads):
            self.add_module(f"head_{i}", head)
        self.last = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.cat([torch.relu(head(x)) for head in self.heads], 1))


@pytest.mark.parametrize("one", [True, False])
def test_one_layer_registered_under_numbered_names_and_given_one_input(one: bool) -> None:
    said = judged(lambda: Heads(one), "tensors-are-distinct").reason or ""
    assert ("head_0, head_1, head_2 and 1 more: one layer under 4 names, given one input more than once" in said) is one


class Branches(nn.Module):
    """Two arguments, each through one encoder under a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.branch1 = self.branch2 = nn.Linear(16, 8)
        self.head = nn.Linear(16, 1)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return self.head(torch.cat([self.branch1(one), self.branch2(other)], 1))


def test_one_layer_of_two_arguments_is_given_no_input_twice() -> None:
    assert "one layer under" not in (judged(Branches, "tensors-are-distinct").reason or "")


@pytest.mark.parametrize(("model", "twice"), [(Shared, False), (Side, True)])
def test_a_shared_block_that_starts_as_the_identity_is_given_no_input_twice(model: type, twice: bool) -> None:
    said = judged(model, "tensors-are-distinct").reason or ""
    assert ("given one input more than once" in said) is twice


class LoudBias(nn.Module):
    """A head whose bias makes its logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(16, 64), nn.Linear(64, 50)
        nn.init.normal_(self.head.bias, 0, 20.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).relu())


def test_logits_that_a_bias_makes_are_laid_at_its_door() -> None:
    evidence = judged(LoudBias, "starts-at-chance").evidence
    assert "most of it is head.bias, std 2" in evidence.likely
    assert evidence.fix == "start head.bias at 0"


def drawn(layer: nn.Linear, std: float) -> None:
    """A function of the user's that a method calls."""
    nn.init.normal_(layer.weight, std=std)


class Configured(nn.Module):
    """A model whose config names a size that no weight has."""

    std: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(initializer_range=0.02)
        self.apply(self._init_weights)
        self.body, self.head = nn.Linear(32, 64), nn.Linear(64, 10)
        if self.std is not None:
            self.apply(self._init_weights)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            drawn(module, self.std or 0.02)
            nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).relu())


class OfAnotherSize(Configured):
    """What draws by another function draws all, of another size."""

    std = 0.1


def test_a_method_is_said_to_write_nothing_only_where_no_line_of_the_users_did() -> None:
    early = judged(Configured, "declared-laws-are-in-force").evidence
    assert "wrote none of them" in early.likely
    other = judged(OfAnotherSize, "declared-laws-are-in-force").evidence
    assert "0 of 2" in other.case
    assert other.likely is None


class SparseTable(nn.Module):
    """A table of zeros whose gradient has some rows alone."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(100, 32, sparse=True), nn.Linear(32, 10)
        nn.init.zeros_(self.table.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.table(x).mean(1))


def test_a_gradient_of_some_rows_alone_is_read() -> None:
    assert judged(SparseTable, "tensors-are-distinct", "int<100:8x6").reason is None


class Dead(nn.Module):
    """A layer of zeros between two ReLUs: no other zero stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        nn.init.zeros_(self.layers[2].weight)
        nn.init.zeros_(self.layers[2].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def test_zeros_before_a_relu_are_to_be_drawn_themselves() -> None:
    evidence = judged(Dead, "tensors-are-distinct").evidence
    assert "a ReLU at 0" in evidence.likely
    assert evidence.fix.startswith("draw it at random")


class Saturated(nn.Module):
    """Twelve layers, through which a tanh hands on a share that goes with their weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(128, 128) for _ in range(12)])
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=0.27)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


def test_a_size_that_holds_for_one_share_alone_is_no_last_word() -> None:
    assert judged(Saturated, "gradient-survives-the-blocks").evidence.fix.endswith(
        "and measure again: what stands between goes with it"
    )


def test_the_axes_of_a_convolution_are_not_said_to_be_summed_over_by_nothing() -> None:
    def build() -> nn.Module:
        conv = nn.Conv2d(64, 64, 3)
        nn.init.normal_(conv.weight, std=1 / 24)
        return conv

    claims = ["declared-laws-are-in-force"]
    (found,) = initcheck.check_model(build, laws={"weight": "1/sqrt(64)"}, claims=claims)
    assert found.evidence.likely == "its fan counts 3 x 3 = 9 too, and the declared law does not"
