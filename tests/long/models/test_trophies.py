"""A handful of the starts of released libraries, each where its library is installed; `trophies.py` runs them all."""

from __future__ import annotations

import pytest
from released_models import LIBRARIES
from trophies import checked, installed, table

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
    ("timm", "test_convnext"): {"no-value-is-absurd", "rebuilds-the-same"},
    ("torch_geometric", "conv.GCNConv"): set(),
    ("torch_geometric", "conv.RGATConv"): {"every-tensor-is-written"},
    ("flax", "nnx.Linear"): set(),
    ("equinox", "Linear"): set(),
}


@pytest.mark.parametrize(("library", "name"), SOME)
def test_a_released_start_fails_at_what_its_source_says(library: str, name: str) -> None:
    if not installed(library):
        pytest.skip(f"{library} is not installed")
    start = next(s for s in LIBRARIES[library][1]() if s.name == name)
    found = checked(start)
    assert found.get("problem") is None
    assert {c for c, said in found["claims"].items() if said["verdict"] == "FAILS"} == SOME[library, name]
    assert found["batch"] or "every-tensor-is-written" in SOME[library, name]
    assert library in table([found])


def test_every_start_has_a_name_of_its_own() -> None:
    for library in filter(installed, LIBRARIES):
        names = [s.name for s in LIBRARIES[library][1]()]
        assert names
        assert len(names) == len(set(names)), library
