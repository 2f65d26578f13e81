import random

import numpy as np
import pytest
import torch
from hand_made import READABLE, REFUSED

from initcheck.adapters.recognition import recognise
from initcheck.adapters.signatures.arguments import Unfit  # noqa: F401
from initcheck.errors import UsageError
from initcheck.sandbox.global_generators import global_states, watching_generators


def bits(initializer, shape, seeds):
    return [
        initializer.sampler.to_numpy(result).tobytes() for result in initializer.sampler.calls(shape, seeds, "float32")
    ]


@pytest.mark.parametrize(("name", "obj", "signature", "options"), READABLE, ids=[r[0] for r in READABLE])
def test_reads_the_signature_and_draws(name, obj, signature, options):
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    before = global_states()
    how = {key: options[key] for key in ("signature", "args", "parameter") if key in options}
    initializer = recognise(obj, name, **how)
    assert initializer.signature == signature
    for shape in [options["shape"]] if "shape" in options else [(5, 7), (8, 3)]:
        results = initializer.sampler.calls(shape, [1, 2, 3], "float32")
        assert [initializer.sampler.to_numpy(r).shape for r in results] == [shape] * 3
        assert all(np.isfinite(initializer.sampler.to_numpy(r)).all() for r in results)
        together = bits(initializer, shape, [1, 2, 3])
        alone = [bits(initializer, shape, [seed])[0] for seed in (3, 2, 1)][::-1]
        assert together == alone
        assert len(set(together)) == (1 if options.get("constant") else 3)
    if "layout" in options:
        assert initializer.contract.layout == options["layout"]
        assert initializer.contract.origins["layout"] == "known"
    assert global_states() == before


@pytest.mark.parametrize(("name", "obj", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refuses_in_one_clear_sentence(name, obj, words):
    before = global_states()
    with pytest.raises(UsageError) as refusal:
        recognise(obj, name)
    message = str(refusal.value)
    assert words in message
    assert name in message
    assert "\n" not in message
    assert global_states() == before


def test_the_tables_are_long_enough():
    assert len(READABLE) >= 60


def test_a_handed_generator_leaves_the_global_ones_visible():
    # What is handed a generator and draws from the global one must be caught, so its adapter may
    # not seed the global one behind its back.
    def cheats(shape, rng):
        return np.random.normal(size=shape)

    initializer = recognise(cheats, "cheats")
    assert initializer.takes_randomness
    np.random.seed(1)
    [one] = bits(initializer, (4, 4), [0])
    np.random.seed(2)
    [other] = bits(initializer, (4, 4), [0])
    assert one != other
    with watching_generators() as moved:
        initializer.sampler.calls((4, 4), [0], "float32")
    assert moved == {"numpy.random"}


def test_a_good_initializer_moves_no_global_generator():
    initializer = recognise(lambda shape, rng: rng.normal(size=shape), "good")
    with watching_generators() as moved:
        initializer.sampler.calls((4, 4), [0], "float32")
    assert moved == set()


def test_a_generator_used_only_at_large_shapes_is_seeded_from_the_first_call_on():
    def lazy(shape):
        return np.random.normal(size=shape) if np.prod(shape) > 100 else np.ones(shape)

    initializer = recognise(lazy, "lazy")
    assert not initializer.uses_global_generator
    together = bits(initializer, (20, 20), [1, 2, 3])
    assert together == [bits(initializer, (20, 20), [seed])[0] for seed in (1, 2, 3)]
    assert len(set(together)) == 3


def test_one_generator_serves_a_stream_of_shapes():
    initializer = recognise(lambda shape, rng: rng.normal(size=shape), "stream")
    [[first, second, third]] = initializer.sampler.streams([(3, 3), (3, 3), (2, 5)], [7], "float32")
    assert third.shape == (2, 5)
    assert not np.array_equal(first, second)
    [[again, _]] = initializer.sampler.streams([(3, 3), (3, 3)], [7], "float32")
    assert np.array_equal(first, again)


def test_seeds_and_keys_cannot_be_shared():
    initializer = recognise(lambda shape, seed: np.random.default_rng(seed).normal(size=shape), "seed")
    assert initializer.sampler.streams([(3, 3)], [7], "float32") is None


def test_what_every_trial_call_raises_of_is_refused_with_the_error():
    def broken(shape, rng):
        raise ZeroDivisionError("fan is 0")

    with pytest.raises(UsageError, match=r"as \(shape, rng\) it raises ZeroDivisionError: fan is 0"):
        recognise(broken, "broken")
    with pytest.raises(UsageError, match=r"as \(shape, rng\) it raises ZeroDivisionError: fan is 0"):
        recognise(broken, "broken", signature="(shape, rng)")


def test_an_array_of_another_shape_is_for_the_claims_to_judge():
    initializer = recognise(lambda shape, rng: rng.normal(size=shape[0] * shape[1]), "flat")
    assert initializer.signature == "(shape, rng)"
    assert "returns shape (35,) where (5, 7) is asked for" in initializer.notes[0]


def test_what_only_changes_what_it_is_given_is_refused():
    def rescaled(weights, fan_in):
        bound = np.sqrt(6 / fan_in)
        return np.array(weights) * 2 * bound - bound

    with pytest.raises(UsageError, match="leaves what it is given unwritten"):
        recognise(rescaled, "rescaled")


def test_order_beats_letters():
    def normal(n, m, d=1):
        return np.random.normal(size=(n, m, d)).squeeze()

    for function in (normal, lambda m, n: np.random.normal(size=(m, n))):
        assert recognise(function, "f").sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)


class Tensor:
    def __init__(self, data):
        self.data = data


@pytest.mark.parametrize("wrap", [Tensor, lambda a: {"w": a}], ids=["attribute", "dict"])
def test_one_array_inside_another_object_is_what_is_meant(wrap):
    initializer = recognise(lambda shape, rng: wrap(rng.normal(size=shape)), "f")
    assert initializer.sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)


def test_a_factory_that_needs_a_seed_is_made_anew_for_every_draw():
    def make(config, seed):
        rng = np.random.default_rng(seed)
        return lambda shape: config["scale"] * rng.normal(size=shape)

    initializer = recognise(make, "make", args={"config": {"scale": 2.0}})
    assert len(set(bits(initializer, (5, 7), [1, 2, 1]))) == 2


def test_low_precision_results_keep_their_dtype_name():
    initializer = recognise(torch.nn.init.normal_, "normal_")
    [result] = initializer.sampler.calls((3, 3), [0], "bfloat16")
    assert initializer.sampler.dtype_name(result) == "bfloat16"
    assert initializer.sampler.to_numpy(result).dtype == np.float32


def test_an_unknown_dtype_of_torch_is_refused():
    initializer = recognise(torch.nn.init.normal_, "normal_")
    with pytest.raises(Exception, match="torch has no dtype"):
        initializer.sampler.calls((3, 3), [0], "float8_e4m3b11fnuz")


def test_an_unknown_argument_names_the_closest():
    with pytest.raises(UsageError, match="did you mean 'gain'"):
        recognise(lambda shape, rng, gain=1.0: rng.normal(size=shape), "f", args={"gian": 2.0})


def test_an_unknown_role_names_the_closest():
    with pytest.raises(UsageError, match="did you mean 'shape'"):
        recognise(lambda shape, rng: rng.normal(size=shape), "f", signature="(shpe, rng)")


def test_a_signature_without_a_shape_is_refused():
    with pytest.raises(UsageError, match="says nowhere how the shape is passed"):
        recognise(lambda shape, rng: rng.normal(size=shape), "f", signature="(rng)")


@pytest.mark.parametrize("kind", ["list", "string"])
def test_a_result_that_is_no_array_is_named(kind):
    def wrong(shape, rng):
        return [1.0] * shape[1] if kind == "list" else "weights"

    with pytest.raises(UsageError, match=f"returns {'list' if kind == 'list' else 'str'} where an array is expected"):
        recognise(wrong, "wrong")


def test_python_lists_are_drawn_with_pythons_own_generator():
    """As in networks written without a library: rows of floats, from a generator that has gauss."""

    def rows(n_in, n_out, rng):
        return [[rng.gauss(0, n_in**-0.5) for _ in range(n_in)] for _ in range(n_out)]

    initializer = recognise(rows, "rows")
    assert initializer.signature == "(in, out, random.Random)"
    one, two, again = (np.asarray(r) for r in initializer.sampler.calls((3, 5), [1, 2, 1], "float32"))
    assert one.shape == (3, 5)
    assert (one == again).all()
    assert (one != two).any()


@pytest.mark.parametrize(("axes", "ranks"), [(3, (3,)), (5, (5,))])
def test_what_takes_kernels_of_one_number_of_axes_alone_is_asked_for_those(axes, ranks):
    def kernel_only(shape, rng):
        if len(shape) != axes:
            raise ValueError(f"a kernel has {axes} axes, not {len(shape)}")
        return rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)

    assert recognise(kernel_only, "kernel_only").ranks == ranks


def test_what_takes_matrices_too_is_bound_to_no_number_of_axes():
    def any_shape(shape, rng):
        return rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)

    assert recognise(any_shape, "any_shape").ranks == ()


def _into_out(out, seed):
    out[...] = np.random.default_rng(seed).normal(size=out.shape)


def _into_target(target):
    torch.nn.init.xavier_uniform_(target)


def _of_state_dim(state_dim, rng):
    return rng.normal(size=state_dim)


@pytest.mark.parametrize("fill", [_into_out, _into_target])
def test_a_name_of_one_side_may_be_a_tensor_to_fill(fill):
    assert np.shape(recognise(fill, "f").sampler.calls((4, 6), [0], "float32")[0]) == (4, 6)


def test_a_name_of_one_width_is_no_shape():
    with pytest.raises(UsageError, match="It returns a vector"):
        recognise(_of_state_dim, "f")
