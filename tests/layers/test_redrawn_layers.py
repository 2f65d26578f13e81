"""Layers of torch's own that are drawn again in place of being built: the same weights bit for bit, or built anew."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from initcheck import check  # noqa: E402
from initcheck.layers.bench.builder import Builder, Maker  # noqa: E402
from initcheck.layers.bench.sizes import Size  # noqa: E402
from initcheck.layers.sampler import ALL_WEIGHTS, LayerSampler  # noqa: E402

SIZE = Size((("in_features", 5), ("out_features", 4)), inputs=5, outputs=4)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """The sizes of all builds from now on."""
    built: list[Size] = []
    make = Maker.make

    def counting(maker: Maker, size: Size, seed: int) -> Any:
        built.append(size)
        return make(maker, size, seed)

    monkeypatch.setattr(Maker, "make", counting)
    return built


def sampler_of(cls: Callable[..., Any], **args: Any) -> LayerSampler:
    builder = Builder(Maker(cls, "a layer", args), "torch")
    # Known: a batch that moves an unknown generator is drawn twice.
    return LayerSampler(builder=builder, sizes=(SIZE,), reseeds=frozenset({"torch"}))


def drawn(sampler: LayerSampler, seeds: range) -> list[np.ndarray[Any, Any]]:
    return [weights[0] for weights in sampler.weights((0, ALL_WEIGHTS), seeds, "float32")]


def built_anew(cls: Callable[..., Any], seeds: range, **args: Any) -> list[np.ndarray[Any, Any]]:
    found = []
    for seed in seeds:
        torch.manual_seed(seed)
        found.append(cls(5, 4, **args).weight.detach().numpy())
    return found


@pytest.mark.parametrize("args", [{}, {"bias": False}])
def test_a_linear_layer_is_built_a_few_times_and_drawn_a_thousand(
    args: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = built_anew(torch.nn.Linear, range(1_000), **args)
    built = counted(monkeypatch)
    found = drawn(sampler_of(torch.nn.Linear, **args), range(1_000))
    assert np.array_equal(found, expected)
    assert len(built) < 10


class Halved(torch.nn.Linear):
    """Changes its weights once they were reset."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        with torch.no_grad():
            self.weight.mul_(0.5)


class Tied(torch.nn.Linear):
    """Keeps what it was given first: only a new one is drawn."""

    def reset_parameters(self) -> None:
        if not hasattr(self, "begun"):
            self.begun = True
            super().reset_parameters()


class Rebound(torch.nn.Linear):
    """Puts a new parameter in the place of the old one."""

    def reset_parameters(self) -> None:
        self.weight = torch.nn.Parameter(torch.randn(self.out_features, self.in_features))


@pytest.mark.parametrize("cls", [Halved, Tied, Rebound])
@pytest.mark.parametrize("of_torch", [False, True], ids=["a user's", "as if torch's"])
def test_what_a_constructor_does_otherwise_than_a_reset_is_built_anew(
    cls: Any, of_torch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bits tell it where the module's name does not."""
    if of_torch:
        for step in (cls, cls.__init__, cls.reset_parameters):
            if not str(step.__module__).startswith("torch.nn."):
                monkeypatch.setattr(step, "__module__", "torch.nn.modules.linear")
    expected = built_anew(cls, range(100))
    built = counted(monkeypatch)
    assert np.array_equal(drawn(sampler_of(cls), range(100)), expected)
    assert len(built) >= 100


def test_a_constructor_of_torch_that_a_user_replaced_is_called_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    before = torch.nn.Linear.reset_parameters

    def every_fiftieth_is_zero(self: Any) -> None:
        before(self)
        made.append(1)
        if len(made) % 50 == 0:
            torch.nn.init.zeros_(self.weight)

    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", every_fiftieth_is_zero)
    built = counted(monkeypatch)
    found = drawn(sampler_of(torch.nn.Linear), range(100))
    assert len(built) == 100
    assert sum(not weights.any() for weights in found) == 2


def test_a_constructor_that_is_wrapped_is_called_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    before = torch.nn.Linear.__init__

    @functools.wraps(before)
    def every_fiftieth_is_zero(self: Any, *args: Any, **kwargs: Any) -> None:
        before(self, *args, **kwargs)
        made.append(1)
        if len(made) % 50 == 0:
            torch.nn.init.zeros_(self.weight)

    monkeypatch.setattr(torch.nn.Linear, "__init__", every_fiftieth_is_zero)
    found = drawn(sampler_of(torch.nn.Linear), range(100))
    assert sum(not weights.any() for weights in found) == 2


def test_a_layer_that_draws_nothing_again_is_told_by_its_first_builds() -> None:
    """A table of the user's own is no draw: every build gives it, and a reset would overwrite it."""
    table = torch.arange(20.0).reshape(4, 5)
    builder = Builder(Maker(torch.nn.Embedding, "a table", {"_weight": table}), "torch")
    size = Size((("num_embeddings", 4), ("embedding_dim", 5)), inputs=5, outputs=4)
    sampler = LayerSampler(builder=builder, sizes=(size,))
    for weights in sampler.weights((0, ALL_WEIGHTS), range(20), "float32"):
        assert np.array_equal(weights[0], np.arange(20.0).reshape(4, 5))
    assert torch.equal(table, torch.arange(20.0).reshape(4, 5))


@pytest.mark.long
def test_a_check_says_the_same_of_layers_that_are_redrawn_and_builds_a_tenth_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said, builds = [], []
    for redraw in (Builder.redraw, lambda *_: None):
        with monkeypatch.context() as patched:
            patched.setattr(Builder, "redraw", redraw)
            built = counted(patched)
            report = check("torch.nn.Linear", profile="quick", claims=["output-variance-near-one", "zero-mean"])
            said.append([(result.claim, result.verdict, result.evidence) for result in report])
            builds.append(len(built))
    assert said[0] == said[1]
    assert 10 * builds[0] < builds[1]
