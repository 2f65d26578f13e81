"""The options of a run, stated once: the command line and the pytest plugin are both made from this table."""

from __future__ import annotations

import argparse
import difflib
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

from initcheck.errors import UsageError
from initcheck.targets.text import pattern_and_law

TargetKind = Literal["initializers", "models", "pairs", "locks"]


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
        of: what it is said of, if not of whatever is judged: ``initcheck TARGET`` has the options of initializers,
            ``initcheck model TARGET`` those of models, ``initcheck same A B`` those of pairs, pytest has all.
        many: whether it can be given more than once.
        configured: whether ``[tool.initcheck]`` may hold it; not what is said for one run, or for each model.
    """

    name: str
    help: str
    default: Any = None
    read: Callable[[str], Any] = str
    metavar: str | None = None
    short: str | None = None
    door: Literal["both", "command line"] = "both"
    of: tuple[TargetKind, ...] = ("initializers", "models", "pairs", "locks")
    many: bool = False
    configured: bool = True

    @property
    def dest(self) -> str:
        """Its name in pytest's configuration."""
        return f"initcheck_{self.name.replace('-', '_')}"


def _seed(text: str) -> int:
    if text == "random":
        # Drawn once, where the run starts; workers are told the number.
        return int.from_bytes(os.urandom(4), "big") % 2**31
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


def _number_of(noun: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {noun} from 1 on.")
        return int(text)

    return read


def _mesh(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, size = (word.strip() for word in part.partition("="))
        if not (name.isidentifier() and size.isdecimal() and int(size) > 0):
            raise argparse.ArgumentTypeError(f"{text!r} is no mesh such as dp=2,tp=2.")
        found[name] = int(size)
    return found


def _law(text: str) -> tuple[str, str]:
    try:
        return pattern_and_law(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _file(text: str) -> str:
    if not text.strip():  # such as a variable that the shell does not have
        raise argparse.ArgumentTypeError(f"{text!r} names no file.")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no claim; give ids as in zero-mean,finite.")
    return names


# What is said for one run on a model or on locks; the latter on the command line alone.
_of_models = functools.partial(Option, of=("models",), configured=False)
_of_locks = functools.partial(Option, of=("locks",), configured=False, door="command line")

OPTIONS = (
    Option(name="claims", metavar="A,B", read=_names, help="ask only these claims (ids, separated by commas)"),
    Option(
        name="profile",
        metavar="NAME",
        default="default",
        of=("initializers", "pairs", "locks"),
        help="how much to look at: quick, default or thorough",
    ),
    Option(name="seed", metavar="N", default=0, read=_seed, help="seed of the run, or 'random' (default 0)"),
    Option(name="strict", default=False, help="let UNDECIDED fail too"),
    Option(
        name="contract",
        metavar="TEXT",
        of=("initializers",),
        help="what to hold the targets to: activation=relu,layout=out_in",
    ),
    Option(name="timeout", metavar="SECONDS", read=_seconds, help="seconds that one claim may take"),
    Option(name="isolate", default=False, help="run each target in a process of its own"),
    Option(
        name="theorems", default=False, of=("initializers",), help="run the theorems and myths too; they need no target"
    ),
    Option(name="json", metavar="FILE", read=_file, help="write the report there as JSON, claim by claim"),
    Option(name="html", metavar="FILE", read=_file, help="write the report there as one HTML page"),
    Option(name="junit", metavar="FILE", read=_file, help="write the report there as JUnit XML (xunit2)"),
    Option(name="markdown", metavar="FILE", read=_file, help="write a summary there, for a job summary or a comment"),
    Option(name="github", default=False, help="print GitHub annotations at the lines of the targets"),
    Option(
        name="previous",
        metavar="FILE",
        read=_file,
        help="JSON report of the last run: the HTML page and the Markdown say what changed",
    ),
    Option(
        name="resume",
        metavar="FILE",
        read=_file,
        configured=False,
        help="JSON report of this run where it did not come to its end: results that are there are not made again",
    ),
    Option(
        name="failed",
        default=False,
        door="command line",
        configured=False,
        help="ask again only what failed in the last run in this folder, or in the report that --previous names",
    ),
    Option(name="baseline", metavar="FILE", read=_file, help="known failures: only others fail, and entries that hold"),
    Option(
        name="baseline-update",
        default=False,
        configured=False,
        help="write the failures of this run to the baseline's file",
    ),
    Option(
        name="jobs",
        short="j",
        metavar="N",
        default=1,
        read=_number_of("processes"),
        door="command line",
        help="number of processes",
    ),
    _of_models(
        name="law",
        metavar="PATTERN=LAW",
        read=_law,
        many=True,
        help="declare the standard deviation of tensors: '*.c_proj.weight=0.02/sqrt(2*L)' (repeatable)",
    ),
    _of_models(
        name="batch",
        metavar="TEXT",
        help="what a model is run on: 4x3x32x32, int<100:2x16, input_ids=int<100:2x16, or pkg:make_batch",
    ),
    _of_models(
        name="models",
        metavar="N",
        read=_number_of("models"),
        help="most models of fresh seeds (80 for a small model, 5 above 100 M parameters)",
    ),
    _of_models(
        name="laws",
        default=False,
        door="command line",
        help="list every group of tensors of a model with the law that they were drawn from",
    ),
    _of_models(
        name="writes",
        default=False,
        door="command line",
        help="list which line wrote each role of a model last, and what it wrote over",
    ),
    Option(
        name="world",
        metavar="N",
        read=_number_of("processes"),
        of=("models", "pairs"),
        configured=False,
        help="build the model in N processes of the CPU (gloo), and judge whether its ranks hold one model; of two"
        " models the whole that N ranks hold together is compared, where a factory has rank and world",
    ),
    _of_models(
        name="mesh",
        metavar="NAME=N,..",
        read=_mesh,
        help="the device mesh that a factory with a parameter mesh is given: dp=2,tp=2 (in --world 4)",
    ),
    Option(
        name="layouts",
        metavar="A,B",
        read=_names,
        of=("pairs",),
        configured=False,
        help="how the weights of A and of B are laid out, where that is not known: in_out,out_in",
    ),
    _of_locks(name="check", default=False, help="fail on any change of law since the law file was written"),
    _of_locks(name="update", default=False, help="write the law file anew, and print what changed"),
    _of_locks(
        name="output",
        short="o",
        metavar="LOCK",
        read=_file,
        help="the law file to write; it is printed where there is none",
    ),
    _of_locks(name="like", metavar="MODEL", help="hold the targets to the laws of gpt2, llama, bert, t5, vit or mamba"),
)

FILE_OPTIONS = tuple(o.name for o in OPTIONS if o.metavar == "FILE")
"""The options that name a file."""

KIND_OF_CLAIM: Mapping[TargetKind, Literal["check", "model", "pair", "lock", "ranks"]] = {
    "initializers": "check",
    "models": "model",
    "pairs": "pair",
    "locks": "lock",
}
"""What a door calls its targets -> the kind of the claims that are asked of them."""


def of_kind(kind: TargetKind) -> tuple[Option, ...]:
    """The options of a run on initializers, or of one on models.

    >>> [o.name for o in of_kind("models") if o not in of_kind("initializers")]
    ['law', 'batch', 'models', 'laws', 'writes', 'world', 'mesh']
    """
    return tuple(o for o in OPTIONS if kind in o.of)


def _arguments(option: Option) -> dict[str, Any]:
    # None says that nothing was given here: pyproject.toml decides then, and the option's own default last.
    if option.metavar is None:
        return {"action": "store_true", "default": None, "help": option.help}
    return {
        "action": "append" if option.many else "store",
        "type": option.read,
        "default": None,
        "metavar": option.metavar,
        # A percent sign would be read as the beginning of a placeholder.
        "help": option.help.replace("%", "%%"),
    }


def add_to_argparse(parser: argparse.ArgumentParser, kind: TargetKind) -> None:
    """Add the options of a run on one kind of thing to a command-line parser, each under its own name."""
    for option in of_kind(kind):
        flags = [f"-{option.short}"] if option.short else []
        parser.add_argument(*flags, f"--{option.name}", dest=option.name, **_arguments(option))


def add_to_pytest(group: pytest.OptionGroup) -> None:
    """Add every option that pytest shares to its group, prefixed with ``initcheck-``; of initializers and of models."""
    for option in OPTIONS:
        if option.door == "both":
            name = f"initcheck-{option.name}"
            group.addoption(f"--{name}", dest=option.dest, **_arguments(option))


# The fields of a contract, named here because a contract loads what --help has no use for.
_PROMISED = (
    "activation", "gain", "fan", "layout", "groups", "distribution", "entries", "std", "mean", "stack", "dtypes",
    "depth", "widths",
)  # fmt: skip


def unknown(words: Sequence[str], kind: TargetKind) -> str:
    """The sentence on words that a parser of ours could not read; it names the closest option.

    >>> unknown(["--bath=2x16"], "models")
    "there is no option --bath; did you mean '--batch'?"
    >>> unknown(["--profile=quick"], "models")
    '--profile is an option of initializers; a run on models has none of that name'
    """
    word = next((w for w in words if w.startswith("-")), None)
    if word is None:
        return f"{words[0]!r} is one word too many"
    flag, _, value = word.partition("=")
    key = flag.lstrip("-").replace("-", "_")
    if key in _PROMISED:
        value = value or next(iter(words[words.index(word) + 1 :]), "...")
        return f"there is no option {flag}: what is promised is one option, --contract {key}={value}"
    for other in KIND_OF_CLAIM:
        if flag in {f"--{o.name}" for o in of_kind(other)} and other != kind:
            return f"{flag} is an option of {other}; a run on {kind} has none of that name"
    valid = [f"--{o.name}" for o in of_kind(kind)]
    near = difflib.get_close_matches(flag, [*valid, "--help", "--version", "--verbose"], n=1, cutoff=0.5)
    return f"there is no option {flag}" + (f"; did you mean {near[0]!r}?" if near else f"; valid: {', '.join(valid)}")
