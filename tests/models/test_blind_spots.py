"""Values nobody starts from, lost initialisations, models read from files, promises, scalings, inputs that get lost."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from model_zoo_parts import GPT, mlp
from torch import Tensor, nn

import initcheck
from initcheck.models.frameworks.torch_facts import TorchFacts
from initcheck.models.rules.lost_writes import written_by
from initcheck.rendering.model_lines import note_lines
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

ABSURD, LOST, LAW = "no-value-is-absurd", "nothing-special-is-lost", "siblings-share-one-law"
DECLARED, REACH, SCALING = (
    "declared-laws-are-in-force",
    "input-reaches-the-output",
    "residual-writers-share-one-scaling",
)


def _said(report: Report, claim: str) -> str:
    result = report[claim]
    return "\n".join([str(result.evidence.case), *result.evidence.detail, str(result.reason), *result.notes])


def _six() -> nn.Module:
    return mlp(6)


def _changed(change: Callable[[nn.Module], object], make: Callable[[], nn.Module] = _six) -> nn.Module:
    model = make()
    with torch.no_grad():
        change(model)
    return model


# -- absurd values


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: nn.init.constant_(m[2].weight, math.nan), "2.weight: 1,024 of 1,024 entries are NaN"),
        (lambda m: m[2].weight.data[3, 5].fill_(math.nan), "1 of 1,024 entries are NaN, the first at [3, 5]"),
        (lambda m: m[2].bias.data.fill_(math.inf), "2.bias: 32 of 32 entries are infinite"),
        (lambda m: m[2].weight.data.copy_(torch.randn(32, 32).half().mul(1e-8).float()), "entries are 0, though"),
    ],
    ids=["nan", "one nan", "inf", "underflow"],
)  # fmt: skip
def test_an_absurd_value_fails(change: Callable[[nn.Module], object], words: str) -> None:
    report = initcheck.check_model(lambda: _changed(change), claims=[ABSURD])
    assert report[ABSURD].verdict is Verdict.FAILS
    if words != "entries are 0, though":
        assert words in _said(report, ABSURD)


def test_what_is_absurd_is_not_sent_through_the_blocks() -> None:
    report = initcheck.check_model(lambda: _changed(lambda m: nn.init.constant_(m[2].weight, math.nan)))
    for claim in ("signal-survives-the-blocks", "gradient-survives-the-blocks", "starts-at-chance", REACH):
        assert str(report[claim].reason).startswith("needs no-value-is-absurd")


def test_a_mask_of_infinities_is_a_note() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(4, 4)
            self.register_buffer("mask", torch.full((4, 4), -math.inf).triu(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    report = initcheck.check_model(Masked, claims=[ABSURD])
    assert report[ABSURD].verdict is Verdict.HOLDS
    assert "mask: 6 of 16 entries are infinite" in _said(report, ABSURD)


# -- lost initialisations


class Mixer(nn.Module):
    def __init__(self, width: int, marked: bool) -> None:
        super().__init__()
        self.step, self.out = nn.Linear(4, width), nn.Linear(width, 4)
        nn.init.uniform_(self.step.weight, -0.5, 0.5)
        if marked:
            self.step.weight._no_reinit = True  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(torch.tanh(self.step(x)))


class Mixers(nn.Module):
    def __init__(self, marked: bool = False, respect: bool = False) -> None:
        super().__init__()
        self.respect = respect
        self.layers = nn.ModuleList(Mixer(16, marked or respect) for _ in range(4))
        self.head = nn.Linear(4, 7)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear) and not (self.respect and hasattr(module.weight, "_no_reinit")):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def test_a_special_value_under_a_general_one_is_a_doubt_with_both_lines() -> None:
    result = initcheck.check_model(Mixers, claims=[LOST])[LOST]
    assert result.verdict is Verdict.UNDECIDED
    assert "layers.*.step.weight: uniform +-0.5 at " in str(result.reason)
    assert "is lost, normal std 0.02 at" in str(result.reason)
    assert "(4 of 4)" in str(result.reason)


def test_a_special_value_that_its_author_marked_fails_where_it_is_lost_and_holds_where_it_is_kept() -> None:
    assert initcheck.check_model(lambda: Mixers(marked=True), claims=[LOST])[LOST].verdict is Verdict.FAILS
    assert initcheck.check_model(lambda: Mixers(respect=True), claims=[LOST])[LOST].verdict is Verdict.HOLDS


def test_a_recipe_that_overwrites_the_general_by_the_special_holds() -> None:
    assert initcheck.check_model(GPT, claims=[LOST])[LOST].verdict is Verdict.HOLDS


def test_the_table_of_writers_names_lines_and_what_they_overwrote() -> None:
    table = {w.role: w for w in written_by(TorchFacts(Mixers, "mixers", 0, None, None))}
    step, head = table["layers.*.step.weight"], table["head.bias"]
    assert step.tensors == 4
    assert step.law == "normal std 0.02"
    assert any("uniform +-0.5 at" in over for over in step.over)
    assert head.default


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm], ids=["old", "new"])
def test_a_draw_into_a_weight_that_is_computed_anew_is_a_doubt(norm: Callable[[nn.Module], nn.Module]) -> None:
    def build(first: bool) -> nn.Module:
        layers = [nn.Linear(8, 8) for _ in range(3)]
        for layer in layers:
            if first:
                layer.weight.data.normal_(0.0, 0.1)
            norm(layer)
            if not first:
                layer.weight.data.normal_(0.0, 0.1)
        return nn.Sequential(*layers)

    lost = initcheck.check_model(lambda: build(False), claims=[LOST])[LOST]
    assert "reaches no parameter: 3 tensors such as 8x8" in str(lost.reason)
    assert initcheck.check_model(lambda: build(True), claims=[LOST])[LOST].verdict is Verdict.HOLDS


class OnACopy(nn.Module):
    """Layers whose initialisation is given a copy of their weight; what becomes of that is said."""

    def __init__(self, copied: Callable[[Tensor], Tensor], init: Callable[[Tensor], Any], back: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 12))
        with torch.no_grad():
            for layer in self.layers:
                drawn = copied(layer.weight)
                init(drawn)
                if back:
                    layer.weight.copy_(drawn.t() if drawn.shape != layer.weight.shape else drawn)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


@pytest.mark.parametrize("init", [nn.init.xavier_normal_, nn.init.orthogonal_, lambda w: w.normal_(0, 0.1)])
@pytest.mark.parametrize("copied", [lambda w: w.clone(), lambda w: w.t().contiguous(), lambda w: w.data.double()])
def test_a_draw_into_a_copy_of_a_weight_is_a_doubt(
    copied: Callable[[Tensor], Tensor], init: Callable[[Tensor], Any]
) -> None:
    lost = initcheck.check_model(lambda: OnACopy(copied, init, back=False), claims=[LOST])[LOST]
    assert "reaches no parameter: 2 tensors such as" in str(lost.reason)
    assert "are copies (clone, contiguous, to), and those values are lost" in str(lost.reason)
    assert initcheck.check_model(lambda: OnACopy(copied, init, back=True), claims=[LOST])[LOST].verdict is Verdict.HOLDS


def test_copies_of_a_layer_that_are_drawn_anew_are_no_doubt() -> None:
    def build() -> nn.Module:
        first = nn.Linear(8, 8)
        others = [copy.deepcopy(first) for _ in range(3)]
        for layer in others:
            nn.init.xavier_normal_(layer.weight)
        return nn.Sequential(first, *others[1:])  # one is not used

    assert initcheck.check_model(build, claims=[LOST])[LOST].verdict is Verdict.HOLDS


def test_a_weight_of_more_draws_than_are_known_by_number_has_lost_none() -> None:
    def build() -> nn.Module:
        layer = nn.Linear(8, 300)
        with torch.no_grad():
            rows = [layer.weight[:1].clone().uniform_(-0.3, 0.3) for _ in range(300)]
            layer.weight.copy_(torch.cat(rows))
        return layer

    assert initcheck.check_model(build, claims=[LOST])[LOST].verdict is Verdict.HOLDS


def test_an_initialisation_that_is_never_called_is_a_note_where_something_else_draws() -> None:
    class Forgotten(nn.Linear):
        def _init_weights(self) -> None:
            nn.init.orthogonal_(self.weight)

    def build() -> nn.Module:
        net = nn.Sequential(Forgotten(4, 4), nn.Linear(4, 4))
        nn.init.normal_(net[1].weight)
        return net

    report = initcheck.check_model(build, claims=[LOST])
    assert "Forgotten._init_weights() at" in _said(report, LOST)
    assert note_lines(report.results)[0].startswith("note    Forgotten._init_weights() at")
    assert note_lines(report.results, most=0) == ["note    1 more; --json has them all"]


# -- read from a file


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(11)
    file = tmp_path_factory.mktemp("saved") / "model.pt"
    torch.save(GPT(4, 16).state_dict(), file)
    return file


def _read(saved: Path, left_out: str = "nothing", again: bool = False) -> nn.Module:
    model = GPT(4, 16)
    state = {k: v for k, v in torch.load(saved).items() if left_out not in k}
    model.load_state_dict(state, strict=False)
    if again:
        model.apply(model._init_weights)
    return model


def test_a_model_that_is_read_is_fixed_and_no_seed_is_blamed(saved: Path) -> None:
    report = initcheck.check_model(lambda: _read(saved))
    assert not report.failures, [(r.claim, r.evidence.case) for r in report.failures]
    assert "the same at every seed, since read: 18 of 18 matrices" in _said(report, LAW)


def test_a_new_head_beside_what_was_read_holds(saved: Path) -> None:
    def build() -> nn.Module:
        return nn.Sequential(_read(saved), nn.Linear(67, 3))

    report = initcheck.check_model(build)
    assert not report.failures
    assert "random: 1.weight" in _said(report, LAW)


def test_blocks_that_stay_random_beside_blocks_that_were_read_fail(saved: Path) -> None:
    report = initcheck.check_model(lambda: _read(saved, "h.3."), claims=[LAW])
    assert "h.3.attn.c_attn.weight are random where their 3 siblings are fixed; so are 3 more roles" in _said(
        report, LAW
    )


def test_a_role_that_stays_random_beside_layers_that_were_read_is_a_doubt(saved: Path) -> None:
    result = initcheck.check_model(lambda: _read(saved, "attn.c_proj"), claims=[LAW])[LAW]
    assert result.verdict is Verdict.UNDECIDED
    assert "h.*.attn.c_proj.weight is random in every block, where" in str(result.reason)


def test_a_draw_over_what_was_read_fails(saved: Path) -> None:
    report = initcheck.check_model(lambda: _read(saved, again=True), claims=[LOST])
    assert "what was read from a file at" in _said(report, LOST)


# -- promises, and roles beside the rest


def _promising(tied: bool) -> nn.Module:
    model = GPT(2, 16, tied=tied)
    model.config = SimpleNamespace(tie_word_embeddings=True, vocab_size=67)
    return model


def test_a_tie_that_the_config_promises_is_looked_for() -> None:
    kept = initcheck.check_model(lambda: _promising(True), claims=[DECLARED])
    assert kept[DECLARED].verdict is Verdict.HOLDS
    assert "is tied to wte.weight" in str(kept[DECLARED].evidence.measured)
    lost = initcheck.check_model(lambda: _promising(False), claims=[DECLARED])
    assert "lm_head.weight is not tied to wte.weight" in _said(lost, DECLARED)


class _Translating(nn.Module):
    """Two tables of tokens, of the encoder and of the decoder; the library names the first as the input's."""

    def __init__(self, tied_to: str) -> None:
        super().__init__()
        self.source, self.target, self.head = nn.Embedding(67, 8), nn.Embedding(67, 8), nn.Linear(8, 67, bias=False)
        if tied_to:
            self.head.weight = getattr(self, tied_to).weight
        self.config = SimpleNamespace(tie_word_embeddings=True, vocab_size=67)

    def get_input_embeddings(self) -> nn.Module:
        return self.source

    def get_output_embeddings(self) -> nn.Module:
        return self.head


@pytest.mark.parametrize("table", ["source", "target", ""])
def test_a_head_is_tied_to_the_tokens_of_the_encoder_or_of_the_decoder(table: str) -> None:
    result = initcheck.check_model(lambda: _Translating(table), claims=[DECLARED])[DECLARED]
    assert result.verdict is (Verdict.HOLDS if table else Verdict.FAILS)
    assert not table or f"head.weight is tied to {table}.weight" in str(result.evidence.measured)


def test_a_padding_row_is_zero_as_torch_leaves_it() -> None:
    kept = initcheck.check_model(lambda: nn.Sequential(nn.Embedding(9, 4, padding_idx=2)), claims=[DECLARED])
    assert kept[DECLARED].verdict is Verdict.HOLDS
    build = lambda: _changed(lambda m: nn.init.normal_(m[0].weight), lambda: nn.Sequential(nn.Embedding(9, 4, 2)))  # noqa: E731
    assert "0: row 2 is its padding_idx and not zero" in _said(
        initcheck.check_model(build, claims=[DECLARED]), DECLARED
    )


def test_a_cut_normal_matches_a_config_before_and_after_the_cut() -> None:
    def build(std: float) -> nn.Module:
        model = mlp(4)
        for i in (0, 2, 4, 6):
            nn.init.trunc_normal_(model[i].weight, std=std, a=-2 * std, b=2 * std)
        model.config = SimpleNamespace(initializer_range=0.02)
        return model

    for std in (0.02, 0.02 / 0.8796):
        assert initcheck.check_model(lambda std=std: build(std), claims=[DECLARED])[DECLARED].verdict is Verdict.HOLDS
    assert initcheck.check_model(lambda: build(0.2), claims=[DECLARED])[DECLARED].verdict is Verdict.FAILS


def test_a_role_far_from_the_rest_is_a_doubt_with_factor_and_line() -> None:
    def build() -> nn.Module:
        model = GPT(4, 64, scaled=None)
        for block in model.h:
            nn.init.normal_(block.mlp.c_fc.weight)  # type: ignore[union-attr, arg-type]
        return model

    result = initcheck.check_model(build, claims=[DECLARED])[DECLARED]
    assert result.verdict is Verdict.UNDECIDED
    assert "h.*.mlp.c_fc.weight: std 1, 50 times 0.02 (" in str(result.reason)


# -- depth scaling, and inputs


def _scaled(names: tuple[str, ...], blocks: range = range(8), by: float = 4.0) -> nn.Module:
    model = GPT(8, 16, scaled=None)
    for i in blocks:
        for name in names:
            nn.init.normal_(model.h[i].get_submodule(name).weight, std=0.02 / by)  # type: ignore[union-attr, arg-type]
    return model


def test_a_scaling_of_all_that_writes_to_the_stream_holds() -> None:
    report = initcheck.check_model(lambda: _scaled(("attn.c_proj", "mlp.c_proj")), claims=[SCALING])
    assert report[SCALING].verdict is Verdict.HOLDS
    assert "write to the stream, 2 scaled by depth" in str(report[SCALING].evidence.measured)
    none = initcheck.check_model(lambda: _scaled(()), claims=[SCALING])
    assert none[SCALING].verdict is Verdict.NOT_APPLICABLE


def test_a_scaling_of_the_wrong_layer_fails_and_of_one_of_two_is_a_doubt() -> None:
    wrong = initcheck.check_model(lambda: _scaled(("attn.c_attn", "mlp.c_proj")), claims=[SCALING])
    assert "h.*.attn.c_proj.weight writes to the residual stream with std 0.02" in _said(wrong, SCALING)
    one = initcheck.check_model(lambda: _scaled(("mlp.c_proj",)), claims=[SCALING])
    assert one[SCALING].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("n", "said"), [(24, True), (16, True), (12, False), (50, False)])
def test_a_scaling_by_another_depth_than_the_model_has_is_a_doubt(n: int, said: bool) -> None:
    """Of eight blocks, over sqrt(2 n); 3 x 8 would be three writers a block, 2 x 50 is ten squared."""
    build = lambda: _scaled(("attn.c_proj", "mlp.c_proj"), by=math.sqrt(2 * n))  # noqa: E731
    result = initcheck.check_model(build, claims=[SCALING])[SCALING]
    assert (result.verdict is Verdict.UNDECIDED) is said
    assert (f"sqrt(2 x {n})" in str(result.reason)) is said


@pytest.mark.long
@pytest.mark.parametrize("blocks", [range(4), range(5), range(3, 8)], ids=["half", "not the last", "not the first"])
def test_a_scaling_of_some_blocks_is_no_law_of_depth(blocks: range) -> None:
    report = initcheck.check_model(lambda: _scaled(("attn.c_proj", "mlp.c_proj"), blocks), claims=[LAW])
    assert f"reaches {len(blocks)} of 8 blocks" in _said(report, LAW)


def test_an_input_that_is_drowned_or_lost_fails_and_one_behind_a_zero_head_does_not() -> None:
    assert initcheck.check_model(lambda: GPT(3, 16), claims=[REACH])[REACH].verdict is Verdict.HOLDS
    drown = lambda: _changed(lambda m: nn.init.normal_(m.wpe.weight, std=5.0), lambda: GPT(3, 16))  # noqa: E731
    assert "drowned on the way into h.0.ln_1" in _said(initcheck.check_model(drown, claims=[REACH]), REACH)
    dead = lambda: _changed(lambda m: nn.init.zeros_(m.ln_f.weight), lambda: GPT(3, 16))  # noqa: E731
    report = initcheck.check_model(dead, claims=[REACH])
    assert "two different inputs give one output; lost in ln_f" in _said(report, REACH)
    assert str(report[REACH].evidence.likely).startswith("ln_f.weight is 0 (")
    assert report[REACH].evidence.fix == "start ln_f.weight at 1, as a scale"
    zero = lambda: _changed(lambda m: nn.init.zeros_(m.lm_head.weight), lambda: GPT(3, 16, tied=False))  # noqa: E731
    assert initcheck.check_model(zero, claims=[REACH])[REACH].verdict is Verdict.NOT_APPLICABLE


class FromNumbers(nn.Module):
    """Layers whose weights are numbers that no draw of torch made, each of a seed."""

    def __init__(self, *seeds: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16, bias=False) for _ in seeds)
        for layer, seed in zip(self.layers, seeds, strict=True):
            numbers = np.random.default_rng(seed).standard_normal((16, 16)) / 4
            layer.weight = nn.Parameter(torch.tensor(numbers, dtype=torch.float32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


def test_fixed_matrices_that_are_copies_are_not_held_for_distinct() -> None:
    report = initcheck.check_model(lambda: FromNumbers(1, 1, 2), batch="4x16", claims=["tensors-are-distinct"])
    assert report["tensors-are-distinct"].verdict is Verdict.UNDECIDED
    assert "layers.0.weight, layers.1.weight are equal bit for bit" in _said(report, "tensors-are-distinct")
    others = initcheck.check_model(lambda: FromNumbers(1, 2, 3), batch="4x16", claims=["tensors-are-distinct"])
    assert others["tensors-are-distinct"].verdict is Verdict.HOLDS
