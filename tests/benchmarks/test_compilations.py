"""JAX compiles one function a shape of the plan, and what the user's own calls compile at two shapes."""

from __future__ import annotations

import pytest

from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.targets.loading import load

jax = pytest.importorskip("jax")


def test_a_check_compiles_once_a_shape() -> None:
    compiled: list[str] = []

    def heard(event: str, seconds: float, **more: object) -> None:
        if event.endswith("backend_compile_duration"):
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    checker = Checker(Settings(profile="quick"))
    [initializer] = load("jax.nn.initializers.he_normal()").initializers
    before = len(compiled)
    report = checker.report([initializer])
    assert not report.failures
    shapes = len(checker.subject(initializer).domain.plan)
    # A call of JAX's own is half a dozen small compilations, made at one further shape.
    assert shapes <= len(compiled) - before <= shapes + 12
