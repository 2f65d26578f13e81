"""Harm done in a roundabout way is known before a call: by an operator, a format, a default, a lesser function."""

import inspect

import numpy as np
import pytest

from initcheck.adapters.code.evidence import evidence_of
from initcheck.adapters.signatures.signature import slots_of

for needed in ("torch", "keras", "equinox", "h5py", "scipy"):
    pytest.importorskip(needed)
module = pytest.importorskip("harmless_by_indirection")

DANGEROUS = [name for name in vars(module) if name.lower().startswith("he_") or name in ("HeChecked", "HeConnected")]


@pytest.fixture(autouse=True)
def marks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    module.MARKS.clear()
    yield module.MARKS
    module.MARKS.clear()


@pytest.mark.parametrize("name", DANGEROUS)
def test_each_is_known_without_a_call(name, marks):
    assert evidence_of(getattr(module, name), name).harm is not None
    assert marks == []


def test_there_are_more_than_twenty_five_and_a_call_leaves_a_mark(marks):
    assert len(DANGEROUS) >= 25
    for name in ("he_printed", "he_by_annotation", "he_mapped", "he_of_defaults", "he_missing", "he_of_gain"):
        getattr(module, name)((2, 3), np.random.default_rng(0))
    assert len(marks) == 6
    assert evidence_of(module.he, "he").harm is None


def test_an_annotation_that_is_code_is_not_run_where_it_is_read(marks):
    assert [slot.role for slot in slots_of(module.he_annotated)] == ["shape", "rng"]
    assert marks == []
    inspect.signature(module.he_annotated, eval_str=True)
    assert marks == ["he_annotated"]
