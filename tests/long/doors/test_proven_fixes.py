"""`initcheck fix`: proven changes of several kinds, in words, as data, and none where none helps."""

from __future__ import annotations

import json

import numpy as np
import pytest

import initcheck
from initcheck.doors.cli import main

ONE = "output-variance-near-one"


def test_a_forgotten_factor_is_found_and_proven(capsys) -> None:
    assert main(["fix", "initcheck.gallery:lecun_for_relu", "--claims", ONE]) == 0
    said = capsys.readouterr().out
    assert "initcheck.gallery:lecun_for_relu  1 claim fails" in said
    assert "\n  line 70   -     return normal(shape, rng, math.sqrt(1 / fan_in(shape)))\n" in said
    assert "\n            +     return normal(shape, rng, math.sqrt(2 / fan_in(shape)))\n" in said
    assert f"proven    on a copy with this change: {ONE} holds" in said


def test_a_cut_that_nobody_corrected_is_told_by_its_number() -> None:
    [found] = initcheck.fix("initcheck.gallery:truncated_uncorrected", claims=[ONE])
    assert found.proposal.repair is not None
    assert found.proposal.repair.code.endswith("math.sqrt(2 / fan_in(shape))) / 0.879626")


def test_a_wrong_fan_is_read_from_the_other_axis(capsys) -> None:
    assert main(["fix", "initcheck.gallery:swapped_fans", "--claims", ONE, "--json", "-"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["change"]["kind"] == "fan"
    assert plain["change"]["code"] == "    return normal(shape, rng, math.sqrt(2 / shape[1]))"
    assert plain["change"]["source"].startswith("def swapped_fans(shape: Shape, rng: Rng) -> Array:\n")
    assert plain["proven"] == [ONE]


def test_weights_of_one_sign_lose_what_made_them_so() -> None:
    [found] = initcheck.fix("initcheck.gallery:absolute_value", claims=["zero-mean"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.kind == "operand"
    assert "np.abs" not in found.proposal.repair.code


def test_a_change_that_does_not_help_is_not_proposed() -> None:
    """Scaling cannot mend units that are copies: the line that copies them goes."""

    def copies(shape, rng):
        w = rng.normal(0, 1 / np.sqrt(shape[1]), shape)
        w[1::2] = w[: len(w[1::2]) * 2 : 2]
        return w

    [found] = initcheck.fix(copies, contract="activation=linear,fan=fan_in,layout=out_in", claims=["units-differ"])
    assert found.proposal.repair is not None
    assert "w[1::2] = w" not in found.proposal.repair.source


def test_a_layer_is_given_its_line() -> None:
    torch = pytest.importorskip("torch")
    [found] = initcheck.fix(torch.nn.Linear, claims=["gradient-variance-near-one"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.code == 'nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")'


def test_a_layer_of_equinox_is_made_anew_with_other_weights() -> None:
    equinox = pytest.importorskip("equinox")
    [found] = initcheck.fix(equinox.nn.Linear, contract="activation=relu", claims=[ONE])
    assert found.proposal.repair is not None
    init, line = found.proposal.repair.code.splitlines()
    assert init.endswith('variance_scaling(2, "fan_in", "truncated_normal", in_axis=1, out_axis=0)')
    assert line == "layer = eqx.tree_at(lambda l: l.weight, layer, init(key, layer.weight.shape))"
