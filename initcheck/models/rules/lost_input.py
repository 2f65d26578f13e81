"""Where two inputs become one output, and what makes them one there."""

from __future__ import annotations

from initcheck.models.factory.facts import Facts
from initcheck.models.factory.wording import place
from initcheck.models.signals.signal import InputReach


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
    if reach.lost_in is None:
        return "", None, None
    inside = f"{reach.lost_in}." if reach.lost_in else ""
    weight = facts.first.records.get(f"{inside}weight") or facts.first.records.get(f"{inside}kernel")
    weight = weight or facts.first.records.get(f"{inside}scale")
    if weight is None or not (weight.low == weight.high == 0):
        return f"; lost in {reach.lost_in}", None, None
    where = place(weight.law.site)
    start = "1, as a scale" if len(weight.shape) < 2 else "draws that differ"
    return (
        f"; lost in {reach.lost_in}",
        f"{weight.name} is 0 ({where}): nothing of what the layer is given is in what it makes",
        f"start {facts.role_of(weight.name)} at {start}",
    )
