"""Which shapes a function is asked for, by what its parameters stand for and what trial calls showed."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from initcheck.adapters.frameworks import arrays, jax_init
from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.frameworks.torch_module import asks_for_convolutions, is_for_linear
from initcheck.adapters.signatures.frameworks import plain_function
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.trial_calls import TRIED, Chosen
from initcheck.sandbox.containment import InitializerRaised, contained

_KERNEL = (5, 7, 3, 2, 2)
# A number of sides beside the word, on either side of it; a text that counts transposed or any others says no more.
_SIDED = re.compile(r"conv(?:olution(?:al|s)?)?[ _-]*([123])[ -]?d(?![a-z])|(?<![0-9a-z])([123])[ _-]?d[ _-]+conv")
_OF_MANY = re.compile(r"transpos|(?<![a-z])nd(?![a-z])|any (shape|rank|number)")
# What converts or converges has no kernel.
_OF_CONVOLUTIONS = re.compile(r"conv(?!e)|receptive|kernel_size|(num|n|nb)_filters?$")
# Graph networks and mixers call the sides of their matrices channels: code that tells ranks apart means kernels.
_OF_CHANNELS = re.compile(r"channel|(^|_)(in|out)_?ch(an)?s?$")
_OF_RANKS = re.compile(r"len|ndim|dim|rank")
_OF_STACKS = re.compile(r"expert|stack|head|batch_axis|ensemble")
_OF_MATRICES = re.compile(r"dense|linear|matri|fully")
# Even and odd, square, wide and tall: what raises at each of them is for no matrix.
_MATRICES = ((4, 6), (8, 8), (16, 2), (1, 1))


def shapes_taken(function: Callable[..., Any], chosen: Chosen, framework: str) -> dict[str, Any]:
    """The fields of an ``Initializer`` that say it: ``ranks``, ``squares``, ``equal_kernels``, ``kernels_meant``.

    Args:
        function: the user's.
        chosen: the reading of it that works.
        framework: whose arrays come out.
    """
    roles = {slot.role for slot in chosen.reading.slots}
    ranks: tuple[int, ...] = jax_init.ranks_of(function) if framework == "jax" else ()
    if chosen.packing is not None or roles & {"rows", "cols", "side"}:
        ranks = (2,)
    elif roles & {"in", "out", "widths"} and chosen.works:
        ranks = (len(chosen.shape),)
    elif "module" in roles and chosen.works:
        ranks = _written_ranks(chosen.sampler)
        by_name = is_for_linear(*_said_of_modules(function, chosen))
        if 2 in ranks and by_name and not asks_for_convolutions(function):
            ranks = (2,)
    elif not ranks and chosen.works and (said := _ranks_said(function)) and _takes(chosen, said):
        ranks = said
    elif not ranks and chosen.works and (len(chosen.shape) in (3, 5) or _takes_kernels_alone(chosen)):
        ranks = (len(chosen.shape),)  # matrices, and of three and five axes kernels of four, were refused before
    return {
        "ranks": ranks,
        "squares": "side" in roles or chosen.squares,
        "equal_kernels": bool(roles & {"kernel_side", "square_kernel"}),
        "kernels_meant": _speaks_of_kernels(function),
    }


def _speaks_of_kernels(function: Callable[..., Any]) -> bool:
    """Whether names in its code, or in that of a function it calls, are those of convolutions.

    >>> def fans(shape): return shape if len(shape) == 2 else (shape[2] * (receptive_field := 9), shape[3])
    >>> def he(shape, rng): return rng.normal(0, (2 / fans(shape)[0]) ** 0.5, shape)
    >>> def stacked(shape, rng): return rng.normal(0, (2 / shape[-2]) ** 0.5, shape)
    >>> _speaks_of_kernels(he), _speaks_of_kernels(stacked)
    (True, False)
    """
    called = None if isinstance(function, type) else plain_function(function)
    code, known = getattr(called, "__code__", None), getattr(called, "__globals__", {})
    if code is None:
        return False
    codes = [code, *(getattr(known.get(name), "__code__", None) for name in code.co_names)]
    names = {n for c in codes if c is not None for n in (c.co_name, *c.co_varnames, *c.co_names, *c.co_freevars)}
    channels = any(map(_OF_CHANNELS.search, names)) and any(map(_OF_RANKS.fullmatch, names))
    return (channels or any(map(_OF_CONVOLUTIONS.search, names))) and not any(map(_OF_STACKS.search, names))


def _takes_kernels_alone(chosen: Chosen) -> bool:
    """Whether it raises at every matrix, as what unpacks the four axes of a kernel does."""
    for shape in _MATRICES if len(chosen.shape) == 4 else ():
        with contextlib.suppress(InitializerRaised), contained():
            chosen.sampler.calls(shape, [12345], "float32")
            return False
    return len(chosen.shape) == 4


def _ranks_said(function: Callable[..., Any]) -> tuple[int, ...]:
    """The numbers of axes that a name, or the first line of a docstring, says: ``he_conv1d``, "for 1-d convolutions".

    >>> def he_conv1d(shape, rng): "He of Conv1d."
    >>> def he(shape, rng): "He, for dense layers and 2-d convolutions."
    >>> _ranks_said(he_conv1d), _ranks_said(he)
    ((3,), (2, 4))
    """
    plain = function.func if isinstance(function, functools.partial) else function
    doc = getattr(plain, "__doc__", None)
    first = doc.strip().partition("\n")[0] if isinstance(doc, str) else ""
    said = f"{getattr(plain, '__name__', '')} {first}".lower()
    sides = {side for pair in _SIDED.findall(said) for side in pair if side}
    if not sides or _OF_MANY.search(said):
        return ()
    return tuple(([2] if _OF_MATRICES.search(said) else []) + sorted(int(side) + 2 for side in sides))


def _takes(chosen: Chosen, ranks: tuple[int, ...]) -> bool:
    """Whether it makes weights of each of these numbers of axes."""
    for rank in ranks:
        try:
            with contained():
                [result] = chosen.sampler.calls(_KERNEL[:rank], [12345], "float32")
        except InitializerRaised:
            return False
        if getattr(result, "shape", None) is None or tuple(result.shape) != _KERNEL[:rank]:
            return False
    return True


def _written_ranks(sampler: CallableSampler) -> tuple[int, ...]:
    """The numbers of axes whose weights are written: code that looks for layers by kind leaves others as they are."""
    ranks = []
    for shape in (TRIED, *(_KERNEL[:rank] for rank in (3, 4, 5))):
        with contextlib.suppress(InitializerRaised), contained():
            result = arrays.to_numpy(sampler.calls(shape, [12345], "float32")[0])
            if not np.isnan(result).all():
                ranks.append(len(shape))
    return tuple(ranks)


def _said_of_modules(function: Callable[..., Any], chosen: Chosen) -> list[str]:
    """The names of a function, of the modules it takes and of their kinds."""
    modules = [slot.name for slot in chosen.reading.slots if slot.role == "module"]
    parameters = parameters_of(function) or {}
    kinds = [str(parameters[m].annotation) for m in modules if m in parameters]
    return [getattr(function, "__name__", ""), *modules, *kinds]
