"""A process for one initializer alone, so that a hang, a crash or a kill is a verdict on that one."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import faulthandler
import os
import signal
import tempfile
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initcheck.runs.pool import cap_threads, recipe_of

if TYPE_CHECKING:
    from initcheck.claims.claim import Claim
    from initcheck.contract.initializer import Initializer
    from initcheck.engine.checker import Settings
    from initcheck.report.verdict import Result
    from initcheck.runs.pool import Kept

__all__ = ["Isolated"]

PATIENCE = 300.0  # seconds for one claim where --timeout says nothing; a claim usually takes less than one


class Died(Exception):
    """The process is gone; the message says how, ``stack`` where it was."""

    def __init__(self, how: str, stack: tuple[str, ...]) -> None:
        super().__init__(how)
        self.stack = stack


class Isolated:
    """Judges like a plan, each initializer in a process of its own; one such process at a time.

    Args:
        plan: what to run; the contracts that the processes infer are kept there.
    """

    def __init__(self, plan: Kept) -> None:
        self.plan = plan
        timeout = plan.checker.settings.timeout
        # The engine ends a slow claim by itself; only a single call that does not return goes beyond that.
        self.patience = PATIENCE if timeout is None else 2 * timeout + 10
        self._name: str | None = None
        self._process: Process | None = None
        self._dead: dict[str, Claim] = {}

    def judge(self, initializer: Initializer, claim_id: str) -> Result:
        """Decide one claim in the initializer's own process.

        Raises:
            UsageError: the initializer exists in this process only.
        """
        from initcheck.claims.claim import find

        claim = find(claim_id)
        if initializer.name in self._dead:
            return self._moot(initializer, claim)
        try:
            result, contracts = self._of(initializer).ask(claim_id, self.patience)
        except Died as died:
            self.close()
            return self._failed(initializer, claim, died)
        self.plan.contracts.update(contracts)
        return result

    def _of(self, initializer: Initializer) -> Process:
        if self._process is None or self._name != initializer.name:
            self.close()
            self._name = initializer.name
            self._process = Process(self.plan.checker.settings, recipe_of(initializer))
        return self._process

    def _failed(self, initializer: Initializer, claim: Claim, died: Died) -> Result:
        from initcheck.report.verdict import Evidence, Result, Verdict

        self._dead[initializer.name] = claim
        return Result(
            claim=claim.id,
            says=claim.says,
            initializer=initializer.name,
            family=claim.family,
            verdict=Verdict.FAILS,
            reason="the initializer's process did not survive this claim; the claims after it were not asked",
            evidence=Evidence(measured=str(died), allowed="a result", detail=died.stack),
            reproduce=self._command(initializer, claim),
            location=initializer.location,
        )

    def _moot(self, initializer: Initializer, claim: Claim) -> Result:
        from initcheck.report.verdict import Result, Verdict

        return Result(
            claim=claim.id,
            says=claim.says,
            initializer=initializer.name,
            family=claim.family,
            verdict=Verdict.NOT_APPLICABLE,
            reason=f"the initializer's process did not survive {self._dead[initializer.name].id}",
            location=initializer.location,
        )

    def _command(self, initializer: Initializer, claim: Claim) -> str:
        import shlex

        settings = self.plan.checker.settings
        words = [f"--initcheck={initializer.name}", f"--initcheck-claims={claim.id}", "--initcheck-isolate"]
        words.append(f"--initcheck-seed={settings.seed}")
        if settings.profile != "default":
            words.append(f"--initcheck-profile={settings.profile}")
        if settings.timeout is not None:
            words.append(f"--initcheck-timeout={settings.timeout:g}")
        return shlex.join(["pytest", *words])

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.end()
        self._process = self._name = None

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Process:
    """One process with one initializer in it, which answers claim after claim."""

    def __init__(self, settings: Settings, recipe: Mapping[str, Any]) -> None:
        context = get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="initcheck-")
        self._stack = Path(self._folder.name) / "stack"
        self._pipe, theirs = context.Pipe()
        # Plain data: unpickling the settings themselves would import NumPy before its threads are capped.
        plain = dataclasses.asdict(settings)
        # Not a daemon: a claim may start processes of its own. Hence the ending by hand, before
        # multiprocessing waits for it at exit.
        self._process = context.Process(target=_serve, args=(theirs, plain, dict(recipe), str(self._stack)))
        atexit.register(self.end)
        self._process.start()
        theirs.close()
        self._known: dict[str, tuple[Result, dict[str, dict[str, Any]]]] = {}
        self._receive(PATIENCE)  # that it is ready: a framework may take long to import, which is no hang

    def ask(self, claim_id: str, patience: float) -> tuple[Result, dict[str, dict[str, Any]]]:
        """The verdict on one claim, and the contract it rests on.

        Raises:
            Died: the process is gone, or had to be ended after ``patience`` seconds.
        """
        from initcheck.report.report import result_from_plain

        if claim_id not in self._known:
            with contextlib.suppress(OSError):  # that the process is gone shows when its answer is read
                self._pipe.send(claim_id)
            plain, contracts = self._receive(patience)
            self._known[claim_id] = result_from_plain(plain), contracts
        return self._known[claim_id]

    def _receive(self, patience: float) -> Any:
        try:
            if self._pipe.poll(patience):
                return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(10)
            raise Died(self._how(), self._stack_lines()) from None
        self._abort()
        raise Died(f"a call did not return within {patience:g} s", self._stack_lines())

    def _abort(self) -> None:
        # SIGABRT makes faulthandler write where the call hangs; where there is none, terminate.
        if hasattr(signal, "SIGABRT") and self._process.pid is not None and hasattr(signal, "SIGKILL"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGABRT)
            self._process.join(5)
        self._process.kill()

    def _how(self) -> str:
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"the process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        why = " (a kill for want of memory, most often)" if name == "SIGKILL" else ""
        return f"the process died of {name}{why}"

    def _stack_lines(self) -> tuple[str, ...]:
        if not self._stack.exists():
            return ()
        lines = self._stack.read_text(errors="replace").splitlines()
        # The frames of initcheck itself say nothing of where the user's code was.
        ours = str(Path(__file__).parent.parent)
        theirs = [line.strip() for line in lines if line.strip() and ours not in line]
        return tuple(theirs[:12])

    def end(self) -> None:
        """Kill the process, whatever it is doing."""
        atexit.unregister(self.end)
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._folder.cleanup()


def _serve(pipe: Connection, settings: dict[str, Any], recipe: dict[str, Any], stack: str) -> None:
    """The life of such a process: a claim's id comes in, a result goes out."""
    cap_threads()
    # Ctrl-C reaches the whole group of processes; the parent is the one to act on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(stack, "w") as file:
        faulthandler.enable(file)
        from initcheck.engine.broken_claim import contained
        from initcheck.engine.checker import Checker, Settings
        from initcheck.report.report import result_to_plain
        from initcheck.runs.plan import contract_of
        from initcheck.targets.loading import rebuild

        checker = Checker(Settings(**settings))
        initializer = rebuild(recipe)
        pipe.send(None)
        while True:
            try:
                claim_id = pipe.recv()
            except EOFError:
                return
            result = contained(checker.judge, initializer, claim_id)
            pipe.send((result_to_plain(result), contract_of(checker, initializer)))
