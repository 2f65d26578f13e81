"""Code that tells layers by their kind may hold kernels to another law than matrices; nobody promises them one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from torch import nn

import initcheck
from initcheck.adapters.recognition import recognise
from initcheck.contract.contract import OF_KERNELS
from initcheck.contract.layer import Layer
from initcheck.contract.profile import profile
from initcheck.engine.subject import InitializerSubject
from initcheck.report.verdict import Verdict


def xavier_and_kaiming(m: Any) -> None:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
    elif isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")


def by_the_name_of_its_class(m: Any) -> None:
    if "Conv" in type(m).__name__:
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    elif type(m).__name__ == "Linear":
        nn.init.xavier_normal_(m.weight)


def channels_alone(m: Any) -> None:
    """The same kinds, and the kernel's positions are forgotten."""
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight)
    elif isinstance(m, nn.Conv2d):
        m.weight.data.normal_(0, math.sqrt(2 / m.in_channels))


def without_the_two(m: Any) -> None:
    """He's for matrices; for kernels by the same fan, and its 2 forgotten."""
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    elif isinstance(m, nn.Conv2d):
        m.weight.data.normal_(0, math.sqrt(1 / m.weight[0].numel()))


def kaiming_and_xavier(m: Any) -> None:
    """Xavier's is a law of its own, whatever the matrices follow."""
    if isinstance(m, nn.Linear):
        nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    elif isinstance(m, nn.Conv2d):
        nn.init.xavier_normal_(m.weight)


def one_formula(m: Any) -> None:
    """No kind is told: what matrices show is meant of all."""
    rest = m.weight[0].numel()
    std = math.sqrt(1 / rest) if m.weight.dim() == 2 else math.sqrt(2 / (m.weight.numel() / m.weight.size(1)))
    m.weight.data.normal_(0, std)


def subject_of(init: Any) -> InitializerSubject:
    return InitializerSubject(recognise(init, f"nets:{init.__name__}"), profile("quick"), 0)


@pytest.mark.parametrize(
    ("init", "matrices", "kernels"),
    [
        (xavier_and_kaiming, ("linear", "fan_avg"), ("relu", "fan_out")),
        (by_the_name_of_its_class, ("linear", "fan_avg"), ("relu", "fan_in")),
        (channels_alone, ("relu", "fan_in"), ("relu", "fan_in")),
        (without_the_two, ("relu", "fan_in"), ("relu", "fan_in")),
        (kaiming_and_xavier, ("relu", "fan_in"), ("linear", "fan_avg")),
        (one_formula, ("linear", "fan_in"), ("linear", "fan_in")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_kind_is_held_to_what_it_shows_where_code_tells_kinds(
    init: Any, matrices: tuple[str, str], kernels: tuple[str, str]
) -> None:
    subject = subject_of(init)
    dense, kernel = subject.contract_of(Layer((7, 5), "out_in")), subject.contract_of(Layer((7, 5, 3, 3), "oihw"))
    assert (dense.activation, dense.fan) == matrices
    assert (kernel.activation, kernel.fan) == kernels
    assert any(note.startswith(OF_KERNELS) for note in dense.notes) is (matrices != kernels)


def test_who_declares_a_fan_is_held_to_it_everywhere() -> None:
    def declared(m: Any) -> None:
        xavier_and_kaiming(m)

    declared.__initcheck__ = {"activation": "linear", "fan": "fan_avg"}  # type: ignore[attr-defined]
    contract = subject_of(declared).contract_of(Layer((7, 5, 3, 3), "oihw"))
    assert contract.fan != "fan_out"


@pytest.mark.long
@pytest.mark.parametrize(("init", "verdict"), [(xavier_and_kaiming, Verdict.HOLDS), (channels_alone, Verdict.FAILS)])
def test_two_laws_by_kind_hold_and_forgotten_positions_fail(init: Any, verdict: Verdict) -> None:
    claims = ["output-variance-near-one", "variance-follows-one-law"]
    report = initcheck.check(init, claims=claims, profile="quick")
    assert report["output-variance-near-one"].verdict is verdict
    if verdict is Verdict.HOLDS:
        assert report["variance-follows-one-law"].verdict is verdict
