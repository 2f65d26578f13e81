import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import torch

from initcheck.sandbox import global_generators
from initcheck.sandbox.global_generators import global_states, isolated, seed_globals, unseen_moves, watching_generators


def draw_from_all():
    random.random()
    np.random.normal()
    torch.rand(1)
    keras.random.normal((1,))


def test_puts_back_every_generator_bit_for_bit():
    draw_from_all()
    before = global_states()
    assert set(before) == {"random", "numpy.random", "torch", "keras"}
    with isolated(3):
        draw_from_all()
    assert global_states() == before


def test_puts_back_the_second_half_of_a_pair_of_normals():
    # NumPy's legacy generator keeps every other normal for the next call.
    np.random.seed(0)
    np.random.normal()
    with isolated(3):
        np.random.normal(size=3)
    kept = np.random.normal()
    np.random.seed(0)
    np.random.normal()
    assert np.random.normal() == kept


def test_puts_back_after_an_exception_too():
    before = global_states()

    def fails():
        draw_from_all()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), isolated(3):
        fails()
    assert global_states() == before


def test_the_seed_decides_what_is_drawn_inside():
    drawn = []
    for seed in (1, 1, 2):
        with isolated(seed):
            drawn.append((random.random(), np.random.normal(), float(torch.rand(1))))
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))


def test_without_a_seed_the_callers_state_is_seen():
    np.random.seed(11)
    expected = np.random.normal()
    np.random.seed(11)
    with isolated(None):
        assert np.random.normal() == expected
    assert np.random.normal() == expected


@pytest.mark.parametrize("name", ["random", "numpy.random", "torch", "keras"])
def test_watching_names_the_generator_that_moved(name):
    draws = {
        "random": random.random,
        "numpy.random": np.random.normal,
        "torch": lambda: torch.rand(1),
        "keras": lambda: keras.random.normal((1,)),
    }
    keras.random.normal((1,))  # so that Keras has its generator, and need not ask Python's for a seed
    with watching_generators() as moved, isolated(None):
        draws[name]()
    assert moved == {name}


def test_watching_is_silent_where_nothing_moved():
    with watching_generators() as moved, isolated(None):
        np.random.default_rng(0).normal()
    assert moved == set()


def test_seeding_one_generator_leaves_the_others():
    with isolated(0):
        before = global_states()
        seed_globals(5, frozenset({"numpy.random"}))
        after = global_states()
    assert {name for name in before if before[name] != after[name]} == {"numpy.random"}


def test_unseen_moves_leaves_out_what_is_known():
    with isolated(0):
        moved = unseen_moves(frozenset({"random"}))
        random.random()
        assert moved() == frozenset()
        np.random.normal()
        assert moved() == {"numpy.random"}


def test_no_framework_is_imported():
    code = (
        "import sys, numpy\n"
        "from initcheck.targets.loading import load\n"
        "def f(shape, rng): return rng.normal(size=shape)\n"
        "def g(shape): return numpy.random.normal(size=shape)\n"
        "class C:\n"
        "    def __init__(self, seed=None): self.r = numpy.random.default_rng(seed)\n"
        "    def __call__(self, shape): return self.r.normal(size=shape)\n"
        "for target in (f, g, C, lambda a, b: b.normal(size=a)):\n"
        "    [i] = load(target).initializers\n"
        "    i.sampler.calls((4, 4), [1, 2], 'float32')\n"
        "absent = {'torch', 'jax', 'keras', 'flax', 'equinox', 'tensorflow', 'scipy'} & set(sys.modules)\n"
        "assert not absent, absent\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_number_of_threads_changes_no_bit_and_is_put_back():
    from initcheck.adapters.recognition import recognise

    initializer = recognise(torch.nn.init.orthogonal_, "orthogonal_")
    before = torch.get_num_threads()
    bits = set()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            [weights] = initializer.sampler.calls((256, 256), [7], "float32")
            bits.add(weights.numpy().tobytes())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert len(bits) == 1


def test_a_spare_normal_survives_though_the_generator_did_not_move():
    # Its memory is the same before and after the spare number is taken: only the state tells.
    np.random.seed(0)
    first = [np.random.normal() for _ in range(4)]
    np.random.seed(0)
    np.random.normal()
    for _ in range(2):
        with isolated(None):
            assert np.random.normal() == first[1]
    with isolated(None):
        pass
    assert [np.random.normal() for _ in range(3)] == first[1:]
    with isolated(None):
        pass
    np.random.seed(0)
    assert [np.random.normal() for _ in range(4)] == first


def test_a_spare_normal_of_pythons_generator_survives():
    random.seed(0)
    first = [random.gauss(0, 1) for _ in range(4)]
    random.seed(0)
    random.gauss(0, 1)
    for _ in range(2):
        with isolated(None):
            assert random.gauss(0, 1) == first[1]
    with isolated(3):
        random.gauss(0, 1)
    assert [random.gauss(0, 1) for _ in range(3)] == first[1:]


def test_a_spare_normal_that_is_left_inside_does_not_come_out_of_pythons_generator():
    random.seed(4)
    first = random.gauss(0, 1)
    random.seed(4)
    with isolated(None):
        random.gauss(0, 1)  # leaves the second of its pair
    assert random.gauss(0, 1) == first


def test_the_memory_of_pythons_generator_is_its_state():
    random.seed(7)
    random.random()
    memory = global_generators._python_memory()
    assert memory is not None
    assert global_generators._python_state_of(memory) == random.getstate()


@pytest.mark.parametrize("address", [None, "where it lies"])
def test_pythons_generator_is_put_back_wherever_it_lies(monkeypatch, address):
    if address is None:
        monkeypatch.setattr(global_generators, "_python_address", lambda: None)
    random.seed(7)
    expected = random.random()
    random.seed(7)
    with isolated(None):
        moved = unseen_moves(frozenset())
        assert random.random() == expected
        assert moved() == {"random"}
    with isolated(3):
        random.shuffle([1, 2, 3])
    assert random.random() == expected


def test_a_caller_may_have_another_bit_generator():
    kept = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.MT19937(3))
    try:
        expected = np.random.random()
        np.random.set_bit_generator(np.random.MT19937(3))
        with isolated(5):
            np.random.random()
        assert np.random.random() == expected
    finally:
        np.random.set_bit_generator(kept)


def test_a_bit_generator_that_is_exchanged_inside_is_put_back():
    before = global_states()
    with isolated(5):
        np.random.set_bit_generator(np.random.PCG64(3))
        np.random.random()
    assert global_states() == before
    assert type(np.random.get_bit_generator()) is np.random.MT19937


def test_what_is_left_over_inside_does_not_come_out():
    np.random.seed(4)
    first = np.random.normal()
    np.random.seed(4)
    with isolated(None):
        np.random.normal()  # leaves the second of its pair
    assert np.random.normal() == first
