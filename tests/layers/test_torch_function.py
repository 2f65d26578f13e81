"""A torch layer run as a function of its parameters, at its first step of training where evaluation has no meaning."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations, spectral_norm  # noqa: E402

from initcheck.layers.functions.torch_function import TorchFunction  # noqa: E402

INPUTS = [np.random.default_rng(0).standard_normal((256, 16)).astype(np.float32)]


@pytest.mark.parametrize("normalise", [spectral_norm, parametrizations.spectral_norm], ids=["hook", "parametrization"])
def test_a_new_spectral_norm_divides_by_a_norm_and_not_by_a_number_near_zero(normalise):
    for seed in range(20):
        torch.manual_seed(seed)
        function = TorchFunction(nn.Sequential(normalise(nn.Linear(16, 16, bias=False)), nn.Dropout(0.5)))
        own = function.parameters()
        moment = float(np.mean(function.run(own, INPUTS) ** 2))
        assert 0.2 < moment < 1.0  # a step from a random vector finds most of the norm: 0.25 where it is all of it
        others = {name: 3 * w for name, w in own.items()}
        # A function of its parameters: it answers alike after any other call, and to weights of any size.
        assert np.allclose(function.run(others, INPUTS), function.run(own, INPUTS), rtol=1e-4, atol=1e-6)
        assert np.array_equal(function.run(own, INPUTS), function.run(own, INPUTS))


def test_other_layers_are_run_in_evaluation_mode():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(16, 16, bias=False), nn.BatchNorm1d(16), nn.Dropout(0.5))
    function = TorchFunction(layer)
    own = function.parameters()
    expected = INPUTS[0] @ own["0.weight"].T / np.sqrt(1 + 1e-5)
    assert np.allclose(function.run(own, INPUTS), expected, atol=1e-4)
    assert not any(module.training for module in layer.modules())


class Merging(nn.Linear):
    """Its own ``train`` merges what it has beside its weight, and returns nothing."""

    def train(self, mode=True):
        super().train(mode)
        self.weight.data.zero_()


def test_a_layer_is_put_out_of_training_by_its_flag_alone():
    torch.manual_seed(0)
    function = TorchFunction(nn.Sequential(Merging(16, 8, bias=False), nn.Dropout(0.5)))
    own = function.parameters()
    assert np.allclose(function.run(own, INPUTS), INPUTS[0] @ own["0.weight"].T, atol=1e-4)
    alone = TorchFunction(Merging(16, 8, bias=False))
    assert np.abs(alone.run(alone.parameters(), INPUTS)).max() > 0


class Factored(nn.Module):
    """A weight of two factors, which evaluation multiplies once and then runs."""

    def __init__(self):
        super().__init__()
        self.up, self.down, self.product = nn.Parameter(torch.randn(8, 4)), nn.Parameter(torch.randn(4, 16)), None

    def train(self, mode=True):
        super().train(mode)
        self.product = None if mode else (self.up @ self.down).detach()
        return self

    def forward(self, x):
        return nn.functional.linear(x, self.up @ self.down if self.training else self.product)


class Watched(nn.Sequential):
    """Its own ``train`` writes flags alone."""

    def train(self, mode=True):
        super().train(mode)
        self[0].training = False
        return self


def test_a_layer_that_evaluation_writes_anew_stays_in_training_and_no_other():
    torch.manual_seed(0)
    model = Watched(Factored(), nn.Dropout(0.5))
    function = TorchFunction(model)
    own = function.parameters()
    expected = INPUTS[0] @ (own["0.up"] @ own["0.down"]).T
    assert np.allclose(function.run(own, INPUTS), expected, atol=1e-4)
    assert [m.training for m in model.modules()] == [False, True, False]
    others = {name: 2 * w for name, w in own.items()}
    assert np.allclose(function.run(others, INPUTS), 4 * expected, atol=1e-3)
