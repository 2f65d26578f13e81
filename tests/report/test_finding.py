"""Findings: what shares a cause is told once, the root leads, and nothing that fails is left out."""

from __future__ import annotations

import dataclasses
import json
import os
import re

import pytest
import sample_reports

from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.symptom import short, symptom
from initcheck.report.verdict import Evidence, Result, Verdict
from initcheck.safe_text import escaped, relative, without_folders

UNIFORM = "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)"


def failing(claim: str, topic: str, initializer: str = "m:f", likely: str | None = None, **evidence: object) -> Result:
    e = Evidence(likely=likely, fix="mend it" if likely else None, measured="bad", **evidence)  # type: ignore[arg-type]
    made = sample_reports.result(claim, Verdict.FAILS, initializer, evidence=e)
    return dataclasses.replace(made, topic=topic, reproduce=f"pytest --initcheck={initializer} -k x")


def backward(result: Result) -> Result:
    return dataclasses.replace(result, backward=True)


def of(*results: Result) -> Report:
    return sample_reports.report(*results)


def test_one_cause_is_one_finding_and_the_scale_leads_its_depth():
    report = of(
        backward(failing("gradient-survives-depth", "depth", likely=UNIFORM.replace("0.333", "0.331"), weights=9_000)),
        backward(failing("a-gradient-of-the-layer", "scale", likely=UNIFORM, weights=12)),
        failing("output-variance-near-one", "scale", likely=UNIFORM, weights=38_912),
        failing("signal-survives-depth", "depth", likely=UNIFORM, weights=9_000_000),
    )
    [found] = report.findings
    assert found.claims[0] == "output-variance-near-one"
    assert set(found.claims) == {r.claim for r in report}
    assert (found.cause, found.fix) == (UNIFORM, "mend it")
    assert found.again == "initcheck m:f --claims output-variance-near-one"


def test_a_claim_leads_by_which_way_it_looks_and_never_by_its_name():
    [found] = of(
        backward(failing("a-claim-of-theirs", "scale", likely=UNIFORM)),
        failing("gradient-of-theirs", "scale", likely=UNIFORM, weights=99),
    ).findings
    assert found.claims == ("gradient-of-theirs", "a-claim-of-theirs")
    # It stands in plain data only where it says something.
    plain = of(backward(failing("x", "scale")), failing("y", "scale")).to_dict()["results"]
    assert [r.get("backward") for r in plain] == [True, None]


def test_the_command_that_shows_it_again_holds_it_to_the_same_contract():
    said = "pytest --initcheck=m:f -k x '--initcheck-contract=activation=relu,layout=out_in'"
    [found] = of(dataclasses.replace(failing("finite", "promises"), reproduce=said)).findings
    assert found.again == "initcheck m:f --claims finite --contract activation=relu,layout=out_in"


def test_two_causes_of_one_initializer_are_two_findings():
    found = of(
        failing("owns-its-memory", "memory", likely="calls return one buffer"),
        failing("output-variance-near-one", "scale", likely=UNIFORM),
    ).findings
    assert [f.claims for f in found] == [("owns-its-memory",), ("output-variance-near-one",)]
    assert len({f.name for f in found}) == 2


def test_depth_follows_from_scale_whatever_cause_was_read_off_it_and_not_from_memory():
    scale, depth = failing("output-variance-near-one", "scale"), failing("signal-survives-depth", "depth", likely="x")
    assert len(of(depth, scale).findings) == 1
    assert len(of(depth, failing("owns-its-memory", "memory")).findings) == 2


def test_depth_shares_the_finding_of_its_own_cause_before_one_that_it_might_follow_from():
    scale, depth = (failing(c, t, likely=UNIFORM) for c, t in (("a-scale", "scale"), ("a-depth", "depth")))
    centre, single = of(failing("zero-mean", "centering"), scale, depth).findings
    assert (centre.claims, centre.cause) == (("zero-mean",), None)
    assert single.claims == ("a-scale", "a-depth")


def test_promises_without_a_cause_are_no_kin_of_one_another():
    found = of(failing("finite", "promises"), failing("returns-the-dtype-asked", "promises")).findings
    assert len(found) == 2


def test_the_same_cause_of_two_initializers_is_two_findings():
    found = of(failing("zero-mean", "centering", "m:f", "c"), failing("zero-mean", "centering", "m:g", "c")).findings
    assert [f.initializer for f in found] == ["m:f", "m:g"]


def test_what_cannot_be_judged_waits_for_the_finding_and_for_no_other():
    waits = sample_reports.result("zero-mean", Verdict.NOT_APPLICABLE, "m:f")
    mine = dataclasses.replace(waits, waits_for="finite")
    other = dataclasses.replace(waits, claim="units-differ", waits_for=None)
    [found] = of(failing("finite", "promises"), mine, other).findings
    assert found.waiting == ("zero-mean",)


def test_every_failure_of_every_sample_is_in_exactly_one_finding():
    for sample in (sample_reports.every_verdict(), sample_reports.hostile(), sample_reports.many()):
        told = [(f.initializer, claim) for f in sample.findings for claim in f.claims]
        assert sorted(told) == sorted((r.initializer, r.claim) for r in sample.failures)


def test_names_are_safe_in_a_link_and_unique():
    report = of(*(failing("zero-mean", "centering", name) for name in ("m:f", "m.f", "m-f", sample_reports.HOSTILE)))
    names = [f.name for f in report.findings]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_the_cause_of_an_exception_is_the_users_own_last_line():
    detail = (
        f'  File "{os.path.join(os.getcwd(), "m.py")}", line 43, in f',
        "    raise ValueError(3)",
        "ValueError: 3",
    )
    [found] = of(failing("accepts-every-shape", "promises", detail=detail)).findings
    assert found.cause == "m.py:43: raise ValueError(3)"


def test_findings_are_written_and_a_report_without_topics_can_still_be_read():
    report = of(failing("output-variance-near-one", "scale", likely=UNIFORM))
    data = json.loads(report.to_json())
    assert data["findings"][0]["claims"] == ["output-variance-near-one"]
    del data["findings"]
    for r in data["results"]:
        del r["topic"], r["label"], r["waits_for"]
    assert [f.claims for f in Report.from_json(json.dumps(data)).findings] == [f.claims for f in report.findings]


SCALE = {"claim": "output-variance-near-one", "family": "scale", "topic": "scale"}


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ([0.331, 0.335, 0.333], "output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)"),
        (
            [0.0004, 0.0064, 0.051],
            "output variance is 0.0004 at width 1, 0.051 at 64: it grows with width; it should be 1 (0.80 to 1.25)",
        ),
        ([0.33, 1.0, 1.0], "output variance is 0.33 at shape (1, 1); it should be 1 (0.80 to 1.25)"),
    ],
)
def test_a_wrong_scale_is_told_by_width(ratios, said):
    rows = [[fan, ratio, 0.8, 1.25] for fan, ratio in zip((1, 16, 64), ratios, strict=True)]
    e = Evidence(value=ratios[0], band=(0.8, 1.25), shape=(1, 1), series={"variance_by_width": rows})
    assert symptom(Result(says=".", initializer="m:f", verdict=Verdict.FAILS, evidence=e, **SCALE)) == said


def test_one_shape_that_leaves_the_law_of_the_others_is_told_with_both():
    rows = [[1, 0.675, 0.8, 1.25], [16, 1.0, 0.8, 1.25]]
    measured = "Var w = 0.871 here; 1.29/fan_in elsewhere"
    e = Evidence(
        measured=measured, allowed="1.03 to 1.61", value=0.675, band=(0.8, 1.25), shape=(1, 1),
        series={"variance_by_width": rows},
    )  # fmt: skip
    result = dataclasses.replace(failing("variance-follows-one-law", "law"), evidence=e)
    assert symptom(result) == "Var w = 0.871 at shape (1, 1); 1.29/fan_in elsewhere (allowed: 1.03 to 1.61)"


def test_what_depth_leaves_is_told_by_layers():
    series = {"signal_by_depth": [[0, 0.0], [20, -9.6]]}
    e = Evidence(value=-9.6, band=(-1.0, 1.0), allowed="[0.1, 10] through 20 layers", series=series)
    result = failing("signal-survives-depth", "depth")
    assert symptom(dataclasses.replace(result, evidence=e)) == (
        "after 20 layers 3e-10 of the signal is left; it should stay within 0.1 to 10"
    )
    grown = dataclasses.replace(e, value=2.0, measured=None)
    assert "the signal is 100 times as large" in symptom(dataclasses.replace(result, evidence=grown))


@pytest.mark.parametrize(
    ("case", "measured", "allowed", "band", "said"),
    [
        ("growth of the gradient of layers is 15.3, allowed [0.25, 4]; 14 further models agree", "15.3", "[0.25, 4]",
         (0.25, 4.0), "growth of the gradient of layers is 15.3; it should lie in [0.25, 4]"),
        ("loss over ln(211) is 17.1, allowed at most 1; 9 further models agree", "17.1", "at most 1",
         (-float("inf"), 1.0), "loss over ln(211) is 17.1; it should be at most 1"),
    ],
)  # fmt: skip
def test_a_number_of_a_model_says_of_which_of_its_blocks_it_is(case, measured, allowed, band, said):
    result = failing("gradient-survives-the-blocks", "depth", case=case, allowed=allowed, value=15.3, band=band)
    evidence = dataclasses.replace(result.evidence, measured=measured)
    assert symptom(dataclasses.replace(result, evidence=evidence)) == said


def test_no_symptom_speaks_of_e_values():
    for sample in (sample_reports.every_verdict(), sample_reports.many()):
        assert not [f.symptom for f in sample.findings if "e-value" in f.symptom or "second moment" in f.symptom]


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-300, 0.05, 99.6, 123456.0, 1e300, float("nan"), float("-inf")])
def test_a_short_number_is_the_number(value):
    said = short(value).replace(",", "")
    if value - value == 0:
        assert float(said) == pytest.approx(value, rel=0.06)
    else:
        assert said in ("not a number", "minus infinite")


def test_no_machines_folder_is_left_in_a_place_or_a_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "m.py"
    assert relative(str(file)) == "src/m.py"
    monkeypatch.chdir(tmp_path / "src")
    assert relative(str(tmp_path / "n.py")) == "n.py"
    assert str(tmp_path) not in without_folders(f'File "{file}", line 3')
    assert without_folders("a ratio 3/4 of /2") == "a ratio 3/4 of /2"


@pytest.mark.parametrize("limit", [40, 60, 90])
def test_no_word_is_cut(limit):
    text = "as (shape) it returns shape where another is meant and so on; or pass the layout that was meant"
    shown = escaped(text, limit)
    assert len(shown) <= limit
    assert set(shown.replace("...", " ").split()) <= set(text.split())
    assert shown.endswith("was meant")


def test_a_notebook_shows_a_usage_error_as_its_sentence():
    assert UsageError("there is no claim 'x'.")._render_traceback_() == ["UsageError: there is no claim 'x'."]
