"""Who asked for an operation, read off the running frames."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Sequence
from types import CodeType, FrameType
from typing import Any

import torch

from initcheck.models.provenance.steps import Caller, InitCall, Site, in_library

INITIALISERS = ("init_weights", "initialize_weights", "reset_parameters")
"""Methods by which a whole model initialises itself, by convention."""

_TORCH = os.path.dirname(torch.__file__) + os.sep
_INIT = os.path.join(_TORCH, "nn", "init.py")
_MODULE = os.path.join(_TORCH, "nn", "modules", "module.py")
_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The claims stand beside the package in a checkout; the gallery's models are as anybody's.
_OURS = (_PACKAGE + os.sep, os.path.join(os.path.dirname(_PACKAGE), "properties") + os.sep)
_GALLERY = os.path.join(_PACKAGE, "gallery") + os.sep
_TYPED = ("<stdin>", "<ipython", "<dynamic-code>")  # code of the user's that stands in no file; <frozen ...> is none
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep

_SKIP, _USER, _CALL, _DEFAULT, _LOADING, _ROOT, _BUILDING = range(7)
_kinds: dict[CodeType, int] = {}


class InitCalls:
    """Tells one call of an init function from the next, which may run in a frame of the same address."""

    def __init__(self) -> None:
        self._frame: FrameType | None = None
        self._number = 0

    def number_of(self, frame: FrameType) -> int:
        """The same number for all that one call does, one call after another."""
        # As long as the frame is held no other one can take its address.
        if frame is not self._frame:
            self._frame, self._number = frame, self._number + 1
        return self._number

    def let_go(self) -> None:
        """Of the frame, with which those that called it and all that they hold live on."""
        self._frame = None


def caller(calls: InitCalls) -> tuple[Caller, torch.Tensor | None]:
    """The caller of the operation that is being noted, and the tensor that its init function was given."""
    site: Site | None = None
    outermost: FrameType | None = None
    default = loading = building = False
    inside: list[CodeType] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        kind = _kinds.get(code)
        if kind is None:
            kind = _kinds[code] = _kind(code)
        if kind == _CALL:
            outermost = frame
        elif kind == _DEFAULT:
            default = default or site is None
        elif kind == _LOADING:
            loading = True
        elif kind in (_USER, _ROOT, _BUILDING):
            building = building or kind == _BUILDING
            if kind == _ROOT:
                # A layer's own default, not the model's: its class says how it starts where nobody says otherwise.
                default = default or (site is None and code.co_name == "reset_parameters")
                inside.append(code)
            if site is None:
                site = code.co_filename, frame.f_lineno
        frame = frame.f_back
    call, target = _call_of(outermost, calls) if outermost is not None else (None, None)
    return Caller(site, call, default, loading, building, frozenset(inside)), target


def given_to(shape: Sequence[int], site: Site | None) -> list[torch.Tensor]:
    """The tensors of a shape that the function of the user's at this line was given as arguments."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and (frame.f_code.co_filename, frame.f_lineno) != site:
        frame = frame.f_back
    if frame is None:
        return []
    given = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    values = (frame.f_locals.get(name) for name in given)
    return [value for value in values if isinstance(value, torch.Tensor) and value.shape == shape]


def _kind(code: CodeType) -> int:
    file, name = code.co_filename, code.co_name
    if file == _INIT:
        return _CALL if name.endswith("_") and not name.startswith("_") else _SKIP
    if file.startswith(_TORCH):
        if file == _MODULE:
            return _LOADING if name == "load_state_dict" else _SKIP
        return _DEFAULT if name in ("reset_parameters", "_reset_parameters", "__init__") else _SKIP
    if file.startswith(_OURS) and not file.startswith(_GALLERY):
        return _SKIP
    if file.startswith("<") and not file.startswith(_TYPED):
        return _SKIP
    if file.startswith(_STDLIB) and not in_library(file):
        return _SKIP
    if name.endswith("_") and not name.endswith("__") and in_library(file):
        return _SKIP  # a library's own normal_ or trunc_normal_: its caller is the one who asked
    if name == "__init__":
        return _BUILDING
    return _ROOT if name in INITIALISERS else _USER


def _call_of(frame: FrameType, calls: InitCalls) -> tuple[InitCall, torch.Tensor | None]:
    code, local = frame.f_code, frame.f_locals
    names = code.co_varnames[: code.co_argcount]
    arguments: list[tuple[str, Any]] = [
        (n, local[n]) for n in names[1:] if isinstance(local.get(n), (bool, int, float, str))
    ]
    target, number = local.get(names[0]) if names else None, calls.number_of(frame)
    if not isinstance(target, torch.Tensor):
        return InitCall(code.co_name, tuple(arguments), number), None
    return InitCall(code.co_name, tuple(arguments), number, tuple(target.shape)), target
