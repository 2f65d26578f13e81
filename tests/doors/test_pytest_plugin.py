"""`pytest --initcheck`: one item a claim and initializer, and everything pytest does with items."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import fake_engine
import pytest

from initcheck.doors.options import OPTIONS
from initcheck.report.report import Report

pytest_plugins = ["pytester"]

HERE = Path(__file__).parents[1]


@pytest.fixture
def in_process(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest in this process, on the fake engine."""
    fake_engine.install(monkeypatch.setattr)

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "no:benchmark", *args)

    return run


@pytest.fixture
def in_subprocess(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest in a process of its own, on the fake engine; xdist's workers load it too."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    pytester.makeconftest("import fake_engine; fake_engine.install()")

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "no:benchmark", *args)

    return run


def test_each_verdict_is_the_outcome_it_means(in_process) -> None:
    result = in_process("--initcheck=he:HFUWN", "-v")
    result.assert_outcomes(passed=1, failed=1, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "he:HFUWN::fake_a PASSED*",
            "he:HFUWN::fake_b FAILED*",
            "he:HFUWN::fake_c SKIPPED (UNDECIDED: the reason of U)*",
            "he:HFUWN::fake_d XFAIL (WAIVED: the reason of W)*",
            "he:HFUWN::fake_e SKIPPED (NOT APPLICABLE: the*",
        ]
    )
    assert result.ret == 1


def test_a_failure_is_a_few_lines_and_no_traceback(in_process) -> None:
    result = in_process("--initcheck=he:HFHHH")
    result.stdout.fnmatch_lines(
        [
            "he:HFHHH  FAILS  fake-b",
            "  0.334 (allowed: [[]0.8, 1.25[]])",
            "  again   pytest --initcheck=he:HFHHH -k fake-b",
        ],
        consecutive=True,
    )
    # Whoever asks for more gets the evidence.
    in_process("--initcheck=he:HFHHH", "-v").stdout.fnmatch_lines(
        ["fake-b  FAILS  for he:HFHHH", "*", "    evidence    24,576 weights in 96 calls"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*raise_for*")


def test_strict_lets_undecided_fail(in_process) -> None:
    in_process("--initcheck=he:HHUHH").assert_outcomes(passed=4, skipped=1)
    in_process("--initcheck=he:HHUHH", "--initcheck-strict").assert_outcomes(passed=4, failed=1)


def test_runxfail_lets_a_waived_claim_fail(in_process) -> None:
    in_process("--initcheck=he:HHHWH", "--runxfail").assert_outcomes(passed=4, failed=1)


def test_a_bug_in_a_claim_fails_that_claim_with_its_traceback(in_process) -> None:
    result = in_process("--initcheck=he:HBHHH")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*the claim's own code broke*", "*AttributeError: a bug in the claim"])


def test_option_alone_runs_the_claims_alone(in_process, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_mine="def test_mine(): pass")
    in_process("--initcheck=he:HHHHH").assert_outcomes(passed=5)
    in_process("--initcheck=he:HHHHH", "test_mine.py").assert_outcomes(passed=6)
    in_process("test_mine.py").assert_outcomes(passed=1)


def test_selection_by_keyword_claim_id_and_node_id(in_process) -> None:
    in_process("--initcheck=he:HFHHH", "-k", "fake_a").assert_outcomes(passed=1)
    in_process("--initcheck=he:HFHHH", "-k", "fake-b or fake-c").assert_outcomes(passed=1, failed=1)
    in_process("--initcheck=he:HFHHH", "--initcheck=ok:HHHHH", "-k", "ok").assert_outcomes(passed=5)
    in_process("--initcheck=he:HFHHH", "he:HFHHH::fake_b").assert_outcomes(failed=1)
    in_process("--initcheck=he:HFHHH", "he:HFHHH::fake_a").assert_outcomes(passed=1)
    in_process("--initcheck=he:HFHHH", "--initcheck-claims=fake-a,fake-c").assert_outcomes(passed=2)


def test_last_failed_runs_the_failed_claims_and_tests_again(in_process, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_mine="def test_bad(): assert 0\ndef test_good(): pass")
    arguments = ("--initcheck=he:HFHHF", "test_mine.py")
    in_process(*arguments).assert_outcomes(passed=4, failed=3)
    in_process(*arguments, "--lf").assert_outcomes(failed=3)
    in_process("--initcheck=he:HFHHF", "--lf").assert_outcomes(failed=2)


def test_claims_run_initializer_by_initializer(in_process) -> None:
    lines = in_process("--initcheck=a:HHHHH", "--initcheck=b:HHHHH", "-v").outlines
    names = [line.partition("::")[0] for line in lines if "PASSED" in line]
    assert names == ["a:HHHHH"] * 5 + ["b:HHHHH"] * 5
    # Without -v one line an initializer, as one a file.
    short = in_process("--initcheck=a:HHHHH", "--initcheck=b:HFHHH").outlines
    assert [line.split("%")[0].split("[")[0].strip() for line in short if line.startswith(("a:", "b:"))][:2] == [
        "a:HHHHH .....",
        "b:HFHHH .F...",
    ]


def test_names_of_users_stay_printable_and_unique(in_process) -> None:
    long = "x" * 10_000 + ":HHHHH"
    result = in_process("--initcheck=a\x1b[31m\n:HHHHH", f"--initcheck={long}", f"--initcheck=y{long[1:]}", "-v")
    result.assert_outcomes(passed=15)
    out = "\n".join(line for line in result.outlines if "::" in line)
    assert "a\\x1b[31m\\n:HHHHH" in out
    assert "\x1b[31m" not in out
    assert max(map(len, result.outlines)) < 600


def test_bad_target_is_a_usage_error(in_process) -> None:
    result = in_process("--initcheck=bad")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: initcheck: there is no target 'bad'; did you mean 'he:HHHHH'?"])


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--initcheck-claims=fake-z", "*there is no claim 'fake-z'*"),
        ("--initcheck-profile=slow", "*there is no profile 'slow'*"),
        ("--initcheck-seed=-1", "*'-1' is not a seed*"),
        ("--initcheck-timeout=0", "*'0' is not a number of seconds above 0*"),
        ("--initcheck-contract=activation=relo", "*did you mean 'relu'*"),
        ("--initcheck-json=nowhere/report.json", "*cannot be written to 'nowhere/report.json'*"),
    ],
)
def test_bad_option_is_a_usage_error(in_process, option: str, sentence: str) -> None:
    result = in_process("--initcheck=he:HHHHH", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([sentence])


def test_a_run_that_decides_nothing_is_an_error(in_process) -> None:
    for target in ("he:NNNUN", "nothing"):
        result = in_process(f"--initcheck={target}", "-q")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["nothing was decided: a run that shows nothing cannot pass"])
    assert in_process("--initcheck=he:NNNNN", "--collect-only").ret == pytest.ExitCode.OK
    assert in_process("--initcheck=he:HHHHH", "-k", "nonesuch").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_deselected_claims_are_no_error_beside_tests_of_the_user(in_process, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_mine="def test_mine(): pass")
    assert in_process("--initcheck=he:HHHHH", "test_mine.py", "-k", "mine").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("quiet", ["-q", "-qq"])
def test_summary_has_finding_and_last_line_at_any_verbosity(in_process, quiet: str) -> None:
    result = in_process("--initcheck=he:HFUWN", "--initcheck=nothing", quiet)
    result.stdout.fnmatch_lines(
        [
            "he:HFUWN  FAILS",
            "he:HFUWN  UNDECIDED  fake-c",
            "  seen    the reason of U",
            "not checked: nothing: it needs std=; write nothing(std=0.02)",
            "waived: fake-d: the reason of W",
            "1 initializer: 1 fails (1 claim of 4), 1 undecided     *; -v for the evidence",
        ]
    )


def test_summary_has_everything_for_whoever_asks(in_process) -> None:
    result = in_process("--initcheck=he:HFUWN", "--initcheck=nothing", "-v")
    result.stdout.fnmatch_lines(
        [
            "5 claims = 1 hold + 1 fail + 1 undecided + 1 waived + 1 not applicable",
            "undecided: fake-c: the reason of U",
            "waived: fake-d: the reason of W",
            "not applicable: fake-e: the reason of N",
            "not checked: nothing: it needs std=; write nothing(std=0.02)",
            "contract of he:HFUWN inferred: activation=relu",
            "P(any false FAIL) <= 1e-06; *; seed 0, profile default",
            "reproduce the first failure: pytest --initcheck=he:HFUWN -k fake-b",
        ],
        consecutive=True,
    )


def test_results_reach_junit_and_user_properties(in_process, pytester: pytest.Pytester) -> None:
    in_process("--initcheck=he:HFUWN", "--junitxml=junit.xml")
    suite = ElementTree.parse(pytester.path / "junit.xml").getroot()[0]
    assert suite.get("tests") == "5"
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "3")
    failed = next(case for case in suite.iter("testcase") if case.get("name") == "fake_b")
    assert failed.get("classname") == "he:HFUWN"
    properties = {p.get("name"): p.get("value") for p in failed.iter("property")}
    assert properties["initcheck_verdict"] == "FAILS"
    assert properties["initcheck_measured"] == "0.334"


def test_json_report_is_the_run(in_process, pytester: pytest.Pytester) -> None:
    in_process("--initcheck=he:HFUWN", "--initcheck-json=report.json", "--initcheck-seed=7")
    report = Report.from_json((pytester.path / "report.json").read_text())
    assert [r.verdict.value[0] for r in report] == list("HFUWN")
    assert report.run.seed == 7
    assert report.run.command.startswith("pytest ")
    assert report.contracts["he:HFUWN"]["activation"] == "relu"


def test_items_look_like_tests_to_the_conftest_of_a_user(in_process, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                assert item.module.__name__ and item.function.__doc__
                assert item.fixturenames == () and item.cls is None and not item.get_closest_marker("slow")
                item.add_marker(pytest.mark.filterwarnings("error"))

        @pytest.fixture(autouse=True)
        def needs_a_module(request):
            assert request.module.__file__
        """
    )
    in_process("--initcheck=he:HHHHH").assert_outcomes(passed=5)


@pytest.mark.long
def test_workers_give_the_same_verdicts_and_the_controller_writes(in_subprocess, pytester) -> None:
    result = in_subprocess("--initcheck=he:HFUWN", "--initcheck=ok:HHHHH", "-n2", "--initcheck-json=r.json")
    result.assert_outcomes(passed=6, failed=1, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(["2 initializers: 1 fails (1 cause, 1 claim), 1 keeps all, 1 claim undecided*"])
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert [r.verdict.value[0] for r in report] == list("HFUWNHHHHH")
    assert set(report.contracts) == {"he:HFUWN", "ok:HHHHH"}


def workers_of(result: pytest.RunResult) -> dict[str, set[str]]:
    """Initializer -> the workers that judged its claims."""
    workers: dict[str, set[str]] = {}
    for line in result.outlines:
        if "PASSED" in line:
            worker, name = re.match(r"\[(gw\d)\].* (.):H\w+::", line).groups()
            workers.setdefault(name, set()).add(worker)
    return workers


@pytest.mark.long
@pytest.mark.parametrize(("names", "dist"), [("abcd", ["--dist=loadgroup"]), ("abcdef", [])], ids=["group", "load"])
def test_an_initializer_stays_on_one_worker(in_subprocess, names: str, dist: list[str]) -> None:
    result = in_subprocess(*(f"--initcheck={name}:HHHHH" for name in names), "-n2", *dist, "-v")
    result.assert_outcomes(passed=5 * len(names))
    workers = workers_of(result)
    assert len(workers) == len(names)
    assert all(len(where) == 1 for where in workers.values())


@pytest.mark.long
def test_workers_share_the_claims_of_few_initializers_and_other_tests_go_anywhere(in_subprocess, pytester) -> None:
    result = in_subprocess("--initcheck=a:HHHHH", "-n2", "-v")
    result.assert_outcomes(passed=5)
    assert len(workers_of(result)["a"]) == 2
    pytester.makepyfile(test_mine="def test_mine(): pass\ndef test_also(): pass")
    targets = [f"--initcheck={name}:HHHHH" for name in "abcde"]
    in_subprocess(*targets, "--initcheck=f:HFHHH", "test_mine.py", "-n2").assert_outcomes(passed=31, failed=1)
    in_subprocess(*targets, "--initcheck=f:HFHHH", "test_mine.py", "--lf").assert_outcomes(failed=1)


@pytest.mark.long
def test_random_seed_is_one_for_all_workers_and_said(in_subprocess) -> None:
    result = in_subprocess("--initcheck=he:HFHHH", "-n2", "--initcheck-seed=random")
    seed = next(re.search(r"seed (\d+)", line)[1] for line in result.outlines if line.startswith("initcheck: "))
    assert int(seed) > 0
    result.stdout.fnmatch_lines([f"1 initializer: *, seed {seed}; *"])


@pytest.mark.long
def test_bad_target_is_a_usage_error_under_workers(in_subprocess) -> None:
    result = in_subprocess("--initcheck=bad", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there is no target 'bad'*"])


@pytest.mark.long
@pytest.mark.parametrize("others", ["a", "abcde"])
def test_a_killed_worker_costs_one_claim(in_subprocess, pytester, others: str) -> None:
    targets = [f"--initcheck={name}:HHHHH" for name in others]
    result = in_subprocess("--initcheck=he:HHKHH", *targets, "-n2", "--initcheck-json=r.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert len(report) == 5 + 5 * len(others)
    assert [(r.initializer, r.claim) for r in report.failures] == [("he:HHKHH", "fake-c")]


@pytest.mark.long
def test_json_report_is_whole_after_a_kill(in_subprocess, pytester) -> None:
    result = in_subprocess("--initcheck=he:HFKHH", "--initcheck-json=r.json")
    assert result.ret not in (0, 1)
    report = json.loads((pytester.path / "r.json").read_text())
    assert [r["verdict"] for r in report["results"]] == ["HOLDS", "FAILS"]


@pytest.mark.parametrize(
    ("letters", "more", "lost"),
    [
        ("HHIHH", [], {"he:HHIHH": 2, "she:HHHHH": 4}),  # Ctrl-C
        ("HHKHH", [], {"he:HHKHH": 2, "she:HHHHH": 4}),  # kill -9
        ("HFHHH", ["-x"], {"he:HFHHH": 2, "she:HHHHH": 4}),
        ("HFHHH", [], {}),
        ("HHHHH", ["-n1"], {}),
    ],
)
def test_a_run_that_is_cut_short_says_what_it_did_not_reach(in_subprocess, pytester, letters, more, lost) -> None:
    in_subprocess(
        f"--initcheck=he:{letters}", "--initcheck=she:HHHHH", "--initcheck-json=r.json", "-knot fake_e", *more
    )
    report = Report.from_json((pytester.path / "r.json").read_text())
    assert {n.name: int(n.reason.partition(" ")[0]) for n in report.unshown} == lost
    assert all("of its 4 claims were not reached" in n.reason for n in report.unshown)
    assert report.ok == (letters == "HHHHH")


def test_options_are_those_of_the_command_line(in_process) -> None:
    text = in_process("--help").stdout.str()
    for option in OPTIONS:
        assert (f"--initcheck-{option.name}" in text) is (option.door == "both")


def test_plugin_unused_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    code = (
        "import sys, initcheck.pytest_plugin;"
        "print([m for m in ('numpy', 'hypothesis', 'torch', 'jax', 'rich') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
