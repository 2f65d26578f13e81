"""Blocks stacked for a scan: the signal is heard block by block, as if they stood in a list."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from placements import every_slice_has_one_key

from initcheck.doors.check_model import check_model

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")
linen = pytest.importorskip("flax.linen")
nnx = pytest.importorskip("flax.nnx")

SIGNAL, GRADIENT = "signal-survives-the-blocks", "gradient-survives-the-blocks"
BLOCKS, WIDTH = 6, 16


class Block(eqx.Module):
    weight: Any

    def __call__(self, x: Any) -> Any:
        return jax.nn.relu(self.weight @ x)


class Scanned(eqx.Module):
    blocks: Block
    listed: list[Block]

    def __call__(self, x: Any) -> Any:
        for block in self.listed:
            x = block(x)
        return jax.lax.scan(lambda x, block: (block(x), None), x, self.blocks)[0] if not self.listed else x


def _equinox(std: float, *, listed: bool = False) -> Callable[[Any], Any]:
    def build(key: Any) -> Any:
        weights = std * jax.vmap(lambda k: jax.random.normal(k, (WIDTH, WIDTH)))(jax.random.split(key, BLOCKS))
        return Scanned(Block(weights if not listed else weights[:1, 0]), [Block(w) for w in weights] if listed else [])

    return build


class LinenBlock(linen.Module):
    std: float

    @linen.compact
    def __call__(self, x: Any, _: None) -> tuple[Any, None]:
        y = linen.Dense(WIDTH, kernel_init=linen.initializers.normal(self.std))(linen.LayerNorm()(x))
        return (x + y if self.std < 0.1 else linen.relu(linen.Dense(WIDTH, name="alone")(x) * self.std)), None


def _linen(std: float, *, checkpoint: bool = False) -> Callable[[], Any]:
    class Net(linen.Module):
        @linen.compact
        def __call__(self, x: Any) -> Any:
            block = linen.remat(LinenBlock) if checkpoint else LinenBlock
            layers = linen.scan(block, variable_axes={"params": 0}, split_rngs={"params": True}, length=BLOCKS)
            return layers(std, name="layers")(x, None)[0]

    return lambda: Net()


class NnxBlock(nnx.Module):
    def __init__(self, std: float, rngs: Any) -> None:
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
        self.linear = nnx.Linear(WIDTH, WIDTH, kernel_init=nnx.initializers.normal(std), rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return nnx.relu(self.linear(x))


def _nnx(std: float) -> Callable[[Any], Any]:
    class Net(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            make = nnx.vmap(lambda rngs: NnxBlock(std, rngs), in_axes=(0,), out_axes=0)
            self.blocks = nnx.split_rngs(splits=BLOCKS)(make)(rngs)

        def __call__(self, x: Any) -> Any:
            return nnx.scan(lambda x, block: block(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)(x, self.blocks)

    return lambda rngs: Net(rngs)


KEEPS = math.sqrt(2 / WIDTH)


@pytest.mark.parametrize(
    ("build", "container", "batch", "failing"),
    [
        (_linen(0.02, checkpoint=True), "layers", f"64x{WIDTH}", set()),
        (_linen(9.0), "layers", f"64x{WIDTH}", {SIGNAL, GRADIENT}),
        (_nnx(0.05), "blocks", f"64x{WIDTH}", {SIGNAL, GRADIENT}),
        (_equinox(4 * KEEPS), "blocks", f"{WIDTH}", {SIGNAL, GRADIENT}),
    ],
    ids=["sound under a checkpoint", "linen explodes", "nnx vanishes", "equinox explodes"],
)
def test_the_signal_through_scanned_blocks_is_judged(
    build: Callable[..., Any], container: str, batch: str, failing: set[str]
) -> None:
    report = check_model(build, batch=batch, claims=[SIGNAL, GRADIENT], name="net")
    [chain] = report.contracts["net"]["chains"]
    assert (chain["name"], len(chain["forward"]), len(chain["backward"])) == (container, BLOCKS, BLOCKS)
    assert {r.claim for r in report.failures} == failing


def test_a_scan_and_a_list_of_the_same_blocks_have_one_signal() -> None:
    found = []
    for listed in (False, True):
        report = check_model(_equinox(KEEPS, listed=listed), batch=f"{WIDTH}", claims=[SIGNAL], models=1, name="net")
        [chain] = report.contracts["net"]["chains"]
        found.append([*chain["forward"], *chain["backward"]])
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_constant_repeated_for_every_slice_is_that_constant() -> None:
    report = check_model(_nnx(0.05), batch=f"2x{WIDTH}", claims=["siblings-share-one-law"], name="net")
    laws = {role["path"]: role["law"] for role in report.contracts["net"]["roles"]}
    assert (laws["blocks.*.norm.scale"], laws["blocks.*.linear.bias"]) == ("constant 1", "constant 0")


def test_one_draw_for_every_slice_makes_copies() -> None:
    report = check_model(every_slice_has_one_key, batch=f"2x{WIDTH}", claims=["tensors-are-distinct"], name="net")
    case = report["tensors-are-distinct"].evidence.case
    assert str(case).startswith("blocks.0.kernel, blocks.1.kernel, blocks.2.kernel and 3 more are equal bit for bit")
