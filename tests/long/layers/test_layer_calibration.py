"""Error rates where a unit is one fresh layer: at the edge of the band, at every look, and power beyond it."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import nn

from initcheck.contract.profile import profile
from initcheck.layers.recognition import initializer_of, layer_initializer
from initcheck.statistics import Decision, judge_band

RUNS = 80
BAND = (0.8, 1.25)


def factory(second_moment, law):
    def build(fan_in, fan_out):
        layer = nn.GRUCell(fan_in, fan_out) if law == "gates" else nn.Linear(fan_in, fan_out)
        std = math.sqrt(second_moment)
        for weight in (p for p in layer.parameters() if p.dim() == 2):
            width = std / math.sqrt(weight.shape[1])
            if law == "scale":  # one scale a layer: its weights depend on one another
                width *= float(torch.empty(()).uniform_(0.8, 1.2)) / math.sqrt(1 + 0.4**2 / 12)
            nn.init.normal_(weight, std=width) if law != "uniform" else nn.init.uniform_(
                weight, -width * math.sqrt(3), width * math.sqrt(3)
            )
        return layer

    return build


def decisions(second_moment, law, level, *, fails_only=True, beta=0.05):
    """Decisions of RUNS confirmations, each on layers of its own."""
    made = layer_initializer(factory(second_moment, law), f"{law} {second_moment}", {})
    few = initializer_of(made.sampler.builder, made.sampler.sizes[:2])
    subject = few.subject(few, profile("quick"), 0)
    part = next(p for p in subject.structure.parts if p.weights >= 256)
    statistic = subject.output_second_moment(part)
    found = []
    for run in range(RUNS):

        def draw(groups, drawn=[0], run=run):  # noqa: B006 - one list a run is meant
            record = subject.draws.records(part, "float32", f"calibration {run}", drawn[0] + groups)
            values = statistic.per_call(record)[drawn[0] :]
            drawn[0] += groups
            return values, np.ones(groups)

        found.append(
            judge_band(
                draw, *BAND, level=level, beta=beta, max_groups=40, first=8, fails_only=fails_only, mean_statistic=True
            ).decision
        )
    return found


@pytest.mark.parametrize("law", ["normal", "uniform", "gates", "scale"])
@pytest.mark.parametrize("edge", BAND)
def test_a_layer_on_the_edge_fails_no_more_often_than_it_may(law, edge):
    level = 0.05
    fails = sum(d is Decision.FAILS for d in decisions(edge, law, level))
    assert fails <= binom.ppf(1 - 1e-6, RUNS, level)


@pytest.mark.parametrize("law", ["normal", "gates"])
def test_a_layer_outside_is_not_said_to_hold_more_often_than_it_may(law):
    beta = 0.05
    held = sum(d is Decision.HOLDS for d in decisions(1.25, law, 1e-3, fails_only=False, beta=beta))
    assert held <= binom.ppf(1 - 1e-6, RUNS, beta)


@pytest.mark.parametrize(
    ("second_moment", "wanted"), [(1.9, Decision.FAILS), (0.5, Decision.FAILS), (1.0, Decision.HOLDS)]
)
def test_what_is_clearly_wrong_fails_and_what_is_right_holds(second_moment, wanted):
    found = decisions(second_moment, "gates", 1e-3, fails_only=False)
    assert sum(d is wanted for d in found) >= 0.95 * RUNS
