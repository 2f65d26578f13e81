"""Why a signal is not as it should be: it grows from block to block, ends above chance, or is lost on its way."""

from __future__ import annotations

import math
from collections.abc import Sequence

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.wording import place
from initcheck.models.signals.signal import HEAD, NORM_GAIN, ChainSignal, InputReach, Signal
from initcheck.wording import listed

_GAINS = ((1.0, ""), (0.5, ", half of it through the activation"))
"""What is left of a second moment behind the identity, and behind a ReLU of a symmetric input (He et al. 2015, 2.2)."""

_NEAR = math.log(1.25)

_NEARLY_ALL = 0.8
"""Of what the second half does, when one block is named for it."""

_FACTORS = ("weight", "kernel", "scale", "gamma")
_ADDED = ("bias", "beta")
"""What a layer multiplies by and what it adds, as the frameworks name it."""

_NORMED = 2.0
"""What has passed a norm is smaller."""


def cause_of_growth(facts: Facts, chain: ChainSignal, direction: str, growth: float) -> tuple[str | None, str | None]:
    """The likely cause of a growth beyond the band, and its fix; None where no arithmetic gives one.

    A block of one matrix multiplies the second moment by its fan times the variance of its weights, halved by a ReLU
    (He et al. 2015, equations 7 and 14); what is left of the growth is what stands between the matrices (a sine of 30
    times its input). A block that adds to a stream multiplies it by 1 + c, whatever c; what writes to it divided by
    sqrt(L) makes that at most exp(c) through all L blocks (Zhang et al. 2019, section 2). Batch norms before ReLUs
    multiply a gradient whatever the weights (``ChainSignal.unexplained``). Of other blocks it is said what each does,
    and of any which one does it alone.

    Args:
        facts: the builds of the model.
        chain: its blocks, as the first model was heard.
        direction: ``forward`` or ``backward``.
        growth: the median over models, over the second half of the blocks, as ``ChainSignal.unexplained`` has it.
    """
    judged = chain.unexplained(direction)
    growth *= (chain.growth(direction) or 1.0) / judged if judged else 1.0  # with what the stream's own growth explains
    if not 0 < growth < math.inf:
        return None, None
    rate = growth ** (1 / len(chain.second_half))
    alone = _alone(chain, direction)
    if alone is not None:
        return f"{alone} alone does nearly all of it", None
    writers = facts.first.looks["signal"].writers.get(chain.blocks)
    if writers and rate > 1:
        depth = len(chain.blocks)
        return (
            f"every block adds to the stream and multiplies it by {rate:.3g}, {depth} blocks of them",
            f"divide the weights of {listed(writers)} by sqrt({depth}), so that all blocks together add what one does",
        )
    normed = NORM_GAIN ** (chain.norms / len(chain.second_half))
    if direction == "backward" and chain.norms and abs(math.log(rate / normed)) < _NEAR:
        return (
            f"every block multiplies it by {rate:.3g}: a batch norm before a ReLU does by pi/(pi - 1) = 1.47, whatever"
            f" the weights, and {chain.norms} of them follow the block in the middle",
            "no initialization changes that; connections that skip the blocks do",
        )
    matrices = [_matrix(facts, block) for block in chain.second_half]
    found = [m for m in matrices if m is not None]
    fans = {m.fans[direction != "forward"] for m in found}
    variance = math.fsum(m.second_moment for m in found) / max(len(found), 1)
    if len(found) < len(matrices) or len(fans) > 1 or not variance > 0:
        return f"every block multiplies it by {rate:.3g}, {len(chain.blocks)} blocks of them", None
    fan, word = fans.pop(), "fan_in" if direction == "forward" else "fan_out"
    added = [_bias_beside(facts, m) for m in found] if direction == "forward" else []
    passed = (_without_biases(chain, added) or rate) / (fan * variance)
    gain, through = next(
        ((g, text) for g, text in _GAINS if abs(math.log(passed / g)) < _NEAR),
        (passed, f", times {passed:.3g} by what stands between the matrices"),
    )
    std, needed = math.sqrt(variance), math.sqrt(1 / (gain * fan))
    formula, again = f"sqrt({1 / gain:.0f}/{word}) = ", ""
    if gain not in dict(_GAINS):
        formula, again = "", " and measure again: what stands between goes with it"
    named = listed(list(dict.fromkeys(facts.role_of(m.name) for m in found)))
    return (
        f"every block multiplies it by {rate:.3g}: {fan} inputs times the variance of its weights,"
        f" {std:.3g}^2{through}{', and its bias adds to that' if any(added) else ''}",
        f"give {named} the standard deviation {formula}{needed:.3g}{again}",
    )


def _bias_beside(facts: Facts, matrix: TensorRecord) -> float:
    """The second moment of the bias of a matrix's layer; 0 where it has none."""
    bias = facts.first.records.get(f"{matrix.name.rpartition('.')[0]}.bias")
    return bias.second_moment if bias is not None else 0.0


def _without_biases(chain: ChainSignal, added: Sequence[float]) -> float | None:
    """What a block of the second half multiplies a second moment by, less what its bias adds; None without one."""
    if not any(added):
        return None
    first = len(chain.forward) - len(added)
    pairs = list(zip(chain.forward[first - 1 :], chain.forward[first:], added, strict=False))
    factors = [(made - bias) / given for given, made, bias in pairs if given > 0 and made > bias]
    return math.exp(math.fsum(map(math.log, factors)) / len(factors)) if factors else None


def _alone(chain: ChainSignal, direction: str) -> str | None:
    """The block that does nearly all that the second half does."""
    values = chain.forward if direction == "forward" else chain.backward
    first = len(values) // 2
    if not values or not all(0 < v < math.inf for v in values[first - 1 :]):
        return None
    steps = [abs(math.log(values[i] / values[i - 1])) for i in range(first, len(values))]
    return chain.blocks[first + steps.index(max(steps))] if max(steps) > _NEARLY_ALL * math.fsum(steps) else None


def _matrix(facts: Facts, block: str) -> TensorRecord | None:
    """The one parameter of a block that is no vector."""
    found = [
        r
        for name, r in facts.first.records.items()
        if r.parameter and len(r.shape) > 1 and f"{name}.".startswith(f"{block}.")
    ]
    return found[0] if len(found) == 1 else None


def cause_of_loss(facts: Facts) -> tuple[str | None, str | None]:
    """The likely cause of a first loss above chance, and its fix; None where no one matrix is the head.

    Logits of variance v lie above chance by v/2 (the logarithm of the mean of exp for normal entries), and are sums
    of as many inputs as the head has, each times one of its weights. Given logits of size 1, half of what is allowed
    above chance is used. A head that is the table of tokens also gives a token the logit of its own row.
    """
    signal: Signal = facts.first.looks["signal"]
    also = {first: further for further, first in facts.first.tied.items()}
    found = [r for r in facts.first.records.values() if _reads_out(r, signal.classes)]
    called = [r for r in found if any(_is_head(n) for n in (r.name, also.get(r.name, "")))]
    heads = called or found
    if len(heads) != 1 or not signal.logits or not signal.classes or not heads[0].std:
        return None, None
    (head,) = heads
    bias = facts.first.records.get(f"{head.name.rpartition('.')[0]}.bias")
    if bias is not None and 2 * bias.std**2 > signal.logits**2:
        return (
            f"logits of size {signal.logits:.3g}: most of it is {bias.name}, std {bias.std:.3g}",
            f"start {bias.name} at 0",
        )
    inputs = head.count // signal.classes
    given = signal.logits / (head.std * math.sqrt(inputs))
    tied, std = "", head.std / signal.logits
    if head.name in also:
        # What the stream keeps of a token, along its own row: at most ln(classes), and its exp is that of all others.
        tied = f" (also {also[head.name]}, so that a token answers with itself)"
        std = min(std, math.log(signal.classes) / (given * inputs))
    return (
        f"logits of size {signal.logits:.3g}: {inputs} inputs of size {given:.3g} times the weights of"
        f" {head.name}{tied}, std {head.std:.3g}",
        f"give {head.name} the standard deviation {std:.2g}" + (", or what it reads a norm" if given > _NORMED else ""),
    )


def _reads_out(record: TensorRecord, classes: int | None) -> bool:
    """Whether it is a matrix with a row or column for each class."""
    return record.parameter and len(record.shape) == 2 and classes in record.shape


def _is_head(name: str) -> bool:
    return HEAD.search(name.rpartition(".")[0]) is not None


def cause_of_one_output(facts: Facts, reach: InputReach) -> tuple[str, str | None, str | None]:
    """Where the difference of two inputs is lost, the likely cause, and its fix; None where nothing tells.

    Args:
        facts: the builds of the model.
        reach: what the first one did with two inputs, whose outputs are the same.
    """
    if reach.lost_behind is not None:
        return (
            f"; lost behind {reach.lost_behind}",
            "nothing that it makes is above zero, where a ReLU, or what is flat too, makes one value of all",
            "start its bias, and the mean of its weights, at 0, so that half of what it makes is above",
        )
    if reach.fades:
        return (
            "",
            "the difference fades from layer to layer, until rounding swallows it",
            "draw wider, so that every layer keeps the size of what it is given (sqrt(2/fan_in) before a ReLU)",
        )
    if reach.stuck:
        first = facts.first.records.get(reach.stuck[0])
        at = f" ({place(first.law.site)})" if first is not None and first.law.site is not None else ""
        return (
            "",
            f"{listed(reach.stuck)} start near zero{at}, and what is made of one meets the zero of another, so that no"
            " gradient comes back to them",
            f"draw {reach.stuck[0]} at random, or what it meets",
        )
    if reach.lost_in is None:
        return "", None, None
    weight = _zero_of(facts, reach.lost_in)
    if weight is None:
        return f"; lost in {reach.lost_in}", None, None
    where = place(weight.law.site)
    start = "1, as a scale" if len(weight.shape) < 2 else "draws that differ"
    return (
        f"; lost in {reach.lost_in}",
        f"{weight.name} is 0 ({where}): nothing of what the layer is given is in what it makes",
        f"start {facts.role_of(weight.name)} at {start}",
    )


def _zero_of(facts: Facts, layer: str) -> TensorRecord | None:
    """The parameter of a layer that is zero, where it is what the input is multiplied by."""
    zeros = {
        name.rpartition(".")[2]: r
        for name, r in facts.first.records.items()
        if r.parameter and name.rpartition(".")[0] == layer and r.low == r.high == 0
    }
    known = [zeros[name] for name in _FACTORS if name in zeros]
    others = [r for name, r in zeros.items() if name not in _ADDED]
    return next(iter(known or others), None)
