"""The lines of a model: of PyTorch read off its trace, of other frameworks measured on a few builds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from initcheck.comparison.weights.roles import roles_of
from initcheck.contract.model import Model
from initcheck.errors import UsageError
from initcheck.locks.lines import Line, folded
from initcheck.safe_text import relative
from initcheck.sandbox.global_generators import isolated
from initcheck.seeds import Seeds

__all__ = ["lines_of_model"]

_BUILDS = 4


def lines_of_model(model: Model, seed: int = 0) -> tuple[Line, ...]:
    """One line a role, at most 24 of them.

    Args:
        model: what builds it.
        seed: of the run; the laws are the same at every seed.

    Raises:
        UsageError: it is built already, or its factory builds no model.
    """
    if model.built:
        raise UsageError(f"{model.name} is built already; name the function that builds it: a law is read off a build.")
    torch = __import__("torch")
    with isolated(seed):
        one = model.factory(seed=seed) if _takes_seed(model.factory) else model.factory()
    lines = _traced(model, seed) if isinstance(one, torch.nn.Module) else _measured(model, seed)
    return folded(lines)


def _takes_seed(factory: Callable[..., Any]) -> bool:
    import inspect

    try:
        return "seed" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False


def _traced(model: Model, seed: int) -> Iterator[Line]:
    # Only here: it imports torch.
    from initcheck.models.builds.places import places
    from initcheck.models.builds.roles import roles
    from initcheck.models.builds.torch_build import ModelBuilder
    from initcheck.models.portrait import formula_of

    builder, number = ModelBuilder(model.factory, model.name), Seeds("lock", model.name, seed).upto(1)[0]
    first = builder.build(number, traced=True, looks={"places": lambda model, records: places(model)})
    where = first.looks["places"]
    blocks = max((place.blocks or 0 for place in where.values()), default=0)
    for role in roles(first.records, where):
        laws: dict[str, Any] = {}
        for member in role.members:
            text, entries = _law_of(member)
            std = member.law.std if member.law.named else None
            formula = formula_of(std, member, len(role.members), blocks) if std is not None else None
            if formula is not None and not text.endswith(f"std {formula}"):
                text += f" = {formula}"
            laws.setdefault(text, (member, entries))
        members = list(laws.items())
        text, (member, entries) = members[0]
        if len(members) > 1:
            text = f"{len(members)} laws, from {members[0][0]} to {members[-1][0]}"
            entries = min(entries for _, (_, entries) in members)
        site = member.law.site
        at = f"{relative(site[0])}:{site[1]}" if site is not None else ""
        yield Line(role.path, _size(len(role.members), role.shape), text, at, entries)
    for name, tied in first.tied.items():
        yield Line(name, "tied", f"the tensor {tied}")


def _law_of(record: Any) -> tuple[str, int]:
    """The law of one tensor in words, and how many numbers it was measured on; 0 where it is known."""
    if record.constant:
        return f"every entry {record.low:.4g}", 0
    if record.law.named or record.law.family in ("orthogonal", "sparse"):
        return record.law.text.replace(" std ", ", std ", 1), 0
    if record.law.family == "fixed":
        return f"fixed numbers, mean square root {math.sqrt(record.second_moment):.4g}", 0
    return f"random, std {record.std:.4g}", record.count


def _measured(model: Model, seed: int) -> Iterator[Line]:
    from initcheck.comparison.weights.builds import Builds

    builds = Builds(model.factory, model.name, seed)
    made = [builds.build(number) for number in Seeds("lock", model.name, seed).upto(_BUILDS)]
    for role in roles_of(made[0]):
        values = np.concatenate([t.values.ravel() for build in made for t in build if t.path in role.paths])
        low, high = float(values.min()), float(values.max())
        if low == high:
            yield Line(role.path, _size(len(role.paths), role.shape), f"every entry {low:.4g}")
        else:
            law = f"random, std {float(values.std()):.4g}"
            yield Line(role.path, _size(len(role.paths), role.shape), law, entries=int(values.size))


def _size(tensors: int, shape: Sequence[int]) -> str:
    words = f"({', '.join(map(str, shape))})"
    return words if tensors == 1 else f"{tensors} x {words}"
