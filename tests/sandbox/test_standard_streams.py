"""The standard streams of user code: bounded, whole, and never the process's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from initcheck.sandbox.containment import InitializerRaised, contained


def test_bytes_and_children_are_kept_with_what_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with contained() as seen:
        print("text")
        sys.stdout.buffer.write(b"bytes\n")
        subprocess.run(["echo", "child"], stdout=sys.stdout, check=True)
        os.write(sys.stdout.fileno(), b"descriptor\n")
    assert seen.output == "text\nbytes\nchild\ndescriptor\n"
    assert capfd.readouterr() == ("", "")


def test_a_flood_is_bounded_however_it_comes() -> None:
    with contained() as seen:
        for _ in range(64):
            sys.stdout.buffer.write(b"x" * 2**16)
            print("y" * 2**16)
            os.write(sys.stderr.fileno(), b"z" * 2**12)
    assert len(seen.output) < 100_000


def test_closing_what_user_code_was_given_closes_nothing_of_ours() -> None:
    with contained() as seen:
        os.close(sys.stdout.fileno())
        sys.stdout.close()
        print("still")
    assert "still" in seen.output


@pytest.mark.parametrize("end", [lambda: os._exit(0), lambda: os.abort(), lambda: os.execv("/bin/true", ["true"])])
def test_ends_of_the_process_raise_instead(end: object) -> None:
    with pytest.raises(InitializerRaised, match="would have ended the process"), contained():
        end()  # type: ignore[operator]


def test_a_process_that_was_forked_inside_may_end() -> None:
    with contained():
        child = os.fork()
        if child == 0:
            os._exit(7)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_a_process_that_was_forked_inside_does_not_come_back(tmp_path: Path) -> None:
    with contained():
        child = os.fork()
    (tmp_path / "came").touch(exist_ok=False)  # twice would raise
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
