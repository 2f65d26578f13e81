"""The program of a process of ours: initializers made again from plain data, judged or drawn there.

``python -m initcheck.runs.fresh_main STACK PARENT`` reads requests from standard input and writes answers to standard
output, one JSON object a line (``initcheck.sandbox.child`` is the other end).
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from initcheck.sandbox.threads import cap_threads, end_with_parent

if TYPE_CHECKING:
    from initcheck.runs.units import Remade

__all__ = ["main"]


def main(stack: str, parent: str) -> None:
    """Answer requests until there are no more.

    Args:
        stack: the file that tells where a crash was.
        parent: id of the process that asks.
    """
    end_with_parent(int(parent))
    cap_threads()
    requests, answers = _channels()
    with open(stack, "w") as file:
        faulthandler.enable(file)
        for answer in _answers(requests):
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _channels() -> tuple[IO[str], IO[str]]:
    """The two ends of the conversation, on descriptors that no code looks for; 0, 1 and 2 lead nowhere."""
    requests, answers = os.fdopen(os.dup(0), encoding="ascii"), os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers


def _answers(requests: IO[str]) -> Iterator[dict[str, Any]]:
    kept: tuple[Any, Remade] | None = None
    for line in requests:
        request = json.loads(line)
        key = [request.get("recipe"), request.get("settings")]
        try:
            # Here and not above: NumPy is imported with it, and takes its number of threads then.
            from initcheck.runs.units import Remade

            if key[0] is None:
                yield {"number": request["number"]}  # ready
                continue
            if kept is None or kept[0] != key:
                kept = (key, Remade(*key))
            yield {"number": request["number"], **_answer(kept[1], request)}
        except Exception as error:
            yield {"number": request["number"], "error": f"{type(error).__name__} there: {error}"}


def _answer(remade: Remade, request: Mapping[str, Any]) -> dict[str, Any]:
    if "plan" in request:
        return {"digests": remade.digests(request["plan"], request["dtype"], request["global seed"])}
    judged = remade.judge(request["claims"])
    return {"results": judged.results, "held to": judged.held_to}


if __name__ == "__main__":
    main(*sys.argv[1:])
