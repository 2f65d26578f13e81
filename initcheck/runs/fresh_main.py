"""The program of a process of ours: initializers made again from plain data, judged or drawn there.

``python -m initcheck.runs.fresh_main PARENT`` reads requests from standard input and writes answers to standard
output, one JSON object a line (``initcheck.sandbox.child`` is the other end).
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import IO, Any

from initcheck.sandbox.threads import cap_threads, end_with_parent


def main(parent: str) -> None:
    """Answer requests until there are no more; descriptor 2 is told where a crash was.

    Args:
        parent: id of the process that asks.
    """
    end_with_parent(int(parent))
    cap_threads()
    sys.argv = ["initcheck"]  # a module that reads its arguments as it is imported was given none
    requests, answers, stack = _channels()
    faulthandler.enable(stack)
    _serve(requests, answers)


def _channels() -> tuple[IO[str], IO[str], IO[str]]:
    """The two ends of the conversation and the file for a stack, on descriptors that no code looks for; 0, 1 and 2
    lead nowhere."""
    requests, answers = os.fdopen(os.dup(0), encoding="ascii"), os.fdopen(os.dup(1), "w", encoding="ascii")
    stack = os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers, stack


def _serve(requests: IO[str], answers: IO[str]) -> None:
    # Here and not above: NumPy is imported with it, and takes its number of threads then.
    from initcheck.runs.server import Server

    server, process = Server(), os.getpid()
    for line in requests:
        request = json.loads(line)

        def tell(number: int = request["number"], **answer: Any) -> None:
            if os.getpid() != process:
                os._exit(0)  # user code forked and returned twice; the first of the two answers
            answers.write(json.dumps({"number": number, **answer}) + "\n")
            answers.flush()

        try:
            server.answer(request, tell)
        except Exception as error:
            tell(error=f"{type(error).__name__} there: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
