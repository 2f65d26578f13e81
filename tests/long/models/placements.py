"""Six mistakes of ranks and of stacked models, written with the claim that should fail before any was judged.

``python tests/long/models/placements.py [NAME ...]`` judges each and prints what failed beside what should.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DISTINCT, REPLICAS, LAW = "shards-are-distinct", "replicas-are-equal", "the-whole-follows-its-law"
WRITTEN, COPIES, DECLARED = "every-shard-is-written", "tensors-are-distinct", "declared-laws-are-in-force"
BLOCKS, WIDTH = 6, 16


def replicas_seeded_by_their_rank(rank: int, world: int) -> Any:
    """Two replicas of two shards each: the seed should hang on the shard, and hangs on the rank."""
    import torch
    from torch import nn

    torch.manual_seed(torch.initial_seed() + rank)
    layer = nn.Linear(WIDTH, 4 * WIDTH // world, bias=False)
    net = nn.Module()
    net.up = layer
    net.norm = nn.LayerNorm(WIDTH)
    nn.init.normal_(net.up.weight, std=0.02)
    nn.init.normal_(net.norm.weight, mean=1.0, std=0.02)
    return net


def experts_of_one_seed(rank: int, world: int) -> Any:
    """Every rank draws its experts from the one seed of the run."""
    import torch
    from torch import nn

    net = nn.Module()
    net.router = nn.Parameter(0.02 * torch.randn(8, WIDTH))
    net.experts = nn.Parameter(0.02 * torch.randn(8 // world, 2 * WIDTH, WIDTH))
    return net


def inputs_split_and_their_fan_too(rank: int, world: int) -> Any:
    """A layer whose inputs are split: each rank counts its own inputs alone, so that the whole is too large."""
    import torch
    from torch import nn

    torch.manual_seed(torch.initial_seed() + 7919 * rank)
    net = nn.ModuleList(nn.Linear(8 * WIDTH // world, WIDTH, bias=False) for _ in range(BLOCKS))
    for layer in net:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    return net


def a_bare_parameter_is_forgotten() -> Any:
    """After to_empty every layer resets itself; a gain that is a parameter of the block does not."""
    import torch
    from torch import nn
    from torch.distributed.fsdp import fully_shard

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.full((WIDTH,), 1e-5))
            self.linear = nn.Linear(WIDTH, WIDTH)

    with torch.device("meta"):
        net = nn.Sequential(*[Block() for _ in range(3)])
    for block in net:
        fully_shard(block)
    fully_shard(net)
    net.to_empty(device="cpu")
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return net


def every_slice_has_one_key(rngs: Any) -> Any:
    """The blocks of a scan are made by vmap, and nobody splits the keys: all are copies of one."""
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            make = nnx.vmap(lambda _: nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(key)), in_axes=0, out_axes=0)
            key = rngs.params()
            import jax.numpy as jnp

            self.blocks = make(jnp.arange(BLOCKS))

        def __call__(self, x: Any) -> Any:
            return nnx.scan(lambda x, block: block(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)(x, self.blocks)

    return Net(rngs)


def the_stack_counts_in_the_fan(key: Any) -> Any:
    """All blocks are drawn as one array by LeCun's law, which takes the axis of the stack for a receptive field."""
    import equinox as eqx
    import jax

    class Net(eqx.Module):
        weight: Any

        def __call__(self, x: Any) -> Any:
            return jax.lax.scan(lambda x, w: (jax.nn.tanh(x @ w), None), x, self.weight)[0]

    return Net(jax.nn.initializers.lecun_normal()(key, (BLOCKS, WIDTH, WIDTH)))


MISTAKES: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "replicas": (replicas_seeded_by_their_rank, {"world": 2}, REPLICAS),
    "experts": (experts_of_one_seed, {"world": 2}, DISTINCT),
    "inputs": (inputs_split_and_their_fan_too, {"world": 4}, LAW),
    "bare": (a_bare_parameter_is_forgotten, {"world": 2}, WRITTEN),
    "keys": (every_slice_has_one_key, {"batch": f"2x{WIDTH}"}, COPIES),
    "stack": (
        the_stack_counts_in_the_fan, {"batch": f"{WIDTH}", "laws": {"weight": f"{1 / math.sqrt(WIDTH)}"}}, DECLARED
    ),
}  # fmt: skip
"""Name -> what builds it, how it is judged, the claim that should fail."""


def main(*names: str) -> None:
    """Print a line a mistake."""
    sys.path.insert(0, str(Path(__file__).parent))
    import placements

    from initcheck.doors.check_model import check_model

    for name in names or MISTAKES:
        build, how, claim = placements.MISTAKES[name]
        started = time.perf_counter()
        report = check_model(build, name=name, **how)
        failed = {r.claim: (r.evidence.case or "")[:160] for r in report.failures}
        print(f"{name:10s} {'found' if claim in failed else 'MISSED'}  should fail {claim}; failed {failed};"
              f" {time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip
        if claim not in failed:
            print([(r.claim, r.verdict.value, r.reason) for r in report], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
