"""The layers that every run visits: widths that tell, none too large, and as wide as a contract says."""

from __future__ import annotations

import pytest

from initcheck.contract import Contract
from initcheck.domain import Domain, domain_of
from initcheck.profile import profile


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
