"""What is built already gets a portrait: values, copies and ties, and of the claims what one model alone shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from in_this_process import InThisProcess

import initcheck
import initcheck.runs.plan
from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.rendering.html import html
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

torch = pytest.importorskip("torch")
nn = torch.nn

VALUES, DISTINCT, DECLARED = "no-value-is-absurd", "tensors-are-distinct", "declared-laws-are-in-force"


def gpt(blocks: int = 4) -> Any:
    torch.manual_seed(0)

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(50, 32)
            self.h = nn.ModuleList(
                nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32)) for _ in range(blocks)
            )
            self.head = nn.Linear(32, 50, bias=False)
            self.head.weight = self.wte.weight
            for block in self.h:
                nn.init.normal_(block[0].weight, std=0.02)

    return GPT()


@pytest.fixture(autouse=True)
def judged_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(initcheck.runs.plan, "OwnProcess", InThisProcess)
    monkeypatch.chdir(tmp_path)


def said(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["model", *words.split()])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_a_module_has_a_portrait_with_its_ties_and_values() -> None:
    report = initcheck.check_model(gpt(), name="made")
    shown = report.contracts["made"]
    assert shown["ties"] == ["head.weight = wte.weight"]
    roles = {role["path"]: role for role in shown["roles"]}
    assert roles["h.*.0.weight"]["tensors"] == 4
    assert roles["h.*.0.weight"]["law"].startswith("std 0.0")
    # A uniform of torch's default reaches its ends, the normal of the embedding none.
    assert ", as a uniform" in roles["h.*.2.weight"]["law"]
    assert "uniform" not in roles["wte.weight"]["law"]
    assert (shown["unread"], shown["builds"]) == ([], 0)


def test_what_compares_builds_is_not_asked_and_says_what_to_name() -> None:
    report = initcheck.check_model(gpt())
    assert {r.verdict for r in report} == {Verdict.NOT_APPLICABLE}
    assert all("name the function that builds it" in str(r.reason) for r in report)
    assert str(report[VALUES].reason).startswith("every entry of 17 tensors is finite; ")


def test_a_nan_fails_and_is_told_with_its_place() -> None:
    model = gpt()
    with torch.no_grad():
        model.h[1][0].weight[3, 4] = float("nan")
    result = initcheck.check_model(model)[VALUES]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.case == "h.1.0.weight: 1 of 2,048 entries are NaN, the first at [3, 4]"


def test_a_copy_is_a_doubt_since_a_file_does_not_tell_what_was_drawn() -> None:
    model = gpt()
    with torch.no_grad():
        model.h[2][0].weight.copy_(model.h[1][0].weight)
    result = initcheck.check_model(model)[DISTINCT]
    assert result.verdict is Verdict.UNDECIDED
    assert str(result.reason).startswith("h.1.0.weight, h.2.0.weight are equal bit for bit; a second build tells")


def test_a_promise_of_the_module_is_held_against_it() -> None:
    padded = nn.Sequential(nn.Embedding(5, 3, padding_idx=1))
    assert initcheck.check_model(padded)[DECLARED].verdict is Verdict.HOLDS
    nn.init.ones_(padded[0].weight)
    failed = initcheck.check_model(padded)[DECLARED]
    assert failed.verdict is Verdict.FAILS
    assert "row 1 is its padding_idx and not zero" in str(failed.evidence.case)


def test_a_state_dict_is_read_by_its_paths_alone() -> None:
    state = gpt().state_dict()
    report = initcheck.check_model(state, name="state")
    shown = report.contracts["state"]
    assert shown["blocks"] == 4
    assert shown["ties"] == ["head.weight = wte.weight"]
    # The two weights of a block differ in shape: they are two roles.
    assert {"h.*.0.weight", "h.*.2.weight", "wte.weight"} <= {r["path"] for r in shown["roles"]}


def test_files_of_weights_are_read_and_nothing_in_them_is_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = gpt()
    torch.save(model.state_dict(), "plain.pt")
    torch.save({"epoch": 3, "state_dict": model.state_dict()}, "trainer.ckpt")
    torch.save(nn.Linear(3, 3), "whole.pt")
    Path("empty.pt").write_bytes(b"")
    for file in ("plain.pt", "trainer.ckpt"):
        code, text = said(file, capsys)
        assert code == 0, text
        assert text.startswith(f"initcheck model {file}   portrait of what is built: ")
        assert "nothing was decided" not in text
        assert "ties       head.weight = wte.weight" in text
        assert "13 of 13 claims compare builds: name the function that builds it" in text
    for file in ("whole.pt", "empty.pt"):
        code, text = said(file, capsys)
        assert code == 2
        assert f"{file} is no file of tensors, or it holds objects whose reading would run their code" in text
    code, text = said("plan.pt", capsys)
    assert code == 2
    assert "there is no file 'plan.pt'" in text
    assert "There: empty.pt, plain.pt, trainer.ckpt, whole.pt." in text


def test_safetensors_are_read_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    files = pytest.importorskip("safetensors.torch")
    # The format holds a tied tensor once.
    state = {k: v.clone() for k, v in gpt().state_dict().items() if k != "head.weight"}
    files.save_file(state, "model.safetensors")
    code, text = said("model.safetensors", capsys)
    assert code == 0
    assert "h.*.0.weight" in text
    one, two = dict(list(state.items())[:6]), dict(list(state.items())[6:])
    files.save_file(one, "a.safetensors")
    files.save_file(two, "b.safetensors")
    index = {k: "a.safetensors" if k in one else "b.safetensors" for k in state}
    Path("model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    code, sharded = said("model.safetensors.index.json", capsys)
    assert code == 0
    assert [x for x in sharded.splitlines() if "std" in x] == [x for x in text.splitlines() if "std" in x]
    Path("b.safetensors").unlink()
    assert "names b.safetensors, which does not lie beside it" in said("model.safetensors.index.json", capsys)[1]


def test_a_page_shows_a_portrait(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jinja2")
    report = initcheck.check_model(gpt(), name="made")
    assert "h.*.0.weight" in html.render(Report.from_json(report.to_json()))


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stand in for transformers: a config that takes anything, and what builds its model."""
    module = type(sys)("transformers")

    class PretrainedConfig:
        def __init__(self, width: int = 8, depth: int = 2, **kwargs: Any) -> None:
            self.width, self.depth = width, depth
            vars(self).update(kwargs)

        def to_dict(self) -> dict[str, Any]:
            return dict(vars(self))

    PretrainedConfig.__module__ = "transformers.configuration_utils"

    class TinyConfig(PretrainedConfig):
        pass

    class Auto:
        _model_mapping: ClassVar[dict[type, None]] = {TinyConfig: None}

        @staticmethod
        def from_config(config: Any) -> Any:
            config.touched = True  # a build may write into its config
            return nn.ModuleDict(
                {"h": nn.ModuleList(nn.Linear(config.width, config.width) for _ in range(config.depth))}
            )

    vars(module).update(TinyConfig=TinyConfig, AutoModelForCausalLM=Auto, made=TinyConfig(width=4))
    monkeypatch.setitem(sys.modules, "transformers", module)
    return module


@pytest.mark.usefixtures("transformers")
def test_a_config_builds_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said("transformers:TinyConfig(width=16,depth=3) --claims=every-tensor-is-written -v", capsys)
    assert code == 0, text
    assert "816 parameters, 6 tensors" in text
    code, text = said("transformers:made --claims=every-tensor-is-written -v", capsys)
    assert code == 0, text
    assert "40 parameters, 4 tensors" in text


@pytest.mark.usefixtures("transformers")
def test_a_misspelt_field_of_a_config_names_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said("transformers:TinyConfig(widht=16)", capsys)
    assert code == 2
    assert "TinyConfig has no 'widht'; did you mean 'width'?" in text


def test_a_config_without_a_model_is_a_sentence(transformers: Any, capsys: pytest.CaptureFixture[str]) -> None:
    transformers.AutoModelForCausalLM._model_mapping = {}
    code, text = said("transformers:TinyConfig", capsys)
    assert code == 2
    assert "transformers has no model for TinyConfig; name the function that builds it" in text


def test_a_file_that_is_no_config_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no file 'config.json'" in said("config.json", capsys)[1]


def test_what_is_no_model_at_all_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="3 is int, not a function that builds a model"):
        initcheck.check_model(3)  # type: ignore[arg-type]
