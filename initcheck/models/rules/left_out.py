"""Matrices that an initialization leaves out, though it draws all others of their kind."""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Iterator, Sequence

from initcheck.grouping import grouped
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.source import code_of
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.factory.wording import place
from initcheck.models.provenance.steps import Site, in_library
from initcheck.wording import listed

_MODULES = frozenset(("modules", "named_modules"))
_CHILDREN = frozenset(("children", "named_children", "_modules"))


def left_at_default(trial: ModelTrial) -> None:
    """Matrices that keep the default of their layer where the model's own line draws those of the same kind.

    A class derived from one whose matrices are all drawn, as ``type(m) is Linear`` leaves it out; and the matrix that
    a layer of several holds itself where one of the layer inside is drawn, as ``isinstance(m, Linear)`` leaves the
    ``in_proj_weight`` of ``MultiheadAttention``. And matrices of a class that is drawn twice elsewhere by one line, as
    where ``encoder.apply(init)`` stands twice, for encoder and decoder. And what stands deeper than a loop over
    ``children()`` goes. And the few of a class that one line draws wherever it meets it: a head that was replaced
    behind it, a lazy layer that was none yet. And the last layer behind a loop over a part of the model that draws all
    others of its class. A doubt, for it may be meant; a declared law decides.
    """
    undeclared = [r for r in trial.facts.roles if not any(law.matches(r.members[0].name) for law in trial.laws)]
    for kind in (_derived, _half, _twice, _deeper, _one_of_all, _last_of_a_part):
        for said in kind(trial.facts, undeclared):
            trial.doubts_that(f"{said}; a declared law decides")


def _derived(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    for owner, members in _left_by_class(facts, roles).items():
        base = next(iter(facts.layout.bases.get(owner, ())), None)
        if base is None:
            continue
        alike = [r for r in facts.roles if len(r.shape) > 1 and r.members[0].owner == base]
        drawn = [r for r in alike if _is_drawn(facts, r.members[0])]
        if len(drawn) >= 2 and len(drawn) == len(alike):
            one, other = members[0].members[0], drawn[0].members[0]
            yield (
                f"{_paths(members)}: {one.law.text}, the default of torch, while every other {base}"
                f" is drawn ({drawn[0].path}: {other.law.text}, {place(other.law.site)}); {owner} is a {base} too, and"
                " what draws them leaves it out"
            )


def _half(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    drawn = [r for r in facts.roles if len(r.shape) > 1 and _is_drawn(facts, r.members[0])]
    for role in roles:
        record = role.members[0]
        holder = record.name.rpartition(".")[0]
        if len(role.shape) < 2 or not _is_default(facts, record) or record.owner not in facts.layout.holders:
            continue
        inside = [r for r in drawn if r.members[0].name.startswith(f"{holder}." if holder else "")]
        if inside and not (_is_xavier(record) and _is_xavier(inside[0].members[0])):
            other = inside[0].members[0]
            yield (
                f"{role.path}: {record.law.text}, the default of {record.owner}, while {inside[0].path} beside it is"
                f" drawn ({other.law.text}, {place(other.law.site)}): it is a parameter of {record.owner} itself and no"
                f" {other.name.rpartition('.')[2]} of a layer inside"
            )


def _left_by_class(facts: Facts, roles: Sequence[Role]) -> dict[str, list[Role]]:
    """The roles of matrices that keep their default, by the class of their layer."""
    firsts = ((role.members[0], role) for role in roles if len(role.shape) > 1)
    return grouped((record.owner, role) for record, role in firsts if _is_default(facts, record))


def _drawn_at(facts: Facts) -> Iterator[tuple[Site, TensorRecord]]:
    """The matrices that a line of the user's own draws, each with that line."""
    for record in (record for role in facts.roles if len(role.shape) > 1 for record in role.members):
        if record.law.site is not None and _is_drawn(facts, record):
            yield record.law.site, record


def _paths(roles: Sequence[Role]) -> str:
    """The paths of some roles; those of two shapes may be one."""
    return listed(list(dict.fromkeys(r.path for r in roles)))


def _is_xavier(record: TensorRecord) -> bool:
    """Whether its law is that of Glorot & Bengio for its sides: ``MultiheadAttention`` draws its own so."""
    std = math.sqrt(2 / sum(record.fans))
    return any(math.isclose(one, std, rel_tol=1e-4) for one in record.law.stds)


def _twice(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    for owner, members in _left_by_class(facts, roles).items():
        again = [
            r for r in facts.roles if len(r.shape) > 1 and r.members[0].owner == owner and _is_drawn_twice(facts, r)
        ]
        if again:
            one = again[0].members[0]
            yield (
                f"{_paths(members)}: {members[0].members[0].law.text}, the default of torch, while"
                f" {_paths(again)} of the same class {'is' if len(again) == 1 else 'are'} drawn twice"
                f" over by {place(one.law.site)}: one of the two calls may have been meant for the others"
            )


def _deeper(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    for site, records in grouped(_drawn_at(facts)).items():
        holders = {_holder(_holder(r.name)) for r in records}
        if len(holders) != 1:
            continue
        holder, kinds = holders.pop(), {r.owner for r in records}
        left = [
            r.path for r in roles
            if len(r.shape) > 1 and r.members[0].owner in kinds and _is_default(facts, r.members[0])
            and _is_below(_holder(_holder(r.members[0].name)), holder)
        ]  # fmt: skip
        if left and _loops_over_children(site):
            yield (
                f"{listed(left)}: the default of torch, while {listed([r.name for r in records])} of the same class"
                f" {'is' if len(records) == 1 else 'are'} drawn at {place(site)} in a loop over children, which goes no"
                " deeper; modules() does"
            )


def _one_of_all(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    drawn = grouped(((site, record.owner), record) for site, record in _drawn_at(facts))
    for (site, owner), records in drawn.items():
        alike = [r for role in facts.roles for r in role.members if len(role.shape) > 1 and r.owner == owner]
        left = [r for r in alike if _is_default(facts, r)]
        others = [r for (_, kind), several in drawn.items() if kind == owner for r in several]
        rest = len(left) + len(others) == len(alike)
        known = {r.name for role in roles for r in role.members}
        meets = _meets_all(site)
        # A class that asks all of its modules may be a part of the model; the model's own is none.
        here = [_holder(r.name) for same, several in drawn.items() if same[0][0] == site[0] for r in several]
        top = "" if facts.layout.name in meets else _common(here)
        if (
            not left
            or not rest
            or len(left) >= max(2, len(records))
            or records is not max((d for (_, k), d in drawn.items() if k == owner), key=len)
            # What was there before the line ran was met and skipped: by its name, by its size.
            or min(r.order_written for r in left) < min(r.order_written for r in records)
            or not all(r.name in known and (not top or r.name.startswith(f"{top}.")) for r in left)
            or _loops_over_children(site)
            or not meets
        ):
            continue
        yield (
            f"{listed([r.name for r in left])}: {left[0].law.text}, the default of torch, while every other {owner} is"
            f" drawn ({records[0].name}: {records[0].law.text}, {place(site)}): it was put in behind that line, or was"
            " lazy then"
        )


def _last_of_a_part(facts: Facts, roles: Sequence[Role]) -> Iterator[str]:
    known = {r.name for role in roles for r in role.members}
    matrices = (r for r in facts.first.records.values() if r.parameter and r.matrix is not None)
    for owner, alike in grouped((r.owner, r) for r in matrices).items():
        *drawn, last = alike
        sites = {r.law.site for r in drawn}
        site = next(iter(sites)) if len(sites) == 1 else None
        if site is None or len(drawn) < 2 or not all(_is_drawn(facts, r) for r in drawn):
            continue
        over = _loop_over_a_part(site) if last.name in known and _is_default(facts, last) else None
        if over is not None:
            yield (
                f"{last.name}: {last.law.text}, the default of torch, while every {owner} before it is drawn"
                f" ({drawn[0].name}: {drawn[0].law.text}, {place(site)}): the loop over {over} does not come to it"
            )


class _Around:
    """What of its file stands around a line: the loops and functions that it is in, and what these are handed to.

    Attributes:
        every_loop: of the file.
        loops, functions: those that the line stands in.
        names: of the functions.
        applied: what one of the functions is handed to by ``apply``, with the call.
    """

    def __init__(self, site: Site) -> None:
        self.code = code_of(site[0])
        nodes = list(ast.walk(self.code))
        self.every_loop = [n for n in nodes if isinstance(n, ast.For)]
        self.loops = [n for n in self.every_loop if _covers(n, site[1])]
        self.functions = [n for n in nodes if isinstance(n, ast.FunctionDef) and _covers(n, site[1])]
        self.names = {n.name for n in self.functions}
        self.applied = [
            (n.func.value, n) for n in nodes
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "apply" and n.args
            and self.names & {getattr(n.args[0], "id", ""), getattr(n.args[0], "attr", "")}
        ]  # fmt: skip


def _loop_over_a_part(site: Site) -> str | None:
    """What a line of a loop is run for, where that is a part of a model: an attribute, a slice, some of its layers.

    The loop may stand in another function that calls the one of the line, or hands it to ``apply`` of a part.
    """
    around = _Around(site)
    calling = [n for n in around.every_loop if any(around.names & _called(s) for s in n.body)]
    loops = [n.iter for n in (*around.loops, *calling)]
    applied = [n for n, _ in around.applied]
    parts = [n for n in loops if _is_part(n)] + [n for n in applied if isinstance(n, ast.Attribute)]
    whole = [n for n in loops if _MODULES & _called(n) and not _is_part(n)]
    return ast.unparse(parts[0]) if parts and not whole else None


def _is_part(iterated: ast.expr) -> bool:
    """Whether a loop goes over an attribute of a model, or what that holds, and not over all that the model has."""
    counts = isinstance(iterated, ast.Call) and getattr(iterated.func, "id", "") == "range"
    return not (counts and "len" not in _called(iterated)) and any(
        isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.attr not in _MODULES | _CHILDREN
        and not n.attr.endswith("parameters")
        for n in ast.walk(iterated)
    )  # fmt: skip


def _common(holders: Sequence[str]) -> str:
    """The module that all of these stand in; '' where that is the model itself."""
    paths = [h.split(".") for h in holders]
    shared = 0
    while all(len(p) > shared and p[shared] == paths[0][shared] for p in paths):
        shared += 1
    return ".".join(paths[0][:shared]) if len(set(holders)) > 1 else _holder(holders[0])


def _meets_all(site: Site) -> set[str]:
    """Classes that hand all of their modules to a line, '' for a function: in a loop over them, or by ``apply``.

    Not those of a part (``self.encoder``), and not in a loop over chosen parts.
    """
    around = _Around(site)
    over = [n.iter for n in around.loops if _MODULES & _called(n.iter)]
    classes = [n for n in ast.walk(around.code) if isinstance(n, ast.ClassDef)]
    return {
        next((c.name for c in classes if _covers(c, call.lineno) and ast.unparse(call).startswith("self.")), "")
        for call in over or [call for _, call in around.applied]
        if _is_whole(around.every_loop, call)
    }


def _is_whole(loops: Sequence[ast.For], call: ast.expr) -> bool:
    """Whether what is called is a method of a module that has a name of its own, no part and no loop's."""
    whose = call.func.value if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else None
    if isinstance(whose, ast.Call):
        return True
    targets = [n.target for n in loops if _covers(n, call.lineno) and n.iter is not call]
    chosen = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return isinstance(whose, ast.Name) and whose.id not in chosen


def _covers(node: ast.For | ast.FunctionDef | ast.ClassDef, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _holder(name: str) -> str:
    return name.rpartition(".")[0]


def _is_below(path: str, holder: str) -> bool:
    return path != holder and (not holder or path.startswith(f"{holder}."))


def _loops_over_children(site: Site) -> bool:
    """Whether the line stands in a loop over the children of a module, or its function is called by one.

    A function that calls itself goes deeper by that.
    """
    around = _Around(site)
    name = max(around.functions, key=lambda f: f.lineno).name if around.functions else ""
    if any(name in _called(f) for f in around.functions):
        return False
    loops = [n for n in around.every_loop if _CHILDREN & _called(n.iter)]
    return any(n in around.loops or name in _called(n) for n in loops)


def _called(node: ast.AST) -> set[str]:
    """Names of what is called or looked up inside; what a class calls of its base is another function."""
    calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
    named = {f.id for f in calls if isinstance(f, ast.Name)}
    named |= {f.attr for f in calls if isinstance(f, ast.Attribute) and not _is_of_base(f)}
    return named | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr == "_modules"}


def _is_of_base(called: ast.Attribute) -> bool:
    return isinstance(called.value, ast.Call) and getattr(called.value.func, "id", "") == "super"


def _is_drawn_twice(facts: Facts, role: Role) -> bool:
    """Whether one line wrote one law over itself, or over what another line of the same words had written."""
    record = role.members[0]
    before = record.lost[-1] if record.lost else None
    return (
        _is_drawn(facts, record)
        and before is not None
        and before.site is not None
        and record.law.site is not None
        and linecache.getline(*before.site).strip() == linecache.getline(*record.law.site).strip()
        and before.law.text == record.law.text
    )


def _is_default(facts: Facts, record: TensorRecord) -> bool:
    """Whether it is random as torch made it, and nothing else wrote it."""
    return record.name in facts.random and record.default and not record.later and record.law.named


def _is_drawn(facts: Facts, record: TensorRecord) -> bool:
    """Whether a line of the user's drew it over the default of its layer."""
    site = record.law.site
    mine = site is not None and not in_library(site[0])
    return record.name in facts.random and not record.default and record.law.named and mine and bool(record.lost)
