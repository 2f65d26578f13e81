"""`initcheck what` of subjects that were chosen, and answered, before it was asked."""

from __future__ import annotations

import re

import pytest
from fresh_subjects import SUBJECTS

import initcheck

_NEEDS = {"linen": "flax", "nnx": "flax", "numpy": "numpy"}


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_it_starts_from_is_said(name: str) -> None:
    framework = name.partition(" ")[0]
    pytest.importorskip(_NEEDS.get(framework, framework))
    make, answers = SUBJECTS[name]
    [start] = initcheck.what(make())
    laws = {law.name: law.text for law in start.parameters}
    for path, said in answers.items():
        meant = {p: text for p, text in laws.items() if re.fullmatch(path, p)}
        assert meant, f"none of {list(laws)} is {path}"
        for parameter, text in meant.items():
            assert re.match(said, text), f"{parameter}: {text!r} is not {said!r}"
