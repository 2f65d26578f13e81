"""Activation functions of users: of NumPy, of plain numbers, of PyTorch; what is refused, and in which words."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import special

from initcheck.adapters.frameworks.elementwise import read_activation
from initcheck.errors import UsageError
from initcheck.networks.activations import activation


def module_level(z: np.ndarray, beta: float = 1.0) -> np.ndarray:
    return z * special.expit(beta * z)


@pytest.mark.parametrize(
    ("function", "like"),
    [
        (lambda z: np.maximum(z, 0), "relu"),
        (math.tanh, "tanh"),
        (lambda z: z * special.ndtr(z), "gelu"),
        (module_level, "silu"),
        (lambda z: np.where(np.abs(z) > 0.5, z, 0), "hardshrink"),
        (lambda z: np.clip(z, -1, 1), "hardtanh"),
        (lambda z: np.sin(30 * z), "sin(30)"),
    ],
)
def test_a_function_has_the_moments_of_the_activation_it_is(function, like) -> None:
    mine, named = read_activation(function, "mine"), activation(like)
    assert (mine.m1, mine.m2) == pytest.approx((named.m1, named.m2), abs=1e-12)
    assert mine.m2_prime == pytest.approx(named.m2_prime, rel=1e-8)
    assert (mine.odd, mine.degree, mine.saturating) == (named.odd, named.degree, named.saturating)
    assert mine.at_zero == named.at_zero


def test_a_function_of_two_inputs_is_a_gate_in_either_order() -> None:
    for function in (lambda u, v: np.maximum(u, 0) * v, lambda u, v: u * np.maximum(v, 0)):
        mine = read_activation(function, "mine")
        assert (mine.m2, mine.streams, mine.degree) == (0.5, 2, 2)
        assert mine.m2_prime == pytest.approx(1.0, abs=1e-9)


def test_arguments_reach_the_function_and_survive_pickling() -> None:
    mine = read_activation(module_level, "mine", {"beta": 2.0})
    assert mine.m2 == pytest.approx(activation("swish(2)").m2, abs=1e-13)
    assert pickle.loads(pickle.dumps(mine)) == mine


def test_two_functions_of_one_name_are_two_activations() -> None:
    assert read_activation(lambda z: z, "mine") != read_activation(lambda z: 2 * z, "mine")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda z: np.exp(z) / np.exp(z).sum(), "is not elementwise, or is random"),
        (lambda z: z + np.random.default_rng().normal(size=z.shape), "is not elementwise, or is random"),
        (np.log, "gives nan at z = -3.1; it must be finite there"),
        (lambda z: z.mean(), "cannot be read as a function of an array: of an array of shape (7, 6) it makes one of"),
        (lambda z: 1 / 0, "cannot be read as a function of an array: it raises ZeroDivisionError: division by zero"),
        (lambda z: z[..., ::2], "halves the last axis; write the gate as a function of two inputs"),
        (lambda u, v: u + v, "takes two inputs and is no gate"),
        (3, "is 'int', which cannot be called"),
    ],
)
def test_what_is_no_activation_is_refused_in_a_sentence(function, words) -> None:
    with pytest.raises(UsageError) as caught:
        read_activation(function, "mine")
    assert words in str(caught.value)
    assert str(caught.value).startswith("activation 'mine' ")


def test_no_framework_is_imported_for_a_numpy_function() -> None:
    code = (
        "import sys, numpy as np\n"
        "from initcheck.targets.activations import activation_meant\n"
        "assert activation_meant(lambda z: np.tanh(z)).saturating\n"
        "print([m for m in ('torch', 'jax', 'keras', 'scipy') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pytorch_functions_layers_and_classes_are_read_by_automatic_differentiation() -> None:
    torch = pytest.importorskip("torch")
    silu = activation("silu")
    for given in (torch.nn.functional.silu, torch.nn.SiLU(), torch.nn.SiLU, lambda z: z * torch.sigmoid(z)):
        mine = read_activation(given, "mine")
        assert (mine.m2, mine.m2_prime) == pytest.approx((silu.m2, silu.m2_prime), abs=1e-14)
    layer = torch.nn.PReLU()
    assert read_activation(layer, "mine").m2 == pytest.approx((1 + 0.25**2) / 2, abs=1e-14)
    assert layer.weight.dtype == torch.float32  # the user's own stays as it is
    gate = read_activation(lambda u, v: torch.nn.functional.silu(u) * v, "mine")
    assert gate.m2 == pytest.approx(silu.m2, abs=1e-14)


def test_a_straight_through_estimator_is_taken_at_its_word() -> None:
    torch = pytest.importorskip("torch")
    mine = read_activation(lambda z: torch.sign(z).detach() + z - z.detach(), "binary")
    assert (mine.m2, mine.m2_prime) == pytest.approx((1.0, 1.0), abs=1e-12)
