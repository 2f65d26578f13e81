"""What users build on does not change by a refactoring: names, entry points, options, keys of a report, exit codes."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
import tomllib
from pathlib import Path

import pytest

import initcheck

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

NAMES = [
    "ClaimFailed",
    "Contract",
    "InitcheckError",
    "Initializer",
    "Report",
    "UsageError",
    "Verdict",
    "__version__",
    "check",
    "check_model",
    "claim",
    "fix",
    "gain",
    "load",
    "lock",
    "parametrize",
    "same",
    "what",
]

CLAIMS = [
    "accepts-every-shape",
    "calls-are-independent",
    "entries-are-independent",
    "every-unit-has-its-variance",
    "finite",
    "follows-its-distribution",
    "gain-is-the-activations",
    "gradient-survives-depth",
    "gradient-variance-near-one",
    "gradients-tell-units-apart",
    "haar-distributed",
    "leaves-global-generators-alone",
    "orthogonal-to-rounding",
    "output-variance-near-one",
    "owns-its-memory",
    "returns-the-dtype-asked",
    "returns-the-shape-asked",
    "same-seed-same-weights",
    "signal-survives-depth",
    "singular-values-survive-depth",
    "survives-its-precision",
    "units-differ",
    "variance-follows-one-law",
    "zero-mean",
    "declared-laws-are-in-force",
    "every-tensor-is-written",
    "gradient-survives-the-blocks",
    "rebuilds-the-same",
    "siblings-share-one-law",
    "signal-survives-the-blocks",
    "starts-at-chance",
    "tensors-are-distinct",
]

OPTIONS = [
    "--claims",
    "--profile",
    "--seed",
    "--strict",
    "--contract",
    "--timeout",
    "--isolate",
    "--theorems",
    "--json",
    "--html",
    "--junit",
    "--markdown",
    "--github",
    "--previous",
    "--baseline",
    "--baseline-update",
    "--jobs",
]

PARAMETERS = {
    "check": [
        "target",
        "contract",
        "claims",
        "seed",
        "profile",
        "signature",
        "args",
        "parameter",
        "timeout",
        "executor",
    ],
    "check_model": ["factory", "batch", "laws", "seed", "name", "claims", "models", "waive", "alpha", "beta"],
    "load": ["target", "contract", "signature", "args", "parameter"],
    "parametrize": ["targets"],
}

RESULT = [
    "claim",
    "says",
    "initializer",
    "family",
    "verdict",
    "reason",
    "evidence",
    "notes",
    "reproduce",
    "seconds",
    "location",
    "known_since",
]
EVIDENCE = [
    "measured",
    "allowed",
    "value",
    "band",
    "interval",
    "case",
    "shape",
    "dtype",
    "calls",
    "weights",
    "e_value_log10",
    "error_spent",
    "detail",
    "likely",
    "fix",
    "series",
]


def test_every_public_name_is_there() -> None:
    assert set(NAMES) <= set(initcheck.__all__)
    for name in NAMES:
        assert getattr(initcheck, name) is not None


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_keep_their_names(name: str) -> None:
    assert set(PARAMETERS[name]) <= set(inspect.signature(getattr(initcheck, name)).parameters)


def test_every_claim_keeps_its_id() -> None:
    from initcheck.claims.registry import registry

    assert set(CLAIMS) <= set(registry())


def test_entry_points_keep_their_names() -> None:
    assert PROJECT["entry-points"] == {"pytest11": {"initcheck": "initcheck.pytest_plugin"}}
    assert list(PROJECT["scripts"]) == ["initcheck"]
    script = next(e for e in importlib.metadata.entry_points(group="console_scripts") if e.name == "initcheck")
    assert callable(script.load())


def test_options_keep_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    from initcheck.__main__ import main

    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [o for o in OPTIONS if o not in shown] == []


@pytest.mark.long
def test_fields_of_a_report_keep_their_names() -> None:
    report = initcheck.check("initcheck.gallery:zeros", claims=["units-differ"], profile="quick").to_dict()
    assert report["format"] == "initcheck-report/1"
    assert {"format", "run", "results", "contracts", "not_checked"} <= set(report)
    assert set(RESULT) <= set(report["results"][0])
    assert set(EVIDENCE) <= set(report["results"][0]["evidence"])


def test_properties_are_reached_by_their_name() -> None:
    import initcheck.properties.scale as scale

    assert scale.__name__ == "initcheck.properties.scale"
    assert dataclasses.is_dataclass(initcheck.Contract)


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["initcheck.gallery:he_normal", "--claims", "finite", "--profile", "quick"], 0),
        (["initcheck.gallery:zeros", "--claims", "units-differ", "--profile", "quick"], 1),
        (["initcheck.gallery:he_norml"], 2),
        (["--claims", "finitee", "initcheck.gallery:zeros"], 2),
        (["list"], 0),
        (["explain", "zero-mean"], 0),
        (["infer", "initcheck.gallery:he_normal"], 0),
    ],
)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    from initcheck.__main__ import main

    try:
        got = main(arguments)
    except SystemExit as ended:
        got = ended.code
    assert got == code
