"""Models that several processes build: rules on what ranks told, and one launch of two processes."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from initcheck.errors import UsageError
from initcheck.models.ranks.families import as_shards
from initcheck.models.ranks.rules import (
    copied_pieces,
    differing_replicas,
    lost_entries,
    lost_ties,
    never_written,
    other_laws,
    other_tensors,
    repeated_states,
)
from initcheck.models.ranks.told import Piece, RankTold


def _piece(bits: str, **known: object) -> Piece:
    default = Piece(
        name="w", shape=(4, 8), count=32, squares=32 * 0.02**2, digest=hashlib.sha256(bits.encode()).digest(),
        random=True, law="normal std 0.02", std=0.02, site=("net.py", 7),
    )  # fmt: skip
    return dataclasses.replace(default, **known)  # type: ignore[arg-type]


def _ranks(*pieces: Piece) -> list[RankTold]:
    return [RankTold(rank, {p.name: p}) for rank, p in enumerate(pieces)]


WHOLE = RankTold(0, {"w": _piece("whole", shape=(8, 8), count=64, squares=64 * 0.02**2)})


def test_equal_shards_are_copies_and_equal_replicas_are_not() -> None:
    shards = _ranks(_piece("a"), _piece("a"))
    assert list(copied_pieces(shards, WHOLE)) == ["w: its shards on ranks 0, 1 are equal bit for bit (net.py:7)"]
    assert list(copied_pieces(_ranks(_piece("a"), _piece("b")), WHOLE)) == []
    replicas = _ranks(*[_piece("a", shape=(8, 8), count=64)] * 2)
    assert list(copied_pieces(replicas, WHOLE)) == list(differing_replicas(replicas, WHOLE)) == []


def test_shards_of_a_mesh_are_replicas_along_its_other_dimension() -> None:
    placed = [
        _piece(b, whole=(8, 8), offset=o) for b, o in (("a", (0, 0)), ("b", (4, 0)), ("a", (0, 0)), ("b", (4, 0)))
    ]
    assert list(copied_pieces(_ranks(*placed), WHOLE)) == list(differing_replicas(_ranks(*placed), WHOLE)) == []
    odd = [*placed[:3], _piece("c", whole=(8, 8), offset=(4, 0))]
    assert "ranks 1, 3 hold different values of one replica" in next(differing_replicas(_ranks(*odd), WHOLE))


def test_the_rank_that_differs_is_named() -> None:
    pieces = [_piece(b, shape=(8, 8), count=64) for b in "aaba"]
    assert "rank 2 differs from the 3 others" in next(differing_replicas(_ranks(*pieces), WHOLE))


def test_the_fan_of_the_shard_is_named_with_its_factor() -> None:
    wide = _piece("a", std=0.02 * (16 / 12) ** 0.5, law="normal std 0.02309")
    [said] = other_laws(_ranks(wide, wide), WHOLE)
    assert "x1.15, since the fans of the shard stand for those of the whole (net.py:7)" in said
    assert list(other_laws(_ranks(_piece("a"), _piece("b")), WHOLE)) == []


def test_a_replica_of_another_dtype_is_told_by_its_dtype() -> None:
    ranks = _ranks(_piece("a", dtype="float32"), _piece("b", dtype="bfloat16"), _piece("a", dtype="float32"))
    [said] = differing_replicas(ranks, None)
    assert said.startswith("w: rank 1 differs from the 2 others (bfloat16, ")
    assert "; elsewhere float32, " in said


def test_sizes_decide_where_no_draw_names_the_law() -> None:
    many = {"count": 4096, "shape": (64, 64), "std": None}
    whole = RankTold(0, {"w": _piece("w", **many, squares=4096 * 0.02**2)})
    assert list(other_laws(_ranks(_piece("a", **many, squares=4096 * 0.0201**2)), whole)) == []
    assert "over the ranks" in next(other_laws(_ranks(_piece("a", **many, squares=4096 * 0.04**2)), whole))


def _sized(bits: str, rows: int) -> Piece:
    return _piece(bits, shape=(rows, 8), count=8 * rows, squares=8 * rows * 0.02**2)


def test_shards_of_several_sizes_have_room_in_the_whole() -> None:
    whole = RankTold(0, {"w": _sized("whole", 48)})
    uneven = _ranks(*[_sized(b, n) for b, n in zip("abcd", (16, 16, 8, 8), strict=True)])
    padded = _ranks(*[_sized(b, 13) for b in "abcd"])
    for ranks in (uneven, padded):
        assert list(differing_replicas(ranks, whole)) == list(lost_entries(ranks, whole)) == []
    # Two copies of two shards, of which one is odd.
    odd = _ranks(*[_sized(b, 24) for b in "abac"])
    assert list(differing_replicas(odd, whole)) == ["w: 3 different shards, the whole has room for 2"]


def test_what_no_rank_holds_is_told() -> None:
    whole = RankTold(0, {"w": _sized("whole", 48)})
    [said] = lost_entries(_ranks(*[_sized(b, 8) for b in "abcd"]), whole)
    assert said == "w: its 4 shards of shape (8, 8) hold 256 entries together, the unsharded build has 384"


def _named_ranks(*held: dict[str, str]) -> list[RankTold]:
    return [RankTold(r, {n: _piece(bits, name=n) for n, bits in names.items()}) for r, names in enumerate(held)]


def test_experts_that_every_rank_counts_anew_are_no_replicas() -> None:
    [whole] = _named_ranks({f"experts.{k}.w": f"e{k}" for k in range(4)} | {"router.w": "r"})
    own = _named_ranks(*[{f"experts.{k}.w": f"{r}{k}" for k in range(2)} | {"router.w": "r"} for r in range(2)])
    ranks = as_shards(own, whole)
    assert list(differing_replicas(ranks, whole)) == list(copied_pieces(ranks, whole)) == []
    copies = _named_ranks(*[{f"experts.{k}.w": f"{k}" for k in range(2)} | {"router.w": "r"} for _ in range(2)])
    said = list(copied_pieces(as_shards(copies, whole), whole))
    assert said[0] == "experts.0.w: its shards on ranks 0, 1 are equal bit for bit (net.py:7)"
    routers = _named_ranks(*[{f"experts.{k}.w": f"{r}{k}" for k in range(2)} | {"router.w": f"{r}"} for r in range(2)])
    [said] = differing_replicas(as_shards(routers, whole), whole)
    assert said.startswith("router.w: ranks 0, 1 hold different values of one replica")


def test_experts_that_no_rank_holds_are_lost() -> None:
    [whole] = _named_ranks({f"experts.{k}.w": f"e{k}" for k in range(4)})
    ranks = as_shards(_named_ranks({"experts.0.w": "a"}, {"experts.0.w": "b"}), whole)
    assert list(differing_replicas(ranks, whole)) == list(copied_pieces(ranks, whole)) == []
    assert list(lost_entries(ranks, whole)) == [
        "experts.0.w: its 2 shards of shape (4, 8) hold 64 entries together, the unsharded build has 128"
    ]


def test_layers_that_every_rank_has_all_of_stay_replicas() -> None:
    [whole] = _named_ranks({f"layers.{k}.w": f"{k}" for k in range(4)})
    ranks = _named_ranks(*[{f"layers.{k}.w": f"{r}{k}" for k in range(4)} for r in range(2)])
    assert len(list(differing_replicas(as_shards(ranks, whole), whole))) == 4


def test_experts_and_stages_by_their_own_numbers_are_shared_out() -> None:
    [whole] = _named_ranks({f"layers.{k}.w": f"{k}" for k in range(4)} | {"embed.w": "e"})
    stages = _named_ranks(
        {"embed.w": "e", "layers.0.w": "a", "layers.1.w": "b"}, {"layers.2.w": "c", "layers.3.w": "d"}
    )
    assert list(other_tensors(stages, whole)) == list(copied_pieces(stages, whole)) == []
    copies = _named_ranks({"layers.0.w": "a", "layers.1.w": "b"}, {"layers.2.w": "a", "layers.3.w": "b"})
    assert next(copied_pieces(copies, whole)) == (
        "layers.0.w on rank 0 and layers.2.w on rank 1 are equal bit for bit (net.py:7)"
    )
    gap = _named_ranks({"layers.0.w": "a"}, {"layers.2.w": "c", "layers.3.w": "d"})
    assert list(other_tensors(gap, whole))
    lacking = _named_ranks(*[{f"layers.{k}.w": f"{k}" for k in range(4)} for _ in range(2)], {"layers.0.w": "0"})
    assert "rank 2 lacks layers.1.w" in next(other_tensors(lacking, whole))


def test_a_tie_and_unwritten_entries_are_told_by_rank() -> None:
    tied = RankTold(0, {"w": _piece("a")}, tied={"head": "w"})
    ranks = [RankTold(0, {"w": _piece("a"), "head": _piece("a", name="head")})]
    assert list(lost_ties(ranks, tied)) == ["head is tied to w in the unsharded build, and stands by itself on rank 0"]
    assert list(never_written(_ranks(_piece("a"), _piece("a", never=3)))) == [
        "w: 3 of 32 entries never written on rank 1"
    ]


def test_draws_of_one_rank_from_one_state_are_told() -> None:
    draws = {n: ((b"state", i, 32, None),) for i, n in enumerate(("w", "v"))}
    rank = RankTold(1, {n: _piece(n, name=n, draws=d) for n, d in draws.items()})
    assert list(repeated_states([rank])) == ["w, v: 2 draws of rank 1 began at one generator state (net.py:7)"]


def test_the_rank_that_is_gone_comes_before_those_that_wait_for_it() -> None:
    ranks = [RankTold(0, problem="does not end"), RankTold(1, problem="ends with exit code 3 and no answer")]
    assert list(other_tensors(ranks)) == ["rank 1 ends with exit code 3 and no answer", "rank 0 does not end"]
    hung = [
        RankTold(0, problem="does not end; it waits for the others"),
        RankTold(1, problem="does not end; it stands at m.py:4 in f"),
    ]
    assert next(iter(other_tensors(hung))) == "rank 1 does not end; it stands at m.py:4 in f"
    other = [*_ranks(_piece("a"), _piece("a")), RankTold(2, {})]
    assert list(other_tensors(other)) == ["rank 2 lacks w, which the others have"]


def test_a_mesh_has_as_many_places_as_the_world_processes() -> None:
    from initcheck.doors.check_model import check_model

    with pytest.raises(UsageError, match=r"the mesh dp=2,tp=2 has 4 places, and the world 2 processes"):
        check_model(_ranks, world=2, mesh={"dp": 2, "tp": 2})


def test_a_verdict_on_ranks_is_repeated_by_the_command_for_models() -> None:
    from initcheck.claims.registry import find
    from initcheck.engine.settings import Settings
    from initcheck.targets.models import load_models

    [model] = load_models(["torch.nn:Identity"], world=2)
    said = Settings().command(model, find("every-rank-builds"))
    assert said == "initcheck model torch.nn:Identity --world=2 --claims=every-rank-builds --seed=0"
