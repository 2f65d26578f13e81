"""The options of a run, stated once: the command line and the pytest plugin are both made from this table."""

from __future__ import annotations

import argparse
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from initcheck.errors import UsageError

if TYPE_CHECKING:
    import pytest

    from initcheck.engine.settings import Settings
    from initcheck.runs.plan import Plan

__all__ = ["OPTIONS", "Option", "add_to_argparse", "add_to_pytest", "contract", "plan", "settings"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: ``--seed`` on the command line, ``--initcheck-seed`` in pytest.

    Attributes:
        name: without dashes and prefix.
        help: one sentence.
        default: the value where it is not given.
        read: turns the text into the value; a ValueError's message is what the user sees.
        metavar: the placeholder in the help text; None for a flag.
        short: a one-letter form on the command line, where there is one.
        door: where it exists, if not at both.
    """

    name: str
    help: str
    default: Any = None
    read: Callable[[str], Any] = str
    metavar: str | None = None
    short: str | None = None
    door: Literal["both", "command line"] = "both"

    @property
    def dest(self) -> str:
        """Its name in pytest's configuration."""
        return f"initcheck_{self.name.replace('-', '_')}"


def _seed(text: str) -> int:
    if text == "random":
        # Drawn once, where the run starts; workers are told the number.
        return secrets.randbelow(2**31)
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed: give a whole number from 0 on, or 'random'.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0.")
    return value


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 1 on.")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no claim; give ids as in zero-mean,finite.")
    return names


OPTIONS = (
    Option(name="claims", metavar="A,B", read=_names, help="ask only these claims (ids, separated by commas)"),
    Option(
        name="profile",
        metavar="NAME",
        default="default",
        help="how much to look at: quick, default or thorough",
    ),
    Option(name="seed", metavar="N", default=0, read=_seed, help="seed of the run, or 'random' (default 0)"),
    Option(name="strict", default=False, help="let UNDECIDED fail too"),
    Option(name="contract", metavar="TEXT", help="what to hold the targets to: activation=relu,layout=out_in"),
    Option(name="timeout", metavar="SECONDS", read=_seconds, help="seconds that one claim may take"),
    Option(name="isolate", default=False, help="run each initializer in a process of its own"),
    Option(name="theorems", default=False, help="run the theorems and myths too; they need no target"),
    Option(name="json", metavar="FILE", help="write the report there as JSON, claim by claim"),
    Option(name="html", metavar="FILE", help="write the report there as one HTML page"),
    Option(name="junit", metavar="FILE", help="write the report there as JUnit XML (xunit2)"),
    Option(name="markdown", metavar="FILE", help="write a summary there, for a job summary or a comment"),
    Option(name="github", default=False, help="print GitHub annotations at the lines of the initializers"),
    Option(
        name="previous",
        metavar="FILE",
        help="JSON report of the last run: the HTML page and the Markdown say what changed",
    ),
    Option(name="baseline", metavar="FILE", help="known failures: only others fail, and entries that hold"),
    Option(name="baseline-update", default=False, help="write the failures of this run to the baseline's file"),
    Option(
        name="jobs",
        short="j",
        metavar="N",
        default=1,
        read=_jobs,
        door="command line",
        help="number of processes",
    ),
)


def _arguments(option: Option) -> dict[str, Any]:
    # None says that nothing was given here: pyproject.toml decides then, and the option's own default last.
    if option.metavar is None:
        return {"action": "store_true", "default": None, "help": option.help}
    return {
        "type": option.read,
        "default": None,
        "metavar": option.metavar,
        "help": option.help,
    }


def add_to_argparse(parser: argparse.ArgumentParser) -> None:
    """Add every option to a command-line parser, under its own name."""
    for option in OPTIONS:
        flags = [f"-{option.short}"] if option.short else []
        parser.add_argument(*flags, f"--{option.name}", dest=option.name, **_arguments(option))


def add_to_pytest(group: pytest.OptionGroup) -> None:
    """Add every option that pytest shares to its group, prefixed with ``initcheck-``."""
    for option in OPTIONS:
        if option.door == "both":
            name = f"initcheck-{option.name}"
            group.addoption(f"--{name}", dest=option.dest, **_arguments(option))


def settings(values: Mapping[str, Any]) -> Settings:
    """Make the checker's settings of the options' values.

    Args:
        values: option name -> value, as the parser read them.

    Raises:
        UsageError: a claim or profile that does not exist.
    """
    from initcheck.engine.settings import Settings

    return Settings(seed=values["seed"], profile=values["profile"], claims=values["claims"], timeout=values["timeout"])


def contract(values: Mapping[str, Any]) -> Any:
    """The contract of ``--contract``, or None where nothing was said.

    Raises:
        UsageError: the text names an unknown key or value.
    """
    from initcheck.contract.contract import Contract

    if values["contract"] is None or isinstance(values["contract"], Contract):
        return values["contract"]
    try:
        return Contract.from_text(values["contract"])
    except UsageError as error:
        raise UsageError(f"--contract: {error}") from None


def plan(targets: Iterable[str], values: Mapping[str, Any], command: str) -> Plan:
    """Make the plan of a run of the options' values.

    Args:
        targets: target texts, in the order given.
        values: option name -> value, as the parser read them.
        command: the command line that asked for the run.

    Raises:
        UsageError: a target, claim, profile, contract or waiver that does not exist, or a baseline that cannot be read.
    """
    from initcheck.runs.plan import Plan

    return Plan(
        targets,
        settings(values),
        contract=contract(values),
        command=command,
        strict=bool(values["strict"]),
        baseline=values["baseline"],
        updating=bool(values["baseline-update"]),
        theorems=bool(values["theorems"]),
        processes="each" if values["isolate"] else "one",
    )
