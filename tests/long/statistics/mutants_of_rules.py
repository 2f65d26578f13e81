"""Plant a fault in a decision rule, one at a time, in a copy of the tree, and see whether the tests notice.

    nice -n 10 python tests/long/statistics/mutants_of_rules.py
    nice -n 10 python tests/long/statistics/mutants_of_rules.py --only 3 7

Each fault is one a person may make: an inequality turned, a factor forgotten, a permutation of whole calls in place of
positions, evidence that is forgotten. A mutant that no test kills is printed as ALIVE and is either explained here
(``harmless``) or a test is missing; the exit code is 1 where one is alive and not explained. A text that is no longer
found in its module is an error: the fault moves with the rule.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[3]


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        module: under ``initcheck/``.
        text: what is there; it occurs once.
        fault: what is put in its place.
        tests: the files that should notice, under ``tests/``.
        harmless: why nothing needs to notice it; empty where something must.
    """

    module: str
    text: str
    fault: str
    tests: tuple[str, ...]
    harmless: str = ""


PERMUTATION, SYMMETRIC, SCORES = "statistics/permutation.py", "statistics/symmetric.py", "statistics/scores.py"
BETS, BAND, TIES, CALLS = "statistics/mean_bets.py", "statistics/band.py", "questions/ties.py", "questions/calls.py"
SIGNS, LEDGER, UNITS, JUDGE = (
    "statistics/sign_eprocess.py", "statistics/ledger.py", "questions/units.py", "engine/trials/judge.py",
)  # fmt: skip
OF_PERMUTATION = ("statistics/test_permutation.py",)
OF_SYMMETRIC = ("statistics/test_symmetric.py",)
OF_BETS = ("statistics/test_mean_bets.py", "statistics/test_band.py")
OF_SCORES = ("statistics/test_scores.py",)
OF_TIES = ("questions/test_ties.py",)
OF_CALLS = ("questions/test_calls.py",)

MUTANTS = (
    # Independence by positions.
    Mutant(PERMUTATION, "(number, SHUFFLES, *shape))", "(number, SHUFFLES, *(1,) * len(shape)))", OF_PERMUTATION),
    Mutant(PERMUTATION, "(values[..., :1] > values[..., 1:])", "(values[..., :1] >= values[..., 1:])", OF_PERMUTATION),
    Mutant(PERMUTATION, "[of[field], -of[field]]", "[of[field], of[field]]", OF_PERMUTATION),
    Mutant(PERMUTATION, "math.sqrt(4.6 / (units * inputs))", "math.sqrt(0.46 / (units * inputs))", OF_PERMUTATION),
    Mutant(PERMUTATION, "DIGITS = 5", "DIGITS = 17", OF_PERMUTATION,
           harmless="rounding then breaks ties, of a batch and of its shuffles alike, so that P(top) <= 1/20 stays;"
           " what is lost is that machines whose sums are added in another order say the same"),
    Mutant(SYMMETRIC, "np.all(values[:, None] > shuffled, axis=1)", "np.all(values[:, None] >= shuffled, axis=1)",
           OF_SYMMETRIC),
    Mutant(SYMMETRIC, "log_e(k, n, 1.0 / (SHUFFLES + 1))", "log_e(k, n, 0.5 / (SHUFFLES + 1))",
           (*OF_SYMMETRIC, *OF_PERMUTATION)),
    Mutant(SYMMETRIC, "np.asarray(n) - np.asarray(k), n, 0.5)", "np.asarray(n) - np.asarray(k), n, 0.05)",
           (*OF_SYMMETRIC, *OF_PERMUTATION)),
    # Calls.
    Mutant(SYMMETRIC, "call_correlation(x1, x2, y1[:, ::-1], y2[:, ::-1])", "call_correlation(x1, x2, y1, y2)",
           (*OF_SYMMETRIC, *OF_CALLS)),
    Mutant(CALLS, "return max(self._same, self._moved)", "return self._same", OF_CALLS),
    Mutant(CALLS, "flat = flat[np.count_nonzero(flat, axis=1) >= _TELLING]", "pass", OF_CALLS),
    # Bets.
    Mutant(BETS, "return found - math.log(_CAPS_IN_QUESTION)", "return found", OF_BETS),
    Mutant(BETS, "betting_log_e(t / hi - 1.0, 1.0, every=every)", "betting_log_e(t / hi - 0.9, 1.0, every=every)",
           OF_BETS),
    Mutant(BETS, "np.isnan(ratio), -1.0, ratio)", "np.isnan(ratio), 1.0, ratio)", OF_BETS),
    Mutant(BETS, "np.isnan(t), np.inf, t / lo)", "np.isnan(t), 0.0, t / lo)", OF_BETS),
    # Bands.
    Mutant(BAND, "np.logaddexp(self.below, self.above) - math.log(2.0)", "np.logaddexp(self.below, self.above)",
           OF_BETS[1:]),
    Mutant(BAND, "np.minimum(self.inside_lo, self.inside_hi)", "np.maximum(self.inside_lo, self.inside_hi)",
           OF_BETS[1:]),
    Mutant(BAND, "elif not fails_only and for_now >= in_favour and not (so_far < lo or so_far > hi):",
           "elif not fails_only and for_now >= in_favour:", OF_BETS[1:]),
    # Shares and scores.
    Mutant(SCORES, "(lo - x) / (1.0 - lo), 1.0), betting", "(2 * lo - x) / (1.0 - lo), 1.0), betting", OF_SCORES),
    Mutant(SCORES, "(x - hi) / hi, 1.0), betting", "(x - hi / 2) / hi, 1.0), betting", OF_SCORES),
    Mutant(SCORES, "inside=np.min(np.concatenate([over_lo, under_hi]), axis=0)",
           "inside=np.max(np.concatenate([over_lo, under_hi]), axis=0)", OF_SCORES),
    Mutant(UNITS, "int(np.abs(np.log(np.maximum(times, 1e-12))).argmax())", "0", ("questions/test_units.py",)),
    # Ties.
    Mutant(TIES, "seen, drawn = seen + again, drawn + fresh", "seen, drawn = again, fresh", OF_TIES),
    Mutant(TIES, "rate = excluded_rate(drawn, half, seen)", "rate = excluded_rate(drawn, half)", OF_TIES),
    Mutant(TIES, "Decision.HOLDS if rate <= RARE else Decision.UNDECIDED", "Decision.HOLDS", OF_TIES),
    # The ledger.
    Mutant(LEDGER, "self.alpha / (self.claims * k * (k + 1))", "self.alpha / (self.claims * k)",
           ("statistics/test_ledger.py",)),
    Mutant(LEDGER, "return self.ledger.confirmation_level(self.shared) / cases",
           "return self.ledger.confirmation_level(self.shared)", ("statistics/test_ledger.py",)),
)  # fmt: skip


def killed(mutant: Mutant, tree: Path) -> tuple[bool, str]:
    """Whether a test fails with the fault planted, and the last line that pytest prints."""
    module = tree / "initcheck" / mutant.module
    sound = module.read_text()
    if sound.count(mutant.text) != 1:
        raise SystemExit(f"{mutant.module} holds {mutant.text!r} {sound.count(mutant.text)} times; expected once")
    module.write_text(sound.replace(mutant.text, mutant.fault))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "", "-p", "no:cacheprovider", "-p", "no:randomly"]
    try:
        ran = subprocess.run(
            [*command, *(f"tests/{test}" for test in mutant.tests)],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        module.write_text(sound)
    said = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))] or ran.stdout.splitlines()
    if ran.returncode not in (0, 1):
        raise SystemExit(f"pytest ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 1, said[-1] if said else ""


def main() -> int:
    """Plant them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of mutants, from 1")
    only = parser.parse_args().only
    unexplained = alive = 0
    chosen = [(n, m) for n, m in enumerate(MUTANTS, 1) if only is None or n in only]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("initcheck", "properties", "tests"):
            shutil.copytree(HERE / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(HERE / "pyproject.toml", tree)
        for number, mutant in chosen:
            dead, said = killed(mutant, tree)
            alive += not dead
            unexplained += not dead and not mutant.harmless
            state = "killed" if dead else f"ALIVE ({mutant.harmless})" if mutant.harmless else "ALIVE, not explained"
            print(f"{number:3} {state}: {mutant.module}: {mutant.fault}\n      {said}", flush=True)
    used = os.times()
    print(
        f"{len(chosen)} mutants: {len(chosen) - alive} killed, {alive} alive, {unexplained} of them not explained;"
        f" {used.children_user + used.children_system:.0f} CPU s, {time.strftime('%H:%M')}"
    )
    return min(unexplained, 1)


if __name__ == "__main__":
    sys.exit(main())
