"""What a factory makes, and the class of a method, may promise; a seed that an author chose is one for all layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initcheck import check
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load

CONTRACT = {"gain": 0.25, "layout": "in_out"}


def residual(n_layer: int = 8) -> Any:
    def init(n_in: int, n_out: int, rng: np.random.Generator) -> Any:
        return rng.normal(0, (2 * n_layer * n_in) ** -0.5, (n_in, n_out))

    init.__initcheck__ = {"gain": (2 * n_layer) ** -0.5, "layout": "in_out"}  # type: ignore[attr-defined]
    return init


def seeded(rng: np.random.Generator) -> Any:
    def init(n_in: int, n_out: int) -> Any:
        return rng.normal(0, 0.25 * n_in**-0.5, (n_in, n_out))

    init.__initcheck__ = CONTRACT  # type: ignore[attr-defined]
    return init


class Scaled:
    __initcheck__ = CONTRACT

    def weights_of(self, n_in: int, n_out: int, rng: np.random.Generator) -> Any:
        return rng.normal(0, 0.25 * n_in**-0.5, (n_in, n_out))


@pytest.mark.parametrize("target", [residual, seeded])
def test_what_a_factory_makes_is_held_to_its_own_promise(target: Any) -> None:
    [made] = load(target).initializers
    assert (made.contract.gain, made.contract.layout) == (0.25, "in_out")
    assert made.contract.origins["gain"] == "declared"


def test_a_promise_goes_with_the_argument_of_the_factory_and_the_users_word_wins() -> None:
    [deep] = load(residual, args={"n_layer": 50}).initializers
    assert deep.contract.gain == pytest.approx(0.1)
    [told] = load(residual, contract={"gain": 0.5}).initializers
    assert told.contract.gain == 0.5


def test_a_method_is_held_to_the_promise_of_its_class() -> None:
    [method] = load(f"{__file__}:Scaled.weights_of").initializers
    assert method.contract.gain == 0.25


class Chosen:
    """Begins anew in every call, from a number that its author chose."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed

    def __call__(self, shape: tuple[int, ...]) -> Any:
        return np.random.default_rng(self.seed).normal(0, shape[1] ** -0.5, shape)


class Unchosen(Chosen):
    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)  # type: ignore[arg-type]


class Advancing:
    """Draws on from a number that its author chose."""

    def __init__(self, seed: int = 7) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, shape: tuple[int, ...]) -> Any:
        return self.rng.normal(0, shape[1] ** -0.5, shape)


@pytest.mark.parametrize(
    ("made", "verdict"), [(Chosen, Verdict.FAILS), (Unchosen, Verdict.HOLDS), (Advancing, Verdict.HOLDS)]
)
def test_a_seed_that_the_author_chose_is_what_every_layer_of_a_default_begins_with(
    made: type, verdict: Verdict
) -> None:
    claim = "calls-are-independent"
    result = check(made, contract={"layout": "out_in"}, claims=[claim], profile="quick")[claim]
    assert result.verdict is verdict
    assert verdict is Verdict.HOLDS or "seed is ignored" in result.evidence.likely


class Pooled:
    """Draws into one buffer, and returns a view of it or a copy."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.pool = rng, np.empty(1 << 21)

    def view(self, n_out: int, n_in: int) -> Any:
        w = self.pool[: n_out * n_in].reshape(n_out, n_in)
        self.rng.standard_normal(out=w)
        w *= n_in**-0.5
        return w

    def copied(self, n_out: int, n_in: int) -> Any:
        return self.view(n_out, n_in).copy()


@pytest.mark.parametrize(("method", "verdict"), [("view", Verdict.FAILS), ("copied", Verdict.HOLDS)])
def test_two_results_of_one_instance_have_memory_of_their_own(method: str, verdict: Verdict) -> None:
    claim = "owns-its-memory"
    result = check(f"{__file__}:Pooled.{method}", claims=[claim], profile="quick")[claim]
    assert result.verdict is verdict
    if verdict is Verdict.FAILS:
        assert result.evidence.measured == "two results of one generator or instance share memory"
        assert result.evidence.likely.startswith("calls return one buffer")
        assert result.evidence.fix == "return a new array, or a copy"


def identity(n: int) -> Any:
    return np.eye(n)


@pytest.mark.parametrize(
    ("contract", "verdict"),
    [({"distribution": "identity", "entries": "dependent"}, Verdict.NOT_APPLICABLE), ({}, Verdict.FAILS)],
)
def test_no_two_calls_of_a_promised_identity_are_asked_to_differ(contract: dict[str, str], verdict: Verdict) -> None:
    claim = "calls-are-independent"
    assert check(identity, contract=contract, claims=[claim], profile="quick")[claim].verdict is verdict
