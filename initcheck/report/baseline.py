"""Known failures: a file that lists them with date and reason, so that a new failure is seen at once."""

from __future__ import annotations

import dataclasses
import datetime
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError, closest, refuse_unknown
from initcheck.report.journal import replace_file
from initcheck.report.verdict import Result, Verdict

BASELINE_FORMAT = "initcheck-baseline/1"
UNEXPLAINED = "not explained yet: it failed when the baseline was written"


@dataclass(frozen=True, kw_only=True)
class Known:
    """One failure that is known.

    Attributes:
        initializer: its name, as in a report.
        claim: the id of the claim that fails.
        since: when it was entered.
        reason: why it is let be.
    """

    initializer: str
    claim: str
    since: datetime.date
    reason: str


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The failures that are known; a run fails only for others, and for an entry that no longer fails.

    >>> since = datetime.date(2026, 5, 4)
    >>> entry = Known(initializer="m:he", claim="zero-mean", since=since, reason="ticket 12")
    >>> print(Baseline(entries=(entry,)).to_toml())
    format = "initcheck-baseline/1"
    <BLANKLINE>
    [[known]]
    initializer = "m:he"
    claim = "zero-mean"
    since = 2026-05-04
    reason = "ticket 12"
    <BLANKLINE>

    Attributes:
        entries: one a claim and initializer.
        name: of the file, for messages.
    """

    entries: tuple[Known, ...] = ()
    name: str = "the baseline"

    @classmethod
    def read(cls, path: str | Path, *, claims: Iterable[str] | None = None, create: bool = False) -> Baseline:
        """Read a baseline file.

        Args:
            path: a TOML file, as ``to_toml`` writes it.
            claims: the ids that exist; an entry of another one is an error. Not looked at where None.
            create: take a file that does not exist for an empty one.

        Raises:
            UsageError: no such file, no TOML, an unknown key or claim, a missing value, the same entry twice.
        """
        try:
            data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            if create:
                return cls(name=str(path))
            raise UsageError(
                f"the baseline {str(path)!r} does not exist; write it once with the option baseline-update."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"the baseline {str(path)!r} is not TOML: {error}.") from None
        except OSError as error:
            raise UsageError(f"the baseline {str(path)!r} cannot be read: {error.strerror}.") from None
        if data.get("format") != BASELINE_FORMAT:
            raise UsageError(f"{str(path)!r} is no baseline: it lacks format = {BASELINE_FORMAT!r} at its top.")
        tables = data.get("known", [])
        if not isinstance(tables, list) or set(data) - {"format", "known"}:
            odd = ", ".join(sorted(set(data) - {"format", "known"})) or "known"
            raise UsageError(f"the baseline {str(path)!r} may hold format and [[known]] tables only; look at: {odd}.")
        valid = sorted(claims) if claims is not None else None
        entries = [_known(t, f"[[known]] number {n} of {path}", valid) for n, t in enumerate(tables, 1)]
        seen: set[tuple[str, str]] = set()
        for e in entries:
            if (e.initializer, e.claim) in seen:
                raise UsageError(f"the baseline {str(path)!r} lists {e.claim} of {e.initializer} twice; remove one.")
            seen.add((e.initializer, e.claim))
        return cls(entries=tuple(entries), name=str(path))

    def write(self, path: str | Path) -> None:
        """Write the file, sorted, so that two runs differ only where their failures do.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            replace_file(path, self.to_toml())
        except OSError as error:
            raise UsageError(f"the baseline cannot be written to {str(path)!r}: {error.strerror}.") from None

    def to_toml(self) -> str:
        """The text of the file."""
        parts = [f'format = "{BASELINE_FORMAT}"\n']
        for e in sorted(self.entries, key=lambda e: (e.initializer, e.claim)):
            parts.append(
                f"\n[[known]]\ninitializer = {_quoted(e.initializer)}\nclaim = {_quoted(e.claim)}\n"
                f"since = {e.since.isoformat()}\nreason = {_quoted(e.reason)}\n"
            )
        return "".join(parts)

    def find(self, result: Result) -> Known | None:
        """The entry of a result's initializer and claim, if there is one."""
        return next((e for e in self.entries if (e.initializer, e.claim) == (result.initializer, result.claim)), None)

    def judged(self, result: Result, *, updating: datetime.date | None = None) -> Result:
        """The result in the light of the baseline: a known failure is waived, an entry that holds fails.

        What is undecided or not applicable stays so: it was neither shown to fail nor shown to hold.

        Args:
            result: as it was decided.
            updating: today, where the file is written anew: every failure is then known, no entry wrong.
        """
        known = self.find(result)
        if known is None and updating is not None:
            known = _entry(result, updating)
        if known is None:
            return result
        since = known.since.isoformat()
        if result.verdict is Verdict.FAILS:
            reason = f"known failure since {since}: {known.reason}"
            return dataclasses.replace(result, verdict=Verdict.WAIVED, reason=reason, known_since=since)
        if result.verdict is Verdict.HOLDS and updating is None:
            reason = (
                f"{self.name} lists it as failing since {since} ({known.reason}) and yet it holds:"
                " remove the entry, or write the file anew with the option baseline-update"
            )
            return dataclasses.replace(result, verdict=Verdict.FAILS, reason=reason, known_since=since)
        return result

    def updated(self, results: Iterable[Result], *, today: datetime.date) -> Baseline:
        """The baseline that these results ask for.

        A failure that was known keeps its date and reason, a new one gets today's, an entry that holds goes,
        and what was not asked in this run stays.

        Args:
            results: as they were decided, or as ``judged`` left them.
            today: the date of new entries.
        """
        entries = {(e.initializer, e.claim): e for e in self.entries}
        for r in results:
            key = (r.initializer, r.claim)
            judged = r.known_since is not None
            if r.verdict is (Verdict.WAIVED if judged else Verdict.FAILS):
                entries.setdefault(key, _entry(r, today))
            elif r.verdict is (Verdict.FAILS if judged else Verdict.HOLDS):
                entries.pop(key, None)
        return dataclasses.replace(self, entries=tuple(entries.values()))

    @property
    def header(self) -> str:
        """How many entries are in force, for the header of a run."""
        n = len(self.entries)
        return f"{self.name}: {n:,} known {'failure' if n == 1 else 'failures'} in force"


def _entry(result: Result, since: datetime.date) -> Known:
    return Known(initializer=result.initializer, claim=result.claim, since=since, reason=UNEXPLAINED)


def _known(table: Any, where: str, claims: list[str] | None) -> Known:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} is {table!r}; it must be a table.")
    keys = [f.name for f in dataclasses.fields(Known)]
    refuse_unknown(table, keys, f"{where} has no key")
    for key in keys:
        if key not in table:
            raise UsageError(f"{where} lacks {key}; an entry needs initializer, claim, since and reason.")
    for key in ("initializer", "claim", "reason"):
        if not isinstance(table[key], str) or not table[key].strip():
            raise UsageError(f"{where}: {key} = {table[key]!r} must be text.")
    since = table["since"]
    if not isinstance(since, datetime.date) or isinstance(since, datetime.datetime):
        raise UsageError(f"{where}: since = {since!r} must be a date without quotes, such as 2026-05-04.")
    if claims is not None and table["claim"] not in claims:
        raise UsageError(f"{where}: there is no claim {table['claim']!r}; {closest(table['claim'], claims)}")
    return Known(**{key: table[key] for key in keys})


def _quoted(text: str) -> str:
    # A JSON string is a TOML string but for DEL, and for halves of surrogate pairs, which no file can hold.
    text = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
