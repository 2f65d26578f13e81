"""Models are mended too: by a line of their function left out, or by lines behind them, each applied and judged."""

from __future__ import annotations

import json
import math

import pytest

import initcheck
from initcheck.doors.cli import main

torch = pytest.importorskip("torch")

WRITTEN, REBUILD, LAW, DECLARED = (
    "every-tensor-is-written",
    "rebuilds-the-same",
    "siblings-share-one-law",
    "declared-laws-are-in-force",
)


def small(width: int = 8) -> torch.nn.Module:
    return torch.nn.Sequential(*[torch.nn.Linear(width, width) for _ in range(4)])


def seeds_itself() -> torch.nn.Module:
    torch.manual_seed(3)
    return small()


def louder_by_a_number() -> torch.nn.Module:
    model = small()
    for i, layer in enumerate(model):
        torch.nn.init.normal_(layer.weight, std=0.3 * (2.0 if i == 2 else 1.0))
    return model


class LeavesOneOut(torch.nn.Module):
    """What a class forgets, no line of a function can mend: lines are written behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = small()
        self.layers[1].weight = torch.nn.Parameter(torch.empty(8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def leaves_one_out() -> torch.nn.Module:
    return LeavesOneOut()


def test_the_line_that_is_too_much_is_left_out() -> None:
    [found] = initcheck.fix(seeds_itself, claims=[REBUILD])
    assert found.proposal.repair is not None
    assert found.proposal.repair.before == "    torch.manual_seed(3)"
    assert found.proposal.repair.code == ""
    assert found.proposal.proven == (REBUILD,)


def test_an_exception_for_one_block_is_taken_back() -> None:
    [found] = initcheck.fix(louder_by_a_number, claims=[LAW])
    assert found.proposal.repair is not None
    assert "std=0.3 * (1.0))" in found.proposal.repair.code


def test_what_was_never_written_is_given_the_law_of_its_siblings() -> None:
    [found] = initcheck.fix(leaves_one_out, claims=[WRITTEN])
    assert found.proposal.repair is not None
    bound = f"{8**-0.5:.6g}"
    assert (
        found.proposal.repair.code
        == f'nn.init.uniform_(model.get_parameter("layers.1.weight"), -{bound}, {bound})'
    )  # fmt: skip
    assert "hold" in str(found)


def test_a_declared_law_is_put_in_force_and_said_as_json(capsys) -> None:
    law = "*.weight=1/sqrt(fan_in)"
    assert main(["fix", f"{__file__}:small", "--claims", DECLARED, "--law", law, "--json", "-"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert f"nn.init.uniform_(parameter, -{(3 / 8) ** 0.5:.6g}" in said["change"]["code"]
    assert said["proven"] == [DECLARED]


def test_nothing_is_proposed_that_breaks_another_claim() -> None:
    """Zeros would end the difference of siblings, and every unit with it."""

    def all_of_one_state() -> torch.nn.Module:
        model = small()
        for layer in model:
            layer.weight.data = torch.full((8, 8), math.nan)
        return model

    [found] = initcheck.fix(all_of_one_state, claims=["no-value-is-absurd", "tensors-are-distinct"])
    assert found.proposal.repair is not None
    assert "math.nan" in found.proposal.repair.before
