"""Every verdict of a plan: in this process, in processes that share the work, or each initializer in one of its own."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from initcheck.contract.tested import Tested
from initcheck.report.verdict import Result
from initcheck.runs.own_process import OwnProcess
from initcheck.runs.plan import Plan
from initcheck.runs.units import units_of
from initcheck.sandbox.child import Died
from initcheck.sandbox.threads import OURS
from initcheck.targets.recipes import recipe_of

Share = tuple[Tested, tuple[str, ...]]


def judge_all(plan: Plan, *, jobs: int = 1) -> Iterator[Result]:
    """Every verdict of a plan, as it is reached; the same verdicts wherever they are reached.

    Raises:
        UsageError: an initializer that only this process has cannot be sent to another.
    """
    whole: list[Share] = [(i, plan.claims_of(i)) for i in plan.initializers]
    if jobs == 1:
        yield from _judged(plan.judge, whole)
        return
    alone = plan.own.alone
    yield from plan.done.values()
    # Told apart only where processes would idle; and never where one process is to have the whole.
    shares = whole if alone else units_of(plan.checker, plan.initializers, jobs)
    left = [
        (i, tuple(c for c in claims if c in plan.claims_of(i) and (i.name, c) not in plan.done)) for i, claims in shares
    ]
    yield from _pooled(plan, [share for share in left if share[1]], jobs, alone=alone)


def _judged(judge: Callable[[Tested, str], Result], shares: Iterable[Share]) -> Iterator[Result]:
    for tested, claim_ids in shares:
        for claim_id in claim_ids:
            yield judge(tested, claim_id)


def _pooled(plan: Plan, shares: Sequence[Share], jobs: int, *, alone: bool) -> Iterator[Result]:
    """Threads of this process, each with a process of its own that judges one share after the other."""
    for initializer, _ in shares:
        recipe_of(initializer)  # what cannot travel is said before anything is judged
    waiting = deque(shares)
    found: queue.Queue[Result | Share | BaseException | None] = queue.Queue()
    owns = [plan.another_process(alone=alone) for _ in range(min(jobs, len(shares)))]

    def work(own: OwnProcess) -> None:
        try:
            while waiting:
                initializer, claim_ids = waiting.popleft()
                for at, claim_id in enumerate(claim_ids):
                    try:
                        found.put(own.judge(initializer, claim_id) if alone else own.ask(initializer, claim_id))
                    except Died:
                        found.put((initializer, claim_ids[at:]))
                        break
        except IndexError:
            pass  # another thread took the last share
        except BaseException as error:
            found.put(error)
        finally:
            # By the thread that started it: on Linux a process ends with that thread.
            own.close()
            found.put(None)

    threads = [threading.Thread(target=work, args=(own,), name=OURS, daemon=True) for own in owns]
    for thread in threads:
        thread.start()
    lost: list[Share] = []
    try:
        working = len(threads)
        while working:
            got = found.get()
            if isinstance(got, BaseException):
                raise got
            if isinstance(got, Result):
                yield got
            elif got is None:
                working -= 1
            else:
                lost.append(got)
    finally:
        waiting.clear()
        for own in owns:
            own.close()
    # Who ends a process shows where each is alone, the claims in their order.
    with plan.another_process(alone=True) as own:
        for initializer in plan.initializers:
            again = {c for i, claim_ids in lost if i is initializer for c in claim_ids}
            yield from _judged(own.judge, [(initializer, tuple(c for c in plan.checker.claim_ids if c in again))])
