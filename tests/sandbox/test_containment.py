import os
import signal
import sys
import warnings

import numpy as np
import pytest
import torch

from initcheck.contract.contract import Contract
from initcheck.errors import UsageError
from initcheck.sandbox.containment import InitializerRaised, contained, one_line, trace_of


def test_prints_are_kept_and_bounded(capsys):
    with contained() as seen:
        print("out")
        print("err", file=sys.stderr)
        for _ in range(10_000):
            print("x" * 100)
    assert seen.output.startswith("out\nerr\n")
    assert len(seen.output) < 40_000
    assert capsys.readouterr() == ("", "")


def test_warnings_are_collected_once_each():
    with contained() as seen:
        for _ in range(100):
            warnings.warn("the same", FutureWarning, stacklevel=1)
    assert seen.warnings == ("FutureWarning: the same",)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("np.errstate", lambda: np.seterr(divide="raise")),
        ("working directory", lambda: os.chdir("/")),
        ("environment", lambda: os.environ.update(INITCHECK_TEST="1")),
        ("torch default dtype", lambda: torch.set_default_dtype(torch.float64)),
    ],
)
def test_what_is_left_changed_is_named_and_put_back(name, change):
    before = np.geterr(), os.getcwd(), dict(os.environ), torch.get_default_dtype()
    with contained() as seen:
        change()
    assert seen.changes == (name,)
    assert (np.geterr(), os.getcwd(), dict(os.environ), torch.get_default_dtype()) == before


def test_what_a_module_sets_on_import_stays():
    with contained(put_back=False) as seen:
        os.environ["INITCHECK_TEST"] = "1"
    assert os.environ.pop("INITCHECK_TEST") == "1"
    assert seen.changes == ()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("v"), GeneratorExit(), MemoryError()])
def test_every_way_out_is_one_exception(error):
    with pytest.raises(InitializerRaised) as raised, contained():
        raise error
    assert raised.value.original is error
    assert raised.value.kind == type(error).__name__


@pytest.fixture
def heeding_interrupts():
    """Where the tests were started in the background, the shell has told Python to ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_real_interrupt_passes(heeding_interrupts):
    def interrupted():
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10**6):
            pass

    with pytest.raises(KeyboardInterrupt), contained():
        interrupted()


def test_our_own_errors_pass_and_those_that_user_code_borrows_do_not():
    with pytest.raises(UsageError, match="activation"), contained():
        Contract.from_text("activaton=relu")
    with pytest.raises(InitializerRaised, match="UsageError: theirs"), contained():
        raise UsageError("theirs")


def test_recursion_is_contained_and_its_traceback_short():
    def deeper():
        deeper()

    with pytest.raises(InitializerRaised) as raised, contained():
        deeper()
    assert raised.value.kind == "RecursionError"
    assert len(raised.value.trace) < 40
    assert any("more frames" in line for line in raised.value.trace)


def test_the_traceback_shows_the_users_frames_alone():
    from initcheck.adapters.recognition import recognise

    def fails(shape, rng):
        if tuple(shape) == (2, 2):
            raise ArithmeticError("in user code")
        return rng.normal(size=shape)

    initializer = recognise(fails, "fails")
    with pytest.raises(InitializerRaised) as raised, contained():
        initializer.sampler.calls((2, 2), [0], "float32")
    text = "\n".join(raised.value.trace)
    assert "in fails" in text
    assert "numpy_callable" not in text
    assert text.endswith("ArithmeticError: in user code")


class HostileError(Exception):
    def __str__(self):
        raise RuntimeError("no message for you")


def test_an_exception_without_a_message_that_can_be_shown():
    with (
        pytest.raises(InitializerRaised, match="HostileError: <its message cannot be shown") as raised,
        contained(),
    ):
        raise HostileError
    assert raised.value.trace


def test_messages_are_one_line_and_bounded():
    assert one_line(ValueError("a\nb")) == "ValueError: a b"
    assert len(one_line(ValueError("x" * 10_000))) < 600
    assert one_line(KeyError()) == "KeyError"
    assert trace_of(ValueError("never raised")) == ("ValueError: never raised",)


def test_a_low_recursion_limit_is_put_back_before_anything_else_runs() -> None:
    limit = sys.getrecursionlimit()
    with contained() as seen:
        # The least that Python accepts at this depth.
        sys.setrecursionlimit(next(n for n in range(10, limit) if _accepted(n)))
    assert sys.getrecursionlimit() == limit
    assert "recursion limit" in seen.changes


def _accepted(number: int) -> bool:
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(number)
    except RecursionError:
        return False
    sys.setrecursionlimit(limit)
    return True
