"""Declared laws held against the laws that the trace names, and against the entries where it names none."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.errors import UsageError, closest
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Place, Role
from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.factory.wording import place
from initcheck.models.provenance.steps import in_library
from initcheck.models.rules.siblings import is_traced
from initcheck.statistics import SCREEN_LEVEL, Decision, judge_band

# Names that hold several matrices, and how many.
_FUSED = (
    (re.compile(r"(^|[._])(w?qkv|in_proj|c_attn|query_key_value|to_qkv|qkv_proj)([._]|$)", re.IGNORECASE), 3),
    (re.compile(r"(^|[._])(w?kv|to_kv|kv_proj|key_value)([._]|$)", re.IGNORECASE), 2),
)
_WITHIN = 0.05
_LOUD = 3.0  # standard deviations that a sum of unit inputs gets; a scheme for the fan gives between 0.5 and 2
_MODELS = 72  # 24 to hold or to suspect, 48 to confirm


def judge_declared(trial: ModelTrial) -> None:
    """Judge every declared law."""
    records = {n: r for n, r in trial.facts.first.records.items() if r.parameter}
    where = trial.facts.layout.places
    checked = 0
    untraced: dict[tuple[str, float], list[TensorRecord]] = {}
    for law in trial.laws:
        if not any(law.matches(n) for n in records):
            raise UsageError(
                f"the declared pattern {law.pattern!r} names no parameter; {closest(law.pattern, records)}"
            )
        matching = {n: r for n, r in records.items() if law.matches(n) and _first_match(trial, n) is law}
        wrong: list[tuple[str, TensorRecord, float]] = []
        for name, record in matching.items():
            names = names_of(record, where.get(name), trial.facts.layout.blocks)
            checked += 1
            if law.family != "constant" and not record.constant and not (is_traced(record) and record.law.named):
                role = where[name].path if name in where else name
                untraced.setdefault((role, law.std(names)), []).append(record)
            else:
                wrong.extend((said, record, law.std(names)) for said in _judge_one(law, record, names))
        if wrong:
            more = f"; {len(wrong) - 1} more of {len(matching)} tensors likewise" if len(wrong) > 1 else ""
            said, record, std = wrong[0]
            fix = f"draw it with std {std:.4g}" if std else None
            trial.fails(said + more, likely=_axes_counted(record, std), fix=fix)
    for (role, declared), members in untraced.items():
        _judge_untraced(trial, role, [m.name for m in members], declared, trial.level / len(untraced))
    if trial.laws:
        trial.measured = f"{len(trial.laws)} declared laws, {checked:,} tensors"
        trial.allowed = "within 5 % of the declared standard deviation"


def initializer_range(trial: ModelTrial) -> None:
    """The config's standard deviation: in force in k of m random roles; only 0 is a failure."""
    declared = trial.facts.layout.initializer_range
    if declared is None or declared <= 0:
        return
    random = [r for r in trial.facts.roles if len(r.shape) > 1 and any(m.name in trial.facts.random for m in r.members)]
    kept = [r for r in random if any(_near(v, declared) for m in r.members for v in (*m.law.stds, m.std))]
    text = f"initializer_range={declared:g} is in force in {len(kept)} of {len(random)} roles"
    if random and not kept:
        likely = _method_that_wrote_nothing(trial)
        fix = "call it at the end of the constructor, once every layer is made" if likely is not None else None
        trial.fails(f"the config's {text}", likely=likely, fix=fix)
    elif kept:
        for role in random:
            if role not in kept:
                trial.note(outside(role, declared))
    trial.measured = f"{trial.measured}; {text}" if trial.measured else text


def _method_that_wrote_nothing(trial: ModelTrial) -> str | None:
    """The user's own method that initialises, where no tensor has what it writes."""
    facts = trial.facts
    uncalled = facts.plain.looks["uncalled"] if facts.plain is not None else {}
    for code, name in facts.layout.init_methods.items():
        at = f"{name} at {place((code.co_filename, code.co_firstlineno))}"
        if code in uncalled:
            return f"{at} was never called"
        # Another line that drew may stand in a function that the method calls.
        if all(r.default for r in facts.random.values()):
            return f"{at} wrote none of them: it ran before they were made, or skips their classes"
    return None


def far_from_the_rest(trial: ModelTrial) -> None:
    """Matrices inside the blocks that are ten times the one standard deviation that most were given.

    The rest must be given one by name, in at least three roles and in most: a doubt, for a gate or a router may mean
    it; a declared law decides.
    """
    where = trial.facts.layout.places
    inside = [
        r for r in trial.facts.roles
        if len(r.shape) == 2 and "*" in r.path and where[r.members[0].name].blocks is not None
        and all(is_traced(m) and m.law.named for m in r.members)
    ]  # fmt: skip
    counts = Counter(float(f"{r.law_std:.5g}") for r in inside if not r.members[0].default)
    rule, roles = counts.most_common(1)[0] if counts else (0.0, 0)
    if roles < 3 or 2 * roles < len(inside):
        return
    for role in inside:
        ratio = role.law_std / rule
        # What fits its own fan is a scheme, however few entries a row has (a projection from a small rank).
        if (
            ratio > 10
            and role.law_std * math.sqrt(role.members[0].fans[0]) > _LOUD
            and not any(law.matches(role.members[0].name) for law in trial.laws)
        ):
            trial.doubts_that(f"{outside(role, rule)}, the std of {roles} roles beside it; a declared law decides")


def fused_fans(trial: ModelTrial) -> None:
    """Several matrices in one, drawn by a scheme that takes the outputs of all of them for those of each.

    Query, key and value of a width d are three maps from d to d; Xavier gives each 1/d and the 3 d x d matrix that
    holds them 1/(2 d) (Chen et al. 2021, MoCo v3, draws the parts). A doubt where the user's own line does it; torch
    and libraries do it too, and a line that draws what torch had drawn does no more, which is said.
    """
    for role in trial.facts.roles:
        record = role.members[0]
        parts = next((n for words, n in _FUSED if words.search(role.path)), 0)
        # A parameter that stands to the right of its input, x @ w, has its inputs first.
        fan_in, fan_out = sorted(record.fans)
        if not (
            parts and len(role.shape) == 2 and is_traced(record) and record.law.named and fan_out == parts * fan_in
        ):
            continue
        each = math.sqrt(1 / fan_in)
        std = record.law.std or 0.0
        if not math.isclose(std, math.sqrt(2 / (fan_in + fan_out)), rel_tol=1e-4):
            continue
        said = (
            f"{role.path}: Xavier's std for {fan_out} outputs, {std:.4g}, where it holds {parts} matrices of"
            f" {fan_in}: {std / each:.3g} times the std of each alone ({place(record.law.site)})"
        )
        again = any(lost.default and lost.law.signature == record.law.signature for lost in record.lost)
        theirs = record.default or again or (record.law.site is not None and in_library(record.law.site[0]))
        if theirs:
            trial.note(said)
        elif not any(law.matches(record.name) for law in trial.laws):
            trial.doubts_that(f"{said}; a declared law decides")


def outside(role: Role, rule: float) -> str:
    """A role that does not have the standard deviation of the rest: by what factor, and who drew it."""
    record = role.members[0]
    std = record.law.std if record.law.named else record.std
    return f"{role.path}: std {std:.4g}, {(std or 0.0) / rule:.3g} times {rule:g} ({place(record.law.site)})"


def names_of(record: TensorRecord, where: Place | None, blocks: int) -> Mapping[str, float]:
    """What the names in a declared law stand for at one tensor."""
    fan_in, fan_out = record.fans
    names = {"fan_in": float(fan_in), "fan_out": float(fan_out), "d": float((record.shape or (1,))[-1])}
    if where is not None and where.blocks is not None:
        names |= {"L": float(where.blocks), "l": float(where.block or 0)}
    elif blocks:
        names["L"] = float(blocks)
    return names


def _judge_one(law: DeclaredLaw, record: TensorRecord, names: Mapping[str, float]) -> Iterator[str]:
    if law.family == "constant":
        value = law.value(names)
        if not (record.constant and math.isclose(record.low, value, rel_tol=1e-5, abs_tol=1e-12)):
            yield f"{record.name}: {record.law.text}, declared {law.text}"
        return
    declared = law.std(names)
    if record.constant:
        if declared:
            yield f"{record.name}: constant {record.low:.4g}, declared {law.text} = {declared:.4g}"
        return
    drawn = "normal" if record.law.family == "truncated_normal" else record.law.family
    other = law.family in ("normal", "uniform") and drawn != law.family
    # A cut normal has two standard deviations, before and after the cut; a declared law may mean either.
    if other or not any(_near(std, declared) for std in record.law.stds):
        yield (
            f"{record.name}: drawn as {record.law.text}, declared {law.text} = {declared:.4g}"
            f" ({place(record.law.site)})"
        )


def _axes_counted(record: TensorRecord, declared: float) -> str | None:
    """The axes of a kernel of several that its fan counts too, where the deviation is too small by just their root."""
    axes = record.shape
    runs = [axes[i:j] for i in range(len(axes)) for j in range(len(axes), i, -1) if math.prod(axes[i:j]) > 1]
    for run in runs if len(axes) > 2 else ():
        if any(math.isclose(declared / std, math.sqrt(math.prod(run)), rel_tol=1e-3) for std in record.law.stds if std):
            return f"its fan counts {' x '.join(map(str, run))} = {math.prod(run)} too, and the declared law does not"
    return None


def _judge_untraced(trial: ModelTrial, role: str, names: Sequence[str], declared: float, level: float) -> None:
    """Second moments of whole roles over fresh models: the independent unit is a model, siblings may depend."""
    facts = trial.facts
    if facts.budget < _MODELS:
        trial.doubts_that(f"{role}: no draw tells its law; {_MODELS} models decide (models={_MODELS})")
        return
    taken = 0

    def draw(n: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        nonlocal taken
        n = min(n, facts.budget - taken)
        found = [[facts.other(taken + i + 1).records[name] for name in names] for i in range(n)]
        taken += n
        squares = [sum(r.squares for r in model) for model in found]
        return np.array(squares), np.array([declared**2 * sum(r.count for r in model) for model in found])

    low, high = (1 - _WITHIN) ** 2, (1 + _WITHIN) ** 2
    first = judge_band(draw, low, high, level=SCREEN_LEVEL, beta=trial.beta, max_groups=24)
    if first.decision is Decision.HOLDS:
        return
    said = f"{role}: standard deviation {declared * math.sqrt(max(first.measured, 0.0)):.4g}, declared {declared:.4g}"
    second = judge_band(draw, low, high, level=level, max_groups=max(8, facts.budget - taken), fails_only=True)
    if second.decision is Decision.FAILS:
        trial.fails(f"{said}, over {taken} models (no draw tells it)")
        trial.error_spent = level
    else:
        trial.doubts_that(f"{said}: {facts.budget} models do not decide")


def _first_match(trial: ModelTrial, name: str) -> DeclaredLaw | None:
    return next((law for law in trial.laws if law.matches(name)), None)


def _near(value: float, declared: float) -> bool:
    return abs(value - declared) <= _WITHIN * declared
