"""The lines of a model of PyTorch: named so that a reader can tell them, with what a law cannot say."""

from __future__ import annotations

import copy

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
