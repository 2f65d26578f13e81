"""Layers whose builds or runs are dear: how many are built is decided by what a build does, and by nothing else."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from dear_layers import ChebyKANLayer, KANLinear, LoRALinear
from torch import nn

from initcheck.claims.registry import find
from initcheck.contract.profile import profile
from initcheck.layers.fans import structure_of
from initcheck.layers.functions.torch_function import TorchFunction, operations
from initcheck.layers.recognition import layer_initializer


def subject_of(target):
    made = layer_initializer(target, "it", {})
    return made.subject(made, profile("quick"), 0)


def sizes_asked(subject):
    asked = subject.plan_of(find("output-variance-near-one"))
    return [(case.size.inputs, case.size.outputs) for case in asked]


def test_operations_are_counted():
    assert operations(lambda: torch.ones(3) * torch.ones(3)) == 3
    assert operations(lambda: nn.Linear(3, 4)) < 10 < operations(lambda: KANLinear(3, 4))


@pytest.mark.parametrize("target", [nn.Linear, LoRALinear, ChebyKANLayer])
def test_what_draws_a_few_tensors_is_built_by_the_thousand(target):
    subject = subject_of(target)
    assert not subject.profile.dear
    assert not any("forty operations" in note for note in subject.contract.notes)


def test_what_solves_least_squares_is_built_as_seldom_as_a_verdict_allows():
    subject = subject_of(KANLinear)
    assert subject.profile.dear
    assert subject.profile.calls == profile("quick").calls // 8
    assert not subject.positioned
    assert any("over forty operations of torch" in note for note in subject.contract.notes)


@pytest.mark.parametrize("target", [nn.Linear, LoRALinear])
def test_the_scale_is_asked_first_where_a_failure_takes_fewest_weights(target):
    asked = sizes_asked(subject_of(target))
    assert asked[0] == (64, 64)
    assert set(asked[-2:]) == {(1, 64), (64, 1)}


def test_a_layer_of_one_output_is_measured_on_more_inputs():
    wholes = {
        (w.size.inputs, w.size.outputs): w.shape for w in structure_of(subject_of(LoRALinear).draws.sampler).wholes
    }
    assert wholes[64, 1] == (64, 1)
    assert wholes[32, 8] == (16, 8)


def test_a_layer_that_flattens_its_input_is_fed_rows():
    subject = subject_of(ChebyKANLayer)
    assert subject.problem is None
    assert {w.fans for w in subject.structure.wholes} >= {(32.0, 8.0), (64.0, 64.0)}


def test_a_layer_run_with_its_own_parameters_gives_what_one_gives_with_them_put_in():
    function = TorchFunction(LoRALinear(5, 3))
    own, x = function.parameters(), np.ones((2, 5), np.float32)
    directly = function.run(own, [x])
    assert np.array_equal(directly, function.run(dict(own), [x]))
    assert not np.array_equal(directly, function.run({**own, "weight": 2 * own["weight"]}, [x]))


def test_a_layer_of_another_dtype_is_run_in_single_precision():
    function = TorchFunction(LoRALinear(5, 3).double())
    assert function.run(function.parameters(), [np.ones((2, 5), np.float32)]).dtype == np.float32


def test_a_build_is_counted_without_the_compiler_of_torch():
    """Its import takes longer than the check of a layer."""
    code = (
        "import sys, torch\n"
        "from initcheck.layers.functions.torch_function import operations\n"
        "assert operations(lambda: torch.nn.Linear(2, 3)) > 0\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Merged(nn.Module):
    """Takes (batch, time, width) alone, and gives (batch * time, width)."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.proj = nn.Linear(in_features, out_features, bias=False)
        nn.init.normal_(self.proj.weight, std=in_features**-0.5)

    def forward(self, x):
        batch, time, _ = x.shape
        return self.proj(x).reshape(batch * time, -1)


def test_a_layer_that_gives_tokens_without_their_batch_is_fed_too():
    subject = subject_of(Merged)
    assert subject.problem is None
    assert {p.fans for p in subject.structure.parts} >= {(32.0, 8.0), (64.0, 64.0)}
