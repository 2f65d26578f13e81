"""JAX compiles one program for all shapes of the plan and draws each call once, beside what own calls compile."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from initcheck.adapters.frameworks import compiled
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.targets.loading import load

jax = pytest.importorskip("jax")


def test_a_check_compiles_once_for_all_shapes_and_draws_each_call_once(
    benchmark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilations: list[str] = []
    drawn: Counter[tuple[Any, str, int]] = Counter()

    def heard(event: str, seconds: float, **more: object) -> None:
        if event.endswith("backend_compile_duration"):
            compilations.append(event)

    run = compiled._run

    def counted(asked: Any, function: Any, seeds: Any) -> Any:
        drawn.update((asked.shape, asked.dtype, seed) for seed in seeds)
        return run(asked, function, seeds)

    monkeypatch.setattr(compiled, "_run", counted)
    jax.monitoring.register_event_duration_secs_listener(heard)
    checker = Checker(Settings(profile="quick"))
    [initializer] = load("jax.nn.initializers.he_normal()").initializers
    before = len(compilations)
    report = benchmark.pedantic(lambda: checker.report([initializer]), rounds=1)
    assert not report.failures
    shapes = len(checker.subject(initializer).domain.plan)
    made, again = len(compilations) - before, drawn.total() - len(drawn)
    benchmark.extra_info["shapes of the plan"] = shapes
    benchmark.extra_info["compilations"] = made
    benchmark.extra_info["calls drawn"] = drawn.total()
    benchmark.extra_info["of these drawn before"] = again
    # Two for the draws; a call of JAX's own is half a dozen small ones, made at one further shape.
    assert shapes > 5
    assert made <= 14
    # What entries of kept calls are looked at is drawn once more where memory would not hold it.
    assert again <= 0.05 * drawn.total()
