"""Laws whose truth is known against what is said of them: every claim, and CPU seconds beside those of a normal law.

    nice -n 10 python tests/long/false_alarms/truth_table.py tests/long/false_alarms/unusual_laws.py --seeds 0 1

A module of laws has a `TRUTH`: for the name of each of its functions `fails`, the claims that are false of it, and
`soft`, those that are a matter of definition; every other claim is true of it or not asked. A typical signal may be
lost by a law whose second moment is right, and whoever wrote the truth need not have seen it: where a claim on depth
FAILS that is not among `fails`, plain NumPy asks 24 networks, and all of them must have left the band. `--log` keeps
what was judged, and goes on there. 'a call/normal' is what the law itself takes to draw, without any check.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import inspect
import json
import math
import multiprocessing
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

import initcheck
from initcheck.report.verdict import Verdict

_NORMAL = f"{Path(__file__).parent / 'unusual_laws.py'}:normal"


@dataclass(frozen=True)
class Row:
    """What one run says of one law.

    Attributes:
        law: its name; 'normal' is what costs are measured in.
        seed: of the run.
        verdicts: by claim.
        said: what stands behind each verdict that is FAILS or UNDECIDED, in a line.
        cpu: seconds, children's among them.
    """

    law: str
    seed: int
    verdicts: dict[str, str]
    said: dict[str, str]
    cpu: float


def laws_of(path: Path) -> ModuleType:
    """The module of laws at a path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return module


def judged(target: str, seed: int, profile: str) -> Row:
    """Judge a law in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_judge, (target, seed, profile))


def _seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def _judge(target: str, seed: int, profile: str) -> Row:
    # What is imported on first use is no cost of the law, by its module neither.
    laws_of(Path(target.rpartition(":")[0]))
    initcheck.check(_NORMAL, profile="quick", claims=["finite", "output-variance-near-one"])
    before = _seconds()
    report = initcheck.check(target, seed=seed, profile=profile)
    results = list(report)
    said = {
        r.claim: " / ".join(str(x) for x in (r.reason, r.evidence.measured, r.evidence.shape) if x is not None)
        for r in results
        if r.verdict in (Verdict.FAILS, Verdict.UNDECIDED)
    }
    verdicts = {r.claim: r.verdict.value for r in results}
    return Row(target.rpartition(":")[2], seed, verdicts, said, round(_seconds() - before, 2))


def seconds_a_call(path: Path, name: str, calls: int = 30) -> float:
    """What the law itself takes to draw three layers, CPU seconds."""
    function = getattr(laws_of(path), name)
    by_seed = "seed" in inspect.signature(function).parameters
    function((64, 64), 0 if by_seed else np.random.default_rng(0))
    before = _seconds()
    for call in range(calls):
        for shape in ((64, 64), (4, 1024), (257, 9)):
            function(shape, call if by_seed else np.random.default_rng(call))
    return (_seconds() - before) / calls


_HOW = ("right", "right by simulation", "false FAILS", "false HOLDS", "UNDECIDED")
_DEPTH = ("signal-survives-depth", "gradient-survives-depth")


@functools.cache
def loses_its_signal(path: Path, name: str, networks: int = 24, depth: int = 20, width: int = 256) -> bool:
    """Whether all of some linear networks leave [0.1, 10] to one side: at a median inside they do with 2^-23."""
    function = getattr(laws_of(path), name)
    by_seed = "seed" in inspect.signature(function).parameters
    energies = []
    for network in range(networks):
        rng = np.random.default_rng([20, network])
        y = rng.standard_normal((width, 16))
        for _ in range(depth):
            weights = function((width, width), int(rng.integers(2**31)) if by_seed else rng)
            y = np.asarray(weights, np.float64) @ y
        energies.append(float(np.square(y).mean()))
    return max(energies) < 0.1 or min(energies) > 10.0


def against_truth(row: Row, fails: Sequence[str], soft: Sequence[str], path: Path) -> Iterator[tuple[str, str]]:
    """Each claim asked, and whether its verdict is 'right', 'false FAILS', 'false HOLDS' or 'UNDECIDED'.

    'right by simulation' is a FAILS on depth that the truth does not name.
    """
    for claim, verdict in row.verdicts.items():
        if claim in soft:
            continue
        if verdict == Verdict.UNDECIDED.value:
            yield claim, "UNDECIDED"
        elif verdict == Verdict.FAILS.value:
            if claim in _DEPTH and claim not in fails:
                yield claim, "right by simulation" if loses_its_signal(path, row.law) else "false FAILS"
            else:
                yield claim, "right" if claim in fails else "false FAILS"
        elif verdict == Verdict.HOLDS.value:
            yield claim, "false HOLDS" if claim in fails else "right"


def table(rows: Sequence[Row], truth: dict[str, dict[str, set[str]]], path: Path) -> str:
    """A line a law, the verdicts that are not right by name, and the sums."""
    normal = [row.cpu for row in rows if row.law == "normal"]
    unit = sum(normal) / len(normal) if normal else math.nan
    lines = [
        f"normal: {unit:.1f} CPU s a run",
        f"{'law':26} runs  CPU/normal  a call/normal  fails found  what is not right (runs)",
    ]
    a_call = seconds_a_call(Path(_NORMAL.rpartition(":")[0]), "normal")
    every: Counter[str] = Counter()
    for name, says in truth.items():
        of = [row for row in rows if row.law == name]
        if not of:
            continue
        odd: Counter[tuple[str, str]] = Counter()
        found = asked = 0
        for row in of:
            for claim, how in against_truth(row, sorted(says["fails"]), sorted(says["soft"]), path):
                every[how] += 1
                odd.update([] if how == "right" else [(how, claim)])
            asked += sum(row.verdicts.get(c) != Verdict.NOT_APPLICABLE.value for c in says["fails"])
            found += sum(row.verdicts.get(c) == Verdict.FAILS.value for c in says["fails"])
        cost = max(row.cpu for row in of) / unit
        wrong = "; ".join(f"{how} {claim} ({n})" for (how, claim), n in sorted(odd.items()))
        own = seconds_a_call(path, name) / a_call
        lines.append(f"{name:26} {len(of):4}  {cost:10.1f}  {own:13.1f}  {found:5}/{asked:<5}  {wrong}")
    total = sum(every.values())
    sums = (f"{how} {every[how]} ({every[how] / total:.1%})" for how in _HOW)
    return "\n".join([*lines, f"{total} verdicts: " + ", ".join(sums)])


def main() -> None:
    """Judge what the log does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("laws", type=Path)
    parser.add_argument("--profile", default="default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--log", type=Path)
    asked = parser.parse_args()
    truth = laws_of(asked.laws).TRUTH
    kept = asked.log.read_text().splitlines() if asked.log and asked.log.exists() else []
    rows = [Row(**json.loads(line)) for line in kept]
    done = {(row.law, row.seed) for row in rows}
    targets = {"normal": _NORMAL} | {name: f"{asked.laws}:{name}" for name in asked.only or truth}
    for seed in asked.seeds:
        for name, target in targets.items():
            if (name, seed) in done:
                continue
            rows.append(judged(target, seed, asked.profile))
            print(seed, name, rows[-1].cpu, rows[-1].said, flush=True, file=sys.stderr)
            if asked.log:
                with asked.log.open("a") as log:
                    log.write(json.dumps(asdict(rows[-1])) + "\n")
    print(table(rows, truth, asked.laws))


if __name__ == "__main__":
    main()
