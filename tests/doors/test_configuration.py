"""`[tool.initcheck]` and waivers with a date: what is read, what wins, and what a mistake is told."""

from __future__ import annotations

import datetime
from pathlib import Path

import fake_engine
import pytest

from initcheck.contract.waiver import contract_of, in_force
from initcheck.doors.configuration import configured, option_values, options_of
from initcheck.doors.options import OPTIONS
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.targets.tables import tables

pytest_plugins = ["pytester"]

HERE = Path("pyproject.toml")
TODAY = datetime.date(2026, 11, 24)


def test_every_option_can_be_configured_but_the_one_that_is_said_once() -> None:
    flags = {o.name: True for o in OPTIONS if o.metavar is None and o.configured}
    others = {
        "claims": ["finite", "zero-mean"], "profile": "quick", "seed": 7, "contract": "activation=relu",
        "timeout": 2.5, "jobs": 2, **{o.name: f"out/{o.name}" for o in OPTIONS if o.metavar == "FILE" and o.configured},
    }  # fmt: skip
    # What is said for one run alone, of each model, of each pair, of a lock.
    once = {
        *(
            "baseline-update",
            "failed",
            "resume",
            "law",
            "batch",
            "models",
            "laws",
            "writes",
            "world",
            "mesh",
            "layouts",
        ),
        *("check", "update", "output", "like"),
    }
    assert {*flags, *others, *once} == {o.name for o in OPTIONS}
    read = options_of({**flags, **others}, Path("/project/pyproject.toml"))
    assert read["claims"] == ("finite", "zero-mean")
    assert (read["seed"], read["timeout"], read["jobs"]) == (7, 2.5, 2)
    # A file is looked for beside the configuration, wherever the run starts.
    assert read["html"] == "/project/out/html"
    assert all(read[name] is True for name in flags)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            {"profil": "quick"},
            r"\[tool.initcheck\] in pyproject.toml has no key 'profil'; did you mean 'profile'\? Valid: base",
        ),
        ({"baseline-update": True}, "has no key 'baseline-update'"),
        ({"profile": "fast"}, "there is no profile 'fast'; .*Valid: default, quick, thorough"),
        ({"profile": 3}, "there is no profile '3'"),
        ({"claims": ["zero-men"]}, "there is no claim 'zero-men'; did you mean 'zero-mean'"),
        ({"claims": [1]}, r"claims = \[1\] must be a list of claim ids"),
        ({"seed": -1}, "seed: '-1' is not a seed: give a whole number from 0 on, or 'random'"),
        ({"seed": True}, "seed = True must be a number"),
        ({"timeout": 0}, "timeout: '0' is not a number of seconds above 0"),
        ({"strict": "yes"}, "strict = 'yes' must be true or false"),
        ({"html": ["a", "b"]}, "html = .* must be text"),
        (
            {"contract": "activation=relo"},
            "contract: activation='relo' is not an activation; did you mean 'relu'",
        ),
        (
            {"contract": {"activatoin": "relu"}},
            "contract: a contract has no key 'activatoin'; did you mean 'activation'",
        ),
        ([], r"is \[\]; it must be a table"),
    ],
)
def test_a_mistake_is_told_with_the_place_and_what_is_valid(table: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        options_of(table, HERE)


def test_targets_and_models_are_left_to_those_who_read_them() -> None:
    assert options_of({"targets": [{"target": "m"}], "models": []}, HERE) == {}


def test_the_nearest_file_above_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.initcheck]\nprofile = 'quick'\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert configured(inner) == {"profile": "quick"}
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'a'\n")
    assert configured(inner) == {}


def test_a_file_that_is_no_toml_and_never_names_us_is_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other\n")
    assert configured(tmp_path) == {}
    (tmp_path / "pyproject.toml").write_text("[tool.initcheck\n")
    with pytest.raises(UsageError, match="is not TOML"):
        configured(tmp_path)


def test_what_is_given_wins_over_what_is_configured_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.initcheck]\nseed = 3\nprofile = 'quick'\n")
    values = option_values({"seed": 5, "profile": None, "strict": None}, tmp_path)
    assert (values["seed"], values["profile"], values["strict"], values["jobs"]) == (5, "quick", False, 1)
    assert option_values({"seed": 0}, tmp_path)["seed"] == 0
    assert set(values) == {o.name for o in OPTIONS}


def test_what_is_configured_for_initializers_leaves_a_run_on_models_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.initcheck]\nprofile = 'quick'\nstrict = true\nclaims = ['finite', 'starts-at-chance']\n"
    )
    asked = {kinds: option_values({}, tmp_path, kinds) for kinds in (("initializers",), ("models",))}
    assert [(v["profile"], v["strict"], v["claims"]) for v in asked.values()] == [
        ("quick", True, ("finite",)),
        ("default", True, ("starts-at-chance",)),
    ]
    (tmp_path / "pyproject.toml").write_text("[tool.initcheck]\nclaims = ['finite']\n")
    assert option_values({}, tmp_path, ("models",))["claims"] is None


@pytest.fixture
def project(on_fake_engine: None, tmp_path: Path) -> Path:
    return tmp_path


def test_the_command_line_follows_the_configuration(project: Path) -> None:
    from initcheck.doors.cli import main

    (project / "pyproject.toml").write_text("[tool.initcheck]\nseed = 3\nstrict = true\njson = 'r.json'\n")
    assert main(["he:HHUHH"]) == 1
    assert Report.from_json((project / "r.json").read_text()).run.seed == 3
    assert main(["he:HHHHH", "--seed=4"]) == 0
    assert Report.from_json((project / "r.json").read_text()).run.seed == 4


def test_pytest_follows_the_configuration(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.install(monkeypatch.setattr)
    pytester.makepyprojecttoml("[tool.initcheck]\nseed = 3\nstrict = true\n")
    result = pytester.runpytest_inprocess("-p", "no:benchmark", "--initcheck=he:HHUHH")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["initcheck: *, seed 3; *"])


def test_a_mistake_in_the_configuration_is_usage_at_both_doors(
    project: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    from initcheck.doors.cli import main

    text = "[tool.initcheck]\nsede = 3\n"
    (project / "pyproject.toml").write_text(text)
    pytester.makepyprojecttoml(text)
    assert main(["he:HHHHH"]) == 2
    result = pytester.runpytest_inprocess("-p", "no:benchmark", "--initcheck=he:HHHHH")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "has no key 'sede'; did you mean 'seed'?" in result.stderr.str()


def test_a_waiver_holds_through_its_last_day() -> None:
    table = {"finite": "by design", "zero-mean": {"reason": "ticket 12", "until": TODAY}}
    assert in_force(table, "here", today=TODAY) == (
        {"finite": "by design", "zero-mean": "ticket 12 (until 2026-11-24)"},
        (),
    )
    kept, expired = in_force(table, "here", today=TODAY + datetime.timedelta(days=1))
    assert kept == {"finite": "by design"}
    assert expired == ("the waiver of 'zero-mean' (ticket 12) expired on 2026-11-24",)


@pytest.mark.parametrize(
    ("waiver", "sentence"),
    [
        ("", "here: the waiver of 'finite' needs a reason, as text; given: ''"),
        (True, "needs a reason"),
        ({"until": TODAY}, "needs a reason"),
        ({"reason": "r", "untill": TODAY}, "has no key 'untill'; did you mean 'until'"),
        (
            {"reason": "r", "until": "2027-01-01"},
            "until = '2027-01-01'; it must be a date: 2027-01-01 without quotes in TOML",
        ),
    ],
)
def test_a_waiver_that_is_wrong_is_told(waiver: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        in_force({"finite": waiver}, "here", today=TODAY)


def test_a_contract_as_a_table_says_which_waivers_expired() -> None:
    given = {"activation": "relu", "waive": {"finite": {"reason": "r", "until": datetime.date(2020, 1, 1)}}}
    contract = contract_of(given, "here", today=TODAY)
    assert contract.activation == "relu"
    assert contract.origins["activation"] == "declared"
    assert dict(contract.waive) == {}
    assert contract.notes == ("the waiver of 'finite' (r) expired on 2020-01-01",)


def test_waivers_of_a_target_honour_their_date_and_join_the_contract_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        "[[tool.initcheck.targets]]\ntarget = 'm:he'\n"
        "waive = { finite = { reason = 'old', until = 2020-01-01 }, "
        "zero-mean = { reason = 'r', until = 2999-12-31 } }\n"
    )
    for run in (None, "activation=relu"):
        (given,) = tables(str(path), contract=run)
        contract = given["contract"]
        assert dict(contract.waive) == {"zero-mean": "r (until 2999-12-31)"}
        assert contract.notes == ("the waiver of 'finite' (old) expired on 2020-01-01",)
        assert contract.activation == (None if run is None else "relu")
