"""Advice is followed word by word to its end, which is a draw; and every kind that the adapters give is followed."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import UsageError
from initcheck.targets.loading import load

# What somebody who reads "only its user knows" would write.
VALUES = {
    "std": 0.02, "gain": 2.0, "val": 0.5, "kind": "he", "omega": 30.0, "alpha1": 1, "alpha2": 2, "alpha3": 3, "p1": 1,
    "sparsity": 0.1,
}  # fmt: skip


def needs_a_number(shape, std):
    return np.random.randn(*shape) * std


def needs_two(shape, kind, gain):
    return np.random.randn(*shape) * gain * (kind == "he")


def returns_named(n_in, n_out):
    return {"W": np.random.randn(n_in, n_out), "U": np.random.randn(n_in, n_out)}


def complex_weights(shape, rng):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def untold_generator(dims, chance):
    return chance.normal(size=dims)


def generator_of_its_own_name(shape, *, gerador):
    return gerador.normal(size=shape)


def fills_a_tensor(tensor, zufall):
    tensor.normal_(generator=zufall)


def names_of_another_language(forma, zufall):
    return zufall.normal(size=forma)


def ambiguous(a, b):
    if isinstance(a, tuple):
        return np.random.default_rng(3).normal(size=a)
    if not isinstance(a, int) or not isinstance(b, int):
        raise TypeError("two numbers")
    return np.random.default_rng(4).normal(size=(a, b))


def of_layers(layers, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(m, n)) for m, n in itertools.pairwise(layers)][0]  # noqa: RUF015


def many(alpha1, alpha2, alpha3, n_in, n_out):
    return np.random.randn(n_in, n_out)


def of_three(p1, side_one, side_two):
    return np.random.randn(side_one, side_two) * p1


def makes_what_needs_more(kind):
    def init(shape, rng, gain):
        return rng.normal(size=shape) * gain * (kind == "he")

    return init


def counted(num_sides):
    return np.random.randn(*num_sides)


class Pair:
    def __init__(self, n_in, n_out):
        self.W, self.U = np.random.randn(n_in, n_out), np.random.randn(n_in, n_out)


class Needing:
    def __init__(self, in_dim, out_dim, gain):
        self.W = gain * np.random.randn(in_dim, out_dim)


class NeedingLayer(nn.Module):
    def __init__(self, in_features, out_features, omega):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / omega)

    def forward(self, x):
        return x @ self.weight.T


ADVISED = [
    needs_a_number, needs_two, returns_named, untold_generator, of_layers, many, of_three, counted, Pair,
    Needing, NeedingLayer, generator_of_its_own_name, names_of_another_language,
    fills_a_tensor, makes_what_needs_more,
    torch.nn.init.constant_, torch.nn.init.sparse_,
]  # fmt: skip


def follow(sentence: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options that a sentence tells to give; the first of several that it names."""
    signature = re.search(r"signature='(\([^']*\))'", sentence)
    parameter = re.search(r"parameter=('?)([\w.]+)\1", sentence)
    asked = re.findall(r"(\w+)=\.\.\.", sentence)
    written = re.search(r"write (\S+\(\w+=[^.=][^=]*\))\.$", sentence)
    if written:
        return {**options, "target": written[1]}
    if asked and all(name in VALUES for name in asked):
        return {**options, "args": {**options.get("args", {}), **{name: VALUES[name] for name in asked}}}
    if parameter:
        return {**options, "parameter": parameter[2]}
    if signature and "..." not in signature[1]:
        return {**options, "signature": signature[1]}
    raise AssertionError(f"nothing of this can be followed: {sentence}")


@functools.cache
def walked(obj: Any) -> tuple[tuple[str, ...], Any]:
    """The sentences on the way, and the initializer at the end of it."""
    options: dict[str, Any] = {}
    said: list[str] = []
    for _ in range(4):
        try:
            target = options.pop("target", obj)
            return tuple(said), load(target, **options).initializers[0]
        except UsageError as error:
            said.append(str(error))
            options = follow(said[-1], options)
    raise AssertionError("the advice leads on and on:\n" + "\n".join(said))


@pytest.mark.parametrize("obj", ADVISED, ids=lambda o: o.__name__)
def test_advice_ends_in_a_draw(obj: Any) -> None:
    said, initializer = walked(obj)
    assert said, "no advice was given"
    sampler = initializer.sampler
    if initializer.subject is None:
        drawn = sampler.to_numpy(sampler.calls((8, 6), [1], "float32")[0])
        assert drawn.shape == (8, 6)


def test_what_a_factory_does_not_take_is_given_to_what_it_makes() -> None:
    name = f"{__name__}:makes_what_needs_more"
    with pytest.raises(UsageError, match=r"write \S+:makes_what_needs_more\(kind='he', gain=\.\.\.\) or"):
        load(f"{name}(kind='he')")
    [one] = load(f"{name}(kind='he', gain=2.0)").initializers
    assert one.signature == "(shape, rng)"
    for text, meant in (("(knd='he')", "did you mean 'kind'"), ("(kind='he', gian=2.0)", "did you mean 'gain'")):
        with pytest.raises(UsageError, match=meant):
            load(name + text)


def test_what_was_tried_in_vain_is_no_advice() -> None:
    def raises(shape, rng):
        raise RuntimeError("no config")

    with pytest.raises(UsageError) as refusal:
        load(raises)
    assert "signature=" not in str(refusal.value)
    assert str(refusal.value).endswith("that calls it where it can be called.")
    assert "mend what raises there, or pass a function, such as def init(shape, rng)" in str(refusal.value)


def test_a_function_written_as_advised_is_read() -> None:
    def init(shape, rng):
        return needs_two(shape, "he", 2.0)

    [one] = load(init).initializers
    assert one.signature == "(shape, rng)"


# Sentences that tell to write code, or that a signature cannot help; each is followed by hand above, or by nobody.
BY_HAND = (
    "does not tell its parameters",  # written in C: nothing of it can be read
    "says nowhere how the shape", "has no role for", "is no role of a parameter",  # on a signature that is wrong
    "there is no", "the layer has no such weight", "does not have the widths asked",  # on a parameter that is wrong
    "takes no shape; say how to call it", "write the gate as a function",
)  # fmt: skip
_FOLLOWED = re.compile(r"signature=|parameter=|; write |args=|say which one is checked|Say which")


def sentences() -> list[tuple[str, str]]:
    """Every sentence of the adapters that tells what to give, with its place; what is filled in is ``\\0``."""
    found = []
    for path in sorted((Path(initcheck.__file__).parent / "adapters").rglob("*.py")):
        tree = ast.parse(path.read_text())
        skipped = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        skipped |= {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
        for node in ast.walk(tree):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node] if id(node) not in skipped else []
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "\0" for p in parts)
            if (isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)) and len(text) > 25:
                found += [(f"{path.name}:{node.lineno}", text)] if _FOLLOWED.search(text) else []
    return found


def test_every_kind_of_advice_is_followed() -> None:
    every = sentences()
    assert len(every) > 8
    heard = [line for obj in ADVISED for line in walked(obj)[0]]
    for obj, options in ((ambiguous, {}), (complex_weights, {"parameter": "none"})):
        with pytest.raises(UsageError) as refusal:
            load(obj, **options)
        heard.append(str(refusal.value))
    unheard = [
        (place, text)
        for place, text in every
        if not any(words in text for words in BY_HAND)
        and not any(re.search(".*".join(map(re.escape, text.split("\0"))), line, re.IGNORECASE) for line in heard)
    ]
    assert not unheard, "\n".join(map(str, unheard))
    # Of two ways that both work the one that is named is taken.
    assert load(ambiguous, signature="(in, out)").initializers[0].signature == "(in, out)"
    assert [i.name.rpartition(".")[2] for i in load(complex_weights).initializers] == ["real", "imag"]
