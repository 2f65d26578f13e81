"""Why a first loss lies above chance: how large the logits are, and what makes them so."""

from __future__ import annotations

import math

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.signals.signal import HEAD, Signal

_NORMED = 2.0
"""What has passed a norm is smaller."""


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
