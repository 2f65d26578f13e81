"""Models of Flax, Equinox and Keras: the same claims, laws by key or by initializer; only their own is loaded."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from initcheck.doors.check_model import check_model
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

jax = pytest.importorskip("jax")
linen = pytest.importorskip("flax.linen")
nnx = pytest.importorskip("flax.nnx")
jnp = jax.numpy

LAW = "siblings-share-one-law"
DISTINCT = "tensors-are-distinct"
REBUILD = "rebuilds-the-same"
EXACT = [LAW, DISTINCT, REBUILD, "no-value-is-absurd"]


def _said(report: Report, claim: str) -> str:
    evidence = report[claim].evidence
    return "\n".join([evidence.case or "", *evidence.detail])


class NnxBlock(nnx.Module):
    def __init__(self, std: float, rngs: nnx.Rngs) -> None:
        init = nnx.initializers.normal
        self.up = nnx.Linear(8, 16, kernel_init=init(std), rngs=rngs)
        self.down = nnx.Linear(16, 8, kernel_init=init(0.02 / math.sqrt(8)), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self.down(nnx.relu(self.up(x)))


class NnxNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, odd: int | None = None) -> None:
        self.blocks = nnx.List([NnxBlock(0.1 if i == odd else 0.02, rngs) for i in range(4)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for block in self.blocks:
            x = block(x)
        return x


@pytest.mark.long
def test_the_law_of_a_model_of_nnx_is_read_off_its_keys() -> None:
    report = check_model(lambda rngs: NnxNet(rngs), claims=EXACT, name="net")
    assert not report.failures
    roles = {r["path"]: (r["law"], r["formula"]) for r in report.contracts["net"]["roles"]}
    assert roles["blocks.*.up.kernel"] == ("normal std 0.02", "0.02")
    assert roles["blocks.*.down.kernel"] == ("normal std 0.007071", "0.02/sqrt(2L)")


@pytest.mark.long
def test_an_odd_block_of_nnx_fails_with_the_line_that_drew_it() -> None:
    report = check_model(lambda rngs: NnxNet(rngs, odd=2), claims=[LAW])
    assert "blocks.2.up.kernel: drawn as normal std 0.1, its 3 siblings as normal std 0.02" in _said(report, LAW)
    assert "test_other_frameworks.py:" in _said(report, LAW)


@pytest.mark.long
def test_one_key_for_two_draws_is_one_state_whatever_the_shapes() -> None:
    def build(rngs: nnx.Rngs) -> nnx.Module:
        net, key = NnxNet(rngs), rngs.params()
        net.blocks[0].up.kernel = nnx.Param(jax.random.normal(key, (8, 16)) * 0.02)
        net.blocks[1].down.kernel = nnx.Param(jax.random.uniform(key, (16, 8), minval=-0.01, maxval=0.01))
        return net

    said = _said(check_model(build, claims=[DISTINCT]), DISTINCT)
    assert "blocks.0.up.kernel, blocks.1.down.kernel: 2 draws began at one state of the generator" in said


def test_a_factory_that_takes_no_seed_is_built_with_other_seeds_all_the_same() -> None:
    report = check_model(lambda: NnxNet(nnx.Rngs(0)), claims=[REBUILD, DISTINCT])
    assert [r.verdict for r in report] == [Verdict.HOLDS, Verdict.HOLDS]


def test_a_class_of_nnx_is_given_the_generators_that_its_metaclass_hides() -> None:
    report = check_model(NnxNet, claims=[DISTINCT])
    assert [r.verdict for r in report] == [Verdict.HOLDS]


def test_a_seed_that_is_written_inside_a_factory_with_a_key_fails() -> None:
    def build(rngs: nnx.Rngs) -> nnx.Module:
        net = NnxNet(rngs)
        net.blocks[3] = NnxBlock(0.02, nnx.Rngs(7))
        return net

    report = check_model(build, claims=[REBUILD])
    assert "blocks.3.up.kernel: the same bits at another seed" in _said(report, REBUILD)


class Scanned(linen.Module):
    split: bool = True

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        class Layer(linen.Module):
            @linen.compact
            def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
                return x + linen.Dense(8, kernel_init=linen.initializers.normal(0.02))(x), None

        layers = linen.scan(Layer, variable_axes={"params": 0}, split_rngs={"params": self.split}, length=4)
        return layers(name="layers")(x, None)[0]


@pytest.mark.long
def test_layers_that_are_scanned_are_unstacked() -> None:
    report = check_model(lambda: Scanned(), batch="2x8", claims=[*EXACT, "signal-survives-the-blocks"], name="net")
    assert not report.failures
    [kernel] = [r for r in report.contracts["net"]["roles"] if r["random"]]
    assert (kernel["tensors"], kernel["shape"], kernel["law"]) == (4, [8, 8], "normal std 0.02")


def test_a_scan_that_does_not_split_its_keys_makes_copies() -> None:
    report = check_model(lambda: Scanned(split=False), batch="2x8", claims=[DISTINCT])
    assert "are equal bit for bit" in _said(report, DISTINCT)


def test_what_jax_makes_impossible_is_not_applicable_with_the_reason() -> None:
    report = check_model(lambda: Scanned(), batch="2x8", claims=["every-tensor-is-written", "nothing-special-is-lost"])
    assert [r.verdict for r in report] == [Verdict.NOT_APPLICABLE] * 2
    assert report["every-tensor-is-written"].reason == "JAX hands out no memory that nobody wrote"


def test_a_linen_model_that_takes_no_batch_asks_for_one() -> None:
    class Needs(linen.Module):
        @linen.compact
        def __call__(self, graph: dict[str, jax.Array]) -> jax.Array:
            return linen.Dense(4)(graph["nodes"])

    with pytest.raises(Exception, match=r"needs a batch.*give the batch it takes, such as --batch="):
        check_model(lambda: Needs())


def test_an_array_at_two_places_of_an_equinox_tree_is_a_copy() -> None:
    eqx = pytest.importorskip("equinox")

    def build(key: jax.Array) -> object:
        one, two = (eqx.nn.Linear(8, 8, key=k) for k in jax.random.split(key))
        return eqx.nn.Sequential([one, eqx.tree_at(lambda layer: layer.weight, two, one.weight)])

    report = check_model(build, claims=[DISTINCT])
    assert "layers.0.weight, layers.1.weight are equal bit for bit" in _said(report, DISTINCT)


def test_a_slice_that_is_set_later_is_a_note_and_a_part_of_the_law() -> None:
    eqx = pytest.importorskip("equinox")

    def build(key: jax.Array) -> object:
        layers = [eqx.nn.Linear(8, 8, key=k) for k in jax.random.split(key, 4)]
        layers = [eqx.tree_at(lambda n: n.weight, n, n.weight.at[2].set(0.5)) for n in layers]
        return eqx.nn.Sequential(layers)

    report = check_model(build, claims=[LAW])
    assert report[LAW].verdict is Verdict.HOLDS
    assert any("written later" in note and "constant 0.5" in note for note in report[LAW].notes)


def test_what_looks_at_its_numbers_while_it_is_built_is_judged_by_numbers() -> None:
    eqx = pytest.importorskip("equinox")

    def build(key: jax.Array) -> object:
        layers = [eqx.nn.Linear(8, 8, key=k) for k in jax.random.split(key, 4)]
        assert float(jnp.abs(layers[0].weight).max()) > 0
        return eqx.nn.Sequential(layers)

    report = check_model(build, claims=[LAW, DISTINCT], models=3)
    assert report[DISTINCT].verdict is Verdict.HOLDS
    assert any("which key each array was drawn from is not known" in note for note in report[LAW].notes)


def test_an_initializer_of_keras_with_a_seed_that_two_layers_share_draws_once() -> None:
    keras = pytest.importorskip("keras")

    def build() -> object:
        shared = keras.initializers.RandomNormal(stddev=0.1, seed=3)
        dense = [keras.layers.Dense(8, kernel_initializer=shared) for _ in range(3)]
        return keras.Sequential([keras.Input((8,)), *dense])

    report = check_model(build, claims=[DISTINCT, REBUILD], name="net")
    assert "dense_0.kernel, dense_1.kernel, dense_2.kernel are equal bit for bit" in _said(report, DISTINCT)
    assert report.contracts["net"]["roles"][0]["law"] == "normal std 0.1"


def test_a_built_model_of_another_framework_is_refused_in_one_sentence() -> None:
    with pytest.raises(Exception, match="is built already; name the function that builds it"):
        check_model(NnxNet(nnx.Rngs(0)))


@pytest.mark.long
def test_a_model_of_flax_loads_neither_torch_nor_keras(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from flax import nnx\ndef build(rngs):\n    return nnx.Linear(4, 4, rngs=rngs)\n")
    code = (
        "import sys, initcheck.doors.cli as cli\n"
        "cli.main(['model', 'net.py:build', '--claims=tensors-are-distinct'])\n"
        "print([m for m in ('torch', 'keras', 'equinox') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("batch", ["4x6;4x5", "left=4x6;right=4x5"], ids=["in a row", "by name"])
def test_a_functional_model_of_keras_takes_several_inputs_as_one_argument(batch: str) -> None:
    keras = pytest.importorskip("keras")

    def build() -> object:
        left, right = keras.Input((6,), name="left"), keras.Input((5,), name="right")
        both = keras.layers.Concatenate()([keras.layers.Dense(4)(left), keras.layers.Dense(4)(right)])
        return keras.Model([left, right], keras.layers.Dense(2)(both))

    report = check_model(build, batch=batch, claims=["input-reaches-the-output"])
    assert [r.verdict for r in report] == [Verdict.HOLDS], _said(report, "input-reaches-the-output")


def test_a_formula_beside_a_bound_is_that_of_the_bound() -> None:
    class Two(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.glorot = nnx.Linear(8, 16, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)
            self.normal = nnx.Linear(16, 4, kernel_init=nnx.initializers.glorot_normal(), rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.normal(self.glorot(x))

    report = check_model(lambda rngs: Two(rngs), batch="2x8", claims=[LAW], models=1, name="net")
    formulas = {r["path"]: r["formula"] for r in report.contracts["net"]["roles"] if r["random"]}
    assert formulas == {"glorot.kernel": "sqrt(6/(fan_in + fan_out))", "normal.kernel": "sqrt(2/(fan_in + fan_out))"}


def test_weights_of_keras_without_a_name_are_the_same_weights_in_every_build() -> None:
    keras = pytest.importorskip("keras")

    class Scale(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: tuple[int, ...]) -> None:
            self.gain = self.add_weight(shape=(shape[-1],), initializer="random_normal")
            self.shift = self.add_weight(shape=(shape[-1],), initializer="random_normal")

        def call(self, x: object) -> object:
            return x * self.gain + self.shift  # type: ignore[operator]

    report = check_model(lambda: keras.Sequential([keras.Input((20,)), Scale(), Scale()]), claims=[REBUILD], name="net")
    assert [r.verdict for r in report] == [Verdict.HOLDS], _said(report, REBUILD)
    names = [role["path"] for role in report.contracts["net"]["roles"]]
    assert names == ["scale_0.variable_0", "scale_0.variable_1", "scale_1.variable_0", "scale_1.variable_1"]


def test_a_factory_that_imports_its_library_when_it_is_called_is_not_taken_for_one_of_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("torch")
    from initcheck.models.frameworks import recognition

    def build() -> object:
        from flax import linen as layers

        return layers.Dense(3)

    def of_torch() -> object:
        import torch

        return torch.nn.Linear(2, 2)

    for name in ("equinox", "keras", "flax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert recognition._told(of_torch) == "torch"
    assert recognition._told(build) is None  # it is called to see


class Attends(linen.Module):
    """Attention whose biases have the axes of its heads; keys may be kept from the gradient."""

    cut: bool = False

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        keys = jax.lax.stop_gradient(linen.DenseGeneral((2, 8), name="key")(x)) if self.cut else None
        if keys is None:
            return x + linen.MultiHeadDotProductAttention(2)(x, x)
        queries = linen.DenseGeneral((2, 8), name="query")(x)
        return x + linen.Dense(16)(linen.dot_product_attention(queries, keys, keys).reshape(x.shape))


def test_the_bias_of_keys_in_flax_is_a_vector_of_two_axes() -> None:
    claim = "gradient-reaches-every-tensor"
    batch = "2x5x16"
    sound = check_model(lambda: Attends(), batch=batch, claims=[claim], name="net")[claim]
    assert sound.verdict is Verdict.HOLDS, sound.reason
    cut = check_model(lambda: Attends(cut=True), batch=batch, claims=[claim], name="net")[claim]
    assert cut.verdict is Verdict.UNDECIDED
    assert "key.kernel: no gradient leads there" in (cut.reason or "")


def test_a_list_of_one_layer_of_nnx_is_open() -> None:
    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs, one: bool) -> None:
            first = nnx.Linear(8, 8, rngs=rngs)
            self.layers = nnx.List([first if one else nnx.Linear(8, 8, rngs=rngs) for _ in range(3)])

        def __call__(self, x: jax.Array) -> jax.Array:
            for layer in self.layers:
                x = jnp.tanh(layer(x))
            return x

    shared = check_model(lambda rngs: Net(rngs, one=True), batch="4x8", claims=[DISTINCT], name="net")[DISTINCT]
    assert "layers.0, layers.1, layers.2: one layer under 3 names" in str(shared.reason)
    each = check_model(lambda rngs: Net(rngs, one=False), batch="4x8", claims=[DISTINCT], name="net")
    assert each[DISTINCT].verdict is Verdict.HOLDS
