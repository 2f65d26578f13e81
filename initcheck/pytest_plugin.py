"""`pytest --initcheck=TARGET`: the options, and nothing more until one of them is used."""

from __future__ import annotations

import pytest

from initcheck.doors.options import add_to_pytest
from initcheck.errors import UsageError

pytest.register_assert_rewrite("initcheck.properties")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--initcheck TARGET`` and the options of a run."""
    group = parser.getgroup("initcheck", "claims about weight initialization (initcheck)")
    group.addoption(
        "--initcheck",
        action="append",
        default=[],
        metavar="TARGET",
        dest="initcheck_targets",
        help="check this initializer (repeatable): myinit, pkg.mod:attr, file.py:attr, @pyproject.toml",
    )
    group.addoption(
        "--initcheck-model",
        action="append",
        default=[],
        metavar="TARGET",
        dest="initcheck_model_targets",
        help="check the PyTorch model that this builds (repeatable): pkg.mod:build_model(layers=12)",
    )
    group.addoption(
        "--initcheck-same",
        action="append",
        default=[],
        metavar="A,B",
        dest="initcheck_same_targets",
        help="check that these two start from one law (repeatable): m:mine,torch.nn.init:kaiming_normal_",
    )
    group.addoption(
        "--initcheck-lock",
        action="append",
        default=[],
        metavar="FILE",
        dest="initcheck_lock_targets",
        help="check that nothing changed since this law file was written (repeatable): init.lock",
    )
    add_to_pytest(group)


def pytest_configure(config: pytest.Config) -> None:
    """Start a run where a target was named: here, since a usage error raised later is lost under xdist."""
    option = config.option
    named = ("initcheck_targets", *(f"initcheck_{kind}_targets" for kind in ("model", "same", "lock")))
    if not any(getattr(option, name) for name in (*named, "initcheck_theorems")):
        return
    # Only now: NumPy, Hypothesis and the frameworks of the targets are imported from here on.
    from initcheck.doors.under_pytest.session import ClaimSession

    try:
        session = ClaimSession(config)
    except UsageError as error:
        raise pytest.UsageError(f"initcheck: {error}") from error
    config.pluginmanager.register(session, "initcheck-session")
