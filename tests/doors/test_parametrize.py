"""`@initcheck.parametrize`: claims in a test file of the user's own."""

from __future__ import annotations

import fake_engine
import pytest

import initcheck

pytest_plugins = ["pytester"]


@pytest.fixture
def on_fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.install(monkeypatch.setattr)
    monkeypatch.setattr("initcheck.engine.checker.Checker", fake_engine.Checker)
    monkeypatch.setattr("initcheck.targets.loading.load_all", fake_engine.load_all)


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
