"""Count false alarms: correct initializers, layers and models x all claims, a new run seed each, and none may fail.

    nice -n 10 python tests/long/false_alarms/false_alarms.py --log build/false_alarms.jsonl --minutes 25

goes on where the log ends. `--summary` writes tests/long/false_alarms/counts.json from the log. A run of an
initializer takes two to three CPU seconds, of a model of PyTorch a fifth of one; all are made in one process, so that
what a library compiles for a shape is compiled once.

No count of runs shows a rate of 10^-6. So half of the runs have 0.2 in its place as the bound on their false FAILS:
what a claim may spend is in proportion to it, and more than one run in five would refute it. What fails at 10^-6 fails
at 0.2 on the same draws, so that the runs of both rates bound together how often a run at 10^-6 fails.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy import stats

import initcheck
from initcheck.contract.tested import Tested
from initcheck.engine.checker import Checker, Settings
from initcheck.gallery import SPECIMENS
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load
from initcheck.targets.models import model_of

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "models"))
from framework_zoo import FRAMEWORKS, MORE, ZOO, batch_of  # noqa: E402  it lies beside the tests of models

COUNTS = HERE / "counts.json"
EVERYDAY = HERE / "everyday_initializers.py"
ALPHA = Settings().alpha

# A rate that runs can count, and the one that users have.
ALPHAS = (0.2, ALPHA)

NETWORKS = {**ZOO, **MORE}
SOUND_NETWORKS = tuple(name for name, (_, fails, _) in NETWORKS.items() if not fails)

# Library -> targets, and how many runs each of them is to have at each rate: 10,000 of initializers in all. Unusual
# laws of a kurtosis of at most 9: of others quick may not draw enough at the smallest layer.
SUBJECTS: dict[str, tuple[tuple[str, ...], int]] = {
    "gallery": (tuple(f"initcheck.gallery:{s.name}" for s in SPECIMENS if s.correct), 60),
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
        150,
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
        40,
    ),
    "jax": (
        (
            "jax.nn.initializers.he_normal()",
            "jax.nn.initializers.glorot_uniform()",
            "jax.nn.initializers.lecun_normal()",
        ),
        200,
    ),
    "keras": (
        ("keras.initializers.HeNormal", "keras.initializers.GlorotUniform", "keras.initializers.LecunUniform"),
        150,
    ),
    "flax": (("flax.nnx.initializers.he_uniform()", "flax.linen.initializers.xavier_normal()"), 150),
    # Those whose own start is meant to keep the variance; what Equinox draws is JAX's, its layers have PyTorch's.
    "layers": (("keras.layers.Dense", "flax.linen.Dense"), 50),
    # Networks of six blocks: a framework and one of them.
    "models of PyTorch": (tuple(f"torch:{name}" for name in SOUND_NETWORKS), 800),
    "models of others": (
        tuple(f"{framework}:{name}" for framework in ("nnx", "linen", "equinox", "keras") for name in SOUND_NETWORKS),
        10,
    ),
}


def name_of(target: str) -> str:
    """A target without the folder that this checkout happens to be in."""
    return target.removeprefix(f"{HERE}/")


@functools.cache
def loaded(target: str) -> Tested:
    """What is checked of a target; loaded once, as what is compiled for it takes longer than its runs."""
    framework, _, name = target.partition(":")
    if framework in FRAMEWORKS:
        network, _, laws = NETWORKS[name]
        return model_of(FRAMEWORKS[framework](network), name=target, laws=laws, batch=batch_of(framework))
    [initializer] = load(target).initializers
    return initializer


def judged(library: str, target: str, seed: int, alpha: float = ALPHA) -> dict[str, Any]:
    """One run: how many verdicts of each kind, and every one that is not what a correct start should get."""
    tested = loaded(target)
    checker = Checker(Settings(profile="quick", seed=seed, alpha=alpha, kinds=(tested.kind,)))
    results = [checker.judge(tested, claim) for claim in checker.claims_of(tested)]
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


def to_do(
    libraries: list[str], done: Counter[tuple[str, float]], alphas: Sequence[float] = ALPHAS
) -> list[tuple[str, str, int, float]]:
    """What is left, those first of which the smallest share was done: wherever it ends, it is spread evenly."""
    left = []
    for number, library in enumerate(SUBJECTS):
        targets, runs = SUBJECTS[library]
        for alpha in alphas:
            first = 100_000_000 * round(100 * alpha)
            for place, target in enumerate(targets):
                for turn in range(done[name_of(target), alpha], runs if library in libraries else 0):
                    seed = first + 1_000_000 * (number + 1) + 1_000 * place + turn  # none twice
                    left.append(((turn + (place + 0.5) / len(targets)) / runs, library, target, seed, alpha))
    return [(library, target, seed, alpha) for _, library, target, seed, alpha in sorted(left, key=lambda a: a[0])]


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


def by_alpha(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The counts at each rate, and at both together."""
    rates = sorted({run["alpha"] for run in runs}, reverse=True)
    counts = {f"alpha {rate:g}": summary([run for run in runs if run["alpha"] == rate]) for rate in rates}
    return {**counts, "both": summary(runs)} if len(rates) > 1 else counts


def at_most(errors: int, runs: int) -> float:
    """The exact upper bound on a rate, one-sided, at confidence 0.95."""
    return 1.0 if errors == runs else float(f"{stats.beta.ppf(0.95, errors + 1, runs - errors):.2g}")


def spent() -> float:
    """CPU seconds of this process and of those that it waited for."""
    return sum(os.times()[:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, required=True, help="a line of JSON a run")
    parser.add_argument("--libraries", nargs="*", default=list(SUBJECTS), choices=SUBJECTS)
    parser.add_argument("--minutes", type=float, default=1_000.0, help="of CPU time")
    parser.add_argument("--alpha", type=float, nargs="+", default=ALPHAS, help="bounds on the false FAILS of a run")
    parser.add_argument("--summary", action="store_true", help="run nothing, write what the log holds")
    chosen = parser.parse_args()
    runs = [json.loads(a) for a in chosen.log.read_text().splitlines()] if chosen.log.exists() else []
    if chosen.summary:
        command = "python tests/long/false_alarms/false_alarms.py"
        COUNTS.write_text(json.dumps({"command": command, "profile": "quick", **by_alpha(runs)}, indent=1) + "\n")
        return
    runs = [run for run in runs if run["library"] in chosen.libraries]
    whole = sum(len(SUBJECTS[library][0]) * SUBJECTS[library][1] for library in chosen.libraries) * len(chosen.alpha)
    print(f"initcheck of {initcheck.__file__}; {len(runs)} runs so far, of {whole}", flush=True)
    with chosen.log.open("a") as log:
        done = Counter((run["initializer"], run["alpha"]) for run in runs)
        for library, target, seed, alpha in to_do(chosen.libraries, done, chosen.alpha):
            if spent() > 60 * chosen.minutes:
                break
            run = judged(library, target, seed, alpha)
            runs.append(run)
            log.write(json.dumps(run) + "\n")
            log.flush()
            if run["not shown"]:
                print(run["initializer"], seed, run["not shown"], flush=True)
    for alpha, counts in by_alpha(runs).items():
        for library, said in counts.items():
            print(alpha, library, *(f"{what} {count}" for what, count in said.items() if what != "verdicts"), sep=", ")


if __name__ == "__main__":
    main()
