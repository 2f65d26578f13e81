"""Sharded models on real processes: the sound ones are clean at 1, 2 and 4 ranks, each bug fails what says so."""

from __future__ import annotations

import pytest

pytest.importorskip("torch.distributed")

import shard_bugs as bugs

from initcheck.doors.check_model import check_model

RANKS, WRITTEN, DISTINCT = "every-rank-builds", "every-shard-is-written", "shards-are-distinct"
REPLICAS, LAW = "replicas-are-equal", "the-whole-follows-its-law"

SOUND = [
    *((bugs.sound_fsdp, world, None) for world in (1, 2, 4)),
    *((bugs.sound_tensor_parallel, dp * tp, {"dp": dp, "tp": tp}) for dp, tp in ((1, 1), (1, 2), (2, 2))),
    *((bugs.master_then_split, world, None) for world in (1, 2, 4)),
    (bugs.ten_million, 4, None),
]
BROKEN = {
    bugs.identical_shards: (4, {DISTINCT}, "its shards on ranks 0, 1, 2, 3 are equal bit for bit"),
    bugs.fan_of_the_shard: (4, {LAW}, "the fans of the shard stand for those of the whole"),
    bugs.seed_by_rank: (2, {REPLICAS}, "ranks 0, 1 hold different values of one replica"),
    bugs.replicas_that_differ: (4, {REPLICAS}, "head.weight: rank 0 differs from the 3 others"),
    bugs.offloaded_draws_repeated: (2, {DISTINCT}, "began at one generator state"),
    bugs.buffers_not_synchronised: (2, {REPLICAS, LAW}, "scale: ranks 0, 1 hold different values of one replica"),
    bugs.tie_lost_by_sharding: (2, {REPLICAS}, "head.weight is tied to embed.weight in the unsharded build"),
    bugs.one_rank_loads_late: (4, {REPLICAS}, "rank 3 differs from the 3 others"),
    bugs.unwritten_norm: (2, {WRITTEN}, "entries never written on rank 0"),
    bugs.one_rank_dies: (2, {RANKS}, "rank 1 ends with exit code 3"),
    bugs.one_rank_raises: (2, {RANKS}, "rank 1 raises ValueError: no shard for me at"),
    bugs.one_rank_has_another_model: (2, {RANKS, REPLICAS}, "which the others have"),
}


@pytest.mark.parametrize(("build", "world", "mesh"), SOUND, ids=lambda v: getattr(v, "__name__", str(v)))
def test_a_sound_scheme_is_clean_at_every_world_size(build: object, world: int, mesh: dict[str, int] | None) -> None:
    report = check_model(build, world=world, mesh=mesh)  # type: ignore[arg-type]
    assert not report.failures, [(r.claim, r.evidence.case) for r in report.failures]


@pytest.mark.parametrize("build", BROKEN, ids=lambda f: f.__name__)
def test_a_bug_of_shards_fails_the_claim_that_says_so(build: object) -> None:
    world, expected, words = BROKEN[build]  # type: ignore[index]
    report = check_model(build, world=world)  # type: ignore[arg-type]
    assert {r.claim for r in report.failures} - {LAW} == expected - {LAW}
    said = "\n".join(s for r in report.failures for s in (r.evidence.case or "", *r.evidence.detail))
    assert words in said


def test_a_rank_that_hangs_is_named_with_its_line() -> None:
    report = check_model(bugs.one_rank_hangs, world=2, timeout=40)
    assert "rank 1 does not end; it stands at" in str(report[RANKS].evidence.case)
    assert "shard_bugs.py:" in str(report[RANKS].evidence.case)
