"""Measure which defects are found, and by which claims: `python tests/long/power/measure.py --seeds 3`.

Writes initcheck/power.json, which `initcheck explain CLAIM` reads. Two to ten CPU seconds a run. `--often 300` asks
of the defects that matter most the one claim that must find them, in as many runs as show 99 %. `--sample 8` runs one
line in eight once, at a seed that the table does not know, and says whether the table is right of it; writes nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from defects import KINDS, OFTEN, RIGHT_CLAIM, Defect, every

from initcheck.contract.profile import PROFILES
from initcheck.engine.checker import Checker, Settings
from initcheck.gallery.measured_power import at_least
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

# A seed beyond those that make the table.
_ANEW = 1_301
TABLE = Path(__file__).parents[3] / "initcheck" / "gallery" / "power.json"


def verdicts(defect: Defect, seed: int, profile: str, claims: tuple[str, ...] | None = None) -> dict[str, Verdict]:
    """Claim id -> verdict, of one run."""
    checker = Checker(Settings(profile=profile, seed=seed, claims=claims))
    # The smallest case of a failure is half of what a grave defect costs, and no verdict hangs on it.
    checker.profile = replace(checker.profile, shrink=1)
    [initializer] = load(defect.initializer, contract=defect.contract).initializers
    return {claim: checker.judge(initializer, claim).verdict for claim in checker.claim_ids}


def line(defect: Defect, seeds: Iterable[int], profile: str) -> dict[str, Any]:
    """One line of the table: runs, runs that find the defect, and how often each claim says so."""
    runs = [verdicts(defect, seed, profile) for seed in seeds]
    by = Counter(claim for run in runs for claim, verdict in run.items() if verdict is Verdict.FAILS)
    undecided = Counter(claim for run in runs for claim, verdict in run.items() if verdict is Verdict.UNDECIDED)
    return {
        "kind": defect.kind,
        "size": defect.size,
        "law": defect.law,
        "runs": len(runs),
        "found": sum(Verdict.FAILS in run.values() for run in runs),
        "by": dict(sorted(by.items())),
        "undecided": dict(sorted(undecided.items())),
    }


def compared(asked: Sequence[Defect], lines: Mapping[tuple[str, Any, str], Mapping[str, Any]], profile: str) -> None:
    """Run lines of the table once more each, and print whether the answer is the same."""
    same = 0
    for done, defect in enumerate(asked, 1):
        stored, new = lines[defect.kind, defect.size, defect.law], line(defect, [_ANEW], profile)
        # What the table found in some of its runs alone may be found here, or not.
        same += stored["found"] > 0 if new["found"] else stored["found"] < stored["runs"]
        print(
            f"{defect}: {stored['found']} of {stored['runs']} in the table, now {new['found']} of 1; as in the table"
            f" {same} of {done} ({at_least(same, done):.1%} or more)",
            flush=True,
        )


def _line(task: tuple[Defect, int, str]) -> dict[str, Any]:
    defect, seeds, profile = task
    return line(defect, range(1, seeds + 1), profile)


def often(defect: Defect, runs: int, profile: str) -> dict[str, Any]:
    """One line of the runs that show how surely the right claim finds a defect."""
    claim = RIGHT_CLAIM[defect.kind]
    found = sum(verdicts(defect, seed, profile, (claim,))[claim] is Verdict.FAILS for seed in range(1, runs + 1))
    about = {"kind": defect.kind, "size": defect.size, "law": defect.law}
    return {**about, "claim": claim, "runs": runs, "found": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4, help="runs of each line")
    parser.add_argument("--kinds", nargs="*", help="only these; their lines are replaced, the others kept")
    parser.add_argument("--laws", nargs="*", help="only these")
    parser.add_argument("--missing", action="store_true", help="only lines that the table has in fewer runs")
    parser.add_argument(
        "--often", type=int, default=0, help="runs of each of the defects that matter most, and no lines"
    )
    parser.add_argument("--sample", type=int, default=0, help="compare one line in so many with the table")
    parser.add_argument("--profile", default="quick", choices=PROFILES)
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    asked = [
        d for d in every() if (not chosen.kinds or d.kind in chosen.kinds) and (not chosen.laws or d.law in chosen.laws)
    ]
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    lines = {(a["kind"], a["size"], a["law"]): a for a in table.get("lines", [])}
    sure = table.get("often", [])
    if chosen.sample:
        known = [d for d in asked if (d.kind, d.size, d.law) in lines]
        return compared(known[:: chosen.sample], lines, chosen.profile)
    if chosen.often:
        for number, defect in enumerate(d for d in OFTEN if not chosen.kinds or d.kind in chosen.kinds):
            new = often(defect, chosen.often, chosen.profile)
            sure = [a for a in sure if a["kind"] != defect.kind] + [new]
            print(number + 1, *new.values(), flush=True)
            write(lines, sure, chosen.profile)
        return
    if chosen.missing:
        runs = {key: a["runs"] for key, a in lines.items()}
        asked = [d for d in asked if runs.get((d.kind, d.size, d.law), 0) < chosen.seeds]
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(chosen.processes) as pool:
        tasks = [(d, chosen.seeds, chosen.profile) for d in asked]
        for done, new in enumerate(pool.imap(_line, tasks), 1):
            lines[new["kind"], new["size"], new["law"]] = new
            print(f"{done}/{len(tasks)} {time.perf_counter() - started:.0f} s", *itertools.islice(new.values(), 6))
            write(lines, sure, chosen.profile)


def write(lines: dict[tuple[str, Any, str], dict[str, Any]], sure: list[dict[str, Any]], profile: str) -> None:
    """Store the lines in the order of the generator, with the words for each kind."""
    order = [(d.kind, d.size, d.law) for d in every()]
    rows = ",\n".join("    " + json.dumps(lines[key]) for key in order if key in lines)
    kinds = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps({'says': kind.says, 'ordered': kind.ordered})}"
        for name, kind in KINDS.items()
    )
    place = [d.kind for d in OFTEN]
    surely = ",\n".join("    " + json.dumps(a) for a in sorted(sure, key=lambda a: place.index(a["kind"])))
    head = json.dumps({"command": "python tests/long/power/measure.py", "profile": profile})[1:-1]
    TABLE.write_text(
        f'{{{head},\n  "kinds": {{\n{kinds}\n  }},\n  "lines": [\n{rows}\n  ],\n  "often": [\n{surely}\n  ]\n}}\n'
    )


if __name__ == "__main__":
    main()
