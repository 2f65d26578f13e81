"""Broken networks, optimisers and samplers: each makes the theorem that forbids it fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from initcheck.properties import (
    theorems_centering,
    theorems_depth,
    theorems_scale,
    theorems_separation,
    theorems_symmetry,
    theorems_zero,
)

from initcheck.errors import ClaimFailed
from initcheck.networks import optimisers, perceptron
from initcheck.networks.perceptron import Forward, Gradients, Perceptron

Array = np.ndarray
Break = Callable[[pytest.MonkeyPatch], None]


def spoilt_backward(spoil: Callable[[list[Array], Perceptron, Forward], Any]) -> Break:
    """Back-propagation whose weight gradients are changed in place before they are returned."""

    def install(patch: pytest.MonkeyPatch) -> None:
        right = Perceptron.backward

        def wrong(self: Perceptron, forward: Forward, output_gradient: Array) -> Gradients:
            gradients = right(self, forward, output_gradient)
            weights = [w.copy() for w in gradients.weights]
            spoil(weights, self, forward)
            return dataclasses.replace(gradients, weights=tuple(weights))

        patch.setattr(Perceptron, "backward", wrong)

    return install


def first_row_larger(weights: list[Array], net: Perceptron, forward: Forward) -> None:
    weights[0][0] *= 1.000001


def weight_decay(weights: list[Array], net: Perceptron, forward: Forward) -> None:
    weights[0] += 1e-3 * net.weights[0]


def a_constant_is_added(weights: list[Array], net: Perceptron, forward: Forward) -> None:
    for w in weights:
        w += 1e-6


def nothing_comes_back(weights: list[Array], net: Perceptron, forward: Forward) -> None:
    weights[0][:] = 0.0


def products_in_blas_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(perceptron, "_ordered_product", lambda a, b: a @ b.T * (1 + 1e-15 * np.arange(len(b))))


def noisy_descent(patch: pytest.MonkeyPatch) -> None:
    """An optimiser that adds noise commutes with no permutation."""
    right, rng = optimisers.SGD.step, np.random.default_rng(0)

    def step(self: optimisers.SGD, parameters: Sequence[Array], gradients: Sequence[Array], state: Any) -> Any:
        noisy = [g + 1e-6 * rng.standard_normal(g.shape) for g in gradients]
        return right(self, parameters, noisy, state)

    patch.setattr(optimisers.SGD, "step", step)


def a_slower_descent(patch: pytest.MonkeyPatch) -> None:
    right = optimisers.SGD.step

    def step(self: optimisers.SGD, parameters: Sequence[Array], gradients: Sequence[Array], state: Any) -> Any:
        return right(self, parameters, [0.5 * g for g in gradients], state)

    patch.setattr(optimisers.SGD, "step", step)


def rates_of_width_one_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(theorems_symmetry, "collapsed_optimiser", lambda optimiser, net: optimiser)


def a_layer_without_its_mean(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(theorems_centering, "_off_centre", lambda rng, width, c: rng.standard_normal((width, width)))


def a_layer_with_twice_the_mean(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        theorems_centering,
        "_off_centre",
        lambda rng, width, c: rng.standard_normal((width, width)) + 2 * c / np.sqrt(width),
    )


def only_half_of_all_units(patch: pytest.MonkeyPatch) -> None:
    right = theorems_scale._every_unit
    patch.setattr(theorems_scale, "_every_unit", lambda law, width: right(law, width)[::2])


def a_share_counted_at_two_sigma(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(theorems_scale, "_share_outside", lambda w, d: float(np.mean(np.abs(w) > 2 / np.sqrt(d))))


BROKEN: list[tuple[Callable[[], None], Break]] = [
    (theorems_symmetry.equal_units_get_equal_gradients, spoilt_backward(first_row_larger)),
    (theorems_symmetry.equal_units_get_equal_gradients, products_in_blas_order),
    (theorems_symmetry.equal_units_get_equal_gradients, noisy_descent),
    (theorems_symmetry.constant_init_trains_as_width_one, rates_of_width_one_forgotten),
    (theorems_symmetry.constant_init_trains_as_width_one, spoilt_backward(a_constant_is_added)),
    (theorems_zero.zero_init_never_learns, spoilt_backward(a_constant_is_added)),
    (theorems_zero.zero_init_never_learns, spoilt_backward(nothing_comes_back)),
    (theorems_separation.small_different_numbers_break_symmetry, spoilt_backward(nothing_comes_back)),
    (theorems_separation.small_different_numbers_break_symmetry, a_slower_descent),
    (theorems_centering.an_off_centre_mean_grows_with_width_and_depth, a_layer_without_its_mean),
    (theorems_centering.an_off_centre_mean_grows_with_width_and_depth, a_layer_with_twice_the_mean),
    (theorems_scale.output_variance_grows_with_d, only_half_of_all_units),
    (theorems_scale.a_normal_is_not_bounded_by_one_over_sqrt_d, a_share_counted_at_two_sigma),
    (theorems_depth.smaller_is_not_better, spoilt_backward(weight_decay)),
    (theorems_depth.gradients_are_proportional_to_the_weights, spoilt_backward(weight_decay)),
    (theorems_depth.gradients_are_proportional_to_the_weights, spoilt_backward(first_row_larger)),
]


@pytest.mark.parametrize(("theorem", "broken"), BROKEN)
def test_a_broken_subject_is_detected(
    theorem: Callable[[], None], broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    # The first counterexample will do: shrinking it to the smallest takes half a minute.
    settings_of = "_hypothesis_internal_use_settings"
    first = settings(getattr(theorem, settings_of), phases=[Phase.explicit, Phase.generate])
    monkeypatch.setattr(theorem, settings_of, first)
    with pytest.raises(ClaimFailed):
        theorem()
