"""A user's activation function, of NumPy, PyTorch, JAX or Keras, as a pair of functions on float64 NumPy arrays."""

from __future__ import annotations

import copy
import dataclasses
import functools
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from initcheck.adapters.signatures.frameworks import framework_of_result, home, is_instance_of, used_by
from initcheck.errors import UsageError
from initcheck.networks.activations import Activation, activation_of
from initcheck.sandbox.containment import InitializerRaised, contained, one_line
from initcheck.sandbox.global_generators import isolated

Array = npt.NDArray[np.float64]
Function = Callable[..., Any]
Kind = Literal["numpy", "torch", "jax", "keras", "scalars"]

_ROWS, _COLUMNS = 7, 6


def read_activation(given: Any, name: str, args: Mapping[str, Any] | None = None) -> Activation:
    """Make an activation of a function, a layer without weights, or a class of such layers.

    >>> read_activation(lambda z: np.maximum(z, 0), "mine").m2
    0.5
    >>> str(read_activation(lambda u, v: np.tanh(u) * v, "gated").gate)
    'gated'

    The function is called on arrays of its own framework, in float64; a framework that it is not of is not imported.
    Its derivative is what automatic differentiation gives, as training will use it; of NumPy a difference quotient on
    the side of a kink that the point lies on.

    Args:
        given: takes one array and returns one of its shape (elementwise), or half of its last axis, or takes two and
            returns one (a gate, phi(u) v).
        name: how it is called in messages.
        args: keyword arguments of the function, or of the class.

    Raises:
        UsageError: it raises, is random, is not elementwise, gives no finite numbers, or is a gate of another form.
    """
    try:
        with contained(), isolated(None):
            function = _callable(given, dict(args or {}), name)
            phi, inputs = _read(function, given, name)
            remake = (read_activation, (given, name, dict(args or {})))
            made = _gate(phi, name) if inputs == 2 else _elementwise(phi, name)
            return dataclasses.replace(made, function=id(given), remake=remake, rounding=phi.rounding)
    except InitializerRaised as error:
        raise UsageError(f"activation {name!r} raises {error}.") from error.original


class _On:
    """A function of arrays of one framework, called with NumPy arrays.

    Attributes:
        function: the user's.
        kind: whose arrays it takes.
        rounding: of the numbers that come back: half a last digit of float64, or of float32.
    """

    def __init__(self, function: Function, kind: Kind, rounding: float) -> None:
        self.function, self.kind, self.rounding = function, kind, rounding
        self.engine = sys.modules["keras"].config.backend() if kind == "keras" else kind

    @property
    def step(self) -> float:
        """Of a difference quotient."""
        return 1e-5 if self.rounding < 1e-12 else 1e-2

    def __call__(self, *z: Array) -> Array:
        with _quiet(self.kind):
            return self._padded(lambda *parts: _plain(self.function(*(_array(part, self.kind) for part in parts))), z)

    def derivative(self, z: Array) -> Array:
        """The derivative at each point."""
        z = np.asarray(z, dtype=np.float64)
        by = {"torch": _by_torch, "jax": _by_jax}.get(self.engine)
        if by is None:
            return _by_differences(self, z, self.step)
        with _quiet(self.kind):
            return self._padded(lambda part: by(self.function, part, self.kind), (z,))

    def _padded(self, run: Callable[..., Array], z: tuple[Array, ...]) -> Array:
        """The same in few sizes where each new one costs a compilation."""
        shape = np.shape(z[0])
        if self.engine != "jax" or len(shape) == 0:
            return run(*z)
        size = int(np.prod(shape))
        room = next(n for n in (4**k for k in range(3, 20)) if n >= size)
        return run(*(np.pad(part.ravel(), (0, room - size)) for part in z))[:size].reshape(shape)


def _elementwise(phi: _On, name: str) -> Activation:
    z = np.linspace(-3.1, 2.9, _ROWS * _COLUMNS)
    shuffled = np.random.default_rng(0).permutation(len(z))
    with np.errstate(all="ignore"):
        here = phi(z)
        # A vector function, such as softmax, sees what else stands in the array.
        alone = np.concatenate([phi(z[:3]), phi(z[3:])])
    if not np.allclose(here[shuffled], phi(z[shuffled]), rtol=1e-5, atol=1e-7, equal_nan=True) or not np.allclose(
        here, alone, rtol=1e-5, atol=1e-7, equal_nan=True
    ):
        raise UsageError(
            f"activation {name!r} is not elementwise, or is random: a value changes with its neighbours, or from call"
            " to call. Its gain depends on the layer and is not that of one pre-activation."
        )
    bad = ~np.isfinite(here)
    if bad.any():
        raise UsageError(f"activation {name!r} gives {here[bad][0]} at z = {z[bad][0]:.3g}; it must be finite there.")

    def f(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return phi(np.asarray(x, dtype=np.float64))

    def derivative(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return phi.derivative(x)

    return activation_of(name, f, derivative)


def _gate(phi: _On, name: str) -> Activation:
    """A gate phi(u) v or u phi(v), whichever the function of two inputs is."""
    u, v = np.linspace(-2.3, 2.4, 25), np.linspace(-1.9, 2.6, 25)[::-1].copy()
    one = np.ones_like(u)
    whole = phi(u, v)
    for inner, product in (
        (lambda z: phi(z, np.ones_like(z)), phi(u, one) * v),
        (lambda z: phi(np.ones_like(z), z), phi(one, v) * u),
    ):
        if np.allclose(whole, product, rtol=1e-5, atol=1e-7):
            gate = activation_of(name, inner, functools.partial(_by_differences, inner, step=phi.step))
            break
    else:
        raise UsageError(
            f"activation {name!r} takes two inputs and is no gate: neither phi(u) v nor u phi(v). Only products are"
            " read, as SwiGLU and its kin are."
        )

    def product_of(z: Array) -> Array:
        first, second = np.split(z, 2, axis=-1)
        return gate.f(first) * second

    degree = None if gate.degree is None else gate.degree + 1
    return Activation(name, None, product_of, gate.derivative, degree=degree, gate=gate)


def _callable(given: Any, args: dict[str, Any], name: str) -> Function:
    """The function itself; of a class of layers an instance, of a layer of PyTorch a copy in float64."""
    if isinstance(given, type):
        wide = {"dtype": "float64"} if is_instance_of(given, "keras.layers", "Layer") else {}
        given, args = given(**{**wide, **args}), {}
    elif is_instance_of(given, "keras.layers", "Layer"):
        given = type(given).from_config({**given.get_config(), "dtype": "float64"})
    if is_instance_of(given, "torch.nn", "Module"):
        # A copy: it is made float64 and put out of training, and the user's own stays as it is.
        random, given = (copy.deepcopy(given).double() for _ in "ab")
        random.train()
        _refuse_random(random, name)
        given.eval()
    if not callable(given):
        raise UsageError(f"activation {name!r} is {type(given).__name__!r}, which cannot be called.")
    return functools.partial(given, **args) if args else given


def _refuse_random(layer: Any, name: str) -> None:
    """Refuse a layer that draws in training: there it is another function than in evaluation."""
    z = _array(np.linspace(-2.0, 2.0, 64), "torch")
    try:
        first, second = _plain(layer(z)), _plain(layer(z))
    except Exception:  # it takes other arrays: what it is is found out below
        return
    if not np.array_equal(first, second, equal_nan=True):
        raise UsageError(
            f"activation {name!r} draws random numbers in training, so that no one function has its gain; pass the"
            " function that it is in evaluation, such as leaky_relu(0.229) for RReLU."
        )


def _read(function: Function, given: Any, name: str) -> tuple[_On, int]:
    """The function on NumPy arrays, and how many of them it takes: 2 of a gate."""
    two = np.random.default_rng(0).standard_normal((2, _ROWS, _COLUMNS))
    why: Exception | None = None
    for kind in _kinds(given):
        called = np.vectorize(_of_reals(function), otypes=[float]) if kind == "scalars" else function
        for inputs in (1, 2):
            try:
                with _quiet(kind):
                    result = called(*(_array(z, kind) for z in two[:inputs]))
                    shape = np.shape(_plain(result))
            except Exception as error:  # whatever a function says of what it cannot take
                why = why or (error if isinstance(error, TypeError) else TypeError(f"it raises {one_line(error)}"))
                continue
            if shape == two[0].shape and framework_of_result(result) is not None:
                values = _plain(result)
                # Whatever dtype it says: a layer of Keras may compute in float32 and cast.
                rough = bool((values.astype(np.float32) == values).all())
                return _On(called, kind, 2.0**-24 if rough else 2.0**-53), inputs
            if inputs == 1 and shape == (_ROWS, _COLUMNS // 2):
                raise UsageError(
                    f"activation {name!r} halves the last axis; write the gate as a function of two inputs, such as"
                    " lambda u, v: silu(u) * v."
                )
            why = why or TypeError(f"of an array of shape {two[0].shape} it makes {_said(result)}")
    raise UsageError(f"activation {name!r} cannot be read as a function of an array: {why}.")


def _kinds(given: Any) -> Iterator[Kind]:
    """The frameworks to try, the function's own first; only what is loaded already."""
    named = [home(given), home(type(given)), *used_by(given)]
    kinds = {
        "torch": "torch", "jax": "jax", "jaxlib": "jax", "flax": "jax", "equinox": "jax", "keras": "keras",
        "numpy": "numpy", "scipy": "numpy",
    }  # fmt: skip
    own = [kinds[n] for n in named if n in kinds]
    loaded = [k for k in ("numpy", "torch", "jax", "keras") if k in sys.modules]
    # A framework that only happens to be loaded is tried last.
    ordered = dict.fromkeys([*own, *loaded])
    yield from (k for k in ordered if k in sys.modules)  # type: ignore[misc]
    yield "scalars"


@contextmanager
def _quiet(kind: str) -> Iterator[None]:
    """Work in float64, where that must be asked for."""
    jax = sys.modules.get("jax")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if jax is not None and kind in ("jax", "keras"):
            with jax.enable_x64(True):
                yield
        else:
            yield


def _array(z: Array, kind: Kind) -> Any:
    if kind == "torch":
        return sys.modules["torch"].from_numpy(np.array(z, dtype=np.float64))
    if kind == "jax":
        return sys.modules["jax"].numpy.asarray(z, dtype="float64")
    if kind == "keras":
        return sys.modules["keras"].ops.convert_to_tensor(z, dtype="float64")
    return np.array(z, dtype=np.float64)


def _plain(result: Any) -> Array:
    if hasattr(result, "detach"):
        result = result.detach().cpu()
    return np.asarray(_real(result), dtype=np.float64)


def _real(result: Any) -> Any:
    if np.iscomplexobj(result):
        raise TypeError("it gives complex numbers, and the moments of an activation are of real ones")
    return result


def _of_reals(function: Function) -> Function:
    """The function of one number, which must be real: as an entry of an array its imaginary part would be dropped."""
    return lambda *z: _real(function(*z))


def _said(result: Any) -> str:
    shape = getattr(result, "shape", None)
    return f"one of shape {tuple(shape)}" if shape is not None else f"a {type(result).__name__}"


def _by_torch(function: Function, z: Array, kind: Kind) -> Array:
    x = _array(z, kind).requires_grad_(True)
    y = function(x)
    if not y.requires_grad:
        return np.zeros_like(z)
    y.sum().backward()
    return np.zeros_like(z) if x.grad is None else _plain(x.grad)


def _by_jax(function: Function, z: Array, kind: Kind) -> Array:
    jax = sys.modules["jax"]
    x = _array(z, kind)
    return _plain(jax.grad(lambda t: function(t).sum())(x))


def _by_differences(f: Callable[[Array], Array], z: Array, step: float) -> Array:
    """The slope of the smoothest of three parabolas: left of the point, about it, or right of it.

    Where none bends more than another there is no kink, and four points give the slope.
    """
    z = np.asarray(z, dtype=np.float64)
    a, b, c, d, e = (np.asarray(f(z + k * step), dtype=np.float64) for k in (-2, -1, 0, 1, 2))
    bends = np.stack([np.abs(a - 2 * b + c), np.abs(b - 2 * c + d), np.abs(c - 2 * d + e)])
    slopes = np.stack([3 * c - 4 * b + a, d - b, -3 * c + 4 * d - e]) / (2 * step)
    # Where nothing bends, the middle is the most exact; rounding alone bends by some 1e-16 of the value.
    noise = 64 * np.finfo(np.float64).eps * (1 + np.abs(c))
    side = np.where(bends[1] <= bends.min(axis=0) * 4 + noise, 1, bends.argmin(axis=0))
    chosen: Array = np.take_along_axis(slopes, side[None], axis=0)[0]
    smooth = bends.max(axis=0) <= bends.min(axis=0) * 4 + noise
    return np.where(smooth, (a - 8 * b + 8 * d - e) / (12 * step), chosen)
