"""`fix()` and `initcheck fix TARGET`: the smallest change of the code that makes the failing claims hold, proven."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.doors.answers.answer_file import write_json
from initcheck.errors import UsageError
from initcheck.layers.sampler import LayerSampler
from initcheck.repairs.layer_line import line_for_layer
from initcheck.repairs.proof import Proposal, proposal_for
from initcheck.safe_text import escaped, relative
from initcheck.targets.loading import load
from initcheck.targets.text import pattern_and_law


@dataclass(frozen=True)
class Fix:
    """What is proposed for one target.

    Attributes:
        proposal: the change and its proof.
        location: file and line of the target's own code; None where there is none.
    """

    proposal: Proposal
    location: tuple[str, int] | None = None

    @property
    def proven(self) -> bool:
        """Whether a change was found."""
        return self.proposal.repair is not None

    def __str__(self) -> str:
        found = self.proposal
        name = escaped(found.name)
        if not found.failing and not found.doubted:
            return f"{name}  nothing fails: there is nothing to change"
        where = f"{escaped(relative(self.location[0]))}:{self.location[1]}  " if self.location else ""
        many = len(found.failing) != 1
        said = f"{len(found.failing)} claim{'s' * many} fail{'s' * (not many)}" if found.failing else "nothing fails"
        lines = [f"{where}{name}  {said}"]
        lines += [f"  fails     {claim}: {escaped(measured, 200)}" for claim, measured in found.failing]
        lines += [f"  open      {claim}: {escaped(measured, 200)}" for claim, measured in found.doubted]
        tried = [f"            {escaped(_short(code), 160)}: {escaped(why, 160)}" for code, why in found.tried]
        if found.repair is None:
            said = f"{len(found.tried)} were judged, and {found.looked_at} more mend nothing at a glance"
            lines += [f"  change    none was found: {escaped(found.why_none or said, 200)}", *tried]
            return "\n".join(lines)
        repair = found.repair
        lines.append(f"  change    {escaped(repair.words, 400)}")
        lines += _lines(f"line {repair.line}" if repair.line else "", "- ", repair.before)
        lines += _lines("" if repair.before else "write", "+ " if repair.before else "", repair.code)
        lines.append(
            f"  proven    on a copy with this change: {', '.join(found.proven)} hold{'s' * (len(found.proven) == 1)};"
            f" {f'of {found.kept} other claims none fails' if found.kept else 'no other claim was asked'}"
        )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        found, repair = self.proposal, self.proposal.repair
        return {
            "format": "initcheck-fix/1",
            "target": found.name,
            "failing": [{"claim": c, "measured": m} for c, m in found.failing],
            "open": [{"claim": c, "measured": m} for c, m in found.doubted],
            "change": None if repair is None else dataclasses.asdict(repair),
            "proven": list(found.proven),
            "others_asked": found.kept,
            "tried": [{"code": code, "why_not": why} for code, why in found.tried],
            "looked_at": found.looked_at,
            "why_none": found.why_none,
        }


def fix(
    target: Any,
    *,
    contract: Contract | Mapping[str, Any] | str | None = None,
    claims: Sequence[str] | None = None,
    seed: int = 0,
    profile: str = "quick",
    laws: Mapping[str, str | float] | None = None,
    batch: object = None,
) -> tuple[Fix, ...]:
    """Propose the smallest change that makes the failing claims of a target hold, after it was applied and judged.

    >>> import initcheck
    >>> [found] = initcheck.fix("initcheck.gallery:lecun_for_relu", claims=["output-variance-near-one"])
    >>> found.proposal.repair.code
    '    return normal(shape, rng, math.sqrt(2 / fan_in(shape)))'

    Args:
        target: an initializer, a layer class, a function or class that builds a model, or the text of any of these;
            of a layer the line that initializes its weights is proposed, of a model a line of its function to leave
            out, or lines to write behind it.
        contract: what it is held to, as ``check`` takes it.
        claims: ids of those to ask; all of them where None.
        seed, profile: of the runs that judge it and its copies; of a model the seed alone.
        laws, batch: of a model, as ``check_model`` takes them.

    Raises:
        UsageError: as ``check``; of a model as ``check_model``.
    """
    if laws is not None or batch is not None:
        return tuple(_of_models(target, seed, claims, laws, batch))
    try:
        initializers = load(target, contract=contract).some(target)
    except UsageError as error:
        if contract is not None:
            raise
        try:
            return tuple(_of_models(target, seed, claims))
        except UsageError:
            raise error from None
    found = []
    for initializer in initializers:
        options: dict[str, Any] = {"seed": seed, "profile": profile, "claims": claims}
        if isinstance(initializer.sampler, LayerSampler):
            found.append(Fix(line_for_layer(initializer, **options), initializer.location))
        else:
            found.append(Fix(proposal_for(initializer, **options), initializer.location))
    return tuple(found)


def _of_models(
    target: Any, seed: int, claims: Sequence[str] | None, laws: Mapping[str, Any] | None = None, batch: Any = None
) -> Iterator[Fix]:
    """The models that a target builds, each with its change."""
    # models are built by rooms that an initializer does not need
    from initcheck.repairs.model_repair import change_for_model
    from initcheck.targets.models import load_models, model_of

    if isinstance(target, str):
        models = load_models([target], laws=dict(laws or {}), batch=batch)
    else:
        models = (model_of(target, laws=laws, batch=batch),)
    for model in models:
        if model.built:
            raise UsageError(f"{model.name} is built already; name the function that builds it, which can be changed.")
        yield Fix(change_for_model(model, seed=seed, claims=claims), model.location)


def _lines(label: str, sign: str, code: str) -> list[str]:
    return [f"  {'' if n else label:<9} {sign}{escaped(line, 400)}" for n, line in enumerate(code.splitlines())]


def _short(code: str) -> str:
    """The lines of a change as one."""
    return " | ".join(line.strip() for line in code.splitlines())


def fix_command(words: Sequence[str]) -> int:
    """Print a proven change for each target; 0 where nothing is left to mend, 1 where no change was found."""
    parser = argparse.ArgumentParser(
        prog="initcheck fix",
        description="Find the smallest change that makes failing claims hold, applied to a copy and judged first.",
    )
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--contract", metavar="TEXT", help="what to hold the targets to: activation=relu,layout=out_in")
    parser.add_argument("--claims", metavar="A,B", help="ask only these claims")
    parser.add_argument("--law", action="append", metavar="PATTERN=LAW", help="of a model: a declared law")
    parser.add_argument("--batch", metavar="TEXT", help="of a model: what it is run on")
    parser.add_argument("--profile", default="quick", metavar="NAME", help="quick (default), default or thorough")
    parser.add_argument("--seed", default=0, type=int, metavar="N", help="seed of the runs (default 0)")
    parser.add_argument("--json", metavar="FILE", help="write the proposals there as JSON ('-' prints them)")
    arguments = parser.parse_args(words)
    claims = arguments.claims.split(",") if arguments.claims else None
    laws = dict(map(pattern_and_law, arguments.law)) if arguments.law else None
    fixes: list[Fix] = []
    for target in arguments.targets:
        said = {name: getattr(arguments, name) for name in ("contract", "seed", "profile", "batch")}
        for one in fix(target, claims=claims, laws=laws, **said):
            fixes.append(one)
            if arguments.json != "-":
                print(one, flush=True)
    if arguments.json:
        write_json(fixes, arguments.json)
    return 1 if any(f.proposal.failing and not f.proven for f in fixes) else 0
