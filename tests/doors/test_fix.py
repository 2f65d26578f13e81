"""`initcheck fix` where nothing fails, and where the smallest change is no change of a scale."""

from __future__ import annotations

import pytest

import initcheck
from initcheck.doors.cli import main


@pytest.mark.long
def test_a_result_of_the_wrong_shape_is_transposed() -> None:
    [found] = initcheck.fix("initcheck.gallery:transposed_shape", claims=["returns-the-shape-asked"])
    assert found.proposal.repair is not None
    assert found.proposal.repair.code == "    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))"


def test_where_nothing_fails_nothing_is_changed(capsys) -> None:
    assert main(["fix", "initcheck.gallery:he_normal", "--claims", "finite"]) == 0
    assert capsys.readouterr().out == "initcheck.gallery:he_normal  nothing fails: there is nothing to change\n"
