"""Global generators saved, seeded and put back: no call of a user's code leaves one changed."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.random import MT19937

from initcheck.sandbox.pulse import beat

GENERATORS = ("random", "numpy.random", "torch", "keras")

# Bound now: user code may put something else in their place.
_python_state, _set_python_state, _seed_python = random.getstate, random.setstate, random.seed
_numpy_state, _set_numpy_state, _seed_numpy = np.random.get_state, np.random.set_state, np.random.seed
# public, but not declared
_numpy_twister: Callable[[], Any] = np.random.get_bit_generator  # type: ignore[attr-defined]
_set_numpy_twister: Callable[[Any], None] = np.random.set_bit_generator  # type: ignore[attr-defined]

_python_generator: Any = _python_state.__self__  # type: ignore[attr-defined]

# A Mersenne Twister in memory: 624 words and a position, which NumPy puts behind them and Python before.
_TWISTER_BYTES = 625 * 4

_KERAS_SEED = "global_seed_generator"
_watchers: list[set[str]] = []


def _torch() -> Any:
    """Torch where it is loaded; a half-imported one has no generator yet and counts as absent."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and hasattr(torch, "default_generator") else None


def _keras_globals() -> Any:
    """Keras' table of global attributes, where Keras is loaded."""
    return sys.modules.get("keras.src.backend.common.global_state")


def _cuda(torch: Any) -> Any:
    """CUDA's generators exist only once CUDA was initialised; asking earlier would initialise it."""
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


@functools.cache
def _python_address() -> int | None:
    """Where the memory of Python's global generator begins; None where it does not lie behind the object's head."""
    address = id(_python_generator) + object.__basicsize__
    if type(_python_generator).__basicsize__ < object.__basicsize__ + _TWISTER_BYTES:
        return None
    _, (*words, position), _ = _python_state()
    held = np.frombuffer(ctypes.string_at(address, _TWISTER_BYTES), dtype=np.uint32)
    return address if held.tolist() == [position, *words] else None


def _python_memory() -> bytes | None:
    """The memory of Python's global generator: ten times as fast as its state; None where that does not tell all."""
    address = _python_address()
    if address is None or _python_generator.gauss_next is not None:
        return None
    return ctypes.string_at(address, _TWISTER_BYTES)


def _python_state_of(memory: bytes) -> Any:
    """The state whose memory that is, as ``setstate`` takes it."""
    position, *words = np.frombuffer(memory, dtype=np.uint32).tolist()
    return _python_generator.VERSION, (*words, position), None


def _numpy_memory() -> bytes | None:
    """The memory of NumPy's global generator: 30 times as fast as its state; None where it is no Mersenne Twister."""
    twister = _numpy_twister()
    if type(twister) is not MT19937:
        return None
    return ctypes.string_at(twister.ctypes.state_address, _TWISTER_BYTES)


def _put_numpy_memory_back(memory: bytes) -> None:
    """Set NumPy's global generator to a state that holds no spare normal number, 15 times as fast as ``set_state``."""
    _seed_numpy(0)  # drops a spare normal number, which is not in that memory
    ctypes.memmove(_numpy_twister().ctypes.state_address, memory, _TWISTER_BYTES)


class _NumpyStates:
    """The state of NumPy's global generator, read again only where its memory has changed.

    Beside that memory the state holds the second of a pair of normal numbers, if one is left over. A state that holds
    one is never kept, as its memory does not tell.
    """

    def __init__(self) -> None:
        self._memory: bytes | None = None
        self._state: Any = None

    def of(self, memory: bytes | None) -> Any:
        """The state whose memory that is, as ``set_state`` takes it."""
        if memory is None or memory != self._memory:
            self._state = _numpy_state()
            self._memory = memory if memory is not None and not self._state[3] else None
        return self._state


_numpy_states = _NumpyStates()


@contextmanager
def isolated(seed: int | None = None) -> Iterator[None]:
    """Save every global generator, seed them all, and put them back at the end, whatever happened inside.

    >>> import random
    >>> random.seed(7)
    >>> with isolated(0):
    ...     inside = random.random()
    >>> after = random.random()
    >>> random.seed(7)
    >>> after == random.random()
    True

    Args:
        seed: a whole number in [0, 2^31); None leaves the generators where they are, so that what is done
            inside sees the caller's state and yet leaves no trace.
    """
    python_memory = _python_memory()
    python: Any = _python_state() if python_memory is None else None
    twister = _numpy_twister()
    numpy_memory = _numpy_memory()
    legacy = _numpy_states.of(numpy_memory)
    torch: Any = _torch()
    torch_state = torch.default_generator.get_state() if torch is not None else None
    cuda: Any = _cuda(torch) if torch is not None else None
    cuda_states = cuda.get_rng_state_all() if cuda is not None else None
    keras = _keras_globals()
    keras_generator: Any = keras.get_global_attribute(_KERAS_SEED) if keras is not None else None
    keras_state = _keras_state(keras_generator)
    threads = torch.get_num_threads() if torch is not None else 1
    if threads > 1:
        # The last bits of a QR decomposition depend on the number of threads: with it, the same seed would give
        # other weights in a worker.
        torch.set_num_threads(1)
    if seed is not None:
        seed_globals(seed)
    before = global_states() if _watchers else None
    try:
        yield
    finally:
        beat()
        if before is not None:
            _report(before)
        if python_memory is None:
            _set_python_state(python)
        elif _python_memory() != python_memory:
            _set_python_state(_python_state_of(python_memory))
        if _numpy_twister() is not twister:
            _set_numpy_twister(twister)
        if numpy_memory is None or legacy[3]:
            _set_numpy_state(legacy)
        elif _numpy_memory() != numpy_memory:
            _put_numpy_memory_back(numpy_memory)
        if torch_state is not None:
            torch.default_generator.set_state(torch_state)
        if threads > 1:
            torch.set_num_threads(threads)
        if cuda_states is not None:
            cuda.set_rng_state_all(cuda_states)
        if keras is not None:
            keras.set_global_attribute(_KERAS_SEED, keras_generator)
            if keras_state is not None and not np.array_equal(_keras_state(keras_generator), keras_state):
                keras_generator.state.assign(keras_state)


def seed_globals(seed: int, only: frozenset[str] | None = None) -> None:
    """Seed the global generators of that name, all of them by default.

    Keras' own is taken away instead: Keras makes the next one from Python's ``random``, which is seeded here.
    """
    if only is None or "random" in only or "keras" in only:
        _seed_python(seed)
    if only is None or "numpy.random" in only:
        _seed_numpy(seed)
    if only is None or "torch" in only:
        torch = _torch()
        if torch is not None:
            torch.default_generator.manual_seed(seed)
            cuda = _cuda(torch)
            if cuda is not None:
                cuda.manual_seed_all(seed)
    if only is None or "keras" in only:
        keras = _keras_globals()
        if keras is not None:
            keras.set_global_attribute(_KERAS_SEED, None)


def global_states() -> dict[str, bytes]:
    """Digest of the state of every global generator of what is loaded, by name."""
    states = {name: _digest(repr(_raw(name)).encode()) for name in ("random", "numpy.random")}
    torch = _torch()
    if torch is not None:
        parts = [torch.default_generator.get_state().numpy().tobytes()]
        cuda = _cuda(torch)
        if cuda is not None:
            parts += [state.numpy().tobytes() for state in cuda.get_rng_state_all()]
        states["torch"] = _digest(*parts)
    keras = _keras_globals()
    if keras is not None:
        state = _keras_state(keras.get_global_attribute(_KERAS_SEED))
        states["keras"] = _digest(b"none" if state is None else state.tobytes())
    return states


def unseen_moves(known: frozenset[str]) -> Callable[[], frozenset[str]]:
    """Remember the generators outside ``known``; the result says later which of them moved.

    Cheaper than ``global_states``, because it runs around every batch of calls.
    """
    names = [name for name in GENERATORS if name not in known]
    before = {name: _mark(name) for name in names}
    return lambda: frozenset(name for name in names if _mark(name) != before[name])


def _mark(name: str) -> Any:
    """What changes whenever a generator that was just seeded moves."""
    memory = _python_memory() if name == "random" else _numpy_memory() if name == "numpy.random" else None
    return memory or _raw(name)


def _raw(name: str) -> Any:
    if name == "random":
        return _python_state()
    if name == "numpy.random":
        kind, keys, *rest = _numpy_state(legacy=True)
        return kind, np.asarray(keys).tobytes(), rest
    if name == "torch":
        torch = _torch()
        return None if torch is None else torch.default_generator.get_state().numpy().tobytes()
    keras = _keras_globals()
    state = None if keras is None else _keras_state(keras.get_global_attribute(_KERAS_SEED))
    return None if state is None else state.tobytes()


@contextmanager
def watching_generators() -> Iterator[set[str]]:
    """Collect the names of the global generators that calls made inside leave moved, isolated as they are.

    ``isolated`` puts every state back, so that looking before and after a call shows nothing; it reports here
    what it had to put back.

    >>> import random
    >>> with watching_generators() as moved, isolated(3):
    ...     _ = random.random()
    >>> sorted(moved)
    ['random']
    """
    moved: set[str] = set()
    _watchers.append(moved)
    try:
        yield moved
    finally:
        _watchers.remove(moved)


def _report(before: dict[str, bytes]) -> None:
    after = global_states()
    for name, state in before.items():
        if after[name] != state:
            for watcher in _watchers:
                watcher.add(name)


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()


def _keras_state(generator: Any) -> Any:
    return None if generator is None else np.asarray(generator.state.value)
