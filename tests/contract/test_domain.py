"""The layers that every run visits: widths that tell, none too large, and as wide as a contract says."""

from __future__ import annotations

import pytest

from initcheck.contract.contract import Contract
from initcheck.contract.domain import Domain, domain_of
from initcheck.contract.profile import profile


def domain(widths: tuple[int, int] = (1, 1024), name: str = "default", **contract: object) -> Domain:
    return domain_of(Contract(layout="out_in", widths=widths, **contract), profile(name), 0)  # type: ignore[arg-type]


def test_the_default_plan_visits_the_widths_that_tell() -> None:
    layers = domain().plan
    widths = {n for layer in layers for n in layer.shape}
    assert {1, 2, 3, 5, 7, 17, 31, 33, 63, 64, 65, 127, 129, 255, 256, 257, 511, 513, 1023, 1024} <= widths
    assert any(layer.inputs > 50 * layer.units for layer in layers)
    assert any(layer.units > 50 * layer.inputs for layer in layers)
    assert sum(layer.is_square for layer in layers) >= 4


@pytest.mark.parametrize("name", ["quick", "default", "thorough"])
def test_wide_layers_are_asked_for_where_the_contract_names_them(name: str) -> None:
    layers = domain((1, 8192), name).plan
    assert max(layer.inputs for layer in layers) == max(layer.units for layer in layers) == 8192
    assert max(layer.weights for layer in layers) <= profile(name).largest
    assert max(layer.weights for layer in domain().plan) <= profile("default").largest


def test_a_network_is_made_of_a_layer_only_where_its_weights_fit_into_64_mib() -> None:
    assert domain((512, 8192)).square is not None
    wide = domain((2048, 8192))
    assert wide.square is None
    assert [layer.shape for layer in wide.plan] == [(2048, 2048)]
    assert domain((512, 8192), depth=100).square is None


@pytest.mark.parametrize(("name", "every", "round_ones"), [("quick", 64, 256), ("default", 256, 1024)])
def test_every_width_is_glanced_at(name: str, every: int, round_ones: int) -> None:
    found = domain(name=name)
    glanced = {layer.shape for layer in (*found.sweep, *found.plan)}
    widths = [*range(1, every + 1), *range(every, round_ones + 1, 16), *range(100, round_ones + 1, 100)]
    assert {(8, w) for w in widths} | {(w, 8) for w in widths} <= glanced
    assert {(w, w) for w in range(1, 33)} <= glanced
    assert len({layer.shape for layer in found.sweep}) == len(found.sweep)


@pytest.mark.parametrize("name", ["quick", "default", "thorough"])
@pytest.mark.parametrize("layout", ["out_in", "in_out", "oiw", "hwio"])
def test_the_most_units_are_glanced_at_with_inputs_that_tell_them_apart(name: str, layout: str) -> None:
    sweep = domain_of(Contract(layout=layout, widths=(1, 4096)), profile(name), 0).sweep
    telling = max(layer.units for layer in sweep if layer.fan_in >= 64)
    assert 0.8 * profile(name).swept * 4 <= telling <= profile(name).swept * 4


def test_no_width_outside_the_contract_is_glanced_at_and_none_where_a_shape_is_costly() -> None:
    found = domain((16, 40))
    assert {n for layer in (*found.sweep, *found.plan) for n in layer.shape} == set(range(16, 41))
    assert domain_of(Contract(layout="out_in"), profile("default"), 0, costly_shapes=True).sweep == ()


def test_a_glance_is_taken_in_the_layout_of_the_contract() -> None:
    layers = domain_of(Contract(layout="hwio", groups=2), profile("quick"), 0).sweep
    assert {layer.layout for layer in layers} == {"hwio"}
    assert {layer.groups for layer in layers} == {2}
    # A kernel makes some of them larger than a quick run looks at.
    assert len({layer.channels for layer in layers} & set(range(1, 65))) >= 58
