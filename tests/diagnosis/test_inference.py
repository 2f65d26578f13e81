"""Contracts read off draws: right where the initializer is right, and no excuse where it is broken."""

import numpy as np
import pytest
from diagnosis_samplers import normal, rng, truncated, uniform

from initcheck.contract.contract import Contract
from initcheck.diagnosis.evidence.axes import DENSE_OF
from initcheck.diagnosis.evidence.inference import infer
from initcheck.diagnosis.evidence.probe import probe


def orthogonal(gain=1.0, last=False):
    def draw(s, seed):
        a = rng(seed).normal(size=(int(np.prod(s[:-1])), s[-1]) if last else (s[0], int(np.prod(s[1:]))))
        tall = a if a.shape[0] >= a.shape[1] else a.T
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))
        return gain * (q if a.shape[0] >= a.shape[1] else q.T).reshape(s)

    return draw


def first_in(s):
    return np.prod(s[1:])


def first_out(s):
    return s[0] * np.prod(s[2:])


def last_in(s):
    return np.prod(s[:-1])


def last_out(s):
    return s[-1] * np.prod(s[:-2])


def matrix(draw):
    def checked(s, seed):
        if len(s) != 2:
            raise ValueError("matrices only")
        return draw(s, seed)

    return checked


# name: (draw, activation, fan, layout, where the layout is from, convolutions)
RIGHT = {
    "he, in first": (matrix(normal(lambda s: 2 / s[0])), "relu", "fan_in", "in_out", "assumed", None),
    "he, out first": (matrix(normal(lambda s: 2 / s[1])), "relu", "fan_in", "out_in", "assumed", None),
    "he of shape[1] at any rank": (normal(lambda s: 2 / s[1]), "relu", "fan_in", "out_in", "assumed", None),
    "lecun": (matrix(normal(lambda s: 1 / s[0])), "linear", "fan_in", "in_out", "assumed", None),
    "lecun uniform": (uniform(lambda s: (3 / s[1]) ** 0.5), "linear", "fan_in", "out_in", "assumed", None),
    "he uniform": (uniform(lambda s: (6 / s[1]) ** 0.5), "relu", "fan_in", "out_in", "assumed", None),
    "glorot": (matrix(normal(lambda s: 2 / sum(s))), "linear", "fan_avg", "out_in", "assumed", None),
    "glorot relu": (matrix(normal(lambda s: 4 / sum(s))), "relu", "fan_avg", "out_in", "assumed", None),
    "kaiming oihw": (normal(lambda s: 2 / first_in(s)), "relu", "fan_in", "out_in", "inferred", "oihw"),
    "kaiming fan_out": (normal(lambda s: 2 / first_out(s)), "relu", "fan_out", "out_in", "inferred", "oihw"),
    "lecun hwio": (normal(lambda s: 1 / last_in(s)), "linear", "fan_in", "in_out", "inferred", "hwio"),
    "he hwio fan_out": (normal(lambda s: 2 / last_out(s)), "relu", "fan_out", "in_out", "inferred", "hwio"),
    "glorot oihw": (
        normal(lambda s: 2 / (first_in(s) + first_out(s))), "linear", "fan_avg", "out_in", "inferred", "oihw",
    ),
    "glorot hwio": (
        uniform(lambda s: (6 / (last_in(s) + last_out(s))) ** 0.5),
        "linear", "fan_avg", "in_out", "inferred", "hwio",
    ),
    "truncated, corrected": (
        truncated(lambda s: (2 / s[0]) ** 0.5 / 0.87962566), "relu", "fan_in", "in_out", "assumed", None,
    ),
    "orthogonal, out first": (orthogonal(), "linear", "fan_max", "out_in", "inferred", "oihw"),
    "orthogonal, last": (orthogonal(2**0.5, last=True), "relu", "fan_max", "in_out", "inferred", "hwio"),
    "rademacher": (
        lambda s, seed: rng(seed).choice([-1.0, 1.0], s) / s[1] ** 0.5,
        "linear", "fan_in", "out_in", "assumed", None,
    ),
    "laplace": (
        lambda s, seed: rng(seed).laplace(0, 1 / s[1] ** 0.5, s), "relu", "fan_in", "out_in", "assumed", None,
    ),
    "sparse, corrected": (
        lambda s, seed: rng(seed).normal(0, (8 / s[1]) ** 0.5, s) * (rng(seed + 10**6).random(s) < 0.25),
        "relu", "fan_in", "out_in", "assumed", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", [0, 5000, 10000])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_initializer_gets_its_contract(name, seed):
    draw, activation, fan, layout, origin, convolutions = RIGHT[name]
    found = infer(draw, seed=seed)
    contract = found.contract
    assert (contract.activation, contract.fan, contract.layout) == (activation, fan, layout)
    assert contract.origins["activation"] == contract.origins["fan"] == "inferred"
    assert contract.origins["layout"] == origin
    assert found.handles_convolutions == (convolutions is not None)
    assert found.convolution_layout == convolutions
    assert found.law is not None
    assert found.law.exceptions == ()


# name: (draw, the contract that must not excuse it)
BROKEN = {
    "uniform on 1/sqrt(fan_in)": (uniform(lambda s: s[1] ** -0.5), ("linear", "fan_in", "assumed")),
    "uniform on sqrt(2/fan_in)": (uniform(lambda s: (2 / s[1]) ** 0.5), ("relu", "fan_in", "assumed")),
    "fixed std": (normal(lambda s: 0.02**2), ("linear", "fan_in", "assumed")),
    "square root missing": (normal(lambda s: (2 / s[1]) ** 2), ("relu", "fan_in", "assumed")),
    "truncated he": (truncated(lambda s: (2 / s[1]) ** 0.5), ("relu", "fan_in", "assumed")),
    "truncated tanh": (truncated(lambda s: (25 / 9 / s[1]) ** 0.5), ("linear", "fan_in", "assumed")),
    "of an elu that nothing speaks of": (matrix(normal(lambda s: 3 / sum(s))), ("linear", "fan_avg", "assumed")),
    "glorot without its 2": (matrix(normal(lambda s: 1 / sum(s))), ("linear", "fan_avg", "assumed")),
    "number of weights": (matrix(normal(lambda s: 1 / (s[0] * s[1]))), ("linear", "fan_in", "assumed")),
    "smaller side": (matrix(normal(lambda s: 2 / min(s))), ("relu", "fan_in", "assumed")),
    "constant 5": (normal(lambda s: 5 / s[1]), ("linear", "fan_in", "assumed")),
    "packed gates": (normal(lambda s: 1 / (4 * s[1])), ("linear", "fan_in", "assumed")),
    "sparse, not corrected": (
        lambda s, seed: rng(seed).normal(0, (2 / s[1]) ** 0.5, s) * (rng(seed + 10**6).random(s) < 0.1),
        ("relu", "fan_in", "assumed"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_initializer_is_not_excused_by_its_contract(name):
    draw, (activation, fan, origin) = BROKEN[name]
    found = infer(draw)
    contract = found.contract
    assert (contract.activation, contract.fan, contract.origins["activation"]) == (activation, fan, origin)
    assert contract.gain is None
    assert contract.std is None
    assert contract.notes


def raises(s, seed):
    raise RuntimeError("no such thing")


def leaves(s, seed):
    raise SystemExit(2)


HOSTILE = {
    "raises": raises,
    "exits": leaves,
    "nan": lambda s, seed: np.full(s, np.nan),
    "zeros": lambda s, seed: np.zeros(s),
    "constant": lambda s, seed: np.full(s, 0.1),
    "one number": lambda s, seed: np.full(s, rng(seed).normal()),
    "another shape": lambda s, seed: np.zeros(3),
    "text": lambda s, seed: np.full(s, "x"),
    "nothing": lambda s, seed: None,
    "cauchy": lambda s, seed: rng(seed).standard_cauchy(s),
    "nan at width 1": lambda s, seed: np.full(s, np.nan) if 1 in s else rng(seed).normal(size=s),
    "huge": lambda s, seed: rng(seed).normal(size=s) * 1e200,
    "tiny": lambda s, seed: rng(seed).normal(size=s) * 1e-200,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("layout", [None, "out_in", "hwio"])
def test_nothing_an_initializer_does_makes_inference_raise(name, layout):
    found = infer(HOSTILE[name], layout=layout)
    assert (found.contract.activation, found.contract.origins["activation"]) == ("linear", "assumed")
    assert found.contract.notes
    assert all(isinstance(line, str) for line in found.lines())


def test_where_nothing_could_be_drawn_the_reason_is_quoted():
    found = infer(raises)
    assert found.law is None
    assert found.contract.notes == (
        "No law of the variance was found (no call gave weights: RuntimeError: no such thing); "
        "judged as linear, fan_in.",
    )


def test_the_note_says_that_the_layout_of_a_matrix_function_is_not_known():
    (note,) = infer(matrix(normal(lambda s: 2 / s[1]))).contract.notes
    assert note == (
        "Variance is 2/shape[1]: He fan_in if weights are stored (out, in) as in PyTorch, He fan_out if "
        "(in, out) as in Keras, JAX and x @ W. Assumed (out, in), because that makes this initializer right; "
        'swapped fans cannot be seen this way. Say layout="out_in" or "in_out" to have it checked.'
    )
    (mirrored,) = infer(matrix(normal(lambda s: 2 / s[0]))).contract.notes
    assert "2/shape[0]: He fan_in if weights are stored (in, out)" in mirrored
    assert "Assumed (in, out)" in mirrored


def test_a_symmetric_fan_needs_no_word_about_the_layout():
    assert infer(matrix(normal(lambda s: 2 / sum(s)))).contract.notes == ()


OTHERS = {"leaky_relu(0.2)": 2 / 1.04, "tanh": 2.53620, "gelu": 2.35172, "sigmoid": 3.40856, "elu": 1.55, "silu": 2.81}


@pytest.mark.parametrize("name", OTHERS)
def test_another_activation_is_read_where_a_name_speaks_of_it_and_settles_nothing_else(name):
    draw = normal(lambda s: OTHERS[name] / s[1])
    told, untold = infer(draw, named=f"mynet.inits:for_{name}"), infer(draw, named="mynet.inits:for_anything")
    assert (told.contract.activation, told.contract.origins["activation"], told.unsettled) == (name, "inferred", None)
    assert (untold.contract.activation, untold.contract.origins["activation"]) == ("linear", "assumed")
    assert "right only before" in untold.unsettled
    assert "linear needs 1/fan_in and ReLU 2/fan_in" in untold.unsettled


def test_three_over_both_fans_is_no_elu():
    found = infer(matrix(normal(lambda s: 3 / sum(s))))
    assert found.unsettled == (
        "variance 3/(in + out): right only before elu, which neither a name nor a contract speaks of;"
        " Xavier needs 2/(in + out). Declare activation=elu if that is meant."
    )


HE = "mynet.inits:HeNormal"


def test_a_name_of_he_settles_that_a_relu_is_meant_where_the_constant_is_no_ones():
    twice, elsewhere = (infer(normal(lambda s: 4 / s[1]), named=name) for name in (HE, "he.inits:mine"))
    assert (twice.contract.activation, twice.contract.origins["activation"]) == ("relu", "assumed")
    assert elsewhere.contract.activation == "linear"
    assert infer(normal(lambda s: 2 / s[1]), named=HE).contract.origins["activation"] == "inferred"


def test_a_name_of_he_and_the_variance_of_lecun_leave_the_scale_open():
    found = infer(normal(lambda s: 1 / s[1]), named=HE)
    assert found.unsettled == (
        "variance 1/fan_in: its name speaks of He, whose variance is 2/fan_in. Declare activation=linear if that is"
        " meant, or activation=relu."
    )
    for name in ("mynet.inits:he_linear", "mynet.he:lecun", "mynet.inits:the_init", "mynet.inits:xavier_or_he"):
        assert infer(normal(lambda s: 1 / s[1]), named=name).unsettled is None


def test_a_he_that_is_clipped_to_the_variance_of_lecun_is_known_by_its_law():
    def clipped(s, seed):
        std = (2 / s[1]) ** 0.5
        return np.clip(np.random.default_rng(seed).normal(0, std, s), -std, std)

    found = infer(clipped, named="mynet.inits:he_clipped")
    assert (found.family.name, found.unsettled, found.contract.activation) == ("clipped", None, "relu")
    assert infer(normal(lambda s: 1.03 / s[1]), named="mynet.inits:he_clipped").unsettled is not None


def test_a_third_of_a_rare_gain_is_that_gain_only_where_a_name_speaks_of_it():
    bound_for_std = uniform(lambda s: 1.5335 / np.sqrt(s[1]))
    assert infer(bound_for_std, named="nets:reservoir").contract.activation == "linear"
    assert infer(bound_for_std, named="nets:gelu_init").contract.activation == "gelu"


def test_the_small_weights_of_sine_networks_are_no_mistake_where_a_name_speaks_of_them():
    hidden, first = uniform(lambda s: np.sqrt(6 / s[1]) / 30), uniform(lambda s: 1 / s[1])
    said = "variance 2/(30^2 fan_in): that of a sine network (SIREN), right before sin(30 x). Declare gain=0.047"
    assert infer(hidden, named="nets:sine_init").unsettled.startswith(said)
    assert "the first layer of a sine network" in infer(first, named="siren:first_layer_init").unsettled
    # Without its root it is right nowhere, and without a name it is a mistake.
    assert infer(uniform(lambda s: np.sqrt(6) / s[1] / 30), named="nets:sine_init").unsettled is None
    assert infer(hidden, named="nets:cosine_init").unsettled is None


def only_squares(draw):
    def checked(s, seed):
        if len(s) != 2 or s[0] != s[1]:
            raise ValueError(s)
        return draw(s, seed)

    return checked


def test_what_makes_squares_only_is_looked_at_in_squares():
    matrix_of, plain = only_squares(orthogonal()), only_squares(normal(lambda s: 2 / s[0]))
    assert infer(matrix_of, squares=True).contract.distribution == "orthogonal"
    found = infer(plain, squares=True)
    assert (found.contract.activation, found.law.denominator.name, found.law.exceptions) == ("relu", "fan_in", ())


def test_a_root_that_is_missing_leaves_the_fan_the_mean_of_both():
    found = infer(matrix(normal(lambda s: (2 / sum(s)) ** 2)))
    assert (found.contract.fan, found.contract.origins["fan"]) == ("fan_avg", "assumed")
    assert infer(matrix(normal(lambda s: (1 / s[1]) ** 2))).contract.fan == "fan_in"


def test_a_declared_fan_is_never_said_to_be_judged_as_another():
    draw = normal(lambda s: 0.02**2)
    assert any("judged as fan_in" in note for note in infer(draw).contract.notes)
    assert not any("judged as fan_in" in note for note in infer(draw, fan="fan_avg").contract.notes)


def test_where_convolutions_are_taken_and_not_asked_that_is_said():
    taken = infer(normal(lambda s: 2 / (s[0] + s[1]))).contract.notes
    assert any("Asked of dense shapes only" in note for note in taken)
    assert not any("dense shapes" in note for note in infer(matrix(normal(lambda s: 2 / sum(s)))).contract.notes)


@pytest.mark.parametrize(("layout", "axis", "product"), [("hwio", -2, slice(None, -1)), ("oihw", 1, slice(1, None))])
def test_channels_alone_are_no_fan_of_what_speaks_of_convolutions(layout, axis, product):
    wrong = normal(lambda s: 2 / s[axis])
    found = infer(wrong, kernels_meant=True)
    assert (found.handles_convolutions, found.convolution_layout) == (True, layout)
    assert not any("dense shapes" in note for note in found.contract.notes)
    assert not infer(wrong).handles_convolutions  # a stack of matrices, or code that was written for matrices
    of_both = normal(lambda s: 2 / (s[axis] + s[-1 if axis < 0 else 0]))
    assert infer(of_both, layout=DENSE_OF[layout], kernels_meant=True).convolution_layout == layout
    assert not infer(of_both, layout=DENSE_OF[layout]).handles_convolutions
    right = infer(normal(lambda s: 2 / np.prod(s[product])), kernels_meant=True)
    assert right.convolution_layout == layout


def test_kernels_of_another_layout_than_the_matrices_are_said_not_to_be_asked():
    def of(matrices, kernels):
        return infer(normal(lambda s: 2 / (s[matrices] if len(s) == 2 else np.prod(s[kernels])))).contract.notes

    [note] = [n for n in of(0, slice(1, None)) if n.startswith("Asked of dense shapes only")]
    assert "divides by axes {1, 2, 3} of oihw, another layout than its matrices'" in note
    assert not any("dense shapes" in n for n in [*of(1, slice(1, None)), *of(0, slice(None, -1))])


def test_a_known_layout_turns_he_of_the_other_axis_into_fan_out():
    draw = matrix(normal(lambda s: 2 / s[0]))
    keras, torch = infer(draw, framework="keras"), infer(draw, framework="torch")
    assert (keras.contract.fan, keras.contract.layout) == ("fan_in", "in_out")
    assert keras.contract.notes == ()
    assert (torch.contract.fan, torch.contract.origins["layout"]) == ("fan_out", "known")
    assert "If fan_in was meant, the fans are swapped." in torch.contract.notes[0]
    assert infer(draw, layout="out_in").contract.fan == "fan_out"


def test_kernels_alone_are_read_too():
    def only(rank):
        def draw(s, seed):
            if len(s) != rank:
                raise ValueError(f"rank {len(s)}")
            return normal(lambda s: 2 / first_in(s))(s, seed)

        return draw

    assert infer(only(4), ranks=(4,)).contract.layout == "oihw"
    assert infer(only(3), ranks=(3,)).contract.layout == "oiw"
    assert infer(only(5), ranks=(5,)).contract.layout == "oidhw"
    assert infer(only(4)).contract.activation == "relu"


def test_orthogonal_weights_are_said_to_be_dependent():
    contract = infer(orthogonal()).contract
    assert (contract.distribution, contract.entries) == ("orthogonal", "dependent")
    assert infer(RIGHT["he, in first"][0]).contract.entries is None


def test_a_fixed_std_is_told_how_to_be_declared():
    notes = infer(normal(lambda s: 0.02**2)).contract.notes
    assert any("declare std=0.02 if that is meant" in note for note in notes)


def test_lines_name_law_family_and_contract():
    lines = infer(matrix(normal(lambda s: 2 / s[1]))).lines()
    assert lines[0].startswith("variance      Var w = ")
    assert "/fan_in, within " in lines[0]
    assert lines[1] == "weights       a normal"
    assert lines[2] == "contract      activation relu (inferred), fan fan_in (inferred), layout out_in (assumed)"


def test_the_contract_fills_gaps_and_changes_nothing_declared():
    declared = Contract.from_mapping({"activation": "tanh"})
    filled = declared.filled_by(infer(RIGHT["kaiming oihw"][0]).contract, "inferred")
    assert (filled.activation, filled.fan, filled.layout) == ("tanh", "fan_in", "out_in")
    assert filled.origins == {"activation": "declared", "fan": "inferred", "layout": "inferred"}


def test_the_same_seed_gives_the_same_inference():
    draw = RIGHT["glorot hwio"][0]
    assert infer(draw, seed=3) == infer(draw, seed=3)
    assert infer(draw, seed=3).law != infer(draw, seed=4).law


def test_inference_draws_at_most_260_000_weights():
    drawn = []

    def draw(s, seed):
        drawn.append(int(np.prod(s)))
        return normal(lambda s: 2 / first_in(s))(s, seed)

    infer(draw)
    assert 10_000 < sum(drawn) <= 260_000
    assert len(drawn) <= 200  # calls cost more than small results


def test_an_initializer_that_takes_no_such_rank_is_spared():
    tried = []

    def draw(s, seed):
        tried.append(s)
        raise TypeError("never")

    seen = probe(draw, ranks=(2, 4))
    assert len(tried) == 6
    assert seen.draws == {}
