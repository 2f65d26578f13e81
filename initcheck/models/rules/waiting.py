"""What is to be trained and gets no gradient: layers that are shut, parameters that are cut off or never used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import folded
from initcheck.models.signals.signal import Untrained
from initcheck.wording import listed


def without_gradient(facts: Facts, found: Untrained, level: float) -> Iterator[RuleFinding]:
    """Layers that are shut fail where chance does not shut them; of the rest a batch does not tell whether it is meant.

    Null: the weights and the bias of a unit have a law that is symmetric about zero, so that the unit is nowhere above
    zero with probability 1/2 at most, and units are independent. All u units of one of n layers with probability
    n 2^-u at most. That it is the sign which shuts a layer was seen: with the opposite one a gradient comes.
    """
    layers = sum(len(r.shape) > 1 for r in facts.first.records.values())
    shut = {n: units for n, units in found.shut.items() if layers * 2.0**-units <= level}
    said = "nothing that it makes is above zero, and no gradient comes back to it"
    for name in _one_a_role(facts, shut):
        yield RuleFinding(
            "fails",
            folded([(n or "the model", name, said) for n in shut if _layer_role(facts, n) == name])[0],
            likely="a ReLU, or what is flat below zero too, stands behind it, and nothing opens that",
            fix=_opening(facts, next(n for n in shut if _layer_role(facts, n) == name)),
        )
    small = [n for n in found.shut if n not in shut]
    if small:
        yield RuleFinding(
            "doubt",
            f"{listed([n or 'the model' for n in small])}: {said}; of so few units chance may have closed all, or"
            " another batch opens them",
        )
    if found.flat:
        shown = listed(_roles(facts, found.flat))
        if found.shut:
            yield RuleFinding("note", f"no gradient comes through it to {shown}")
        else:
            lost = (
                f"; {listed(found.levels)} makes one thing of all that it is given, as a norm over one entry does"
                if found.levels
                else ""
            )
            said = f"{shown}: the gradient is zero, though it has a part in what the model returns"
            yield RuleFinding("doubt", said + lost)
    if found.cut:
        yield RuleFinding(
            "doubt",
            f"{listed(_roles(facts, found.cut))}: no gradient leads there from what the model returns, though the layer"
            " ran: an argmin, a rounding, a detach or no_grad stands behind it, or nothing uses what it makes",
        )
    if found.outside:
        where = found.outside[0].partition(".")[0]
        yield RuleFinding(
            "doubt",
            f"{listed(found.outside)}: trainable, and no parameter of the model: model.parameters() and state_dict()"
            f" leave it out; keep {where} in a ModuleList, ModuleDict or ParameterList, and a Parameter as it is"
            " (.to() or a factor makes a tensor of it)",
        )
    if found.frozen and not found.outside:
        yield RuleFinding(
            "doubt", "no parameter is trainable: requires_grad is False everywhere, in the last layer too"
        )
    yield from _chosen(facts, found)
    if found.unused:
        yield RuleFinding("doubt", f"{listed(_roles(facts, found.unused))}: trainable, and never run with this batch")


def _chosen(facts: Facts, found: Untrained) -> Iterator[RuleFinding]:
    """Constant routers, those of one role in one sentence."""
    alike = {facts.role_of(choice.router): choice for choice in reversed(found.chosen)}
    for role, choice in reversed(alike.items()):
        yield RuleFinding(
            "doubt",
            f"{role} is constant, and the whole batch goes to {len(choice.used)} of {choice.experts} experts"
            f" ({listed(list(choice.used))}): the others get no gradient until it has moved; draw it at random, or have"
            " noise in what it says while it is trained",
        )


def _opening(facts: Facts, layer: str) -> str:
    """What opens a layer: its bias where that is a negative number, else the mean of what it makes."""
    inside = f"{layer}." if layer else ""
    bias = facts.first.records.get(f"{inside}bias")
    if bias is not None and bias.constant and bias.low < 0:
        return f"start {facts.role_of(bias.name)} at 0 or above, not at {bias.low:g}"
    return "start its bias, and the mean of its weights, at 0, so that half of what it makes is above"


def _layer_role(facts: Facts, layer: str) -> str:
    names = [n for n in facts.layout.places if n.rpartition(".")[0] == layer]
    return facts.role_of(names[0]).rpartition(".")[0] if names else layer


def _one_a_role(facts: Facts, layers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_layer_role(facts, n) for n in layers))


def _roles(facts: Facts, names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(facts.role_of, names)))
