"""The lines of a model: of PyTorch read off its trace, of other frameworks measured on a few builds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.copies import drawn_alike, order_of
from initcheck.comparison.weights.readings import stacks_in
from initcheck.comparison.weights.roles import family_of, roles_of
from initcheck.comparison.weights.tensors import Tensor
from initcheck.contract.model import Model
from initcheck.errors import UsageError
from initcheck.grouping import grouped
from initcheck.locks.lines import Line, folded
from initcheck.models.builds.names import name_of, names_of
from initcheck.models.builds.roles import Role, blocks_of, roles
from initcheck.models.frameworks.recognition import family_of_factory
from initcheck.models.portrait import formula_of
from initcheck.safe_text import relative
from initcheck.sandbox.global_generators import isolated
from initcheck.seeds import Seeds

Records = Mapping[str, Any]

_BUILDS = 4
# Laws of one role that are lines of their own; more are one line, such as a scale that falls from block to block.
_LAWS = 4


def lines_of_model(model: Model, seed: int = 0, *, apart: bool = False) -> tuple[Line, ...]:
    """One line a role, at most 24 of them.

    Args:
        model: what builds it.
        seed: of the run; the laws are the same at every seed.
        apart: whether layers that a scan stacks in one tensor are told as the tensors of a list of layers.

    Raises:
        UsageError: it is built already, or its factory builds no model.
    """
    if model.built:
        raise UsageError(f"{model.name} is built already; name the function that builds it: a law is read off a build.")
    with isolated(seed):
        traced = family_of_factory(model) == "torch"
    return folded(_traced(model, seed) if traced else _measured(model, seed, apart))


def _traced(model: Model, seed: int) -> Iterator[Line]:
    # Only here: it imports torch.
    # imports PyTorch: only for a model of its own
    from initcheck.models.builds.places import places
    from initcheck.models.builds.torch_build import NAN, ModelBuilder

    builder = ModelBuilder(model.factory, model.name)
    number, another = Seeds("lock", model.name, seed).upto(2)
    looks = {"places": lambda model, records: places(model)}
    first = builder.build(number, fill=NAN, units=True, looks=looks)
    remarks = _remarks_of(first.records, builder.build(number).records, builder.build(another).records)
    where = first.looks["places"]
    blocks = blocks_of(where)
    groups: list[tuple[Role, str, list[Any], int]] = []
    for role in roles(first.records, where):
        groups += [(role, *group) for group in _by_law(role, blocks, remarks)]
    every = [name for name, record in first.records.items() if record.parameter]
    for (role, text, members, entries), path in zip(
        groups, names_of([[m.name for m in members] for _, _, members, _ in groups], every), strict=True
    ):
        site = members[0].law.site
        at = f"{relative(site[0])}:{site[1]}" if site is not None else ""
        yield Line(path, _size(len(members), role.shape), text, at, entries)
    for name, record in first.records.items():
        if not record.parameter and (name in remarks or record.draws):
            [(law, _, entries)] = _by_law(Role(name, (record,), (0,)), blocks, remarks)
            yield Line(name, _size(1, record.shape), f"a buffer, {law}", entries=entries)
    for name, tied in first.tied.items():
        yield Line(name, "tied", f"the tensor {tied}")


def _by_law(role: Role, blocks: int, remarks: Mapping[str, str]) -> Iterator[tuple[str, list[Any], int]]:
    """The tensors of a role by their law; all of them together where they have too many.

    What was measured is one law, whose numbers reach from the smallest to the largest: chance divides no role.
    """
    found: dict[str, list[Any]] = {}
    measured: dict[str, list[Any]] = {}
    for record in role.members:
        remark = remarks.get(record.name, "")
        if record.missing == record.count:
            found.setdefault(remark, []).append(record)
        elif _is_measured(record):
            measured.setdefault(remark, []).append(record)
        else:
            law = _known_law(record, len(role.members), blocks)
            found.setdefault(f"{law}; {remark}" if remark else law, []).append(record)
    if len(found) > _LAWS:
        laws = list(found)
        text = f"{len(laws)} laws, from {laws[0]} to {laws[-1]}"
        found = {text: [record for records in found.values() for record in records]}
    yield from ((text, members, 0) for text, members in found.items())
    for remark, records in measured.items():
        stds = sorted(record.std for record in records)
        text = f"random, std {stds[0]:.4g}" + (f" to {stds[-1]:.4g}" if len(stds) > 1 else "")
        yield f"{text}; {remark}" if remark else text, records, min(record.count for record in records)


def _known_law(record: Any, siblings: int, blocks: int) -> str:
    text = _law_of(record)
    std = record.law.std if record.law.named else None
    formula = formula_of(std, record, siblings, blocks) if std is not None else None
    if formula is None or text.endswith(f"std {formula}"):
        return text
    # Of a uniform the bound is said, and a formula is the standard deviation's.
    return f"{text} = {formula}" if " std " in text else f"{text}, std {formula}"


def _is_measured(record: Any) -> bool:
    law = record.law
    return not (record.constant or law.named or law.family in ("orthogonal", "sparse", "fixed", "constant"))


def _law_of(record: Any) -> str:
    """The law of one tensor that is known, in words."""
    if record.constant:
        return f"every entry {record.low:.4g}"
    if record.law.family == "constant":
        return f"every entry {record.law.mean or 0.0:.4g}"
    if record.law.family == "fixed":
        return f"fixed numbers, mean square root {math.sqrt(record.second_moment):.4g}"
    return str(record.law.text).replace(" std ", ", std ", 1)


def _measured(model: Model, seed: int, apart: bool) -> Iterator[Line]:
    builds = Builds(model.factory, model.name, seed)
    if apart:
        builds.reads(stacks_in(builds.roles))
    made = [builds.build(number) for number in Seeds("lock", model.name, seed).upto(_BUILDS)]
    every = [tensor.path for tensor in made[0]]
    by_path = {path: [t for build in made for t in build if t.path == path] for path in every}
    remarks = _remarks_of_builds(by_path)
    for role in roles_of(made[0]):
        groups = grouped((remarks.get(path, ""), path) for path in role.paths)
        for remark, paths in groups.items():
            path = role.path if len(groups) == 1 else name_of(paths, every)
            values = np.concatenate([t.values.ravel() for one in paths for t in by_path[one]])
            low, high = float(values.min()), float(values.max())
            law = f"every entry {low:.4g}" if low == high else f"random, std {float(values.std()):.4g}"
            # Of copies one tells as much as all of them.
            own = len({t.values.tobytes() for one in paths for t in by_path[one]}) / (len(paths) * len(made))
            entries = int(values.size * own) if low != high else 0
            yield Line(path, _size(len(paths), role.shape), f"{law}; {remark}" if remark else law, entries=entries)


def _remarks_of_builds(by_path: Mapping[str, Sequence[Tensor]]) -> dict[str, str]:
    """What is said of a tensor beside its law: that its numbers are not its own, or hang on no seed.

    Args:
        by_path: each tensor of every build, whose seeds differ.
    """
    found: dict[str, str] = {}
    first = {path: tensors[0].stored for path, tensors in by_path.items()}
    moving = {path: [t.values.tobytes() for t in by_path[path]] for path in by_path if np.ptp(first[path]) > 0}
    fixed = {path for path, numbers in moving.items() if len(set(numbers)) == 1}
    found |= {path: "the same numbers at every seed" for path in fixed if order_of(first[path]) is not None}
    equal = grouped((tuple(numbers), path) for path, numbers in moving.items() if path not in fixed)
    for paths in equal.values():
        if len(paths) > 1:
            found |= dict.fromkeys(paths, f"the same numbers in {len(paths)} tensors")
    builds = len(next(iter(by_path.values()), ()))
    orders = [
        {(0, k): order_of(tensors[build].stored) for k, tensors in enumerate(by_path.values())}
        for build in range(builds)
    ]
    names = list(by_path)
    for places in grouped((order, place) for place, order in drawn_alike(orders).items()).values():
        for _, k in places:
            other = next((names[o] for _, o in places if o != k), None)
            if other is not None:
                found.setdefault(names[k], f"drawn from the same random numbers as {family_of(other)}")
    return found


def _size(tensors: int, shape: Sequence[int]) -> str:
    words = f"({', '.join(map(str, shape))})"
    return words if tensors == 1 else f"{tensors} x {words}"


def _remarks_of(first: Records, again: Records, other: Records) -> dict[str, str]:
    """What is said of a tensor beside its law, by its path: what was never written, is not its own, hangs on no seed.

    Args:
        first: a traced build whose fresh memory was filled.
        again: a build at the same seed.
        other: a build at another seed.
    """
    parameters = {name: record for name, record in first.items() if record.parameter}
    numbers = Counter(record.digest for record in parameters.values() if _is_random(record))
    drawn = _drawn_alike(parameters)
    found = {}
    for name, record in first.items():
        if not (record.parameter or record.missing or record.draws):
            continue  # a counter, a mask, a table of angles
        said = list(_of_one(record, again.get(name), other.get(name)))
        if record.parameter and _is_random(record) and numbers[record.digest] > 1:
            said.append(f"the same numbers in {numbers[record.digest]} tensors")
        elif name in drawn:
            said.append(f"drawn from the same random numbers as {drawn[name]}")
        if said:
            found[name] = "; ".join(said)
    return found


def _is_random(record: Any) -> bool:
    return not (record.constant or record.missing or record.law.family in ("fixed", "constant"))


def _of_one(record: Any, again: Any, other: Any) -> Iterator[str]:
    if record.missing:
        part = "" if record.missing == record.count else f"{record.missing} of {record.count} entries "
        yield f"{part}never written"
    for part in record.later:
        yield f"{record.entries_of(part)} {part.law.text}"
    if record.dtype not in ("float32", "") and record.parameter:
        yield f"in {record.dtype}"
    if record.twins is not None and record.draws:
        yield "some rows or columns equal"
    if not _is_random(record):
        return
    if again is not None and again.digest != record.digest:
        yield "other numbers at one seed"
    elif other is not None and other.digest == record.digest and (record.draws or not record.law.named):
        yield "the same numbers at every seed"


def _drawn_alike(parameters: Records) -> dict[str, str]:
    """Of tensors whose generator was in one state before each was drawn, the first of the others."""
    states: dict[bytes, dict[int, str]] = defaultdict(dict)
    for name, record in parameters.items():
        if record.draws:
            first = min(record.draws, key=lambda draw: draw.number)
            states[first.state].setdefault(first.number, name)
    return {
        name: next(o for o in names.values() if o != name)
        for names in states.values()
        if len(names) > 1
        for name in names.values()
    }
