"""Models of public bug reports: each report says what was reported, and nothing of those that mended it fails."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("flax")
pytest.importorskip("keras")
from reported_models import SAMPLE


@pytest.mark.parametrize("name", SAMPLE.rows)
def test_a_reported_mistake_is_found_with_its_cause(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = SAMPLE.run([name])
    said = capsys.readouterr().out
    assert not wrong, said
    assert "right CAUSE" not in said, said
