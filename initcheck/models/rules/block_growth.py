"""Why a signal grows or fades from block to block: what a block of one matrix multiplies, what a residual one adds."""

from __future__ import annotations

import math

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.wording import listed
from initcheck.models.signals.signal import NORM_GAIN, ChainSignal

__all__ = ["cause_of_growth"]

_GAINS = ((1.0, ""), (0.5, ", half of it through the activation"))
"""What is left of a second moment behind the identity, and behind a ReLU of a symmetric input (He et al. 2015, 2.2)."""

_NEAR = math.log(1.25)


def cause_of_growth(facts: Facts, chain: ChainSignal, direction: str, growth: float) -> tuple[str | None, str | None]:
    """The likely cause of a growth beyond the band, and its fix; (None, None) where neither arithmetic gives it.

    A block of one matrix multiplies the second moment by its fan times the variance of its weights, halved by a ReLU
    (He et al. 2015, equations 7 and 14). That is the cause where it gives the growth a block that was measured. A
    block that adds to a stream multiplies it by 1 + c, whatever c; what writes to it divided by sqrt(L) makes that
    at most exp(c) through all L blocks (Zhang et al. 2019, section 2). Batch norms before ReLUs multiply a gradient
    whatever the weights (``ChainSignal.unexplained``).

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
    writers = facts.first.looks["signal"].writers.get(chain.blocks)
    if writers:
        if rate <= 1:
            return None, None
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
    if any(m is None for m in matrices):
        return None, None
    found = [m for m in matrices if m is not None]
    fans = {m.fans[direction != "forward"] for m in found}
    variance = math.fsum(m.second_moment for m in found) / len(found)
    if len(fans) > 1:
        return None, None
    fan, word = fans.pop(), "fan_in" if direction == "forward" else "fan_out"
    for gain, through in _GAINS:
        if variance > 0 and abs(math.log(rate / (fan * variance * gain))) < _NEAR:
            std, needed = math.sqrt(variance), math.sqrt(1 / (gain * fan))
            named = listed(list(dict.fromkeys(facts.role_of(m.name) for m in found)))
            return (
                f"every block multiplies it by {rate:.3g}: {fan} inputs times the variance of its weights,"
                f" {std:.3g}^2{through}",
                f"give {named} the standard deviation sqrt({1 / gain:.0f}/{word}) = {needed:.3g}",
            )
    return None, None


def _matrix(facts: Facts, block: str) -> TensorRecord | None:
    """The one parameter of a block that is no vector."""
    found = [
        r
        for name, r in facts.first.records.items()
        if r.parameter and len(r.shape) > 1 and name.startswith(f"{block}.")
    ]
    return found[0] if len(found) == 1 else None
