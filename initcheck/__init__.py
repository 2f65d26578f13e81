"""initcheck: claims about weight initialization as executable properties, checked against any initializer."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from initcheck.search_path import without_the_current_folder

without_the_current_folder()

# These modules are light; what costs NumPy or Hypothesis is loaded on first use, below.
from initcheck.claims.statement import claim  # noqa: E402
from initcheck.doors.under_pytest.parametrize import parametrize  # noqa: E402
from initcheck.errors import ClaimFailed, InitcheckError, UsageError  # noqa: E402
from initcheck.first_use import on_first_use  # noqa: E402
from initcheck.report.verdict import Verdict  # noqa: E402

if TYPE_CHECKING:
    from initcheck.contract.contract import Contract
    from initcheck.contract.initializer import Initializer
    from initcheck.doors.answers.fix import fix
    from initcheck.doors.answers.gain import gain
    from initcheck.doors.answers.what import what
    from initcheck.doors.check import check
    from initcheck.doors.check_model import check_model
    from initcheck.doors.lock import lock
    from initcheck.doors.same import same
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
    "fix",
    "gain",
    "load",
    "lock",
    "parametrize",
    "same",
    "what",
]

__version__ = "0.1.0"

# pytest imports this package at every start, and NumPy and Hypothesis cost 0.3 s.
__getattr__ = on_first_use(
    "initcheck",
    {
        "contract.contract": "Contract",
        "contract.initializer": "Initializer",
        "doors.answers.fix": "fix",
        "doors.answers.gain": "gain",
        "doors.answers.what": "what",
        "doors.check": "check",
        "doors.check_model": "check_model",
        "doors.lock": "lock",
        "doors.same": "same",
        "report.report": "Report",
        "targets.loading": "load",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)


# In a checkout the claims lie beside this package, not inside it. When a wheel is installed too, `python -m pytest`
# finds this folder first, so the checkout must be able to supply `initcheck.properties` itself, and that alone: with
# the whole checkout on `__path__` everything in it would be importable a second time.
class _Properties:
    """Finds `initcheck.properties` beside this package."""

    folder = Path(__file__).resolve().parent.parent / "properties"

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "initcheck.properties":
            return None
        return spec_from_file_location(name, cls.folder / "__init__.py", submodule_search_locations=[str(cls.folder)])


if (_Properties.folder.parent / "pyproject.toml").is_file() and (_Properties.folder / "__init__.py").is_file():
    # First: an editable install of another checkout would answer with its own.
    sys.meta_path.insert(0, _Properties)
