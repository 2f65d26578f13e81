"""The result of a run, as data: every rendering reads this and nothing else."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from initcheck.errors import ClaimFailed, UsageError
from initcheck.report import notebook
from initcheck.report.account import failure_text, finding_lines, page_lines
from initcheck.report.finding import Finding, findings
from initcheck.report.results import NotChecked, Results, Run
from initcheck.report.verdict import Evidence, Result, Verdict

REPORT_FORMAT = "initcheck-report/1"
OPTIONAL = ("backward", "unread")
"""The fields of a result that are left out of plain data where they are false."""


@dataclass(frozen=True, kw_only=True)
class Report(Results):
    """The verdicts of a run on one or more initializers.

    >>> import initcheck
    >>> report = initcheck.check("initcheck.gallery:he_normal", claims=["returns-the-shape-asked"])
    >>> report.ok, report["returns-the-shape-asked"].verdict.value
    (True, 'HOLDS')
    """

    @functools.cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The failures gathered by initializer and cause: what a reader is told, and what every rendering shows."""
        return findings(self)

    def __str__(self) -> str:
        """The page that the command line prints."""
        return "\n".join(page_lines(self, self.findings))

    def _repr_html_(self) -> str:
        # Jupyter and its kin show this instead of repr() where a report is the value of a cell.
        return notebook.render(self, self.findings)

    def without(self, names: Collection[str]) -> Report:
        """The same report with nothing of these initializers or models in it.

        Args:
            names: as in ``initializers``.
        """
        results = tuple(r for r in self.results if r.initializer not in names)
        contracts = {name: held_to for name, held_to in self.contracts.items() if name not in names}
        left = tuple(n for n in self.not_checked if n.name not in names)
        return dataclasses.replace(self, results=results, contracts=contracts, not_checked=left)

    def raise_for_failures(self) -> None:
        """Make a CI gate of the report.

        Raises:
            ClaimFailed: a claim fails, or one that another needs, or its own code broke; the message is every finding.
            UsageError: nothing was decided, or nothing of something that was named, so that a green gate would say
                nothing.
        """
        if self.failures or self.broken:
            found = ["\n".join(finding_lines(f)) for f in self.findings]
            raise ClaimFailed("\n\n".join([*found, *(failure_text(r) for r in self.broken)]))
        if self.unanswered:
            raise ClaimFailed("\n".join(f"{r.initializer}: {r.claim} {r.reason}" for r in self.unanswered))
        if not self.decided:
            raise UsageError("this run decided no claim at all; a gate that looked at nothing cannot pass.")
        if self.unshown:
            said = "; ".join(f"{n.name}: {n.reason.rstrip('.')}" for n in self.unshown)
            raise UsageError(f"a gate that did not look at all that was named cannot pass: {said}.")

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data: what ``to_json`` writes."""
        found = [_plain(dataclasses.asdict(f)) for f in self.findings]
        results = [result_to_plain(r) for r in self.results]
        return {"format": REPORT_FORMAT, "findings": found, **_plain(dataclasses.asdict(self)), "results": results}

    def to_json(self, *, indent: int | None = 2) -> str:
        """The report as JSON; infinite and undefined numbers become the strings 'inf', '-inf', 'nan'."""
        text = json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)
        # Half of a surrogate pair, which a message of user code may have and no file can hold, becomes its escape.
        return text.encode(errors="backslashreplace").decode()

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what ``to_json`` wrote.

        Raises:
            UsageError: the text is not such a report.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise UsageError(f"this is no JSON report of initcheck: {error}.") from None
        if not isinstance(data, dict) or data.get("format") != REPORT_FORMAT:
            raise UsageError(f"this JSON is no report in the format {REPORT_FORMAT!r}.")
        try:
            return cls(
                run=Run(**data["run"]),
                results=tuple(result_from_plain(r) for r in data["results"]),
                contracts=data["contracts"],
                not_checked=tuple(NotChecked(**n) for n in data["not_checked"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"this JSON says it is {REPORT_FORMAT!r} but lacks or adds something: {type(error).__name__}: {error}."
                " Write it again with this version of initcheck."
            ) from None


def result_to_plain(result: Result) -> dict[str, Any]:
    """One result as plain data, to be sent between processes or written claim by claim."""
    plain: dict[str, Any] = _plain(dataclasses.asdict(result))
    for name in OPTIONAL:
        if not plain[name]:
            del plain[name]
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value.value if isinstance(value, Verdict) else value


def _number(value: Any) -> Any:
    return float(value) if value in ("inf", "-inf", "nan") else value


def result_from_plain(data: Mapping[str, Any]) -> Result:
    """Read what ``result_to_plain`` made."""
    evidence = {k: _number(v) if isinstance(v, str) and k in _NUMBERS else v for k, v in data["evidence"].items()}
    for key in ("shape", "band", "interval", "detail"):
        if evidence.get(key) is not None:
            evidence[key] = tuple(_number(v) if key in ("band", "interval") else v for v in evidence[key])
    fields = {
        # A report written before claims had topics knows the module each stands in.
        "topic": data["family"],
        **data,
        "verdict": Verdict(data["verdict"]),
        "evidence": Evidence(**evidence),
        "notes": tuple(data["notes"]),
        "location": tuple(data["location"]) if data["location"] else None,
    }
    return Result(**fields)


_NUMBERS = ("value", "e_value_log10", "error_spent")
