"""Every alternative that a refusal names is taken literally: it ends in a draw, or in a sentence that leads elsewhere.

Thirty-one kinds of forms that cannot be read. Where the advice is to write a function, it is written here as somebody
who has only the sentence. What is asked of each: the way out that is meant ends in a draw, and no advice is given for
what was just tried in vain.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from initcheck.errors import UsageError
from initcheck.targets.loading import load

SHAPE = (8, 6)


@dataclass(frozen=True)
class Form:
    """What cannot be read, the values that only its user knows, and what its user writes where told to write code."""

    obj: Any
    values: dict[str, Any] = field(default_factory=dict)
    written: Callable[..., Any] | None = None
    told: str = "def init(shape, rng)"  # the words that tell to write it


def fills(tensor, zufall):
    tensor.normal_(generator=zufall)


def keyword_fills(tensor, *, hasard):
    nn.init.normal_(tensor, generator=hasard)


def of_legacy_state(forma, estado):
    return estado.randn(*forma)


def of_key(gestalt, schluessel):
    return jax.random.normal(schluessel, gestalt)


def hands_on(forma, zufall):
    return of_legacy_state(forma, zufall)


def widths_then_generator(hoehe, breite, zufall):
    return zufall.normal(size=(hoehe, breite))


def hidden(n_in, hidden_nodes, n_out):
    return {"V": np.random.randn(n_in, hidden_nodes), "W": np.random.randn(n_in, n_out)}


def of_settings(settings, n_in, n_out):
    return np.random.randn(n_in, n_out) * settings["std"]


def on_a_device(shape, device):
    return torch.randn(shape, device=device)


def in_a_list(layers):
    return [np.random.randn(m, n) for m, n in itertools.pairwise(layers)]


def makes_two(n_in, n_out):
    return np.random.randn(n_in, n_out), np.random.randn(n_in, n_out)


async def awaited(shape, rng):
    return rng.normal(size=shape)


def plain_of_awaited(shape, rng):
    return rng.normal(size=shape)


def generated(n_in, n_out):
    for _ in range(n_in):
        yield [random.gauss(0, 1) for _ in range(n_out)]


def of_objects(source, target):
    return np.random.rand(source.n, target.n)


class Group:
    def __init__(self, n):
        self.n = n


def of_groups(shape, rng):
    return of_objects(Group(shape[0]), Group(shape[1]))


def factory_of_std(std):
    return lambda shape, rng: rng.normal(0, std, shape)


def factory_in_vain(path="weights.npz"):
    raise FileNotFoundError(path)


def returns_nothing():
    return None


def tuple_of_functions(width):
    return (lambda key, shape: jax.random.normal(key, (*shape, width))), (lambda p, x: x @ p)


def written_of_functions(shape, rng):
    return np.asarray(tuple_of_functions(shape[1])[0](jax.random.key(int(rng.integers(99))), shape[:1]))


def lstm_only(lstm: nn.LSTM):
    for n in range(lstm.num_layers):
        nn.init.orthogonal_(getattr(lstm, f"weight_hh_l{n}"))


class NeedsGain:
    def __init__(self, gain):
        self.gain = gain

    def __call__(self, shape, rng):
        return self.gain * rng.normal(size=shape)


class TwoArrays:
    def __init__(self, n_in, n_out):
        self.W, self.V = np.random.randn(n_in, n_out), np.random.randn(n_in, n_out)


class NoMethod:
    def __init__(self):
        self.std = 0.1


class Omega(nn.Module):
    def __init__(self, in_features, out_features, omega):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / omega)

    def forward(self, x):
        return x @ self.weight.T


class OfConfig(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.fc = nn.Linear(config["in"], config["out"])

    def forward(self, x):
        return self.fc(x)


def of_its_config(fan_in, fan_out):
    return OfConfig({"in": fan_in, "out": fan_out})


def a_linear(fan_in, fan_out):
    return nn.Linear(fan_in, fan_out)


def outside(shape, dtype=jnp.float32):
    raise ValueError("must be used inside of a transform")


def ambiguous(a, b):
    if isinstance(a, tuple):
        return np.random.default_rng(3).normal(size=a)
    if not isinstance(a, int) or not isinstance(b, int):
        raise TypeError("two numbers")
    return np.random.default_rng(4).normal(size=(a, b))


def normal(shape, rng):
    return rng.normal(0, math.sqrt(1 / shape[0]), shape)


FORMS = {
    "a torch generator of its own name": Form(fills),
    "the same by keyword": Form(keyword_fills),
    "a legacy state": Form(of_legacy_state),
    "a JAX key of its own name": Form(of_key),
    "a generator that is handed on": Form(hands_on),
    "widths and a generator": Form(widths_then_generator),
    "a dict of settings": Form(of_settings, {"settings": {"std": 0.1}}),
    "a device": Form(on_a_device, {"device": "cpu"}),
    "a list of layers": Form(in_a_list, {"layers": [8, 6]}),
    "a pair": Form(makes_two),
    "a coroutine": Form(awaited, written=plain_of_awaited, told="plain function"),
    "objects with a size": Form(of_objects, written=of_groups, told="a function of the shape"),
    "a factory that needs a number": Form(factory_of_std, {"std": 0.1}),
    "a factory that raises": Form(factory_in_vain, written=normal),
    "what returns nothing": Form(returns_nothing, written=normal),
    "a pair of functions": Form(tuple_of_functions, {"width": 6}, written_of_functions),
    "a class that needs a number": Form(NeedsGain, {"gain": 2.0}),
    "a class of two arrays": Form(TwoArrays),
    "a class without a method": Form(NoMethod, written=normal, told="name a function"),
    "a layer that needs a number": Form(Omega, {"omega": 30.0}),
    "a layer of a config": Form(OfConfig, written=of_its_config, told="(fan_in, fan_out)"),
    "a layer that is built": Form(nn.Linear(3, 4), written=a_linear, told="(fan_in, fan_out)"),
    "what runs elsewhere only": Form(outside, written=normal),
    "two ways that differ": Form(ambiguous),
    "torch's constant": Form(nn.init.constant_),
    "torch's sparse": Form(nn.init.sparse_),
}  # fmt: skip


def alternatives(sentence: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Every option that a sentence names, with the user's values where it leaves them open."""
    found: list[dict[str, Any]] = []
    sentence = re.sub(r"the array that parameter=\S+ names", "", sentence)  # that one was asked for
    if "signature=" in sentence:
        told = sentence[sentence.index("signature=") :]
        found += [{"signature": s} for s in re.findall(r"'(\([^']*\))'", told) if "..." not in s]
    found += [{"parameter": p} for _, p in re.findall(r"parameter=('?)([\w.*]+)\1", sentence)]
    found += [{"target": text} for text in re.findall(r"; write (\S+\(\w+=[\d.]+\))\.$", sentence)]
    asked = list(dict.fromkeys(re.findall(r"(\w+)=\.\.\.", sentence)))
    if asked and all(values.get(name) is not None for name in asked):
        found.append({"args": {name: values[name] for name in asked}})
    return found


@dataclass
class End:
    """Where a way leads: the options taken, and the sentence at its end, or none where something is drawn."""

    options: dict[str, Any]
    sentence: str | None


def ends(form: Form, options: dict[str, Any], depth: int = 3) -> list[End]:
    """Every way from here, each to its end."""
    try:
        initializer = load(**{"target": form.obj, **options}).initializers[0]
    except UsageError as error:
        said = str(error)
        ways = [way for way in alternatives(said, form.values) if depth and not way.items() <= options.items()]
        here = [End(options, said)]
        return here + [end for way in ways for end in ends(form, joined(options, way), depth - 1)]
    drawn(initializer)
    return [End(options, None)]


def joined(options: dict[str, Any], way: dict[str, Any]) -> dict[str, Any]:
    return {**options, **way, "args": {**options.get("args", {}), **way.get("args", {})}}


def drawn(initializer: Any) -> None:
    if initializer.subject is None:
        kernels_first = (initializer.contract.layout or "").startswith("hw")
        shape = (3, 3, *SHAPE) if kernels_first else SHAPE
        raw = initializer.sampler.calls(shape, [1], "float32")[0]
        assert np.isfinite(np.asarray(initializer.sampler.to_numpy(raw), dtype=np.float64)).all()


@pytest.mark.parametrize("kind", FORMS)
def test_every_way_out_ends_in_a_draw_or_leads_elsewhere(kind: str) -> None:
    form = FORMS[kind]
    with pytest.raises(UsageError) as refusal:
        load(form.obj)
    found = ends(form, {})
    if form.written is not None:
        assert form.told in str(refusal.value), refusal.value
        drawn(load(form.written).initializers[0])
    else:
        assert any(end.sentence is None for end in found), found
    for end in found:
        # What was just tried in vain is not told again.
        if end.sentence is not None and end.options:
            again = [way for way in alternatives(end.sentence, form.values) if way.items() <= end.options.items()]
            assert not again, end


def test_what_is_read_as_it_stands_needs_no_advice() -> None:
    # Rows that are yielded one by one are a matrix.
    [rows] = load(generated).initializers
    drawn(rows)
    [first] = load(hidden).initializers
    drawn(first)
    assert first.sampler.parameter == "V"
    assert first.notes == ("Of what it returns V is checked, whose shape is asked for; not asked: W.",)
    [recurrent] = load(lstm_only).initializers
    assert recurrent.subject is not None
