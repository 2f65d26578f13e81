"""Findings: the failures of a run gathered by their cause, one for each thing to mend."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from initcheck.grouping import grouped
from initcheck.report.results import Results
from initcheck.report.symptom import hence, symptom
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.safe_text import relative, without_folders

# Of claims that fail for one cause the first of these leads: what breaks the others stands before what they show.
_ROOTS = (
    "promises", "symmetry", "memory", "randomness", "globals", "centering", "scale", "law", "entries", "precision",
    "distribution", "orthogonality", "depth",
)  # fmt: skip
# Topic -> topics that follow from it, so that a failure there is no news, whatever cause was read off it.
_IMPLIES = {"scale": ("depth", "law"), "centering": ("depth",)}
# What shows each topic best, of the series that the evidence may carry.
_PICTURES = (
    "variance_by_width", "signal_by_depth", "gradient_by_depth", "gradient_ties", "singular_values", "histogram",
    "two_histograms",
)  # fmt: skip
_LIBRARY = os.path.dirname(os.__file__) + os.sep
_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+)')
# As faulthandler writes where a process was when it died: the innermost frame first.
_LAST_FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$')


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One initializer, or model, and one thing that is wrong with it; the failing claims are its consequences.

    Attributes:
        name: what links lead to: printable, unique in the report.
        initializer: the initializer's or the model's name, as in its results.
        place: file, relative to the project, and line; None where there is no source.
        symptom: what is wrong in one sentence of numbers.
        cause: the likely cause; None where nothing fits.
        fix: what to write instead.
        claims: the ids of the claims it explains, the root first: it reproduces the finding soonest.
        also: further cases of the same, such as other tensors of a model, one sentence each.
        hence: what follows from it: the claims that fail, those on depth in words of what is left.
        waiting: the ids of the claims that cannot be judged before it is mended.
        again: the command that shows it again.
        picture: the name of the series, in the evidence of the first claim, that shows the symptom.
    """

    name: str
    initializer: str
    place: tuple[str, int] | None = None
    symptom: str
    cause: str | None = None
    fix: str | None = None
    claims: tuple[str, ...]
    also: tuple[str, ...] = ()
    hence: str = ""
    waiting: tuple[str, ...] = ()
    again: str | None = None
    picture: str | None = None


def findings(report: Results) -> tuple[Finding, ...]:
    """Gather the failures of a run by initializer and cause, in the order of the run.

    Two failing claims share a finding where their likely cause is the same but for the numbers in it, or where one
    follows from the other: a signal that is lost in depth from a wrong scale. The root leads.

    >>> from initcheck.report.results import Run
    >>> scale, depth = (
    ...     Result(claim=claim, says=".", initializer="m:he", family=topic, topic=topic, verdict=Verdict.FAILS)
    ...     for claim, topic in (("output-variance-near-one", "scale"), ("signal-survives-depth", "depth"))
    ... )
    >>> [one] = findings(Results(run=Run(), results=(depth, scale)))
    >>> one.claims
    ('output-variance-near-one', 'signal-survives-depth')

    Args:
        report: the results of the run, and how it was made.
    """
    found: list[Finding] = []
    taken: set[str] = set()
    for results in grouped((r.initializer, r) for r in report.results).values():
        for group in _by_cause([r for r in results if r.verdict is Verdict.FAILS]):
            found.append(_finding(group, results, report, taken))
    return tuple(found)


def finding_of(result: Result) -> Finding:
    """One failing, or undecided, result told as a finding of its own: for readers that show results one by one."""
    return _finding([result], [result], None, set())


def _by_cause(failing: Iterable[Result]) -> list[list[Result]]:
    groups: list[list[Result]] = []
    for result in sorted(failing, key=_rank):
        # What shares a cause shares the finding, whatever else it might follow from.
        alike = (group for group in groups if _same_cause(group[0], result))
        following = (group for group in groups if any(_implies(root, result) for root in group))
        if (group := next(alike, None) or next(following, None)) is not None:
            group.append(result)
        else:
            groups.append([result])
    return groups


def _rank(result: Result) -> tuple[int, bool, int, str]:
    # Forward before backward, and what was shown by the fewest weights first.
    topic = _ROOTS.index(result.topic) if result.topic in _ROOTS else len(_ROOTS)
    return topic, result.backward, result.evidence.weights, result.claim


def _same_cause(root: Result, result: Result) -> bool:
    if root.reason or result.reason:
        # Not the weights are at fault but the record of them: a waiver, or a baseline, of what holds.
        return root.reason == result.reason
    causes = [r.evidence.likely for r in (root, result)]
    if None in causes:
        # A claim of the same topic that shows no cause of its own shares that of the first.
        return result.topic == root.topic != "" and causes[1] is None and _told_by_topic(result)
    one, other = (re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "#", cause or "") for cause in causes)
    return one == other


def _told_by_topic(result: Result) -> bool:
    # Promises are unlike one another (raising, a wrong dtype): there the topic alone joins nothing.
    return result.topic in ("scale", "depth", "symmetry")


def _implies(root: Result, result: Result) -> bool:
    return result.topic in _IMPLIES.get(root.topic, ()) and not root.reason and not result.reason


def _finding(group: Sequence[Result], results: Sequence[Result], report: Results | None, taken: set[str]) -> Finding:
    root = group[0]
    explained = tuple(r.claim for r in group)
    # The root may have no cause of its own where a claim that follows from it does.
    caused = next((r for r in group if r.evidence.likely), root)
    cause, place = caused.evidence.likely, root.location
    if cause is None and (raised := _raised_at(root.evidence)) is not None:
        cause = raised
    name = _slug(f"{root.initializer} {root.claim}")
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique)
    return Finding(
        name=unique,
        initializer=root.initializer,
        place=(relative(place[0]), place[1]) if place is not None else None,
        symptom=symptom(root),
        cause=without_folders(cause) if cause else None,
        fix=caused.evidence.fix,
        claims=explained,
        # Beside a tensor of a model stand the others; beside a shape, a traceback.
        also=root.evidence.detail if root.evidence.case and root.evidence.shape is None else (),
        hence=_hence(group),
        waiting=tuple(r.claim for r in results if r.waits_for in explained and r.verdict is Verdict.NOT_APPLICABLE),
        again=_again(root, report) if report is not None else root.reproduce,
        picture=next((s for s in _PICTURES if s in root.evidence.series), None),
    )


def _hence(group: Sequence[Result]) -> str:
    in_depth = hence(group)
    named = [r.claim for r in group if not (in_depth and r.topic == "depth" and r is not group[0])]
    return "; ".join(filter(None, (", ".join(named), in_depth)))


def _raised_at(evidence: Evidence) -> str | None:
    """The last line of the user's own code in a traceback, which is the cause of a call that raises."""
    lines = [line for text in evidence.detail for line in text.splitlines()]
    for line in lines:
        frame = _LAST_FRAME.match(line)
        if frame and not _of_python(frame["file"]):
            return f"{relative(frame['file'])}:{frame['line']}, in {frame['name']}"
    for number in range(len(lines) - 1, -1, -1):
        frame = _FRAME.match(lines[number])
        if frame:
            code = lines[number + 1].strip() if number + 1 < len(lines) else ""
            return f"{relative(frame['file'])}:{frame['line']}: {code}".rstrip(": ")
    return None


def _of_python(file: str) -> bool:
    """Whether a frame is in Python's own library, whose files `relative` names without their folder."""
    whole = os.path.join(_LIBRARY, file)
    theirs = os.path.isabs(file) or not os.path.isfile(file)
    return file.startswith("<frozen") or (theirs and whole.startswith(_LIBRARY) and os.path.isfile(whole))


def _again(root: Result, report: Results) -> str | None:
    if root.reproduce is None or not root.reproduce.startswith("pytest "):
        return root.reproduce
    import shlex

    target, held_to = asked_of(root)
    words = ["initcheck", target, "--claims", root.claim, *held_to]
    words += ["--isolate"] if "--initcheck-isolate" in root.reproduce else []
    words += ["--seed", str(report.run.seed)] if report.run.seed else []
    words += ["--profile", report.run.profile] if report.run.profile != "default" else []
    return shlex.join(words)


def asked_of(result: Result) -> tuple[str, list[str]]:
    """The target and the contract that a command line names to have an initializer judged as it was."""
    import shlex

    said: dict[str, str] = {}
    with contextlib.suppress(ValueError):  # read from a file, it may be no command
        said = dict(word.split("=", 1) for word in shlex.split(result.reproduce or "") if "=" in word)
    target, held_to = said.get("--initcheck", ""), said.get("--initcheck-contract")
    tables = target.startswith("@")  # what they say of it, no command line can
    return target if tables else result.initializer, ["--contract", held_to] if held_to else []


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:120] or "finding"
