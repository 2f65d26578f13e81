"""Count false alarms: correct initializers x all claims, a new run seed each, and none may fail.

    nice -n 10 python tests/long/false_alarms/false_alarms.py --log build/false_alarms.jsonl --hours 2

goes on where the log ends. `--summary` writes tests/long/false_alarms/counts.json from the log. About a second of one
core a run; of the libraries that compile a shape first, the first runs take longer.

No count of runs shows a rate of 10^-6. `--alpha 0.2` makes the same runs, at seeds of their own, with that bound on the
false FAILS of a run: what every claim may spend is in proportion to it, and more than one run in five would refute it.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from scipy import stats

import initcheck
from initcheck.contract.initializer import Initializer
from initcheck.engine.checker import Checker, Settings
from initcheck.gallery import SPECIMENS
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

HERE = Path(__file__).parent
COUNTS = HERE / "counts.json"
EVERYDAY = HERE / "everyday_initializers.py"
ALPHA = Settings().alpha

# Library -> targets, and how many runs each of them is to have. Unusual laws of a kurtosis of at most 9: of others
# quick may not draw enough at the smallest layer.
SUBJECTS: dict[str, tuple[tuple[str, ...], int]] = {
    "gallery": (tuple(f"initcheck.gallery:{s.name}" for s in SPECIMENS if s.correct), 330),
    "torch": (
        (
            'torch.nn.init.kaiming_normal_(nonlinearity="relu")',
            'torch.nn.init.kaiming_uniform_(nonlinearity="relu")',
            'torch.nn.init.kaiming_normal_(mode="fan_out", nonlinearity="relu")',
            "torch.nn.init.kaiming_uniform_(a=0.2)",
            "torch.nn.init.xavier_uniform_",
            "torch.nn.init.xavier_normal_",
            "torch.nn.init.orthogonal_",
            "torch.nn.init.trunc_normal_(std=0.02)",
        ),
        345,
    ),
    "everyday": (
        tuple(
            f"{EVERYDAY}:{name}"
            for name in (
                "he_from_shape",
                "glorot_by_hand",
                "from_the_global_generator",
                "he_in_place",
                "init_weights",
                "scaled_normal",
                "half_of_them_zero",
            )
        ),
        100,
    ),
    "unusual": (
        tuple(
            f"{HERE / module}.py:{name}"
            for module, names in (
                (
                    "unusual_laws",
                    (
                        "normal",
                        "gumbel_centred",
                        "two_humps",
                        "arcsine",
                        "checkerboard_of_scales",
                        "units_within_two",
                        "different_laws_by_column",
                        "through_half_precision",
                        "box_muller",
                        "four_streams",
                        "rows_of_drawn_scale_declared",
                        "mirrored_units_declared",
                    ),
                ),
                (
                    "joint_laws",
                    (
                        "signs_and_normals_in_turn",
                        "neither_small_nor_large",
                        "backwards_through_memory",
                        "skew_by_position",
                    ),
                ),
                ("further_laws", ("never_near_zero", "product_of_two_normals", "sum_of_twelve_uniforms")),
            )
            for name in names
        ),
        60,
    ),
    "jax": (
        (
            "jax.nn.initializers.he_normal()",
            "jax.nn.initializers.glorot_uniform()",
            "jax.nn.initializers.lecun_normal()",
        ),
        40,
    ),
    "keras": (
        ("keras.initializers.HeNormal", "keras.initializers.GlorotUniform", "keras.initializers.LecunUniform"),
        40,
    ),
    "flax": (("flax.nnx.initializers.he_uniform()", "flax.linen.initializers.xavier_normal()"), 40),
}


def name_of(target: str) -> str:
    """A target without the folder that this checkout happens to be in."""
    return target.removeprefix(f"{HERE}/")


@functools.cache
def loaded(target: str) -> Initializer:
    """The initializer of a target; loaded once, as what is compiled for it takes longer than its runs."""
    [initializer] = load(target).initializers
    return initializer


def judged(library: str, target: str, seed: int, alpha: float = ALPHA) -> dict[str, Any]:
    """One run: how many verdicts of each kind, and every one that is not what a correct initializer should get."""
    initializer = loaded(target)
    checker = Checker(Settings(profile="quick", seed=seed, alpha=alpha))
    results = [checker.judge(initializer, claim) for claim in checker.claim_ids]
    return {
        "library": library,
        "initializer": name_of(target),
        "seed": seed,
        "alpha": alpha,
        "verdicts": dict(Counter(r.verdict.value for r in results)),
        "not shown": [
            {
                "claim": r.claim,
                "verdict": r.verdict.value,
                "reason": r.reason,
                "measured": r.evidence.measured,
                "allowed": r.evidence.allowed,
                "case": r.evidence.case,
                "log10 e": r.evidence.e_value_log10,
            }
            for r in results
            if r.verdict in (Verdict.FAILS, Verdict.UNDECIDED)
        ],
    }


def to_do(libraries: list[str], done: Counter[str], alpha: float = ALPHA) -> list[tuple[str, str, int]]:
    """What is left, those first of which the smallest share was done: wherever it ends, it is spread evenly."""
    first = 100_000_000 * round(100 * alpha)
    left = []
    for number, library in enumerate(SUBJECTS):
        targets, runs = SUBJECTS[library]
        for place, target in enumerate(targets):
            for turn in range(done[name_of(target)], runs if library in libraries else 0):
                seed = first + 1_000_000 * (number + 1) + 1_000 * place + turn  # none twice
                left.append((turn / runs, library, target, seed))
    return [(library, target, seed) for _, library, target, seed in sorted(left, key=lambda a: a[0])]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts a library, and exact upper bounds (Clopper and Pearson, 95 %) on the share of runs and of verdicts."""
    found: dict[str, Any] = {}
    by = defaultdict(list)
    for run in runs:
        by[run["library"]].append(run)
    for library, some in [*sorted(by.items()), ("all", runs)]:
        verdicts = sum((Counter(run["verdicts"]) for run in some), Counter[str]())
        fails = sum("FAILS" in run["verdicts"] for run in some)
        undecided = sum("UNDECIDED" in run["verdicts"] for run in some)
        found[library] = {
            "initializers": len({run["initializer"] for run in some}),
            "runs": len(some),
            "verdicts": dict(sorted(verdicts.items())),
            "runs with a FAILS": fails,
            "at most, 95 %": at_most(fails, len(some)),
            "runs with an UNDECIDED": undecided,
            "undecided at most, 95 %": at_most(undecided, len(some)),
        }
    return found


def at_most(errors: int, runs: int) -> float:
    """The exact upper bound on a rate, one-sided, at confidence 0.95."""
    return 1.0 if errors == runs else float(f"{stats.beta.ppf(0.95, errors + 1, runs - errors):.2g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True, help="a line of JSON a run")
    parser.add_argument("--libraries", nargs="*", default=list(SUBJECTS), choices=SUBJECTS)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--alpha", type=float, default=ALPHA, help="bound on the false FAILS of a run")
    parser.add_argument("--summary", action="store_true", help="run nothing, count what the log holds")
    chosen = parser.parse_args()
    runs = [json.loads(a) for a in chosen.log.read_text().splitlines()] if chosen.log.exists() else []
    if chosen.summary:
        command = "python tests/long/false_alarms/false_alarms.py"
        of_alpha = {a: [run for run in runs if run["alpha"] == a] for a in sorted({run["alpha"] for run in runs})}
        by_alpha = {f"alpha {a:g}": summary(some) for a, some in of_alpha.items()}
        counts = {"command": command, "profile": "quick", **by_alpha}
        COUNTS.write_text(json.dumps(counts, indent=1) + "\n")
        return
    print(f"initcheck of {initcheck.__file__}; {len(runs)} runs so far", flush=True)
    end = time.monotonic() + 3600 * chosen.hours
    with chosen.log.open("a") as log:
        done = Counter(run["initializer"] for run in runs if run["alpha"] == chosen.alpha)
        for library, target, seed in to_do(chosen.libraries, done, chosen.alpha):
            if time.monotonic() > end:
                break
            run = judged(library, target, seed, chosen.alpha)
            log.write(json.dumps(run) + "\n")
            log.flush()
            if run["not shown"]:
                print(run["initializer"], seed, run["not shown"], flush=True)


if __name__ == "__main__":
    main()
