"""A claim says what it is about: a scale claim of anybody's is treated as ours are, and no code knows one by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given

import initcheck
from initcheck.claims import registry as registry_of_claims
from initcheck.claims import statement
from initcheck.claims.registry import find, registry
from initcheck.claims.statement import claim
from initcheck.claims.strategies import layers
from initcheck.claims.trial import CaseFailed, NotAsked
from initcheck.contract.contract import Contract
from initcheck.contract.profile import profile
from initcheck.diagnosis.causes import TOPICS
from initcheck.engine.trials.judge import Judge
from initcheck.errors import UsageError
from initcheck.layers.bench.sizes import Size
from initcheck.layers.direct import AnsweredBackward
from initcheck.layers.part import Whole
from initcheck.layers.subject import LayerSubject
from initcheck.report.verdict import Evidence, Verdict
from initcheck.statistics import Ledger
from initcheck.targets.loading import load

WIDE = (0.5, 2.0)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two claims that are not ours, on the scale of a layer and on a model; forgotten after the test."""
    registry()
    stated = dict(statement.STATED)
    for module in (statement, registry_of_claims):
        monkeypatch.setattr(module, "STATED", stated)

    @claim("output-within-a-factor-2", says="An output keeps its scale.", source="they", topic="scale")
    @given(layer=layers())
    def output_within_a_factor_2(trial: Any, layer: Any) -> None:
        trial.keeps(trial.subject.output_second_moment(layer), within=WIDE)

    @claim("output-of-no-topic", says="An output keeps its scale.", source="they")
    @given(layer=layers())
    def output_of_no_topic(trial: Any, layer: Any) -> None:
        trial.keeps(trial.subject.output_second_moment(layer), within=WIDE)

    @claim("has-few-tensors", says="It is small.", source="they", kind="model", topic="scale", label="small")
    def has_few_tensors(trial: Any) -> None:
        trial.measured = f"{len(trial.facts.first.records)} tensors"
        trial.fails("there are many tensors", likely="many layers", fix="leave some out")


@pytest.mark.long
@pytest.mark.usefixtures("theirs")
def test_their_scale_claim_gets_the_cause_and_the_fix_that_ours_gets() -> None:
    target = "initcheck.gallery:uniform_one_over_sqrt_fan"
    result = initcheck.check(target, claims=["output-within-a-factor-2"], profile="quick")["output-within-a-factor-2"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.likely == "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in)"
    assert result.evidence.fix == "+-sqrt(3/fan_in) has unit output variance"


def layer_subject(target: Any) -> Any:
    [initializer] = load(target).initializers
    return initializer.subject(initializer, profile("quick"), 0)


@pytest.mark.usefixtures("theirs")
def test_their_scale_claim_on_a_layer_gets_the_cause_that_ours_gets() -> None:
    pytest.importorskip("torch")
    subject = layer_subject("torch.nn.Linear")
    failed = Evidence(case=subject.domain.largest.described("float32"))
    cause = subject.likely_cause(find("output-within-a-factor-2"), failed)
    assert cause == subject.likely_cause(find("output-variance-near-one"), failed)
    assert cause.sentence.endswith("a uniform on +-1/sqrt(fan_in), PyTorch's documented default")
    assert cause.fix.startswith("+-sqrt(3/fan_in) has unit output variance")
    # Of a layer only its scale is explained, and this claim does not say that it is about that.
    assert subject.likely_cause(find("output-of-no-topic"), failed) is None


@pytest.mark.long
@pytest.mark.usefixtures("theirs")
def test_their_scale_claim_is_asked_of_the_whole_layer_where_its_weights_do_not_tell_the_scale() -> None:
    nn = pytest.importorskip("torch").nn

    class Tripled(nn.Linear):  # type: ignore[name-defined, misc]
        def __init__(self, fan_in: int, fan_out: int) -> None:
            super().__init__(fan_in, fan_out, bias=False)
            nn.init.normal_(self.weight, std=fan_in**-0.5)

        def forward(self, x: Any) -> Any:
            return nn.functional.linear(x, self.weight * 3)

    subject = layer_subject(Tripled)
    wholes = subject.structure.wholes
    assert wholes
    assert subject.plan_of(find("output-within-a-factor-2")) == subject.plan_of(find("output-variance-near-one"))
    assert set(wholes) <= set(subject.plan_of(find("output-within-a-factor-2")))
    assert not set(wholes) & set(subject.plan_of(find("output-of-no-topic")))
    trial = Judge(subject, Ledger().claim())
    body = find("output-within-a-factor-2").prop.hypothesis.inner_test  # type: ignore[attr-defined]
    with pytest.raises(CaseFailed) as failed:
        body(trial, layer=wholes[-1])
    assert "the whole layer" in (failed.value.evidence.case or "")
    assert failed.value.evidence.value == pytest.approx(9, rel=0.2)


@pytest.mark.usefixtures("theirs")
def test_their_scale_claim_is_not_asked_of_a_lookup() -> None:
    pytest.importorskip("torch")
    report = initcheck.check("torch.nn.Embedding", claims=["output-within-a-factor-2"], profile="quick")
    result = report["output-within-a-factor-2"]
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "a lookup sums over one input" in (result.reason or "")


@pytest.mark.usefixtures("theirs")
def test_their_claim_on_a_model_has_its_label_cause_and_fix() -> None:
    nn = pytest.importorskip("torch").nn
    from initcheck.rendering.model_lines import model_lines

    claims = ["has-few-tensors", "tensors-are-distinct"]
    report = initcheck.check_model(lambda: nn.Linear(8, 8), name="small", claims=claims)
    evidence = report["has-few-tensors"].evidence
    assert (evidence.likely, evidence.fix) == ("many layers", "leave some out")
    lines = model_lines(report, "small")
    assert "small      FAILS     2 tensors" in lines
    assert any(line.startswith("distinct   HOLDS     ") for line in lines)


@pytest.mark.usefixtures("theirs")
def test_who_is_not_asked_reads_why() -> None:
    pytest.importorskip("torch")

    @claim("of-layers-alone", says="It is a layer.", source="they", not_asked_of={"initializer": "it has no bias"})
    @given(layer=layers())
    def of_layers_alone(trial: Any, layer: Any) -> None:
        trial.holds(layer)

    of_matrices, of_layers = (
        initcheck.check(target, claims=["of-layers-alone"], profile="quick")["of-layers-alone"]
        for target in ("initcheck.gallery:he_normal", "torch.nn.Linear")
    )
    assert (of_matrices.verdict, of_matrices.reason) == (Verdict.NOT_APPLICABLE, "it has no bias")
    assert of_layers.verdict is Verdict.HOLDS
    assert not find("zero-mean").not_asked_of
    assert list(find("signal-survives-depth").not_asked_of) == ["layer"]


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"topic": "scal"}, "there is no topic 'scal'; did you mean 'scale'"),
        ({"not_asked_of": {"layer": " "}}, "does not say why"),
        ({"not_asked_of": {"weight": "none"}}, "may leave out one of them, 'initializer' or 'layer'"),
        ({"not_asked_of": {"layer": "no", "initializer": "no"}}, "nothing is left to ask"),
        ({"kind": "model", "not_asked_of": {"layer": "no"}}, "does not say why"),
        ({"pictures": ("signal_by_depth",)}, "there is no picture 'signal_by_depth'"),
    ],
)
def test_a_claim_that_says_it_wrongly_is_refused_where_it_is_stated(words: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        claim("says-it-wrongly", says="Nothing.", source="they", **words)


def test_every_claim_on_a_subject_has_a_topic_and_every_topic_a_claim() -> None:
    asked = [c for c in registry().values() if c.kind not in ("theorem", "myth")]
    assert {c.topic for c in asked} == set(TOPICS)


def test_the_short_names_of_claims_on_models_fit_their_column_and_differ() -> None:
    labels = [c.label for c in registry().values() if c.kind == "model"]
    assert len(labels) == len(set(labels))
    assert max(map(len, labels)) <= 10


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Every string of a module that is no docstring, with its line."""
    tree = ast.parse(source)
    prose = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


@pytest.mark.long
def test_nothing_but_the_gallery_knows_a_claim_by_its_name() -> None:
    # A specimen of the gallery says which claims it must fail: that is what it is for.
    package = Path(initcheck.__file__).parent
    files = [p for p in package.rglob("*.py") if package / "gallery" not in p.parents]
    assert len(files) > 150
    known = {f"{p.relative_to(package)}:{n}: {s}" for p in files for n, s in strings(p.read_text()) if s in registry()}
    assert not known


def test_a_name_would_be_seen() -> None:
    assert [s for _, s in strings('"""zero-mean"""\nif claim.id == "zero-mean":\n    pass\n') if s in registry()]


def test_no_gradient_is_asked_of_a_layer_whose_end_forgets_the_size_of_what_it_is_given() -> None:
    whole = Whole(shape=(16, 4), size=Size((), 4, 4), number=0, fans=(4.0, 4.0), gradients=4, slope=1.0)
    held = SimpleNamespace(contract_of=lambda _: Contract())
    with pytest.raises(NotAsked, match="no scale of its weights serves both directions"):
        LayerSubject.gradient_second_moment(held, whole)  # type: ignore[arg-type]
    rectified = LayerSubject.gradient_second_moment(held, replace(whole, slope=2.0))  # type: ignore[arg-type]
    assert isinstance(rectified, AnsweredBackward)
