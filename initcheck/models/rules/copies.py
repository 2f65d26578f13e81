"""Random tensors, units and draws that are copies of one another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.sums import Twins
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import folded, place
from initcheck.models.provenance.steps import Draw
from initcheck.models.signals.signal import Signal
from initcheck.wording import listed

_EACH_ON_ITS_OWN = "draw each on its own, with no deepcopy or load_state_dict of another and no seed set between them"


def equal_tensors(random: Mapping[str, TensorRecord]) -> Iterator[RuleFinding]:
    """Tensors of the same bytes, and untied matrices whose first 64 entries are ordered alike (scaled copies)."""
    for same in grouped((r.digest, r) for r in random.values()).values():
        if len(same) > 1:
            yield _copy(same, "are equal bit for bit")
    for alike in grouped((r.order, r) for r in random.values() if r.order is not None).values():
        if len({r.digest for r in alike}) > 1:
            yield _copy(alike, "are copies up to scale and shift (their first entries are ordered alike)")


def equal_units(random: Mapping[str, TensorRecord], signal: Signal) -> Iterator[RuleFinding]:
    """Equal, non-zero rows or columns of one tensor: copies for ever where their gradients are equal too.

    ICNR, an inflated first convolution or repeated key heads copy on purpose, and the first step tells them apart.
    The rows of an embedding are told apart by the tokens. A matrix of one row throughout is a doubt all the same; so
    are a few experts of a stack that are equal where the others are not: upcycled ones are equal throughout.
    """
    for name, record in random.items():
        if record.twins is None:
            continue
        said = f"{name}: {record.twins.text}"
        kind = signal.twins.get(name)
        # One row in all of a table, of tokens or of places, is no pattern of copies.
        whole = [n for n in record.shape if n > 1]
        one_in_all = len(whole) == 2 and record.twins.group == whole[record.twins.axis]
        if one_in_all and kind != "equal" and record.parameter and record.trainable:
            rows = ("rows", "columns")[record.twins.axis]
            yield RuleFinding("doubt", f"{name}: all {record.twins.copies} {rows} are one, which was drawn once")
        elif record.owner == "Embedding" and record.twins.axis == 0:
            yield RuleFinding("note", said)
        elif kind == "equal":
            yield RuleFinding("fails", f"{said}, and so are their gradients", fix="draw every unit on its own")
        elif kind == "differ" and _some_of_a_stack(record, record.twins):
            i, j = record.twins.pairs[0]
            yield RuleFinding(
                "doubt",
                f"{name}: {record.twins.copies} of its {record.shape[0]} matrices are equal, such as {i} and {j}, and"
                " the others are not; their gradients differ, by what each is given: draw each on its own, unless they"
                " are meant to start so",
            )
        elif kind == "differ":
            yield RuleFinding("note", f"{said}; their gradients differ")
        elif not (record.parameter and record.trainable):
            yield RuleFinding("note", f"{said}; nothing trains them")
        else:
            why = signal.problem or "no gradient reaches them"
            yield RuleFinding("doubt", f"{said}, and whether training tells them apart is not known ({why})")


def _some_of_a_stack(record: TensorRecord, twins: Twins) -> bool:
    """Whether one group of matrices in a stack are copies, and the rest of the stack are none."""
    stack = len(record.shape) == 3 and not record.owner.startswith(("Conv", "Embed"))
    return stack and twins.axis == 0 and twins.group == twins.copies < record.shape[0]


def shared_layers(facts: Facts) -> Iterator[str]:
    """Layers under several names: in a list that holds no other, by a default argument, or given one input twice.

    One layer in place of several is a design (ALBERT) or ``[layer] * n``, and the numbers are the same.
    """
    shared = facts.layout.shared
    repeated = facts.first.looks["signal"].repeated
    for names, default in shared.items():
        if default:
            said = f"one layer under {len(names)} names: the default of {default} was made once, when the class was"
        elif names in repeated:
            continue
        else:
            said = (
                f"one layer under {len(names)} names, and no other stands beside it: [layer] * n makes one, not n"
                " (where it is meant, one name is enough)"
            )
        yield f"{listed(list(names))}: {said}"
    yield from folded(
        [
            (
                listed(n),
                re.sub(r"\.\d+", ".*", n[0]),
                f"one layer under {len(n)} names, given one input more than once: it makes one output ([layer] * n?)",
            )
            for n in repeated
        ]
    )


def repeated_draws(random: Mapping[str, TensorRecord]) -> Iterator[RuleFinding]:
    """Different draws that began at one state of a generator: one seed used twice."""
    by_state: dict[bytes, dict[int, tuple[Draw, str]]] = defaultdict(dict)
    for record in random.values():
        for draw in record.draws:
            if draw.entries:
                by_state[draw.state].setdefault(draw.number, (draw, record.name))
    for draws in by_state.values():
        if len(draws) > 1:
            names = list(dict.fromkeys(name for _, name in draws.values()))
            (one, _), (two, _) = list(draws.values())[:2]
            yield RuleFinding(
                "fails",
                f"{listed(names)}: {len(draws)} draws began at one state of the generator"
                f" ({_between(place(one.site), place(two.site))})",
                fix="set the seed once, before the first draw",
            )


def _copy(same: list[TensorRecord], what: str) -> RuleFinding:
    trained = [r for r in same if r.parameter and r.trainable]
    # One is trained, and a target or two of it, which it moves on from; or a module keeps what it began with.
    frozen = len(trained) == 1 or _kept_by_one_module(same)
    same = trained if len(trained) > 1 else same
    names = [r.name for r in same]
    blamed = len(same[0].shape) > 1 and not frozen
    if blamed and len({r.memory for r in same}) == 1:
        return RuleFinding(
            "fails",
            f"{listed(names)} are parameters of their own in one memory: it is moved by the gradient of each, and .to()"
            " parts them",
            fix=f"assign the parameter itself: {names[1]} = {names[0]}",
        )
    sites = _sites(same)
    said = f"{listed(names)} {what}" + (f" ({sites})" if sites else "")
    return RuleFinding("fails", said, fix=_EACH_ON_ITS_OWN) if blamed else RuleFinding("note", said)


def _kept_by_one_module(same: Iterable[TensorRecord]) -> bool:
    """Whether all are buffers of one module: a running mean, such as of a codebook, that starts where its values do."""
    return len({r.name.rpartition(".")[0] for r in same}) == 1 and not any(r.parameter for r in same)


def _sites(same: Iterable[TensorRecord]) -> str:
    sites = list(dict.fromkeys(place(r.law.site) for r in same if r.law.site is not None))
    return " and ".join(sites[:2])


def _between(one: str, two: str) -> str:
    return one if one == two else f"{one} and {two}"
