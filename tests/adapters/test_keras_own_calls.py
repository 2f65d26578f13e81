"""Own calls of Keras initializers: each new shape of them is a compilation, so they are made at two."""

from __future__ import annotations

from typing import Any

import pytest

keras = pytest.importorskip("keras")
if keras.config.backend() != "jax":
    pytest.skip("Keras compiles on JAX alone", allow_module_level=True)

from initcheck import check  # noqa: E402
from initcheck.adapters.frameworks.keras_init import KerasSampler  # noqa: E402

made: list[int] = []


class ByItsOwnCount(keras.initializers.Initializer):
    """Another law at every other call, which no trace shows."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        made.append(1)
        size = 1.0 if len(made) % 2 else 2.0
        return size * keras.random.normal(shape, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """What builds another one."""
        return {"seed": self.seed}


def shapes_of_own_calls(target: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[set[tuple[int, ...]], Any]:
    shapes: set[tuple[int, ...]] = set()
    drawn = KerasSampler._drawn

    def seen(sampler: KerasSampler, asked: Any, dtype: str, *, anew: bool) -> Any:
        shapes.update(tuple(shape) for shape, _ in asked)
        return drawn(sampler, asked, dtype, anew=anew)

    monkeypatch.setattr(KerasSampler, "_drawn", seen)
    claims = ["output-variance-near-one", "leaves-global-generators-alone"]
    return shapes, check(target, claims=claims, profile="quick")


@pytest.mark.long
def test_own_calls_are_compared_where_they_are_looked_at_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, report = shapes_of_own_calls(keras.initializers.HeNormal, monkeypatch)
    assert report.ok
    assert len(shapes) == 2


@pytest.mark.long
def test_what_counts_its_calls_is_still_called_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, _ = shapes_of_own_calls(ByItsOwnCount, monkeypatch)
    assert len(shapes) > 2
