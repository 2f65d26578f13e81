"""Batches that a model may take: from what its library says of it, from its signature, else from its first layer."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.models.batches.arguments import keys_taken, parts_of_arguments
from initcheck.models.batches.batch import Batch, text_of
from initcheck.models.batches.batch_text import nested
from initcheck.models.batches.hints import Hints, whole_numbers
from initcheck.models.batches.read_batches import batches_as_read
from initcheck.models.batches.readers import readers
from initcheck.models.builds.places import kind_of

_SEED = 20260102
_MOST = 48
"""Batches that are tried at most: a model that takes none of them is not waited for."""
_LAZY = 16
"""Numbers that a layer is given which takes what comes first."""
_ALSO = 8
"""Batches that are tried with what has a default."""
_FEWEST = 16
"""Values of a channel. Behind norms of four (images of 32 x 32 where a network halves them five times) a gradient was
measured 100 times as large as behind norms of sixteen and more, which agree with one another."""
_MOST_HELD = 5
"""Batches that are put off at most: as many as there are sizes of an image to try."""


def candidates(model: torch.nn.Module) -> Iterator[Batch]:
    """Batches that the model may take, likeliest first; the caller tries them."""
    for args, kwargs in islice(_tried(model, Hints(model)), _MOST):
        yield Batch(args, kwargs, text_of(args, kwargs))


def well_averaged(model: torch.nn.Module, batches: Iterable[Batch]) -> Iterator[Batch]:
    """The batches, those last that leave a batch norm too few values of a channel; the fewer, the later.

    Of four values mean and variance are noise, and so is a gradient that goes back through them.

    >>> net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 8, 8), torch.nn.BatchNorm2d(4))
    >>> small, big = Batch((torch.zeros(2, 3, 8, 8),), text="small"), Batch((torch.zeros(2, 3, 32, 32),), text="big")
    >>> [b.text for b in well_averaged(net, [small, big])]
    ['big', 'small']

    Args:
        model: its batch norms average over the batch, as in training.
        batches: likeliest first; what the model refuses is for the caller to see.
    """
    others = iter(batches)
    held: list[tuple[float, Batch]] = []
    for batch in others:
        values = fewest_averaged(model, batch)
        if values >= _FEWEST:
            yield batch
        else:
            held.append((values, batch))
        if len(held) == _MOST_HELD:
            break
    for _, batch in sorted(held, key=lambda one: -one[0]):
        yield batch
    yield from others


def fewest_averaged(model: torch.nn.Module, batch: Batch) -> float:
    """The fewest values of a channel over which a batch norm of images or waves averages; infinite where none does."""
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    found = [math.inf]

    def seen(_module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if given and given[0].dim() > 2:
            found.append(given[0].numel() / given[0].shape[1])

    hooks = [norm.register_forward_pre_hook(seen) for norm in norms]
    try:
        if norms:
            with torch.no_grad():
                batch.run(model)
    except Exception:  # of the user's model: the caller runs it too, and reads the error
        return math.inf
    finally:
        for hook in hooks:
            hook.remove()
    return min(found)


def _tried(model: torch.nn.Module, hints: Hints) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    parameters = _parameters(model)
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    spare = [n for n in needed[1:] if _may_be_none(model, parameters[n])]
    if spare:
        read = readers(model)
        spare = [n for n in spare if n not in read]
        rest = [n for n in needed if n not in spare]
        for args, kwargs in islice(_given(model, hints, parameters, rest) if spare else (), _ALSO):
            yield (), {**dict(zip(rest, args, strict=False)), **kwargs, **dict.fromkeys(spare)}
    yield from _given(model, hints, parameters, needed)


def _may_be_none(model: torch.nn.Module, parameter: inspect.Parameter) -> bool:
    """Whether an argument may be left out, by its annotation or since the code of the class asks whether it was."""
    if re.search(r"\b(Optional|None)\b", str(parameter.annotation)):
        return True
    try:
        code = inspect.getsource(kind_of(model))
    except (OSError, TypeError):
        return False
    return re.search(rf"\b{parameter.name} is (not )?None\b", code) is not None


def _given(
    model: torch.nn.Module, hints: Hints, parameters: Mapping[str, inspect.Parameter], needed: list[str]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    parts = parts_of_arguments(model.forward)
    if any(n in parts for n in needed):
        yield from _in_parts(model, needed, parts, hints)
    if not hints.has_config and not any(n.endswith("edge_index") for n in needed):
        yield from islice(_as_read(model, [*needed, *keys_taken(model)], hints), _MOST // 2)
        # What has a default may be asked for all the same, as the label of a model that is told it has classes.
        also = [n for n, p in parameters.items() if p.default is None and n in readers(model)]
        yield from islice(_as_read(model, [*needed, *also], hints) if also else (), _ALSO)
    for names in _named(parameters, hints):
        for length in (16, 8):
            kwargs = {n: hints.make(n, length) for n in dict.fromkeys((*names, *needed))}
            if all(v is not None for v in kwargs.values()):
                yield (), kwargs
    for names in _named(parameters, hints):
        yield from _other_layouts(names, needed, hints)
    if any(n.endswith("edge_index") or n == "dim_size" for n in parameters):
        yield from _graphs(parameters, needed, hints)
    dummy = getattr(model, "dummy_inputs", None)
    if isinstance(dummy, Mapping) and dummy and set(dummy) <= set(parameters):
        yield (), dict(dummy)
    if len(needed) > 1 or (needed and hints.knows(needed[0])):
        for length in (16, 8):
            made = {n: hints.make(n, length) for n in needed}
            if all(v is not None for v in made.values()):
                yield tuple(made.values()), {}
    generator = torch.Generator().manual_seed(_SEED)
    pair = next((m for m in islice(model.modules(), 2) if isinstance(m, torch.nn.Bilinear)), None)
    if pair is not None and len(needed) == 2:
        yield tuple(_of_shape((8, n), 0, generator) for n in (pair.in1_features, pair.in2_features)), {}
    for shape, high in _shapes(model, _first_layer(model), hints):
        firsts = [_of_shape(shape, high, generator) for _ in range(max(1, len(needed)))]
        rest = [hints.make(n, shape[1] if len(shape) > 1 else 8) for n in needed[1:]]
        known = [v if v is not None else f for v, f in zip(rest, firsts[1:], strict=True)]
        yield (firsts[0], *known), {}
        if len(firsts[0]) > 2 and any(v is not None and len(v) == 2 for v in rest):  # as many items as the others have
            yield (firsts[0][:2], *(v[:2] if v is f else v for v, f in zip(known, firsts[1:], strict=True))), {}
        if any(v is not None for v in rest):
            yield tuple(firsts), {}


def _as_read(
    model: torch.nn.Module, needed: list[str], hints: Hints
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Several arguments as the layers take them that read them, or one that another layer reads than the first."""
    read = readers(model)
    # A cell that is given no state has no use for what reads it.
    asked = [*needed, *(n for n, r in read.items() if n not in needed and r.of_cell)]
    known = [r for n, r in read.items() if n in asked]
    if len(asked) > 1 or any(r.pixels or r.layer is not _first_layer(model) for r in known):
        for made in batches_as_read(asked, read, hints, sequence=_goes_along(model)):
            alone = len(made) == 1 and set(made) <= set(_parameters(model))
            yield (tuple(made.values()), {}) if alone else ((), made)


def _in_parts(
    model: torch.nn.Module, needed: list[str], parts: Mapping[str, tuple[str, ...]], hints: Hints
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Arguments that are dicts, tuples or lists of tensors: each part by its name, else as the first layer takes it."""
    read = readers(model)
    asked = [f"{n}.{part}" if part and ":" not in part else n for n in needed for part in parts.get(n, ("",))]
    if any("." in path and path in read for path in asked):
        yield from (((), made) for made in islice(batches_as_read(asked, read, hints, sequence=False), _ALSO))
    generator = torch.Generator().manual_seed(_SEED)
    for shape, high in _shapes(model, _first_layer(model), hints):
        made = {}
        for name in needed:
            for part in parts.get(name, ("",)):
                place, _, called = part.partition(":")
                known = hints.make(called or (name if place in ("", "0") or place.isdecimal() else place), shape[-1])
                path = f"{name}.{place}" if place else name
                made[path] = known if known is not None else _of_shape(shape, high, generator)
        items = min((len(v) for v in made.values() if v.dim()), default=0)
        yield (), nested({n: v[:items] if v.dim() and items == 2 else v for n, v in made.items()})


def _parameters(model: torch.nn.Module) -> dict[str, inspect.Parameter]:
    by_name = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    )
    return {n: p for n, p in (parameters_of(model.forward) or {}).items() if p.kind in by_name}


# What a model may be given by name, likeliest first; a second name of a pair goes with the first.
_MAIN = (
    ("input_ids",), ("pixel_values",), ("input_values",), ("input_features",), ("inputs_embeds",),
    ("pixel_values_videos",), ("sample",), ("hidden_states",), ("query_embeds",),
)  # fmt: skip
_WITH = (
    "decoder_input_ids", "decoder_input_values", "pixel_values", "bbox", "encoder_hidden_states", "timestep",
    "class_labels", "pooled_projections", "guidance", "img_ids", "txt_ids", "input_features", "input_values",
    "input_features_mask", "feature_attention_mask", "grid_thw", "pixel_attention_mask",
    "spatial_shapes", "controlnet_cond", "encoder_attention_mask",
)  # fmt: skip


def _named(parameters: Mapping[str, inspect.Parameter], hints: Hints) -> Iterator[tuple[str, ...]]:
    """Names of arguments that a model of a library is called with."""
    if not hints.has_config:
        return
    main = hints.main_input if hints.main_input in parameters else None
    mains = [(main,)] if main is not None else []
    mains += [names for names in _MAIN if names[0] in parameters and names[0] != main]
    for names in mains:
        if not hints.knows(names[0]):
            continue
        partners = [w for w in _WITH if w in parameters and w not in names and hints.knows(w)]
        if hints.wants_all:
            yield (*names, *partners)
        needs_decoder = hints.is_encoder_decoder and "decoder_input_ids" in partners
        if needs_decoder:
            yield (*names, "decoder_input_ids")
        if names == ("input_ids",) and "pixel_values" in partners and hints.has_towers:
            yield (*names, "pixel_values")
        if "bbox" in partners:
            yield (*names, "bbox")
        yield names
        for partner in partners:
            yield (*names, partner)
        if len(partners) > 1:
            yield (*names, *partners)


def _other_layouts(
    names: tuple[str, ...], needed: list[str], hints: Hints
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The same arguments, one of them in another layout."""
    made = {n: hints.make(n, 8) for n in dict.fromkeys((*names, *needed))}
    known = {n: v for n, v in made.items() if v is not None}
    if len(known) == len(made):
        for name, tensor in known.items():
            for other in hints.others(name, tensor):
                yield (), {**known, name: other}


def _graphs(
    parameters: Mapping[str, inspect.Parameter], needed: list[str], hints: Hints
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """A graph with what its layer needs, then with what its edges may be told by too."""
    asked = list(dict.fromkeys((*needed, *(["edge_index"] if "edge_index" in parameters else []))))
    for optional in ((), ("index",), ("edge_type",), ("edge_attr",), ("edge_type", "edge_attr"), ("batch",)):
        if all(n in parameters for n in optional):
            made = {n: hints.make(n, 16) for n in dict.fromkeys((*asked, *optional))}
            if all(v is not None for v in made.values()):
                yield (), made


def _of_shape(shape: tuple[int, ...], high: int, generator: torch.Generator) -> torch.Tensor:
    if high:
        return whole_numbers(shape, high, generator)
    return torch.randn(shape, generator=generator)


def _shapes(
    model: torch.nn.Module, first: torch.nn.Module | None, hints: Hints
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Shapes that the first layer takes, and the number of tokens where it takes tokens."""
    size = hints.input_size
    if size is not None:
        yield (2, *size), 0
    sequence = _goes_along(model)
    pattern = getattr(first, "pattern", None)
    if isinstance(pattern, str):
        yield from ((s, 0) for s in _of_pattern(pattern, getattr(first, "axes_lengths", {}), _wide(model), hints))
        yield from _shapes(model, _first_layer(model, patterns=False), hints)  # it may stand behind the first matrix
    elif isinstance(first, (torch.nn.Embedding, torch.nn.EmbeddingBag)):
        for length in (16, 8, hints.length):
            if length:
                yield (2, length), first.num_embeddings
        yield (8,), first.num_embeddings
    elif isinstance(first, (torch.nn.Linear, torch.nn.LazyLinear)):
        features = first.in_features or _LAZY
        flat, tokens = (8, features), (2, 16, features)
        yield from ((s, 0) for s in ((tokens, flat) if sequence else (flat, tokens)))
        if hints.steps:  # series in columns, of which the model makes its tokens
            yield from ((s, 0) for s in ((2, hints.steps, hints.series), (2, hints.series, hints.steps)))
        # A patch is flattened by the model itself: an image of its channels.
        for image in hints.images:
            yield (2, hints.channels, *image), 0
        yield from ((s, 0) for s in _of_patches(first.in_features, hints.channels))
    elif isinstance(first, torch.nn.RNNBase):
        yield (2, 16, first.input_size), 0
    elif isinstance(first, torch.nn.modules.conv._ConvNd):
        axes = len(first.kernel_size)
        sizes: list[tuple[int, ...]] = [s for s in hints.images if len(s) == axes]
        sizes += [
            (n,) * axes for n in ((32, 64, 28, 84, 224, 128) if axes == 2 else (32, 64, 16) if axes == 1 else (16, 32))
        ]
        for image in dict.fromkeys(sizes):
            yield (4, first.in_channels or hints.channels, *image), 0
    elif isinstance(first, torch.nn.LayerNorm):
        for lead in ((2, 16), (8,)):
            yield (*lead, *first.normalized_shape), 0
        yield from ((s, 0) for s in _of_patches(first.normalized_shape[-1], hints.channels))
    elif first is None:
        # Vectors alone: a norm, a gate, a slope for every channel.
        wide = next((p.numel() for p in model.parameters() if p.dim() == 1), None)
        if wide is not None:
            yield from ((s, 0) for s in ((8, wide), (2, wide, 16), (2, wide, 8, 8), (2, 16, wide)))


def _goes_along(model: torch.nn.Module) -> bool:
    """Whether a layer goes along an axis of tokens."""
    words = ("Attention", "Transformer", "LSTM", "GRU", "RNN")
    return any(word in kind_of(m).__name__ for m in model.modules() for word in words)


def _wide(model: torch.nn.Module) -> int:
    """What the first matrix takes: the numbers of a patch."""
    return next((m.in_features for m in model.modules() if isinstance(m, torch.nn.Linear)), 0)


def _of_pattern(pattern: str, lengths: Mapping[str, int], wide: int, hints: Hints) -> Iterator[tuple[int, ...]]:
    """Tensors that einops rearranges by its pattern, such as ``b c (h p1) (w p2) -> b (h w) (p1 p2 c)``.

    A free axis of a group counts patches, as many along every side; a free axis beside the batch counts channels.
    """
    given, made = ([re.findall(r"\w+", g) for g in re.findall(r"\([^)]*\)|\w+", side)] for side in pattern.split("->"))
    patch = {n for group in made if set(group) & set(lengths) for n in group}  # its free axes are channels
    known = math.prod(lengths.values())
    channels = wide // known if known and wide and wide % known == 0 else hints.channels
    side = next((s for s in hints.images if len(s) == 2), None)
    for patches in (4, 8, 2, 14, 7, 16):
        shape: list[int] = []
        for names in given:
            fixed = math.prod(lengths.get(n, 1) for n in names)
            free = any(n not in lengths for n in names)
            grouped = len(names) > 1
            batch = not shape and not patch & set(names)
            shape.append(fixed * patches if grouped and free else fixed if not free else 2 if batch else channels)
        if side is not None and patches == 4 and len(shape) > 3:
            yield (*shape[:-2], *side)
        yield tuple(shape)
        if len(shape) == 5:  # a video has few frames
            yield (*shape[:2], shape[2] * 2 // patches, *shape[3:])


def _of_patches(features: int, channels: int) -> Iterator[tuple[int, ...]]:
    """Square images of whole patches, where that many numbers are one square patch of an image."""
    side = math.isqrt(features // channels)
    if side > 1 and channels * side**2 == features:
        for patches in (14, 16, 8, 7, 4, 2, 6, 10, 12):
            yield (2, channels, side * patches, side * patches)


def _first_layer(model: torch.nn.Module, *, patterns: bool = True) -> torch.nn.Module | None:
    """The first layer that was registered and tells its input by its parameters, or by a pattern of einops."""
    known = (
        torch.nn.Embedding, torch.nn.EmbeddingBag, torch.nn.Linear, torch.nn.modules.conv._ConvNd, torch.nn.RNNBase,
        torch.nn.LayerNorm,
    )  # fmt: skip
    for module in model.modules():
        if patterns and isinstance(getattr(module, "pattern", None), str) and hasattr(module, "axes_lengths"):
            return module
        if isinstance(module, torch.nn.MultiheadAttention):
            return torch.nn.LayerNorm(module.embed_dim, elementwise_affine=False)
        if isinstance(module, known) and not (isinstance(module, torch.nn.LayerNorm) and not module.normalized_shape):
            return module
    return _first_weight(model)


def _first_weight(model: torch.nn.Module) -> torch.nn.Module | None:
    """A layer of the user's own: its first matrix is read as out x in, or a convolution's kernel."""
    for _, weight in model.named_parameters():
        if weight.dim() == 2:
            return torch.nn.Linear(weight.shape[1], 1, device="meta")
        if weight.dim() in (3, 4, 5):
            kinds: dict[int, Callable[..., torch.nn.Module]] = {
                3: torch.nn.Conv1d,
                4: torch.nn.Conv2d,
                5: torch.nn.Conv3d,
            }
            return kinds[weight.dim()](weight.shape[1], 1, 1, device="meta")
    return None
