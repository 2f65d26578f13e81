"""The table of causes: every denominator says what is wrong with it, every rule fills its sentence, topics exist."""

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.diagnosis.causes import TOPICS, Rule, first_cause
from initcheck.diagnosis.evidence.denominators import DENOMINATORS, denominator_named
from initcheck.diagnosis.evidence.marginal_law import Family
from initcheck.diagnosis.evidence.variance_law import VarianceLaw
from initcheck.diagnosis.family_causes import DEGENERATE, FAMILY, MEAN, ORTHOGONAL, UNSIGNED
from initcheck.diagnosis.law_causes import LAW, SCALE_PER_CALL
from initcheck.diagnosis.observed import Observed
from initcheck.diagnosis.seed_behaviour import BEHAVIOURS

FANS = ("fan_in", "fan_out", "fan_avg", "fan_max")
NORMAL = Family("normal", "a normal")


def seen(divided_by, constant, contract, family=NORMAL, topic="scale"):
    """What would be seen of weights of that variance, without drawing any."""
    law = VarianceLaw(denominator_named(divided_by), constant, (), 0.0, 0.001, 20)
    observed = Observed(draw=lambda shape, seed: np.zeros(shape), contract=contract, topic=topic)
    observed.__dict__.update(best_law=law, sure_law=law, family=family, samples=[])
    return observed


@pytest.mark.parametrize("fan", FANS)
@pytest.mark.parametrize("name", [d.name for d in DENOMINATORS])
def test_a_denominator_that_was_not_promised_is_named_with_the_fix(name, fan):
    for family in (NORMAL, Family("uniform", "a uniform"), Family("orthogonal", "an orthogonal matrix")):
        cause = first_cause(LAW, seen(name, 2.0, Contract(activation="relu", fan=fan, layout="out_in"), family))
        if denominator_named(name).fan == fan:
            assert cause is None
        else:
            assert cause is not None
            assert not set("{}") & set(cause.sentence + cause.fix)
            assert {"scale", "law", "depth"} <= cause.topics


def test_the_same_denominator_is_another_mistake_where_another_fan_was_promised():
    said = {fan: denominator_named("fan_in").mistake(fan, "normal").sentence for fan in FANS[1:]}
    assert "the fans are swapped" in said["fan_out"]
    assert said["fan_avg"] == said["fan_max"] == "{law}: scaled by fan_in alone; {wanted} was promised"
    assert "orthogonal" in denominator_named("fan_max").mistake("fan_in", "orthogonal").sentence
    assert "orthogonal" not in denominator_named("fan_max").mistake("fan_in", "normal").sentence


@pytest.mark.parametrize(
    ("constant", "contract", "family", "sentence", "fix"),
    [
        (2 / 3, Contract(activation="relu"), Family("uniform", "a uniform"),
         "variance is 0.667/fan_in: a uniform on +-sqrt(2/fan_in)", "+-sqrt(6/fan_in) has unit output variance"),
        (0.7737, Contract(), Family("truncated_normal", "a normal truncated at 2 sigma", 2.0, 2.4, 0.7737),
         "variance is 0.774/fan_in: a normal truncated at 2 sigma, without correction",
         "divide the std 1/sqrt(fan_in) by 0.8796"),
        (9 / 16, Contract(activation="selu"), NORMAL,
         "variance is 0.56/fan_in: PyTorch's gain 3/4 for SELU; its fixed point needs 1", "std = 1/sqrt(fan_in)"),
        (6.0, Contract(activation="relu"), NORMAL,
         "variance is 6/fan_in: the bound of a uniform, sqrt(6/fan_in), stands where the std belongs",
         "std = sqrt(2/fan_in)"),
        (1.0, Contract(activation="relu"), NORMAL,
         "variance is 1/fan_in: the gain of linear (LeCun); relu needs 2/fan_in", "std = sqrt(2/fan_in)"),
        (0.5, Contract(fan="fan_avg"), NORMAL,
         "variance is 1/(fan_in + fan_out): the factor 2 of the mean is missing", "variance 2/(fan_in + fan_out)"),
        (0.25, Contract(activation="relu"), NORMAL,
         "variance is 2/fan_in divided by 8: perhaps the fan counts an extra axis of 8 (packed gates, heads, experts,"
         " groups)", "leave the axis out of the fan"),
        (1.32, Contract(activation="linear"), NORMAL,
         "variance is 1.32/fan_in, 1.32 times what linear needs", "std = 1/sqrt(fan_in)"),
    ],
)  # fmt: skip
def test_a_wrong_constant_is_worded_by_the_factor_that_was_forgotten(constant, contract, family, sentence, fix):
    cause = first_cause(LAW, seen("fan_in" if contract.fan is None else contract.fan, constant, contract, family))
    assert (cause.sentence, cause.fix) == (sentence, fix)


def test_a_constant_without_a_name_is_said_of_a_proven_failure_alone():
    assert first_cause(LAW, seen("fan_in", 1.32, Contract(activation="linear"), topic="centering")) is None


def test_a_law_that_was_not_found_cannot_be_put_in_words():
    observed = Observed(draw=lambda shape, seed: np.zeros(shape))
    observed.__dict__.update(best_law=None)
    with pytest.raises(ValueError, match="a law is put in words that was not found"):
        _ = observed.law


def test_every_topic_that_a_cause_explains_is_a_topic_of_claims():
    rules = [r for r in (*DEGENERATE, *FAMILY, *MEAN, *ORTHOGONAL, *UNSIGNED, *LAW, *SCALE_PER_CALL)
             if isinstance(r, Rule)]  # fmt: skip
    assert len(rules) > 30
    explained = {topic for rule in rules for topic in rule.topics.split()}
    explained |= {topic for cause in BEHAVIOURS.values() for topic in cause.topics}
    explained |= {topic for d in DENOMINATORS for m in d.mistakes for topic in m.topics.split()}
    assert explained <= set(TOPICS)
