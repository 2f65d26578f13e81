"""Batches for a module of torch whose code tells which layer reads each argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules import conv

from initcheck.adapters.signatures.names import NEIGHBOURS
from initcheck.models.batches.batch_text import graph, nested
from initcheck.models.batches.hints import Hints, whole_numbers
from initcheck.models.batches.read import Read, inputs_of

_SEED = 20260102
_ROWS = 8
_TOKENS = 16
_SIDES = {1: (32, 64, 16), 2: (32, 64, 28, 84, 128), 3: (16, 32)}


def batches_as_read(
    needed: Sequence[str], read: Mapping[str, Read], hints: Hints, *, sequence: bool
) -> Iterator[dict[str, Any]]:
    """Arguments by name, each as its layer takes it: rows, sequences, or images of several sizes.

    >>> layer, table = nn.Linear(6, 2), nn.Embedding(10, 2)
    >>> made = batches_as_read(["x", "y"], {"x": Read(layer), "y": Read(table)}, Hints(layer), sequence=False)
    >>> [{name: tuple(tensor.shape) for name, tensor in next(made).items()} for _ in range(3)]
    [{'x': (8, 6), 'y': (8,)}, {'x': (8, 6), 'y': (8, 16)}, {'x': (2, 16, 6), 'y': (2, 16)}]

    Args:
        needed: names of the arguments.
        read: the layers that read them; what is not among them is made by its name, else like the first that is.
        hints: makes what is known by its name.
        sequence: whether layers of the model go along an axis of tokens, which is then tried first.
    """
    by_name = [n for n in needed if n not in read or "mask" in n or _is_graph(n, read[n]) or _says_all(n)]
    layers = {n: read[n] for n in needed if n not in by_name}
    if not layers:
        return
    images = [r.layer for r in layers.values() if isinstance(r.layer, conv._ConvNd) and not r.turned]
    masks = 4 if any("mask" in n for n in by_name) else 1
    tables = any(isinstance(r.layer, nn.Embedding) for r in layers.values())
    for lead in [(4,), (2, _TOKENS)] if images else _leads(layers, hints, sequence=sequence or masks > 1):
        for tokens in dict.fromkeys((lead, (lead[0], _TOKENS), lead[:1])) if tables else [lead]:
            for side in _sides(images[0], hints) if images else [()]:
                made = {n: _as_read(r, lead, tokens, side) for n, r in layers.items()}
                for form in range(masks):
                    named = {n: _by_name(n, hints, lead[:1] if images else lead, form) for n in by_name}
                    first = next(iter(made.values()))
                    whole = made | {n: first if v is None else v for n, v in named.items()}
                    yield nested(_places({n: whole[n] for n in needed}))


def _is_graph(name: str, read: Read) -> bool:
    """Whether a name says which nodes are joined; what a convolution reads are images, such as a support set."""
    return bool(NEIGHBOURS.fullmatch(name)) and not isinstance(read.layer, conv._ConvNd)


def _says_all(name: str) -> bool:
    """Whether a name says more of an argument than the layer that reads it first: a number between 0 and 1000."""
    return name in ("t", "time", "timestep", "timesteps", "edge_index", "edge_attr", "position_ids")


def _leads(layers: Mapping[str, Read], hints: Hints, *, sequence: bool) -> list[tuple[int, ...]]:
    """Rows, or items and tokens: the axes before the last one."""
    tokens = [(2, n) for n in dict.fromkeys((_TOKENS, hints.length or _TOKENS))]
    rows = [(_ROWS,)]
    if any(isinstance(r.layer, (nn.RNNBase, nn.MultiheadAttention)) or r.turned for r in layers.values()):
        return [*tokens, *rows]
    return [*tokens[:1], *rows, *tokens[1:]] if sequence else [*rows, *tokens]


def _sides(layer: nn.Module, hints: Hints) -> list[tuple[int, ...]]:
    axes = len(layer.kernel_size)  # type: ignore[arg-type]
    return list(
        dict.fromkeys([*(s for s in hints.images if len(s) == axes), *((n,) * axes for n in _SIDES.get(axes, ()))])
    )


def _as_read(read: Read, lead: tuple[int, ...], tokens: tuple[int, ...], side: tuple[int, ...]) -> Any:
    """What a layer takes: numbers of tokens, an image, a state, or so many numbers at every place."""
    layer, wide = read.layer, read.width or inputs_of(read.layer)
    generator = torch.Generator().manual_seed(_SEED)
    if isinstance(layer, (nn.Embedding, nn.EmbeddingBag)):
        bag = isinstance(layer, nn.EmbeddingBag)
        if read.place:  # every bag of one token
            return torch.arange(lead[0]).expand(_of_each(read, lead[:1])).contiguous()
        shape = lead[:1] if read.flat else (lead[0], _TOKENS) if bag else tokens
        return whole_numbers(_of_each(read, shape), layer.num_embeddings, generator)
    if read.place:
        states = [torch.randn(_state(read, lead), generator=generator) for _ in range(max(read.parts, 1))]
        return tuple(states) if read.parts else states[0]
    image = isinstance(layer, conv._ConvNd)
    shape = (*lead, wide) if image == read.turned else (lead[0], wide, *side) if image else (lead[0], wide, lead[-1])
    shape = _of_each(read, shape)
    return whole_numbers(shape, 256, generator) if read.pixels else torch.randn(shape, generator=generator)


def _of_each(read: Read, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of as many as there are layers in a list that take one each."""
    return (*shape[: read.along], read.each, *shape[read.along :]) if read.each else shape


def _state(read: Read, lead: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what a recurrent layer remembers."""
    layer = read.layer
    if isinstance(layer, nn.RNNBase):
        axis = 0 if layer.batch_first or len(lead) < 2 else 1
        wide = getattr(layer, "proj_size", 0) or layer.hidden_size
        shape = (layer.num_layers * (2 if layer.bidirectional else 1), lead[axis], wide)
        return shape[1:] if read.added else shape
    return (lead[0], int(layer.hidden_size))  # type: ignore[arg-type]


def _by_name(name: str, hints: Hints, lead: tuple[int, ...], form: int) -> torch.Tensor | None:
    """An argument that its name tells, as many items as the others have; None where it tells nothing."""
    items = lead[0]
    if NEIGHBOURS.fullmatch(name):
        return torch.from_numpy(graph((*lead, lead[-1])))
    if "mask" in name:
        length = lead[-1] if len(lead) > 1 else 1
        forms = ((items, length), (items, 1, length), (length, length), (items, 1, 1, length))
        return torch.ones(forms[form])
    made = hints.make(name, lead[-1] if len(lead) > 1 else _TOKENS)
    if made is None or not made.dim() or len(made) != 2 or name.startswith("edge"):
        return made
    return made.repeat(-(-items // 2), *(1 for _ in made.shape[1:]))[:items]


def _places(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted names: a state of two tensors by its places."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= {f"{name}.{i}": v for i, v in enumerate(value)} if isinstance(value, tuple) else {name: value}
    return found
