"""A batch for a module of torch is made of what its code gives each argument to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
)

import initcheck
from initcheck.models.batches.arguments import no_forward
from initcheck.models.batches.batch import Batch
from initcheck.models.batches.readers import readers
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.modules.outputs import tensors_in
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.untrained import untrained


class Conditional(nn.Module):
    """A generator: a label is a row of a table, noise stands beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(10, 6)
        self.body = nn.Sequential(nn.Linear(26, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, noise: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.body(torch.cat((self.label(labels), noise), -1))


class Judge(nn.Module):
    """A discriminator: an image is laid flat beside the row of its label."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(10, 6)
        self.body = nn.Linear(70, 1)

    def forward(self, img: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        joined = torch.cat((img.view(img.size(0), -1), self.label(labels)), -1)
        return self.body(joined)


class Words(nn.Module):
    """A language model that is handed its state."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.rnn, self.decoder = nn.Embedding(50, 8), nn.LSTM(8, 12, 2), nn.Linear(12, 50)

    def forward(self, tokens: torch.Tensor, hidden: Any) -> Any:
        made, hidden = self.rnn(self.table(tokens), hidden)
        return self.decoder(made), hidden


class Pair(nn.Module):
    """Two sequences, each with a mask, read by functions of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Linear(8, 8)
        self.source, self.target = nn.Sequential(nn.Embedding(20, 8)), nn.Sequential(nn.Embedding(30, 8))

    def forward(self, src: Any, tgt: Any, src_mask: Any, tgt_mask: Any) -> torch.Tensor:
        return self.decode(self.encode(src, src_mask), tgt, tgt_mask)

    def encode(self, src: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.look(self.source(src), self.source(src), mask)

    def decode(self, memory: torch.Tensor, tgt: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.look(self.target(tgt), memory, mask)

    def look(self, query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        scores = (query @ key.transpose(-2, -1)).unsqueeze(1).masked_fill(mask.unsqueeze(1) == 0, -1e9)
        return self.attention(scores.squeeze(1).softmax(-1) @ key)


class ByKey(nn.Module):
    """An image, and the classes that its call takes of the keywords."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.stem = nn.Linear(10, 32 * 32), nn.Conv2d(4, 4, 3, padding=1)
        self.head = nn.Linear(4 * 32 * 32, 2)

    def forward(self, x: torch.Tensor, **kwargs: torch.Tensor) -> torch.Tensor:
        plane = self.classes(kwargs["labels"].float()).view(-1, 1, 32, 32)
        return self.head(self.stem(torch.cat([x, plane], 1)).flatten(1))


class Frames(nn.Module):
    """Pixels of 84 by 84, as a network of games takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 8, 8, 4), nn.ReLU(), nn.Flatten(), nn.Linear(3200, 6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x / 255.0)


class Rows(nn.Module):
    """Rows of an image, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.LSTM(28, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(rows.reshape(-1, 28, 28))[0][:, -1])


class Halves(nn.Module):
    """Half of the numbers scale the other half."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        one, two = z.chunk(2, dim=-1)
        return torch.cat([one, two * self.scale(one).exp()], -1)


class Three(nn.Module):
    """Three codes beside one another, of widths that only their sum tells."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(20, 4)

    def forward(self, noise: torch.Tensor, labels: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return self.body(torch.cat([noise, labels, code], 1))


class Series(nn.Module):
    """A line over time for every channel: its axes are exchanged before."""

    def __init__(self) -> None:
        super().__init__()
        self.seq_len = 24
        self.season, self.trend = nn.Linear(24, 12), nn.Linear(24, 12)

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x

    def forward(self, x_enc: torch.Tensor, x_mark: torch.Tensor) -> torch.Tensor:
        season, trend = self.split(x_enc)
        made = self.season(season.permute(0, 2, 1)) + self.trend(trend.permute(0, 2, 1))
        return made.permute(0, 2, 1)[:, -12:, :]


@pytest.mark.parametrize(
    ("build", "batch"),
    [
        (Conditional, "noise=8x20;labels=int<10:8"),
        (Judge, "img=8x64;labels=int<10:8"),
        (Words, "tokens=int<50:2x16;hidden.0=2x16x12;hidden.1=2x16x12"),
        (Pair, "src=int<20:2x16;tgt=int<30:2x16;src_mask=ones:2x16;tgt_mask=ones:2x16"),
        (ByKey, "x=4x3x32x32;labels=4x10"),
        (Frames, "int<256:4x4x84x84"),
        (Rows, "2x28x28"),
        (Halves, "8x2"),
        (Three, "noise=8x8;labels=8x6;code=8x6"),
        (Series, "x_enc=2x24x16;x_mark=2x24x16"),
        (lambda: nn.LSTMCell(8, 16), "input=8x8;hx.0=8x16;hx.1=8x16"),
        (lambda: nn.GRUCell(8, 16), "input=8x8;hx=8x16"),
    ],
)
def test_every_argument_is_made_as_its_layer_takes_it(build: Callable[[], nn.Module], batch: str) -> None:
    torch.manual_seed(0)
    heard = Listener(None).hear(LiveModule(build()))
    assert heard.problem is None
    assert heard.batch == batch


def test_what_is_lost_on_the_way_is_said_to_be_read_by_none() -> None:
    class Opaque(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(6, 2)

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self.line(torch.cat([x, torch.fft.rfft(y).real], 1)) + self.line(x[..., None].sum(-1))

    assert readers(Opaque()) == {}


def test_a_cell_is_given_a_state_so_that_what_reads_it_is_judged() -> None:
    report = initcheck.check_model(lambda: nn.LSTMCell(8, 16), models=3)
    assert report["gradient-reaches-every-tensor"].verdict.value == "HOLDS"


class Actor(nn.Module):
    """A policy that returns a distribution."""

    def __init__(self, *, cut: bool = False) -> None:
        super().__init__()
        self.body, self.mean = nn.Sequential(nn.Linear(11, 32), nn.Tanh()), nn.Linear(32, 3)
        self.log_std, self.cut = nn.Parameter(torch.zeros(3)), cut

    def forward(self, state: torch.Tensor) -> Independent:
        made = self.body(state)
        made = made.detach() if self.cut else made
        return Independent(Normal(self.mean(made), self.log_std.exp()), 1)


@dataclass
class Answer:
    loss: torch.Tensor
    actions: Independent


class Wrapped(nn.Module):
    """The same policy, its answer in a dataclass behind a number."""

    def __init__(self, *, cut: bool = False) -> None:
        super().__init__()
        self.actor = Actor(cut=cut)

    def forward(self, state: torch.Tensor) -> Answer:
        found = self.actor(state)
        return Answer(found.entropy().mean(), found)


@pytest.mark.parametrize("kind", [Actor, Wrapped])
def test_a_distribution_is_an_output(kind: Callable[..., nn.Module]) -> None:
    sound = initcheck.check_model(kind, models=3)
    assert sound["input-reaches-the-output"].verdict.value == "HOLDS"
    assert sound["gradient-reaches-every-tensor"].verdict.value == "HOLDS"
    cut = initcheck.check_model(lambda: kind(cut=True), models=3)
    assert cut["gradient-reaches-every-tensor"].verdict.value == "UNDECIDED"


class Fixed(nn.Module):
    """A distribution of which one part is made of the input, and another is the same for all."""

    def __init__(self, kind: str, *, blind: bool = False) -> None:
        super().__init__()
        self.body, self.kind, self.blind = nn.Sequential(nn.Linear(11, 32), nn.Tanh(), nn.Linear(32, 3)), kind, blind
        self.register_buffer("spread", torch.full((3,), 0.4))

    def forward(self, state: torch.Tensor) -> Any:
        made = self.body(0 * state if self.blind else state)
        if self.kind == "covariance":
            return MultivariateNormal(made, torch.diag(self.spread)[None])
        if self.kind == "count":
            return NegativeBinomial(self.spread.expand(8, 3), logits=made)
        return MixtureSameFamily(Categorical(self.spread.expand(8, 3)), Normal(made, self.spread))


@pytest.mark.parametrize("kind", ["covariance", "count", "mixture"])
def test_of_a_distribution_what_is_made_of_the_input_is_compared(kind: str) -> None:
    claim = "input-reaches-the-output"
    verdicts = [
        initcheck.check_model(lambda blind=blind: Fixed(kind, blind=blind), claims=[claim], batch="8x11")[claim].verdict
        for blind in (False, True)
    ]
    assert [v.value for v in verdicts] == ["HOLDS", "FAILS"]


def test_an_output_that_names_a_library_is_not_the_library() -> None:
    made = torch.zeros(2, 3)
    assert [t is made for t in tensors_in(SimpleNamespace(backend=torch, made=made))] == [True]


class Noisy(nn.Module):
    """A layer with a learnt noise that it adds in training alone."""

    def __init__(self, *, used: bool = True) -> None:
        super().__init__()
        self.line, self.sigma, self.used = nn.Linear(6, 4), nn.Parameter(torch.full((4, 6), 0.1)), used
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and self.used:
            self.steps += 1
            return self.line(x) + x @ (self.sigma * torch.randn(4, 6)).T
        return self.line(x)


def test_what_runs_in_training_alone_is_trained() -> None:
    verdicts = [
        initcheck.check_model(lambda used=used: Noisy(used=used), models=3)["gradient-reaches-every-tensor"].verdict
        for used in (True, False)
    ]
    assert [v.value for v in verdicts] == ["HOLDS", "UNDECIDED"]


class Averaged(nn.Module):
    """In training a codebook is replaced by an average, a weight is normalised where it lies, and steps are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.line, self.codes, self.steps = nn.Linear(6, 4), nn.Parameter(torch.randn(5, 4)), 0
        self.register_buffer("sizes", torch.zeros(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.line(x)
        if self.training:
            self.steps += 1
            self.codes = nn.Parameter(0.9 * self.codes.detach() + 0.1)
            self.sizes = self.sizes + 1
            with torch.no_grad():
                self.line.weight.copy_(self.line.weight / self.line.weight.norm())
        return made + (self.codes[0] - made).detach()


def test_what_a_model_writes_into_itself_in_training_is_put_back() -> None:
    torch.manual_seed(0)
    model = Averaged().eval()
    parameters, before = dict(model.named_parameters()), {n: t.clone() for n, t in model.state_dict().items()}
    found = untrained(LiveModule(model), Batch((torch.randn(8, 6),)))
    assert found is not None
    assert [*found.cut, *found.unused] == ["codes"]  # it was run in training too, in vain
    assert all(p is parameters[n] for n, p in model.named_parameters())
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())
    assert (model.steps, model.training) == (0, False)


class Codes(nn.Module):
    """An image of 64 by 64 beside a codebook of 64 codes: its last axis counts no classes."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.codes = nn.Conv2d(3, 8, 1), nn.Embedding(64, 8)
        self.decode = nn.Conv2d(8, 3, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        made = self.encode(image)
        near = torch.cdist(made.permute(0, 2, 3, 1).reshape(-1, 8), self.codes.weight).argmin(1)
        found = self.codes(near).view(len(image), *image.shape[2:], 8).permute(0, 3, 1, 2)
        return self.decode(made + (found - made).detach())


def test_an_image_as_wide_as_a_codebook_has_no_first_loss() -> None:
    assert Listener(lambda: initcheck_batch("4x3x64x64")).hear(LiveModule(Codes())).loss is None
    words = nn.Sequential(nn.Embedding(64, 8), nn.Linear(8, 64))
    assert Listener(None).hear(LiveModule(words)).loss is not None


def initcheck_batch(text: str) -> Any:
    """A batch in words."""
    from initcheck.models.batches.batch import Batch

    return Batch.read(text)


class Agent(nn.Module):
    """Called by other names than forward, which says so."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 2)

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def act(self, state: torch.Tensor) -> torch.Tensor:
        return self.body(state)


def test_a_forward_that_refuses_every_call_is_none_and_what_can_take_its_place_is_named() -> None:
    said = no_forward(Agent())
    assert said == "Agent has no forward of its own: it cannot be run; a factory may set model.forward = model.act"
    assert Listener(None).hear(LiveModule(Agent())).unheard == said

    def given_one() -> nn.Module:
        model = Agent()
        model.forward = model.act  # type: ignore[method-assign]
        return model

    assert no_forward(given_one()) is None
    assert Listener(None).hear(LiveModule(given_one())).batch == "8x4"
