"""initcheck: claims about weight initialization as executable properties, checked against any initializer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

# `claim` and `parametrize` share their module's name: importing the submodule later would put the module in their
# place, so they are bound here, once. Both modules are light.
from initcheck.claims.claim import claim
from initcheck.doors.under_pytest.parametrize import parametrize
from initcheck.errors import ClaimFailed, InitcheckError, UsageError
from initcheck.report.verdict import Verdict

if TYPE_CHECKING:
    from initcheck.contract.contract import Contract
    from initcheck.contract.initializer import Initializer
    from initcheck.engine.checker import check
    from initcheck.models.run import check_model
    from initcheck.report.report import Report
    from initcheck.targets.loading import load

__all__ = [
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
    "load",
    "parametrize",
]

__version__ = "0.1.0"

_HOME = {
    "Contract": "contract.contract",
    "Initializer": "contract.initializer",
    "Report": "report.report",
    "check": "engine.checker",
    "check_model": "models.run",
    "load": "targets.loading",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: pytest imports this package at every start, and NumPy and Hypothesis cost 0.3 s.
    if name not in _HOME:
        raise AttributeError(f"module 'initcheck' has no attribute {name!r}")
    import importlib

    home = importlib.import_module(f"initcheck.{_HOME[name]}")
    value = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


# In a checkout the claims lie beside this package, not inside it. When a wheel is installed too, `python -m pytest`
# finds this folder first, so the checkout must be able to supply `initcheck.properties` itself.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file() and (_checkout / "properties").is_dir():
    __path__.append(str(_checkout))
