"""A batch beside a batch: what is nested in it, kept as it is, and of kinds that have no order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.batches.batch import Batch
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.reach import input_reach


def test_what_is_nested_in_a_batch_of_arrays_differs_in_the_other_one() -> None:
    batch = ArrayBatch(([np.arange(12.0).reshape(4, 3), None],), {"batch": {"ids": np.arange(8)}})
    (pair,), kwargs = batch.shuffled().args, batch.shuffled().kwargs
    assert not np.array_equal(pair[0], batch.args[0][0])
    assert pair[1] is None
    assert not np.array_equal(kwargs["batch"]["ids"], batch.kwargs["batch"]["ids"])


def test_a_mask_is_kept_by_its_own_name_wherever_it_stands() -> None:
    given = {"input_ids": torch.arange(8)[None], "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 0, 0, 0]])}
    for other in (Batch((), {"batch": given}).shuffled().kwargs["batch"], Batch((given,)).shuffled().args[0]):
        assert torch.equal(other["attention_mask"], given["attention_mask"])
        assert not torch.equal(other["input_ids"], given["input_ids"])


class Real(nn.Module):
    """The real part of what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.real)


def test_a_complex_vector_is_compared_with_another_order_of_it() -> None:
    reach = input_reach(LiveModule(Real()), Batch((torch.randn(8, dtype=torch.complex64),)))
    assert reach is not None
    assert reach.share > 0.1


@pytest.mark.parametrize("dtype", [torch.uint16, torch.float8_e4m3fn])
def test_a_vector_that_torch_cannot_turn_over_is_not_compared(dtype: torch.dtype) -> None:
    assert input_reach(LiveModule(Real()), Batch((torch.arange(8.0).to(dtype),))) is None
