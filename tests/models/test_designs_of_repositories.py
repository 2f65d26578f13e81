"""What public repositories do on purpose, in models written anew: it does not fail, and what is beside it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

SIBLINGS, DISTINCT, SIGNAL = "siblings-share-one-law", "tensors-are-distinct", "signal-survives-the-blocks"
WIDTH = 16


def said(build: Callable[[], nn.Module], claim: str) -> Result:
    return initcheck.check_model(build, claims=[claim])[claim]


class Branch(nn.Module):
    """A residual branch of three layers as wide as one another, of which the last starts small, or at zero."""

    def __init__(self, last: float) -> None:
        super().__init__()
        layers = [nn.Linear(WIDTH, WIDTH) for _ in range(3)]
        self.net = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
        self.end(last)

    def end(self, last: float) -> None:
        nn.init.uniform_(self.net[4].weight, -last, last) if last else nn.init.zeros_(self.net[4].weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


def branches(lasts: list[float]) -> nn.Module:
    return nn.Sequential(*map(Branch, lasts), nn.Linear(WIDTH, 3))


@pytest.mark.parametrize("last", [0.0, 0.001])
@pytest.mark.parametrize("blocks", [3, 4])
def test_a_layer_that_starts_otherwise_at_its_place_in_every_block_is_a_design(last: float, blocks: int) -> None:
    result = said(lambda: branches([last] * blocks), SIBLINGS)
    assert result.verdict is Verdict.HOLDS
    assert "*.net.*.weight: by the place in its block, uniform +-0.25 at *.net.0.weight, *.net.2.weight; " in str(
        result.notes
    )


def test_what_one_block_alone_has_at_a_place_fails_beside_the_others_of_that_place() -> None:
    result = said(lambda: branches([0.001, 0.001, 0.1, 0.001]), SIBLINGS)
    assert result.verdict is Verdict.FAILS
    assert result.evidence is not None
    assert "2.net.4.weight: drawn as uniform +-0.1, its 3 siblings as uniform +-0.001" in str(result.evidence.case)
    assert not result.evidence.detail


def test_one_block_whose_last_layer_alone_is_zero_fails() -> None:
    def build() -> nn.Module:
        model = branches([0.25] * 4)
        nn.init.zeros_(model[1].net[4].weight)  # type: ignore[union-attr,index,arg-type]
        return model

    result = said(build, SIBLINGS)
    assert result.verdict is Verdict.FAILS
    assert result.evidence is not None
    assert "1.net.4.weight: drawn as constant 0" in str(result.evidence.case)


@pytest.mark.parametrize(("place", "verdict"), [(8, Verdict.HOLDS), (4, Verdict.FAILS)])
def test_of_a_list_of_layers_the_last_may_start_at_zero_and_no_other(place: int, verdict: Verdict) -> None:
    def build() -> nn.Module:
        model = nn.Sequential(*[m for _ in range(5) for m in (nn.Linear(WIDTH, WIDTH), nn.ReLU())][:-1])
        nn.init.zeros_(model[place].weight)  # type: ignore[arg-type]
        return model

    result = said(build, SIBLINGS)
    assert result.verdict is verdict
    assert (verdict is Verdict.HOLDS) == ("8.weight, the last of its list, starts at zero" in str(result.notes))


class Heads(nn.Module):
    """Layers side by side, of which a loop left the last out, or none."""

    def __init__(self, drawn: int) -> None:
        super().__init__()
        self.heads, self.out = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(4)), nn.Linear(4 * WIDTH, 3)
        for head in list(self.heads)[drawn:]:
            nn.init.zeros_(head.weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([torch.tanh(head(x)) for head in self.heads], -1))


@pytest.mark.parametrize(("drawn", "verdict"), [(4, Verdict.HOLDS), (3, Verdict.UNDECIDED)])
def test_the_last_of_layers_with_nothing_between_them_at_zero_is_a_doubt(drawn: int, verdict: Verdict) -> None:
    result = said(lambda: Heads(drawn), SIBLINGS)
    assert result.verdict is verdict
    assert (verdict is Verdict.UNDECIDED) == ("heads.3.weight, the last of its list, starts at zero" in str(result))


class Step(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.tanh(self.fc(x)) / 4


@pytest.mark.parametrize(("drawn", "verdict"), [(4, Verdict.HOLDS), (3, Verdict.FAILS), (1, Verdict.HOLDS)])
def test_a_block_that_is_left_out_of_every_stage_is_no_design(drawn: int, verdict: Verdict) -> None:
    def build() -> nn.Module:
        stages = nn.Sequential(*(nn.Sequential(*(Step() for _ in range(4))) for _ in range(3)))
        for stage in stages:
            for step in list(stage)[:drawn]:  # type: ignore[call-overload]
                nn.init.normal_(step.fc.weight, std=0.02)
        return stages

    result = said(build, SIBLINGS)
    assert result.verdict is verdict
    assert (verdict is Verdict.FAILS) == ("0.3.fc.weight: drawn as uniform +-0.25, its 9 siblings" in str(result))


class Codebook(nn.Module):
    """Codes that a running mean replaces, which starts as they do; a mean of its own, or of another codebook."""

    def __init__(self, codes: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("codes", torch.randn(WIDTH, 24) if codes is None else codes.clone())
        self.register_buffer("mean", self.codes.clone())

    def forward(self, x: Tensor) -> Tensor:
        nearest = (x @ self.codes).argmax(-1)
        return x + (self.codes.t()[nearest] - x).detach()


class Quantised(nn.Module):
    def __init__(self, one: bool) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(8, WIDTH), nn.Linear(WIDTH, 8)
        self.first = Codebook()
        self.second = Codebook(self.first.codes if one else None)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.second(self.first(self.into(x))))


def test_a_running_mean_that_starts_where_its_values_do_is_a_note() -> None:
    result = said(lambda: Quantised(one=False), DISTINCT)
    assert result.verdict is Verdict.HOLDS
    assert "first.codes, first.mean are equal bit for bit" in str(result.notes)


def test_two_codebooks_of_one_draw_fail() -> None:
    result = said(lambda: Quantised(one=True), DISTINCT)
    assert result.verdict is Verdict.FAILS
    assert result.evidence is not None
    assert "first.codes, first.mean, second.codes and 1 more are equal bit for bit" in str(result.evidence.case)


class Residual(nn.Module):
    def __init__(self, gain: float) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 1))
        nn.init.normal_(self.conv[2].weight, std=gain * WIDTH**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


def encoder(blocks: int, gain: float) -> nn.Module:
    """Small plain convolutions of the same shape, then blocks, in one list."""
    stem = [nn.Conv2d(3, WIDTH, 3, padding=1), *(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2))]
    for conv in stem:
        nn.init.normal_(conv.weight, std=0.02)
    return nn.Sequential(*stem, *(Residual(gain) for _ in range(blocks)), nn.Flatten(), nn.Linear(WIDTH * 64, 4))


@pytest.mark.parametrize(("blocks", "gain", "verdict"), [(4, 0.1, Verdict.HOLDS), (4, 9.0, Verdict.FAILS)])
def test_a_stem_in_the_list_of_the_blocks_is_none_of_them(blocks: int, gain: float, verdict: Verdict) -> None:
    result = initcheck.check_model(
        lambda: encoder(blocks, gain), batch=torch.randn(4, 3, 8, 8, generator=torch.manual_seed(0)), claims=[SIGNAL]
    )[SIGNAL]
    assert result.verdict is verdict


class Adapted(nn.Linear):
    """A low-rank adapter that evaluation merges into the weight, by a ``train`` that returns nothing."""

    def __init__(self, width: int, *, dead: bool = False) -> None:
        super().__init__(width, width)
        self.down, self.up = nn.Parameter(torch.zeros(4, width)), nn.Parameter(torch.zeros(width, 4))
        self.weight.requires_grad = self.merged = False
        if not dead:
            nn.init.normal_(self.down, std=width**-0.5)

    def train(self, mode: bool = True) -> None:  # type: ignore[override]
        super().train(mode)
        if mode == self.merged:
            self.weight.data += (1 - 2 * mode) * (self.up @ self.down)
            self.merged = not mode

    def forward(self, x: Tensor) -> Tensor:
        made = super().forward(x)
        return made if self.merged else made + x @ self.down.t() @ self.up.t()


@pytest.mark.parametrize(("dead", "verdict"), [(False, Verdict.HOLDS), (True, Verdict.FAILS)])
def test_an_adapter_is_judged_as_it_trains_and_not_as_it_is_merged(dead: bool, verdict: Verdict) -> None:
    def build() -> nn.Module:
        return nn.Sequential(Adapted(WIDTH, dead=dead), nn.ReLU(), nn.Linear(WIDTH, 3))

    assert said(build, DISTINCT).verdict is verdict


class Chosen(nn.Module):
    """The code nearest to a small number is the smallest one, whatever the input; its gradient is handed on, or not."""

    def __init__(self, *, handed_on: bool) -> None:
        super().__init__()
        self.into, self.out, self.handed_on = nn.Linear(8, WIDTH, bias=False), nn.Linear(WIDTH, 8), handed_on
        nn.init.normal_(self.into.weight, std=0.01)
        self.register_buffer("codes", torch.randn(20, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        made = self.into(x)
        code = self.codes[torch.cdist(made, self.codes).argmin(-1)]
        return self.out(made + (code - made).detach() if self.handed_on else code)


@pytest.mark.parametrize(("handed_on", "verdict"), [(True, Verdict.UNDECIDED), (False, Verdict.FAILS)])
def test_a_choice_that_hands_its_gradient_on_is_a_doubt_where_it_makes_one_output_of_all(
    handed_on: bool, verdict: Verdict
) -> None:
    result = said(lambda: Chosen(handed_on=handed_on), "input-reaches-the-output")
    assert result.verdict is verdict
    assert handed_on == ("a choice, as of one code in a codebook" in str(result.reason))
