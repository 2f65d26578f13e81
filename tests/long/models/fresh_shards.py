"""Mistakes of sharded starts, and sound schemes, with the claims that fail; the answers were written before the run.

python tests/long/models/fresh_shards.py [NAME ...]

Before the first run, by reading: a rank that ends without an answer counts as gone at once, and what a rank has started
is ended. After it: a replica of another dtype is told by its dtype, which the answer asked for.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

RANKS, WRITTEN, DISTINCT = "every-rank-builds", "every-shard-is-written", "shards-are-distinct"
REPLICAS, LAW = "replicas-are-equal", "the-whole-follows-its-law"
WIDTH, LAYERS, VOCABULARY = 48, 3, 100


class Mixer(nn.Module):
    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, width, bias=False)
        self.register_buffer("frequencies", 1.0 / 10000 ** (torch.arange(0, width, 2) / width), persistent=False)

    def reset_parameters(self) -> None:
        self.norm.reset_parameters()
        nn.init.normal_(self.mix.weight, 0.0, 0.02)


class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Mixer() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.embed.weight, 0.0, 0.02)
        for layer in self.layers:
            layer.reset_parameters()
        nn.init.normal_(self.head.weight, 0.0, 0.02)


class Pieces(nn.Module):
    """Parameters by name, as a hand-written tensor parallelism holds them."""

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_parameter(name, nn.Parameter(tensor))


def local_rows_for_the_fan() -> nn.Module:
    """FSDP2 on the meta device; every shard is drawn by its rank, with the rows that it holds for the fan."""
    from torch.distributed.fsdp import fully_shard

    with torch.device("meta"):
        net = nn.Sequential(*(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS)))
    fully_shard(net)
    net.to_empty(device="cpu")
    torch.manual_seed(torch.initial_seed() + dist.get_rank())
    for parameter in net.parameters():
        local = parameter.to_local()  # type: ignore[attr-defined]
        nn.init.normal_(local, 0.0, 1 / math.sqrt(local.shape[0]))
    return net


def bias_of_a_row_parallel_layer(rank: int, world: int) -> nn.Module:
    """The shard is seeded by the rank as it should be, and so is the bias that every rank holds whole."""
    torch.manual_seed(torch.initial_seed() + rank)
    weight = nn.init.normal_(torch.empty(WIDTH, WIDTH // world), 0.0, 0.02)
    return Pieces(weight=weight, bias=nn.init.uniform_(torch.empty(WIDTH), -0.1, 0.1))


def dropout_seed_before_the_head(rank: int, world: int) -> nn.Module:
    """The seed that dropout needs, one a rank, is set before the head is drawn."""
    net = Tower()
    net.reset_parameters()
    torch.manual_seed(torch.initial_seed() + 17 * rank)
    nn.init.normal_(net.head.weight, 0.0, 0.02)
    return net


def frequencies_left_empty() -> nn.Module:
    """meta, to_empty, reset_parameters; nobody computes the buffer that is in no checkpoint again."""
    from torch.distributed.fsdp import fully_shard

    with torch.device("meta"):
        net = Tower()
    for layer in net.layers:
        fully_shard(layer)
    fully_shard(net)
    net.to_empty(device="cpu")
    net.reset_parameters()
    return net


def one_rank_in_bfloat16(rank: int, world: int) -> nn.Module:
    """A rank that takes itself for a device casts its replica."""
    net = Tower()
    net.reset_parameters()
    return net.bfloat16() if rank == world - 1 and world > 1 else net


def offloaded_by_rank_zero_alone(rank: int, world: int) -> nn.Module:
    """Parameters move to memory of their own; only rank 0 copies the numbers."""
    net = Tower()
    net.reset_parameters()
    for parameter in net.parameters():
        room = torch.empty_like(parameter.data)
        if rank == 0:
            room.copy_(parameter.data)
        parameter.data = room
    return net


def query_key_and_value_from_one_seed(rank: int, world: int) -> nn.Module:
    """Each shard of query, key and value is drawn after the rank seeds itself, three times the same."""
    found = {}
    for name in ("query", "key", "value"):
        torch.manual_seed(1000 + torch.initial_seed() % 1000 + rank if name == "query" else torch.initial_seed())
        found[name] = nn.init.normal_(torch.empty(WIDTH // world, WIDTH), 0.0, 0.02)
    return Pieces(**found)


def drawn_again_after_the_broadcast() -> nn.Module:
    """Ranks seeded apart agree by a broadcast; then the head is drawn anew, on each for itself."""
    torch.manual_seed(torch.initial_seed() + dist.get_rank())
    net = Tower()
    net.reset_parameters()
    for tensor in net.state_dict().values():
        dist.broadcast(tensor, 0)
    nn.init.normal_(net.head.weight, 0.0, 0.02)
    return net


def padded_vocabulary(rank: int, world: int) -> nn.Module:
    """The vocabulary is padded to a multiple of the ranks; the rows of the padding are nobody's."""
    rows = -(-(VOCABULARY + 3) // 8) * 8 // world
    torch.manual_seed(torch.initial_seed() + rank)
    embed = torch.empty(rows, WIDTH)
    real = max(0, min(rows, VOCABULARY - rank * rows))
    nn.init.normal_(embed[:real], 0.0, 0.02)
    return Pieces(embed=embed)


def inputs(rank: int, world: int) -> nn.Module:
    """Row parallel: the inputs are split, and a Linear of the split inputs draws by its own fan_in."""
    torch.manual_seed(torch.initial_seed() + rank)
    return nn.ModuleList(nn.Linear(WIDTH // world, WIDTH, bias=False) for _ in range(LAYERS))


def sound_megatron(rank: int, world: int) -> nn.Module:
    """Shards from a seed of the rank, by the fan of the whole; replicas from one seed; the generator put back."""
    common = torch.initial_seed()
    found: dict[str, torch.Tensor] = {"norm": torch.ones(WIDTH)}
    torch.manual_seed(common + 2718 + rank)
    for i in range(LAYERS):
        found[f"column_{i}"] = nn.init.normal_(torch.empty(4 * WIDTH // world, WIDTH), 0.0, 1 / math.sqrt(WIDTH))
        found[f"row_{i}"] = nn.init.normal_(torch.empty(WIDTH, 4 * WIDTH // world), 0.0, 1 / math.sqrt(4 * WIDTH))
    torch.manual_seed(common)
    found["positions"] = nn.init.normal_(torch.empty(32, WIDTH), 0.0, 0.02)
    return Pieces(**found)


def sound_tied_in_bfloat16() -> nn.Module:
    """Every rank draws the whole from one seed, in bfloat16 and with a tie, and FSDP2 keeps a part."""
    from torch.distributed.fsdp import fully_shard

    net = Tower()
    net.reset_parameters()
    net.head.weight = net.embed.weight
    net = net.bfloat16()
    for layer in net.layers:
        fully_shard(layer)
    fully_shard(net)
    return net


def prints_megabytes(rank: int, world: int) -> nn.Module:
    """Sound, but loud."""
    for _ in range(200):
        print("x" * 100_000)
        print("y" * 10_000, file=sys.stderr)
    net = Tower()
    net.reset_parameters()
    return net


def exits_zero_without_an_end() -> nn.Module:
    """A rank that leaves politely; the other one waits for it."""
    if dist.get_rank() == 1:
        os._exit(0)
    dist.barrier()
    return Tower()


def leaves_a_child_and_hangs(rank: int, world: int) -> nn.Module:
    """A rank that starts a process of its own and does not come back."""
    if rank == 1:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3000)  # child of a rank"])
        time.sleep(3000)
    net = Tower()
    net.reset_parameters()
    return net


# Name -> world sizes, the claims that fail (LAW beside others is not asked), words of the report.
ANSWERS: dict[Callable[..., Any], tuple[tuple[int, ...], set[str], str]] = {
    local_rows_for_the_fan: ((2,), {LAW}, "the fan_out of the shard"),
    bias_of_a_row_parallel_layer: ((2,), {REPLICAS}, "bias"),
    dropout_seed_before_the_head: ((2,), {REPLICAS}, "head.weight"),
    frequencies_left_empty: ((2,), {WRITTEN}, "frequencies"),
    one_rank_in_bfloat16: ((2,), {REPLICAS}, "bfloat16"),
    offloaded_by_rank_zero_alone: ((2,), {WRITTEN, REPLICAS}, "never written on rank 1"),
    query_key_and_value_from_one_seed: ((2,), {DISTINCT}, "key, value"),
    drawn_again_after_the_broadcast: ((2,), {REPLICAS}, "head.weight"),
    padded_vocabulary: ((2,), {WRITTEN}, "never written on rank 1"),
    inputs: ((2,), {LAW}, "the fan_in of the shard"),
    sound_megatron: ((1, 2, 4), set(), ""),
    sound_tied_in_bfloat16: ((1, 2, 4), set(), ""),
    prints_megabytes: ((2,), set(), ""),
    exits_zero_without_an_end: ((2,), {RANKS}, "rank 1 ends with exit code 0 and no answer"),
    leaves_a_child_and_hangs: ((2,), {RANKS}, "rank 1 does not end"),
}


def main(words: list[str]) -> int:
    """Judge them and say where an answer is not the one that was written."""
    from initcheck.doors.check_model import check_model
    from initcheck.report.verdict import Verdict

    wrong = 0
    for build, (worlds, expected, said) in ANSWERS.items():
        if words and build.__name__ not in words:
            continue
        for world in worlds:
            before, began = sum(os.times()[:4]), time.perf_counter()
            report = check_model(build, world=world, timeout=60)
            fails = {r.claim for r in report.failures}
            told = "\n".join(s for r in report.failures for s in (r.evidence.case or "", *r.evidence.detail))
            undecided = [(r.claim, r.reason) for r in report if r.verdict is Verdict.UNDECIDED]
            right = (
                fails - {LAW} == expected - {LAW} and expected <= fails if expected else not fails
            ) and said in told
            wrong += not right
            spent, waited = sum(os.times()[:4]) - before, time.perf_counter() - began
            print(
                f"{build.__name__:38} world {world}  {'as answered' if right else 'WRONG':12} {spent:5.1f} CPU s"
                f" {waited:5.1f} s  {sorted(fails)} {undecided or ''}\n    {told[:300]}",
                flush=True,
            )
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
