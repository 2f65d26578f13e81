"""The lesson in pictures, run from its first cell to its last as a reader's Jupyter would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from initcheck.doors.cli import main

nbformat = pytest.importorskip("nbformat", reason="the notebook is read with nbformat: pip install nbclient ipykernel")
pytest.importorskip("nbclient", reason="the notebook is run with nbclient")
pytest.importorskip("ipykernel", reason="the notebook runs in ipykernel")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The cells after a run, of the file that a reader saves by the command of the page."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch, open(folder / "why.ipynb", "w", encoding="utf-8") as saved:
        patch.setattr(sys, "stdout", saved)
        assert main(["guide", "why.ipynb"]) == 0
    # A process of its own, as `jupyter execute` is: the sockets of the kernel's client are no business of this one.
    run = "from nbclient.cli import main; main()"
    words = [sys.executable, "-c", run, "why.ipynb", "--output=done.ipynb", "--timeout=120"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    book = nbformat.read(folder / "done.ipynb", 4)
    nbformat.validate(book)
    return list(book.cells)


def said(cells: list[Any]) -> str:
    outputs = [o for c in cells for o in c.get("outputs", ()) if o.output_type == "stream"]
    return "".join(o.text for o in outputs if o.name == "stdout")


def test_every_picture_is_drawn(cells: list[Any]) -> None:
    drawn = [o for c in cells for o in c.get("outputs", ()) if "image/png" in o.get("data", {})]
    assert len(drawn) == 3


def test_units_that_start_equal_stay_equal_and_drawn_ones_learn(cells: list[Any]) -> None:
    lines = {line[:10].strip(): line for line in said(cells).splitlines() if "different units" in line}
    assert "1 different units of 8, loss 1.00" in lines["zero"]
    assert "1 different units of 8" in lines["all equal"]
    assert "8 different units of 8" in lines["drawn"]
    losses = [float(lines[name].rpartition(" ")[2]) for name in ("all equal", "drawn")]
    assert losses[1] < 0.3 < 0.7 < losses[0]


def test_the_sums_and_the_layers_follow_the_law_of_the_text(cells: list[Any]) -> None:
    text = said(cells)
    assert "s = 0.05      variance 0.0025 at width 1, 2.6 at width 1024" in text
    for line in text.splitlines():
        if line.startswith("weights of variance"):
            measured, law = float(line.split(": ")[1].split()[0]), float(line.rpartition("= ")[2])
            assert 0.5 < measured / law < 2, line


def test_the_two_checks_find_what_the_lesson_says(cells: list[Any]) -> None:
    shown = [o.data["text/html"] for c in cells for o in c.get("outputs", ()) if "text/html" in o.get("data", {})]
    zeros, own = shown
    assert "every weight is zero" in zeros
    assert "+-sqrt(3/fan_in)" in own
    # The cell's own file has a name that only Jupyter knows.
    assert "<strong>✗ mine</strong><br>" in own
