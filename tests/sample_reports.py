"""Reports made by hand, so that renderings are tested on every verdict without running an engine."""

from __future__ import annotations

import math
import random
from typing import Any

from initcheck.report.report import Report
from initcheck.report.results import NotChecked, Run
from initcheck.report.verdict import Evidence, Result, Verdict

CLAIMS = (
    ("accepts-every-shape", "promises", "No shape of its domain makes it raise, hang or crash."),
    ("returns-the-shape-asked", "promises", "The result has exactly the shape that was asked for."),
    ("returns-the-dtype-asked", "promises", "The result has the dtype that was asked for."),
    ("finite", "promises", "No weight is NaN or infinite."),
    ("owns-its-memory", "promises", "Two results share no memory."),
    ("same-seed-same-weights", "randomness", "The values are a function of shape, dtype and seed alone."),
    ("calls-are-independent", "randomness", "Two calls on one generator give uncorrelated weights."),
    ("entries-are-independent", "randomness", "Inside one result no entry tells of another."),
    (
        "leaves-global-generators-alone",
        "randomness",
        "The global generators are in the same state as before.",
    ),
    ("units-differ", "symmetry", "No two output units start with the same incoming weights."),
    ("gradients-tell-units-apart", "symmetry", "Any two hidden units get different gradients."),
    ("zero-mean", "centering", "Every weight has expectation zero."),
    ("output-variance-near-one", "scale", "A unit's pre-activation keeps second moment 1 at every width."),
    ("gradient-variance-near-one", "scale", "The back-propagated signal keeps its second moment."),
    ("variance-follows-one-law", "scale", "One law c * fan^p fits the variance at all shapes."),
    ("signal-survives-depth", "depth", "The typical energy ratio through the layers stays near 1."),
    ("gradient-survives-depth", "depth", "The same for the back-propagated signal."),
    ("survives-its-precision", "precision", "The promises hold in each declared dtype."),
    ("follows-its-distribution", "distribution", "The weights follow the declared law."),
    ("orthogonal-to-rounding", "orthogonality", "W W^T is the identity times gain^2."),
    ("haar-distributed", "orthogonality", "Q is uniform on the orthogonal group."),
    ("truncation-is-at-the-named-sigma", "distribution", "The cut lies at the sigma it is named by."),
    ("repeats-across-dtypes", "precision", "A lower precision rounds the same weights."),
)

HOSTILE = "<script>alert(1)</script>&\"'|`@team`|\n::error::x%0A\x1b[31m\u202e]]>"


def result(
    claim: str = "output-variance-near-one",
    verdict: Verdict = Verdict.HOLDS,
    initializer: str = "myinit:he",
    **fields: Any,
) -> Result:
    """One result; the claim's sentence and family are those of the catalogue."""
    family, says = next(((f, s) for c, f, s in CLAIMS if c == claim), ("scale", "It is so."))
    return Result(claim=claim, says=says, initializer=initializer, family=family, verdict=verdict, **fields)


def variance_failure(initializer: str = "myinit:he", **changes: Any) -> Result:
    """The failure of STYLE: a uniform on +-1/sqrt(fan_in), whose variance is a third of what it should be."""
    fields: dict[str, Any] = {
        "evidence": Evidence(
            measured="0.334",
            allowed="[0.80, 1.25]",
            value=0.334,
            band=(0.8, 1.25),
            interval=(0.328, 0.341),
            case="shape (1, 1), float32: dense, fan_in 1, fan_out 1",
            shape=(1, 1),
            dtype="float32",
            calls=96,
            weights=24576,
            e_value_log10=9.3,
            error_spent=5e-7,
            likely="variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)",
            fix="+-sqrt(3/fan_in) has unit output variance",
            series={
                "variance_by_width": [[2**k, 0.333 + 0.003 * (-1) ** k, 0.8, 1.25] for k in range(11)],
                "histogram": [[i / 16 - 1, (i + 1) / 16 - 1, 700 + 20 * (i % 3)] for i in range(32)],
                "law": ["normal", 1.0],
            },
        ),
        "notes": ("contract inferred: relu, fan_in",),
        "reproduce": f"pytest --initcheck={initializer} -k output_variance --initcheck-seed=0",
        "seconds": 0.31,
        "location": ("/home/user/project/myinit.py", 12),
    }
    return result(verdict=Verdict.FAILS, initializer=initializer, **{**fields, **changes})


def depth_failure(initializer: str = "myinit:tiny") -> Result:
    """A signal that loses a factor ten a layer."""
    return result(
        "signal-survives-depth",
        Verdict.FAILS,
        initializer,
        evidence=Evidence(
            measured="10^-20",
            allowed="[0.1, 10]",
            value=1e-20,
            band=(0.1, 10.0),
            calls=440,
            weights=28_835_840,
            e_value_log10=7.1,
            error_spent=5e-7,
            likely="a fixed standard deviation of 0.01 at every width",
            fix="divide by sqrt(fan_in)",
            series={
                "signal_by_depth": [[layer, -1.0 * layer] for layer in range(21)],
                "gradient_by_depth": [[layer, -0.9 * layer] for layer in range(21)],
            },
        ),
        reproduce=f"pytest --initcheck={initializer} -k signal_survives --initcheck-seed=0",
        location=("/home/user/project/myinit.py", 30),
    )


def ties_failure(initializer: str = "myinit:constant") -> Result:
    """Two groups of units that are tied; singular values that are no Marchenko-Pastur bulk."""
    ties = [[0.0 if i % 4 == j % 4 else 0.6 + 0.05 * ((i * j) % 7) for j in range(16)] for i in range(16)]
    return result(
        "units-differ",
        Verdict.FAILS,
        initializer,
        evidence=Evidence(
            measured="24 pairs of units are equal",
            allowed="none",
            case="shape (16, 64), float32",
            shape=(16, 64),
            calls=3,
            weights=3072,
            detail=(
                "Traceback (most recent call last):",
                '  File "myinit.py", line 3, in constant',
                "ValueError: x",
            ),
            series={
                "gradient_ties": ties,
                "singular_values": [0.02 * k for k in range(1, 101)],
                "singular_law": ["marchenko-pastur", 100, 100, 0.1],
            },
        ),
        reproduce=f"pytest --initcheck={initializer} -k units_differ --initcheck-seed=0",
        location=("/home/user/project/myinit.py", 44),
    )


def report(*results: Result, **fields: Any) -> Report:
    """A report of these results, made as a default run makes one."""
    run = fields.pop("run", Run(claims=23, version="0.1.0", libraries={"numpy": "2.4.6"}, command="initcheck myinit"))
    return Report(run=run, results=results, **fields)


def every_verdict() -> Report:
    """A run of one module with every verdict, every picture, and something that was not checked."""
    holds = [
        result(c, initializer="myinit:he", evidence=Evidence(calls=40, weights=300_000), seconds=0.01)
        for c, _, _ in CLAIMS[:9]
    ]
    near = [
        ("gradient-variance-near-one", 1.19, (1.16, 1.22)),
        ("zero-mean", 0.0007, None),
        ("variance-follows-one-law", 1.0, None),
    ]
    for claim, value, interval in near:
        band = (-0.005, 0.005) if claim == "zero-mean" else (0.8, 1.25)
        drawn = {"variance_by_width": [[2**k, value, None, None] for k in range(11)]}
        evidence = Evidence(
            measured=str(value),
            allowed=f"[{band[0]}, {band[1]}]",
            value=value,
            band=band,
            interval=interval,
            calls=64,
            weights=1_048_576,
            e_value_log10=3.4,
            error_spent=1e-3,
            series=drawn if claim == "gradient-variance-near-one" else {},
        )
        holds.append(result(claim, evidence=evidence))
    return report(
        *holds,
        variance_failure(),
        depth_failure(),
        ties_failure(),
        result(
            "entries-are-independent",
            Verdict.UNDECIDED,
            "myinit:tiny",
            reason="budget of 4,000,000 weights spent",
        ),
        result("finite", Verdict.WAIVED, "myinit:tiny", reason="float16 overflows by design"),
        result("haar-distributed", Verdict.NOT_APPLICABLE, "myinit:tiny", reason="the contract is not orthogonal"),
        result("haar-distributed", Verdict.NOT_APPLICABLE, "myinit:he", reason="the contract is not orthogonal"),
        run=Run(
            claims=23,
            version="0.1.0",
            libraries={"numpy": "2.4.6"},
            command="initcheck myinit",
            smallest_defect={"output-variance-near-one": "1.3 times the band's edge at 16 x 16 weights"},
        ),
        contracts={
            "myinit:he": {"activation": "relu", "fan": "fan_in", "origins": {"activation": "inferred"}},
            "myinit:tiny": {"activation": "linear", "fan": "fan_in"},
        },
        not_checked=(
            NotChecked(
                name="myinit:from_config",
                reason="needs an argument 'config'",
                call_to_write="myinit:from_config(config=...)",
            ),
        ),
    )


def last_run() -> Report:
    """The run before ``every_verdict``: the variance held then, and one claim was not asked."""
    now = every_verdict()
    before = [
        result("output-variance-near-one",
               evidence=Evidence(measured="0.99", allowed="[0.80, 1.25]", value=0.99, band=(0.8, 1.25)))
        if r.claim == "output-variance-near-one" else r
        for r in now.results if r.claim != "units-differ"
    ]  # fmt: skip
    return report(*before, run=Run(seed=7, claims=23, version="0.1.0"))


def hostile() -> Report:
    """A run whose every text is an attempt to break out of the format it is written in."""
    evidence = Evidence(
        measured=HOSTILE,
        allowed=HOSTILE,
        case=HOSTILE,
        detail=(HOSTILE, HOSTILE),
        likely=HOSTILE,
        fix=HOSTILE,
        value=math.inf,
        band=(0.8, 1.25),
        series={
            "law": [HOSTILE, 1.0],
            "histogram": [[0, 1, 5], [1, 2, 9]],
            "variance_by_width": [[1, "nan", 0, 0]],
        },
    )
    where = {"initializer": HOSTILE, "evidence": evidence, "notes": (HOSTILE,), "reproduce": HOSTILE}
    return report(
        result("finite", Verdict.FAILS, location=(f"a:b,c%{HOSTILE}.py", 3), **where),
        result("zero-mean", Verdict.HOLDS, **where),
        result("units-differ", Verdict.UNDECIDED, reason=HOSTILE, **where),
        result("owns-its-memory", Verdict.WAIVED, reason=HOSTILE, **where),
        result("haar-distributed", Verdict.NOT_APPLICABLE, reason=HOSTILE, **where),
        contracts={HOSTILE: {"activation": HOSTILE}},
        not_checked=(NotChecked(name=HOSTILE, reason=HOSTILE, call_to_write=HOSTILE),),
        run=Run(
            claims=5,
            version=HOSTILE,
            command=HOSTILE,
            libraries={HOSTILE: HOSTILE},
            smallest_defect={"x": HOSTILE},
        ),
    )


def many(initializers: int = 100, *, failing: float = 0.08, seed: int = 0) -> Report:
    """A large run: this many initializers times the 23 claims of the catalogue."""
    draw = random.Random(seed)
    results = []
    for k in range(initializers):
        name = f"torch.nn.init.initializer_number_{k}_(nonlinearity='relu', mode='fan_in')"
        for claim, _, _ in CLAIMS:
            if draw.random() < failing:
                base = variance_failure(name)
                results.append(result(claim, Verdict.FAILS, name, evidence=base.evidence, reproduce=base.reproduce))
            elif draw.random() < 0.1:
                results.append(result(claim, Verdict.NOT_APPLICABLE, name, reason="the contract does not ask for it"))
            else:
                value = draw.uniform(0.82, 1.2)
                evidence = Evidence(
                    measured=f"{value:.3f}",
                    allowed="[0.8, 1.25]",
                    value=value,
                    band=(0.8, 1.25),
                    calls=64,
                    weights=1_048_576,
                    e_value_log10=3.5,
                    error_spent=1e-3,
                )
                results.append(result(claim, Verdict.HOLDS, name, evidence=evidence))
    return report(*results)
