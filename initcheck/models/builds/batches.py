"""A batch to run a model on: read from text, from the user's function, or guessed from the model's signature."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.errors import UsageError

__all__ = ["Batch", "batch_from", "candidates"]

_PART = re.compile(r"^(?:(?P<name>\w+)=)?(?:(?P<kind>int<(?P<high>\d+)|ones|float):)?(?P<shape>\d+(?:x\d+)*)$")
_TOKENS = ("input_ids", "tokens", "token_ids", "idx", "ids", "decoder_input_ids")
_SEED = 20260102


@dataclass(frozen=True)
class Batch:
    """Arguments of one call of a model.

    Attributes:
        args, kwargs: the arguments.
        text: in words, such as ``int<100:2x16``.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def run(self, model: torch.nn.Module) -> Any:
        """Call the model."""
        return model(*self.args, **self.kwargs)


def batch_from(given: object) -> Callable[[], Batch] | None:
    """Make a batch of what the user gave: text, ``pkg:make_batch``, a function, or the arguments themselves.

    >>> make = batch_from("input_ids=int<100:2x16;attention_mask=ones:2x16")
    >>> {name: tuple(t.shape) for name, t in make().kwargs.items()}
    {'input_ids': (2, 16), 'attention_mask': (2, 16)}

    Raises:
        UsageError: it cannot be read, or the named function is not there.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if ":" in given and not _PART.match(given.split(";")[0].replace(" ", "")):
            return lambda: _wrap(_named_function(given)(), given)
        parts = [_tensor_of(part.replace(" ", "")) for part in given.split(";") if part.strip()]
        args = tuple(t for name, t in parts if not name)
        kwargs = {name: t for name, t in parts if name}
        return lambda: Batch(args, kwargs, given)
    if callable(given):
        return lambda: _wrap(given(), getattr(given, "__name__", "batch"))
    return lambda: _wrap(given, "the given batch")


def candidates(model: torch.nn.Module) -> Iterator[Batch]:
    """Batches that the model may take, likeliest first; the caller tries them."""
    generator = torch.Generator().manual_seed(_SEED)
    names = _required(model)
    config = getattr(model, "config", None)
    vocabulary = getattr(config, "vocab_size", None)
    parameters = inspect.signature(model.forward).parameters
    if isinstance(vocabulary, int) and "input_ids" in parameters:
        kwargs = {"input_ids": torch.randint(0, vocabulary, (2, 16), generator=generator)}
        if "decoder_input_ids" in parameters:
            kwargs["decoder_input_ids"] = torch.randint(0, vocabulary, (2, 16), generator=generator)
        yield Batch((), kwargs, "input_ids=int<vocab_size:2x16")
    size = getattr(config, "image_size", None)
    if "pixel_values" in parameters and size is not None:
        high, wide = size if isinstance(size, (tuple, list)) else (size, size)
        image = torch.randn(2, getattr(config, "num_channels", 3), high, wide, generator=generator)
        yield Batch((), {"pixel_values": image}, f"pixel_values=2x{image.shape[1]}x{high}x{wide}")
    first = _first_layer(model)
    for shape, high_id in _shapes(model, first):
        if high_id:
            made = [torch.randint(0, high_id, shape, generator=generator) for _ in range(max(1, len(names)))]
        else:
            made = [torch.randn(shape, generator=generator) for _ in range(max(1, len(names)))]
        kind = f"int<{high_id}:" if high_id else ""
        yield Batch(tuple(made), {}, kind + "x".join(map(str, shape)))


def _shapes(model: torch.nn.Module, first: torch.nn.Module | None) -> Iterator[tuple[tuple[int, ...], int]]:
    sequence = any(
        word in type(m).__name__ for m in model.modules() for word in ("Attention", "Transformer", "LSTM", "GRU", "RNN")
    )
    if isinstance(first, torch.nn.Embedding):
        for length in (16, 8, _positions(model)):
            if length:
                yield (2, length), first.num_embeddings
        yield (8,), first.num_embeddings
    elif isinstance(first, (torch.nn.Linear, torch.nn.LazyLinear)):
        flat, tokens = (8, first.in_features), (2, 16, first.in_features)
        yield from ((s, 0) for s in ((tokens, flat) if sequence else (flat, tokens)))
    elif isinstance(first, (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)):
        yield (2, 16, first.input_size), 0
    elif isinstance(first, (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)):
        axes = {torch.nn.Conv1d: 1, torch.nn.Conv2d: 2}.get(type(first), 3)
        sizes = _image_sizes(model)
        for size in (*sizes, 32, 64, 28, 224) if axes < 3 else (*sizes, 16, 32):
            yield (4, first.in_channels, *(size,) * axes), 0
    elif isinstance(first, torch.nn.LayerNorm):
        for lead in ((2, 16), (8,)):
            yield (*lead, *first.normalized_shape), 0


def _image_sizes(model: torch.nn.Module) -> list[int]:
    """What the model, or the part of it that cuts patches, says of its square images."""
    found = []
    for part in (model, *model.children()):
        for name in ("image_size", "img_size"):
            value = getattr(part, name, None)
            value = value[0] if isinstance(value, (tuple, list)) and value else value
            if isinstance(value, int):
                found.append(value)
    return found


def _positions(model: torch.nn.Module) -> int | None:
    for name in ("block_size", "context_length", "max_len", "seq_len", "n_positions"):
        value = getattr(model, name, None)
        if isinstance(value, int):
            return min(value, 64)
    return None


def _first_layer(model: torch.nn.Module) -> torch.nn.Module | None:
    """The first layer that was registered and tells its input by its parameters."""
    known = (
        torch.nn.Embedding, torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, torch.nn.LSTM,
        torch.nn.GRU, torch.nn.RNN, torch.nn.LayerNorm,
    )  # fmt: skip
    for module in model.modules():
        if isinstance(module, torch.nn.MultiheadAttention):
            return torch.nn.LayerNorm(module.embed_dim, elementwise_affine=False)
        if isinstance(module, known):
            return module
    return _first_weight(model)


def _first_weight(model: torch.nn.Module) -> torch.nn.Module | None:
    """A layer of the user's own: its first matrix is read as out x in, or a convolution's kernel."""
    for _, weight in model.named_parameters():
        if weight.dim() == 2:
            return torch.nn.Linear(weight.shape[1], 1, device="meta")
        if weight.dim() in (3, 4, 5):
            kinds = {3: torch.nn.Conv1d, 4: torch.nn.Conv2d, 5: torch.nn.Conv3d}
            return kinds[weight.dim()](weight.shape[1], 1, 1, device="meta")
    return None


def _required(model: torch.nn.Module) -> list[str]:
    parameters = inspect.signature(model.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind in positional]


def _tensor_of(part: str) -> tuple[str, torch.Tensor]:
    match = _PART.match(part)
    if match is None:
        raise UsageError(
            f"the batch {part!r} cannot be read; write a shape such as 2x3x32x32 or int<100:2x16,"
            " with name= before it and ; between several, or pkg:make_batch."
        )
    shape = tuple(int(n) for n in match["shape"].split("x"))
    generator = torch.Generator().manual_seed(_SEED)
    if match["high"]:
        return match["name"] or "", torch.randint(0, int(match["high"]), shape, generator=generator)
    if match["kind"] == "ones":
        return match["name"] or "", torch.ones(shape)
    return match["name"] or "", torch.randn(shape, generator=generator)


def _named_function(text: str) -> Callable[[], Any]:
    module, _, name = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the batch {text!r} names no function: {error}.") from None
    if not callable(found):
        raise UsageError(f"the batch {text!r} names {type(found).__name__}, not a function that makes a batch.")
    return found  # type: ignore[no-any-return]


def _wrap(made: Any, text: str) -> Batch:
    if isinstance(made, Batch):
        return made
    if isinstance(made, Mapping):
        return Batch((), dict(made), text)
    return Batch(tuple(made) if isinstance(made, (tuple, list)) else (made,), {}, text)
