"""Why a signal grows or fades from block to block: what a block of one matrix multiplies, what a residual one adds."""

from __future__ import annotations

import math

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.signals.signal import NORM_GAIN, ChainSignal
from initcheck.wording import listed

_GAINS = ((1.0, ""), (0.5, ", half of it through the activation"))
"""What is left of a second moment behind the identity, and behind a ReLU of a symmetric input (He et al. 2015, 2.2)."""

_NEAR = math.log(1.25)

_NEARLY_ALL = 0.8
"""Of what the second half does, when one block is named for it."""


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
    passed = rate / (fan * variance)
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
        f" {std:.3g}^2{through}",
        f"give {named} the standard deviation {formula}{needed:.3g}{again}",
    )


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
        if r.parameter and len(r.shape) > 1 and name.startswith(f"{block}.")
    ]
    return found[0] if len(found) == 1 else None
