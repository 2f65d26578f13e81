"""`pytest --initcheck=TARGET`: the options, and nothing more until one of them is used."""

from __future__ import annotations

import pytest

from initcheck.doors.options import add_to_pytest
from initcheck.errors import UsageError

pytest.register_assert_rewrite("initcheck.properties")

# By the name under which each is kept.
_TARGETS = {
    "initcheck_targets": (
        "--initcheck", "TARGET", "this initializer, myinit, pkg.mod:attr, file.py:attr, @pyproject.toml",
    ),
    "initcheck_model_targets": (
        "--initcheck-model", "TARGET", "the model that this builds, pkg.mod:build_model(layers=12)",
    ),
    "initcheck_same_targets": (
        "--initcheck-same", "A,B", "that these two start from one law, m:mine,torch.nn.init:kaiming_normal_",
    ),
    "initcheck_lock_targets": (
        "--initcheck-lock", "FILE", "that nothing changed since this law file was written, init.lock",
    ),
}  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--initcheck TARGET`` and the options of a run."""
    group = parser.getgroup("initcheck", "claims about weight initialization (initcheck)")
    for dest, (flag, metavar, what) in _TARGETS.items():
        said = f"check {what} (repeatable)"
        group.addoption(flag, action="append", default=[], metavar=metavar, dest=dest, help=said)
    add_to_pytest(group)


def pytest_configure(config: pytest.Config) -> None:
    """Start a run where a target was named: here, since a usage error raised later is lost under xdist."""
    option = config.option
    if not any(getattr(option, dest) for dest in (*_TARGETS, "initcheck_theorems")):
        return
    # Only now: NumPy, Hypothesis and the frameworks of the targets are imported from here on.
    from initcheck.doors.under_pytest.session import ClaimSession

    try:
        session = ClaimSession(config)
    except UsageError as error:
        raise pytest.UsageError(f"initcheck: {error}") from error
    config.pluginmanager.register(session, "initcheck-session")
