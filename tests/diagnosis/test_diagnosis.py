"""Likely causes: the right one first for broken initializers, none for right ones."""

import dataclasses
import math
import re

import numpy as np
import pytest
from diagnosis_factors import RIGHT_FACTOR, WRONG_FACTOR
from diagnosis_right import RIGHT
from diagnosis_samplers import (
    DEPTHWISE,
    LINEAR,
    OIHW,
    ORTHOGONAL,
    RELU,
    he,
    normal,
    of,
    repeat_half,
    rng,
    truncated,
    uniform,
)
from diagnosis_scale import WRONG_SCALE
from diagnosis_structure import WRONG_STRUCTURE

from initcheck.claims.registry import find
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.diagnosis.diagnosis import Observed, diagnose
from initcheck.diagnosis.seed_behaviour import BEHAVIOURS

BROKEN = WRONG_SCALE | WRONG_STRUCTURE | WRONG_FACTOR
SOUND = RIGHT | RIGHT_FACTOR


def test_the_table_holds_at_least_70_broken_initializers():
    assert len(BROKEN) >= 70


@pytest.mark.parametrize("name", BROKEN)
def test_the_first_cause_of_a_broken_initializer_is_the_right_one(name):
    draw, contract, claim, sentence, fix = BROKEN[name]
    topic = find(claim).topic
    assert topic is not None  # a claim without one would be given any cause
    cause = diagnose(Observed(draw=draw, contract=contract, topic=topic, seed=11))
    assert cause is not None
    assert sentence in cause.sentence
    assert fix in cause.fix


# Its cause is right for the claim, and not the first when any claim may have failed.
_LATER = {"orthogonal for fan_in", "normalised along the other axis"}


@pytest.mark.parametrize("name", [name for index, name in enumerate(BROKEN) if index % 3 == 0])
def test_without_a_claim_the_first_cause_of_any_kind_is_the_same(name):
    draw, contract, _, sentence, _ = BROKEN[name]
    cause = diagnose(Observed(draw=draw, contract=contract, seed=23))
    assert cause is not None
    assert (sentence in cause.sentence) == (name not in _LATER)


def test_the_table_holds_at_least_45_right_initializers():
    assert len(SOUND) >= 45


@pytest.mark.parametrize("seed", [100, 20_000])
@pytest.mark.parametrize("name", SOUND)
def test_a_right_initializer_is_given_no_cause(name, seed):
    draw, contract = SOUND[name]
    assert diagnose(Observed(draw=draw, contract=contract, seed=seed)) is None


def test_a_small_deviation_is_a_cause_only_of_a_claim_that_was_shown_to_fail():
    draw = truncated(lambda s: (2 / s[1]) ** 0.5, 2.5)  # 0.91 of the variance
    assert diagnose(Observed(draw=draw, contract=RELU)) is None
    proven = diagnose(Observed(draw=draw, contract=RELU, topic="depth"))
    assert proven is not None
    assert "truncated at 2.5 sigma, without correction" in proven.sentence


def test_a_cause_of_another_kind_is_not_said_of_a_claim():
    default = uniform(lambda s: s[1] ** -0.5)
    for claim in ("zero-mean", "entries-are-independent", "units-differ", "calls-are-independent"):
        assert diagnose(Observed(draw=default, contract=LINEAR, topic=find(claim).topic)) is None


def test_of_two_causes_only_the_first_that_explains_the_claim_is_said():
    draw = of(repeat_half, std=lambda s: 0.02)
    by_claim = {
        claim: diagnose(Observed(draw=draw, contract=LINEAR, topic=find(claim).topic)).sentence
        for claim in ("units-differ", "variance-follows-one-law")
    }
    assert "units are copies" in by_claim["units-differ"]
    assert "the std is 0.02 at every width" in by_claim["variance-follows-one-law"]


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ("2,096 distinct results in 2,144 calls", True),
        ("48 distinct results in 96 calls", True),
        ("1 distinct results in 2,144 calls", False),
        ("2,143 distinct results in 2,144 calls", False),
    ],
)
def test_where_only_the_second_call_of_a_generator_repeats_it_does_not_move_on(measured, said):
    cause = diagnose(Observed(draw=normal(he), contract=RELU, topic="randomness", measured=measured))
    assert (cause == BEHAVIOURS["never-advances"]) == said


def thin(s, seed):
    r = np.random.default_rng(seed)
    return r.normal(size=(s[0], 4)) @ r.normal(size=(4, s[1])) / (2 * s[1] ** 0.5)


def opposite(s, seed):
    half = np.random.default_rng(seed).normal(0, s[1] ** -0.5, ((s[0] + 1) // 2, s[1]))
    return np.concatenate([half, -half])[: s[0]]


@pytest.mark.parametrize(("draw", "rank"), [(thin, True), (opposite, False)])
def test_what_a_declaration_allows_is_offered_where_independence_was_asked_alone(draw, rank):
    asked = diagnose(Observed(draw=draw, contract=Contract(), topic="entries"))
    assert asked.fix.endswith(", or declare entries='dependent' if it is meant")
    # As declared, nothing is said of it any more.
    declared = diagnose(Observed(draw=draw, contract=Contract(entries="dependent"), topic="entries"))
    assert declared is None
    of_units = diagnose(Observed(draw=draw, contract=Contract(), topic="symmetry"))
    assert ("declare" in of_units.fix, "rank 4" in of_units.sentence) == (False, rank)


@pytest.mark.parametrize("topic", ["scale", "depth", "entries"])
def test_one_spectral_radius_at_every_shape_is_that_of_a_reservoir(topic):
    def reservoir(s, seed):
        if s[0] != s[1]:
            raise ValueError(s)
        w = np.random.default_rng(seed).uniform(-1, 1, s)
        return w * 0.9 / np.abs(np.linalg.eigvals(w)).max()

    said = diagnose(Observed(draw=reservoir, contract=Contract(), topic=topic, squares=True)).sentence
    assert (
        said == "the largest eigenvalue is 0.9 in size at every shape: the spectral radius of an echo state reservoir"
    )
    # What is scaled by its fan has a radius that comes near one number, and none that is one.
    scaled = Observed(draw=normal(lambda s: 0.7 / s[1]), contract=Contract(), topic=topic, squares=True)
    assert "eigenvalue" not in getattr(diagnose(scaled), "sentence", "")


def test_one_std_at_every_width_may_be_meant_and_is_declared_by_its_number():
    cause = diagnose(Observed(draw=normal(lambda s: 0.02**2), contract=Contract(), topic="scale"))
    assert cause.fix.endswith("; or declare std=0.02 if it is meant, as of an embedding")


def test_weights_of_which_none_is_kept_are_told_from_those_left_by_chance():
    def one_in_ten_of_each_column(shape, seed):
        generator, weights = rng(seed), np.zeros(shape)
        for k in range(shape[1]):
            kept = generator.permutation(shape[0])[: int(0.1 * shape[0])]
            weights[kept, k] = generator.normal(0, 0.01, len(kept))
        return weights

    seen = Observed(
        draw=one_in_ten_of_each_column, contract=LINEAR, topic="symmetry", layer=Layer((2, 64)),
        measured="unit 0 has only zero weights at shape (2, 64)",
    )  # fmt: skip
    cause = diagnose(seen)
    assert cause is not None
    assert cause.sentence.endswith("kept, rounded down: of so few weights as at (2, 64) none is left")
    assert cause.fix == "keep at least one weight of every unit: round up, or max(1, ...)"
    by_chance = dataclasses.replace(seen, draw=of(lambda w, r: w * (r.random(w.shape) < 0.1)))
    assert "by its own chance" in getattr(diagnose(by_chance), "sentence", "")


def test_a_unit_that_chance_left_no_weight_is_told_how_often_that_is():
    draw = of(lambda w, r: w * (r.random(w.shape) < 0.1) * 10**0.5)
    measured = "unit 16 has only zero weights at shape (21, 64)"
    seen = Observed(draw=draw, contract=RELU, topic="symmetry", measured=measured, layer=Layer((21, 64)))
    cause = diagnose(seen)
    assert cause is not None
    assert re.match(
        r"a share of 0\.1 is kept, .* of 64 weights of one unit nothing is left once in \d{3}$", cause.sentence
    )
    assert cause.fix == "choose for every unit as many weights as are kept of it, at least one"
    full = dataclasses.replace(seen, draw=normal(he))
    assert diagnose(full) is None


def test_one_buffer_of_an_instance_is_named_though_every_draw_has_one_of_its_own():
    shared = "two results of one generator or instance share memory"
    cause = diagnose(Observed(draw=normal(he), contract=RELU, topic="memory", measured=shared))
    assert cause == BEHAVIOURS["aliased"]
    assert diagnose(Observed(draw=normal(he), contract=RELU, topic="memory", measured="no shared memory")) is None


def test_behaviours_explain_no_claim_about_the_scale():
    assert not any(cause.explains("scale") for cause in BEHAVIOURS.values())


def test_the_failing_layer_tells_in_which_layout_to_look():
    draw = normal(lambda s: 2 / s[1])  # right for a matrix, and forgets the positions of a kernel
    conv = Layer((8, 4, 3, 3), "oihw")
    cause = diagnose(Observed(draw=draw, contract=RELU, topic="scale", layer=conv))
    assert cause is not None
    assert "the kernel's positions are not counted" in cause.sentence
    dense = Layer((8, 4), "out_in")
    assert diagnose(Observed(draw=draw, contract=RELU, topic="scale", layer=dense)) is None


def test_where_no_mistake_has_that_factor_the_factor_is_said_of_a_proven_failure():
    draw = normal(lambda s: 1.32 / s[1])
    cause = diagnose(Observed(draw=draw, contract=LINEAR, topic="scale"))
    assert cause is not None
    assert re.match(r"variance is 1\.3\d?/fan_in, 1\.3\d? times what linear needs", cause.sentence)
    assert diagnose(Observed(draw=draw, contract=LINEAR)) is None


def test_a_mean_of_fans_that_is_rounded_down_is_seen_at_the_failing_layer():
    draw = normal(lambda s: 1 / (sum(s) // 2))
    contract = Contract(activation="linear", fan="fan_avg")
    seen = Observed(draw=draw, contract=contract, topic="scale", layer=Layer((2, 1)))
    cause = diagnose(seen)
    assert cause is not None
    assert cause.sentence == "the mean of both fans is rounded down by an integer division"


@pytest.mark.parametrize(
    ("shape", "signed"), [((1, 2), False), ((2, 2), False), ((2, 2), True), ((17, 17), True)], ids=str
)
def test_signs_that_an_svd_chooses_are_seen_at_the_failing_layer(shape, signed):
    def factor(shape, seed):
        rng = np.random.default_rng(seed)
        left, _, right = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
        factor = left if left.shape == shape else right
        return (
            factor * rng.choice((-1.0, 1.0), (1, shape[1]) if shape[0] >= shape[1] else (shape[0], 1))
            if signed
            else factor
        )

    cause = diagnose(Observed(draw=factor, contract=ORTHOGONAL, topic="centering", layer=Layer(shape), seed=5))
    assert (cause is not None and "the algorithm chooses its signs" in cause.sentence) is not signed


@pytest.mark.parametrize("orthogonal_at", [lambda s: s == (2, 2), lambda s: False], ids=["there", "never"])
def test_a_factor_of_an_svd_at_some_shapes_alone_is_seen_there(orthogonal_at):
    """Teaching code has an orthogonal matrix where both widths are one, and a normal elsewhere."""

    def draw(s, seed):
        drawn = rng(seed).normal(size=s)
        return np.linalg.svd(drawn)[0] if orthogonal_at(s) else drawn / np.sqrt(s[1])

    cause = diagnose(Observed(draw=draw, contract=LINEAR, topic="centering", layer=Layer((2, 2))))
    assert (cause is not None and "the algorithm chooses its signs" in cause.sentence) is orthogonal_at((2, 2))


@pytest.mark.parametrize(("draw", "named"), [
    (lambda s, seed: np.eye(*s), True),
    (lambda s, seed: 0.5 * np.eye(*s), True),
    (lambda s, seed: np.eye(*s) + 0.01 * rng(seed).normal(size=s), False),
    (lambda s, seed: np.zeros(s), False),
])  # fmt: skip
def test_an_identity_is_called_one_and_not_a_seed_that_is_ignored(draw, named):
    for topic in ("randomness", "centering"):
        cause = diagnose(Observed(draw=draw, contract=LINEAR, topic=topic))
        assert (cause is not None and cause.sentence == "every call returns the identity: nothing is drawn") is named


def clipped(std, bound):
    return lambda s, seed: np.clip(rng(seed).normal(0, std(s), s), -bound, bound)


def cut_at_two(s, seed):
    """What trunc_normal_ gives without its bounds: they are numbers, and of narrow layers two sigma."""
    w = rng(seed).normal(0, s[1] ** -0.5, s)
    while (far := np.abs(w) > 2).any():
        w[far] = rng(seed + 1).normal(0, s[1] ** -0.5, s)[far]
        seed += 1
    return w


def fed_by_others(s, seed):
    if s[0] != s[1]:
        raise ValueError(s)
    upper = np.triu(rng(seed).uniform(-1, 1, s) * (3 / s[0]) ** 0.5, 1)
    return upper + upper.T


@pytest.mark.parametrize(("draw", "said"), [
    (clipped(lambda s: 1.0, 2.0), "the std is 0.96 at every width"),
    (clipped(lambda s: (2 / s[1]) ** 0.5, 0.1), "the weights are cut at +-0.1 at every width"),
    (cut_at_two, "the weights end at +-2, whatever their std: at fan_in 1 that leaves"),
    (fed_by_others, "the diagonal is zero, as where no unit feeds itself"),
    (normal(lambda s: 1 / s[1]), None),
])  # fmt: skip
def test_a_bound_is_a_cause_where_it_goes_with_no_std_and_a_diagonal_where_it_is_zero(draw, said):
    squares = draw is fed_by_others
    seen = Observed(draw=draw, contract=LINEAR, topic="scale", layer=Layer((1, 1)), seed=1, squares=squares)
    cause = diagnose(seen)
    assert cause is None if said is None else cause is not None and cause.sentence.startswith(said)


def test_weights_of_a_unit_that_cancel_are_seen_at_the_failing_layer():
    def antithetic(s, seed):
        half = np.random.default_rng(seed).normal(0, he(s) ** 0.5, -(-math.prod(s) // 2))
        return np.random.default_rng(seed).permutation(np.concatenate([half, -half])[: math.prod(s)]).reshape(s)

    contract = Contract(activation="relu", layout="out_in", entries="dependent")
    seen = Observed(draw=antithetic, contract=contract, topic="scale", layer=Layer((1, 2)))
    cause = diagnose(seen)
    assert cause is not None
    assert cause.sentence.startswith("the weights of a unit cancel")
    # Behind an odd activation the inputs have no mean, and their sum does not matter.
    centred = Contract(activation="linear", gain=2**0.5, layout="out_in", entries="dependent")
    assert diagnose(dataclasses.replace(seen, contract=centred)) is None


def test_squares_that_differ_from_other_shapes_are_named():
    def halved(s, seed):
        w = normal(lambda s: 1 / s[1])(s, seed)
        return (w + w.T) / 2 if s[0] == s[1] else w

    cause = diagnose(Observed(draw=halved, contract=LINEAR, topic="scale"))
    assert cause is not None
    assert re.match(r"the variance is 0\.5\d? of what it is elsewhere at square shapes alone", cause.sentence)


def test_groups_may_divide_no_shape_of_the_first_look():
    draw = normal(lambda s: 2 / (4 * math.prod(s[1:])))
    contract = Contract(activation="relu", layout="oihw", groups=3)
    layer = Layer((6, 4, 3, 3), "oihw", 3)
    cause = diagnose(Observed(draw=draw, contract=contract, topic="scale", layer=layer))
    assert cause is not None
    assert "2/fan_in divided by 4" in cause.sentence


def test_a_law_that_a_third_of_the_shapes_contradict_is_not_said():
    def by_the_logarithm(s, seed):
        return np.random.default_rng(seed).normal(size=s) / math.log2(s[1])

    for claim in ("output-variance-near-one", "variance-follows-one-law"):
        cause = diagnose(Observed(draw=by_the_logarithm, contract=LINEAR, topic=find(claim).topic))
        assert cause is None or "fan_in 1" in cause.sentence
    finite = diagnose(Observed(draw=by_the_logarithm, contract=LINEAR, topic="promises"))
    assert finite is not None
    assert "at fan_in 1: a division by zero, or a logarithm of 1" in finite.sentence


def test_weights_that_are_now_and_then_not_finite_are_counted():
    def one_in_256(s, seed):
        r = np.random.default_rng(seed)
        return np.where(r.integers(0, 256, s) == 0, np.nan, r.normal(size=s))

    cause = diagnose(Observed(draw=one_in_256, contract=LINEAR, topic="promises"))
    assert cause is not None
    assert re.match(r"about 1 weight in 2\d\d is not finite, at every shape", cause.sentence)
    assert diagnose(Observed(draw=normal(lambda s: 1 / s[1]), contract=LINEAR, topic="promises")) is None


def test_positions_that_are_never_written_are_no_accident():
    def forgets_the_last_unit(s, seed):
        w = np.full(s, np.nan)
        w[:-1] = normal(he)(s, seed)[:-1]
        return w

    cause = diagnose(Observed(draw=forgets_the_last_unit, contract=RELU, topic="promises"))
    assert cause is not None
    assert cause.sentence == "the same 1.6 % of the positions are NaN in every call: they are never written"


def test_a_small_mean_is_believed_where_it_was_shown():
    def bytes_of(s, seed):
        u = np.random.default_rng(seed).integers(0, 256, s)
        return (u / 128 - 1) * math.sqrt(3 / s[1])

    cause = diagnose(Observed(draw=bytes_of, contract=LINEAR, topic="centering"))
    assert cause is not None
    assert cause.sentence.startswith("a grid of 256 levels with mean -0.00")
    assert diagnose(Observed(draw=normal(lambda s: 1 / s[1]), contract=LINEAR, topic="centering")) is None


def raises(s, seed):
    raise RuntimeError("no")


@pytest.mark.parametrize(
    "draw",
    [raises, lambda s, seed: np.full(s, np.nan), lambda s, seed: None],
    ids=["raises", "nan", "nothing"],
)
@pytest.mark.parametrize(
    "contract", [RELU, OIHW, DEPTHWISE, ORTHOGONAL], ids=["dense", "kernel", "depthwise", "orthogonal"]
)
def test_nothing_an_initializer_does_makes_diagnosis_raise(draw, contract):
    assert diagnose(Observed(draw=draw, contract=contract)) is None


def reduced(s, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=s))[0]


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda s, seed: np.zeros(2), "it returns (2,) whatever is asked for"),
        (reduced, "it returns (rows, rows) where there are fewer rows than columns"),
        (lambda s, seed: reduced(s[::-1], seed).T, "it returns (columns, columns) where there are fewer columns"),
    ],
    ids=["one shape", "reduced QR", "its transpose"],
)
def test_another_shape_is_said_by_its_kind(draw, sentence):
    cause = diagnose(Observed(draw=draw, contract=ORTHOGONAL, topic="promises"))
    assert cause is not None
    assert cause.sentence.startswith(sentence)


@pytest.mark.parametrize(("measured", "found"), [("float32", True), ("raises ValueError", False)])
def test_another_dtype_is_named_by_what_is_returned(measured, found):
    seen = Observed(draw=normal(he), contract=RELU, topic="promises", measured=measured, allowed="bfloat16")
    cause = diagnose(seen)
    assert (cause is not None) == found
    assert cause is None or cause.sentence.endswith("what is returned is float32")


def test_kernels_of_one_side_do_not_count_against_a_law_where_they_cannot_be_asked_for():
    def square(s, seed):
        if s[2] != s[3]:
            raise ValueError("no one side")
        return normal(lambda s: 2 / s[1])(s, seed)

    told = {one_side: diagnose(Observed(draw=square, contract=OIHW, topic="scale", layer=Layer((3, 5, 2, 2), "oihw"),
                                        equal_kernels=one_side)) for one_side in (True, False)}  # fmt: skip
    assert told[True] is not None
    assert "the kernel's positions are not counted in the fan" in told[True].sentence
    assert told[False] is None


def test_at_most_300_000_weights_are_drawn():
    for contract in (RELU, OIHW, DEPTHWISE):
        drawn = []

        def draw(s, seed, drawn=drawn):
            drawn.append(math.prod(s))
            return normal(he)(s, seed)

        diagnose(Observed(draw=draw, contract=contract))
        assert sum(drawn) <= 300_000


def test_every_topic_of_a_cause_is_a_topic_of_some_claim():
    for cause in BEHAVIOURS.values():
        assert cause.topics <= {"randomness", "memory", "globals"}


def test_a_scale_that_goes_with_the_number_of_calls_is_told_of_the_count():
    """Also after thousands of calls, where one call more changes little; state of another kind is not told so."""
    made = [30_000]

    def of_the_layer(shape, seed):
        made[0] += 1
        return np.random.default_rng(seed).normal(0, (shape[1] * made[0]) ** -0.5, shape)

    one = np.random.default_rng(5)
    cause = diagnose(Observed(draw=of_the_layer, contract=Contract(layout="out_in"), topic="scale"))
    assert cause is not None
    assert cause.sentence.startswith("the scale goes with the number of calls: 32 calls later the same seed")
    too_small = diagnose(
        Observed(draw=lambda s, seed: one.normal(0, 0.1, s), contract=Contract(layout="out_in"), topic="scale")
    )
    assert too_small is not None
    assert "number of calls" not in too_small.sentence


def ending_at_two(std, seed, shape):
    generator, drawn = np.random.default_rng(seed), np.full(shape, 9.0)
    while (far := np.abs(drawn) > 2).any():
        drawn[far] = generator.normal(0, std, far.sum())
    return drawn


@pytest.mark.parametrize("gain", [1, 2])
def test_a_cut_at_two_whatever_the_std_is_felt_at_small_fans_and_is_no_integer_division(gain):
    contract = Contract(activation="relu" if gain == 2 else "linear", layout="out_in")
    told = diagnose(
        Observed(
            draw=lambda shape, seed: ending_at_two((gain / shape[1]) ** 0.5, seed, shape),
            contract=contract,
            topic="scale",
        )
    )
    assert told is not None
    assert told.sentence.startswith("the weights end at +-2, whatever their std: at fan_in 1 that leaves 0.")
    halved = diagnose(Observed(draw=normal(lambda s: gain / (2 * s[1])), contract=contract, topic="scale"))
    assert halved is not None
    assert "end at" not in halved.sentence


def test_a_kernel_of_which_the_centre_alone_is_drawn_is_told_so_and_a_mask_is_not():
    def centre(shape, seed):
        drawn = np.zeros(shape)
        drawn[(..., *(n // 2 for n in shape[2:]))] = rng(seed).normal(size=shape[:2])
        return drawn

    def masked(shape, seed):
        return rng(seed).normal(size=shape) * (np.random.default_rng(0).random(shape) < 0.3)

    kernels = Contract(layout="oihw")
    told = [diagnose(Observed(draw=draw, contract=kernels, topic="scale")) for draw in (centre, masked)]
    assert all(told)
    assert [cause.sentence.startswith("the centre of the kernel alone") for cause in told] == [True, False]


@pytest.mark.parametrize("axis", [1, 2])
def test_of_three_axes_of_which_one_divides_the_stack_is_named_that_may_be_meant(axis):
    """(heads, head_dim, width) is no kernel: what is divided by one axis keeps its variance in each head."""
    draw = normal(lambda shape: 1 / shape[axis] if len(shape) == 3 else 1 / shape[1])
    told = diagnose(Observed(draw=draw, contract=Contract(layout="oiw"), topic="scale", layer=Layer((4, 6, 3), "oiw")))
    assert told is not None
    assert "(experts, heads), declare it, as stack=0" in told.fix
