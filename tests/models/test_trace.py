"""The trace: what it sees of a build, and that seeing changes nothing."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.models.builds.torch_build import CANARY, NAN, ModelBuilder
from initcheck.models.provenance.trace import Trace


def test_a_write_is_noted_with_its_arguments_and_call_site() -> None:
    with Trace() as trace:
        weight = torch.empty(3, 4)
        nn.init.normal_(weight, std=0.02)
    [step] = trace.steps_of(weight)
    assert step.op == "normal_"
    assert dict(step.arguments) == {"mean": 0.0, "std": 0.02}
    assert step.dense
    assert step.site is not None
    assert step.site[0] == __file__


def test_the_trace_does_not_change_what_is_drawn() -> None:
    torch.manual_seed(3)
    plain = nn.Linear(8, 8).weight.clone()
    torch.manual_seed(3)
    with Trace(NAN):
        traced = nn.Linear(8, 8).weight.clone()
    assert torch.equal(plain, traced)


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: torch.empty(5),
        lambda: torch.empty_like(torch.zeros(5)),
        lambda: torch.empty_strided((5,), (1,)),
        lambda: torch.zeros(2).new_empty(5),
        lambda: torch.Tensor(5),
        lambda: torch.empty(5, dtype=torch.bfloat16),
        lambda: nn.utils.skip_init(nn.Linear, 5, 1).weight,
        lambda: nn.Linear(5, 1, device="meta").to_empty(device="cpu").weight,
        lambda: torch.zeros(0).resize_(5),
    ],
)
def test_every_kind_of_fresh_memory_is_filled(allocate) -> None:  # type: ignore[no-untyped-def]
    with Trace(NAN):
        tensor = allocate()
    assert bool(tensor.isnan().all())


def test_whole_numbers_are_filled_too() -> None:
    with Trace(CANARY):
        assert torch.empty(3, dtype=torch.int64).tolist() == [42, 42, 42]


def test_what_resize_keeps_is_not_overwritten() -> None:
    with Trace(NAN):
        tensor = torch.ones(3).resize_(5)
    assert tensor[:3].tolist() == [1.0, 1.0, 1.0]
    assert bool(tensor[3:].isnan().all())


def test_a_copy_carries_the_draw_it_came_from() -> None:
    with Trace() as trace:
        layer = nn.Linear(4, 4)
        twin = copy.deepcopy(layer)
    [draw] = [d for s in trace.steps_of(layer.weight) for d in s.draws]
    assert [d.number for s in trace.steps_of(twin.weight) for d in s.draws] == [draw.number]


def test_a_later_data_assignment_is_followed() -> None:
    with Trace() as trace:
        layer = nn.Linear(4, 4)
        layer.weight.data = torch.randn(4, 4) * 0.5
    assert [s.op for s in trace.steps_of(layer.weight)] == ["randn", "mul"]


def test_equal_generator_states_before_two_draws_are_equal_digests() -> None:
    with Trace() as trace:
        torch.manual_seed(1)
        one = torch.randn(20)
        two = torch.randn(20)
        torch.manual_seed(1)
        three = torch.rand(7)
    states = [next(d for s in trace.steps_of(t) for d in s.draws).state for t in (one, two, three)]
    assert states[0] == states[2] != states[1]


def test_only_the_writes_into_its_own_part_of_a_storage_belong_to_a_tensor() -> None:
    with Trace() as trace:
        flat = torch.empty(20)
        flat[:10].normal_()
        flat[10:].uniform_()
    assert [s.op for s in trace.steps_of(flat[:10])] == ["normal_"]
    assert [s.op for s in trace.steps_of(flat[10:])] == ["uniform_"]


def test_numpy_memory_is_filled_and_named_as_never_written() -> None:
    def build() -> nn.Module:
        layer = nn.Linear(3, 3)
        layer.weight.data = torch.from_numpy(np.empty((3, 3), dtype=np.float32))
        return layer

    one, two = (ModelBuilder(build, "numpy").build(0, fill=fill) for fill in (NAN, CANARY))
    assert one.records["weight"].unwritten == two.records["weight"].unwritten == 9


def test_generators_and_dtype_are_left_as_they_were() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1]
    ModelBuilder(lambda: nn.Linear(3, 3), "linear").build(1, dtype=torch.bfloat16)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # type: ignore[arg-type]
    assert torch.get_default_dtype() == torch.float32
