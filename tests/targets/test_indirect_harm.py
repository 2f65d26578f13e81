"""Harm done in a roundabout way is known before a call: by an operator, a format, a default, a lesser function."""

import inspect
import json

import numpy as np
import pytest

from initcheck.adapters.code import harmless
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


def _installed(folder, record, origin="{}"):
    of = folder / "numpy-9.dist-info"
    of.mkdir()
    (of / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 9\n")
    (of / "RECORD").write_text(record)
    (of / "direct_url.json").write_text(origin)


@pytest.mark.parametrize(
    ("record", "editable", "trusted"),
    [("numpy/__init__.py,,\n", False, True), ("other.py,,\n", True, True), ("other.py,,\n", False, False)],
    ids=["pip install --target", "pip install -e", "a folder of that name"],
)
def test_a_library_that_a_distribution_brought_is_trusted_wherever_it_lies(
    record, editable, trusted, tmp_path, monkeypatch
):
    brought = tmp_path / "my code"
    brought.mkdir()
    info = {"url": brought.as_uri(), "dir_info": {"editable": True}} if editable else {}
    (where := tmp_path / "path" if editable else brought).mkdir(exist_ok=True)
    _installed(where, record, json.dumps(info))
    monkeypatch.syspath_prepend(str(where))
    monkeypatch.setattr(np, "__file__", str(brought / "numpy" / "__init__.py"))
    harmless._is_installed.cache_clear()
    try:
        assert harmless.is_trusted("numpy.random") is trusted
    finally:
        harmless._is_installed.cache_clear()
