"""The JSON Schema of a report, made from its dataclasses and published beside this file."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from initcheck.report.finding import Finding
from initcheck.report.report import OPTIONAL, REPORT_FORMAT, Report
from initcheck.report.results import NotChecked, Run
from initcheck.report.series import SERIES
from initcheck.report.verdict import Evidence, Result, Verdict

FILE = "report.schema.json"


def build() -> dict[str, Any]:
    """Make the schema (JSON Schema 2020-12) of what ``Report.to_json`` writes.

    >>> build()["properties"]["format"]
    {'const': 'initcheck-report/1'}

    A report may not hold what the schema does not name: a new field is a new version of the schema.
    """
    document = _object(Report)
    # Findings are made from the results when a report is written; a reader need not make them again.
    found = {"type": "array", "items": {"$ref": "#/$defs/finding"}}
    document["properties"] = {"format": {"const": REPORT_FORMAT}, "findings": found, **document["properties"]}
    document["required"] = ["format", *document["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of initcheck",
        "description": "The verdicts of one run. Numbers that are not finite are the words inf, -inf, nan.",
        **document,
        "$defs": {
            "number": {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]},
            "verdict": {"enum": [v.value for v in Verdict]},
            "run": _object(Run),
            "result": _object(Result, optional=OPTIONAL),
            "finding": _object(Finding),
            "evidence": _object(Evidence, series=_series()),
            # Reports were written before it was said what is needed.
            "not_checked": _object(NotChecked, optional=("needed",)),
        },
    }


_REFERENCES: Mapping[Any, str] = {
    float: "number",
    Verdict: "verdict",
    Run: "run",
    Result: "result",
    Evidence: "evidence",
    NotChecked: "not_checked",
}
_SIMPLE: Mapping[Any, str] = {str: "string", int: "integer", bool: "boolean"}


def _object(record: type, *, optional: Sequence[str] = (), **special: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(record)
    names = [f.name for f in dataclasses.fields(record)]
    return {
        "type": "object",
        "properties": {name: special.get(name) or _of(hints[name]) for name in names},
        "required": [name for name in names if name not in optional],
        "additionalProperties": False,
    }


def _of(hint: Any) -> dict[str, Any]:
    if hint in _REFERENCES:
        return {"$ref": f"#/$defs/{_REFERENCES[hint]}"}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if hint is type(None):
        return {"type": "null"}
    if hint is Any:
        return {}
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(part) for part in parts]}
    if origin is tuple and parts[-1] is not Ellipsis:
        exact = [_of(part) for part in parts]
        return {"type": "array", "prefixItems": exact, "minItems": len(exact), "maxItems": len(exact)}
    if origin in (tuple, list):
        return {"type": "array", "items": _of(parts[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(parts[1])}
    raise TypeError(f"a report cannot hold {hint!r}: JSON has no such thing.")


def _series() -> dict[str, Any]:
    known = {
        name: {"type": "array", "description": f"{series.shape}: {series.meaning}."} for name, series in SERIES.items()
    }
    return {"type": "object", "properties": known, "additionalProperties": {"type": "array"}}


SCHEMA: Mapping[str, Any] = build()


_KINDS: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def violation(data: Any, rule: Mapping[str, Any] = SCHEMA, where: str = "the report") -> str | None:
    """Where plain data is not as the schema says; None where it is.

    >>> violation({"format": "initcheck-report/1", "run": 3})
    'the report lacks results'

    Only the words of JSON Schema that ``build`` uses are known here.

    Args:
        data: what ``json.loads`` made of a file.
        rule: the part of the schema that it is held to.
        where: the place of the data, for the sentence.
    """
    if "$ref" in rule:
        return violation(data, SCHEMA["$defs"][rule["$ref"].rpartition("/")[2]], where)
    if "anyOf" in rule:
        wrong = [violation(data, part, where) for part in rule["anyOf"]]
        return None if None in wrong else wrong[0]
    if ("const" in rule and data != rule["const"]) or ("enum" in rule and data not in rule["enum"]):
        return f"{where} is {str(data)[:60]!r}"
    kind = rule.get("type")
    if kind is not None and (
        not isinstance(data, _KINDS[kind]) or (isinstance(data, bool) and kind in ("integer", "number"))
    ):
        return f"{where} is no {kind} but {str(data)[:60]!r}"
    if isinstance(data, dict):
        return _violation_inside(data, rule, where)
    if isinstance(data, list):
        if not rule.get("minItems", 0) <= len(data) <= rule.get("maxItems", len(data)):
            return f"{where} has {len(data)} entries"
        each = rule.get("prefixItems") or [rule.get("items", {})] * len(data)
        wrong = [violation(item, part, f"{where}[{n}]") for n, (item, part) in enumerate(zip(data, each, strict=True))]
        return next(filter(None, wrong), None)
    return None


def _violation_inside(data: Mapping[str, Any], rule: Mapping[str, Any], where: str) -> str | None:
    known, others = rule.get("properties", {}), rule.get("additionalProperties", {})
    for name in rule.get("required", ()):
        if name not in data:
            return f"{where} lacks {name}"
    for name, value in data.items():
        part = known.get(name, others)
        wrong = f"{where} has an unknown {name}" if part is False else violation(value, part, f"{where}.{name}")
        if wrong is not None:
            return wrong
    return None


def main() -> None:
    """Print the schema: ``python -m initcheck.report.schema > initcheck/report/report.schema.json``."""
    print(json.dumps(build(), indent=2))


if __name__ == "__main__":
    main()
