"""The report as JUnit XML (the xunit2 schema), for the test views of CI servers."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from initcheck.report.account import failure_text, one_result
from initcheck.report.report import Report
from initcheck.report.summary import sum_of_verdicts, what_happened
from initcheck.report.symptom import symptom
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import clean, escaped


def render(report: Report, *, strict: bool = False) -> str:
    """Write one test suite an initializer and one test case a claim.

    FAILS is a failure; a claim whose own code broke, and what was named and not looked at, is an error; WAIVED,
    UNDECIDED and NOT APPLICABLE are skipped with the reason.

    >>> from initcheck.report.results import Run
    >>> print(render(Report(run=Run(), results=())).splitlines()[1])
    <testsuites name="initcheck" tests="0" failures="0" errors="0" time="0.000" />
    """
    totals = _totals("initcheck", tuple(report), strict, skipped=False)
    totals |= {key: str(int(totals[key]) + len(report.unshown)) for key in ("tests", "errors")}
    root = ET.Element("testsuites", totals)
    for name in report.initializers:
        results = report.of(name)
        suite = ET.SubElement(root, "testsuite", _totals(escaped(name), results, strict))
        properties = ET.SubElement(suite, "properties")
        places = [r.location for r in results if r.location is not None][:1]
        said = [
            *_properties(report),
            *((k, str(v)) for file, line in places for k, v in (("file", file), ("line", line))),
        ]
        for key, value in said:
            ET.SubElement(properties, "property", {"name": key, "value": escaped(value)})
        for result in results:
            _case(suite, result, strict)
    for left in report.unshown:
        one = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0.000"}
        suite = ET.SubElement(root, "testsuite", {"name": escaped(left.name), **one})
        name = escaped(f"is looked at[{left.name}]")
        case = ET.SubElement(suite, "testcase", {"classname": "initcheck", "name": name, "time": "0.000"})
        ET.SubElement(case, "error", {"message": escaped(left.reason, 1_000), "type": "NOT CHECKED"})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(report: Report) -> list[tuple[str, str]]:
    run = report.run
    return [
        ("denominator", sum_of_verdicts(report)),
        ("seed", str(run.seed)),
        ("profile", run.profile),
        ("alpha", f"{run.alpha:g}"),
        ("beta", f"{run.beta:g}"),
        ("version", run.version),
    ]


def _fails(result: Result, strict: bool) -> bool:
    return result.verdict is Verdict.FAILS or (strict and result.verdict is Verdict.UNDECIDED and not result.broke)


def _totals(name: str, results: tuple[Result, ...], strict: bool, *, skipped: bool = True) -> dict[str, str]:
    failures, errors = sum(_fails(r, strict) for r in results), sum(r.broke for r in results)
    held = sum(r.verdict is Verdict.HOLDS for r in results)
    # The schema knows `skipped` of a suite, but not of the document.
    counted = {"skipped": str(len(results) - failures - errors - held)} if skipped else {}
    return {
        "name": name,
        "tests": str(len(results)),
        "failures": str(failures),
        "errors": str(errors),
        **counted,
        "time": f"{sum(r.seconds for r in results):.3f}",
    }


def _case(suite: ET.Element, result: Result, strict: bool) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": escaped(f"initcheck.{result.family}"),
            "name": escaped(f"{result.claim}[{result.initializer}]"),
            "time": f"{result.seconds:.3f}",
        },
    )
    # The schema has no attributes for file and line of a case: servers find them at the head of the message.
    where = f"{escaped(result.location[0])}:{result.location[1]}" if result.location is not None else ""
    if result.broke:
        kind = {"message": escaped(result.reason or "", 1_000), "type": result.verdict.value}
        ET.SubElement(case, "error", kind).text = clean(failure_text(result), lines=400)
    elif _fails(result, strict):
        said = symptom(result) if result.verdict is Verdict.FAILS else what_happened(result)
        message = f"{where}: {said}" if where else said
        kind = {"message": escaped(message, 1_000), "type": result.verdict.value}
        ET.SubElement(case, "failure", kind).text = clean(f"{one_result(result)}\n\n{failure_text(result)}", lines=400)
    elif result.verdict is not Verdict.HOLDS:
        reason = result.reason or "no reason was given"
        ET.SubElement(case, "skipped", {"message": escaped(reason), "type": result.verdict.value})
