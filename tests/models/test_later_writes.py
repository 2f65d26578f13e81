"""Slices written after a draw, gates, special rows, equal units on purpose, parametrized classes: designs all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import initcheck
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

LAW, DISTINCT, ABSURD = "siblings-share-one-law", "tensors-are-distinct", "no-value-is-absurd"
CLAIMS = ["every-tensor-is-written", LAW, DISTINCT, ABSURD]


def _notes(report: Report) -> str:
    return "\n".join(n for r in report for n in r.notes)


class Recurrent(nn.Module):
    def __init__(self, kind: str, layers: int = 3) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 8, layers, batch_first=True, bidirectional=True)
        with torch.no_grad():
            for name, weight in self.lstm.named_parameters():
                if kind == "gates" and name.startswith("weight_hh"):
                    for gate in weight.chunk(4):
                        nn.init.orthogonal_(gate)
                if name.startswith("bias_hh") and (kind == "forget" or (kind == "one" and name == "bias_hh_l1")):
                    weight[8:16] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


def test_a_forget_bias_in_every_layer_is_a_design_and_is_said() -> None:
    report = initcheck.check_model(lambda: Recurrent("forget"), batch="2x5x8", claims=CLAIMS)
    assert not report.failures
    assert "lstm.bias_hh_l0: entries 8..15 written later at" in _notes(report)


def test_a_forget_bias_in_one_layer_only_fails() -> None:
    said = initcheck.check_model(lambda: Recurrent("one"), batch="2x5x8", claims=[LAW])[LAW].evidence.case
    assert "lstm.bias_hh_l1: drawn as uniform +-0.3536 with entries 8..15 constant 1, its 5 siblings" in str(said)


def test_a_gate_at_a_time_is_one_law() -> None:
    report = initcheck.check_model(lambda: Recurrent("gates"), batch="2x5x8", claims=CLAIMS)
    assert not report.failures
    assert report[LAW].verdict is Verdict.HOLDS


class Tokens(nn.Module):
    def __init__(self, write: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.emb = nn.Embedding(50, 16)
        nn.init.normal_(self.emb.weight, std=0.02)
        with torch.no_grad():
            write(self.emb.weight)

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.emb(input_ids)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda w: w[3].fill_(0.5), "row 3 written later"),
        (lambda w: w[3:5].copy_(w[:3].mean(0)), "rows 3..4 written later"),
        (lambda w: w.index_fill_(0, torch.tensor([1, 7]), 0.4), "some entries written later"),
        (lambda w: w.masked_fill_(torch.arange(16) == 2, 0.4), "some entries written later"),
        (lambda w: w.__setitem__((torch.tensor([1, 2]), torch.tensor([3, 4])), 0.4), "some entries written later"),
        (lambda w: w[:, 5].zero_(), "50 entries from [0, 5] on written later"),
    ],
    ids=["row", "rows", "index", "mask", "entries", "column"],
)
def test_special_entries_are_no_outliers(write: Callable[[Tensor], object], words: str) -> None:
    report = initcheck.check_model(lambda: Tokens(write), batch="int<50:2x4", claims=CLAIMS)
    assert not report.failures, [(r.claim, r.evidence.case) for r in report.failures]
    assert words in _notes(report)


class Copies(nn.Module):
    """Copies on purpose that the gradient tells apart, and a widened net whose copies it does not."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.stem = nn.Conv2d(6, 16, 3, padding=1)
        self.out = nn.Conv2d(16 if kind != "shuffled" else 4, 4, 1)
        with torch.no_grad():
            if kind == "inflated":
                self.stem.weight.copy_(nn.init.kaiming_normal_(torch.empty(16, 3, 3, 3)).repeat(1, 2, 1, 1) / 2)
            elif kind == "shuffled":
                self.stem.weight.copy_(nn.init.kaiming_normal_(torch.empty(4, 6, 3, 3)).repeat_interleave(4, 0))
                nn.init.zeros_(self.stem.bias)
            else:
                self.stem.weight.copy_(nn.init.kaiming_normal_(torch.empty(8, 6, 3, 3)).repeat(2, 1, 1, 1))
                self.stem.bias.copy_(torch.randn(8).repeat(2))
                self.out.weight.copy_(torch.randn(4, 8, 1, 1).repeat(1, 2, 1, 1) / 2)

    def forward(self, image: Tensor) -> Tensor:
        x = torch.relu(self.stem(image))
        return self.out(nn.functional.pixel_shuffle(x, 2) if self.kind == "shuffled" else x)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("inflated", "54 columns are copies in blocks of 2"), ("shuffled", "16 rows are copies in blocks of 4")],
)
def test_copies_that_the_gradient_tells_apart_are_named_and_hold(kind: str, words: str) -> None:
    report = initcheck.check_model(lambda: Copies(kind), batch="2x6x8x8", claims=[DISTINCT])
    assert report[DISTINCT].verdict is Verdict.HOLDS
    assert words in _notes(report)
    assert "their gradients differ" in _notes(report)


def test_copies_whose_gradients_are_equal_fail() -> None:
    said = initcheck.check_model(lambda: Copies("widened"), batch="2x6x8x8", claims=[DISTINCT])[DISTINCT].evidence
    assert "stem.weight: 16 rows are copies in blocks of 2, such as 0 and 8, and so are their gradients" in "\n".join(
        [str(said.case), *said.detail]
    )


class Wrapped(nn.Module):
    def __init__(self, wrap: Callable[[nn.Module], nn.Module], odd: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(6):
            layer = nn.Linear(16, 16)
            nn.init.normal_(layer.weight, std=2.0 if odd and i == 3 else 0.2)
            self.layers.append(wrap(layer))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


@pytest.mark.parametrize(
    "wrap", [parametrizations.weight_norm, parametrizations.orthogonal, parametrizations.spectral_norm],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_parametrized_layers_are_siblings(wrap: Callable[[nn.Module], nn.Module]) -> None:
    report = initcheck.check_model(lambda: Wrapped(wrap), batch="4x16", claims=[*CLAIMS, "rebuilds-the-same"])
    assert not report.failures, [(r.claim, r.evidence.case) for r in report.failures]


def test_a_parametrized_layer_of_another_law_fails() -> None:
    build = lambda: Wrapped(parametrizations.weight_norm, odd=True)  # noqa: E731
    said = initcheck.check_model(build, batch="4x16", claims=[LAW])[LAW].evidence.case
    assert "layers.3.parametrizations.weight.original1: drawn as normal std 2, its 5 siblings as normal std 0.2" in str(
        said
    )


class Overwritten(nn.Module):
    """Five layers drawn by one line; of the fourth another line writes anew, or the first leaves it out."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(5))
        for i, layer in enumerate(self.layers):
            if kind == "overwritten" or i != 3:
                nn.init.normal_(layer.weight, std=0.3)
        nn.init.normal_(self.layers[3].weight, std=0.9)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


@pytest.mark.parametrize(("kind", "words"), [("overwritten", "overwrites what"), ("left out", "leaves it out")])
def test_the_cause_says_whether_the_line_of_the_siblings_had_drawn_it_too(kind: str, words: str) -> None:
    evidence = initcheck.check_model(lambda: Overwritten(kind), batch="2x8", claims=[LAW])[LAW].evidence
    assert "layers.3.weight: drawn as normal std 0.9" in str(evidence.case)
    assert words in str(evidence.likely)


class Gated(nn.Module):
    """Three layers of an LSTM whose forget gates start open: all of them, or the first alone."""

    def __init__(self, opened: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 12, num_layers=3, batch_first=True)
        for number in range(opened):
            nn.init.constant_(getattr(self.lstm, f"bias_hh_l{number}")[12:24], 3.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


def test_entries_that_are_written_in_one_of_its_siblings_alone_are_the_cause() -> None:
    evidence = initcheck.check_model(lambda: Gated(1), batch="2x5x6", claims=[LAW])[LAW].evidence
    assert "entries 12..23 constant 3" in str(evidence.case)
    assert "writes entries 12..23 of it, and of none of its siblings" in str(evidence.likely)
    assert evidence.fix == "write the same entries of all of them, or of none"
    assert initcheck.check_model(lambda: Gated(3), batch="2x5x6", claims=[LAW])[LAW].verdict is Verdict.HOLDS


def _opened() -> nn.Module:
    layer = nn.LSTM(6, 12, batch_first=True)
    nn.init.constant_(layer.bias_hh_l0[12:24], 3.0)
    return layer


class Redrawn(nn.Linear):
    """Its own initialisation halves what is there."""

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight) if not hasattr(self, "drawn") else self.weight.data.mul_(0.5)
        nn.init.zeros_(self.bias)
        self.drawn = True


def test_the_default_of_torch_run_again_is_no_second_start_of_what_a_factory_wrote() -> None:
    claim = "rebuilds-the-same"
    assert initcheck.check_model(_opened, batch="2x5x6", claims=[claim])[claim].verdict is Verdict.HOLDS
    again = initcheck.check_model(lambda: Redrawn(16, 16), batch="2x16", claims=[claim])[claim]
    assert again.verdict is Verdict.FAILS
    assert "reset_parameters() runs a second time" in str(again.evidence.case)


class Apart(nn.Module):
    """Blocks whose own initialisation is for the one who builds them to call, as with FSDP."""

    def __init__(self, call: bool) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(32, 64), nn.Linear(64, 32)
        if call:
            self.init_weights()

    def init_weights(self) -> None:
        for layer in (self.up, self.down):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(torch.relu(self.up(x)))


def test_an_initialisation_that_was_never_called_does_not_run_a_second_time() -> None:
    claim = "rebuilds-the-same"
    assert initcheck.check_model(lambda: Apart(True), batch="2x32", claims=[claim])[claim].verdict is Verdict.HOLDS
    never = initcheck.check_model(lambda: Apart(False), batch="2x32", claims=[claim])[claim]
    assert never.verdict is Verdict.UNDECIDED
    assert "init_weights() is not called while the model is built, and gives another law: up.weight" in str(
        never.reason
    )
    assert "call it in the factory" in str(never.reason)


class Deep(nn.Module):
    """Three blocks with a law of depth that one of them may leave."""

    def __init__(self, stds: tuple[float, ...]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(48, 48) for _ in stds)
        for block, std in zip(self.blocks, stds, strict=True):
            nn.init.trunc_normal_(block.weight, std=std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = x + block(x)
        return x


@pytest.mark.parametrize(
    "stds", [[0.02 / (2 * (i + 2)) ** 0.5 for i in range(3)], [0.02 / (i + 1) for i in range(3)], [0.03, 0.02, 0.01]]
)
def test_three_blocks_make_a_law_of_depth_where_their_sizes_lie_on_one_curve(stds: list[float]) -> None:
    law = "siblings-share-one-law"
    report = initcheck.check_model(lambda: Deep(tuple(stds)), batch="2x48", claims=[law])
    assert report[law].verdict is Verdict.HOLDS
    assert any("a law of depth" in note for note in report[law].notes)
    off = initcheck.check_model(lambda: Deep((*stds[:2], stds[2] / 1.5)), batch="2x48", claims=[law])
    assert off[law].verdict is Verdict.UNDECIDED
