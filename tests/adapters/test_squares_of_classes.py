"""What a method of a class that is built for every draw is asked for: the shapes that its parameters can be given."""

import numpy as np

import initcheck
from initcheck.adapters.recognition import recognise


class Reservoir:
    def __init__(self, spectral_radius=0.95, random_state=None):
        self.spectral_radius, self.random_state_ = spectral_radius, np.random.RandomState(random_state)

    def init_weights(self, n_units):
        w = self.random_state_.randn(n_units, n_units)
        return self.spectral_radius * w / np.sqrt(n_units)


class Widths:
    def __init__(self, seed=None):
        self.rng = np.random.default_rng(seed)

    def init_weights(self, fan_in, fan_out):
        return self.rng.normal(0, np.sqrt(1 / fan_in), (fan_in, fan_out))


def test_a_method_of_one_side_is_asked_for_squares():
    initializer = recognise(Reservoir, "Reservoir")
    assert initializer.squares
    assert initializer.ranks == (2,)
    report = initcheck.check(Reservoir, claims=["accepts-every-shape"], profile="quick")
    assert [r.verdict.value for r in report] == ["HOLDS"]


def test_a_method_of_two_widths_is_asked_for_every_matrix():
    initializer = recognise(Widths, "Widths")
    assert not initializer.squares
    assert initializer.ranks == (2,)
