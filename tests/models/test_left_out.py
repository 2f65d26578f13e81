"""What an initialization leaves out or zeroes, though it draws the rest of its kind; and designs that are sound."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

DECLARED, LOST = "declared-laws-are-in-force", "nothing-special-is-lost"


def _judged(build: Callable[[], nn.Module], claim: str, batch: str) -> Result:
    return initcheck.check_model(build, claims=[claim], batch=batch)[claim]


def _said(result: Result) -> str:
    return "\n".join([str(result.evidence.case), *result.evidence.detail, str(result.reason), *result.notes])


class Quiet(nn.Linear):
    """A Linear under another name."""


class Own(nn.Linear):
    """A Linear that draws itself as its author wants it."""

    def reset_parameters(self) -> None:
        nn.init.orthogonal_(self.weight)
        nn.init.zeros_(self.bias)


def _exactly(m: nn.Module) -> None:
    if type(m) is nn.Linear:
        nn.init.normal_(m.weight, std=0.02)


def _any(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.02)


def _net(last: type[nn.Linear]) -> nn.Module:
    return nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), last(16, 12), nn.ReLU(), last(12, 4)
    )


def test_a_class_derived_from_what_is_drawn_is_named_once_with_all_its_roles() -> None:
    found = _judged(lambda: _net(Quiet).apply(_exactly), DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    said = _said(found)
    assert said.count("Quiet is a Linear too") == 1
    assert (
        "4.weight, 6.weight: uniform +-0.25, the default of torch, while every other Linear is drawn (0.weight" in said
    )


@pytest.mark.parametrize(
    "build",
    [
        lambda: _net(Quiet).apply(_any),
        lambda: _net(Quiet),
        lambda: _net(Own).apply(_exactly),
        lambda: _net(nn.Linear).apply(_exactly),
    ],
    ids=["all drawn", "nothing drawn", "draws itself", "no such class"],
)
def test_no_class_is_named_that_is_not_left_out(build: Callable[[], nn.Module]) -> None:
    assert "default of torch" not in _said(_judged(build, DECLARED, "4x8"))


class Attends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn, self.out = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x + self.attn(x, x, x, need_weights=False)[0])


def _both(m: nn.Module) -> None:
    _any(m)
    if isinstance(m, nn.MultiheadAttention):
        nn.init.normal_(m.in_proj_weight, std=0.02)


def test_in_proj_weight_beside_an_out_proj_that_is_drawn_is_named() -> None:
    found = _judged(lambda: Attends().apply(_any), DECLARED, "2x5x16")
    assert found.verdict is Verdict.UNDECIDED
    assert "attn.in_proj_weight: uniform +-0.3062, the default of MultiheadAttention, while attn.out_proj" in _said(
        found
    )
    for sound in (Attends, lambda: Attends().apply(_both)):
        assert "default of MultiheadAttention" not in _said(_judged(sound, DECLARED, "2x5x16"))


class Cell(nn.Module):
    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.ih = nn.Linear(6, 32)
        with torch.no_grad():
            self.ih.bias.zero_()
            self.ih.bias[8:16] = value

    def forward(self, x: Tensor) -> Tensor:
        return self.ih(x).sigmoid()


def _zero(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.zeros_(m.bias)


def _zero_then_one(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.zeros_(m.bias)
        with torch.no_grad():
            m.bias[8:16].fill_(1.0)


def test_the_bias_of_a_gate_that_a_general_zero_overwrites_is_lost() -> None:
    found = _judged(lambda: Cell().apply(_zero), LOST, "4x6")
    assert found.verdict is Verdict.UNDECIDED
    assert "ih.bias: constant 1 in a part of it" in _said(found)
    for sound in (Cell, lambda: Cell().apply(_zero_then_one), lambda: Cell(0.0).apply(_zero)):
        assert _judged(sound, LOST, "4x6").verdict is Verdict.HOLDS


class Right(nn.Module):
    def __init__(self, *, parts: bool) -> None:
        super().__init__()
        self.qkv_weight, self.out = nn.Parameter(torch.empty(16, 48)), nn.Linear(16, 16)
        for part in self.qkv_weight.data.chunk(3, 1) if parts else [self.qkv_weight]:
            nn.init.xavier_uniform_(part)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (x @ self.qkv_weight).chunk(3, -1)
        return self.out((q @ k.mT).softmax(-1) @ v)


def test_xavier_on_three_matrices_side_by_side_is_named_and_one_by_one_is_not() -> None:
    assert "it holds 3 matrices of 16" in _said(_judged(lambda: Right(parts=False), DECLARED, "2x5x16"))
    assert "3 matrices" not in _said(_judged(lambda: Right(parts=True), DECLARED, "2x5x16"))


@pytest.mark.parametrize("anew", [False, True])
def test_a_line_that_draws_what_torch_had_drawn_is_not_asked_about(anew: bool) -> None:
    """Attention of torch draws its three matrices so by default; a loop over all matrices by Xavier does no more."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.head = nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 3)
            for parameter in self.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
            if anew:  # where torch had drawn nothing the line is the user's choice
                self.attention.in_proj_weight = nn.Parameter(torch.empty(48, 16))
                nn.init.xavier_uniform_(self.attention.in_proj_weight)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.attention(x, x, x)[0])

    found = _judged(Net, DECLARED, "2x5x16")
    assert found.verdict is (Verdict.UNDECIDED if anew else Verdict.NOT_APPLICABLE)
    assert "it holds 3 matrices of 16" in _said(found)


def _critic() -> nn.Module:
    """Two widths of convolutions under spectral norms, whose biases torch draws by their fans."""
    layers: list[nn.Module] = []
    for i, o in ((4, 8), (8, 8), (8, 8), (16, 8)):
        layers.append(nn.utils.parametrizations.spectral_norm(nn.Conv2d(i, o, 1)))
    return nn.Sequential(*layers)


def test_biases_are_siblings_where_the_weights_under_a_parametrization_have_one_shape() -> None:
    law = "siblings-share-one-law"
    sound = initcheck.check_model(_critic, claims=[law])[law]
    assert sound.verdict is Verdict.HOLDS, _said(sound)


def test_a_net_and_two_frozen_copies_are_meant_and_of_two_trained_copies_only_these_are_named() -> None:
    def build(second: bool) -> nn.Module:
        one = nn.Linear(8, 8)
        copies = [copy.deepcopy(one).requires_grad_(False) for _ in range(2)]
        return nn.ModuleList([one, *copies, *([copy.deepcopy(one)] if second else [])])

    claim = "tensors-are-distinct"
    assert initcheck.check_model(lambda: build(False), claims=[claim])[claim].verdict is Verdict.HOLDS
    found = initcheck.check_model(lambda: build(True), claims=[claim])[claim]
    assert found.verdict is Verdict.FAILS
    assert str(found.evidence.case).startswith("0.weight, 3.weight are equal bit for bit")


class Coded(nn.Module):
    """An encoder and a decoder, each of two layers."""

    def __init__(self, *drawn: str) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16))
        self.decoder = nn.Sequential(nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 8))
        for name in drawn:
            getattr(self, name).apply(_any)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def test_what_is_drawn_twice_beside_what_never_is_leaves_open_for_whom_it_was_meant() -> None:
    found = _judged(lambda: Coded("encoder", "encoder"), DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    assert "encoder.0.weight, encoder.2.weight of the same class are drawn twice over by" in _said(found)
    # Drawn again with all the rest, as where every part initialises itself first; and a head left as it is.
    for drawn in (("encoder", "decoder"), ("encoder", "encoder", "decoder"), ("encoder",)):
        assert _judged(lambda drawn=drawn: Coded(*drawn), DECLARED, "4x8").verdict is not Verdict.UNDECIDED


class Deep(nn.Module):
    """Two heads, and a body one module deeper."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU())
        self.one, self.two = nn.Linear(16, 4), nn.Linear(16, 3)
        getattr(self, how)()

    def children_only(self) -> None:
        for m in self.children():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.02)

    def by_a_function(self) -> None:
        for name in self._modules:
            _draw(self._modules[name])

    def recursive(self) -> None:
        _into(self)

    def all_modules(self) -> None:
        for m in self.modules():
            _draw(m)

    def heads_by_name(self) -> None:
        for m in (self.one, self.two):
            nn.init.normal_(m.weight, std=0.02)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.one(self.body(x)), self.two(self.body(x))


def _draw(m: nn.Module | None) -> None:
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.02)


def _into(m: nn.Module) -> None:
    for child in m.children():
        if isinstance(child, nn.Linear):
            nn.init.normal_(child.weight, std=0.02)
        _into(child)


@pytest.mark.parametrize("how", ["children_only", "by_a_function"])
def test_what_stands_deeper_than_a_loop_over_children_is_named(how: str) -> None:
    found = _judged(lambda: Deep(how), DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    said = _said(found)
    assert "body.0.weight, body.2.weight: the default of torch, while one.weight, two.weight of the same class" in said
    assert "in a loop over children, which goes no deeper; modules() does" in said


@pytest.mark.parametrize("how", ["recursive", "all_modules", "heads_by_name"])
def test_loops_that_go_deeper_and_heads_that_are_named_are_sound(how: str) -> None:
    assert _judged(lambda: Deep(how), DECLARED, "4x8").verdict is Verdict.NOT_APPLICABLE


def _met(m: nn.Module) -> None:
    if isinstance(m, nn.Linear) and not isinstance(m, nn.LazyLinear):
        nn.init.normal_(m.weight, std=0.1)


def _tall(last: Callable[[], nn.Module]) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), last())


def _replaced() -> nn.Module:
    net = _tall(lambda: nn.Linear(16, 4)).apply(_met)
    net[4] = nn.Linear(16, 3)
    return net


def _lazy() -> nn.Module:
    net = _tall(lambda: nn.LazyLinear(3)).apply(_met)
    net(torch.zeros(2, 8))
    return net


@pytest.mark.parametrize("build", [_replaced, _lazy], ids=["a new head", "a lazy head"])
def test_a_layer_that_came_behind_the_line_that_draws_all_others_is_named(build: Callable[[], nn.Module]) -> None:
    found = _judged(build, DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    assert "4.weight: uniform +-0.25, the default of torch, while every other Linear is drawn (0.weight" in _said(found)


class Encoder(nn.Module):
    """An encoder that draws itself, and a head that keeps the default of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = _tall(lambda: nn.Linear(16, 16)).apply(_met), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


class Chosen(nn.Module):
    """A stem that keeps the default of torch, and two parts that a loop draws."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body, self.head = nn.Linear(8, 8), _tall(lambda: nn.Linear(16, 16)), nn.Linear(16, 3)
        for part in (self.body, self.head):
            for m in part.modules():
                if isinstance(m, nn.Linear):
                    nn.init.normal_(m.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x)))


class Looped(nn.Module):
    """Every module is asked, and then comes another head."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = _tall(lambda: nn.Linear(16, 16)), nn.Linear(16, 3)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.1)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def test_a_head_that_comes_behind_a_loop_over_all_modules_is_named() -> None:
    assert "head.weight: uniform +-0.25, the default of torch, while every" in _said(_judged(Looped, DECLARED, "4x8"))


class Skipped(nn.Module):
    """Every module is asked, and the head, or what has one output, is skipped; what is replaced is the same layer."""

    def __init__(self, by: str) -> None:
        super().__init__()
        self.body, self.head = _tall(lambda: nn.Linear(16, 16)), nn.Linear(16, 1)
        for name, m in self.named_modules():
            if isinstance(m, nn.Linear) and (name != "head" if by == "name" else m.out_features > 1):
                nn.init.normal_(m.weight, std=0.1)
        if by == "replaced":
            self.head = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


@pytest.mark.parametrize(("by", "named"), [("name", False), ("size", False), ("replaced", True)])
def test_a_head_that_the_loop_met_and_skipped_was_not_put_in_behind_it(by: str, named: bool) -> None:
    assert ("it was put in behind that line" in _said(_judged(lambda: Skipped(by), DECLARED, "4x8"))) is named


def _by_hand() -> nn.Module:
    net = _tall(lambda: nn.Linear(16, 3))
    for layer in (net[0], net[2]):
        nn.init.normal_(layer.weight, std=0.1)
    return net


@pytest.mark.parametrize(
    "build", [Encoder, Chosen, _by_hand, lambda: _tall(lambda: nn.Linear(16, 4)).apply(_met)],
    ids=["a head beside its encoder", "parts that are chosen", "layers that are chosen", "all"],
)  # fmt: skip
def test_a_head_beside_what_is_drawn_keeps_its_default(build: Callable[[], nn.Module]) -> None:
    assert "every other Linear" not in _said(_judged(build, DECLARED, "4x8"))


class Parts(nn.Module):
    """A body and a last layer; what draws the weights goes over some of it."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.body = nn.ModuleList([nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 16)])
        self.out = nn.Linear(16, 4)
        getattr(self, how)()

    def of_the_body(self) -> None:
        for layer in self.body:
            nn.init.xavier_uniform_(layer.weight)

    def by_number(self) -> None:
        for i in range(len(self.body)):
            nn.init.xavier_uniform_(self.body[i].weight)

    def applied(self) -> None:
        self.body.apply(_xavier)

    def some_of_them(self) -> None:
        self.body = nn.ModuleList([*self.body, self.out])
        self.out = nn.Identity()
        for layer in self.body[:-1]:
            nn.init.xavier_uniform_(layer.weight)

    def of_all(self) -> None:
        for layer in (*self.body, self.out):
            nn.init.xavier_uniform_(layer.weight)

    def and_the_last(self) -> None:
        self.of_the_body()
        nn.init.normal_(self.out.weight, std=0.01)

    def another_class(self) -> None:
        self.of_the_body()
        self.out = nn.Bilinear(16, 16, 4)

    def one_by_one(self) -> None:
        nn.init.xavier_uniform_(self.body[0].weight)
        nn.init.xavier_uniform_(self.body[1].weight)
        nn.init.xavier_uniform_(self.body[2].weight)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.body:
            x = layer(x).tanh()
        return self.out(x, x) if isinstance(self.out, nn.Bilinear) else self.out(x)


def _xavier(m: nn.Module) -> None:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)


@pytest.mark.parametrize("how", ["of_the_body", "by_number", "applied", "some_of_them"])
def test_a_last_layer_behind_a_loop_over_a_part_of_the_model_is_asked_about(how: str) -> None:
    found = _judged(lambda: Parts(how), DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    last = "body.3.weight" if how == "some_of_them" else "out.weight"
    assert f"{last}: uniform +-0.25, the default of torch, while every Linear before it is drawn" in _said(found)
    assert "does not come to it" in _said(found)


@pytest.mark.parametrize("how", ["of_all", "and_the_last", "another_class", "one_by_one"])
def test_a_last_layer_that_is_drawn_or_of_another_class_is_none(how: str) -> None:
    assert _judged(lambda: Parts(how), DECLARED, "4x8").verdict is Verdict.NOT_APPLICABLE


def test_in_proj_weight_that_torch_draws_by_the_scheme_of_the_line_beside_it_is_none() -> None:
    """Torch draws it by Xavier too: nothing is left out of a model that is drawn by Xavier."""
    assert "default of MultiheadAttention" not in _said(_judged(lambda: Attends().apply(_xavier), DECLARED, "2x5x16"))


def test_a_loop_that_was_pasted_and_not_changed_leaves_open_for_whom_it_was_meant() -> None:
    def pasted(other: str) -> nn.Module:
        net = Coded()
        for m in net.encoder:
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
        for m in getattr(net, other):
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
        return net

    found = _judged(lambda: pasted("encoder"), DECLARED, "4x8")
    assert found.verdict is Verdict.UNDECIDED
    assert "encoder.0.weight, encoder.2.weight of the same class are drawn twice over by" in _said(found)
    assert _judged(lambda: pasted("decoder"), DECLARED, "4x8").verdict is not Verdict.UNDECIDED
