"""The claims asked of layers: the same ids and verdicts, the right reason for each failure, no false one."""

import pytest
import torch
from strangers_convolutions import Causal, Convolution, Depthwise
from torch import nn

import initcheck
from initcheck import Verdict
from initcheck.claims.trial import CaseFailed
from initcheck.contract.profile import profile
from initcheck.engine.trials.judge import Judge
from initcheck.questions.equal_blocks import blocks_never_repeat
from initcheck.statistics import Ledger
from initcheck.targets.loading import load

SCALE = ("output-variance-near-one", "gradient-variance-near-one")
FAST = (*SCALE, "units-differ", "entries-are-independent", "same-seed-same-weights", "finite")


def he(fan_in, fan_out):
    layer = nn.Linear(fan_in, fan_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


def verdicts(report):
    return {result.claim: result.verdict for result in report}


def test_a_layer_of_he_that_was_promised_to_another_activation_is_told_what_it_is():
    for contract in (None, {"activation": "relu"}):
        report = initcheck.check(he, contract=contract, claims=SCALE[:1])
        assert report["output-variance-near-one"].verdict is Verdict.HOLDS
    other = initcheck.check(he, contract={"activation": "linear"}, claims=SCALE[:1])["output-variance-near-one"]
    assert other.verdict is Verdict.FAILS
    assert "the gain of relu (He)" in str(other.evidence.likely)


def test_linear_default_fails_at_a_third_and_says_whose_default_it_is():
    report = initcheck.check("torch.nn.Linear")
    result = report["output-variance-near-one"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.value == pytest.approx(1 / 3, abs=0.02)
    assert result.evidence.likely == (
        "variance is 0.333/fan_in: a uniform on +-1/sqrt(fan_in), PyTorch's documented default"
    )
    assert "in_features=" in result.evidence.case
    found = verdicts(report)
    for claim in ("finite", "zero-mean", "units-differ", "same-seed-same-weights", "calls-are-independent"):
        assert found[claim] is Verdict.HOLDS, claim
    assert found["entries-are-independent"] is Verdict.HOLDS
    for claim in ("returns-the-shape-asked", "signal-survives-depth", "variance-follows-one-law"):
        assert found[claim] is Verdict.NOT_APPLICABLE
        assert report[claim].reason
    assert found["leaves-global-generators-alone"] is Verdict.NOT_APPLICABLE


def test_a_declared_gain_or_a_waiver_is_the_way_out():
    report = initcheck.check("torch.nn.Linear", contract="gain=0.57735", claims=SCALE)
    assert set(verdicts(report).values()) == {Verdict.HOLDS}
    waived = initcheck.check("torch.nn.Linear", contract={"waive": dict.fromkeys(SCALE, "as documented")}, claims=SCALE)
    assert set(verdicts(waived).values()) == {Verdict.WAIVED}


def test_a_right_factory_holds_everything_that_is_asked():
    report = initcheck.check(he, contract="activation=relu")
    assert Verdict.FAILS not in verdicts(report).values()
    assert Verdict.UNDECIDED not in verdicts(report).values()
    assert report["output-variance-near-one"].verdict is Verdict.HOLDS
    # The same weights promised to a linear layer are twice too large.
    wrong = initcheck.check(he, contract="activation=linear", claims=SCALE)
    assert wrong["output-variance-near-one"].evidence.value == pytest.approx(2, rel=0.1)


def kaiming_transposed(fan_in, fan_out):
    layer = nn.ConvTranspose1d(fan_in, fan_out, 3)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    return layer


def xavier_transposed(fan_in, fan_out):
    layer = nn.ConvTranspose1d(fan_in, fan_out, 3)
    nn.init.xavier_normal_(layer.weight)
    return layer


def test_the_helper_swaps_the_fans_of_a_transposed_convolution():
    swapped = initcheck.check(kaiming_transposed, claims=SCALE[:1])["output-variance-near-one"]
    assert swapped.verdict is Verdict.FAILS
    assert swapped.evidence.value in (pytest.approx(64, rel=0.1), pytest.approx(1 / 64, rel=0.1))
    assert "fans swapped" in swapped.evidence.likely
    symmetric = initcheck.check(xavier_transposed, contract="fan=fan_avg", claims=SCALE)
    assert set(verdicts(symmetric).values()) == {Verdict.HOLDS}


def test_a_gate_is_named_and_the_others_are_listed():
    result = initcheck.check("torch.nn.LSTM", claims=SCALE[:1])["output-variance-near-one"]
    assert result.evidence.value == pytest.approx(1 / 12, rel=0.1)
    assert "weight_ih_l0, block 1 of 4" in result.evidence.case
    assert any("weight_hh_l0, block 2 of 4" in line for line in result.evidence.detail)
    assert "one bound for every weight" in result.evidence.likely


def test_bilinear_counts_one_input_only():
    result = initcheck.check("torch.nn.Bilinear", claims=SCALE[:1])["output-variance-near-one"]
    assert result.evidence.value == pytest.approx(4, rel=0.1)
    assert result.evidence.likely.startswith("variance is 0.333/(the first width)")


def test_a_lookup_is_asked_for_distinct_rows_and_no_variance():
    report = initcheck.check("torch.nn.Embedding", claims=(*SCALE, "units-differ", "finite"))
    assert report["output-variance-near-one"].verdict is Verdict.NOT_APPLICABLE
    assert "sums over one input" in report["output-variance-near-one"].reason
    assert report["units-differ"].verdict is Verdict.HOLDS


def test_weight_normalisation_is_measured_by_running_it():
    def normalised(fan_in, fan_out):
        return nn.utils.parametrizations.weight_norm(nn.Linear(fan_in, fan_out))

    report = initcheck.check(normalised, claims=(*SCALE, "units-differ"))
    assert report["output-variance-near-one"].evidence.value == pytest.approx(1 / 3, abs=0.03)
    assert report["gradient-variance-near-one"].evidence.value == pytest.approx(1 / 3, abs=0.03)
    assert "the whole layer" in report["output-variance-near-one"].evidence.case
    assert report["units-differ"].verdict is Verdict.HOLDS


def cloned(width):
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 4, 37), 3)


class Fresh(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.blocks = nn.ModuleList(nn.TransformerEncoderLayer(d_model, 4, 37) for _ in range(2))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def subject_of(target):
    [initializer] = load(target).initializers
    subject = initializer.subject(initializer, profile("quick"), 0)
    return subject, Judge(subject, Ledger().claim())


def test_cloned_blocks_repeat_one_another_and_fresh_ones_do_not():
    subject, trial = subject_of(cloned)
    with pytest.raises(CaseFailed) as failed:
        blocks_never_repeat(trial, subject.medium[0])
    assert failed.value.evidence.value == 18
    assert "layers.1.self_attn.in_proj_weight, block 1 of 3 repeats" in failed.value.evidence.measured
    subject, trial = subject_of(Fresh)
    assert len(subject.peers(subject.medium[0])) == 12
    blocks_never_repeat(trial, subject.medium[0])


def test_a_layer_of_cloned_gates_fails_the_claim():
    def cloned_gates(fan_in, fan_out):
        layer = nn.LSTM(fan_in, fan_out)
        gate = layer.weight_ih_l0.data[:fan_out].clone()
        layer.weight_ih_l0.data[fan_out : 2 * fan_out] = gate
        return layer

    result = initcheck.check(cloned_gates, claims=("entries-are-independent",))["entries-are-independent"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.measured.startswith("weight_ih_l0, block 2 of 4 repeats weight_ih_l0, block 1 of 4")


def test_equal_units_of_one_gate_are_found():
    def tied(fan_in, fan_out):
        layer = nn.LSTM(fan_in, fan_out)
        nn.init.constant_(layer.weight_hh_l0, 0.1)
        return layer

    result = initcheck.check(tied, claims=("units-differ",))["units-differ"]
    assert result.verdict is Verdict.FAILS
    assert "weight_hh_l0" in result.evidence.case


def test_a_layer_that_ignores_its_seed_or_leaves_nan_is_caught():
    import torch

    def unseeded(fan_in, fan_out):
        layer = nn.Linear(fan_in, fan_out)
        layer.weight.data = torch.randn(fan_out, fan_in, generator=torch.Generator().manual_seed(0))
        return layer

    def unwritten(fan_in, fan_out):
        layer = nn.Linear(fan_in, fan_out)
        layer.weight.data[0, 0] = float("nan")
        return layer

    assert (
        initcheck.check(unseeded, claims=("calls-are-independent",))["calls-are-independent"].verdict is Verdict.FAILS
    )
    assert initcheck.check(unwritten, claims=("finite",))["finite"].verdict is Verdict.FAILS


def test_the_verdict_is_the_same_twice_and_in_the_plain_data():
    reports = [initcheck.check("torch.nn.GRU", claims=FAST[:1]) for _ in range(2)]
    evidence = [r["output-variance-near-one"].evidence for r in reports]
    assert evidence[0] == evidence[1]
    assert '"initializer": "torch.nn.GRU"' in reports[0].to_json()


class Autoregressive(nn.Module):
    """MADE's layer: unit i sees inputs up to i; scaled by what it sees, or by all there is."""

    def __init__(self, in_features, out_features, by_all=False):
        super().__init__()
        mask = torch.arange(out_features)[:, None] % in_features >= torch.arange(in_features)[None]
        self.register_buffer("mask", mask.float())
        seen = torch.full((out_features, 1), float(in_features)) if by_all else mask.sum(1, keepdim=True)
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / seen**0.5)

    def forward(self, x):
        return nn.functional.linear(x, self.weight * self.mask)


@pytest.mark.parametrize(("by_all", "verdict"), [(False, Verdict.HOLDS), (True, Verdict.FAILS)])
def test_a_masked_layer_is_judged_by_what_it_does(by_all, verdict):
    claims = [*SCALE, "units-differ", "every-unit-has-its-variance"]
    found = initcheck.check(
        lambda fan_in, fan_out: Autoregressive(fan_in, fan_out, by_all), profile="quick", claims=claims
    )
    assert found["output-variance-near-one"].verdict is verdict
    assert found["gradient-variance-near-one"].verdict is verdict
    assert found["units-differ"].verdict is Verdict.HOLDS
    assert found["every-unit-has-its-variance"].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(("cls", "broken"), [(Convolution, {"gain": 3.0}), (Depthwise, {"fan": None}), (Causal, None)])
def test_a_convolution_of_a_strangers_is_built_from_its_widths_and_judged(cls, broken):
    claim = "output-variance-near-one"
    report = initcheck.check(cls, profile="quick", claims=[claim])
    assert report[claim].verdict is Verdict.HOLDS
    if broken is not None:
        assert initcheck.check(cls, args=broken, profile="quick", claims=[claim])[claim].verdict is Verdict.FAILS
