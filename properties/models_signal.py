"""What a built model does at its first step: signal and gradient through the blocks, and the first loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims import claim
from initcheck.models import questions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from initcheck.models.questions import ModelTrial

_DECIDED = (
    " at models of fresh seeds, by two tests that share the error: Student's test, on a logarithmic scale for a"
    " growth, which decides by three models or more for HOLDS and six fresh ones or more for FAILS where they lie"
    " closer together than to the edge; and the exact sign test of the median. Where further models have a chance of"
    " less than one in ten to decide, no more are built and the figure is told."
    " Not seen: blocks that are not numbered (by a list or by their names), models for which no batch can be made."
)


@claim(
    "signal-survives-the-blocks",
    says="Over the second half of the blocks the second moment grows by a factor in [1/4, 4].",
    source="He et al. 2015, section 2.2; De & Smith 2020 for residual blocks",
    topic="depth",
    label="signal",
    kind="model",
    needs=("every-tensor-is-written", "no-value-is-absurd"),
    decided_by="growth of the second moment from the middle block to the last, in runs of four blocks or more,"
    + _DECIDED,
)
def signal_survives_the_blocks(trial: ModelTrial) -> None:
    """Feed one batch forward and compare the last block with the middle one."""
    _growth_keeps(trial, "forward", "growth of the signal")


@claim(
    "gradient-survives-the-blocks",
    says="Back through the second half of the blocks the gradient's second moment grows by a factor in [1/4, 4], beyond"
    " what the growth of the stream and batch norms explain.",
    source="Glorot & Bengio 2010, section 4.2; He et al. 2015, section 2.2; De & Smith 2020 for residual blocks",
    topic="depth",
    backward=True,
    label="gradient",
    kind="model",
    needs=("every-tensor-is-written", "no-value-is-absurd"),
    decided_by="growth of the gradient's second moment from the last block back to the middle one, without what enters"
    " between them where a block is also read by something else (a pyramid, a bridge, a head of its own)."
    " A stream to which every block adds a part grows by 2 over the second half, and a gradient that comes back"
    " through k normalized readings of it by 2^k at any depth: where it grows, it is divided by the square of the"
    " stream's own growth, as far as that is 1 to 4. A batch norm before a ReLU multiplies it by pi/(pi - 1), whatever"
    " the weights: that is taken off instead where it is more, up to 16, of every batch norm that ran between the two"
    " blocks, whatever followed it;" + _DECIDED,
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
    needs=("every-tensor-is-written", "no-value-is-absurd", "signal-survives-the-blocks"),
    decided_by="cross-entropy over uniform targets at a recognised head (as wide as a vocabulary of the model, or a"
    " last Linear named head, classifier, lm_head, logits, fc, ...), less ln(classes)," + _DECIDED,
)
def starts_at_chance(trial: ModelTrial) -> None:
    """Compare the first loss with the loss of guessing."""
    import math

    first = trial.facts.first.looks["signal"]
    if first.problem is not None:
        trial.not_applicable("no batch, see signal-survives-the-blocks")
    elif first.loss is None:
        trial.not_applicable("no classification head is recognised in what the model returns")
    else:
        trial.median_keeps(
            lambda s: [None if s.loss is None or s.classes is None else s.loss - math.log(s.classes)],
            -math.inf, 1.0, [""], f"loss over ln({first.classes})", lambda *_: questions.cause_of_loss(trial.facts),
        )  # fmt: skip


_WAITS = "{} is constant, and no step changes that: see tensors-are-distinct"


def _stopped(gradients: Mapping[str, str]) -> list[str]:
    """Constant matrices that no step tells apart: what they do to signal and gradient is that one finding."""
    return [name for name, kind in gradients.items() if kind in ("zero", "rows", "columns")]


def _growth_keeps(trial: ModelTrial, direction: str, what: str) -> None:
    first = trial.facts.first.looks["signal"]

    def in_blocks(name: str) -> bool:
        return any(name.startswith(f"{block}.") for chain in first.chains for block in chain.blocks)

    if first.problem is not None and direction == "backward":
        trial.not_applicable("no batch, see signal-survives-the-blocks")
    elif first.problem is not None:
        trial.doubts_that(first.problem)
    elif not first.chains:
        trial.not_applicable(
            first.unheard or "no four blocks of one class and shape, numbered or in a list, follow one another"
        )
    elif direction == "backward" and not any(chain.backward for chain in first.chains):
        trial.not_applicable("no gradient reaches the blocks")
    elif stopped := list(filter(in_blocks, _stopped(first.gradients))):
        trial.not_applicable(_WAITS.format(stopped[0]))
    else:
        # A bare number, of a Sequential in a Sequential, reads as a count.
        names = [f"{c.blocks[0]} to {c.blocks[-1]}" if c.name.isdigit() else c.name for c in first.chains]
        trial.median_keeps(
            lambda s: [s.unexplained(c.blocks, direction) for c in first.chains], 0.25, 4.0, names, what,
            lambda i, growth: questions.cause_of_growth(trial.facts, first.chains[i], direction, growth),
        )  # fmt: skip
        trial.draws_signal(direction)
        for chain in first.chains if direction == "backward" and not trial.failures else ():
            whole, left = chain.growth(direction), chain.unexplained(direction)
            if whole is not None and whole > 4 and left is not None and left < whole:
                by = "what batch norms do" if chain.explained_by_norms else "the stream's own growth"
                trial.note(f"the gradient of {chain.name} grows by {whole:.3g}; {by} is taken off")


@claim(
    "input-reaches-the-output",
    says="Another input gives another output: the difference is at least 1 % of the output's own variation.",
    source="Poole et al. 2016, Exponential expressivity: correlations of two inputs through the layers",
    topic="depth",
    label="input",
    kind="model",
    needs=("every-tensor-is-written", "no-value-is-absurd", "signal-survives-the-blocks"),
    decided_by="a fact about one model and two batches, the entries of the second those of the first in another order:"
    " root mean square of the difference over sqrt(2) standard deviations of the output, what is constant in a"
    " channel left out. FAILS where the outputs are the same, and below 1 %, about the rounding of bfloat16, where the"
    " difference is lost at one place; UNDECIDED where it fades with depth, or ends in a choice that hands its gradient"
    " back (a codebook); NOT APPLICABLE where it is ten times as"
    " large or more once the constants below 0.1 that get a gradient are random: a gate or a matrix near zero, which"
    " the first steps open, holds it back by design. Not seen: inputs that only some entries of the output depend on.",
)
def input_reaches_the_output(trial: ModelTrial) -> None:
    """Change the input and look at the output."""
    first = trial.facts.first.looks["signal"]
    if first.problem is not None:
        trial.not_applicable("no batch, see signal-survives-the-blocks")
        return
    if first.reach is None:
        trial.not_applicable("the outputs of two inputs cannot be compared")
        return
    share = first.reach.share
    trial.measured, trial.allowed, trial.value = f"{share:.3g}", "at least 0.01", share
    if share >= 0.01:
        return
    if first.reach.closed is not None:
        trial.not_applicable(
            f"{first.reach.closed} and what else is constant and near zero hold the input back ({share:.2g} of the"
            " output's spread); the first steps open them"
        )
    elif first.reach.exact and (stopped := _stopped(first.gradients)):
        trial.not_applicable(_WAITS.format(stopped[0]))
    elif first.reach.chosen:
        trial.doubts_that(
            "two different inputs give one output, and its gradient arrives: a choice, as of one code in a codebook,"
            " makes the same of both at this start"
        )
    elif first.reach.exact:
        at, likely, fix = questions.cause_of_one_output(trial.facts, first.reach)
        trial.fails(f"two different inputs give one output{at}", likely=likely, fix=fix)
    elif first.reach.drowned_at is not None:
        trial.fails(
            f"two different inputs change the output by {share:.2g} of its spread; drowned on the way into"
            f" {first.reach.drowned_at}",
            likely="what is added to the input there (positions, a bias) is far larger than the input",
        )
    else:
        trial.doubts_that(f"two different inputs change the output by {share:.2g} of its spread: it fades with depth")


@claim(
    "gradient-reaches-every-tensor",
    says="Whatever is trainable gets a gradient, at once or when the first steps have opened what starts near zero.",
    source="Lu et al. 2020, Dying ReLU and Initialization: a layer that is born dead is never trained",
    topic="depth",
    backward=True,
    label="trained",
    kind="model",
    needs=(
        "every-tensor-is-written", "no-value-is-absurd", "signal-survives-the-blocks", "gradient-survives-the-blocks",
        "input-reaches-the-output",
    ),
    decided_by="one backward pass from all that the model returns, again with constants below 0.1 that get a gradient"
    " random (or two steps later), again with another batch. FAILS where a layer makes nothing above zero and gets no"
    " gradient back, and does where its parameters have the opposite sign: chance does that to one of n layers of u"
    " units with probability n 2^-u at most. UNDECIDED where"
    " nothing leads from what the model returns (an argmin, a detach; a loss that is kept inside or a target under"
    " no_grad are meant), where the batch does not run a layer, where a gradient is zero for another reason, where"
    " what is trained is no parameter of the model (layers in a list of Python), where a constant router sends all that"
    " the batch holds to the same experts, and where no parameter is trainable."
    " Vectors are asked where their layer has no matrix. Not seen: what is not marked as trainable beside what is.",
)  # fmt: skip
def gradient_reaches_every_tensor(trial: ModelTrial) -> None:
    """Differentiate what the model returns by everything that is trained."""
    first = trial.facts.first.looks["signal"]
    if first.problem is not None:
        trial.not_applicable("no batch, see signal-survives-the-blocks")
    elif first.untrained is None:
        trial.not_applicable("what the model returns cannot be differentiated")
    elif stopped := _stopped(first.gradients):
        trial.not_applicable(_WAITS.format(stopped[0]))
    else:
        trial.says(questions.without_gradient(trial.facts, first.untrained, trial.level))
        trained = sum(r.parameter and r.trainable for r in trial.facts.first.records.values())
        trial.measured = f"{trained:,} trainable tensors asked"
        if not (trial.facts.first.records or trial.facts.first.unread or trial.doubts):
            trial.not_applicable("the model has no tensor")


@claim(
    "residual-writers-share-one-scaling",
    says="Where one layer that writes to the residual stream is scaled by depth, all are, and nothing else.",
    source="Radford et al. 2019, section 2.3; Zhang et al. 2019, Fixup",
    topic="depth",
    label="residual",
    kind="model",
    needs=("every-tensor-is-written", "no-value-is-absurd"),
    decided_by="exact. Which layers write to the stream is measured in the middle block of every chain: their output is"
    " moved, and the block's output moves by just that. A role is scaled where its named standard deviation is that"
    " of the other matrices over sqrt(L) or sqrt(2 L), of block l over sqrt(l) or sqrt(2 l), and no formula of the fans"
    " gives both. FAILS where a layer that does not write is scaled in place of one that does; UNDECIDED where one of"
    " several writers is not scaled, where all are by sqrt(2 n) for another usual depth n, over 2 L or times sqrt(2 L)."
    " Not seen: laws that no draw names, blocks that cannot be run alone, scalings by another number.",
)
def residual_writers_share_one_scaling(trial: ModelTrial) -> None:
    """Compare what writes to the stream with what is scaled by depth."""
    if "writers" in trial.facts.impossible:
        trial.not_applicable(trial.facts.impossible["writers"])
        return
    scalings = list(questions.residual_scalings(trial.facts))
    for scaling in scalings:
        trial.says(scaling.findings)
    scaled = [s for s in scalings if s.scaled or s.others]
    if scaled:
        trial.measured = (
            f"{questions.listed(scaled[0].writers)} write to the stream, {len(scaled[0].scaled)} scaled by depth"
        )
    elif scalings:
        trial.not_applicable(
            f"no layer is scaled by depth; {questions.listed(scalings[0].writers)} write to the stream"
        )
    else:
        trial.not_applicable("no layer was seen to write to a residual stream")
