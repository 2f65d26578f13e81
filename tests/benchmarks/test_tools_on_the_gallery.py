"""Each tool finds a mistake that it is made for, blames no plain He normal, and costs so many seconds."""

from __future__ import annotations

from typing import Any

import pytest
from tools_on_the_gallery import RULES, asked, ours

from initcheck.gallery import SPECIMENS

SPECIMEN = {s.name: s for s in SPECIMENS}
# What a tool is known to see; None: it draws weights of its own, and sees no initializer.
SEEN = {
    "PyTorch's own tests": "uniform_called_normal",
    "Keras' own tests": "gain_squared",
    "JAX's own tests": "lecun_for_relu",
    "TheDeepChecker's rule": "missing_square_root",
    "neural_net_checklist": "cauchy",
    "AnyInit, assert_healthy": None,
    "mup, coordinate check": "fixed_std",
}


@pytest.mark.parametrize("tool", RULES)
def test_seconds_of_a_tool(benchmark: Any, tool: str) -> None:
    right = asked(RULES[tool], SPECIMEN["he_normal"], 1)
    if right is None:
        pytest.skip(f"{tool} is not installed")
    assert right is False
    wrong = SEEN[tool]
    if wrong is None:
        assert asked(RULES[tool], SPECIMEN["fixed_std"], 1) is False
    else:
        assert asked(RULES[tool], SPECIMEN[wrong], 1) is True
    benchmark.pedantic(lambda: asked(RULES[tool], SPECIMEN["he_normal"], 2), rounds=1, iterations=1)


def test_an_initializer_that_raises_is_found_by_whoever_calls_it() -> None:
    assert all(asked(rule, SPECIMEN["returns_nothing"], 0) for tool, rule in RULES.items() if "checklist" not in tool)


def test_initcheck_is_asked_as_its_users_ask_it() -> None:
    assert ours("zeros")
    assert not ours("he_normal")
