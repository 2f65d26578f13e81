"""Networks of Keras put together call by call: layers numbered as they are made, several inputs, one tower twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from initcheck.doors.check_model import check_model
from initcheck.errors import UsageError
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

keras = pytest.importorskip("keras")
layers, initializers = keras.layers, keras.initializers

LAW, SIGNAL, INPUT = "siblings-share-one-law", "signal-survives-the-blocks", "input-reaches-the-output"
DISTINCT, REACHED = "tensors-are-distinct", "gradient-reaches-every-tensor"


def _judged(build: Callable[[], Any], *claims: str, batch: str | None = None) -> Report:
    return check_model(build, claims=claims, batch=batch, name="net")


def _residual(first: str, last: str, std: float = 0.3, odd: float = 0.3, blocks: int = 3) -> Any:
    """Blocks of two normed layers beside a stream; ``odd`` is the standard deviation of one kernel of the third."""
    given = x = layers.Input((16,))
    for n in range(blocks):
        made = x
        for m, gamma in enumerate((first, last)):
            kernel = initializers.RandomNormal(stddev=odd if (n, m) == (2, 1) else std)
            made = layers.Dense(16, use_bias=False, kernel_initializer=kernel)(made)
            made = layers.BatchNormalization(gamma_initializer=gamma)(made)
        x = layers.add([x, made])
    return keras.Model(given, layers.Dense(3)(layers.BatchNormalization(gamma_initializer=first)(x)))


def test_gammas_of_zero_that_end_branches_are_no_odd_siblings_and_no_block_without_signal() -> None:
    report = _judged(lambda: _residual("ones", "zeros"), LAW, SIGNAL)
    assert not report.failures, report
    assert any("numbered as they were made" in note for note in report[LAW].notes)


def test_one_kernel_among_layers_that_are_numbered_as_they_were_made_is_odd() -> None:
    assert _judged(lambda: _residual("ones", "ones", odd=3.0), LAW)[LAW].verdict is Verdict.FAILS


def test_where_every_gamma_is_zero_the_gamma_is_named() -> None:
    found = _judged(lambda: _residual("zeros", "zeros", blocks=1), INPUT)[INPUT]
    assert found.verdict is Verdict.FAILS
    assert "gamma is 0" in (found.evidence.likely or "")


def _table(inputs: Callable[[dict[str, Any]], Any]) -> Any:
    numbers = layers.Input((5,), name="numbers")
    words = {n: layers.Input((1,), dtype="int32", name=f"word_{n}") for n in (50, 7)}
    read = [layers.Flatten()(layers.Embedding(n, 4)(word)) for n, word in words.items()]
    made = layers.Dense(2)(layers.Dense(8, activation="relu")(layers.concatenate([numbers, *read])))
    return keras.Model(inputs({"numbers": numbers, "a": words[50], "b": words[7]}), made)


@pytest.mark.parametrize("inputs", [dict, lambda given: list(given.values())], ids=["a dict", "a list"])
def test_several_inputs_are_handed_over_as_the_model_wants_them(inputs: Callable[[dict[str, Any]], Any]) -> None:
    report = _judged(lambda: _table(inputs), INPUT)
    assert report[INPUT].verdict is Verdict.HOLDS, report[INPUT].reason
    batch = report.contracts["net"]["batch"]
    assert {"int<50:2x1", "int<7:2x1", "2x5"} == set(batch.split(";"))


class Placed(layers.Layer):
    """Words and places, added."""

    def __init__(self, places: float) -> None:
        super().__init__()
        self.words = layers.Embedding(40, 16)
        self.places = layers.Embedding(12, 16, embeddings_initializer=initializers.RandomNormal(stddev=places))

    def call(self, given: Any) -> Any:
        return self.words(given) + self.places(keras.ops.arange(12))


def _words(places: float) -> Any:
    given = layers.Input((12,))
    return keras.Model(given, layers.Dense(3)(layers.LayerNormalization()(Placed(places)(given))))


@pytest.mark.parametrize(("places", "verdict"), [(10.0, Verdict.FAILS), (0.05, Verdict.HOLDS)])
def test_what_drowns_the_input_is_said_to(places: float, verdict: Verdict) -> None:
    found = _judged(lambda: _words(places), INPUT, batch="int<40:2x12")[INPUT]
    assert found.verdict is verdict
    assert ("drowned on the way into layer_normalization" in str(found.evidence.case)) is (places == 10.0)


def test_the_bias_of_a_cell_has_two_axes_and_is_a_vector() -> None:
    """The towers of a difference are one: what moves both alike moves nothing."""

    def build() -> Any:
        one, two = layers.Input((6, 3)), layers.Input((6, 3))
        tower = layers.GRU(8)
        return keras.Model([one, two], layers.Dense(1)(layers.subtract([tower(one), tower(two)])))

    report = _judged(build, DISTINCT, REACHED)
    assert not report.failures, report


def test_the_layers_of_a_bidirectional_one_are_called_alike_in_every_build() -> None:
    def build() -> Any:
        given = layers.Input((6, 3))
        return keras.Model(given, layers.Dense(2)(layers.Bidirectional(layers.GRU(4))(given)))

    claim = "rebuilds-the-same"
    assert _judged(build, claim)[claim].verdict is Verdict.HOLDS


class Blocks(keras.Model):
    """Four layers, or one of them four times."""

    def __init__(self, one: bool, trainable: bool = True) -> None:
        super().__init__()
        first = layers.Dense(8)
        self.blocks = [first] * 4 if one else [first, *(layers.Dense(8) for _ in range(3))]
        self.trainable = trainable

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = keras.ops.tanh(block(x))
        return x


@pytest.mark.parametrize("one", [True, False])
def test_a_list_of_one_layer_is_open(one: bool) -> None:
    found = _judged(lambda: Blocks(one), DISTINCT, batch="4x8")[DISTINCT]
    assert ("blocks.0, blocks.1, blocks.2 and 1 more: one layer under 4 names" in str(found.reason)) is one
    assert found.verdict is (Verdict.UNDECIDED if one else Verdict.HOLDS)


@pytest.mark.parametrize("trainable", [True, False])
def test_a_model_of_which_nothing_is_trained_is_open(trainable: bool) -> None:
    found = _judged(lambda: Blocks(False, trainable), REACHED, batch="4x8")[REACHED]
    assert found.verdict is (Verdict.HOLDS if trainable else Verdict.UNDECIDED)
    assert ("no parameter is trainable" in str(found.reason)) is not trainable


def test_two_zeros_behind_one_another_still_fail() -> None:
    def build() -> Any:
        given = layers.Input((8,))
        low = layers.Dense(2, use_bias=False, kernel_initializer="zeros")(given)
        return keras.Model(given, layers.Dense(8)(given) + layers.Dense(8, kernel_initializer="zeros")(low))

    assert _judged(build, DISTINCT)[DISTINCT].verdict is Verdict.FAILS


@pytest.mark.parametrize("kind", ["LSTM", "Dense"])
def test_recurrent_layers_are_no_blocks_and_what_they_let_through_is_no_loss(kind: str) -> None:
    def build() -> Any:
        given = x = layers.Input((8, 16))
        for _ in range(4):
            kernel = {"kernel_initializer": initializers.RandomNormal(stddev=0.1)} if kind == "Dense" else {}
            x = layers.LSTM(16, return_sequences=True)(x) if kind == "LSTM" else layers.Dense(16, **kernel)(x)
        return keras.Model(given, layers.Dense(3)(x))

    found = _judged(build, SIGNAL)[SIGNAL]
    assert found.verdict is (Verdict.NOT_APPLICABLE if kind == "LSTM" else Verdict.FAILS)


class Patched(keras.Model):  # type: ignore[misc, name-defined]
    """Its layers are built by the first call, for whatever that is; images of 32 by 32 alone go through."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = keras.Sequential([layers.Conv2D(8, 4, strides=4), layers.Reshape((64, 8))])
        self.places = self.add_weight(shape=(1, 64, 8), initializer="random_normal", name="places")
        self.head = layers.Dense(4)

    def call(self, images: Any) -> Any:
        return self.head(self.patches(images) + self.places)


def test_a_call_that_fails_leaves_no_layer_built_for_the_next_batch() -> None:
    report = _judged(Patched, INPUT)
    assert report[INPUT].verdict is Verdict.HOLDS


def test_what_keras_raises_is_told_not_where() -> None:
    class Never(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.last = layers.Dense(4)

        def call(self, images: Any) -> Any:
            return self.last(images[:, :5] @ images)

    with pytest.raises(UsageError, match=r'needs a batch, and --batch="8x16" ends in \w+: (?!Exception encountered)'):
        _judged(Never, INPUT)


@pytest.mark.parametrize(("kept", "verdict"), [(1.0, Verdict.HOLDS), (0.0, Verdict.FAILS)])
def test_tokens_are_below_the_rows_of_the_table_that_is_given_them(kept: float, verdict: Verdict) -> None:
    """A row beyond the last is one of NaN on JAX; a table of places beside it has fewer rows."""

    class Places(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = keras.layers.Embedding(40, 16)
            self.places = keras.layers.Embedding(16, 16)
            self.head = keras.layers.Dense(40)

        def call(self, ids: Any) -> Any:
            return self.head(kept * self.tokens(ids) + self.places(keras.ops.arange(ids.shape[1])))

    report = check_model(lambda: Places(), claims=["input-reaches-the-output"], name="net")
    assert report["input-reaches-the-output"].verdict is verdict
