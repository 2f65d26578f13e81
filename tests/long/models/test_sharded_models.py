"""Shards of fully_shard, on one gloo process: judged as what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

import initcheck
from initcheck.report.report import Report

WRITTEN, LAW, DISTINCT = "every-tensor-is-written", "siblings-share-one-law", "tensors-are-distinct"


def _failing(report: Report) -> set[str]:
    return {r.claim for r in report.failures}


@pytest.fixture
def one_process(tmp_path: Any) -> Iterator[Any]:
    """A gloo group of one process, as ``torchrun`` with one rank makes it."""
    distributed = pytest.importorskip("torch.distributed")
    if not distributed.is_available() or distributed.is_initialized():
        pytest.skip("no process group can be made here")
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield distributed
    distributed.destroy_process_group()


def _sharded(odd: bool, unwritten: bool = False) -> nn.Module:
    from torch.distributed.fsdp import fully_shard

    with torch.device("meta"):
        model = nn.Sequential(*[nn.Linear(24, 24) for _ in range(5)])
    for layer in model:
        fully_shard(layer)
    fully_shard(model)
    model.to_empty(device="cpu")
    for i, layer in enumerate(model):
        nn.init.trunc_normal_(layer.weight, std=0.15 if odd and i == 2 else 0.1)
        if not (unwritten and i == 4):
            nn.init.zeros_(layer.bias)
    return model


def test_shards_of_fully_shard_are_judged(one_process: Any) -> None:
    sound = initcheck.check_model(lambda: _sharded(odd=False), batch="4x24")
    assert _failing(sound) & {WRITTEN, LAW, DISTINCT, "rebuilds-the-same", "no-value-is-absurd"} == set()
    odd = initcheck.check_model(lambda: _sharded(odd=True), claims=[LAW])
    assert "2.weight: drawn as truncated_normal std 0.15" in str(odd[LAW].evidence.case)
    empty = initcheck.check_model(lambda: _sharded(odd=False, unwritten=True), claims=[WRITTEN])
    assert "4.bias: 24 of 24 entries never written" in str(empty[WRITTEN].evidence.case)
