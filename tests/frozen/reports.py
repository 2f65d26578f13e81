"""The frozen reports: which targets, how each report is made, and how two are compared field by field.

`python tests/frozen/reports.py` writes those that are named, or all, anew: `reports/NAME.json`. A change of a verdict
is then a change in a file under review, with its reason in the commit.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# By module: every seed derives from this text, so that no folder may stand in it.
SUBJECTS = "frozen_subjects"
FOLDER = HERE / "reports"

# Name -> what is checked; a name that begins with a framework needs it.
INITIALIZERS = {
    "numpy_he": f"{SUBJECTS}:he",
    "numpy_forgot_three": f"{SUBJECTS}:forgot_three",
    "numpy_in_out_uniform": f"{SUBJECTS}:in_out_uniform",
    "numpy_copies_units": f"{SUBJECTS}:copies_units",
    "numpy_off_centre": f"{SUBJECTS}:off_centre",
    "numpy_ignores_its_seed": f"{SUBJECTS}:ignores_its_seed",
    "numpy_raises_at_odd_widths": f"{SUBJECTS}:raises_at_odd_widths",
    "numpy_zeros": f"{SUBJECTS}:zeros",
    "numpy_kernels": f"{SUBJECTS}:kernels",
    "numpy_waived": f"{SUBJECTS}:waived",
    "torch_kaiming_normal": "torch.nn.init.kaiming_normal_(nonlinearity='relu')",
    "torch_kaiming_uniform_of_linear": "torch.nn.init.kaiming_uniform_(a=2.23606797749979)",
    "torch_orthogonal": "torch.nn.init.orthogonal_",
    "torch_linear": "torch.nn.Linear",
    "torch_he_layer": f"{SUBJECTS}:he_layer",
    "jax_he_normal": "jax.nn.initializers.he_normal()",
    "keras_glorot_uniform": "keras.initializers.GlorotUniform",
    "flax_dense": "flax.linen.Dense",
}
MODELS = {
    "torch_model_residual": "residual_model",
    "torch_model_with_an_odd_block": "model_with_an_odd_block",
    "torch_model_left_unwritten": "model_left_unwritten",
}
THEOREMS = "theorems"
FROZEN_REPORTS = (*INITIALIZERS, *MODELS, THEOREMS)

# Seconds differ from run to run, versions from machine to machine.
_LEFT_OUT = frozenset({"seconds", "version", "libraries", "command"})
# The last bits of a product of matrices depend on the machine's BLAS.
_RELATIVE = 1e-6
# What is nothing but rounding of float32, such as the logarithm of what an orthogonal matrix keeps.
_ABSOLUTE = {"interval": 1e-6, "series": 1e-6, "value": 1e-6}


def made(name: str) -> dict[str, Any]:
    """The report of that name as it comes out now, without what differs between two sound runs."""
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    import initcheck

    if name in INITIALIZERS:
        report = initcheck.check(INITIALIZERS[name], profile="quick").to_dict()
    elif name in MODELS:
        import frozen_subjects

        report = initcheck.check_model(getattr(frozen_subjects, MODELS[name]), batch="4x32").to_dict()
    else:
        report = _of_theorems()
    kept: dict[str, Any] = json.loads(json.dumps(_kept(report)).replace(str(HERE.parent.parent) + os.sep, ""))
    return kept


def _of_theorems() -> dict[str, Any]:
    import contextlib
    import io

    from initcheck.doors.cli import main

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = main(["--theorems"])
    return {"exit code": code, "printed": printed.getvalue().splitlines()}


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _kept(v) for k, v in value.items() if k not in _LEFT_OUT}
    if isinstance(value, (list, tuple)):
        return [_kept(v) for v in value]
    return value


def frozen(name: str) -> dict[str, Any]:
    """The report of that name as it was frozen."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """Every field in which two reports differ, as a sentence."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            if key not in before or key not in now:
                yield f"{where}.{key} is {'gone' if key in before else f'new: {now[key]!r}'}"
            else:
                yield from differences(before[key], now[key], f"{where}.{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif isinstance(before, float) and isinstance(now, float):
        measured = max((size for field, size in _ABSOLUTE.items() if f".evidence.{field}" in where), default=1e-12)
        if not math.isclose(before, now, rel_tol=_RELATIVE, abs_tol=measured):
            yield f"{where} was {before!r} and is {now!r}"
    elif before != now:
        yield f"{where} was {before!r} and is {now!r}"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))
    os.environ.setdefault("KERAS_BACKEND", "jax")
    FOLDER.mkdir(exist_ok=True)
    if unknown := set(sys.argv[1:]) - set(FROZEN_REPORTS):
        sys.exit(f"{', '.join(sorted(unknown))}: no report is frozen under this name; there are {FROZEN_REPORTS}.")
    for each in sys.argv[1:] or FROZEN_REPORTS:
        (FOLDER / f"{each}.json").write_text(
            json.dumps(made(each), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        )
        print(each, flush=True)
