"""The published JSON Schema: it accepts every report and refuses what is none."""

from __future__ import annotations

import copy
import dataclasses
import json
from importlib.resources import files

import pytest
import sample_reports

from initcheck.report import schema
from initcheck.report.report import Report

jsonschema = pytest.importorskip("jsonschema", reason="reports are validated with jsonschema")


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(schema.SCHEMA)
    return jsonschema.Draft202012Validator(schema.SCHEMA)


def test_the_published_file_is_what_the_dataclasses_say():
    # Where this fails: python -m initcheck.report.schema > initcheck/report/report.schema.json
    published = (files("initcheck.report") / schema.FILE).read_text(encoding="utf-8")
    assert json.loads(published) == schema.build() == schema.SCHEMA


@pytest.mark.long
@pytest.mark.parametrize("sample", ["every_verdict", "hostile", "many", "last_run"])
def test_every_report_is_valid(validator, sample):
    validator.validate(json.loads(getattr(sample_reports, sample)().to_json()))


def test_a_report_survives_the_way_through_json():
    report = sample_reports.every_verdict()
    again = Report.from_json(report.to_json())
    assert again.to_json() == report.to_json()
    assert again.results[0] == report.results[0]


def test_any_character_of_a_message_survives_the_way_into_a_file(tmp_path):
    report = sample_reports.every_verdict()
    odd = dataclasses.replace(report.results[0], reason="\u00e9 \u4e2d \U0001f600 half a pair: \ud800")
    report = dataclasses.replace(report, results=(odd, *report.results[1:]))
    (tmp_path / "r.json").write_text(report.to_json(), encoding="utf-8")
    assert Report.from_json((tmp_path / "r.json").read_text(encoding="utf-8")).results[0] == odd


def _without(key):
    def change(data):
        del data["results"][0][key]

    return change


def _with(**fields):
    def change(data):
        data["results"][0].update(fields)

    return change


def _evidence(**fields):
    def change(data):
        data["results"][0]["evidence"].update(fields)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _without("claim"),
        _with(verdict="PASSES"),
        _with(surprise=1),
        _with(location=["a.py"]),
        _evidence(value="0.3"),
        _evidence(band=[0.8]),
        _evidence(series={"histogram": "many"}),
        lambda data: data.update(format="initcheck-report/9"),
        lambda data: data["run"].update(seed="random"),
    ],
)
def test_what_is_no_report_is_refused(validator, change):
    data = json.loads(sample_reports.every_verdict().to_json())
    broken = copy.deepcopy(data)
    change(broken)
    assert validator.is_valid(data)
    assert not validator.is_valid(broken)
