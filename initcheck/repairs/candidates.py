"""The changes that might mend failing claims, the smallest first; each is yet to be proven."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.initializer import Shape
from initcheck.contract.layer import Layer
from initcheck.contract.standard_laws import truncated_std
from initcheck.diagnosis.evidence.variance_law import VarianceLaw
from initcheck.diagnosis.observed import Observed
from initcheck.repairs.repair import Repair

__all__ = ["candidates"]

Array = npt.NDArray[Any]

_SCALE = ("scale", "depth", "law")
# Squares of factors that are forgotten, and how their roots are written.
_ROOTS: Mapping[float, str] = {
    3.0: "sqrt(3)", 2.0: "sqrt(2)", 0.5: "sqrt(0.5)", 4.0: "2", 0.25: "0.5", 1 / 3: "sqrt(1/3)", 16 / 9: "4/3",
    0.1: "sqrt(0.1)", 10.0: "sqrt(10)",
}  # fmt: skip
_CUT = truncated_std(1.0, -2.0, 2.0)


def candidates(seen: Observed, topics: Iterable[str | None]) -> Iterator[Repair]:
    """The changes to try.

    Args:
        seen: what is known of the initializer; its contract is the one it is held to.
        topics: what the failing claims are about.
    """
    about = set(topics)
    contract = seen.contract
    if about <= {"memory"}:
        yield Repair("copy", "return a copy", "return w.copy()", after=lambda w, s, k: w.copy())
    if about <= {"promises"}:
        yield Repair("dtype", "return the dtype that was asked for", "return w.astype(dtype)", after=lambda w, s, k: w)
    if "promises" in about:
        yield Repair("axes", "the axes are exchanged", "return w.T", after=lambda w, s, k: w.T)
    if "globals" in about and "randomness" not in about:
        yield Repair(
            "state",
            "put back what the call changes: NumPy's error state and the global generators",
            "state = np.random.get_state(); ...; np.random.set_state(state), inside `with np.errstate():`",
            around=_put_back,
        )
    if about & set(_SCALE):
        yield from _of_scale(seen, centred=True)
    if "centering" in about:
        yield Repair(
            "signs",
            "give every weight a sign of its own",
            "w *= rng.choice((-1.0, 1.0), size=shape)",
            after=_signed,
        )
        yield from _of_scale(seen, centred=False)
    yield _replacement(contract, seen.family.name)


def _of_scale(seen: Observed, *, centred: bool) -> Iterator[Repair]:
    law = seen.best_law
    if law is None or not 0 < law.constant < math.inf:
        return
    contract = seen.contract
    power, fan = required_power(contract), contract.fan or "fan_in"
    of = _fan_of(contract)
    signs, first = (
        ("", "") if centred else (" and give every weight a sign of its own", "rng.choice((-1, 1), size=shape) * ")
    )
    same = contract.std is None and law.denominator.name == fan
    fixed = contract.std is not None and law.denominator.name == "1"
    if same or fixed:
        wanted = contract.std**2 if fixed and contract.std is not None else power
        square = wanted / law.constant
        factor, written = _factor(square)
        cut = ", which is what a normal keeps that is cut at two" if written == "1/0.8796" else ""
        yield Repair(
            "factor",
            f"the standard deviation is {1 / factor:.4g} of what it should be{cut}: multiply by {written}{signs}",
            f"return {first}w * {written}" if written != "1/0.8796" else f"return {first}w / 0.8796",
            after=_scaled(lambda layer: factor, contract, centred),
        )
        return

    def ratio(layer: Layer) -> float:
        now = law.variance(layer)
        wanted = contract.std**2 if contract.std is not None else power / of(layer)
        return math.sqrt(wanted / now) if 0 < now < math.inf else math.nan

    now_text = _code_of(law)
    wanted_text = f"{contract.std:g}" if contract.std is not None else f"sqrt({power:.4g}/{fan})"
    yield Repair(
        "formula",
        f"the variance is {law}: write the standard deviation {wanted_text} in place of sqrt({now_text}){signs}",
        f"return {first}w * {wanted_text} / sqrt({now_text})",
        after=_scaled(ratio, contract, centred),
    )


def _code_of(law: VarianceLaw) -> str:
    """The variance as it is, as Python writes it."""
    usual = next((k for k in (1.0, 2.0, 0.5, 1 / 3, 1e-4, 4e-4) if abs(law.constant / k - 1) < 0.02), law.constant)
    name = law.denominator.name.replace("^", "**")
    return f"{usual:.4g}" if name == "1" else f"{usual:.4g}/({name})"


def _factor(square: float) -> tuple[float, str]:
    """A factor by the square that was measured, and how it is written."""
    for known, text in _ROOTS.items():
        if abs(square / known - 1) < 0.02:
            return math.sqrt(known), text
    if abs(math.sqrt(square) * _CUT - 1) < 0.01:
        return 1 / _CUT, "1/0.8796"
    return math.sqrt(square), f"{math.sqrt(square):.4g}"


def _scaled(
    factor: Callable[[Layer], float], contract: Contract, centred: bool
) -> Callable[[Array, Shape, int], Array]:
    def after(w: Array, shape: Shape, seed: int) -> Array:
        signed = w if centred else _signed(w, shape, seed)
        return np.asarray(signed, dtype=np.float64) * factor(_layer(shape, contract))

    return after


def _signed(w: Array, shape: Shape, seed: int) -> Array:
    # A stream of its own: the signs must know nothing of the magnitudes.
    signs = np.random.default_rng((seed, 7)).choice((-1.0, 1.0), size=w.shape)
    return np.asarray(w * signs)


def _layer(shape: Shape, contract: Contract) -> Layer:
    layout = contract.layout or "out_in"
    if len(shape) == 2 and layout not in ("out_in", "in_out"):
        layout = "in_out" if layout.endswith("io") else "out_in"
    groups = contract.groups if isinstance(contract.groups, int) else 1
    return Layer(tuple(shape), layout, groups)


def _fan_of(contract: Contract) -> Callable[[Layer], float]:
    fan = contract.fan or "fan_in"
    return {
        "fan_in": lambda layer: float(layer.fan_in),
        "fan_out": lambda layer: float(layer.fan_out),
        "fan_avg": lambda layer: (layer.fan_in + layer.fan_out) / 2,
        "fan_max": lambda layer: float(max(layer.inputs, layer.units)),
    }[fan]


def _replacement(contract: Contract, family: str) -> Repair:
    """A plain initializer that keeps the contract, in place of the whole body."""
    name = contract.promised("distribution") or (family if family in ("uniform", "orthogonal") else "normal")
    cut = contract.parameter("distribution") or 2.0
    power, fan, of = required_power(contract), contract.fan or "fan_in", _fan_of(contract)
    std_text = f"{contract.std:g}" if contract.std is not None else f"sqrt({power:.4g}/{fan})"

    def std(shape: Shape) -> float:
        return contract.std if contract.std is not None else math.sqrt(power / of(_layer(shape, contract)))

    laws: dict[str, tuple[str, Callable[[np.random.Generator, Shape], Array]]] = {
        "uniform": (
            f"rng.uniform(-1, 1, shape) * sqrt(3) * {std_text}",
            lambda g, s: g.uniform(-1, 1, s) * math.sqrt(3) * std(s),
        ),
        "rademacher": (f"rng.choice((-1.0, 1.0), shape) * {std_text}", lambda g, s: g.choice((-1.0, 1.0), s) * std(s)),
        "truncated_normal": (
            f"truncated(rng, -{cut:g}, {cut:g}, shape) / {truncated_std(1.0, -cut, cut):.4g} * {std_text}",
            lambda g, s: _cut(g, s, cut) / truncated_std(1.0, -cut, cut) * std(s),
        ),
        "orthogonal": (
            f"q, r = np.linalg.qr(rng.normal(size=...)); q * np.sign(np.diag(r)) * {math.sqrt(power):.4g}",
            lambda g, s: _orthogonal(g, s, contract) * math.sqrt(power),
        ),
    }
    code, law = laws.get(name, (f"rng.normal(0, {std_text}, shape)", lambda g, s: g.normal(0, std(s), s)))
    mean = contract.mean or 0.0
    return Repair(
        "replace",
        "no smaller change was found that mends it: draw every weight on its own, from the generator handed in",
        f"return {f'{mean:g} + ' if mean else ''}{code}",
        draw=lambda shape, seed: mean + law(np.random.default_rng(seed), shape),
    )


def _cut(rng: np.random.Generator, shape: Shape, cut: float) -> Array:
    w = rng.standard_normal(shape)
    while (far := np.abs(w) > cut).any():
        w[far] = rng.standard_normal(int(far.sum()))
    return w


def _orthogonal(rng: np.random.Generator, shape: Shape, contract: Contract) -> Array:
    layer = _layer(shape, contract)
    rows, columns = layer.units, layer.inputs
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    matrix = q if rows >= columns else q.T
    axis = layer.axes.index("o")
    moved = [n for place, n in enumerate(shape) if place != axis]
    return np.moveaxis(matrix.reshape(rows, *moved), 0, axis)


@contextlib.contextmanager
def _put_back() -> Iterator[None]:
    numpy, python = np.random.get_state(), random.getstate()
    with np.errstate():
        try:
            yield
        finally:
            np.random.set_state(numpy)
            random.setstate(python)
