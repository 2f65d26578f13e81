"""Every command that the README or a page shows without its output, typed in a folder that has what the page names.

The folder is configured for the profile `quick`, so that the words stay the page's own. Commands with an output are
compared with it in test_outputs_of_the_guide.py; those of the trophies need released libraries, and
tests/long/models/test_trophies.py runs a handful.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_outputs_of_the_guide import TEXTS

ROOT = Path(__file__).parents[3]
ELSEWHERE = {"trophies", "own-claim"}
"""Pages whose commands other tests follow."""
MODEL = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 64), nn.Linear(64, 16)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.blocks = nn.Embedding(32, 16), nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(16, 32, bias=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def build():
    return Net()
"""
HE = "import numpy as np\n\n\ndef he(shape, rng):\n    return rng.normal(0, np.sqrt(2 / shape[1]), shape)\n\n\n"
HE += 'he.__initcheck__ = {"activation": "relu", "layout": "out_in"}\n'
FILES = {
    "myinit.py": HE,
    "mine.py": HE,
    "nanogpt.py": MODEL,
    "port.py": MODEL,
    "reference.py": MODEL,
    "pyproject.toml": '[tool.initcheck]\nprofile = "quick"\n',
}
FAILING = {
    "initcheck same torch.nn:LSTM keras.layers:LSTM": "DIFFERENT",
    "initcheck same torch.nn.init:xavier_uniform_ torch.nn:LSTM": "DIFFERENT",
    "initcheck lock port:build --like gpt2": "FAILS",
}
"""Commands that end in 1, for what they compare is not the same, and a word that says so."""


def silent(text: str) -> list[str]:
    """The commands of a page below which no output stands, without the remark behind them."""
    found = []
    for body in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        lines = body.splitlines()
        for line, below in zip(lines, [*lines[1:], "$ "], strict=True):
            if line.startswith("$ ") and below.startswith("$ "):
                found.append(re.sub(r"\s+# .*", "", line.removeprefix("$ ")))
    return found


COMMANDS = {page: commands for page, text in TEXTS.items() if page not in ELSEWHERE and (commands := silent(text))}


def test_these_pages_have_such_commands() -> None:
    assert set(COMMANDS) == {"README", "gain", "same"}


@pytest.mark.parametrize("page", COMMANDS)
def test_every_command_of_a_page_does_what_it_says(page: str, tmp_path: Path) -> None:
    for library in ("torch", "keras", "jax"):
        pytest.importorskip(library)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    for name in ("initcheck", "pytest"):
        # The names of the page, of the environment that runs this test.
        (scripts / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n', encoding="utf-8")
        (scripts / name).chmod(0o755)
    path = {"PATH": f"{scripts}:{os.environ['PATH']}", "PYTHONPATH": f"{ROOT}:{tmp_path}", "KERAS_BACKEND": "jax"}
    for command in COMMANDS[page]:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env={**os.environ, **path}, capture_output=True, text=True
        )
        said = done.stdout + done.stderr
        assert done.returncode == (command in FAILING), f"{command}\n{said}"
        assert FAILING.get(command, "") in said
