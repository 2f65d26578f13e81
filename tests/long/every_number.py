"""Every number of the README and the guide that is counted, in one table at one commit.

    tox run -e numbers                                            # about 35 CPU minutes
    python tests/long/every_number.py --minutes 70                # twice the samples where they are samples
    python tests/long/every_number.py --only speed mutants        # some rows anew

Each row runs the script that the guide names for it, in a process of its own, and counts what that prints. Nothing is
measured here. The rows lie in FOLDER/COMMIT.json as soon as each is there (--folder, build/numbers): a run that was
stopped goes on behind them, the false alarms behind their last run. A row that ends badly says how, and the others are
made. 'wrong, at most' is the exact upper bound of Clopper and Pearson on the share that is wrong, at confidence 95 %,
where what is counted is a sample of seeds or of a longer list.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import stats

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = {"KERAS_BACKEND": "jax", "OPENBLAS_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
MINUTES = 35.0
SPEED = "speed.json"
MUTANTS = (HERE / "statistics" / "mutants_of_rules.py").read_text().count("\n    Mutant(")
LINES = len(json.loads((ROOT / "initcheck" / "gallery" / "power.json").read_text())["lines"])
# A machine that others use gives a process a fifth of a core at the worst.
_WALL = 5


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        says: what is counted.
        minutes: of CPU time, of the 35.
        command: of the minutes that it may take, and of where its files lie, makes the words behind ``python``.
        counted: of what it printed, and of its files, how many were right, of how many.
        whole: of what it printed, how many there are where nothing is left out; None where nothing ever is.
        sample: whether the exact bound says something: those that were not run are like those that were.
    """

    says: str
    minutes: float
    command: Callable[[float, Path], list[str]]
    counted: Callable[[str, Path], tuple[int, int]]
    whole: Callable[[str], int] | None = None
    sample: bool = True


def last(pattern: str, right: Callable[[list[int]], tuple[int, int]]) -> Callable[[str, Path], tuple[int, int]]:
    """Counts by the numbers of the last place where the pattern is found."""

    def counted(printed: str, _: Path) -> tuple[int, int]:
        return right([int(n) for n in list(re.finditer(pattern, printed))[-1].groups(default="0")])

    return counted


def of_pytest(printed: str, _: Path) -> tuple[int, int]:
    """Tests that passed, of those that ran."""
    [line] = [x for x in printed.splitlines() if re.search(r"\d+ (passed|failed).* in [\d.]+s", x)][-1:]
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?)", line)}
    return counts.get("passed", 0), sum(counts.values())


def below_their_level(printed: str, _: Path) -> tuple[int, int]:
    """Upper bounds that lie below the level that they are of: 0.2, 0.05 and 0.01 in every line."""
    lines = [x for line in printed.splitlines() if len(x := re.findall(r"\d+ \( *([\d.]+)\)", line)) == 3]
    bounds = [(float(b), level) for line in lines for b, level in zip(line, (0.2, 0.05, 0.01), strict=True)]
    return sum(b < level for b, level in bounds), len(bounds)


def every_claim_told(printed: str, _: Path) -> tuple[int, int]:
    """Subjects of which every claim has a verdict, of those that were run."""
    told = re.findall(r"(\d+) of (\d+) claims", printed)
    return sum(a == b for a, b in told), len(told)


def within_what_is_wanted(_: str, at: Path) -> tuple[int, int]:
    """Checks that took no more CPU seconds than are wanted, of those in the JSON file of pytest-benchmark."""
    took = [b["extra_info"] for b in json.loads((at / SPEED).read_text())["benchmarks"]]
    return sum(b["CPU seconds"] <= b["wanted"] for b in took), len(took)


def every(seconds: float, minutes: float, whole: int) -> int:
    """Which part of a list may be run: one in so many, where each takes so many seconds."""
    return max(1, math.ceil(whole * seconds / (60 * minutes)))


def pytest(*words: str) -> list[str]:
    return ["-m", "pytest", "-q", "-m", "", "-o", "norecursedirs=.*", "-p", "no:cacheprovider", *words]


def false_alarms(minutes: float, at: Path, *libraries: str) -> list[str]:
    """The script of false alarms, which goes on where its log ends."""
    log = str(at / "false_alarms.jsonl")
    words = ["tests/long/false_alarms/false_alarms.py", "--log", log, "--minutes", f"{minutes:g}"]
    return [*words, "--libraries", *libraries]


without_a_failure = last(r"both, all, .*runs (\d+), runs with a FAILS (\d+)", lambda n: (n[0] - n[1], n[0]))


def of_all_runs(printed: str) -> int:
    """How many runs there would be."""
    return int(re.findall(r"so far, of (\d+)", printed)[0])


ROWS = {
    "speed": Row(
        "checks in a fresh process that take no more CPU seconds than are wanted",
        1.5,
        lambda _, at: pytest(
            "tests/benchmarks/test_check_speed.py", "-k", "fresh_process", f"--benchmark-json={at / SPEED}"
        ),
        within_what_is_wanted,
        sample=False,
    ),
    "signatures": Row(
        "public forms of the last sample that are read as their answer says",
        0.3,
        lambda *_: pytest("tests/long/adapters/test_wild_signatures_tenth.py", "-k", "makes_of_it"),
        of_pytest,
    ),
    "peers": Row(
        "tests that the stored table of peers is what is measured now",
        0.2,
        lambda *_: pytest("tests/benchmarks/test_peers.py"),
        of_pytest,
        sample=False,
    ),
    "hostile": Row(
        "hostile initializers at the plain door of which every claim is told",
        1.0,
        lambda *_: ["tests/long/runs/hostile_table.py", "plain"],
        every_claim_told,
        sample=False,
    ),
    "calibration": Row(
        "bounds on how often a rule errs on its edge that lie below its level: 0.2, 0.05, 0.01",
        1.5,
        lambda minutes, _: [
            "tests/long/statistics/alarms_on_the_edge.py", "--runs", str(max(100, round(60 * minutes / 0.03)))
        ],
        below_their_level,
        sample=False,
    ),
    "calibration of pairs": Row(
        "comparisons of one law with itself that are not called DIFFERENT at 0.2",
        0.5,
        lambda minutes, _: ["tests/long/comparison/calibration_of_pairs.py", str(max(10, round(60 * minutes / 1.0)))],
        lambda printed, _: (
            sum(int(runs) - int(wrong) for runs, wrong in re.findall(r"(\d+) runs: +(\d+) at 0.2", printed)),
            sum(int(runs) for runs, _ in re.findall(r"(\d+) runs: +(\d+) at 0.2", printed)),
        ),
        whole=lambda _: 2_700,  # 300 of each of nine laws: what the guide has
    ),
    "mutants": Row(
        "faults planted in the rules that a test finds, or that are explained",
        4.0,
        lambda minutes, _: [
            "tests/long/statistics/mutants_of_rules.py",
            "--only", *map(str, range(1, MUTANTS + 1, every(8, minutes, MUTANTS))),
        ],
        last(r"(\d+) mutants: .* (\d+) of them not explained", lambda n: (n[0] - n[1], n[0])),
        whole=lambda _: MUTANTS,
    ),
    "power": Row(
        "lines of the table of measured power that one more run agrees with",
        4.0,
        lambda minutes, _: ["tests/long/power/measure.py", "--sample", str(every(5, minutes, LINES))],
        last(r"as in the table (\d+) of (\d+)", lambda n: (n[0], n[1])),
        whole=lambda _: LINES,
    ),
    "false alarms of models": Row(
        "runs of sound models in which nothing FAILS, half of them at 0.2 and half at 10^-6",
        2.0,
        lambda minutes, at: false_alarms(minutes, at, "models of PyTorch", "models of others"),
        without_a_failure,
        whole=of_all_runs,
    ),
    "false alarms": Row(
        "runs of correct initializers and layers in which nothing FAILS, half of them at 0.2 and half at 10^-6",
        20.0,
        lambda minutes, at: false_alarms(
            minutes, at, "gallery", "torch", "everyday", "unusual", "jax", "keras", "flax", "layers"
        ),
        without_a_failure,
        whole=of_all_runs,
    ),
}  # fmt: skip


def commit() -> str:
    """The commit that is measured, with a + where files differ from it."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    ]
    return said[0] + "+" * bool(said[1])


def made(row: Row, minutes: float, at: Path) -> dict[str, Any]:
    """Run the script of a row to its end, or to that of its time."""
    words = row.command(minutes, at)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (at / "printed.txt").open("w+") as printed:
        ran = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            ended = f"exit {ran.wait(max(600, 60 * minutes * _WALL))}"
        except subprocess.TimeoutExpired:
            ended = "stopped after its time"
        finally:
            if ran.poll() is None:
                os.killpg(ran.pid, signal.SIGTERM)
                ran.wait()
        printed.seek(0)
        text = printed.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found: dict[str, Any] = {
        "says": row.says,
        "command": shlex.join(["python", *words]),
        "ended": ended,
        "CPU seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
        "seconds": round(time.monotonic() - started),
        "printed": text.splitlines()[-200:],
    }
    try:
        right, of = row.counted(text, at)
        whole = of if row.whole is None else row.whole(text)
    except (IndexError, KeyError, ValueError, OSError):
        return found  # it ended before it printed what is counted
    if row.sample and of:
        found["wrong, at most"] = float(stats.beta.ppf(0.95, of - right + 1, right)) if right else 1.0
    return {**found, "right": right, "of": of, "whole": whole} if of else found


def line(name: str, found: dict[str, Any]) -> str:
    """One line of the table."""
    if "of" not in found:
        return f"{name:22}{'-':>17}  {found['ended']}: {(found['printed'] or ['nothing printed'])[-1]}"
    counts = f"{found['right']} of {found['of']}"
    bound = f"{found['wrong, at most']:.2%}" if "wrong, at most" in found else ""
    whole = f"of {found['whole']:,}"
    return f"{name:22}{counts:>17}{bound:>10}{whole:>10}{found['CPU seconds']:7}  {found['says']}"


def main() -> int:
    """Make the rows that are not there, print the table; 1 where a row has no count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of CPU time, in all")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help=f"made anew: {', '.join(ROWS)}")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "numbers")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that it ends what it started
    now = commit()
    at = asked.folder.resolve() / now
    at.mkdir(parents=True, exist_ok=True)
    kept = at.with_suffix(".json")
    rows: dict[str, dict[str, Any]] = json.loads(kept.read_text())["rows"] if kept.exists() else {}
    for name in asked.only or [name for name in ROWS if "of" not in rows.get(name, {})]:
        rows[name] = made(ROWS[name], ROWS[name].minutes * asked.minutes / MINUTES, at)
        kept.write_text(json.dumps({"commit": now, "rows": rows}, indent=1) + "\n")
        print(line(name, rows[name]), flush=True)
    print(f"\nat {now}, of {asked.minutes:g} minutes; {kept}\n")
    print(f"{'row':22}{'right':>17}{'wrong <=':>10}{'whole':>10}{'CPU s':>7}  what is counted, and its command")
    for name in ROWS:
        if name in rows:
            print(line(name, rows[name]), f"{'':22}{rows[name]['command']}", sep="\n")
    return int(any("of" not in row for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
