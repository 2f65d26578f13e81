"""One initializer of the gallery: what it promises, whether it keeps that, and what must catch it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_collected: dict[str, Specimen] = {}


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """An initializer and what is known of it by mathematics, not by running a check.

    Attributes:
        function: the initializer; ``function.__initcheck__`` is the contract it is held to, as a plain dict.
        name: its name in the gallery; unique, and valid in ``initcheck.gallery:NAME``.
        correct: whether it keeps its contract.
        fails: ids of the claims that it must fail; empty where it is correct.
        may_fail: ids of claims that are false too, but need not be shown so: a claim they need fails first,
            the value lies next to the edge of its band, or only some of the shapes show it. A claim in
            neither list is true of this initializer.
        why: the mistake and its consequence, or what makes it right, in one paragraph.
        source: paper and equation, or where the mistake is met; empty where it is folklore.
    """

    function: Callable[..., Any]
    name: str
    correct: bool
    fails: tuple[str, ...]
    may_fail: tuple[str, ...]
    why: str
    source: str

    def __str__(self) -> str:
        return self.name


def correct(*, contract: Mapping[str, Any], source: str) -> Callable[[Function], Function]:
    """Exhibit an initializer that keeps ``contract``; its docstring says why.

    >>> @correct(contract={"activation": "linear"}, source="LeCun et al. 1998, section 4.6")
    ... def lecun_example(shape, rng):
    ...     "Variance 1/fan_in keeps a linear layer's second moment."
    ...     return rng.normal(0, shape[1] ** -0.5, shape)
    >>> lecun_example.__initcheck__
    {'activation': 'linear'}
    """
    return _exhibit(contract, correct=True, fails=(), may_fail=(), source=source)


def mistake(
    *, contract: Mapping[str, Any], fails: tuple[str, ...], may_fail: tuple[str, ...] = (), source: str = ""
) -> Callable[[Function], Function]:
    """Exhibit an initializer that breaks ``contract``; its docstring says how and with what effect.

    ``fails`` and ``may_fail`` hold claim ids, see ``Specimen``.
    """
    return _exhibit(contract, correct=False, fails=fails, may_fail=may_fail, source=source)


def specimens(module_prefix: str) -> tuple[Specimen, ...]:
    """Every specimen defined in the modules whose name starts so, in the order of their definition."""
    return tuple(s for s in _collected.values() if s.function.__module__.startswith(module_prefix))


def _exhibit(
    contract: Mapping[str, Any],
    *,
    correct: bool,
    fails: tuple[str, ...],
    may_fail: tuple[str, ...],
    source: str,
) -> Callable[[Function], Function]:
    def collect(function: Function) -> Function:
        # Each function owns its dict: the bases are shared between specimens.
        function.__initcheck__ = dict(contract)  # type: ignore[attr-defined]
        _collected[function.__name__] = Specimen(
            function=function,
            name=function.__name__,
            correct=correct,
            fails=fails,
            may_fail=may_fail,
            why=" ".join((inspect.getdoc(function) or "").split()),
            source=source,
        )
        return function

    return collect
