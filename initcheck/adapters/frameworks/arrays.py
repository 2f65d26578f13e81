"""Results of any framework read as NumPy arrays, without importing that framework."""

from __future__ import annotations

import array
import contextlib
import hashlib
import inspect
import numbers
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.errors import UsageError

# Where an array of another library says what NumPy makes of it: TensorFlow's and tinygrad's way, MXNet's, Theano's.
_SAYS_NUMPY = ("numpy", "asnumpy", "get_value")

_PARTS = ("real", "imag")
STACK = "*"
"""The ``parameter=`` of a list of arrays that are one: the rows of a matrix, or matrices of a stack."""


def is_array(value: Any) -> bool:
    """Whether it is an array of some framework: a list of lists is not."""
    return (
        isinstance(value, np.ndarray)
        or _is_torch(value)
        or all(answers(value, name) for name in ("__array__", "shape", "dtype"))
        or _as_numpy(value) is not None
    ) and not isinstance(value, type)


def answers(value: Any, name: str) -> bool:
    """Whether an object has an attribute; a property of the user's that raises, or would end the process, is none.

    >>> class Hostile:
    ...     shape = property(lambda self: sys.exit(3))
    >>> answers(np.ones(3), "shape"), answers(Hostile(), "shape")
    (True, False)
    """
    try:
        return hasattr(value, name)
    except (Exception, SystemExit):
        return False


def rows_of_numbers(value: Any) -> npt.NDArray[np.float64] | None:
    """Lists of lists or of ``array.array`` of plain numbers, as teaching code makes them; None of anything else.

    >>> rows_of_numbers([[1.0, 2.0], [3.0, 4.0]]).shape, rows_of_numbers([[1.0], [2.0, 3.0]]), rows_of_numbers([1.0])
    ((2, 2), None, None)
    """
    leaf, depth = value, 0
    while isinstance(leaf, (list, tuple, array.array)) and leaf:
        leaf, depth = leaf[0], depth + 1
    if depth < 2 or isinstance(leaf, bool) or not isinstance(leaf, numbers.Real):
        return None
    try:
        return np.asarray(value, dtype=np.float64)
    except (ValueError, TypeError):
        return None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of an array, of lists of numbers or of a plain number; None of anything else."""
    if is_array(value):
        # Who does not know NumPy may call another thing its shape.
        return tuple(int(n) for n in (value if hasattr(value, "__array__") else to_numpy(value)).shape)
    rows = rows_of_numbers(value)
    if rows is not None:
        return rows.shape
    return () if isinstance(value, numbers.Real) and not isinstance(value, bool) else None


def attributes_of(value: Any) -> dict[str, Any]:
    """What an object keeps under names of its own, in its ``__dict__`` and its ``__slots__``."""
    held = getattr(value, "__dict__", None)
    found = dict(held) if isinstance(held, dict) else {}
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            with contextlib.suppress(AttributeError):
                found.setdefault(name, getattr(value, name))
    return found


def stacked_shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a list of arrays of one shape as one array; None of anything else.

    >>> stacked_shape([np.zeros(3), np.zeros(3)]), stacked_shape([np.zeros(3), np.zeros(2)])
    ((2, 3), None)
    """
    if not isinstance(value, (list, tuple)) or not value or not all(map(is_array, value)):
        return None
    shapes = {shape_of(one) for one in value}
    first = shapes.pop()
    return None if shapes or first is None else (len(value), *first)


def to_numpy(value: Any) -> npt.NDArray[Any]:
    """View or copy an array of any framework; bfloat16 of torch comes as float32, whose values are the same.

    Raises:
        TypeError: it is no array of numbers; the message names its type, to be read after "returns".
    """
    if isinstance(value, np.ndarray):
        # A subclass may redefine anything that a claim does with its weights.
        found = value if type(value) is np.ndarray else np.asarray(value)
    elif _is_torch(value):
        found = _torch_to_numpy(value)
    elif is_array(value) or (isinstance(value, numbers.Real) and not isinstance(value, bool)):
        found = np.asarray(_plain(value))
    else:
        rows = rows_of_numbers(value)
        if rows is None:
            raise TypeError(f"{_kind(value)}, which is no array of numbers")
        found = rows
    if found.dtype.kind not in "fiub" and not _is_low_precision(found.dtype):
        raise TypeError(f"an array of dtype {found.dtype}, which holds no real numbers")
    return found


def digest_of(result: Any) -> bytes:
    """Shape and numbers of an array of any framework, for comparison."""
    array = np.ascontiguousarray(to_numpy(result))
    return repr(array.shape).encode() + hashlib.blake2b(array.tobytes()).digest()


def holds_sparse(result: Any) -> bool:
    """Whether a matrix that is no array, as SciPy's sparse ones are, lies beside: either may be the weight meant."""
    beside = result.values() if isinstance(result, Mapping) else result if isinstance(result, (list, tuple)) else ()
    return any(answers(v, "shape") and answers(v, "dtype") and not is_array(v) for v in beside)


def dtype_name(value: Any) -> str:
    """The dtype by its NumPy name: ``float32``, ``bfloat16``; a plain number's is ``float`` or ``int``.

    Lists of numbers have that of Python's floats.
    """
    dtype = getattr(value, "dtype", None)
    if isinstance(value, (list, tuple)) and rows_of_numbers(value) is not None:
        return "float64"
    if not hasattr(value, "__array__") and is_array(value):
        dtype = to_numpy(value).dtype
    if dtype is None:
        return type(value).__name__
    name = getattr(dtype, "name", None) or str(dtype)
    return str(name).rpartition(".")[2]


def pick(value: Any, parameter: str) -> Any:
    """One array out of a tuple, list, dict or nested dict, by name or number: ``0``, ``dense.kernel``.

    ``*`` is all of a list of arrays of one shape, as one array. ``real`` and ``imag`` of complex weights are those
    parts times sqrt(2): also of two arrays, and along a last axis of two.

    Raises:
        UsageError: there is no such entry; the sentence lists what there is.
    """
    for step in parameter.split("."):
        if step in ("real", "imag") and is_array(value) and dtype_name(value).startswith("complex"):
            # Half of what a complex unit passes on is in each part: times sqrt(2) it is judged as the whole.
            value = getattr(value, step) * 2**0.5
        elif step in _PARTS and (parts := parts_of(value)) is not None:
            value = parts[_PARTS.index(step)] * 2**0.5
        elif step == STACK and stacked_shape(value) is not None:
            value = np.stack([to_numpy(one) for one in value])
        elif step.lstrip("-").isdigit() and -_length(value) <= int(step) < _length(value):
            value = value[int(step)]
        elif hasattr(value, "keys") and step in value:
            value = value[step]
        elif (not isinstance(value, (list, tuple, dict)) and hasattr(value, step)) or (
            isinstance(value, tuple) and step in getattr(value, "_fields", ())
        ):
            value = getattr(value, step)
        else:
            there = ", ".join(entries(value)) or "nothing"
            raise UsageError(f"parameter={parameter!r}: there is no {step!r} in {_kind(value)}; it holds {there}.")
    return value


def parts_of(value: Any) -> tuple[Any, Any] | None:
    """What could be the real and the imaginary part of complex weights: two arrays of one shape, or a last axis of two.

    >>> [part.shape for part in parts_of((np.zeros((3, 4)), np.zeros((3, 4))))], parts_of(np.zeros((3, 4, 2)))[1].shape
    ([(3, 4), (3, 4)], (3, 4))
    >>> parts_of(np.zeros((3, 4))) is None
    True
    """
    if isinstance(value, dict) and set(value) == set(_PARTS):
        value = [value[part] for part in _PARTS]
    if isinstance(value, (list, tuple)):
        return (value[0], value[1]) if len(value) == 2 and len(stacked_shape(value) or ()) > 2 else None
    shape = shape_of(value) if is_array(value) else None
    return (value[..., 0], value[..., 1]) if shape is not None and len(shape) > 2 and shape[-1] == 2 else None


def _length(value: Any) -> int:
    """Of a list, or of a stack of arrays in one; 0 of what is not numbered."""
    if isinstance(value, (list, tuple)):
        return len(value)
    return (shape_of(value) or (0,))[0] if is_array(value) else 0


def entries(value: Any) -> list[str]:
    """What ``parameter=`` may name in a result of several arrays."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(value._fields)
    if isinstance(value, (list, tuple)):
        return [str(n) for n in range(len(value))]
    return [str(k) for k in value] if hasattr(value, "keys") else []


def array_places(value: Any, depth: int = 3) -> list[str]:
    """Every array in a result of several, as ``parameter=`` names it: ``W1``, ``0.1`` for the second of a first pair.

    >>> array_places([(np.zeros(2), np.zeros(3)), {"b": np.zeros(1)}])
    ['0.0', '0.1', '1.b']
    """
    found = []
    for entry in entries(value):
        with contextlib.suppress(UsageError):
            inner = pick(value, entry)
            if is_array(inner) or rows_of_numbers(inner) is not None:
                found.append(entry)
            elif depth > 1 and not isinstance(inner, str):
                found += [f"{entry}.{place}" for place in array_places(inner, depth - 1)]
    return found


def places_of(built: Any) -> list[str]:
    """Where an object keeps arrays: its attributes, and what is in its lists and dicts."""
    found = []
    for name, value in attributes_of(built).items():
        if is_array(value) or rows_of_numbers(value) is not None:
            found.append(name)
        elif isinstance(value, (dict, list, tuple)):
            found += [f"{name}.{place}" for place in array_places(value)]
        elif not callable(value) and not inspect.ismodule(value):
            # A tensor class of the user's own keeps its numbers in an attribute.
            inner = [n for n, held in attributes_of(value).items() if is_array(held)]
            found += [f"{name}.{place}" for place in inner if len(inner) == 1]
    return found


def _as_numpy(value: Any) -> Any:
    """The method that makes a NumPy array of an array of another library, which NumPy itself does not know."""
    # Its class is looked at first: what else an object answers may be anything.
    named = next((name for name in _SAYS_NUMPY if callable(getattr(type(value), name, None))), None)
    return None if named is None else getattr(value, named)


def _is_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "Tensor") and isinstance(value, torch.Tensor)


def _torch_to_numpy(value: Any) -> npt.NDArray[Any]:
    tensor = value.detach()
    if tensor.device.type != "cpu":
        tensor = tensor.cpu()
    if tensor.dtype.is_floating_point and tensor.dtype.itemsize < 4 and str(tensor.dtype) != "torch.float16":
        tensor = tensor.float()
    array: npt.NDArray[Any] = tensor.numpy()
    return array


def _plain(value: Any) -> Any:
    """What NumPy reads; a Keras variable on a torch backend holds a torch tensor that may carry gradients."""
    if not hasattr(value, "__array__") and not isinstance(value, numbers.Real):
        return _as_numpy(value)()
    inner = getattr(value, "value", None)
    if type(value).__module__.partition(".")[0] == "keras" and inner is not None and not callable(inner):
        return to_numpy(inner)
    return value


def _is_low_precision(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "V" and dtype.type.__module__.partition(".")[0] == "ml_dtypes"


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
