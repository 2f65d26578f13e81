"""Eleven ports against the libraries' own models: each SAME, and each planted difference found and named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))

from further_ports import FURTHER
from ports import PORTS

import initcheck

NEEDS = {
    "GPT-2": "transformers", "Llama": "transformers", "Mamba": "transformers", "T5 encoder": "transformers",
    "ViT": "timm", "MLP-Mixer": "timm", "GAT": "torch_geometric", "attention": "torch",
}  # fmt: skip
ALL = {**PORTS, **FURTHER}
CASES = [(name, planted) for name, (_, _, several) in ALL.items() for planted in ("", *several)]


@pytest.mark.parametrize(("name", "planted"), CASES)
def test_a_port_is_the_same_and_what_is_planted_is_named(name: str, planted: str) -> None:
    pytest.importorskip(NEEDS.get(name, "keras"))
    reference, port, several = ALL[name]
    factory, words = several[planted] if planted else (port, "")
    report = initcheck.same(reference, factory)
    result = report["start-from-one-law"]
    if not planted:
        assert report.ok, [r.evidence for r in report.failures]
        return
    assert result.verdict.value == "FAILS"
    said = "\n".join([result.evidence.case or "", *result.evidence.detail, result.evidence.likely or ""])
    assert words in said, said
