"""A process of ours beside this one: requests go in and answers come out, one JSON object a line."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from initcheck.sandbox.descendants import CHILD, end_marked, new_mark
from initcheck.sandbox.threads import OURS

_ROOT = str(Path(__file__).resolve().parents[2])
_OURS = str(Path(__file__).resolve().parents[1]) + os.sep


class Died(Exception):
    """The process is gone; the message says how, ``stack`` where it was, ``seconds`` how long it had been asked."""

    def __init__(self, how: str, stack: tuple[str, ...] = ()) -> None:
        super().__init__(how)
        self.stack = stack
        self.seconds = 0.0


class Child:
    """One process that answers request after request, until it is ended or this process ends.

    What its code writes to descriptors 1 and 2 never mixes with the answers; it is not kept.

    Args:
        module: run as ``python -m module PARENT``, this process; its stack, if it crashes, goes to descriptor 2.
        hash_seed: of Python's ``hash`` there; as this process was started with where None.
    """

    def __init__(self, module: str, hash_seed: str | None = None) -> None:
        # A file without a name: nothing is left of it, however this process ends.
        self._stack = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - as long as the process lives
        self._mark = new_mark()
        environment = {**os.environ, CHILD: self._mark}
        if hash_seed is not None:
            environment["PYTHONHASHSEED"] = hash_seed
        # The number of BLAS threads is inherited: the bits of a large QR depend on it. The folder of the run is not
        # put on the path: a statistics.py in it would stand in for Python's own until a target asks for it.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stack,
            text=True,
            encoding="ascii",
            env=environment,
            cwd=None if _folder_is_there() else tempfile.gettempdir(),  # hardly one that was removed
            start_new_session=True,  # Ctrl-C is for this process; and what it starts can be ended with it
        )
        self._ended = False
        atexit.register(self.end)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._answers: dict[int, list[dict[str, Any]]] = {}
        self._asked = 0
        listener = threading.Thread(target=self._listen, args=(self._process.stdout,), name=OURS, daemon=True)
        listener.start()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> int:
        """Send a request; its answers are waited for later, by the number that this gives."""
        self._asked += 1
        stdin = self._process.stdin
        if stdin is not None:
            # A child that died answers with silence, which `answer` words.
            with contextlib.suppress(OSError, ValueError):
                stdin.write(json.dumps({**request, "number": self._asked}) + "\n")
                stdin.flush()
        return self._asked

    def answer(self, number: int, patience: float) -> dict[str, Any]:
        """The next answer to a request.

        Args:
            number: of the request.
            patience: seconds that it may take from now on.

        Raises:
            Died: the process is gone, or was ended because it did not answer in time.
        """
        while not self._answers.get(number):
            try:
                line = self._lines.get(timeout=patience)
            except queue.Empty:
                self._abort()
                stack = self._stack_lines()
                self.end()
                raise Died(f"a call did not return within {patience:g} s", stack) from None
            answer = _read(line)
            if answer is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(10)
                how, stack = self._how(), self._stack_lines()
                self.end()
                raise Died(how, stack)
            self._answers.setdefault(answer["number"], []).append(answer)
        return self._answers[number].pop(0)

    def end(self) -> None:
        """Kill the process and what it has started, whatever they are doing."""
        atexit.unregister(self.end)
        if not self._ended:
            self._ended = True
            # Its session is its own, and what it started may outlive it there, or in a session of its own.
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(self._process.pid, signal.SIGKILL)
            end_marked(CHILD, self._mark)
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        self._stack.close()

    def _listen(self, pipe: IO[str] | None) -> None:
        with contextlib.suppress(ValueError, OSError):  # the pipe is closed under us when the run ends
            for line in pipe or ():
                self._lines.put(line)
        self._lines.put(None)

    def _abort(self) -> None:
        # SIGABRT makes faulthandler write where the call hangs; where there is none, it is killed at once.
        if os.name == "posix":
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._process.send_signal(signal.SIGABRT)
                self._process.wait(5)

    def _how(self) -> str:
        code = self._process.poll()
        if code is None:
            return "the process no longer answers"
        if code >= 0:
            return f"the process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        why = " (a kill for want of memory, most often)" if name == "SIGKILL" else ""
        return f"the process died of {name}{why}"

    def _stack_lines(self) -> tuple[str, ...]:
        try:
            self._stack.seek(0)
            lines = self._stack.read().splitlines()
        except (OSError, ValueError):
            return ()
        # The frames of initcheck itself say nothing of where the user's code was.
        noise = (_OURS, "<frozen runpy>", "Extension modules: ")
        theirs = [line.strip() for line in lines if line.strip() and not any(n in line for n in noise)]
        return tuple(theirs[:12])


def _folder_is_there() -> bool:
    try:
        return os.path.isdir(os.getcwd())
    except OSError:
        return False


def _read(line: str | None) -> dict[str, Any] | None:
    """An answer; None at the end, or where the process no longer keeps to the form."""
    try:
        answer = json.loads(line or "null")
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("number"), int) else None
