"""What several processes that build one model owe: all of it, once, by the law of the unsharded build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims import claim
from initcheck.models import questions

if TYPE_CHECKING:
    from initcheck.models.questions import RankTrial

_EXACT = (
    "exact: one build of every rank at one seed, fresh memory filled with NaN and with a canary, one of another seed,"
    " and one by a single process. DTensor's draws differ from shard to shard as on a device; on a CPU alone PyTorch"
    " would give every shard the same numbers. Not seen: what a later step of training does, and what ranks exchange."
)


@claim(
    "every-rank-builds",
    says="No rank dies, raises or hangs, and all have the same tensors, but for experts and stages of their own.",
    source="PyTorch, torchrun: every process builds the model",
    topic="promises",
    label="ranks",
    kind="ranks",
    decided_by=_EXACT,
)
def every_rank_builds(trial: RankTrial) -> None:
    """Wait for every rank, and compare the names of their tensors."""
    trial.failures += questions.other_tensors(trial.ranks, trial.whole)
    trial.measured = f"{len(trial.alive)} of {len(trial.ranks)} ranks built a model"


@claim(
    "every-shard-is-written",
    says="No entry of any parameter or buffer is left as the memory was found, on any rank.",
    source="PyTorch, to_empty: 'without copying storage'",
    topic="promises",
    label="written",
    kind="ranks",
    decided_by=_EXACT,
)
def every_shard_is_written(trial: RankTrial) -> None:
    """Look for what still holds both fills of fresh memory."""
    trial.failures += questions.never_written(trial.ranks)
    trial.measured = f"{sum(len(t.pieces) for t in trial.alive):,} tensors of {len(trial.alive)} ranks"
    if not trial.alive:
        trial.moot = "no rank built a model"


@claim(
    "shards-are-distinct",
    says="Shards of one tensor are not copies of one another, and no two draws of a rank begin at one state.",
    source="PyTorch, DTensor: OffsetBasedRNGTracker",
    topic="symmetry",
    label="distinct",
    kind="ranks",
    decided_by=_EXACT,
)
def shards_are_distinct(trial: RankTrial) -> None:
    """Compare the bits of the shards of every random tensor, and the states that draws began at."""
    # The cause first: shards that come from one state of a generator are many, and only so many are told.
    trial.failures += questions.repeated_states(trial.ranks)
    trial.failures += questions.copied_pieces(trial.ranks, trial.whole)
    trial.measured = f"{sum(p.random for t in trial.alive for p in t.pieces.values()):,} random tensors or shards"
    if not trial.alive:
        trial.moot = "no rank built a model"


@claim(
    "replicas-are-equal",
    says="What several ranks hold of one place of a tensor is the same to the bit, and ties hold on every rank.",
    source="PyTorch, DistributedDataParallel: parameters and buffers are broadcast from rank 0",
    topic="promises",
    label="replicas",
    kind="ranks",
    decided_by=_EXACT,
)
def replicas_are_equal(trial: RankTrial) -> None:
    """Compare what ranks hold at one place; ties are those of the unsharded build."""
    if len(trial.alive) < 2:
        trial.moot = "one rank has no replicas" if trial.alive else "no rank built a model"
        return
    trial.failures += questions.differing_replicas(trial.ranks, trial.whole)
    trial.failures += questions.lost_ties(trial.ranks, trial.whole)
    trial.measured = f"{len(trial.alive[0].pieces):,} tensors on {len(trial.alive)} ranks"


@claim(
    "the-whole-follows-its-law",
    says="All of a tensor is there and follows the law of the unsharded build: the fan of the whole, not of the shard.",
    source="Shoeybi et al. 2019, Megatron-LM: the master weight is initialised, then split",
    topic="law",
    label="law",
    kind="ranks",
    decided_by=_EXACT
    + " Named standard deviations are compared exactly; others by their mean squares, within 5 % and beyond chance of"
    " probability 1e-12 (Chernoff).",
)
def the_whole_follows_its_law(trial: RankTrial) -> None:
    """Compare the law of every shard with that of the same tensor built by one process."""
    if not trial.alive:
        trial.moot = "no rank built a model"
    elif len(trial.ranks) == 1:
        trial.moot = "one rank holds the whole"
    elif trial.whole is None:
        trial.doubts.append(f"one process alone {trial.why_not}, so that the law of the whole is not known")
    else:
        trial.failures += questions.lost_entries(trial.ranks, trial.whole)
        trial.failures += questions.other_laws(trial.ranks, trial.whole)
        equal = _equal_bits(trial)
        trial.measured = f"{len(trial.whole.pieces):,} tensors"
        if equal:
            trial.notes.append(f"{equal:,} random tensors have the bits of the unsharded build on rank 0")


def _equal_bits(trial: RankTrial) -> int:
    alone = trial.whole.pieces if trial.whole is not None else {}
    first = trial.alive[0].pieces
    return sum(p.random and n in alone and alone[n].digest == p.digest for n, p in first.items())
