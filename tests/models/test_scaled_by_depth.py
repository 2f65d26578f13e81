"""Scaling by depth: each block its own, one slip away, or none; methods and ties that are lost."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.models.builds.places import places
from initcheck.report.verdict import Result, Verdict

SCALING, LOST, DECLARED = "residual-writers-share-one-scaling", "nothing-special-is-lost", "declared-laws-are-in-force"
WIDTH, BLOCKS = 24, 6
ROOT = math.sqrt(2 * BLOCKS)


class Gated(nn.Module):
    """SwiGLU: of its three matrices one writes to the stream."""

    def __init__(self, std: float, scaled: str = "w2") -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.w1, self.w3 = (nn.Linear(WIDTH, 64, bias=False) for _ in range(2))
        self.w2 = nn.Linear(64, WIDTH, bias=False)
        for name in ("w1", "w2", "w3"):
            nn.init.normal_(getattr(self, name).weight, 0.0, std if name == scaled else 0.02)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        return x + self.w2(nn.functional.silu(self.w1(h)) * self.w3(h))


class Decoder(nn.Module):
    """Blocks by number in a dict, as torchtitan keeps them, or in a list."""

    def __init__(
        self, std_of: Callable[[int], float], scaled: str = "w2", *, by_name: bool = False, blocks: int = BLOCKS
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, WIDTH)
        made = [Gated(std_of(i), scaled) for i in range(blocks)]
        self.layers = nn.ModuleDict({str(i): b for i, b in enumerate(made)}) if by_name else nn.ModuleList(made)
        self.head = nn.Linear(WIDTH, 50, bias=False)
        nn.init.normal_(self.embed.weight, 0.0, 0.02)
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer in self.layers.values() if isinstance(self.layers, nn.ModuleDict) else self.layers:
            x = layer(x)
        return self.head(x)


def said(build: Callable[[], nn.Module], claim: str) -> Result:
    (result,) = [r for r in initcheck.check_model(build) if r.claim == claim]
    return result


def by_depth(i: int) -> float:
    return 0.02 / math.sqrt(2 * (i + 1))


@pytest.mark.parametrize("by_name", [False, True])
def test_each_block_may_have_its_own_scaling(by_name: bool) -> None:
    sound = said(lambda: Decoder(by_depth, by_name=by_name), SCALING)
    assert (sound.verdict, sound.evidence.measured) == (
        Verdict.HOLDS, "layers.*.w2.weight write to the stream, 1 scaled by depth",
    )  # fmt: skip
    wrong = said(lambda: Decoder(by_depth, "w3", by_name=by_name), SCALING)
    assert wrong.verdict is Verdict.FAILS
    assert "layers.*.w3.weight does not write to it" in str(wrong.evidence.case)


@pytest.mark.parametrize(
    ("std", "words"),
    [(0.02 / ROOT**2, "= 0.02/(2 x 6)"), (0.02 * ROOT, "= 0.02 x sqrt(2 x 6)"), (0.02 / ROOT, ""), (0.02, "")],
)
def test_a_scaling_by_one_slip_is_asked_about(std: float, words: str) -> None:
    found = said(lambda: Decoder(lambda _: std), SCALING)
    assert (found.verdict is Verdict.UNDECIDED) == bool(words)
    assert words in (found.reason or "")


@pytest.mark.parametrize(("blocks", "factor"), [(5, 0.1), (8, 4.0)])
def test_a_round_factor_is_no_slip(blocks: int, factor: float) -> None:
    assert said(lambda: Decoder(lambda _: 0.02 * factor, blocks=blocks), SCALING).verdict is not Verdict.UNDECIDED


class Keyed(nn.Module):
    """Layers in a dict that counts them from 1, and holds them in another order."""

    def __init__(self, std_of: Callable[[int], float]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({str(i): nn.Linear(WIDTH, WIDTH) for i in (3, 1, 2, 4)})
        for number, layer in self.layers.items():
            nn.init.normal_(layer.weight, 0.0, std_of(int(number)))

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, 5):
            x = x + torch.tanh(self.layers[str(number)](x))
        return x


@pytest.mark.parametrize(
    ("std_of", "verdict"),
    [(lambda i: 0.2 / math.sqrt(2 * i), Verdict.HOLDS), (lambda i: (0.1, 0.3, 0.2, 0.15)[i - 1], Verdict.UNDECIDED)],
)
def test_a_dict_may_count_its_blocks_from_one_and_in_any_order(
    std_of: Callable[[int], float], verdict: Verdict
) -> None:
    assert said(lambda: Keyed(std_of), "siblings-share-one-law").verdict is verdict
    assert [places(Keyed(std_of))[f"layers.{i}.weight"].block for i in (3, 1)] == [3, 1]


def test_defaults_of_several_kinds_are_no_scaling() -> None:
    """A state space block: a kernel of four and a step of rank four share a number by chance, and no scheme."""

    class Mixer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inwards, self.conv = nn.Linear(WIDTH, 48, bias=False), nn.Conv1d(48, 48, 4, groups=48, padding=3)
            self.pick, self.step = nn.Linear(48, 4, bias=False), nn.Linear(4, 48)
            self.out = nn.Linear(48, WIDTH, bias=False)
            nn.init.uniform_(self.step.weight, -0.5, 0.5)
            with torch.no_grad():
                self.out.weight /= 2

        def forward(self, x: Tensor) -> Tensor:
            h = self.conv(self.inwards(x).transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)
            return x + self.out(h * torch.sigmoid(self.step(self.pick(h))))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.layers = nn.Embedding(50, WIDTH), nn.ModuleList(Mixer() for _ in range(4))

        def forward(self, tokens: Tensor) -> Tensor:
            x = self.embed(tokens)
            for layer in self.layers:
                x = layer(x)
            return x

    assert said(Net, SCALING).verdict is Verdict.NOT_APPLICABLE


class Forgotten(Decoder):
    """Defines an initialisation; whether it is called is for the factory."""

    def __init__(self, std: float | None = None) -> None:
        nn.Module.__init__(self)
        self.embed, self.layers = nn.Embedding(50, WIDTH), nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.head = nn.Linear(WIDTH, 50)
        if std is not None:
            nn.init.normal_(self.head.weight, 0.0, std)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)


@pytest.mark.parametrize(
    ("build", "verdict"),
    [
        (Forgotten, Verdict.UNDECIDED),
        (lambda: Forgotten(0.02), Verdict.HOLDS),
        (lambda: (net := Forgotten()).apply(net._init_weights), Verdict.HOLDS),
    ],
)
def test_a_method_that_was_never_called_is_asked_about_where_nothing_else_drew(
    build: Callable[[], nn.Module], verdict: Verdict
) -> None:
    found = said(build, LOST)
    assert found.verdict is verdict
    if verdict is Verdict.UNDECIDED:
        assert "Forgotten._init_weights() at" in (found.reason or "")


class Later(nn.Module):
    """Layers as torch draws them, and methods that initialise something else, or at another time."""

    def __init__(self, drawn: bool = False) -> None:
        super().__init__()
        self.body, self.head, self.mean = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 4), nn.Parameter(torch.zeros(WIDTH))
        if drawn:
            self.init_weights()

    def init_weights(self) -> None:
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def initialize_from(self, x: Tensor) -> None:
        self.mean.data.copy_(x.mean(0))

    def initialize_hidden(self, rows: int) -> Tensor:
        return self.mean.new_empty(rows, WIDTH).zero_()

    def reinitialize_head(self, classes: int) -> None:
        self.head = nn.Linear(WIDTH, classes)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.initialize_from(x)
        return self.head(torch.relu(self.body(x) - self.mean))


def test_a_method_that_is_for_later_is_no_doubt() -> None:
    found = said(Later, LOST)
    assert found.verdict is Verdict.HOLDS
    assert all(f"Later.{name}() at" in " ".join(found.notes) for name in ("initialize_from", "initialize_hidden"))


class Tied(nn.Module):
    """A head that is tied to the embedding, and perhaps drawn anew as a tensor of its own."""

    def __init__(self, then: str = "") -> None:
        super().__init__()
        self.embed, self.body = nn.Embedding(50, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 50, bias=False)
        self.head.weight = self.embed.weight
        if then == "new":
            self.head.weight = nn.Parameter(torch.randn(50, WIDTH) * 0.02)
        elif then == "frozen":
            self.head.weight = nn.Parameter(self.embed.weight.detach().clone(), requires_grad=False)
        elif then == "drawn":
            nn.init.normal_(self.head.weight, 0.0, 0.02)
        elif then == "replaced":
            self.head = nn.Linear(WIDTH, 50, bias=False)
        elif then == "tied again":
            self.head.weight = nn.Parameter(self.embed.weight.detach().clone())
            self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.body(self.embed(tokens)))


@pytest.mark.parametrize(
    ("then", "undone"),
    [("", False), ("new", True), ("frozen", False), ("drawn", False), ("replaced", False), ("tied again", False)],
)
def test_a_tie_that_was_made_and_undone_is_asked_about(then: str, undone: bool) -> None:
    found = said(lambda: Tied(then), LOST)
    assert found.verdict is (Verdict.UNDECIDED if undone else Verdict.HOLDS)
    assert ("head.weight was tied to embed.weight" in (found.reason or "")) == undone


def test_a_loop_over_children_in_a_constructor_goes_no_deeper() -> None:
    """``super().__init__()`` in a constructor is no call of itself."""

    class Shallow(Forgotten):
        def __init__(self) -> None:
            super().__init__()
            for module in self.children():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, 0.0, 0.02)

    found = said(Shallow, DECLARED)
    assert found.verdict is Verdict.UNDECIDED
    assert "in a loop over children, which goes no deeper" in (found.reason or "")
