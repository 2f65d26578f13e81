"""Two models laid side by side: roles, partners, packed matrices, layouts, and what differs in which role."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import initcheck
from initcheck.comparison.weights.matching import match
from initcheck.comparison.weights.roles import Role, roles_of
from initcheck.comparison.weights.tensors import Tensor, tensor_of, tensors_of
from initcheck.errors import UsageError
from initcheck.report.verdict import Verdict

Tree = dict[str, object]


def dense(rng: np.random.Generator, rows: int, columns: int, std: float = 0.1) -> np.ndarray:
    return rng.normal(0, std, (rows, columns))


def packed(seed: int, key_std: float = 0.1) -> Tree:
    rng = np.random.default_rng(seed)
    blocks = {}
    for k in range(2):
        qkv = np.concatenate([dense(rng, 8, 8), dense(rng, 8, 8, key_std), dense(rng, 8, 8)])
        blocks[f"h.{k}"] = {"qkv": qkv, "fc": dense(rng, 16, 8), "norm": np.ones(8)}
    return {"embed": dense(rng, 12, 8), **blocks}


def split(seed: int) -> Tree:
    rng = np.random.default_rng(seed)
    blocks = {
        f"layers.{k}": {**{n: dense(rng, 8, 8) for n in "qkv"}, "up": dense(rng, 16, 8), "scale": np.ones(8)}
        for k in range(2)
    }
    return {"tokens": dense(rng, 12, 8), **blocks}


def test_roles_star_the_number_of_the_block_alone() -> None:
    paths = ["h.0.mlp.0.w", "h.0.mlp.2.w", "h.1.mlp.0.w", "h.1.mlp.2.w", "out"]
    found = roles_of([Tensor(path, "Linear", np.ones((4, 4))) for path in paths])
    assert [(role.path, role.paths) for role in found] == [
        ("h.*.mlp.0.w", ("h.0.mlp.0.w", "h.1.mlp.0.w")),
        ("h.*.mlp.2.w", ("h.0.mlp.2.w", "h.1.mlp.2.w")),
        ("out", ("out",)),
    ]


def test_of_several_of_one_shape_the_likeliest_by_name_is_the_partner() -> None:
    mine = [Role(f"a.{n}.weight", ("a",), (4, 4), 0.5) for n in ("query", "key", "value")]
    theirs = [Role(f"b.{n}_proj.weight", ("b",), (4, 4), 0.5) for n in ("v", "k", "q")]
    found, left, right = match(mine, theirs)
    assert [(x.name, y.name) for x, y in found] == [
        ("a.query.weight", "b.q_proj.weight"),
        ("a.key.weight", "b.k_proj.weight"),
        ("a.value.weight", "b.v_proj.weight"),
    ]
    assert not left
    assert not right


def test_a_name_that_everyone_uses_tells_more_than_the_place() -> None:
    mine = [Role(f"block.*.layer.0.attention.{n}.weight", (n,), (4, 4), 0.05 * k) for k, n in enumerate("qkvo")]
    theirs = [Role(f"blocks.*.{n}.weight", (n,), (4, 4), 0.15 + 0.05 * k) for k, n in enumerate("qkvo")]
    found, _, _ = match(mine, theirs)
    assert [x.name[-8:] == y.name[-8:] for x, y in found] == [True] * 4


def test_a_kernel_of_keras_has_its_units_first() -> None:
    kernel = np.arange(24).reshape(2, 3, 2, 2)
    assert tensor_of("conv/kernel", "keras", kernel).shape == (2, 2, 2, 3)
    assert tensor_of("embed/embedding", "linen", np.ones((9, 4))).shape == (9, 4)
    assert tensor_of("weight", "torch", np.ones((9, 4))).turned is False


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match=r"m:f returns int: expected a torch\.nn\.Module"):
        tensors_of(3, "m:f")


def test_packed_and_split_are_the_same_and_a_piece_that_differs_is_named() -> None:
    same = initcheck.same(packed, split)
    assert same.ok
    [shown] = same.contracts.values()
    assert "h.*.qkv[8:16]" in [part["name"] for part in shown["compared"]]

    def other_key(seed: int) -> Tree:
        return packed(seed, key_std=0.2)

    result = initcheck.same(split, other_key)["start-from-one-law"]
    assert result.verdict.value == "FAILS"
    assert (result.evidence.case or "").startswith("DIFFERENT in 1 of 6; clearest: layers.*.k (h.*.qkv[8:16] in B)")


def test_a_piece_of_a_packed_matrix_that_differs_is_named_by_its_rows() -> None:
    def gates(seed: int, forget: float) -> Tree:
        rng = np.random.default_rng(seed)
        return {"kernel": np.concatenate([dense(rng, 8, 8, std) for std in (0.1, forget, 0.1, 0.1)])}

    report = initcheck.same(lambda seed: gates(seed, 0.1), lambda seed: gates(seed, 0.2))
    likely = report["start-from-one-law"].evidence.likely
    assert likely == "in rows 8 to 15 (piece 2 of 4) B's weights are 2 times A's, in the others they are alike"


def test_few_constants_are_the_same_and_told_from_others() -> None:
    def biased(seed: int, value: float) -> Tree:
        return {"kernel": dense(np.random.default_rng(seed), 8, 8), "bias": np.full(3, value)}

    assert initcheck.same(lambda seed: biased(seed, 0.0), lambda seed: biased(seed + 1, 0.0)).ok
    report = initcheck.same(lambda seed: biased(seed, 0.0), lambda seed: biased(seed, 1.0))
    assert report["start-from-one-law"].evidence.likely == "A is zero everywhere, B is 1 everywhere"


def test_what_has_no_partner_is_named() -> None:
    def with_head(seed: int) -> Tree:
        return {**packed(seed), "head": dense(np.random.default_rng(seed), 5, 8)}

    result = initcheck.same(packed, with_head)["have-the-same-shapes"]
    assert result.verdict.value == "FAILS"
    assert result.evidence.case == "head of B, a tensor of shape (5, 8), has no partner in A"


@pytest.mark.parametrize("rows", [12, 13])
def test_a_head_as_large_as_the_table_of_the_other_may_be_tied_there(rows: int) -> None:
    def with_head(seed: int) -> Tree:
        return {**packed(seed), "head": dense(np.random.default_rng([seed, 1]), rows, 8)}

    case = initcheck.same(packed, with_head)["have-the-same-shapes"].evidence.case or ""
    assert case.startswith(f"head of B, a tensor of shape ({rows}, 8), has no partner in A")
    assert case.endswith(", whose embed is as large: the two may be tied there") == (rows == 12)


def test_a_scaling_by_depth_is_named() -> None:
    def blocks(seed: int, scaled: float) -> Tree:
        rng = np.random.default_rng(seed)
        return {f"h.{k}": {"proj": dense(rng, 16, 16, 0.1 * scaled)} for k in range(3)}

    report = initcheck.same(lambda seed: blocks(seed, 1.0), lambda seed: blocks(seed, 6**-0.5))
    likely = report["start-from-one-law"].evidence.likely
    assert likely == "B's weights are scaled by 1/sqrt(2 L) (L = 3 blocks), A's are not"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_formula_that_other_matrices_follow_too_is_the_one_that_is_meant(swapped: bool) -> None:
    """With twice as many units as inputs 2/fan_out is 1/fan_in, and with three times as many a third of it."""

    def network(seed: int, axis: int) -> Tree:
        rng = np.random.default_rng(seed)
        shapes = {"stem": (40, 12), "twice": (64, 32), "square": (48, 48)}
        return {name: dense(rng, *shape, (2 / shape[axis]) ** 0.5) for name, shape in shapes.items()}

    axes = (1, 0) if swapped else (0, 1)
    report = initcheck.same(*(lambda seed, axis=axis: network(seed, axis) for axis in axes))
    evidence = report["start-from-one-law"].evidence
    assert (evidence.case or "").startswith("DIFFERENT in 2 of 3; clearest: twice: ")
    fans = ("2/fan_in", "2/fan_out") if swapped else ("2/fan_out", "2/fan_in")
    assert (evidence.likely or "").startswith(f"A's variance is {fans[0]}, B's is {fans[1]}: ")


@pytest.mark.parametrize("plain", [True, False])
def test_square_gates_are_drawn_apart_only_where_no_other_matrix_follows_the_fan_of_the_whole(plain: bool) -> None:
    """Of a square gate Glorot's law is that of one fan."""

    def recurrent(seed: int, apart: bool) -> Tree:
        rng = np.random.default_rng(seed)
        made: Tree = {}
        for name, shape, gates in (("into", (96, 16), 3), ("state", (96, 32), 3), ("out", (8, 32), 1)):
            rows = shape[0] // gates if apart else shape[0]
            fans = shape[1] if apart and plain else (rows + shape[1]) / 2
            made[name] = dense(rng, *shape, fans**-0.5)
        return made

    evidence = initcheck.same(lambda seed: recurrent(seed, False), lambda seed: recurrent(seed, True))[
        "start-from-one-law"
    ].evidence
    said = f"{evidence.case} {evidence.likely} {evidence.detail}"
    assert ("A draws the packed matrix (96, 32) at once" in said) is not plain
    assert ("A's variance is 2/(fan_in + fan_out), B's is 1/fan_in" in said) is plain


def test_a_third_is_what_a_uniform_has() -> None:
    def transposed(seed: int, fan: int) -> Tree:
        return {"kernel": dense(np.random.default_rng(seed), 24, 8, fan**-0.5)}

    report = initcheck.same(lambda seed: transposed(seed, 24), lambda seed: transposed(seed, 8))
    likely = report["start-from-one-law"].evidence.likely
    assert (likely or "").startswith("A's variance is 1/fan_out, B's is 1/fan_in: ")


def test_what_is_zero_on_one_side_is_no_factor() -> None:
    def biased(seed: int, value: float) -> Tree:
        return {"kernel": dense(np.random.default_rng(seed), 8, 8), "bias": np.r_[np.zeros(8), np.full(8, value)]}

    case = initcheck.same(lambda seed: biased(seed, 0.0), lambda seed: biased(seed, 1.0))[
        "start-from-one-law"
    ].evidence.case
    assert "bias: DIFFERENT in size, A's weights are all zero" in (case or "")


def test_tensors_without_an_entry_start_from_nothing() -> None:
    def build(std: float = 0.1) -> nn.Module:
        net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 0))
        nn.init.normal_(net[0].weight, std=std)
        return net

    def wider() -> nn.Module:
        return build(0.3)

    same, other = initcheck.same(build, build), initcheck.same(build, wider)
    assert [r.verdict for r in same.results] == [Verdict.HOLDS, Verdict.HOLDS]
    assert [r.verdict for r in other.results] == [Verdict.HOLDS, Verdict.FAILS]


def test_what_four_libraries_call_the_output_of_attention_is_its_partner() -> None:
    names = [f"{n}_proj.weight" for n in ("query", "key", "value", "output")]
    mine = [Role(name, (name,), (4, 4), k / 4) for k, name in enumerate(names)]
    packed, out = "in_proj_weight", "out_proj.weight"
    found, left, right = match(mine, [Role(packed, (packed,), (12, 4), 0.0), Role(out, (out,), (4, 4), 0.5)])
    assert [x.name for x, _ in found] == names
    assert [y.name for _, y in found] == [f"{packed}[0:4]", f"{packed}[4:8]", f"{packed}[8:12]", out]
    assert left == right == []


def test_a_bias_goes_with_the_weight_of_its_module() -> None:
    """Norm and product have names that nobody knows, and biases of one shape."""
    a, b = (
        [Role(path, (path,), shape, k / 6) for k, (path, shape) in enumerate(held)]
        for held in (
            (("n.weight[*]", (4,)), ("n.bias[*]", (4,)), ("m.0.weight[*]", (4, 8)), ("m.0.bias[*]", (4,))),
            (("m2.bias", (4,)), ("m2.weight", (4, 8)), ("norm.bias", (4,)), ("norm.weight", (4,))),
        )
    )
    found = {x.name: y.name for x, y in match(a, b)[0]}
    assert found["n.bias[*]"] == "norm.bias"
    assert found["m.0.bias[*]"] == "m2.bias"


@pytest.mark.parametrize("swapped", [False, True])
def test_matrices_that_are_stored_the_other_way_round_keep_their_names(swapped: bool) -> None:
    """Of a perceptron of d to 2d and back each matrix has the shape that the other one has when it is turned round."""

    def mine(seed: int) -> Tree:
        rng = np.random.default_rng(seed)
        return {f"experts.{k}.{n}": dense(rng, *s) for k in range(3) for n, s in (("w1", (16, 8)), ("w2", (8, 16)))}

    def theirs(seed: int) -> Tree:
        rng = np.random.default_rng(seed)
        stds = (0.2, 0.1) if swapped else (0.1, 0.1)
        return {"w1": rng.normal(0, stds[0], (3, 8, 16)), "w2": rng.normal(0, stds[1], (3, 16, 8))}

    report = initcheck.same(mine, theirs)
    assert [r.verdict for r in report] == [Verdict.HOLDS, Verdict.FAILS if swapped else Verdict.HOLDS]
    if swapped:
        assert "experts.*.w1 (w1[*] in B): DIFFERENT in size" in str(report)
        assert "DIFFERENT in 1 of 2" in str(report)


def test_of_one_matrix_that_fits_as_it_lies_the_name_decides_nothing() -> None:
    mine, theirs = Role("a.fc", ("a",), (8, 4), 0.5), Role("b.fc", ("b",), (4, 8), 0.5)
    found, left, right = match([mine], [Role("b.proj", ("b",), (8, 4), 0.4), theirs])
    assert [(x.name, y.name, y.turned) for x, y in found] == [("a.fc", "b.proj", False)]
    assert (left, right) == ([], [theirs])


@pytest.mark.parametrize("variance", [1.0, 3.0])
def test_statistics_that_are_arrays_of_numpy_are_compared(variance: float) -> None:
    """What Linen keeps beside its parameters is of NumPy where it was read from a file."""

    def kept(seed: int, variance: float = 1.0) -> Tree:
        rng = np.random.default_rng(seed)
        return {"params": {"w": dense(rng, 8, 8)}, "batch_stats": {"mean": np.zeros(8), "var": np.full(8, variance)}}

    report = initcheck.same(kept, lambda seed: kept(seed, variance))
    assert report["start-from-one-law"].verdict is (Verdict.HOLDS if variance == 1 else Verdict.FAILS)
