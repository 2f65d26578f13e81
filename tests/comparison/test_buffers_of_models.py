"""Buffers beside parameters: partners by their own name, what only one has is named and fails nothing."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.comparison.weights.matching import match
from initcheck.comparison.weights.roles import Role, roles_of
from initcheck.comparison.weights.tensors import Tensor, tensors_of

torch = pytest.importorskip("torch")
nn = torch.nn


def mixer(seed: int, variance: float = 1.0, mask: bool = False, angles: float = 10_000.0) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Module()
    net.fc, net.bn = nn.Linear(6, 8), nn.BatchNorm1d(8)
    net.bn.running_var.fill_(variance)
    net.register_buffer("inv_freq", angles ** -(torch.arange(4) / 4))
    net.register_buffer("ids", torch.arange(8), persistent=False)
    if mask:
        net.register_buffer("mask", torch.ones(3, 3, dtype=torch.bool).tril())
    return net


def test_buffers_stand_behind_the_parameters() -> None:
    found = tensors_of(mixer(0, mask=True), "m")
    assert [(t.path, t.buffer) for t in found][4:] == [
        ("inv_freq", True), ("mask", True), ("bn.running_mean", True), ("bn.running_var", True),
        ("bn.num_batches_tracked", True),
    ]  # fmt: skip


def test_buffers_move_no_parameter_from_its_place() -> None:
    bare = [Tensor(name, "m", np.ones(3)) for name in "ab"]
    found = roles_of([*bare, *(Tensor(f"mean{k}", "m", np.ones(3), buffer=True) for k in "cde")])
    assert [role.place for role in found][:2] == [role.place for role in roles_of(bare)]


def test_a_buffer_of_another_name_is_no_partner() -> None:
    a = [Role("w", ("w",), (4, 4), 0.0), Role("inv_freq", ("inv_freq",), (4,), 0.5, buffer=True)]
    b = [Role("w", ("w",), (4, 4), 0.0), Role("bn.moving_mean", ("bn.moving_mean",), (4,), 0.5, buffer=True)]
    found, left, right = match(a, b)
    assert [(x.name, y.name) for x, y in found] == [("w", "w")]
    assert [role.path for role in (*left, *right)] == ["inv_freq", "bn.moving_mean"]
    mine = Role("norm.running_mean", ("norm.running_mean",), (4,), 0.5, buffer=True)
    assert [(x.name, y.name) for x, y in match([a[0], mine], b)[0]][1] == ("norm.running_mean", "bn.moving_mean")


def test_a_buffer_that_differs_is_named() -> None:
    report = initcheck.same(mixer, lambda seed: mixer(seed + 1, variance=0.0))
    [case] = [r.evidence.case for r in report.failures]
    assert "bn.running_var: DIFFERENT" in (case or "")
    report = initcheck.same(mixer, lambda seed: mixer(seed + 1, angles=500_000.0))
    [case] = [r.evidence.case for r in report.failures]
    assert "inv_freq: DIFFERENT" in (case or "")


def test_a_buffer_that_only_one_has_is_named_and_fails_nothing() -> None:
    report = initcheck.same(mixer, lambda seed: mixer(seed, mask=True))
    assert report.ok
    assert "buffers that only one has are not compared: mask" in report["start-from-one-law"].notes


def test_a_complex_table_is_read() -> None:
    net = mixer(0)
    net.register_buffer("freqs_cis", torch.polar(torch.ones(3), torch.arange(3.0)))
    [table] = [t for t in tensors_of(net, "m") if t.path == "freqs_cis"]
    assert np.allclose(table.values[:, 0], np.cos([0, 1, 2]))
