"""What a model and its library say of the inputs it takes: config, sub-configs, attributes, names of arguments."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules import conv

from initcheck.adapters.signatures.parameters import parameters_of

_SUB_CONFIGS = ("text_config", "vision_config", "audio_config", "text_encoder", "encoder", "decoder", "backbone_config")
_SEED = 20260102
_WHOLE = ("cfg", "configs", "conf", "args", "opt", "params", "hparams", "c")
_GRIDS = {"grid_thw": (1, 3), "image_grid_thw": (1, 3), "spatial_shapes": (2, 2)}
"""Arguments that tell how many patches lie along each axis, and their shape: one image, or two."""
_LENGTHS = re.compile("(.*_)?[iox]?len(s|gths?)?|[iox]lens")
"""Arguments that tell how long each sequence is: all are whole."""
_GRID = 4
"""Patches along time, height and width: even, since two by two of them are merged behind the blocks."""


class Hints:
    """The numbers by which tensors of a named argument can be made.

    >>> hints = Hints(torch.nn.Linear(3, 4))
    >>> hints.has_config, tuple(hints.make("edge_index", 6).shape), hints.make("nothing_known", 4)
    (False, (2, 12), None)

    Args:
        model: a ``torch.nn.Module``; its ``config`` (transformers, diffusers), ``pretrained_cfg`` (timm) and
            attributes are read.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model
        self._sources = list(_sources(model))
        self._generator = torch.Generator().manual_seed(_SEED)

    @property
    def has_config(self) -> bool:
        """Whether a library's config stands behind the model."""
        return getattr(self._model, "config", None) is not None

    @property
    def main_input(self) -> str | None:
        """The name of the main input, as transformers say it."""
        name = getattr(self._model, "main_input_name", None)
        return name if isinstance(name, str) else None

    @property
    def is_encoder_decoder(self) -> bool:
        """Whether the config says that a decoder wants tokens of its own."""
        return bool(getattr(getattr(self._model, "config", None), "is_encoder_decoder", False))

    @property
    def has_towers(self) -> bool:
        """Whether the config holds one config for text and one for images."""
        config = getattr(self._model, "config", None)
        return getattr(config, "text_config", None) is not None and getattr(config, "vision_config", None) is not None

    @property
    def wants_all(self) -> bool:
        """Whether every argument that is known is needed, though it has a default: so in diffusers."""
        return type(self._model).__module__.startswith("diffusers.")

    @property
    def input_size(self) -> tuple[int, ...] | None:
        """Channels, height and width of an image, as timm says them; of the size that was asked for."""
        found = None
        for name in ("pretrained_cfg", "default_cfg"):
            cfg = getattr(self._model, name, None)
            size = cfg.get("input_size") if isinstance(cfg, Mapping) else None
            if isinstance(size, (tuple, list)) and len(size) == 3:
                found = tuple(int(n) for n in size)
                break
        if found is None:
            return None
        asked = getattr(getattr(self._model, "patch_embed", None), "img_size", None)
        channels = self._first_channels() or found[0]
        return (channels, *(int(n) for n in asked)) if isinstance(asked, (tuple, list)) else (channels, *found[1:])

    @property
    def images(self) -> list[tuple[int, ...]]:
        """What the model, or a part of it, says of the size of its images."""
        found = []
        for part in (self._model, *self._model.children()):
            for name in ("image_size", "img_size", "sample_size", "input_size"):
                size = _square(getattr(part, name, None))
                if size is not None:
                    found.append(size)
        size = _square(self._said("image_size", "img_size", "sample_size", "input_size"))
        return list(dict.fromkeys([*found, *([size] if size is not None else [])]))

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return self._number("in_channels", "num_channels", "in_chans", "channels") or 3

    @property
    def length(self) -> int | None:
        """The longest sequence, where the model says it; at most 64."""
        names = (
            "block_size",
            "context_length",
            "max_len",
            "seq_len",
            "max_seq_len",
            "n_positions",
            "max_position_embeddings",
        )
        value = self._number(*names)
        return min(value, 64) if value is not None else None

    @property
    def steps(self) -> int | None:
        """Steps of a series that a forecast is made of, where the model says them."""
        return self._number("seq_len", "input_len", "input_length", "context_window", "context_length", "lookback")

    @property
    def _ahead(self) -> int:
        """Steps that the decoder of a forecast is given: those it is told of, and those it is to make."""
        return (self._number("label_len") or 0) + (self._number("pred_len", "horizon") or self.steps or 0)

    @property
    def series(self) -> int:
        """Series that are forecast together."""
        return self._number("enc_in", "c_in", "n_vars", "n_series", "num_series", "n_features", "in_channels") or 3

    @property
    def width(self) -> int | None:
        """Numbers a token is made of."""
        return self._number("hidden_size", "d_model", "n_embd", "dim", "embed_dim", "hidden_dim")

    @property
    def vocabulary(self) -> int | None:
        """Number of tokens."""
        return self._number("vocab_size", "num_tokens", "n_vocab") or next(
            (m.num_embeddings for m in self._model.modules() if isinstance(m, torch.nn.Embedding)), None
        )

    def knows(self, name: str) -> bool:
        """Whether a tensor of this name can be made."""
        return self.make(name, 8) is not None

    def make(self, name: str, length: int) -> torch.Tensor | None:
        """A tensor for an argument of this name, two items of so many tokens; None where nothing is known of it."""
        shape = self._shape_of(name, length)
        if shape is None:
            return None
        sizes, high = shape
        if name in _GRIDS or _LENGTHS.fullmatch(name):
            return torch.full(sizes, high)
        if high == 1:
            return torch.ones(sizes) if "mask" in name else torch.zeros(sizes, dtype=torch.int64)
        if high:
            return whole_numbers(sizes, high, self._generator)
        return torch.randn(sizes, generator=self._generator)

    def others(self, name: str, tensor: torch.Tensor) -> Iterator[torch.Tensor]:
        """Other layouts of an argument, likeliest first: of images larger ones, pairs and videos, of waves channels."""
        for shape, high in self._other_shapes(name, tuple(tensor.shape)):
            if high:
                yield whole_numbers(shape, high, self._generator)
            else:
                yield torch.randn(shape, generator=self._generator)

    def _other_shapes(self, name: str, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
        if name == "pixel_values" and len(shape) == 4:
            yield from (((*shape[:2], side, side), 0) for side in (64, 224))
            yield (2, 2, *shape[1:]), 0
            yield (2, self._number("num_frames", "frames_per_clip", "tubelet_size") or 4, *shape[1:]), 0
        elif name == "input_values" and len(shape) == 2:
            yield (2, self._number("audio_channels", "num_audio_channels") or 1, 4000), 0
        elif name == "input_features" and len(shape) == 3:
            yield (shape[0], shape[2], shape[1]), 0
        elif name == "decoder_input_ids":
            wide = self._number("num_channels", "num_codebooks", "audio_channels")
            if wide:
                yield (*shape, wide), self.vocabulary or 2
        elif name in ("sample", "hidden_states") and self._number("in_channels"):
            channels = self.channels
            size = next((s for s in self.images if len(s) == 2), (32, 32))
            yield (2, channels, *size), 0
            yield (2, channels, 5, *size), 0
            yield (2, 5, channels, *size), 0

    def _shape_of(self, name: str, length: int) -> tuple[tuple[int, ...], int] | None:
        """Shape, and 0 for real numbers, else how many whole numbers there are."""
        patches = self._patches(name)
        if patches is not None:
            return patches, 0
        if self.length is not None:
            length = min(length, self.length)
        if name in ("tokens", "token_ids", "idx", "ids", "text") or re.search("^(.*_)?input_ids$", name):
            return None if not self.vocabulary else ((2, self._number("context_length") or length), self.vocabulary)
        if name in ("pixel_values", "image", "images", "img", "pixels"):
            size: tuple[int, ...] | None = next((s for s in self.images if len(s) == 2), None)
            size = size or ((224, 224) if self.has_config else None)
            frames = self._number("num_frames") if name == "pixel_values" else None
            video = (frames,) if frames else ()
            return ((2, *video, self.channels, *size), 0) if size is not None else None
        if name == "pixel_values_videos":
            frame = next(iter(self.images), (224, 224))
            return (2, self._number("num_frames", "frames_per_clip") or 8, self.channels, *frame), 0
        if name == "input_values":
            return self._spectrogram() or ((2, 4000), 0)
        if name == "input_features":
            bins = self._number("num_mel_bins", "feature_size", "input_dim", "num_features", "n_mels")
            frames = self._number("max_source_positions")
            return None if not bins else ((2, bins, 2 * frames) if frames else (2, 64, bins), 0)
        if self.steps and re.fullmatch("(x|batch_x)_(mark_)?(enc|dec)|batch_[xy](_mark)?", name):
            ahead = self.steps if "dec" not in name and "_y" not in name else self._ahead
            return (2, ahead, 4 if "mark" in name else self.series), 0
        if name in ("timestep", "timesteps", "t", "time", "sigma", "noise_labels"):
            return (2,), 1000
        if name in ("class_labels", "y", "labels") and self._number(
            "num_embeds_ada_norm", "num_classes", "num_class_embeds"
        ):
            return (2,), self._number("num_embeds_ada_norm", "num_classes", "num_class_embeds") or 2
        if name == "sample":
            sample = next((s for s in self.images if len(s) in (1, 2)), (32, 32))
            return None if not self._number("in_channels") else ((2, self.channels, *sample), 0)
        if name in ("hidden_states", "x") and self.has_config and self._number("in_channels"):
            channels, size = self.channels, next((s for s in self.images if len(s) == 2), None)
            return ((2, channels, *size), 0) if size is not None else ((2, length, channels), 0)
        if name in ("hidden_states", "inputs_embeds", "query_embeds", "src", "tgt"):
            return None if not self.width else ((2, length, self.width), 0)
        if name == "encoder_hidden_states":
            wide = self._number(
                "caption_channels", "joint_attention_dim", "cross_attention_dim", "encoder_hid_dim", "text_dim",
                "text_embed_dim", "cap_feat_dim",
            )  # fmt: skip
            return None if not (wide or self.width) else ((2, 8, wide or self.width or 1), 0)
        if name == "encoder_attention_mask":
            return (2, 8), 1
        if name == "controlnet_cond":
            return self._condition(length)
        if name in ("original_size", "target_size", "crop_coords"):
            return (2, 2), 0
        if name in ("pooled_projections", "text_embeds"):
            wide = self._number("pooled_projection_dim", "projection_dim")
            return None if not wide else ((2, wide), 0)
        if name == "guidance":
            return ((2,), 0) if self._said("guidance_embeds") else None
        if name in ("img_ids", "txt_ids"):
            axes = self._said("axes_dims_rope")
            return (length if name == "img_ids" else 8, len(axes) if isinstance(axes, (tuple, list)) else 3), 1
        if name == "pixel_attention_mask" and "spatial_shapes" in self._arguments:
            return (2, _GRID**2), 1
        if _LENGTHS.fullmatch(name):
            return (2,), length
        if name in ("mask", "padding_mask") or (name.endswith("attention_mask") and name != "feature_attention_mask"):
            return (2, length), 1
        if name in ("input_features_mask", "feature_attention_mask"):
            features = self._shape_of("input_features", length)
            return (
                None if features is None else ((2, features[0][-1 if self._number("max_source_positions") else 1]), 1)
            )
        if name in _GRIDS:
            return _GRIDS[name], _GRID
        if name == "bbox":
            return (2, length, 4), 1
        graph = self._graph(name, length)
        return graph if graph is not None else self._noise(name)

    def _noise(self, name: str) -> tuple[tuple[int, ...], int] | None:
        """The vector that a generator makes an image of."""
        wide = self._number("z_dim", "latent_dim", "nz", "style_dim", "noise_dim", "latent_size", "dim_latent")
        return ((8, wide), 0) if wide and re.fullmatch("z|(input_)?noise|latents?(_code)?|styles?", name) else None

    def _patches(self, name: str) -> tuple[int, ...] | None:
        """Patches of images in one row, where the model is told their grids of time, height and width."""
        if name not in ("pixel_values", "hidden_states") or not any(n in self._arguments for n in _GRIDS):
            return None
        if "spatial_shapes" in self._arguments:
            return 2, _GRID**2, self.channels * (self._number("patch_size") or 1) ** 2
        first = next((m for m in self._model.modules() if isinstance(m, (nn.Linear, conv._ConvNd))), None)
        if isinstance(first, nn.Linear):
            return _GRID**3, first.in_features
        return None if first is None else (_GRID**3, first.in_channels * math.prod(first.kernel_size))

    def _condition(self, length: int) -> tuple[tuple[int, ...], int] | None:
        """What a control network is conditioned on: an image eight times as large as its latents, or more latents."""
        channels, latents = self._number("conditioning_channels"), self._shape_of("sample", length)
        if channels and latents is not None:
            return (2, channels, *(8 * n for n in latents[0][2:])), 0
        return self._shape_of("hidden_states", length)

    def _graph(self, name: str, nodes: int) -> tuple[tuple[int, ...], int] | None:
        """Arguments of a graph network: nodes by their features, edges by two nodes each."""
        if name.endswith("edge_index") or name == "adj_t":
            return (2, 2 * nodes), nodes
        if name in ("edge_weight",):
            return (2 * nodes,), 0
        if name == "edge_attr":
            wide = self._number("edge_dim", "edge_channels", "dim")
            return ((2 * nodes, wide), 0) if wide else None
        if name == "edge_type":
            return (2 * nodes,), self._number("num_relations") or 2
        if name == "batch" or (name == "index" and "dim_size" in self._arguments):
            return (nodes,), 1
        if name == "z" and (self._has_edges() or "pos" in self._arguments):
            return (nodes,), 10
        if name == "pos":
            return (nodes, 3), 0
        if name in ("x", "x_0") and not self.has_config and self._has_edges():
            names = ("in_channels", "in_features", "in_dim", "channels")
            own = next((s for s in (_size_of(self._model, n) for n in names) if s), None)
            return (nodes, own or self._number(*names) or 16), 0
        return None

    def _has_edges(self) -> bool:
        messages = any("MessagePassing" in {k.__name__ for k in type(m).__mro__} for m in self._model.modules())
        return messages or any(n.endswith("edge_index") or n == "dim_size" for n in self._arguments)

    def _spectrogram(self) -> tuple[tuple[int, ...], int] | None:
        bins, frames = self._number("num_mel_bins"), self._number("max_length")
        return ((2, frames, bins), 0) if bins and frames else None

    def _first_channels(self) -> int | None:
        return next((m.in_channels for m in self._model.modules() if isinstance(m, conv._ConvNd)), None)

    def _said(self, *names: str) -> Any:
        for name in names:
            for source in self._sources:
                value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
                if value is not None and not callable(value):
                    return value
        return None

    @functools.cached_property
    def _arguments(self) -> tuple[str, ...]:
        return tuple(parameters_of(self._model.forward) or ())

    def _number(self, *names: str) -> int | None:
        return next((n for n in (_whole(self._said(name)) for name in names) if n), None)


def whole_numbers(sizes: tuple[int, ...], high: int, generator: torch.Generator) -> torch.Tensor:
    """Numbers from 0 to high - 1; the highest is among them, so that the batch tells how many there are."""
    made = torch.randint(0, high, sizes, generator=generator)
    if made.numel():
        made.view(-1)[-1] = high - 1
    return made


def _size_of(model: torch.nn.Module, name: str) -> int | None:
    """A size that the model itself holds, none of its parts."""
    return _whole(getattr(model, name, None))


def _whole(value: Any) -> int | None:
    value = value[0] if isinstance(value, (tuple, list)) and value else value
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _sources(model: torch.nn.Module) -> Iterator[Any]:
    config = getattr(model, "config", None)
    if config is not None:
        yield config
        for name in dict.fromkeys((*_SUB_CONFIGS, *getattr(config, "sub_configs", ()))):
            sub = config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
            if sub is not None and not isinstance(sub, str):
                yield sub
    yield model
    # What a user hands in as a whole: a dataclass, a namespace, a dict.
    yield from (vars(model)[n] for n in _WHOLE if n in vars(model))
    yield from model.children()


def _square(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and value > 0:
        return (value, value)
    if isinstance(value, (tuple, list)) and value and all(isinstance(n, int) for n in value) and math.prod(value) > 0:
        return tuple(value)
    return None
