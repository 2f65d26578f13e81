"""One name for several tensors: it names these, and no other tensor of the model fits it."""

from __future__ import annotations

import pytest

from initcheck.models.builds.names import name_of, names_of

BLOCKS = [f"h.{k}.{leaf}" for k in range(4) for leaf in ("mlp.0.w", "mlp.2.w", "ln.b")]
DEEP = [f"enc1.{k}.sub.{j}.w" for k in range(2) for j in range(2)]


@pytest.mark.parametrize(
    ("members", "every", "name"),
    [
        (["0.weight"], ["0.weight", "2.weight"], "0.weight"),
        (["0.weight", "2.weight"], ["0.weight", "2.weight"], "*.weight"),
        (["0.weight", "2.weight"], ["0.weight", "2.weight", "4.weight"], "{0,2}.weight"),
        ([f"h.{k}.mlp.0.w" for k in range(4)], BLOCKS, "h.*.mlp.0.w"),
        ([f"h.{k}.mlp.0.w" for k in (0, 1, 3)], BLOCKS, "h.{0-1,3}.mlp.0.w"),
        ([f"h.{k}.mlp.{j}.w" for k in range(4) for j in (0, 2)], BLOCKS, "h.*.mlp.*.w"),
        ([p for p in DEEP if p[5] == "0"], DEEP, "enc1.0.sub.*.w"),
        (["enc1.0.sub.1.w", "enc1.1.sub.0.w"], DEEP, "enc1.{0.sub.1,1.sub.0}.w"),
        ([f"{k}.w" for k in range(0, 40, 2)], [f"{k}.w" for k in range(40)], "{0,2,4,6,8,10,12,14,...}.w"),
        (["rnn.weight_ih_l1", "rnn.weight_ih_l2"], [f"rnn.weight_ih_l{k}" for k in range(3)], "rnn.weight_ih_l{1-2}"),
        (["a.w", "b.w"], ["a.w", "b.w"], "a.w and 1 more"),
    ],
)
def test_a_name_fits_its_members_alone(members: list[str], every: list[str], name: str) -> None:
    assert name_of(members, every) == name


def test_groups_of_one_skeleton_have_names_of_their_own() -> None:
    every = [f"{k}.weight" for k in range(6)]
    groups = [every[:1], every[1:3], every[3:]]
    assert names_of(groups, every) == ["0.weight", "{1-2}.weight", "{3-5}.weight"]
