"""Mixtures of experts: routers that start constant and choose, and experts of which some start equal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

DISTINCT, TRAINED = "tensors-are-distinct", "gradient-reaches-every-tensor"


class Mixture(nn.Module):
    """Two of four experts for each token, or all of them."""

    def __init__(self, *, zero: bool, chooses: bool = True, noisy: bool = False, copies: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.router = nn.Linear(16, 4, bias=False)
        self.noise = nn.Linear(16, 4, bias=False) if noisy else None
        self.up = nn.Parameter(torch.randn(4, 16, 32) / 4)
        self.down = nn.Parameter(torch.randn(4, 32, 16) / math.sqrt(32))
        self.chooses = chooses
        if zero:
            nn.init.zeros_(self.router.weight)
        with torch.no_grad():
            for i in copies[1:]:
                self.up[i] = self.up[copies[0]]
                self.down[i] = self.down[copies[0]]

    def forward(self, x: Tensor) -> Tensor:
        said = self.router(x)
        if self.noise is not None and self.training:
            said = said + torch.randn_like(said) * nn.functional.softplus(self.noise(x))
        if self.chooses:
            kept = said.topk(2, -1)
            said = torch.full_like(said, -math.inf).scatter(-1, kept.indices, kept.values)
        made = torch.einsum("bnh,nhd->bnd", torch.einsum("bd,ndh->bnh", x, self.up).relu(), self.down)
        return x + (said.softmax(-1).unsqueeze(-1) * made).sum(1)


class Listed(Mixture):
    """The same with its experts in a list; an expert that nobody chooses is not run."""

    def __init__(self, *, zero: bool) -> None:
        super().__init__(zero=zero)
        del self.up, self.down
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16)) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        kept = self.router(x).topk(2, -1)
        shares, out = kept.values.softmax(-1), x.clone()
        for number, expert in enumerate(self.experts):
            rows, ranks = (kept.indices == number).nonzero(as_tuple=True)
            if len(rows):
                out = out.index_add(0, rows, shares[rows, ranks].unsqueeze(-1) * expert(x[rows]))
        return out


def _judged(layer: Callable[[], nn.Module], claim: str) -> Result:
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(8, 16), layer(), nn.Linear(16, 4))

    return initcheck.check_model(build, claims=[claim], batch="12x8")[claim]


@pytest.mark.parametrize(
    ("layer", "two"),
    [(lambda: Mixture(zero=True), r"1\.(up|down)\[\d\]"), (lambda: Listed(zero=True), r"1\.experts\.\d")],
    ids=["packed", "listed"],
)
def test_a_router_of_zeros_that_chooses_sends_every_token_to_the_same_experts(
    layer: Callable[[], nn.Module], two: str
) -> None:
    found = _judged(layer, TRAINED)
    assert found.verdict is Verdict.UNDECIDED
    assert "1.router.weight is constant, and the whole batch goes to 2 of 4 experts" in str(found.reason)
    assert re.search(two, str(found.reason))


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Mixture(zero=False),
        lambda: Listed(zero=False),
        lambda: Mixture(zero=True, chooses=False),
        lambda: Mixture(zero=True, noisy=True),
    ],
    ids=["random", "random, listed", "zeros, all experts", "zeros, and noise while it is trained"],
)
def test_a_router_that_is_random_noisy_or_chooses_none_is_right(layer: Callable[[], nn.Module]) -> None:
    assert _judged(layer, TRAINED).verdict is Verdict.HOLDS


@pytest.mark.parametrize("copies", [(0, 1), (0, 2, 3)])
def test_some_experts_that_start_equal_are_asked_about(copies: tuple[int, ...]) -> None:
    found = _judged(lambda: Mixture(zero=False, chooses=False, copies=copies), DISTINCT)
    assert found.verdict is Verdict.UNDECIDED
    assert f"1.up: {len(copies)} of its 4 matrices are equal, such as {copies[0]} and {copies[1]}" in str(found.reason)


@pytest.mark.parametrize("copies", [(), (0, 1, 2, 3)], ids=["none", "upcycled"])
def test_experts_that_all_differ_or_are_all_upcycled_are_right(copies: tuple[int, ...]) -> None:
    found = _judged(lambda: Mixture(zero=False, chooses=False, copies=copies), DISTINCT)
    assert found.verdict is Verdict.HOLDS


def test_equal_experts_that_a_router_of_zeros_treats_alike_fail() -> None:
    found = _judged(lambda: Mixture(zero=True, chooses=False, copies=(0, 1, 2, 3)), DISTINCT)
    assert found.verdict is Verdict.FAILS


class Agents(nn.Module):
    """Two actions and two nets, of the policy and of the value; the policy starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2)) for _ in range(2))
        nn.init.zeros_(self.nets[0][2].weight)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.nets[0](x), self.nets[1](x)


class Heads(nn.Module):
    """Two branches behind each other and a head for two classes after each; the last of zeros, behind a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.LayerNorm(8)) for _ in range(2))
        self.early, self.head = nn.Linear(8, 2), nn.Linear(8, 2)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = self.layers[0](x)
        return self.head(self.layers[1](first)), self.early(first)


@pytest.mark.parametrize("model", [Agents, Heads])
def test_a_last_layer_of_zeros_with_as_many_outputs_as_nets_is_no_router(model: Callable[[], nn.Module]) -> None:
    assert initcheck.check_model(model, claims=[TRAINED], batch="12x8")[TRAINED].verdict is Verdict.HOLDS


class Square(nn.Module):
    """One of four experts for each token, in a width of four: either axis of the router may be that of the experts."""

    def __init__(self, *, zero: bool) -> None:
        super().__init__()
        self.router = nn.Linear(4, 4, bias=False)
        if zero:
            nn.init.zeros_(self.router.weight)
        self.up = nn.Parameter(torch.randn(4, 4, 4) / 2)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.router(x).max(-1)
        made = torch.einsum("bd,ndh->bnh", x, self.up)[torch.arange(len(x)), kept.indices]
        return x + kept.values.sigmoid()[:, None] * made


@pytest.mark.parametrize("zero", [True, False])
def test_a_router_as_wide_as_the_experts_are_many_is_asked_about_where_it_is_constant(zero: bool) -> None:
    found = initcheck.check_model(lambda: Square(zero=zero), claims=[TRAINED], batch="64x4")[TRAINED]
    assert found.verdict is (Verdict.UNDECIDED if zero else Verdict.HOLDS)
    assert not zero or "goes to 1 of 4 experts" in str(found.reason)
