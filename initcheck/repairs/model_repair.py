"""For a model: a line of its factory left out, or lines behind it, applied to every build and judged."""

from __future__ import annotations

import ast
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.claims.registry import find
from initcheck.contract.model import Model
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.models.builds.build import Builder, quiet
from initcheck.models.factory.facts import Facts
from initcheck.models.frameworks.recognition import family_of_factory
from initcheck.models.rules.residual_scaling import residual_scalings
from initcheck.models.subject import ModelSubject
from initcheck.repairs.edits.edit import Edit, computed
from initcheck.repairs.edits.expressions import operand_edits
from initcheck.repairs.edits.function_source import FunctionSource, source_of
from initcheck.repairs.edits.statements import statement_edits
from initcheck.repairs.init_lines import init_lines
from initcheck.repairs.proof import Proposal, first_doubt
from initcheck.repairs.repair import Draft, Repair, edited
from initcheck.report.verdict import Result, Verdict
from initcheck.sandbox.containment import contained

_MOST = 24

Factory = Callable[..., Any]


def change_for_model(model: Model, *, seed: int = 0, claims: Sequence[str] | None = None) -> Proposal:
    """Judge a model; find the smallest change of how it is built under which nothing of it fails.

    Args:
        model: that a factory builds.
        seed: of the run.
        claims: ids of those to ask; all claims on models where None.

    Raises:
        UsageError: the factory builds no model.
    """
    settings = Settings(seed=seed, claims=claims, kinds=("model",))
    checker = Checker(settings)
    results = {claim: checker.judge(model, claim) for claim in checker.claims_of(model)}
    subject = checker.subject(model)
    assert isinstance(subject, ModelSubject)
    failed = [claim for claim, r in results.items() if r.verdict is Verdict.FAILS]
    doubted = [] if failed else _doubted(subject.facts, results)
    wanted = [*failed, *doubted]
    proposal = Proposal(
        model.name,
        tuple((c, _measured(results[c])) for c in failed),
        None,
        doubted=tuple((c, results[c].reason or "") for c in doubted),
    )
    if not wanted:
        return proposal
    framework = family_of_factory(model)
    before = {n: r.shape for n, r in subject.facts.first.records.items()}
    tried: list[tuple[str, str]] = []
    looked_at = 0
    for repair, factory in _changes(model, subject, framework, {find(c).topic for c in wanted}):
        if len(tried) == _MOST:
            break
        copy = dataclasses.replace(model, factory=factory, recipe=None)
        fresh = Checker(settings)
        try:
            changed = fresh.subject(copy)
            assert isinstance(changed, ModelSubject)
            after = changed.facts.first.records
            if {n: r.shape for n, r in after.items()} != before or _is_the_same(subject.facts, changed.facts):
                looked_at += 1
                continue
            why = first_doubt(functools.partial(fresh.judge, copy), wanted, results, _measured)
        except Exception:  # a line may not fit a model in any way, and a factory without a line of it may break
            looked_at += 1
            continue
        if why is None:
            others = len(results) - len(wanted)
            return dataclasses.replace(
                proposal, repair=repair, proven=tuple(wanted), kept=others, tried=tuple(tried), looked_at=looked_at
            )
        tried.append((repair.code or f"without {repair.before.strip()}", why))
    why_none = f"changes of its own function mend nothing, and lines to add are known for PyTorch, not {framework}"
    why_none = "" if framework == "torch" else why_none
    return dataclasses.replace(proposal, tried=tuple(tried), looked_at=looked_at, why_none=why_none)


def _changes(
    model: Model, subject: ModelSubject, framework: str, topics: Set[str | None]
) -> Iterator[tuple[Repair, Factory]]:
    """What might be changed, with the factory that has it: the user's own lines, then lines behind them."""
    source = source_of(model.factory)
    for edit in _edits(source) if source is not None else ():
        text = source.changed(edit.changes) if source is not None else None
        if source is None or text is None or text == source.text:
            continue
        try:
            yield edited(source, Draft(text, edit.kind, edit.words)), source.run(text)
        except Exception:  # what is left of the function may be none
            continue
    if framework != "torch":
        return
    kinds = {r.owner for r in subject.facts.first.records.values()} | set(_activations(model))
    for line in init_lines(subject.facts, subject.laws, sorted(kinds), topics):
        written = dataclasses.replace(line, words=f"{line.words}; write behind the model")
        yield written, _followed(model.factory, line.code)


def _edits(source: FunctionSource) -> list[Edit]:
    """An exception made at one place, then a statement left out, the shortest first; another number last."""
    exceptions = [e for e in operand_edits(source) if e.words.endswith(tuple(map(source.of, _conditionals(source))))]
    left_out = sorted(statement_edits(source), key=lambda e: sum(c.end - c.start for c in e.changes))
    numbers = [
        Edit("number", f"1.0 in place of {source.of(n)}", (source.change(n, "1.0"),))
        for n in computed(source)
        if isinstance(n, ast.Constant) and isinstance(n.value, float) and n.value != 1
    ]
    return [*exceptions, *left_out, *numbers]


def _conditionals(source: FunctionSource) -> list[ast.IfExp]:
    return [n for n in computed(source) if isinstance(n, ast.IfExp)]


def _followed(factory: Factory, code: str) -> Factory:
    """The factory, and the lines behind it: what is judged is the text that is shown."""
    torch = framework_module("torch")
    compiled = compile(code, "<lines behind the model>", "exec")

    @functools.wraps(factory)
    def built(*args: Any, **kwargs: Any) -> Any:
        made = factory(*args, **kwargs)
        exec(compiled, {"model": made, "torch": torch, "nn": torch.nn, "math": math})
        return made

    return built


def _activations(model: Model) -> list[str]:
    """The names of the classes of a model's modules; of one that takes a seed it is given one."""
    builder = Builder(model.factory, model.name)
    given = {"seed": 0} if builder.takes("seed") is not None else {}
    with contained(), quiet():
        made = builder.call(**given)
    return [type(m).__name__ for m in made.modules()]


def _is_the_same(before: Facts, after: Facts) -> bool:
    """Whether a change changed no number of the first build, nor what another seed gives."""

    def digests(facts: Facts) -> list[bytes]:
        builds = (facts.first, facts.other(1))
        return [r.digest for b in builds for r in b.records.values()]

    return digests(before) == digests(after)


def _doubted(facts: Facts, results: dict[str, Result]) -> list[str]:
    """Claims that are open for a layer that writes to the residual stream and is not scaled as others are."""
    if "writers" in facts.impossible:
        return []
    said = {finding.sentence for scaling in residual_scalings(facts) for finding in scaling.findings}
    return [c for c, r in results.items() if r.verdict is Verdict.UNDECIDED and r.reason in said]


def _measured(result: Result) -> str:
    return result.evidence.case or result.evidence.measured or result.reason or ""
