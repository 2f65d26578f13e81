"""`@initcheck.parametrize`: claims in a test file of the user's own."""

from __future__ import annotations

import fake_engine
import pytest
from in_this_process import InThisProcess

import initcheck

pytest_plugins = ["pytester"]


@pytest.fixture
def on_fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.install(monkeypatch.setattr)
    monkeypatch.setattr("initcheck.engine.checker.Checker", fake_engine.Checker)
    monkeypatch.setattr("initcheck.runs.reading.read_target", lambda text, own, declared: fake_engine.load(text))
    monkeypatch.setattr("initcheck.runs.own_process.OwnProcess", InThisProcess)


TESTS = """
    import initcheck

    @initcheck.parametrize(["he:HFUWN"])
    def test_lenient(result):
        result.raise_if_failed()

    @initcheck.parametrize(["he:HFUWN", "ok:HHHHH"], claims=["fake-a", "fake-c"], seed=7, strict=True)
    def test_strict(result):
        result.raise_if_failed()

    @initcheck.parametrize(["he:HFUWN"], claims=["fake-b"])
    def test_looks_itself(result):
        assert result.verdict is initcheck.Verdict.FAILS
        assert result.evidence.value == 0.334
        assert result.result.reproduce.endswith("fake-b")
"""


@pytest.mark.usefixtures("on_fake_engine")
def test_each_claim_of_each_initializer_is_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-v", "-p", "no:benchmark")
    result.assert_outcomes(passed=5, failed=2, skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_lenient[[]he:HFUWN-fake-a[]] PASSED*",
            "*::test_lenient[[]he:HFUWN-fake-b[]] FAILED*",
            "*::test_strict[[]he:HFUWN-fake-c[]] FAILED*",
            "*::test_strict[[]ok:HHHHH-fake-a[]] PASSED*",
            "*he:HFUWN  FAILS  fake-b",
            "*he:HFUWN  UNDECIDED  fake-c",
        ]
    )


@pytest.mark.usefixtures("on_fake_engine")
def test_nothing_is_decided_while_tests_are_collected(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(*_: object) -> None:
        raise AssertionError("judged at collection")

    monkeypatch.setattr(fake_engine.Checker, "judge", judge)
    pytester.makepyfile(TESTS)
    assert pytester.runpytest_inprocess("--collect-only", "-p", "no:benchmark").ret == pytest.ExitCode.OK


@pytest.mark.usefixtures("on_fake_engine")
def test_bad_target_is_said_where_it_is_written() -> None:
    with pytest.raises(initcheck.UsageError, match="there is no target 'bad'"):
        initcheck.parametrize(["bad"])


def test_the_real_engine_answers() -> None:
    mark = initcheck.parametrize(["initcheck.gallery:he_normal"], claims=["returns-the-shape-asked"], profile="quick")

    @mark
    def test_initializer(result):
        result.raise_if_failed()

    [case] = test_initializer.pytestmark[0].args[1]
    assert case.id == "initcheck.gallery:he_normal-returns-the-shape-asked"
    assert case.values[0].verdict is initcheck.Verdict.HOLDS
    case.values[0].raise_if_failed()


HOSTILE = """
import os
import sys

import numpy as np

if "pytest" in sys.modules and not hasattr(sys.modules["__main__"], "_serve"):
    raise SystemExit("imported where the tests run")


def ends(shape, rng):
    os.kill(os.getpid(), 9)


def sound(shape, rng):
    return rng.normal(size=shape)
"""


@pytest.mark.long
def test_what_ends_its_process_is_a_verdict_on_it_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(hostile=HOSTILE)
    pytester.makepyfile(
        """
        import initcheck

        @initcheck.parametrize(["hostile:ends", "hostile:sound"], claims=["finite"], profile="quick")
        def test_initializer(result):
            result.raise_if_failed()
        """
    )
    result = pytester.runpytest_subprocess("-v", "-p", "no:benchmark")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*hostile:ends-finite* FAILED*", "*hostile:sound-finite* PASSED*"])


@pytest.mark.long
def test_initializers_of_the_test_file_itself_are_read_without_reading_it_for_ever(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_mine="""
        import initcheck
        import numpy as np

        def he(shape, rng):
            return rng.normal(size=shape)

        @initcheck.parametrize(["test_mine:he", he], claims=["finite"], profile="quick")
        def test_initializer(result):
            result.raise_if_failed()
        """
    )
    pytester.syspathinsert()
    pytester.runpytest_subprocess("-p", "no:benchmark").assert_outcomes(passed=2)


@pytest.mark.usefixtures("on_fake_engine")
def test_nothing_to_check_is_said() -> None:
    with pytest.raises(initcheck.UsageError, match="nothing to check: nothing: it needs std="):
        initcheck.parametrize(["nothing"])
