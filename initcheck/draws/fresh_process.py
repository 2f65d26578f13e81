"""Processes that have drawn nothing yet, to repeat a few calls in: what is cached by shape shows only there."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from initcheck.contract.initializer import Initializer

__all__ = ["FreshProcesses", "Pending", "fresh_processes", "serve"]

Call = tuple[tuple[int, ...], int, tuple[int, ...]]

# Two, so that code which hangs on Python's hash seed differs between them for certain.
_ORDERS = (("in a fresh process", False, "1"), ("in a fresh process, in another order", True, "2"))
_PATIENCE = 120.0


class FreshProcesses:
    """Two processes that live as long as the run and repeat the plan of one initializer after another.

    They are started when first asked and work beside this process, so that they cost little on two cores.
    """

    def __init__(self) -> None:
        self._children: list[_Child] = []
        atexit.register(self.close)

    def start(self, initializer: Initializer, plan: Sequence[Call], dtype: str) -> Pending:
        """Have both processes draw the plan; the answers are waited for later."""
        if initializer.recipe is None:
            return Pending([], "only this process has the function (it is no attribute of a module)")
        while len(self._children) < len(_ORDERS):
            self._children.append(_Child(_ORDERS[len(self._children)][2]))
        asked = []
        for index, (where, backward, hash_seed) in enumerate(_ORDERS):
            if not self._children[index].alive:
                self._children[index] = _Child(hash_seed)
            child = self._children[index]
            order = list(reversed(plan)) if backward else list(plan)
            request = {
                "recipe": dict(initializer.recipe),
                "plan": order,
                "dtype": dtype,
                "global seed": index + 3,
            }
            asked.append((where, backward, child, child.ask(request)))
        return Pending(asked)

    def close(self) -> None:
        """End the processes."""
        for child in self._children:
            child.close()
        self._children = []


def fresh_processes() -> FreshProcesses:
    """The two processes of this process: started once, whatever the number of runs."""
    # A worker forked from this process must not answer on this one's pipes.
    return _fresh_processes_of(os.getpid())


@functools.cache
def _fresh_processes_of(pid: int) -> FreshProcesses:
    return FreshProcesses()


class Pending:
    """Answers on their way."""

    def __init__(self, asked: Sequence[tuple[str, bool, _Child, int]], why_not: str = "") -> None:
        self._asked = asked
        self.why_not = why_not

    def answers(self) -> Mapping[str, list[str]] | None:
        """Digests of the plan's calls, in the plan's order, by where they were drawn; None where none could be."""
        found: dict[str, list[str]] = {}
        for where, backward, child, number in self._asked:
            answer = child.answer(number)
            if "digests" in answer:
                found[where] = list(reversed(answer["digests"])) if backward else answer["digests"]
            else:
                self.why_not = answer["error"]
        return found or None


class _Child:
    def __init__(self, hash_seed: str) -> None:
        # The number of BLAS threads is inherited: the bits of a large QR depend on it.
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        command = [sys.executable, "-c", "from initcheck.draws.fresh_process import serve; serve()"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked = 0
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any]) -> int:
        self._asked += 1
        stdin = self._process.stdin
        if stdin is not None:
            # A child that died answers with silence, which `answer` words.
            with contextlib.suppress(BrokenPipeError, OSError):
                stdin.write(json.dumps({**request, "number": self._asked}) + "\n")
                stdin.flush()
        return self._asked

    def answer(self, number: int) -> dict[str, Any]:
        while number not in self._answers:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except queue.Empty:
                self.close()
                return {"error": f"it did not answer within {_PATIENCE:g} s"}
            if line is None:
                return {"error": f"it died with exit code {self._process.wait()}"}
            answer = json.loads(line)
            self._answers[answer["number"]] = answer
        return self._answers.pop(number)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _listen(self, pipe: IO[str] | None) -> None:
        with contextlib.suppress(ValueError, OSError):  # the pipe is closed under us when the run ends
            for line in pipe or ():
                self._lines.put(line)
        self._lines.put(None)


def serve() -> None:
    """Answer requests on standard input until it ends: the main program of a fresh process."""
    # What the user's code prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for answer in _answers(sys.stdin):
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answers(requests: IO[str]) -> Iterator[dict[str, Any]]:
    from initcheck.draws.draws import digest
    from initcheck.sandbox.containment import InitializerRaised, contained
    from initcheck.sandbox.global_generators import isolated
    from initcheck.targets.loading import rebuild

    for line in requests:
        request = json.loads(line)
        number = request["number"]
        try:
            with contained():
                initializer = rebuild(request["recipe"])
        except Exception as error:
            yield {"number": number, "error": f"{type(error).__name__} there: {error}"}
            continue
        digests = []
        with isolated(request["global seed"]):
            for asked, seed, shape in request["plan"]:
                try:
                    with contained():
                        result = initializer.sampler.calls(tuple(asked), [seed], request["dtype"])[0]
                    array = initializer.sampler.to_numpy(result)
                    broken = None if array.shape == tuple(shape) else "shape"
                except (InitializerRaised, TypeError) as error:
                    broken = "type" if isinstance(error, TypeError) else "raises"
                digests.append(f"broken: {broken}" if broken else digest(array).hex())
        yield {"number": number, "digests": digests}
