"""What a user asks for, targets and the values of options, as the plan of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.doors.options import KIND_OF_CLAIM, TargetKind
from initcheck.engine.settings import Settings
from initcheck.errors import UsageError
from initcheck.runs.outputs import read_report
from initcheck.runs.plan import Plan


def settings(values: Mapping[str, Any], kinds: Iterable[TargetKind] = ("initializers",)) -> Settings:
    """Make the checker's settings of the options' values.

    Args:
        values: option name -> value, as the parser read them.
        kinds: of what the run judges.

    Raises:
        UsageError: a claim or profile that does not exist.
    """
    return Settings(
        seed=values["seed"],
        profile=values["profile"],
        claims=values["claims"],
        timeout=values["timeout"],
        contract=values["contract"] if isinstance(values["contract"], str) else None,
        kinds=tuple("ranks" if kind == "models" and values.get("world") else KIND_OF_CLAIM[kind] for kind in kinds),
    )


def contract(values: Mapping[str, Any]) -> Any:
    """The contract of ``--contract``, or None where nothing was said.

    Raises:
        UsageError: the text names an unknown key or value.
    """
    if values["contract"] is None or isinstance(values["contract"], Contract):
        return values["contract"]
    try:
        return Contract.from_text(values["contract"])
    except UsageError as error:
        raise UsageError(f"--contract: {error}") from None


def kinds_of_targets(targets: Mapping[TargetKind, Sequence[str]]) -> tuple[TargetKind, ...]:
    """Of what a run with these targets judges; of initializers where nothing was named."""
    return tuple(kind for kind in KIND_OF_CLAIM if targets.get(kind)) or ("initializers",)


def plan(
    targets: Mapping[TargetKind, Sequence[str]],
    values: Mapping[str, Any],
    command: str,
    *,
    only: Collection[tuple[str, str]] | None = None,
) -> Plan:
    """Make the plan of a run of the options' values.

    Args:
        targets: target texts of initializers and of models, in the order given.
        values: option name -> value, as the parser read them.
        command: the command line that asked for the run.
        only: of what is judged and of the claims, the pairs that are asked; all where None.

    Raises:
        UsageError: a target, claim, profile, contract or waiver that does not exist, or a baseline that cannot be read.
    """
    return Plan(
        targets.get("initializers", ()),
        settings(values, kinds_of_targets(targets)),
        contract=contract(values),
        models=targets.get("models", ()),
        of_models={
            "laws": dict(values["law"] or ()),
            "batch": values["batch"],
            "models": values["models"],
            "world": values["world"],
            "mesh": values["mesh"],
        },
        pairs=targets.get("pairs", ()),
        layouts=values["layouts"],
        locks=targets.get("locks", ()),
        like=values["like"],
        command=command,
        strict=bool(values["strict"]),
        baseline=values["baseline"],
        updating=bool(values["baseline-update"]),
        theorems=bool(values["theorems"]),
        isolate=bool(values["isolate"]),
        only=only,
        resumed=read_report(values["resume"], "report to resume") if values["resume"] else None,
    )
