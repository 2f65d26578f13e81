"""Initializations that are lost: a special value that a general one overwrites, a write that reaches no parameter."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from initcheck.models.builds.record import Lost, TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import folded, place
from initcheck.models.provenance.steps import Site, in_library
from initcheck.wording import listed

_FOR_LATER = re.compile(r"^_?re_?init|hidden|states?$|memory|cache|carry")
"""Names of methods that initialise and are no start of the weights."""

_ASTRAY = {
    "copied": "copies (clone, contiguous, to)",
    "computed": "computed anew from others (a norm's weight_g and weight_v, a parametrization)",
    "new": "new ones, of the shape of the weight that the function was given (assign what it returns, or copy it back)",
}


@dataclass(frozen=True)
class Written:
    """Who wrote the tensors of one role last, and what was there before.

    Attributes:
        role: path with the numbers of blocks starred; tensors: how many there are.
        by: file and line of the last writer; default: it is the default of the layer's class.
        law: what it wrote.
        over: what it overwrote, each with its line.
    """

    role: str
    tensors: int
    by: str
    default: bool
    law: str
    over: tuple[str, ...]


def written_by(facts: Facts) -> Iterator[Written]:
    """The table of writers, a line a role: what ``--writes`` shows."""
    for role in facts.roles:
        # What no traced operation wrote (NumPy, a file) has no line to show.
        for site in dict.fromkeys(r.law.site for r in role.members if r.law.site is not None):
            members = [r for r in role.members if r.law.site == site]
            one = members[0]
            over = tuple(dict.fromkeys(f"{lost.law.text} at {_by(lost)}" for r in members for lost in r.lost))
            yield Written(role.path, len(members), place(site), one.default, one.law.text, over)


def lost_writes(facts: Facts) -> Iterator[RuleFinding]:
    """What was written on purpose and is gone.

    Fails where the author's own marker says that the parameter is initialised, or where a value that
    ``load_state_dict`` read was drawn over. A special value under a general one is a doubt: recipes overwrite the
    general by the special on purpose, and the other way round only by mistake. A line is general when it writes
    more roles than the one whose value it overwrites.
    """
    reached, anew = _roles_of_sites(facts.roles), _initialised_anew(facts)
    for role in facts.roles:
        by_lines: dict[tuple[str, Site | None, Site | None], list[tuple[TensorRecord, Lost]]] = defaultdict(list)
        for record in role.members:
            for lost in record.lost:
                kind = _kind(record, lost, reached)
                if kind == "special" and not lost.building and lost.over in anew:
                    kind = None
                if kind is not None:
                    by_lines[kind, lost.site, lost.over].append((record, lost))
        for (kind, site, over), found in by_lines.items():
            record, lost = found[0]
            names = role.path if len(found) == len(role.members) else listed([r.name for r, _ in found], 2)
            what = "what was read from a file" if kind == "loaded" else lost.law.text
            what += " in a part of it" if lost.part and kind != "loaded" else ""
            why = ", marked as initialised by its author," if kind == "marked" else ""
            said = (
                f"{names}: {what} at {place(site)}{why} is lost, {record.law.text} at {place(over)}"
                f" ({len(found)} of {len(role.members)})"
            )
            yield RuleFinding("doubt" if kind == "special" else "fails", said)
    yield from _drawn_scales(facts)
    for (site, how), shapes in facts.first.astray.items():
        if not in_library(site[0]):
            shown = "x".join(map(str, shapes[0]))
            yield RuleFinding(
                "doubt",
                f"what {place(site)} writes reaches no parameter: {len(shapes)} tensors such as {shown} are"
                f" {_ASTRAY[how]}, and those values are lost",
            )


def _drawn_scales(facts: Facts) -> Iterator[RuleFinding]:
    """Scales of norms that were ones, and are drawn around zero: half of the signs turn, and most of a signal goes.

    A norm that adds one to its scale starts it at zeros, and is none of these; nor is a draw around one.
    """
    said = []
    for name, record in facts.first.records.items():
        ones = next((lost for lost in record.lost if _is_ones(lost)), None)
        law, norm = record.law, "norm" in record.owner.lower() and len(record.shape) == 1
        if norm and ones is not None and law.std and law.mean is not None and abs(law.mean) < law.std:
            sentence = f"the ones that a norm starts from are lost, {law.text} at {place(law.site)}"
            said.append((name, facts.role_of(name), sentence))
    for sentence in folded(said):
        yield RuleFinding(
            "fails",
            sentence,
            likely="the init function draws whatever has a weight, or every parameter, norms too",
            fix="leave norms out: draw p only where p.dim() > 1, or start the scale at 1 (DCGAN draws it around 1)",
        )


def _is_ones(lost: Lost) -> bool:
    return lost.law.family == "constant" and lost.law.mean == 1.0 and not lost.part


def never_called(facts: Facts) -> Iterator[RuleFinding]:
    """Methods of the user's own classes that initialise, and which no build called: a doubt where nothing else did.

    Not what is for later: a state that is made for every sequence, a head that is put in anew, and what another method
    calls that did not run either, forward with its first batch or a constructor that was told not to.
    """
    looks = facts.plain.looks if facts.plain is not None else {}
    drawn = [r for r in facts.random.values() if r.parameter and r.matrix is not None]
    uncalled = looks.get("uncalled", {})
    for code, name in uncalled.items():
        said = f"{name} at {place((code.co_filename, code.co_firstlineno))} holds init statements and was never called"
        later = _FOR_LATER.search(code.co_name) or code.co_name in looks.get("named", ())
        if drawn and all(r.default for r in drawn) and not later:
            yield RuleFinding("doubt", f"{said}: every matrix keeps the default of its layer; call it in the factory")
        else:
            yield RuleFinding("note", said)


def undone_ties(facts: Facts) -> Iterator[RuleFinding]:
    """Parameters that two modules shared while the model was built, and do not at its end."""
    for name, other in facts.plain.looks.get("untied", ()) if facts.plain is not None else ():
        yield RuleFinding(
            "doubt",
            f"{name} was tied to {other} while the model was built, and is a tensor of its own at the end: what gave it"
            f" one (a new Parameter, to_empty) undid the tie; assign {name} = {other} behind that, if it is meant",
        )


def _kind(record: TensorRecord, lost: Lost, reached: Counter[Site]) -> str | None:
    if lost.law.signature == record.law.signature or lost.site == lost.over:
        return None
    if record.loaded:
        return None  # a file was read over whatever the start had been
    if lost.loaded:
        return "loaded" if lost.law.family == "untraced" else None
    if lost.marked and not lost.default:
        return "marked"
    if lost.default or lost.made or lost.site is None or lost.over is None:
        return None
    if lost.law.family == "constant" and _is_plain(record, lost):
        return "special" if _is_put_to_zero(record, lost) and reached[lost.site] < reached[lost.over] else None
    if in_library(lost.site[0]) and in_library(lost.over[0]):
        return None  # both are a library's: its recipe
    return "special" if reached[lost.site] <= reached[lost.over] else None


def _is_plain(record: TensorRecord, lost: Lost) -> bool:
    """Whether a constant is none that anybody means: zeros and ones, or in a part zeros, or what stands there again.

    Ones in one gate of a bias are: Jozefowicz et al. 2015 start the gate that forgets with them.
    """
    again = any(p.law.signature == lost.law.signature for p in record.later)
    return lost.law.mean == 0.0 or again if lost.part else lost.law.mean in (0.0, 1.0)


def _is_put_to_zero(record: TensorRecord, lost: Lost) -> bool:
    """Whether the user's line put a matrix to zero that had been drawn, before it was drawn again.

    The last layer of a branch, a gate or a flow starts at zero on purpose; zeros that a tensor is made with are none.
    """
    before = record.lost[: next(i for i, one in enumerate(record.lost) if one is lost)]
    drawn = any(one.law.family != "constant" and not one.part for one in before)
    matrix = record.matrix is not None and not lost.part
    return matrix and lost.law.mean == 0.0 and drawn and not record.constant and not in_library(lost.site[0])  # type: ignore[index]


def _roles_of_sites(roles: list[Role]) -> Counter[Site]:
    """How many roles each line writes."""
    found: Counter[Site] = Counter()
    for role in roles:
        sites = {r.law.site for r in role.members} | {
            s for r in role.members for lost in r.lost for s in (lost.site, lost.over)
        }
        found.update(s for s in sites if s is not None)
    return found


def _initialised_anew(facts: Facts) -> set[Site]:
    """The line by which a factory initialises the built model anew, every random matrix of it: that is on purpose."""
    sites = {r.law.site for n, r in facts.random.items() if r.parameter and r.matrix is not None}
    return {site for site in sites if site is not None} if len(sites) == 1 else set()


def _by(lost: Lost) -> str:
    return f"{place(lost.site)} (default)" if lost.default else place(lost.site)
