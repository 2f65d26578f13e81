"""What reaches the layers of a living model, and its arrays, in each library that Keras runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import Autodiff, weights_of_output
from initcheck.models.living.leaves import Leaf
from initcheck.models.living.live_arrays import LiveArrays
from initcheck.models.living.model import Layer, Living, Tap
from initcheck.models.living.visits import visits_of
from initcheck.models.signals.first_loss import first_loss
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import Signal

DEPTH, WIDTH, ROWS = 5, 6, 4


class Chain(Living):
    """x times one matrix after another; a number of rounds stands among its arrays."""

    name = "Chain"
    leaves = [Leaf((f"block_{i}", "kernel"), "Dense") for i in range(DEPTH)] + [Leaf(("rounds",), "Chain", False)]
    layers = tuple(Layer((f"block_{i}",), "Dense") for i in range(DEPTH))

    def __init__(self, array: Callable[[Any], Any], dead: int | None = None) -> None:
        self.array, self.dead = array, dead

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        x = self.array(batch.args[0])
        for i in range(DEPTH):
            given, x = x, (x if self.dead != i else x * 0.0) @ arrays[i]
            if tap is not None and f"block_{i}" in heard:
                x = tap(f"block_{i}", ((given,), {}), x)
        return {"logits": x, "rounds": arrays[-1]}

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        return [f"{ROWS}x{WIDTH}"]


def _jax() -> tuple[Autodiff, Any]:
    jax = pytest.importorskip("jax")
    from initcheck.models.living.jax_autodiff import JaxAutodiff  # JAX is optional

    return JaxAutodiff(), jax.numpy.asarray


def _torch() -> tuple[Autodiff, Any]:
    torch = pytest.importorskip("torch")
    from initcheck.models.living.torch_autodiff import TorchAutodiff  # torch is optional

    return TorchAutodiff(), torch.as_tensor


def _tensorflow() -> tuple[Autodiff, Any]:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    from initcheck.models.living.tensorflow_autodiff import TensorFlowAutodiff  # TensorFlow is optional

    return TensorFlowAutodiff(), tensorflow.convert_to_tensor


LIBRARIES = {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}


def _numbers() -> tuple[list[Any], Any]:
    generator = np.random.default_rng(3)
    matrices = [generator.standard_normal((WIDTH, WIDTH), dtype=np.float32) for _ in range(DEPTH)]
    return [*matrices, np.int32(2)], generator.standard_normal((ROWS, WIDTH), dtype=np.float32)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_reaches_a_layer_is_what_the_chain_rule_says(library: str) -> None:
    autodiff, array = LIBRARIES[library]()
    numbers, x = _numbers()
    names = [f"block_{i}" for i in range(DEPTH)]
    found = autodiff.measure(Chain(array), [array(a) for a in numbers], ArrayBatch((x,)), names)
    made = [x]
    for matrix in numbers[:DEPTH]:
        made.append(made[-1] @ matrix)
    reach = [weights_of_output((ROWS, WIDTH))]
    for matrix in numbers[DEPTH - 1 : 0 : -1]:
        reach.insert(0, reach[0] @ matrix.T)
    np.testing.assert_allclose(found.output, made[-1], rtol=1e-4)
    np.testing.assert_allclose([found.forward[n] for n in names], [(m**2).mean() for m in made[1:]], rtol=1e-4)
    np.testing.assert_allclose([found.backward[n] for n in names], [(g**2).mean() for g in reach], rtol=1e-4)
    for i, gradient in enumerate(found.gradients):
        np.testing.assert_allclose(autodiff.host(gradient), made[i].T @ reach[i], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("library", LIBRARIES)
def test_behind_a_dead_layer_no_gradient_comes_and_no_input_arrives(library: str) -> None:
    _, array = LIBRARIES[library]()
    numbers, x = _numbers()

    def heard(model: Chain) -> Signal:
        live = LiveArrays(LIBRARIES[library]()[0], model, [array(a) for a in numbers])
        return Listener(lambda: ArrayBatch((x,))).hear(live, whole=True)

    sound, dead = heard(Chain(array)), heard(Chain(array, dead=3))
    [whole], [cut] = sound.chains, dead.chains
    assert whole.blocks == cut.blocks == tuple(f"block_{i}" for i in range(DEPTH))
    assert all(m > 0 for m in (*whole.forward, *whole.backward))
    assert (cut.forward[3:], cut.backward[:3]) == ((0.0, 0.0), (0.0, 0.0, 0.0))
    assert sound.reach is not None
    assert sound.reach.share > 0.1
    assert dead.reach is not None
    assert (dead.reach.share, dead.reach.lost_in) == (0.0, "block_3")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_signal_near_the_end_of_float32_keeps_its_size_and_one_beyond_is_infinite(library: str) -> None:
    autodiff, array = LIBRARIES[library]()
    ten = 10 * np.eye(WIDTH, dtype=np.float32)
    x = np.full((ROWS, WIDTH), 3e37, np.float32)
    given = [array(a) for a in (*[ten] * DEPTH, np.int32(2))]
    with np.errstate(all="ignore"):
        found = autodiff.measure(Chain(array), given, ArrayBatch((x,)), ["block_0", "block_1"])
    assert found.forward["block_0"] == pytest.approx(9e76, rel=1e-3)
    assert found.forward["block_1"] == np.inf


class Windowed(Living):
    """A table beside a matrix: never used, or multiplied by a gate that is zero as it is."""

    name = "Windowed"
    leaves = (Leaf(("dense", "kernel"), "Dense"), Leaf(("table",), "Windowed"), Leaf(("gate",), "Windowed"))
    layers = (Layer(("dense",), "Dense"),)

    def __init__(self, array: Callable[[Any], Any], *, gated: bool) -> None:
        self.array, self.gated = array, gated

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        made = self.array(batch.args[0]) @ arrays[0]
        return made + arrays[2] * arrays[1][0] if self.gated else made

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        return [f"{ROWS}x{WIDTH}"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_constant_that_the_batch_does_not_use_is_told_from_one_beside_another_zero(library: str) -> None:
    _, array = LIBRARIES[library]()
    numbers, _ = _numbers()
    zeros = np.zeros((3, WIDTH), np.float32), np.zeros(WIDTH, np.float32)
    arrays = [array(a) for a in (numbers[0], *zeros)]
    for gated, kind in ((False, "unreached"), (True, "zero")):
        live = LiveArrays(LIBRARIES[library]()[0], Windowed(array, gated=gated), arrays)
        assert Listener(None).hear(live, ["table"]).gradients == {"table": kind}


class Classifier(Living):
    """A matrix named as a head is, with a softmax behind it or without."""

    name = "Classifier"
    leaves = (Leaf(("head", "kernel"), "Dense"),)
    layers = (Layer(("head",), "Dense"),)

    def __init__(self, softmax: Any) -> None:
        self.softmax = softmax

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        return self.softmax(batch.args[0] @ arrays[0])

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        return [f"{ROWS}x{WIDTH}"]


@pytest.mark.parametrize("size", [0.01, 3.0])
def test_the_first_loss_is_the_same_whether_a_model_ends_in_a_softmax_or_not(size: float) -> None:
    jax = pytest.importorskip("jax")
    weight = jax.numpy.asarray(size * _numbers()[0][0])
    losses = []
    for end in (lambda x: x, jax.nn.softmax):
        found = Listener(None).hear(LiveArrays(_jax()[0], Classifier(end), [weight]))
        assert found.classes == WIDTH
        losses.append(found.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert (losses[0] < np.log(WIDTH) + 0.5) == (size < 1)


def test_the_first_loss_of_a_few_examples_is_that_of_all_targets() -> None:
    """Of two images one target each is chance: the same logits lose as much whatever is drawn."""
    logits = np.log(np.array([[0.5, 0.25, 0.125, 0.125]] * 2, np.float32))
    found = first_loss(SimpleNamespace(classes=lambda _: {4}), logits)  # type: ignore[arg-type]
    assert found[:2] == (pytest.approx((1 + 2 + 3 + 3) / 4 * np.log(2)), 4)


@pytest.mark.parametrize("fill", [-np.inf, np.finfo(np.float32).min, -1e9])
def test_a_class_that_is_masked_everywhere_is_no_target(fill: float) -> None:
    logits = np.array([[0.5, -1.0, 0.1, fill], [2.0, 0.3, 0.0, fill]], np.float32)
    told = SimpleNamespace(classes=lambda _: {3, 4})
    masked, without = (first_loss(told, x) for x in (logits, logits[:, :3]))  # type: ignore[arg-type]
    assert masked == pytest.approx(without)


def test_logits_that_explode_mask_nothing() -> None:
    """Neither the least logit of each input, nor classes whose share a softmax rounds to zero."""
    logits = 1e6 * np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    shares = np.eye(8, dtype=np.float32)[[0, 0, 0, 0]]
    for one in (logits, shares):
        loss, classes, _ = first_loss(SimpleNamespace(classes=lambda _: {8}), one)  # type: ignore[arg-type]
        assert classes == 8
        assert loss is not None
        assert loss > 50


def test_of_small_constants_those_that_no_step_moves_are_no_gates() -> None:
    jax = pytest.importorskip("jax")
    dead = Classifier(lambda x: 0.3 + jax.nn.relu(x - 0.2))
    assert dead.leaves[0].trainable
    reach = Listener(None).hear(LiveArrays(_jax()[0], dead, [jax.numpy.full((WIDTH, WIDTH), 0.01)]), whole=True).reach
    assert reach is not None
    assert (reach.share, reach.closed) == (0.0, None)


@pytest.mark.parametrize("closed", [True, False], ids=["zero head", "constant"])
def test_a_zero_head_that_a_map_hides_is_no_input_that_is_lost(closed: bool) -> None:
    jax = pytest.importorskip("jax")
    weight = jax.numpy.zeros((WIDTH, WIDTH))
    lost = Classifier(lambda x: x if closed else 0.0 * x)
    lost.layers = ()  # nobody can listen to it
    reach = Listener(None).hear(LiveArrays(_jax()[0], lost, [weight]), whole=True).reach
    assert reach is not None
    assert (reach.share, reach.lost_in) == (0.0, None)
    assert (reach.closed is not None) is closed


class Counted(Chain):
    """Notes whether each run was one on numbers; one that looks at them cannot be traced."""

    def __init__(self, array: Callable[[Any], Any], *, looks: bool) -> None:
        super().__init__(array)
        self.looks, self.on_numbers = looks, list[bool]()

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        jax = pytest.importorskip("jax")
        self.on_numbers.append(not any(isinstance(a, jax.core.Tracer) for a in arrays))
        if self.looks:
            assert float(arrays[0].sum()) != 0
        return super().run(arrays, batch, tap, heard)


def test_no_model_of_jax_is_run_step_by_step_where_a_trace_tells_as_much() -> None:
    autodiff, array = _jax()
    numbers, x = _numbers()
    arrays, living, looking = [array(a) for a in numbers], Counted(array, looks=False), Counted(array, looks=True)
    signal = Listener(lambda: ArrayBatch((x,))).hear(LiveArrays(autodiff, living, arrays), whole=True)
    assert living.on_numbers
    assert not any(living.on_numbers)
    assert [len(chain.blocks) for chain in signal.chains] == [DEPTH]
    assert signal.reach is not None
    # What looks at its numbers has the same blocks.
    visits, hidden, output = visits_of(_jax()[0], looking, arrays, ArrayBatch((x,)))
    assert looking.on_numbers == [False, True]
    assert [v.name for v in visits] == list(signal.chains[0].blocks)
    assert not hidden
    assert output.shape == (ROWS, WIDTH)


def test_the_output_of_what_was_compiled_is_that_of_a_run() -> None:
    autodiff, array = _jax()
    numbers, x = _numbers()
    arrays, living = [array(a) for a in numbers], Chain(array)
    alone = autodiff.output(living, arrays, ArrayBatch((x,)))
    autodiff.measure(living, arrays, ArrayBatch((x,)), [])
    for batch in (x, x[::-1]):
        together = autodiff.output(living, arrays, ArrayBatch((batch,)))
        np.testing.assert_allclose(together, alone if batch is x else alone[::-1], rtol=1e-4, atol=1e-4)
