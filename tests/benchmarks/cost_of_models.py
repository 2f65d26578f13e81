"""What a check of a model costs beside a plain build, and the first verdict of a process.

    python tests/benchmarks/cost_of_models.py [15 60 300]       millions of parameters; 0 is the model of 25,000

Every row is a process of its own on one thread, in CPU seconds. The model is a plain GPT with the recipe of GPT-2: two
rules of initialization, a tied head, no dropout. Its check is the default one, with the batch that is found for it. A
plain build is the least of three, since the first one meets fresh pages of memory.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from typing import Any

# Millions of parameters -> width and number of blocks; the vocabulary is 8,000, the context 128.
SIZES = {15: (384, 7), 60: (640, 11), 300: (1024, 23)}
VOCABULARY, CONTEXT = 8_000, 128


def gpt(width: int, blocks: int) -> Any:
    """A GPT that is initialized as GPT-2 is."""
    import torch
    from torch import Tensor, nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Tensor) -> Tensor:
            shape = (*x.shape[:2], 3, width // 64, 64)
            q, k, v = self.qkv(self.first(x)).view(shape).permute(2, 0, 3, 1, 4)
            seen = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(seen.transpose(1, 2).reshape(x.shape))
            return x + self.down(nn.functional.gelu(self.up(self.second(x))))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Embedding(CONTEXT, width)
            self.blocks = nn.ModuleList(Block() for _ in range(blocks))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, VOCABULARY, bias=False)
            self.head.weight = self.tokens.weight
            self.apply(self._init_weights)
            for name, weight in self.named_parameters():
                if name.endswith(("proj.weight", "down.weight")):
                    nn.init.normal_(weight, std=0.02 / math.sqrt(2 * blocks))

        def _init_weights(self, module: nn.Module) -> None:
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

        def forward(self, ids: Tensor) -> Tensor:
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    return GPT()


def measured(millions: int) -> dict[str, Any]:
    """One row; for 0 the check counts from importing initcheck, torch is there already."""
    import torch

    torch.set_num_threads(1)

    def build() -> Any:
        if millions:
            return gpt(*SIZES[millions])
        return torch.nn.Sequential(*[torch.nn.Linear(64, 64) for _ in range(6)])

    if not millions:
        began = time.process_time()
    from initcheck import check_model

    plain = []
    if millions:
        for _ in range(3):
            start = time.process_time()
            size = sum(p.numel() for p in build().parameters())
            plain.append(time.process_time() - start)
        began = time.process_time()
    report = check_model(build, name="model")
    check = time.process_time() - began
    if not millions:
        size = sum(p.numel() for p in build().parameters())
    open_claims = {r.claim: r.verdict.value for r in report if r.verdict.value in ("FAILS", "UNDECIDED")}
    return {
        "parameters": size,
        "plain": round(min(plain), 2) if plain else None,
        "check": round(check, 2),
        "ratio": round(check / min(plain), 1) if plain else None,
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "weights MB": size * 4 // 2**20,
        "batch": report.contracts["model"].get("batch"),
        "not holding": open_claims,
    }


def main(arguments: list[str]) -> int:
    """Print a line of JSON a size."""
    if arguments[:1] == ["--one"]:
        print(json.dumps(measured(int(arguments[1]))))
        return 0
    for millions in [int(a) for a in arguments] or [0, *SIZES]:
        done = subprocess.run([sys.executable, __file__, "--one", str(millions)], capture_output=True, text=True)
        print(done.stdout.strip() or done.stderr[-500:], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
