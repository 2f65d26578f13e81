"""The lines of a model of PyTorch: named so that a reader can tell them, with what a law cannot say."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from initcheck.locks.lines import Line
from initcheck.locks.model_lines import lines_of_model
from initcheck.starts.model import laws_of_model
from initcheck.targets.models import model_of

torch = pytest.importorskip("torch")
nn = torch.nn


def three() -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    nn.init.normal_(net[0].weight, std=0.1)
    nn.init.zeros_(net[2].weight)
    return net


def by_path(factory: object) -> dict[str, Line]:
    return {line.path: line for line in lines_of_model(model_of(factory))}


def test_members_of_a_sequential_whose_laws_differ_have_their_own_names() -> None:
    found = by_path(three)
    assert list(found) == ["0.weight", "2.weight", "4.weight", "*.bias"]
    assert found["0.weight"].law == "normal, std 0.1"
    assert {law.name for law in laws_of_model(three, "three")[1]} == set(found)


def test_what_is_never_written_or_not_its_own_stands_beside_the_law() -> None:
    def build() -> nn.Module:
        net = three()
        net[0].bias = nn.Parameter(torch.empty(4))
        net[4] = copy.deepcopy(net[0])
        net[4].bias = nn.Parameter(torch.zeros(4))
        net[2].weight.data[1] = 7.0
        return net

    found = by_path(build)
    assert found["0.bias"].law == "never written"
    assert found["{0,4}.weight"].law == "normal, std 0.1; the same numbers in 2 tensors"
    assert found["2.weight"].law == "every entry 0; row 1 constant 7"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_another_type_than_float32_stands_beside_the_law(dtype: torch.dtype) -> None:
    found = by_path(lambda: three().to(dtype))
    name = str(dtype).removeprefix("torch.")
    assert found["0.weight"].law == f"normal, std 0.1; in {name}"
    assert found["2.weight"].law == f"every entry 0; in {name}"
    assert by_path(lambda: three().to(torch.float32)) == by_path(three)


def test_a_buffer_is_a_line_where_it_is_random_or_never_written() -> None:
    def build() -> nn.Module:
        net = nn.BatchNorm1d(3)  # whose counter and moments are no lines
        net.register_buffer("features", torch.randn(3, 3))
        net.register_buffer("scale", torch.empty(3))
        net.register_buffer("angles", torch.arange(3.0))
        return net

    found = by_path(build)
    assert list(found) == ["bias", "features", "scale", "weight"]
    assert (found["features"].law, found["scale"].law) == ("a buffer, normal, std 1", "a buffer, never written")


def test_a_seed_inside_is_said() -> None:
    def build() -> nn.Module:
        torch.manual_seed(0)
        return nn.Linear(4, 4)

    assert by_path(build)["weight"].law.endswith("the same numbers at every seed")


def measured(factory: object) -> dict[str, Line]:
    """The lines of arrays: where PyTorch alone is loaded, whatever is built is a module of it."""
    pytest.importorskip("flax")
    return by_path(factory)


def _arrays(seed: int, *, of_q: int = 1, of_up: int = 2, of_table: int | None = None) -> dict[str, np.ndarray]:
    """A model that no operation of PyTorch writes: q and k, an output that is smaller, a table."""

    def drawn(number: int, rows: int, std: float = 0.1, own: int | None = None) -> np.ndarray:
        return np.random.default_rng([seed if own is None else own, number]).normal(0, std, (rows, 16))

    return {
        **{f"h.{k}.q": drawn(10 * k + of_q, 16) for k in range(3)},
        **{f"h.{k}.up": drawn(10 * k + of_up, 24, 0.02) for k in range(3)},
        "table": drawn(99, 12, own=of_table),
    }


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({}, "h.*.q", "0.1"),
        ({"of_up": 1}, "h.*.up", "drawn from the same random numbers as h.*.q"),
        ({"of_table": 7}, "table", "the same numbers at every seed"),
    ],
)
def test_what_is_measured_has_a_word_for_numbers_that_are_not_its_own(
    changed: dict[str, int], path: str, said: str
) -> None:
    lines = measured(lambda seed: _arrays(seed, **changed))
    assert said in lines[path].law
    sound = measured(lambda seed: _arrays(seed))
    assert all(";" not in line.law for line in sound.values())


def test_copies_that_are_measured_count_once() -> None:
    def copied(seed: int) -> dict[str, np.ndarray]:
        return {f"h.{k}.q": _arrays(seed)["h.0.q"] for k in range(3)}

    [line] = measured(copied).values()
    assert line.law.endswith("; the same numbers in 3 tensors")
    assert line.entries == 4 * 16 * 16
