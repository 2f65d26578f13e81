"""Sharded models, sound and broken as public bug reports were; built by the ranks of one group of gloo."""

from __future__ import annotations

import math
import os
import time
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

WIDTH, BLOCKS, WORDS = 32, 4, 64


class Block(nn.Module):
    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS, words: int = WORDS, tied: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.head = nn.Linear(width, words, bias=False)
        self.register_buffer("scale", torch.ones(4))
        if tied:
            self.head.weight = self.embed.weight

    def reset_parameters(self) -> None:
        nn.init.normal_(self.embed.weight, 0.0, 0.02)
        for block in self.blocks:
            block.norm.reset_parameters()
            nn.init.trunc_normal_(block.up.weight, 0.0, 0.02)
            nn.init.normal_(block.down.weight, 0.0, 0.02 / math.sqrt(2 * len(self.blocks)))
        nn.init.normal_(self.head.weight, 0.0, 0.02)
        self.scale.fill_(1.0)


def sound_fsdp(width: int = WIDTH, blocks: int = BLOCKS) -> nn.Module:
    """Meta device, fully_shard, to_empty, then every layer resets itself: what torchtitan does."""
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    with torch.device("meta"):
        net = Net(width, blocks)
    for block in net.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(net, mesh=mesh)
    net.to_empty(device="cpu")
    net.reset_parameters()
    return net


def sound_tensor_parallel(mesh: Any) -> nn.Module:
    """parallelize_module over the dimension tp of a mesh; what dp holds are replicas."""
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    net = Net()
    for block in net.blocks:
        parallelize_module(block, mesh["tp"], {"up": ColwiseParallel(), "down": RowwiseParallel()})
    net.reset_parameters()
    return net


def ten_million() -> nn.Module:
    return sound_fsdp(width=512, blocks=5)


class Shard(nn.Module):
    """A column of a linear layer, as Megatron splits it."""

    def __init__(self, rank: int, world: int, width: int = WIDTH) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * width // world, width))
        self.bias = nn.Parameter(torch.zeros(width))


def master_then_split(rank: int, world: int) -> nn.Module:
    """Sound: the whole is drawn on every rank from one seed, and each keeps its part."""
    net = nn.ModuleList(Shard(rank, world) for _ in range(BLOCKS))
    for layer in net:
        whole = nn.init.xavier_normal_(torch.empty(4 * WIDTH, WIDTH))
        layer.weight.data.copy_(whole.chunk(world)[rank])
    return net


def identical_shards(rank: int, world: int) -> nn.Module:
    """Every rank draws its shard from one seed."""
    net = nn.ModuleList(Shard(rank, world) for _ in range(BLOCKS))
    for layer in net:
        nn.init.normal_(layer.weight, 0.0, 0.02)
    return net


def fan_of_the_shard(rank: int, world: int) -> nn.Module:
    """The fans are read off the shard, not off the whole."""
    torch.manual_seed(torch.initial_seed() + rank)
    net = nn.ModuleList(Shard(rank, world) for _ in range(BLOCKS))
    for layer in net:
        nn.init.xavier_normal_(layer.weight)
    return net


def seed_by_rank(rank: int, world: int) -> nn.Module:
    """Replicas of data parallelism, seeded by the rank."""
    torch.manual_seed(torch.initial_seed() + rank)
    net = Net()
    net.reset_parameters()
    return net


def replicas_that_differ(rank: int, world: int) -> nn.Module:
    """One layer is drawn on rank 0 alone, and nobody sends it."""
    net = Net()
    net.reset_parameters()
    if rank == 0:
        nn.init.normal_(net.head.weight, 0.0, 0.02)
    return net


def offloaded_draws_repeated() -> nn.Module:
    """Every tensor is drawn inside a fork of the generator that gives the state back."""
    net = sound_fsdp()
    for parameter in net.parameters():
        if parameter.dim() > 1:
            with torch.random.fork_rng(devices=[]):
                nn.init.normal_(parameter.to_local(), 0.0, 0.02)  # type: ignore[attr-defined]
    return net


def buffers_not_synchronised(rank: int, world: int) -> nn.Module:
    """A buffer is filled by what the rank knows of itself."""
    net = Net()
    net.reset_parameters()
    net.scale.fill_(1.0 + rank)
    return net


def tie_lost_by_sharding(rank: int, world: int) -> nn.Module:
    """Sharding replaces the tied weight by two parameters."""
    net = Net(tied=True)
    net.reset_parameters()
    if world > 1:
        net.head.weight = nn.Parameter(net.embed.weight.detach().clone())
    return net


def one_rank_loads_late(rank: int, world: int) -> nn.Module:
    """A checkpoint is read before the last rank is there: it keeps what it drew."""
    net = Net()
    net.reset_parameters()
    if rank != world - 1:
        state = torch.random.get_rng_state()
        torch.manual_seed(99)
        checkpoint = Net()
        checkpoint.reset_parameters()
        torch.random.set_rng_state(state)
        net.load_state_dict(checkpoint.state_dict())
    return net


def unwritten_norm() -> nn.Module:
    """to_empty, and the norms are forgotten."""
    from torch.distributed.fsdp import fully_shard

    with torch.device("meta"):
        net = Net()
    fully_shard(net)
    net.to_empty(device="cpu")
    nn.init.normal_(net.embed.weight, 0.0, 0.02)
    for block in net.blocks:
        nn.init.normal_(block.up.weight, 0.0, 0.02)
        nn.init.normal_(block.down.weight, 0.0, 0.02)
    nn.init.normal_(net.head.weight, 0.0, 0.02)
    net.scale.fill_(1.0)
    return net


def one_rank_dies() -> nn.Module:
    if dist.get_rank() == 1:
        os._exit(3)
    dist.barrier()
    return Net()


def one_rank_raises(rank: int, world: int) -> nn.Module:
    if rank == 1:
        raise ValueError("no shard for me")
    return Net()


def one_rank_hangs(rank: int, world: int) -> nn.Module:
    if rank == world - 1:
        time.sleep(3600)
    return Net()


def one_rank_has_another_model(rank: int, world: int) -> nn.Module:
    net = Net(blocks=BLOCKS if rank else BLOCKS - 1)
    net.reset_parameters()
    return net
