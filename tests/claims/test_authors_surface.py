"""What a claim imports of initcheck: ``initcheck.claims`` and the questions that may be put to its trial."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import initcheck.claims
import initcheck.models.questions
import initcheck.questions

PROPERTIES = sorted((Path(__file__).parents[2] / "properties").glob("[a-z]*.py"))
ROOMS = {"initcheck.claims", "initcheck.questions"}


def imported(source: str) -> set[str]:
    """Every module of ours that a source imports from."""
    nodes = list(ast.walk(ast.parse(source)))
    named = [(n.module, a.name) for n in nodes if isinstance(n, ast.ImportFrom) and n.module for a in n.names]
    surfaces = ROOMS | {"initcheck.models.questions"}
    found = {f"{module}.{name}" if f"{module}.{name}" in surfaces else module for module, name in named}
    found |= {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return {m for m in found if m.partition(".")[0] == "initcheck"}


@pytest.mark.parametrize("file", PROPERTIES, ids=lambda p: p.stem)
def test_a_claim_imports_nothing_else_of_initcheck(file: Path) -> None:
    # A theorem is about networks, a claim on a model asks the questions of models, one on two starts types its trial.
    more: tuple[str, ...] = {
        "theorems": ("initcheck.networks.",),
        "models": ("initcheck.models.questions",),
        "two": ("initcheck.comparison.subject", "initcheck.locks.subject"),
    }.get(file.stem.partition("_")[0], ())
    assert {m for m in imported(file.read_text(encoding="utf-8")) - ROOMS if not m.startswith(more)} == set()


def test_an_import_is_seen_wherever_it_hides() -> None:
    source = "import initcheck.engine.trials.judge\ndef f():\n    from initcheck.draws.draws import Draws\n"
    assert imported(source) == {"initcheck.engine.trials.judge", "initcheck.draws.draws"}
    assert imported("from initcheck.models import questions\nfrom initcheck.models import factory\n") == {
        "initcheck.models.questions",
        "initcheck.models",
    }


@pytest.mark.parametrize("package", [initcheck.claims, initcheck.models.questions, initcheck.questions])
def test_every_name_of_the_surface_is_there(package: object) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


def test_what_is_no_name_of_the_surface_is_said() -> None:
    with pytest.raises(AttributeError, match=r"module 'initcheck\.claims' has no attribute 'verdicts'"):
        importlib.import_module("initcheck.claims").verdicts  # noqa: B018


def test_the_package_of_claims_costs_neither_numpy_nor_hypothesis() -> None:
    script = "import sys, initcheck.claims; print({'numpy', 'hypothesis'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
