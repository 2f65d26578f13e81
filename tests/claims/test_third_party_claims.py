"""Somebody else's claim, from a distribution of its own: it runs through every door as ours do."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CLAIMS = '''
"""Claims of a distribution that is not initcheck's."""

import numpy as np
from hypothesis import given

from initcheck.claims import SCREEN, claim, layers


@claim(
    "no-weight-is-zero",
    says="No weight is exactly zero.",
    source="the authors of their-claims, 2026",
    needs=("accepts-every-shape", "returns-the-shape-asked", "finite"),
    decided_by="exact: four calls at every layer of the plan",
)
@given(layer=layers())
def no_weight_is_zero(trial, layer):
    """min |w| > 0 in each of four calls."""
    zeros = int(np.sum(trial.draws.sample(layer, trial.dtype, SCREEN, 4) == 0))
    shown = {"measured": f"{zeros} zeros", "allowed": "none", "calls": 4}
    trial.fail(layer, **shown) if zeros else trial.holds(layer, **shown)


@claim(
    "output-within-a-factor-2",
    says="The second moment of an output stays within a factor of 2.",
    source="the authors of their-claims, 2026",
    topic="scale",
    needs=("accepts-every-shape", "returns-the-shape-asked", "finite"),
    pictures=("variance_by_width",),
)
@given(layer=layers())
def output_within_a_factor_2(trial, layer):
    """1/2 <= E y^2 <= 2."""
    trial.keeps(trial.subject.output_second_moment(layer), within=(0.5, 2))
'''
HOLDS, FAILS = "initcheck.gallery:he_normal", "initcheck.gallery:he_sparse"


def wheel(folder: Path, name: str, module: str) -> Path:
    """Build a wheel of one module with an entry point in ``initcheck.claims``, as any build backend would."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[initcheck.claims]\n{name} = {name}\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    built = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(built, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return built


def installed(folder: Path, name: str, module: str) -> Path:
    """Install such a wheel into a folder of its own, with pip and from nowhere else."""
    site = folder / "site"
    words = [
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--disable-pip-version-check",
        "--target",
        str(site),
    ]
    subprocess.run([sys.executable, *words, str(wheel(folder, name, module))], check=True, capture_output=True)
    return site


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=site, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("their distribution"), "their_claims", CLAIMS)


@pytest.mark.long
def test_the_python_door_asks_it(site: Path) -> None:
    script = f"""
import initcheck
for target in ({HOLDS!r}, {FAILS!r}):
    result = initcheck.check(target, claims=["no-weight-is-zero"], profile="quick")["no-weight-is-zero"]
    print(result.family, result.verdict.value, result.evidence.measured)
default = initcheck.check({HOLDS!r}, profile="quick")
print(default["no-weight-is-zero"].verdict.value, default.run.claims - len(default.results))
"""
    lines = run(site, "-c", script).stdout.splitlines()
    assert lines[0] == "their_claims HOLDS 0 zeros"
    assert lines[1].startswith("their_claims FAILS ")
    # It is among those asked by default, and shares the error budget.
    assert lines[2] == "HOLDS 0"


@pytest.mark.long
def test_the_command_line_door_asks_lists_and_explains_it(site: Path) -> None:
    good = run(site, "-m", "initcheck", HOLDS, "--claims=no-weight-is-zero", "--profile=quick")
    bad = run(site, "-m", "initcheck", FAILS, "--claims=no-weight-is-zero", "--profile=quick")
    assert (good.returncode, bad.returncode) == (0, 1), good.stderr + bad.stderr
    assert "1 initializer: nothing fails (1 claim holds, 0 undecided)" in good.stdout
    assert f"{FAILS}  FAILS" in bad.stdout
    assert "  hence   no-weight-is-zero\n" in bad.stdout
    assert "their_claims:\n  no-weight-is-zero  (check)" in run(site, "-m", "initcheck", "list").stdout
    explained = run(site, "-m", "initcheck", "explain", "no-weight-is-zero").stdout
    assert "min |w| > 0 in each of four calls." in explained
    assert "stated in   their_claims.no_weight_is_zero" in explained
    assert "holds       of initcheck.gallery:" in explained


@pytest.mark.long
def test_their_scale_claim_gets_a_likely_cause_and_a_fix(site: Path) -> None:
    words = ["initcheck.gallery:uniform_one_over_sqrt_fan", "--claims=output-within-a-factor-2", "--profile=quick"]
    lines = [" ".join(line.split()) for line in run(site, "-m", "initcheck", *words).stdout.splitlines()]
    assert "cause variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)" in lines
    assert "fix +-sqrt(3/fan_in) has unit output variance" in lines


@pytest.mark.long
def test_the_pytest_door_asks_it(site: Path) -> None:
    words = ["-m", "pytest", "-p", "no:cacheprovider", "-v", "--initcheck-profile=quick"]
    asked = [f"--initcheck={HOLDS}", f"--initcheck={FAILS}", "--initcheck-claims=no-weight-is-zero"]
    result = run(site, *words, *asked)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{HOLDS}::no_weight_is_zero PASSED" in result.stdout
    assert f"{FAILS}::no_weight_is_zero FAILED" in result.stdout
    assert "1 failed, 1 passed" in result.stdout


@pytest.mark.long
def test_a_distribution_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    broken = installed(tmp_path, "broken_claims", "import no_such_module_anywhere\n")
    result = run(broken, "-m", "initcheck", "list")
    assert result.returncode == 2
    assert "the claims of entry point broken_claims = broken_claims cannot be loaded" in result.stderr
    assert "No module named 'no_such_module_anywhere'" in result.stderr
