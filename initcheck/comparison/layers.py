"""Two layers, built at the sizes that both take, compared weight by weight."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from initcheck.comparison.models import compare_models
from initcheck.comparison.parts import Comparison
from initcheck.comparison.weights.builds import Builds
from initcheck.comparison.weights.tensors import Tensor, tensor_of
from initcheck.contract.initializer import Initializer
from initcheck.errors import UsageError
from initcheck.layers.bench.sizes import Size
from initcheck.layers.sampler import LayerSampler

__all__ = ["compare_layers"]

_SIZES = {"quick": 2, "default": 4, "thorough": 8}


def compare_layers(
    a: Initializer,
    b: Initializer,
    *,
    profile: str = "default",
    seed: int = 0,
    alpha: float = 1e-6,
    beta: float = 1e-3,
    deadline: float | None = None,
) -> Comparison:
    """Compare two layers as small models: each weight at each of a few sizes.

    Args:
        a, b: layers, of one framework or of two.
        profile: how many sizes.
        seed: of the run.
        alpha, beta: error rates; the sizes share alpha.
        deadline: on the clock of ``time.monotonic``.

    Raises:
        UsageError: there is no size that both are built at.
    """
    sizes = list(_common(a, b))[: _SIZES[profile]]
    if not sizes:
        raise UsageError(
            f"{a.name} and {b.name} are not built at a size in common: give two functions (fan_in, fan_out) that"
            " build them."
        )
    found = []
    for x, y in sizes:
        builds = [_builds(one, size, seed) for one, size in ((a, x), (b, y))]
        for side in builds:
            side.deadline = deadline
        one = compare_models(*builds, seed=seed, alpha=alpha / len(sizes), beta=beta, fine=profile == "thorough")
        at = f" at {x}"
        parts = [
            dataclasses.replace(p, name=(p.name if p.name == p.partner else f"{p.name} = {p.partner}") + at, partner="")
            for p in one.parts
        ]
        found.append(dataclasses.replace(one, parts=parts, missing=tuple(m + at for m in one.missing)))
    return Comparison(
        parts=[part for one in found for part in one.parts],
        missing=tuple(m for one in found for m in one.missing),
        notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
        same_bits=min(one.same_bits for one in found),
        calls=sum(one.calls for one in found),
        weights=sum(one.weights for one in found),
    )


def _common(a: Initializer, b: Initializer) -> Iterator[tuple[Size, Size]]:
    """The sizes of A with the size of B that has the same widths, kernel and stride."""
    of = [one.sampler.sizes if isinstance(one.sampler, LayerSampler) else () for one in (a, b)]
    for x in of[0]:
        for y in of[1]:
            if not x.probe and not y.probe and _alike(x) == _alike(y):
                yield x, y
                break


def _alike(size: Size) -> tuple[object, ...]:
    return size.inputs, size.outputs, size.second, size.kernel, size.stride, size.lookup


def _builds(one: Initializer, size: Size, seed: int) -> Builds:
    sampler: Any = one.sampler
    builder = sampler.builder

    def build(seed: int) -> list[Tensor]:
        parameters = builder.build(size, seed).parameters()
        return [tensor_of(path, builder.kind, values) for path, values in parameters.items()]

    return Builds(build, f"{one.name} at {size}", seed)
