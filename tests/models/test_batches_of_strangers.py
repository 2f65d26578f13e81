"""Batches of models as strangers write them: splits, offsets, states beside the input, dicts of fields, labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import Signal


def _heard(model: nn.Module) -> Signal:
    return Listener(None).hear(LiveModule(model))


class Split(nn.Module):
    """Places and views in one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.out = nn.Linear(21, 16), nn.Linear(16 + 9, 4)

    def forward(self, x: Tensor) -> Tensor:
        places, views = torch.split(x, [21, 9], dim=-1)
        return self.out(torch.cat([self.places(places).relu(), views], -1))


class Fields(nn.Module):
    """Fields of one table, each from its own offset on."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offsets", torch.tensor([0, 20, 50, 60]))
        self.table, self.out = nn.Embedding(100, 8), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.table(x + self.offsets).flatten(1))


class Memory(nn.Module):
    """An LSTM that is given what was read of a memory beside the input."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(8 + 10, 16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        read, state = x.new_zeros(x.shape[1], 10), None
        for step in x:
            made, state = self.lstm(torch.cat([step, read], 1)[None], state)
            read = self.out(made[0])
        return read


class Fed(nn.Module):
    """A decoder that is given its own last frame first."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.frames, self.out = nn.Embedding(40, 16), nn.Linear(20, 16), nn.Linear(16, 20)

    def forward(self, text: Tensor, mels: Tensor) -> Tensor:
        steps = mels.permute(2, 0, 1)
        steps = torch.cat((steps.new_zeros(1, steps.size(1), 20), steps), dim=0)
        return self.out(self.frames(steps) + self.text(text).mean(1))


class Towers(nn.Module):
    """One argument, a dict of ids, bags and numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item, self.genre = nn.Embedding(60, 16), nn.Embedding(80, 16), nn.EmbeddingBag(8, 16)
        self.one, self.two = nn.Linear(16 + 3, 8), nn.Linear(32, 8)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        user = torch.cat([self.user(batch["user_id"]), batch["user_dense"]], -1)
        item = torch.cat([self.item(batch["item_id"]), self.genre(batch["genres"])], -1)
        return (self.one(user) * self.two(item)).sum(-1, keepdim=True)


class Labelled(nn.Module):
    """A label that has a default and is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.label = nn.Linear(12, 16), nn.Embedding(10, 16)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is not None, "must specify y"
        return self.body(x) + self.label(y)


@dataclass
class Config:
    seq_len: int = 48
    patch: int = 8
    width: int = 16


class Patches(nn.Module):
    """A series that is cut into patches; only its config says how long it is."""

    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.cfg, self.number = cfg, cfg.seq_len // cfg.patch
        self.embed, self.head = nn.Linear(cfg.patch, cfg.width), nn.Linear(cfg.width * self.number, 4)

    def forward(self, x: Tensor) -> Tensor:
        patches = x.permute(0, 2, 1).unfold(-1, self.cfg.patch, self.cfg.patch)
        made = self.embed(patches).reshape(-1, self.number, self.cfg.width)
        return self.head(made.reshape(-1, x.shape[2], self.number * self.cfg.width))


class Squeezed(nn.Module):
    """Two by two places of an image become channels, half of which a layer reads."""

    def __init__(self) -> None:
        super().__init__()
        self.shift, self.part = nn.Parameter(torch.zeros(1, 12, 1, 1)), nn.Conv2d(6, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = (nn.functional.pixel_unshuffle(x, 2) + self.shift).chunk(2, 1)
        return torch.cat([a, b + self.part(a)], 1)


class Atari(nn.Module):
    """Frames of 84 x 84, as a view alone says."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(4, 8, 8, 4), nn.ReLU(), nn.Conv2d(8, 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU()
        )
        self.out = nn.Linear(784, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.convs(x).view(-1, 784))


@pytest.mark.parametrize(
    ("build", "batch"),
    [
        (Split, "8x30"),
        (Fields, r"int<2:\dx4"),
        (Memory, r"\d+x\d+x8"),
        (Fed, r"text=int<40:2x16;mels=2x20x16"),
        (Towers, r"batch.user_id=int<60:8;.*batch.user_dense=8x3;.*genres=int<8:8x16"),
        (Labelled, r"x=8x12;y=int<10:8"),
        (lambda: Patches(Config()), r"2x48x\d+"),
        (Squeezed, r"4x3x\d+x\d+"),
        (Atari, "4x4x84x84"),
    ],
)
def test_a_batch_is_found(build: Callable[[], nn.Module], batch: str) -> None:
    signal = _heard(build())
    assert signal.problem is None
    assert all(re.search(part, signal.batch) for part in batch.split(".*"))


class Plain(nn.Module):
    """Reads a name that its code, or a module, does not have."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.table, self.out = how, nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        made = self.table(x)
        if self.how == "name":
            return self.out(hidden)  # type: ignore[name-defined]  # noqa: F821
        if self.how == "device":
            return self.out(made + torch.zeros(4, device="cuda"))
        if self.how == "tensor":
            return self.out(x.nothing)  # type: ignore[attr-defined]
        return self.first(made) if self.how == "module" else self.out(x)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("name", r"the code stops at NameError: name 'hidden' is not defined \(.*strangers.py:\d+: return self.out"),
        ("module", r"the code stops at AttributeError: 'Plain' object has no attribute 'first'"),
        ("tensor", r"ends in AttributeError: 'Tensor' object has no attribute"),
        ("shape", r"ends in RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_a_name_that_the_code_lacks_is_said_and_no_batch_is_to_be_edited_for_it(how: str, said: str) -> None:
    problem = str(_heard(Plain(how)).problem)
    assert re.search(said, problem)
    assert problem.endswith("mend it") is (how in ("name", "module"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="what asks for a GPU gets one")
def test_a_gpu_that_the_code_asks_for_is_said() -> None:
    """Some batches before it are refused for their sizes: what they say is not worth reading."""
    problem = str(_heard(Plain("device")).problem)
    assert re.search(
        r'with --batch="\d+x6" the code asks for a GPU \(.*strangers.py:\d+: return self.out\(made', problem
    )
    assert problem.endswith("; let it follow the device of its input, or check it beside one")


class Strict(nn.Module):
    """Wants so many rows at a time behind its first layer, which an error says without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor, scale: Tensor) -> Tensor:
        made = self.first(x)
        if len(made) != 5:
            raise AssertionError
        return self.out(made * scale)


def test_the_batch_that_got_furthest_is_shown_and_a_bare_assert_with_its_line() -> None:
    problem = str(_heard(Strict()).problem)
    assert re.search(
        r'--batch=".*8x6.*" ends in AssertionError \(.*strangers.py:\d+: raise AssertionError\); edit', problem
    )


def test_lazy_layers_are_given_something() -> None:
    for build in (lambda: nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)), Lazy):
        assert _heard(build()).problem is None


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.LazyLinear(8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x).relu())


def test_the_batch_has_the_type_that_most_of_the_model_has() -> None:
    class Flow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_parameter("loc", nn.Parameter(torch.zeros(6, dtype=torch.float64)))
            self.one, self.two = nn.Linear(6, 8), nn.Linear(8, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x).tanh()) - self.loc

    assert _heard(Flow()).problem is None
    assert _heard(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 6)).double()).problem is None


class Neighbours(nn.Module):
    """Points in (batch, channels, points); each is given beside how it differs from the ones next to it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(6, 8, 1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        _, _, points = x.size()
        near = torch.stack([x.roll(i, -1) for i in range(1, 4)], -1) - x[..., None]
        both = torch.cat([near, x[..., None].expand(-1, -1, points, 3)], 1)
        return self.out(self.conv(both).amax((2, 3)))


def test_channels_of_a_point_are_a_part_of_what_a_layer_is_given_of_it() -> None:
    assert _heard(Neighbours()).batch.startswith("4x3x")


class Style(nn.Module):
    """A generator whose first matrix by name is no layer that reads the noise."""

    def __init__(self, latent_dim: int = 12) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.start, self.style = nn.Parameter(torch.randn(1, 5, 4, 4)), nn.Parameter(torch.randn(5, latent_dim))

    def forward(self, z: Tensor) -> Tensor:
        return self.start * (z @ self.style.T)[:, :, None, None]


def test_noise_is_as_wide_as_the_model_says() -> None:
    assert _heard(Style()).batch == "8x12"
