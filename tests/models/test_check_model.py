"""check_model() and its report: usage, waivers, needs, determinism, JSON, and the printed page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from model_zoo import CORRECT, never_written, numpy_network, one_layer_off
from model_zoo_parts import mlp
from series_problems import problems
from torch import nn

import initcheck
from initcheck.claims.registry import as_stated, asked_of, find
from initcheck.errors import UsageError
from initcheck.models.builds.torch_build import ModelBuilder
from initcheck.models.builds.widths import follow_width
from initcheck.rendering.model_lines import model_lines, sparkline
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict


def test_the_thirteen_claims_stand_in_the_registry_with_what_they_do_not_see() -> None:
    claims = asked_of("model")
    assert len(claims) == 13
    assert all("Not seen:" in c.decided_by for c in claims.values())
    assert find("starts-at-chance").kind == "model"


@pytest.mark.long
def test_the_same_seed_gives_the_same_report() -> None:
    def verdicts() -> list[tuple[str, str, str | None]]:
        return [(r.claim, r.verdict.value, r.evidence.measured) for r in initcheck.check_model(one_layer_off, seed=4)]

    assert verdicts() == verdicts()


def test_a_report_survives_json() -> None:
    report = initcheck.check_model(one_layer_off)
    again = Report.from_json(report.to_json())
    assert [r.verdict for r in again] == [r.verdict for r in report]
    lines = [model_lines(r, "one_layer_off", as_stated("model")) for r in (report, again)]
    assert lines[0] == lines[1]


def test_what_was_written_is_needed_by_what_is_measured() -> None:
    report = initcheck.check_model(never_written)
    for claim in ("signal-survives-the-blocks", "gradient-survives-the-blocks", "starts-at-chance"):
        assert report[claim].verdict is Verdict.NOT_APPLICABLE
        assert report[claim].reason == "needs every-tensor-is-written, which fails"


def test_the_series_can_be_drawn() -> None:
    report = initcheck.check_model(CORRECT["gpt"])
    for claim, name in (
        ("signal-survives-the-blocks", "signal_by_depth"),
        ("gradient-survives-the-blocks", "gradient_by_depth"),
    ):
        series = report[claim].evidence.series
        assert len(series[name]) == 6
        assert problems(series) == []


def test_a_waived_failure_is_waived_and_a_waived_success_fails() -> None:
    law, written = "siblings-share-one-law", "every-tensor-is-written"
    report = initcheck.check_model(one_layer_off, claims=[law, written], waive={law: "layer 3 is wider", written: "no"})
    assert report[law].verdict is Verdict.WAIVED
    assert report[law].reason == "layer 3 is wider"
    assert report[written].verdict is Verdict.FAILS


def test_what_few_models_cannot_decide_says_how_many_would() -> None:
    exploding = lambda: mlp(12, gain=3.0)  # noqa: E731
    result = initcheck.check_model(exploding, models=4)["signal-survives-the-blocks"]
    assert result.verdict is Verdict.UNDECIDED
    assert "(models=9)" in str(result.reason)
    assert initcheck.check_model(exploding, models=18)["signal-survives-the-blocks"].verdict is Verdict.FAILS


def test_declared_laws_of_untraced_weights_say_how_many_models_decide() -> None:
    report = initcheck.check_model(numpy_network, laws={"*.weight": "sqrt(2/fan_in)"}, models=10)
    assert "72 models decide (models=72)" in str(report["declared-laws-are-in-force"].reason)


@pytest.mark.parametrize(
    ("factory", "options", "words"),
    [
        (3, {}, "not a function that builds a model"),
        (lambda: nn.Linear("x", 3), {}, "builds no model: it raises TypeError"),
        (lambda: 3, {}, "returned int, not a torch.nn.Module|returns int; name a function"),
        (CORRECT["gpt"], {"claims": ["zero-mean"]}, "there is no claim 'zero-mean' to ask of a model"),
        (CORRECT["gpt"], {"laws": {"nothing.*": "1"}}, "names no parameter"),
        (CORRECT["gpt"], {"batch": "x"}, "the batch 'x' cannot be read"),
    ],
)
def test_wrong_use_is_a_sentence(factory: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("*", r"\*")):
        initcheck.check_model(factory, **options)


def test_a_text_names_a_model_as_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(
        "from torch import nn\n\n\ndef net(width, std=None):\n"
        "    layers = nn.Sequential(*[nn.Linear(width, width, bias=False) for _ in range(4)])\n"
        "    if std is not None:\n        nn.init.normal_(layers[2].weight, std=std)\n    return layers\n"
    )
    monkeypatch.chdir(tmp_path)
    law = "siblings-share-one-law"
    sound = initcheck.check_model("nets.py:net(width=32)", claims=[law])
    [result] = initcheck.check_model("nets.py:net(width=32, std=0.5)", claims=[law], name="wider")
    assert (sound[law].verdict, result.verdict, result.initializer) == (Verdict.HOLDS, Verdict.FAILS, "wider")
    waived = initcheck.check_model("nets.py:net(width=32, std=0.5)", claims=[law], waive={law: "meant"})
    assert waived[law].verdict is Verdict.WAIVED
    with pytest.raises(UsageError, match="did you mean 'net'"):
        initcheck.check_model("nets.py:nett(width=32)")


def test_of_a_built_model_no_claim_is_said_to_hold_and_each_says_what_to_name() -> None:
    report = initcheck.check_model(nn.Linear(3, 3))
    assert {r.verdict for r in report} == {Verdict.NOT_APPLICABLE}
    assert all("built already; name the function that builds it" in str(r.reason) for r in report)
    copied = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    copied[1].load_state_dict(copied[0].state_dict())
    distinct = initcheck.check_model(copied)["tensors-are-distinct"]
    assert distinct.verdict is Verdict.UNDECIDED
    assert "0.weight, 1.weight are equal bit for bit" in str(distinct.reason)


def test_a_factory_that_keeps_its_model_is_refused() -> None:
    kept = mlp(2)
    with pytest.raises(UsageError, match="keeps the model that it returns"):
        initcheck.check_model(lambda: kept)


def test_a_factory_with_a_seed_is_given_one() -> None:
    seen = []

    def build(seed: int) -> nn.Module:
        seen.append(seed)
        torch.manual_seed(seed)
        return mlp(2)

    report = initcheck.check_model(build)
    assert report["rebuilds-the-same"].verdict is Verdict.HOLDS
    assert len(set(seen)) > 1


@pytest.mark.parametrize(("limit", "named"), [(9, 2), (10, 3), (12, 5), (25, 6)])
def test_findings_that_are_not_named_are_counted(limit: int, named: int) -> None:
    def build() -> nn.Module:
        layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(30))
        for i, layer in enumerate(layers):
            nn.init.normal_(layer.weight, std=0.05 if i % 3 == 0 else 0.02)  # type: ignore[arg-type]
        return layers

    report = initcheck.check_model(build, name="odd", claims=["siblings-share-one-law"])
    lines = model_lines(report, "odd", limit=limit)
    assert sum("drawn as normal std 0.05" in line for line in lines) == named
    assert sum(f"and {10 - named} more" in line for line in lines) == 1


def test_a_sparkline_is_flat_where_the_signal_is() -> None:
    assert set(sparkline([1.0, 1.1, 1.0])) == {"▁"}
    assert sparkline([1.0, 1e6])[-1] == "█"
    assert len(sparkline([1.0] * 200)) == 24
    assert sparkline([1.0, 0.0, math.inf]) == "▁xx"


def test_the_exponent_of_the_width_is_measured() -> None:
    def fixed(width: int = 32) -> nn.Module:
        layer = nn.Linear(width, width)
        nn.init.normal_(layer.weight, std=0.02)
        return layer

    slopes = [follow_width(ModelBuilder(f, "f"), 0) for f in (fixed, lambda width=32: nn.Linear(width, width))]
    assert [s is not None and round(s.slopes["weight"], 2) for s in slopes] == [0.0, -0.5]
    assert follow_width(ModelBuilder(lambda: nn.Linear(3, 3), "f"), 0) is None


@pytest.mark.parametrize("end", [nn.Identity, lambda: nn.Softmax(-1)], ids=["logits", "probabilities"])
def test_a_head_that_is_sure_fails_whether_a_softmax_stands_behind_it_or_not(end: Callable[[], nn.Module]) -> None:
    class Classifier(nn.Module):
        def __init__(self, std: float) -> None:
            super().__init__()
            self.head, self.end = nn.Linear(16, 10), end()
            nn.init.normal_(self.head.weight, 0.0, std)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.end(self.head(x))

    claims = ["starts-at-chance"]
    assert [r.verdict.name for r in initcheck.check_model(lambda: Classifier(0.02), batch="8x16", claims=claims)] == [
        "HOLDS"
    ]
    assert [r.verdict.name for r in initcheck.check_model(lambda: Classifier(9.0), batch="8x16", claims=claims)] == [
        "FAILS"
    ]


def test_tensors_that_have_another_name_in_every_build_are_left_open() -> None:
    counter = itertools.count()

    def build() -> nn.Module:
        return nn.ModuleDict({f"layer_{next(counter)}": nn.Linear(16, 16)})

    report = initcheck.check_model(build, claims=["rebuilds-the-same"])
    [result] = report
    assert result.verdict is Verdict.UNDECIDED
    assert "a second build at the same seed has no tensor of that name" in str(result.reason or result.evidence.case)


@pytest.mark.long
def test_the_ranks_of_a_text_are_built_by_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ranked.py").write_text(
        "from torch import nn\n"
        "def net(rank, world):\n"
        "    return nn.Linear(8, 8)\n"
        "def lost(rank, world):\n"
        "    return nn.Linear(8, 8 if rank == 0 else 1 / 0)\n"
    )
    claim = "every-rank-builds"
    sound, broken = (initcheck.check_model(f"ranked.py:{n}", world=2, claims=[claim]) for n in ("net", "lost"))
    assert sound[claim].verdict is Verdict.HOLDS
    assert broken[claim].verdict is Verdict.FAILS
    assert "rank 1 raises ZeroDivisionError" in str(broken)
