"""Keras, Flax and Equinox: fans as they are used, not as they are stored, at one or two sizes each."""

import equinox as eqx
import flax.linen as linen
import flax.nnx as nnx
import keras
import pytest

from initcheck.claims.trial import CaseFailed
from initcheck.contract.profile import profile
from initcheck.engine.checker import Checker, Settings
from initcheck.engine.trials.judge import Judge
from initcheck.layers.fans import structure_of
from initcheck.layers.recognition import initializer_of, layer_initializer
from initcheck.questions.equal_blocks import blocks_never_repeat
from initcheck.report.verdict import Verdict
from initcheck.statistics import Ledger

L = keras.layers


def few(target, *widths, **args):
    """The initializer of a layer, built at these (inputs, outputs) only, and at the probe where it has one."""
    made = layer_initializer(target, getattr(target, "__name__", "it"), args)
    plain = [s for s in made.sampler.sizes if (s.inputs, s.outputs) in widths and len(s.arguments) < 4]
    first = {(s.inputs, s.outputs): s for s in reversed(plain)}
    sizes = tuple(s for s in made.sampler.sizes if s.probe or s in first.values())
    return initializer_of(made.sampler.builder, sizes)


@pytest.mark.parametrize(
    ("target", "widths", "fans"),
    [
        (L.Dense, (32, 8), {"kernel": (32, 8)}),
        (L.Conv2DTranspose, (32, 8), {"kernel": (288, 72)}),
        (L.DepthwiseConv2D, (16, 32), {"kernel": (9, 18)}),
        (L.SeparableConv2D, (32, 8), {"depthwise_kernel": (9, 9), "pointwise_kernel": (32, 8)}),
        (L.GRU, (32, 8), {"gru_cell.kernel": (32, 8), "gru_cell.recurrent_kernel": (8, 8)}),
        (L.MultiHeadAttention, (16, 16), {"query.kernel": (16, 16), "attention_output.kernel": (16, 16)}),
        (linen.Dense, (8, 32), {"kernel": (8, 32)}),
        (linen.ConvTranspose, (8, 32), {"kernel": (72, 288)}),
        (nnx.Linear, (32, 8), {"kernel": (32, 8)}),
        (nnx.LSTMCell, (32, 8), {"io.kernel": (32, 8), "ho.kernel": (8, 8)}),
        (eqx.nn.Linear, (32, 8), {"weight": (32, 8)}),
        (eqx.nn.LSTMCell, (32, 8), {"weight_ih": (32, 8), "weight_hh": (8, 8)}),
        (eqx.nn.MultiheadAttention, (16, 16), {"output_proj.weight": (16, 16)}),
    ],
)
def test_fans_as_the_layer_uses_them(target, widths, fans):
    found = structure_of(few(target, widths).sampler)
    measured = {p.weight: p.fans for p in found.parts}
    assert {name: measured[name] for name in fans} == fans
    assert not found.notes
    assert not found.refused


def judged(initializer, *claims):
    checker = Checker(Settings(profile="quick", claims=claims))
    return {claim: checker.judge(initializer, claim) for claim in claims}


def test_keras_dense_keeps_what_glorot_promises_and_says_so():
    checker = Checker(Settings(profile="quick"))
    dense = few(L.Dense, (32, 8), (64, 64))
    results = {c: checker.judge(dense, c) for c in ("output-variance-near-one", "gradient-variance-near-one")}
    assert {r.verdict for r in results.values()} == {Verdict.HOLDS}
    assert checker.subject(dense).contract.fan == "fan_avg"
    assert checker.subject(dense).contract.origins["fan"] == "known"


def test_keras_depthwise_counts_channels_that_no_unit_sees():
    result = judged(few(L.DepthwiseConv2D, (16, 16), (64, 64)), "output-variance-near-one")["output-variance-near-one"]
    assert result.verdict is Verdict.FAILS
    assert result.evidence.value == pytest.approx(2 / 65, rel=0.1)
    assert "stored" in result.evidence.likely


def test_equinox_default_is_a_third_and_takes_a_key():
    results = judged(few(eqx.nn.Linear, (32, 8)), "output-variance-near-one", "leaves-global-generators-alone")
    assert results["output-variance-near-one"].evidence.value == pytest.approx(1 / 3, abs=0.02)
    assert results["leaves-global-generators-alone"].verdict is Verdict.HOLDS


def test_flax_lecun_holds():
    results = judged(few(linen.Dense, (32, 8)), "output-variance-near-one", "units-differ")
    assert {r.verdict for r in results.values()} == {Verdict.HOLDS}


def test_one_seeded_keras_initializer_shared_by_an_attention_gives_six_pairs():
    shared = keras.initializers.GlorotUniform(seed=3)
    attention = few(L.MultiHeadAttention, (16, 16), kernel_initializer=shared)
    subject = attention.subject(attention, profile("quick"), 0)
    trial = Judge(subject, Ledger().claim())
    with pytest.raises(CaseFailed) as failed:
        blocks_never_repeat(trial, subject.medium[0])
    assert failed.value.evidence.value == 6
    assert not subject.constant  # each layer has an initializer of its own
