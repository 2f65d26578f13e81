"""What four readers see: lines and characters of five runs, and their pages in a browser.

``python tests/long/rendering/readers.py FOLDER [--screens]`` writes the initializers and the model into FOLDER, runs
the five cases that the texts of the terminal were designed by, a gallery, ``same`` and ``lock``, prints each text with
its lines and characters, and the bytes of its page; ``--screens`` takes pictures of every page in Chromium, 390 and
1280 pixels wide, light and dark, and prints how many screens each is long and what axe-core finds (AXE_CORE names it).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

TEN = '''"""Ten initializers as ten people would write them: seven right, three wrong, each in another way."""

import numpy as np


def glorot_u(shape, rng):
    limit = np.sqrt(6 / (shape[0] + shape[1]))
    return rng.uniform(-limit, limit, shape)


def lecun_n(shape, rng):
    return rng.standard_normal(shape) / np.sqrt(shape[1])


def forgot_three(shape, rng):
    limit = 1 / np.sqrt(shape[1])
    return rng.uniform(-limit, limit, shape)


def coin_flips(shape, rng):
    return rng.choice([-1.0, 1.0], shape) / np.sqrt(shape[1])


def fixed_002(shape, rng):
    return rng.normal(0.0, 0.02, shape)


def he_n(shape, rng):
    return rng.normal(0.0, np.sqrt(2 / shape[1]), shape)


def copied_units(shape, rng):
    weights = rng.standard_normal(shape) / np.sqrt(shape[1])
    half = shape[0] // 2
    weights[half : 2 * half] = weights[:half]
    return weights


def he_u(shape, rng):
    limit = np.sqrt(6 / shape[1])
    return rng.uniform(-limit, limit, shape)


def lecun_u(shape, rng):
    limit = np.sqrt(3 / shape[1])
    return rng.uniform(-limit, limit, shape)


def triangular(shape, rng):
    limit = np.sqrt(6 / shape[1])
    return rng.triangular(-limit, 0.0, limit, shape)
'''
GPT = """import math

import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, d, written):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d) if written else torch.empty(d))

    def forward(self, x):
        return x * self.gain


class Block(nn.Module):
    def __init__(self, d, written=True):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.scale = Scaled(d, written)

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).chunk(3, -1)
        mixed = nn.functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None], is_causal=True)[:, 0]
        x = x + self.scale(self.out(mixed))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary=96, d=32, layers=24):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.blocks = nn.ModuleList(Block(d, written=i != 7) for i in range(layers))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, vocabulary, bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2 and name != "blocks.3.qkv.weight":
                last = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * layers) if last else 0.02)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
"""
FILES = {
    "ten.py": TEN,
    "gpt.py": GPT,
    "one.py": "def fan_geo(shape, rng):\n    return rng.uniform(-1, 1, shape) / shape[1] ** 0.5\n",
    "right.py": "def he(shape, rng):\n    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)\n",
    "edge.py": "def nearly(shape, rng):\n    return rng.normal(0, (1.24 / shape[1]) ** 0.5, shape)\n",
}
CASES = {
    "one cause": "one",
    "one, green": "right",
    "ten, three causes": "ten",
    "a model of 24 blocks": "model gpt:GPT",
    "undecided": "edge --profile quick --claims output-variance-near-one",
    "same": "same ten:he_n ten:he_u",
    "lock": "lock ten:he_n ten:forgot_three gpt:GPT",
    "24, green": "initcheck.gallery.papers -j 2",
    "the gallery": "initcheck.gallery --profile quick -j 2",
}
SEEN = {"one cause", "ten, three causes", "a model of 24 blocks", "undecided", "same", "the gallery"}
"""The cases that have a page."""


def name_of(case: str) -> str:
    """The stem of the files of a case."""
    return case.replace(", ", "-").replace(" ", "-")


def run(case: str, words: str, folder: Path, extra: list[str]) -> None:
    """Run one case in the folder, and print its text with its lines and characters."""
    page = folder / f"{name_of(case)}.html"
    command = [sys.executable, "-m", "initcheck", *words.split(), *extra]
    if case in SEEN:
        command += [f"--html={page.name}", f"--json={page.stem}.json", f"--markdown={page.stem}.md"]
        command += [f"--junit={page.stem}.xml"]
    before = os.times()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    text = done.stdout + done.stderr
    (folder / f"{name_of(case)}.txt").write_text(text, encoding="utf-8")
    print(f"=== {case}: initcheck {words}")
    size = f", page {page.stat().st_size:,} bytes" if page.exists() else ""
    lines = len(text.splitlines())
    print(f"    exit code {done.returncode}, {lines} lines, {len(text)} characters, {cpu:.0f} CPU s{size}")
    print(text, flush=True)


def screens(folder: Path) -> None:
    """Take a picture of every page at two widths, light and dark, and say how long it is."""
    from playwright.sync_api import sync_playwright

    axe = os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file in sorted(folder.glob("*.html")):
            for width, height in ((390, 844), (1280, 900)):
                for scheme in ("light", "dark"):
                    size = {"width": width, "height": height}
                    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
                    page = context.new_page()
                    page.goto(file.resolve().as_uri())
                    page.screenshot(path=folder / f"{file.stem}-{width}-{scheme}.png")
                    tall = page.evaluate("document.documentElement.scrollHeight")
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    said = f"{file.stem:<22}{width:>5} {scheme:<6}{tall / height:6.1f} screens, {wide} wide"
                    if os.path.exists(axe):
                        page.evaluate(Path(axe).read_text(encoding="utf-8"))
                        found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id))")
                        said += f", axe-core: {found or 'nothing'}"
                    print(said, flush=True)
                    context.close()
        browser.close()


def main() -> None:
    """Run what the words of the command line ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--screens", action="store_true", help="take pictures of the pages that are there, too")
    parser.add_argument("--only", nargs="*", help="these cases, by name; none of them where no name is given")
    arguments, extra = parser.parse_known_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (arguments.folder / name).write_text(text, encoding="utf-8")
    for case, words in CASES.items():
        if arguments.only is None or case in arguments.only:
            run(case, words, arguments.folder, extra)
    if arguments.screens:
        screens(arguments.folder)


if __name__ == "__main__":
    main()
