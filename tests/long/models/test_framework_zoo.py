"""One network, sound and broken in the same ways, in five frameworks: the same claims fail."""

from __future__ import annotations

import pytest
from framework_zoo import FRAMEWORKS, ZOO, batch_of

from initcheck.doors.check_model import check_model
from initcheck.report.verdict import Verdict

MODULES = {"nnx": "flax", "linen": "flax"}


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_model_fails_what_it_should_whatever_built_it(framework: str, name: str) -> None:
    pytest.importorskip(MODULES.get(framework, framework))
    net, expected, laws = ZOO[name]
    report = check_model(FRAMEWORKS[framework](net), batch=batch_of(framework), laws=laws, name=name)
    assert {r.claim for r in report.failures} == expected, [(r.claim, r.evidence.case) for r in report.failures]
    if not expected:
        assert not [r.claim for r in report if r.verdict is Verdict.UNDECIDED]
