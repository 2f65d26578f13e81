"""What the trace keeps of a build: draws, calls of init functions, and writes to a part of a storage."""

from __future__ import annotations

import os
import sysconfig
from dataclasses import dataclass
from types import CodeType
from typing import Any

Site = tuple[str, int]

NORMAL = frozenset({"normal", "randn", "randn_like"})
UNIFORM = frozenset({"uniform", "rand", "rand_like"})
CONSTANTS = {
    "zero": 0.0, "zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0, "ones_like": 1.0, "new_ones": 1.0,
}  # fmt: skip
FILLS = frozenset({"fill", "full", "full_like", "new_full"})
SAME = frozenset({
    "copy", "clone", "detach", "_to_copy", "contiguous", "alias", "_unsafe_view", "_reshape_copy", "view_copy",
})  # fmt: skip
_ORIGINS = frozenset({
    "lift_fresh", "set", "eye", "arange", "linspace", "bernoulli", "random", "randint", "randperm", "exponential",
    "cauchy", "log_normal", "geometric", "multinomial", "poisson",
})  # fmt: skip
ANEW = NORMAL | UNIFORM | FILLS | _ORIGINS | frozenset(CONSTANTS)
"""Operations whose result owes nothing to what stood there before."""

_AFFINE = frozenset({"mul", "div", "add", "sub", "neg", "erfinv", "clamp"})


_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep
_SITE_PACKAGES = os.sep + "site-packages" + os.sep


def in_library(file: str) -> bool:
    """Whether a file belongs to an installed package."""
    return _SITE_PACKAGES in file


def is_silent(file: str) -> bool:
    """Whether a file says nothing of who asked for an operation: it is ours, Python's, or none at all."""
    return file.startswith((_HERE, "<")) or (file.startswith(_STDLIB) and not in_library(file))


def writes_anew(op: str) -> bool:
    """Whether an operation of this name leaves nothing of what it wrote over."""
    return op.rstrip("_") in ANEW


def keeps_law(op: str) -> bool:
    """Whether the law after an operation of this name can be told from the law before it."""
    name = op.rstrip("_")
    return name in SAME or name in _AFFINE


@dataclass(frozen=True, slots=True)
class Draw:
    """One call of a sampler.

    Attributes:
        number: its place in the build, from 0.
        state: digest of the device and of the state of the generator that draws, before it.
        entries: how many numbers it delivered.
        site: file and line of the user's code that asked for it.
    """

    number: int
    state: bytes
    entries: int
    site: Site | None


@dataclass(frozen=True, slots=True)
class Region:
    """The entries of a storage that a view reaches."""

    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def entries(self) -> int:
        """How many there are."""
        found = 1
        for size in self.sizes:
            found *= size
        return found

    def mark(self, mask: Any, start: int) -> None:
        """Set the entries in a mask whose first entry stands for entry ``start`` of the storage."""
        mask.as_strided(self.sizes, self.strides, self.offset - start).fill_(True)


@dataclass(frozen=True, slots=True)
class InitCall:
    """A call of a function of ``torch.nn.init``.

    Attributes:
        name: such as ``trunc_normal_``.
        arguments: the values of its arguments that are numbers or words, defaults included.
        number: tells one call from another.
        shape: of the tensor it was given.
    """

    name: str
    arguments: tuple[tuple[str, Any], ...]
    number: int
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked for an operation.

    Attributes:
        site: the innermost line outside of libraries of init functions.
        call: the function of ``torch.nn.init`` that it ran in.
        default: it ran in the constructor's own default (``reset_parameters``) of a layer's class.
        loading: it ran in ``load_state_dict``.
        building: it ran in the constructor of a module of the user's, or of a library's.
        inside: code of the functions called ``init_weights`` and the like that it ran in.
    """

    site: Site | None = None
    call: InitCall | None = None
    default: bool = False
    loading: bool = False
    building: bool = False
    inside: frozenset[CodeType] = frozenset()


NOWHERE = Caller()


@dataclass(frozen=True, slots=True)
class Step:
    """One write to a storage, or one operation that made it.

    Attributes:
        op: the operation's name without its overload, such as ``normal_``, or the name of an init function.
        arguments: its numbers by name, defaults included; the word 'tensor' where it is one of many entries.
        start, stop: the first entry of the storage that it wrote, and the one after the last.
        dense: whether it wrote every entry between.
        site: file and line of the user's code.
        draws: the draws that its values come from, through other tensors included.
        region: the entries as a view; None where they are not known.
        mask: of the storage's entries, where they are no view (an index, a mask of the user's).
        recipe: names and numbers of the operations that it stands for, where it stands for several.
        caller: who asked for it.
        order: its place in the build.
        marked: what it wrote was a parameter that its author marked as initialised.
    """

    op: str
    arguments: tuple[tuple[str, Any], ...]
    start: int
    stop: int
    dense: bool
    site: Site | None
    draws: frozenset[Draw] = frozenset()
    region: Region | None = None
    mask: Any = None
    recipe: frozenset[Any] = frozenset()
    caller: Caller = NOWHERE
    order: int = 0
    marked: bool = False

    @property
    def anew(self) -> bool:
        """Whether nothing of what stood there before is left."""
        called = self.caller.call is not None and self.caller.call.name == self.op  # not what it does on the way
        return called or bool(self.recipe) or writes_anew(self.op)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A write by a sampler into a tensor that is, it seems, nobody's.

    Attributes:
        reference: to its storage, weak.
        step: the write; shape: of the tensor.
        how: it was ``copied`` from another one, ``computed`` from others, or is a ``new`` one of the shape of a tensor
            that its function was given.
        like: the keys of the storages of those tensors.
    """

    reference: Any
    step: Step
    shape: tuple[int, ...]
    how: str
    like: frozenset[int] = frozenset()
