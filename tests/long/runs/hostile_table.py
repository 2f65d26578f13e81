"""The table of hostile initializers at the doors: exit code, verdicts, completeness, files, processes left.

``python tests/long/runs/hostile_table.py "plain" "-j 2" leaves_a_daemon hangs_at_exit`` runs those subjects at those
doors, one run a door, the honest ones first and last; without doors all of them, without subjects all of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import test_hostile_matrix as matrix

from initcheck.report.schema import violation


def line(run: matrix.Run, names: list[str]) -> list[str]:
    """One line a subject, and one of the run."""
    lines = []
    for name in names:
        results = run.report.of(f"hostile_matrix:{name}") if run.report is not None else ()
        verdicts = {r.claim: r.verdict.value for r in results}
        failed = [claim for claim, verdict in verdicts.items() if verdict == "FAILS"]
        worst = "FAILS" if failed else ", ".join(sorted(set(verdicts.values()))) or "nothing"
        lines.append(f"{run.door:<10}{name:<46}{len(verdicts)} of {len(matrix.CLAIMS)} claims  {worst}")
    valid = run.json.exists() and violation(json.loads(run.json.read_text())) is None
    ours = "Traceback (most recent call last)" in run.output
    lines.append(
        f"{run.door:<10}exit {run.code}, report {'valid' if valid else 'missing or not valid'},"
        f" {'a traceback' if ours else 'no traceback'}, {len(run.left)} processes left, {run.seconds:.0f} s"
    )
    return lines


def main(*asked: str) -> None:
    doors = [word for word in asked if word in matrix.DOORS] or list(matrix.DOORS)
    chosen = [word for word in asked if word not in matrix.DOORS] or matrix.SHARED
    names = ["first_honest", *chosen, "last_honest"]
    for door in doors:
        with tempfile.TemporaryDirectory() as folder:
            run = matrix.Run(Path(folder), door, *(f"hostile_matrix:{name}" for name in names))
            print("\n".join(line(run, names)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
