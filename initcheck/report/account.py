"""What a run found, in words: a finding in five lines, one result in full, the end of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from initcheck.contract.contract import DENSE_ONLY, OF_KERNELS, SIDE_BY_SIDE
from initcheck.grouping import grouped
from initcheck.report.finding import Finding, asked_of, finding_of
from initcheck.report.results import Results
from initcheck.report.summary import amount
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.safe_text import escaped
from initcheck.wording import counted, listed

WHOLE = 3  # initializers up to which a finding is told in full; more of them have three lines each
_WIDE = 120  # characters beyond which the symptom has a line of its own
_LISTED = 4  # claims spelled out where others are waiting or follow
_ALSO = 8
_REASONS = 12
_MORE = {"quick": "default", "default": "thorough"}


def finding_lines(found: Finding, *, brief: bool = False) -> list[str]:
    r"""One finding: what it is, the symptom, the cause, the fix, what follows, and how to see it again.

    >>> found = Finding(name="f", initializer="my:he", place=("my.py", 5), symptom="output variance is 0.33",
    ...                 cause="a uniform on +-1/sqrt(fan_in)", fix="+-sqrt(3/fan_in)", claims=("a", "b"), hence="a, b")
    >>> print("\n".join(finding_lines(found)))
    my.py:5  he  FAILS
      output variance is 0.33
      cause   a uniform on +-1/sqrt(fan_in)
      fix     +-sqrt(3/fan_in)
      hence   a, b
    >>> print("\n".join(finding_lines(found, brief=True)))
    my.py:5  he  FAILS  output variance is 0.33
      cause   a uniform on +-1/sqrt(fan_in)
      fix     +-sqrt(3/fan_in)    hence 1 more claim

    Args:
        found: the finding.
        brief: tell it in three lines, for a page of many.
    """
    head, symptom = f"{_where(found)}  FAILS", escaped(found.symptom, 1_000)
    told = [("cause", found.cause), ("fix", found.fix)]
    lines = [f"{'also':<8}{escaped(text, 1_000)}" for text in found.also[:_ALSO]]
    if len(found.also) > _ALSO:
        lines.append(f"{'also':<8}{len(found.also) - _ALSO:,} more; -v names them")
    lines += [f"{label:<8}{escaped(text, 1_000)}" for label, text in told if text]
    waits = _waits(found.waiting)
    if brief:
        others = len(found.claims) - 1
        more = [f"hence {counted(others, 'more claim')}"] if others else []
        more += [waits] if waits else []
        if more:
            lines[-1:] = [f"{lines[-1]}    {'; '.join(more)}"] if lines else ["; ".join(more)]
        first = f"{head}  {symptom}"
        return [*([first] if len(first) <= _WIDE else [head, f"  {symptom}"]), *(f"  {line}" for line in lines)]
    lines.append(f"{'hence':<8}{'; '.join(filter(None, (found.hence, waits)))}")
    if found.again:
        lines.append(f"{'again':<8}{escaped(found.again, 20_000)}")
    return [head, f"  {symptom}", *(f"  {line}" for line in lines)]


def told_lines(found: Sequence[Finding], held_to: Mapping[str, Any] | None, *, brief: bool = False) -> list[str]:
    """All findings of one initializer, or the numbered problems of one model.

    Args:
        found: at least one, all of the same initializer or model.
        held_to: what a report tells of it beside the verdicts: a contract, or the portrait of a model.
        brief: tell each in three lines, for a page of many.
    """
    if not held_to or "parameters" not in held_to:
        return [line for one in found for line in finding_lines(one, brief=brief)]
    size = f"{amount(held_to['parameters'])} parameters, {counted(held_to['tensors'], 'tensor')}"
    size += f", {counted(held_to['blocks'], 'block')}" if held_to.get("blocks") else ""
    lines = [f"{_where(found[0])}  {size}  FAILS"]
    for number, one in enumerate(found, 1):
        first, *rest = finding_lines(one)[1:]
        lines += [f"{number}. {first.strip()}", *(f" {line}" for line in rest)]
    return lines


def _where(found: Finding) -> str:
    """File and line, then the name; without its module where the file says that already."""
    if found.place is None:
        return escaped(found.initializer, 200)
    file, line = found.place
    module, _, name = found.initializer.partition(":")
    stem = file.rpartition("/")[2].removesuffix(".py")
    known = bool(name) and stem == module.rpartition("/")[2].removesuffix(".py").rpartition(".")[2]
    return f"{escaped(file)}:{line}  {escaped(name if known else found.initializer, 200)}"


def _waits(waiting: Sequence[str]) -> str:
    if not waiting:
        return ""
    if len(waiting) > _LISTED:
        return f"{len(waiting)} claims cannot be judged before it is mended"
    return f"not judged before it is mended: {', '.join(map(escaped, waiting))}"


def one_result(result: Result) -> str:
    """One failing result in five lines, or an undecided one in four: for test runners that show results one by one."""
    found = finding_of(result)
    head = f"{_where(found)}  {result.verdict.value}  {escaped(result.claim)}"
    if result.verdict is not Verdict.FAILS:
        lines = [f"{'seen':<8}{escaped(result.reason or 'no reason was given', 1_000)}"]
        lines += [f"{'again':<8}{escaped(found.again, 20_000)}"] if found.again else []
        return "\n".join([head, f"  {escaped(result.says)}", *(f"  {line}" for line in lines)])
    body = [line for line in finding_lines(found)[1:] if not line.startswith("  hence ")]
    return "\n".join([head, *body])


def open_lines(report: Results) -> list[str]:
    """What stays open: claims that are undecided, each with what was seen and what to do, and claims that broke."""
    lines = [f"{escaped(r.initializer, 200)}  BROKEN  {escaped(r.claim)}: {escaped(r.reason or '', 1_000)}"
             for r in report.broken]  # fmt: skip
    of_each = grouped((r.initializer, r) for r in report.results if r.verdict is Verdict.UNDECIDED and not r.broke)
    alike: dict[tuple[str | None, ...], list[str]] = {}
    for initializer, results in of_each.items():
        # What has to be declared, or mended, is another thing of another initializer.
        own = results[0].reason if _wants_a_word(results[0]) or _raises(results[0]) else None
        alike.setdefault((own, *(r.claim for r in results)), []).append(initializer)
    failing = {r.initializer for r in report.results if r.verdict is Verdict.FAILS}
    for initializers in alike.values():
        results = of_each[initializers[0]]
        first, claims = results[0], [r.claim for r in results]
        several = ", ".join(escaped(name, 200) for name in initializers)
        names = several if len(initializers) > 1 else _where(finding_of(first))
        lines.append(f"{names}  UNDECIDED  {', '.join(map(escaped, claims))}")
        lines.append(f"  seen    {escaped(first.reason or 'no reason was given', 1_000)}")
        more = _MORE.get(report.run.profile)
        strict = f"        (--strict would fail {'it' if len(claims) == 1 else 'them'})"
        if failing.issuperset(initializers):
            lines.append("  do      mend what fails first")
        elif _wants_a_word(first):
            lines.append(f"  do      declare what is meant: no number of draws tells{strict}")
        elif _raises(first):
            lines.append(f"  do      mend it, or name a function that calls it as it may be called{strict}")
        elif more and first.reproduce and first.reproduce.startswith("pytest "):
            import shlex

            target, held_to = asked_of(first)
            again = shlex.join(["initcheck", target, "--claims", ",".join(claims), *held_to, "--profile", more])
            lines.append(f"  do      {escaped(again, 4_000)}{strict}")
    return lines


def _wants_a_word(result: Result) -> bool:
    """Whether it stays open until somebody says what is meant."""
    return re.search(r"\bDeclare \w+=", result.reason or "") is not None


def _raises(result: Result) -> bool:
    """Whether it stays open because of an error that may be a refusal."""
    return re.search(r"\bit raises \w+", result.reason or "") is not None


def foot_lines(report: Results, found: Sequence[Finding], seconds: float | None = None) -> list[str]:
    """The end of the page: what was not looked at, what was assumed, and last the verdict with counts and seconds.

    Args:
        report: the results of a run.
        found: its findings.
        seconds: wall-clock time of the run; the sum over the verdicts where None.
    """
    lines = not_checked_lines(report) + _waiting(report)
    lines += _waived(report)
    lines += _assumed(report.contracts)
    # Of what is built already there is a portrait, and nothing that would have to be decided.
    shown = bool(report.contracts) and all(held_to.get("built") for held_to in report.contracts.values())
    if not report.decided and not shown:
        lines.append("nothing was decided: a run that shows nothing cannot pass")
    lines.append(last_line(report, found, seconds))
    return lines


def unshown_lines(report: Results) -> list[str]:
    """What is needed beside others and of which nothing was decided: a run that shows the others cannot pass for it."""
    asked = {r.initializer for r in report}
    names = [escaped(n.name, 200) for n in report.unshown if n.name in asked] if report.decided else []
    return [f"nothing was decided of {listed(names)}: a run that shows nothing of it cannot pass"] if names else []


def page_lines(report: Results, found: Sequence[Finding], seconds: float | None = None) -> list[str]:
    """The whole page: findings, what is open, the end; the arguments are those of ``foot_lines``."""
    lines: list[str] = []
    brief = len(report.initializers) > WHOLE
    for name in dict.fromkeys(f.initializer for f in found):
        lines += told_lines([f for f in found if f.initializer == name], report.contracts.get(name), brief=brief)
    opened = open_lines(report)
    if found or opened:
        opened.append("")
    return [*lines, *opened, *foot_lines(report, found, seconds)]


def not_checked_lines(report: Results) -> list[str]:
    """What was named and not looked at, a line a reason, with what to write to have it checked."""
    lines = []
    # Never cut: what looks like an initializer and was not looked at would pass for one that holds.
    for (reason, call), names in grouped(((n.reason, n.call_to_write), n.name) for n in report.not_checked).items():
        # A reason that ends in the call says it already; and a sentence in a sentence has no full stop.
        said = escaped(reason, 1_000).rstrip(".")
        write = f"; write {escaped(call, 1_000)}" if call and escaped(call, 1_000) not in said else ""
        lines.append(f"not checked: {listed([escaped(n, 120) for n in names])}: {said}{write}")
    return lines


def _waiting(report: Results) -> list[str]:
    """What waits for a claim that fails and was not asked for itself, so that no finding speaks of it."""
    waiting = report.unanswered
    if not waiting:
        return []
    import shlex

    said = [(r, escaped(r.initializer, 120), escaped(shlex.quote(r.initializer), 1_000)) for r in waiting]
    return [
        f"not judged: {name}: {r.claim}: {r.reason}; write {typed} --claims {r.waits_for}" for r, name, typed in said
    ]


def _waived(report: Results) -> list[str]:
    waived = (r for r in report.results if r.verdict is Verdict.WAIVED)
    reasons = grouped((r.reason or "no reason was given", r) for r in waived)
    lines = []
    for reason, results in list(reasons.items())[:_REASONS]:
        claims = ", ".join(dict.fromkeys(escaped(r.claim) for r in results))
        names = dict.fromkeys(r.initializer for r in results)
        of = f" of {len(names):,} initializers" if len(names) > 1 else ""
        if len(names) == 1 < len(report.initializers):
            of = f" of {escaped(next(iter(names)))}"
        lines.append(f"waived: {claims}{of}: {escaped(reason, 1_000)}")
    if len(reasons) > _REASONS:
        lines.append(f"waived: {len(reasons) - _REASONS:,} more reasons; the JSON report has them all")
    return lines


def _assumed(contracts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    of: dict[str, int] = {}
    for contract in contracts.values():
        for key, origin in (contract.get("origins") or {}).items():
            # A promise of the gradient that was read off draws may be a fan taken for the other.
            if origin == "assumed" or (origin, contract.get(key)) == ("inferred", "fan_out"):
                said = f"{key}={contract.get(key)}"
                of[said] = of.get(said, 0) + 1
        for note in contract.get("notes") or ():
            if note.startswith(OF_KERNELS):
                said = f"of its kernels {note.removeprefix(OF_KERNELS).partition(' (')[0]}"
                of[said] = of.get(said, 0) + 1
            elif packed := SIDE_BY_SIDE.match(note):
                of[packed[1]] = of.get(packed[1], 0) + 1
    dense = sum(any(n.startswith(DENSE_ONLY) for n in contract.get("notes") or ()) for contract in contracts.values())
    if dense:
        of["dense shapes only (declare a layout of kernels, such as hwio, to have them asked)"] = dense
    if not of:
        return []
    several = len(contracts) > 1
    said = ", ".join(escaped(field) + (f" of {n}" if several else "") for field, n in of.items())
    unsure = next(
        (key for key in ("layout", "fan") if any(s.startswith(f"{key}=") and s != "fan=fan_in" for s in of)), ""
    )
    swapped = f" (declare {unsure}= to have swapped fans found)" if unsure else ""
    return [f"assumed: {said}{swapped}; -v says more"]


def last_line(report: Results, found: Sequence[Finding], seconds: float | None = None, *, terminal: bool = True) -> str:
    """The verdict with counts and seconds; on a terminal also what to type for more.

    The other arguments are those of ``foot_lines``.
    """
    seconds = sum(r.seconds for r in report.results) if seconds is None else seconds
    run, names = report.run, report.initializers
    families = {r.family for r in report.results}
    models = any(family.startswith("models") for family in families)
    noun = "model" if models else "initializer"
    if families == {"two_starts"}:
        noun = "pair" if any(r.label != "lock" for r in report.results) else "lock"
    held = sum(r.verdict is Verdict.HOLDS for r in report.results)
    undecided = sum(r.verdict is Verdict.UNDECIDED for r in report.results)
    failing = len({f.initializer for f in found})
    claims = sum(len(f.claims) for f in found)
    if failing:
        asked = sum(r.verdict is not Verdict.NOT_APPLICABLE for r in report.results)
        if len(names) == 1:
            causes = "" if len(found) == 1 else f"{len(found)} causes, "
            said = f"1 fails ({causes}{counted(claims, 'claim')} of {asked})"
            said += f", {undecided} undecided" if undecided else ""
        else:
            verb = "fails" if failing == 1 else "fail"
            said = f"{failing} {verb} ({counted(len(found), 'cause')}, {counted(claims, 'claim')})"
            kept = len(names) - len({r.initializer for r in report.results if r.verdict in _OPEN})
            said += f", {kept} keep{'s' if kept == 1 else ''} all" if kept else ""
            said += f", {counted(undecided, 'claim')} undecided" if undecided else ""
    elif not names:
        said = "nothing was asked"
    else:
        waiting = counted(len(report.unanswered), "claim")
        verdict = f"{waiting} not judged, for want of one that fails" if report.unanswered else "nothing fails"
        verdict += f", {len(report.unshown):,} not checked" if report.unshown else ""
        said = f"{verdict} ({counted(held, 'claim')} hold{'s' if held == 1 else ''}, {undecided} undecided)"
    rate = _one_in(run.alpha)
    each = f" for each {noun}" if len(names) > 1 else ""
    sure = f"; wrong with probability <= {run.beta:g} a claim" if held else ""
    if failing:
        sure = f"; false alarm <= {rate}{each}" + ("; -v for the evidence" if terminal else "")
    profile = "" if run.profile == "default" else f", profile {escaped(run.profile)}"
    took = f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    return f"{counted(len(names), noun)}: {said}{'     ' if terminal else '; '}{took}, seed {run.seed}{profile}{sure}"


_OPEN = (Verdict.FAILS, Verdict.UNDECIDED)


def _one_in(rate: float) -> str:
    return f"1 in {1 / rate:,.0f}" if 0 < rate < 1 else f"{rate:g}"


def failure_text(result: Result) -> str:
    """The whole account of one verdict, in the order in which a reader asks.

    Claim, verdict and initializer; the sentence; measured against allowed; the smallest case; the evidence;
    the likely cause; its fix; how to reproduce it. A line that has nothing to say is not printed.
    """
    head = f"{escaped(result.claim)}  {result.verdict.value}  for {escaped(result.initializer)}"
    lines = [head, f"  {escaped(result.says)}"]
    for label, text in _account(result):
        lines.append(f"    {label:<12}{text}".rstrip())
    return "\n".join(lines)


def _account(result: Result) -> Iterator[tuple[str, str]]:
    e = result.evidence
    if result.reason:
        yield "reason", escaped(result.reason, 2_000)
    if e.measured is not None and e.allowed is not None and len(e.measured) <= 12:
        yield "measured", f"{escaped(e.measured):<12} allowed {escaped(e.allowed)}"
    else:
        if e.measured is not None:
            yield "measured", escaped(e.measured)
        if e.allowed is not None:
            yield "allowed", escaped(e.allowed)
    if case := _case(e):
        yield "smallest", case
    if evidence := evidence_text(e):
        yield "evidence", evidence
    for line in e.detail:
        yield "", escaped(line)
    if e.likely:
        yield "likely", escaped(e.likely)
    if e.fix:
        yield "fix", escaped(e.fix)
    for note in result.notes:
        yield "note", escaped(note, 1_000)
    if result.reproduce:
        yield "reproduce", escaped(result.reproduce, 20_000)


def _case(evidence: Evidence) -> str:
    if evidence.case:
        return escaped(evidence.case)
    if evidence.shape is None:
        return ""
    return f"shape {evidence.shape}" + (f", {evidence.dtype}" if evidence.dtype else "")


def evidence_text(evidence: Evidence) -> str:
    """How much was drawn and how sure that makes us, as one line; empty where nothing was drawn."""
    parts = []
    if evidence.weights:
        parts.append(f"{counted(evidence.weights, 'weight')} in {counted(evidence.calls, 'call')}")
    elif evidence.calls:
        parts.append(counted(evidence.calls, "call"))
    if evidence.e_value_log10 is not None:
        parts.append(f"e-value 10^{evidence.e_value_log10:.1f}")
    if evidence.error_spent:
        parts.append(f"error rate spent {evidence.error_spent:.2g}")
    return "; ".join(parts)
