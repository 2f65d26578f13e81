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
    assert "\n  write     return w * sqrt(2)\n" in said
    assert f"proven    on a copy with this change: {ONE} holds" in said


def test_a_cut_that_nobody_corrected_is_told_by_its_number() -> None:
    [found] = initcheck.fix("initcheck.gallery:truncated_uncorrected", claims=[ONE])
    assert found.proposal.repair is not None
    assert found.proposal.repair.code == "return w / 0.8796"


def test_a_wrong_fan_is_mended_by_its_formula(capsys) -> None:
    assert main(["fix", "initcheck.gallery:swapped_fans", "--claims", ONE, "--json", "-"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["change"]["kind"] == "formula"
    assert plain["change"]["code"] == "return w * sqrt(2/fan_in) / sqrt(2/(fan_out))"
    assert plain["proven"] == [ONE]


def test_weights_of_one_sign_are_given_signs() -> None:
    [found] = initcheck.fix("initcheck.gallery:absolute_value", claims=["zero-mean"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.kind == "signs"


def test_a_change_that_does_not_help_is_not_proposed() -> None:
    """Scaling cannot mend units that are copies; only drawing them anew can, and that is what is said."""

    def copies(shape, rng):
        w = rng.normal(0, 1 / np.sqrt(shape[1]), shape)
        w[1::2] = w[: len(w[1::2]) * 2 : 2]
        return w

    [found] = initcheck.fix(copies, contract="activation=linear,fan=fan_in,layout=out_in", claims=["units-differ"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.kind == "replace"


def test_a_layer_is_given_its_line() -> None:
    torch = pytest.importorskip("torch")
    [found] = initcheck.fix(torch.nn.Linear, claims=["gradient-variance-near-one"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.code == 'nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")'
