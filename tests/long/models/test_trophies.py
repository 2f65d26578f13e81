"""A handful of the starts of released libraries, each where its library is installed; `trophies.py` runs them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from released_models import LIBRARIES
from trophies import installed, table

pytestmark = pytest.mark.filterwarnings("ignore")  # of libraries, and theirs

# What each fails at, read in the source of its library: the guide's page of trophies.
SOME: dict[tuple[str, str], set[str]] = {
    ("torch", "LSTM"): set(),
    ("torch", "Transformer"): set(),
    ("transformers", "gpt2"): set(),
    ("transformers", "llama"): set(),
    ("transformers", "deit"): set(),
    ("transformers", "cpmant"): {"starts-at-chance"},
    ("transformers", "modernbert"): {"declared-laws-are-in-force"},
    ("timm", "test_convnext"): {"rebuilds-the-same"},
    ("torch_geometric", "conv.GCNConv"): set(),
    ("torch_geometric", "conv.RGATConv"): {"every-tensor-is-written"},
    ("flax", "nnx.Linear"): set(),
    ("equinox", "Linear"): set(),
}


_ALONE = """
import json, sys
from released_models import LIBRARIES
from trophies import checked
library, name = sys.argv[1:]
print(json.dumps(checked(next(s for s in LIBRARIES[library][1]() if s.name == name))))
"""


def checked_alone(library: str, name: str) -> dict[str, Any]:
    """``checked`` forks: where JAX has run before, in the tests before this one, its locks would be held for ever."""
    words = [sys.executable, "-c", _ALONE, library, name]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(("library", "name"), SOME)
def test_a_released_start_fails_at_what_its_source_says(library: str, name: str) -> None:
    if not installed(library):
        pytest.skip(f"{library} is not installed")
    found = checked_alone(library, name)
    assert found.get("problem") is None
    assert {c for c, said in found["claims"].items() if said["verdict"] == "FAILS"} == SOME[library, name]
    assert found["batch"] or "every-tensor-is-written" in SOME[library, name]
    assert library in table([found])


def test_every_start_has_a_name_of_its_own() -> None:
    for library in filter(installed, LIBRARIES):
        names = [s.name for s in LIBRARIES[library][1]()]
        assert names
        assert len(names) == len(set(names)), library
