"""Further words that a newcomer may type, at any door, and the sentence that says what to type instead."""
# ruff: noqa: E501 - one sentence a row

from __future__ import annotations

import dataclasses
import shlex
import sys
from pathlib import Path

import pytest

from initcheck.contract.contract import Contract
from initcheck.doors import options
from initcheck.doors.cli import main

FILES = {
    "mynet_here.py": "import numpy as np\n\n\ndef he(shape, rng):\n    return rng.normal(0, np.sqrt(2 / shape[1]), shape)\n\n\n"
    "scale = 0.02\nweights = np.ones((4, 4))\n",
    "explore.ipynb": "{}",
    "app_here/models/init.py": "from .common import scale\n",
    "app_here/models/common.py": "scale = 0.02\n",
    "my-package/inits.py": "",
    "typo.toml": '[[tool.initcheck.target]]\ntarget = "mynet_here:he"\n',
    "listed.toml": '[tool.initcheck]\ntargets = ["mynet_here:he"]\n',
    "waived.toml": '[[tool.initcheck.targets]]\ntarget = "mynet_here:he"\nwaive = ["zero-mean"]\n',
}
MODEL = """
from torch import nn


class GPT(nn.Module):
    def __init__(self, vocabulary, layers):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(layers))

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = x + block(x)
        return x


def build():
    return GPT(16, 2)


built = build()
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mynet_here.py::he", "stands one colon: 'mynet_here.py:he'?"),
        ("mynet_here:He", "did you mean 'he'?"),
        ("mynet_here:scale", "is 'float', which cannot be called and has no method such as init; name a function,"),
        ("mynet_here:weights", "holds weights that are drawn already; name the function that draws them."),
        ("mynet_here: he", "a name is missing before or after its colon; write module:name, with no space."),
        ("mynt_here:he", "Did you mean 'mynet_here'?"),
        ("model mynet_here:he", "takes shape: it draws weights, and builds no model. Check it by: initcheck mynet_here:he"),
        ("model 'mynet_here:he(64'", "a bracket is not closed; write mynet_here:he(width=64), in quotes where a shell reads it."),
        ("explore.ipynb", "is a notebook. Check a function in a cell of it, initcheck.check(f), or move it into a file.py and name that."),
        ("app_here/models/init.py", "Name it as that part, from this folder: app_here.models.init."),
        ("my-package.inits", "a module's name has no hyphen; name the file: my-package/inits.py."),
        ("https://example.org/inits", "it is an address, and nothing is fetched. Install what lies there, and name it: pkg.mod:name."),
        ("nn.init.xavier_uniform_", "A module's own name is meant, such as torch.nn.init.xavier_uniform_."),
        ("what nn.Linear", "A module's own name is meant, such as torch.nn.Linear."),
        ("@typo.toml", "[[tool.initcheck.target]] is nearly that."),
        ("@listed.toml", 'it must be a table: a line [[tool.initcheck.targets]], and below it target = "mynet_here:he"'),
        ("@waived.toml", 'must be a table, such as waive = {zero-mean = "why it is meant"}.'),
        ("@missing.toml", "cannot be read: No such file or directory."),
        ("check mynet_here:he", "To check is no word of its own: initcheck mynet_here:he"),
        ("help", "Or the option --help?"),
        ("theorems", "Or the option --theorems?"),
        ("lock mynet_here:he --check", "there is no law file 'mynet_here:he': what is checked is a file."),
        ("explain 'how tall is a tree'", "no claim speaks of 'tree';"),
        ("gain Relu", "did you mean 'relu'?"),
        ("guide gate.md", "did you mean 'gate'?"),
        ("explain 'blorb flarb'", "initcheck list prints all of them, initcheck guide the pages."),
        ("mynet_here:he --profile fast", "did you mean 'default'?"),
        ("mynet_here:he --claims zero_mean", "did you mean 'zero-mean'?"),
        ("mynet_here:he --contract activation=relu,fan=out", "did you mean 'fan_out'?"),
        ("mynet_here:he --baseline nowhere.toml", "does not exist; write it once with the option baseline-update."),
    ],
)  # fmt: skip
def test_words_are_answered_with_what_to_write(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(typed)) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_an_option_that_stands_alone_is_told_what_it_wants(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mynet_here:he", "--html"])
    assert "--html wants FILE: write the report there as one HTML page" in capsys.readouterr().err


def test_a_lock_is_checked_by_the_file_that_every_page_names(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("initcheck.doors.cli._LOCK_FILE", "law.lock")
    assert main(["lock", "--check"]) == 2
    assert "there is nothing to check" in capsys.readouterr().err
    (here / "law.lock").write_text("no law")
    assert main(["lock", "--check"]) == 2
    assert "'law.lock'" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["--activation relu", "--activation=relu"])
def test_a_promise_as_an_option_is_answered_with_the_contract(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["mynet_here:he", *typed.split()])
    assert "what is promised is one option, --contract activation=relu" in capsys.readouterr().err


def test_the_promises_that_options_know_are_those_of_a_contract() -> None:
    fields = {f.name for f in dataclasses.fields(Contract)}
    assert set(options._PROMISED) == fields - {"waive", "origins", "notes"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "nano_here:GPT",
            "A whole model is checked by: initcheck model 'nano_here:GPT(vocabulary=..., layers=...)', or check_model(lambda: GPT(...)).",
        ),
        ("nano_here:built", "A whole model is checked by: initcheck model nano_here:built"),
        ("model nano_here", "name what builds the model, as in nano_here:build_model. Its functions: build."),
    ],
)
def test_a_model_at_the_door_of_initializers_is_led_on(
    typed: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    (here / "nano_here.py").write_text(MODEL)
    assert main(shlex.split(typed)) == 2
    assert said in capsys.readouterr().err
