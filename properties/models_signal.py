"""What a built model does at its first step: signal and gradient through the blocks, and the first loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims.statement import claim

if TYPE_CHECKING:
    from initcheck.models.trial import ModelTrial

_DECIDED = (
    " at models of fresh seeds: an exact sign test of the median, and, under the clause that a model strays beyond"
    " a factor 2 from that median with probability at most 0.05 (680 models of 12 architectures: worst 2.02),"
    " three models inside by a factor 2 for HOLDS and six beyond by a factor 2 for FAILS."
    " Not seen: blocks that are not in a ModuleList or Sequential, models for which no batch can be made."
)


@claim(
    "signal-survives-the-blocks",
    says="Over the second half of the blocks the second moment grows by a factor in [1/4, 4].",
    source="He et al. 2015, section 2.2; De & Smith 2020 for residual blocks",
    topic="depth",
    label="signal",
    kind="model",
    needs=("every-tensor-is-written",),
    decided_by="growth of the second moment from the middle block to the last, in runs of four blocks or more,"
    + _DECIDED,
)
def signal_survives_the_blocks(trial: ModelTrial) -> None:
    """Feed one batch forward and compare the last block with the middle one."""
    _growth_keeps(trial, "forward", "growth of the signal")


@claim(
    "gradient-survives-the-blocks",
    says="Back through the second half of the blocks the gradient's second moment grows by a factor in [1/4, 4].",
    source="Glorot & Bengio 2010, section 4.2; He et al. 2015, section 2.2",
    topic="depth",
    label="gradient",
    kind="model",
    needs=("every-tensor-is-written",),
    decided_by="growth of the gradient's second moment from the last block back to the middle one," + _DECIDED,
)
def gradient_survives_the_blocks(trial: ModelTrial) -> None:
    """Send a random cotangent back and compare the middle block with the last one."""
    _growth_keeps(trial, "backward", "growth of the gradient")


@claim(
    "starts-at-chance",
    says="The first loss is at most ln(classes) + 1.",
    source="Karpathy 2019, A Recipe for Training Neural Networks: verify loss at init",
    topic="loss",
    label="loss",
    kind="model",
    needs=("every-tensor-is-written",),
    decided_by="cross-entropy with random targets at a recognised head (as wide as a vocabulary of the model, or a"
    " last Linear named head, classifier, lm_head, logits, fc, ...), less ln(classes)," + _DECIDED,
)
def starts_at_chance(trial: ModelTrial) -> None:
    """Compare the first loss with the loss of guessing."""
    import math

    first = trial.facts.first.looks["signal"]
    if first.problem is not None:
        trial.doubts_that(first.problem)
    elif first.loss is None:
        trial.not_applicable("no classification head is recognised in what the model returns")
    else:
        trial.median_keeps(
            lambda s: [None if s.loss is None or s.classes is None else s.loss - math.log(s.classes)],
            -math.inf, 1.0, [""], f"loss over ln({first.classes})",
        )  # fmt: skip


def _growth_keeps(trial: ModelTrial, direction: str, what: str) -> None:
    first = trial.facts.first.looks["signal"]
    if first.problem is not None:
        trial.doubts_that(first.problem)
    elif not first.chains:
        trial.not_applicable("no four blocks of one shape follow one another in a ModuleList or Sequential")
    elif direction == "backward" and not any(chain.backward for chain in first.chains):
        trial.not_applicable("no gradient reaches the blocks")
    else:
        names = [chain.name for chain in first.chains]
        trial.median_keeps(lambda s: [s.growth(c.blocks, direction) for c in first.chains], 0.25, 4.0, names, what)
        trial.draws_signal(direction)
