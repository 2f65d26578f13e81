"""Several matrices side by side in one weight are judged as what they are: gates of an LSTM, packed q, k and v."""

import keras
import numpy as np
import pytest

from initcheck import UsageError, check
from initcheck.adapters.packed_widths import PackedSampler, Packing
from initcheck.targets.loading import load


def packed_gru(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, inputs**-0.5, (hidden, inputs)) for _ in range(3)])


def packed_gru_without_root(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, 1 / inputs, (hidden, inputs)) for _ in range(3)])


def one_gate_for_all(hidden, inputs, rng):
    return np.concatenate([rng.normal(0, inputs**-0.5, (hidden, inputs))] * 3)


def lstm_of_shape(shape, rng):
    packed, inputs = shape
    gates = [rng.normal(0, inputs**-0.5, (packed // 4, inputs)) for _ in range(4)]
    return np.concatenate(gates)


def transposed(fan_in, fan_out, rng):
    return rng.normal(0, fan_in**-0.5, (fan_in + 1, fan_out))


class Gates(keras.initializers.Initializer):
    def __init__(self, seed=None):
        self.random = keras.random.SeedGenerator(seed)

    def __call__(self, shape, dtype="float32"):
        fan_in, packed = shape
        return keras.random.normal((fan_in, packed // 4 * 4), 0.0, fan_in**-0.5, dtype=dtype, seed=self.random)


@pytest.mark.parametrize(
    ("init", "count", "layout"),
    [
        (packed_gru, 3, "out_in"),
        (lstm_of_shape, 4, "out_in"),
        pytest.param(Gates, 4, "in_out", marks=pytest.mark.long),  # Keras is loaded for it
    ],
)
def test_it_is_asked_for_matrices_side_by_side(init, count, layout):
    [found] = load(init).initializers
    assert (found.sampler.packing.count, found.contract.layout, found.ranks) == (count, layout, (2,))
    weights = found.sampler.to_numpy(found.sampler.calls((40, 60), [1], "float32")[0])
    assert weights.shape == (40, 60)
    assert abs(weights.var() * (60 if layout == "out_in" else 40) - 1) < 0.1


@pytest.mark.parametrize(
    ("init", "claim", "verdict"),
    [
        pytest.param(packed_gru, "output-variance-near-one", "HOLDS", marks=pytest.mark.long),
        pytest.param(packed_gru, "units-differ", "HOLDS", marks=pytest.mark.long),
        pytest.param(packed_gru_without_root, "output-variance-near-one", "FAILS", marks=pytest.mark.long),
        pytest.param(one_gate_for_all, "units-differ", "FAILS", marks=pytest.mark.long),
        (lstm_of_shape, "returns-the-shape-asked", "HOLDS"),
        (transposed, "returns-the-shape-asked", "FAILS"),
    ],
)
def test_each_is_held_to_what_one_matrix_is(init, claim, verdict):
    assert check(init, claims=[claim], profile="quick")[claim].verdict.value == verdict


def qkv_of_one_width(d_model, rng):
    return rng.normal(0, d_model**-0.5, (d_model, 3 * d_model))


def qkv_without_root(d_model, rng):
    return rng.normal(0, 1 / d_model, (d_model, 3 * d_model))


def experts(num_experts, d_in, d_out, rng):
    return rng.normal(0, d_in**-0.5, (num_experts, d_in, d_out))


def experts_of_all_inputs(num_experts, d_in, d_out, rng):
    return rng.normal(0, (num_experts * d_in) ** -0.5, (num_experts, d_in, d_out))


def one_expert_for_all(num_experts, d_in, d_out, rng):
    return np.stack([rng.normal(0, d_in**-0.5, (d_in, d_out))] * num_experts)


def out_proj(num_heads, head_dim, d_model, rng):
    return rng.normal(0, (num_heads * head_dim) ** -0.5, (num_heads, head_dim, d_model))


def query(d_model, num_heads, head_dim, rng):
    return rng.normal(0, d_model**-0.5, (d_model, num_heads, head_dim))


def depthwise(kernel_h, kernel_w, channels, multiplier, rng):
    return rng.normal(0, (kernel_h * kernel_w) ** -0.5, (kernel_h, kernel_w, channels, multiplier))


def test_what_is_told_one_width_makes_squares_side_by_side():
    [found] = load(qkv_of_one_width).initializers
    assert (found.sampler.packing.count, found.contract.layout, found.squares) == (3, "in_out", True)


@pytest.mark.long
@pytest.mark.parametrize(("init", "verdict"), [(qkv_of_one_width, "HOLDS"), (qkv_without_root, "FAILS")])
def test_squares_side_by_side_are_held_to_their_width(init, verdict):
    claim = "output-variance-near-one"
    assert check(init, claims=[claim], profile="quick")[claim].verdict.value == verdict


@pytest.mark.parametrize(
    ("init", "claim", "verdict"),
    [
        pytest.param(experts, "returns-the-shape-asked", "HOLDS", marks=pytest.mark.long),
        pytest.param(experts, "output-variance-near-one", "HOLDS", marks=pytest.mark.long),
        pytest.param(experts, "units-differ", "HOLDS", marks=pytest.mark.long),
        pytest.param(experts_of_all_inputs, "output-variance-near-one", "FAILS", marks=pytest.mark.long),
        pytest.param(one_expert_for_all, "units-differ", "FAILS", marks=pytest.mark.long),
    ],
)
def test_so_many_experts_as_are_told_are_judged_as_matrices_of_their_own(init, claim, verdict):
    report = check(init, args={"num_experts": 4}, claims=[claim], profile="quick")
    assert report[claim].verdict.value == verdict


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_experts_are_matrices_whatever_their_number(count):
    [found] = load(experts, args={"num_experts": count}).initializers
    assert (found.sampler.packing.count, found.contract.layout, found.ranks) == (count, "in_out", (2,))
    weights = found.sampler.to_numpy(found.sampler.calls((40, 60), [1], "float32")[0])
    assert weights.shape == (40, 60)
    assert abs(weights.var() * 40 - 1) < 0.1


@pytest.mark.parametrize(
    ("init", "told", "side"),
    [
        (out_proj, {"num_heads": 4}, "num_heads=4"),
        (query, {"num_heads": 4}, "num_heads=4"),
        (depthwise, {"channels": 8, "multiplier": 1}, "channels=8"),
    ],
)
def test_a_side_that_was_told_and_may_be_of_inputs_or_units_is_asked_about_and_not_blamed(init, told, side):
    with pytest.raises(UsageError, match=f"{side}.* of what it returns"):
        load(init, args=told)


@pytest.mark.parametrize("equal", [True, False])
def test_experts_that_are_equal_are_copies_whichever_side_is_that_of_the_units(equal: bool) -> None:
    drawn = np.random.default_rng(0).normal(size=(4, 10, 9))
    members = PackedSampler(None, Packing(4, 0, numbered=True)).members(drawn[:1].repeat(4, 0) if equal else drawn)  # type: ignore[arg-type]
    assert len(members) == (1 if equal else 4)
    if equal:
        [one] = members
        assert one.shape == (10, 9)
        assert np.array_equal(one[:5], one[5:])
        assert np.array_equal(one[:, :4], one[:, 5:])


def four_experts(shape, rng, num_experts=4):
    return rng.normal(0, shape[1] ** -0.5, (num_experts, *shape))


def four_shares(shape, rng, num_heads=4):
    return rng.normal(0, shape[1] ** -0.5, (num_heads, *shape))


def test_the_number_of_experts_is_read_where_it_has_a_default():
    [found] = load(four_experts).initializers
    assert (found.sampler.packing.count, found.sampler.packing.numbered) == (4, True)
    assert check(four_experts, claims=["returns-the-shape-asked"])["returns-the-shape-asked"].verdict.value == "HOLDS"


def test_a_default_that_numbers_no_matrices_is_no_number_of_experts():
    assert check(four_shares, claims=["returns-the-shape-asked"])["returns-the-shape-asked"].verdict.value == "FAILS"


def twice_as_wide(fan_in, fan_out, rng):
    return rng.normal(0, fan_in**-0.5, (fan_in, 2 * fan_out))


def as_wide_as_asked(fan_in, fan_out, rng):
    return rng.normal(0, fan_in**-0.5, (fan_in, fan_out))


def test_that_a_weight_wider_than_asked_is_taken_for_several_is_said_beside_the_verdict():
    claims = ["returns-the-shape-asked"]
    assert "assumed: 2 matrices side by side" in str(check(twice_as_wide, claims=claims))
    assert "side by side" not in str(check(as_wide_as_asked, claims=claims))
