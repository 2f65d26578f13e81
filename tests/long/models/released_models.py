"""Starts of released libraries, built from small configurations with random weights: no weight is downloaded.

Each library is a function that yields ``Start``; one that is not installed yields nothing. Numbers are chosen small by
the names of the arguments, so that a model class that appears in a later version is there without being listed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import math
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["LIBRARIES", "Start"]

_MOST_PARAMETERS = 25_000_000


@dataclass(frozen=True)
class Start:
    """One model of one library.

    Attributes:
        library: where it comes from.
        name: of the class or of the registered model.
        builds: functions that may build it, smallest first; the first one that works is checked.
        batch: what it is run on, where nothing of the model tells.
    """

    library: str
    name: str
    builds: tuple[Callable[[], Any], ...]
    batch: Any = None

    def factories(self) -> Iterator[Callable[[], Any]]:
        """The functions that build a model of at most twenty-five million parameters, one for each size."""
        most = _MOST_PARAMETERS // (3 if self.library == "timm" else 1)  # images of 224 x 224 take their time
        seen: set[int] = set()
        for build in self.builds:
            try:
                model = self._without_memory(build)
            except Exception as error:
                if not isinstance(error, NotImplementedError) or self.library != "torchvision":
                    continue
                model = build()  # its constructor reads what it drew, which has no numbers on the meta device
            count = getattr(model, "parameters", None)
            size = sum(p.numel() for p in count()) if callable(count) else 0
            if size <= most and size not in seen:
                seen.add(size)
                yield build

    def _without_memory(self, build: Callable[[], Any]) -> Any:
        """A model of torch on the meta device, whose size is known before it has one."""
        if self.library in ("keras", "equinox", "flax"):
            return None
        with importlib.import_module("torch").device("meta"):
            return build()


_HEAD, _WIDTH = 16, 64
_DOZENS = {_HEAD: 12, _WIDTH: 48}  # some divide a width by six
_SMALL = {
    "hidden_size|d_model|n_embd|embed_dim|dim|embedding_size|hidden_dim|encoder_hidden_dim|d_embed|lm_hidden_size"
    "|decoder_hidden_size|encoder_hidden_size|width|projection_dim|text_embed_dim|emb_dim|cross_hidden_size": _WIDTH,
    "intermediate_size|encoder_ffn_dim|decoder_ffn_dim|d_ff|ffn_dim|n_inner|d_inner|dim_feedforward|ffn_hidden_size"
    "|decoder_intermediate_size|block_ff_dim|mlp_dim": 128,
    "num_hidden_layers|n_layer|n_layers|encoder_layers|decoder_layers|num_layers|num_decoder_layers"
    "|num_encoder_layers|decoder_num_hidden_layers|num_blocks|depth": 4,
    "num_attention_heads|n_head|n_heads|encoder_attention_heads|decoder_attention_heads|num_heads|n_encoder_heads"
    "|decoder_num_attention_heads|cross_num_attention_heads|cross_num_key_value_heads": 4,
    "num_key_value_heads|decoder_num_key_value_heads|encoder_num_key_value_heads": 2,
    "head_dim|cross_head_dim|d_kv|d_head|attention_head_dim|key_dim|kv_channels": _HEAD,
    "vocab_size|num_tokens|unigram_vocab_size": 211,
    "image_size|img_size": 32,
    "patch_size": 8,
    "num_local_experts|num_experts|n_routed_experts|moe_num_experts": 4,
    "num_experts_per_tok|num_experts_per_token|moe_top_k|moe_k": 2,
    "moe_intermediate_size|shared_expert_intermediate_size|expert_ffn_hidden_size": 32,
    "max_position_embeddings|n_positions|max_source_positions|max_target_positions": 64,
    "q_lora_rank|kv_lora_rank|o_lora_rank": 16,
    "qk_nope_head_dim|qk_rope_head_dim|v_head_dim": _HEAD,
    "n_group|n_groups|topk_group|topk_groups|num_expert_group|num_expert_groups": 1,
    "rotary_dim|rotary_ndims": 8,
    "layer_group_size|full_attention_interval|global_attn_every_n_layers": 2,
}  # fmt: skip
_SIZES = [(re.compile(f"^({words})$"), size) for words, size in _SMALL.items()]
_ROPE_KEYS = "ignore_keys_at_rope_validation"
_STDS = ("initializer_range", "init_std", "initializer_std")
_FEW = ("num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers", "num_layers", "vocab_size")


def _size(name: str) -> int | None:
    return next((size for words, size in _SIZES if words.match(name)), None)


def transformers() -> Iterator[Start]:
    """Every type of model that transformers registers, with the head that its config's target gets."""
    mapping = importlib.import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING
    with_models = importlib.import_module("transformers.models.auto.modeling_auto").MODEL_MAPPING_NAMES
    for kind in [k for k in mapping if k in with_models]:
        variants = ("all", "no heads", "dozens", "few")
        yield Start("transformers", kind, tuple(_of_config(mapping, kind, v) for v in variants))


def _of_config(mapping: Any, kind: str, variant: str) -> Callable[[], Any]:
    def build() -> Any:
        from initcheck.targets.configs import builder_of

        builder = builder_of(_config(mapping[kind], variant), {}, kind)
        assert builder is not None
        return builder()

    return build


def _config(kind: type, variant: str) -> Any:
    """A small config; its std is as much larger as its width is smaller, so that a matrix keeps its std x sqrt(fan)."""
    given: dict[str, Any] = {}
    said = kind().to_dict()
    wide = next((said[n] for n in ("hidden_size", "d_model", "n_embd", "dim", "embed_dim") if _is_number(said, n)), 0)
    for name, value in said.items():
        size = _size(name)
        if name in _STDS and isinstance(value, float) and 0 < value < 0.1 and wide > _WIDTH and variant != "few":
            given[name] = value * math.sqrt(wide / _WIDTH)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if variant == "few" and name not in _FEW:
            continue
        if variant == "no heads" and size == _HEAD:
            continue
        heads = said.get(name.replace("key_value", "attention"))
        if size is not None and whole and "key_value_heads" in name and value == heads:
            size = _size("num_attention_heads")  # as many as heads of queries: latent attention knows no other number
        if size is not None and variant == "dozens" and name not in _FEW:
            size = _DOZENS.get(size, size)
        if size is not None and (whole or (value is None and name == "num_experts_per_tok")):
            given[name] = min(size, value) if value else size if value is None else value
        elif name == "rope_parameters" and value and "mrope_section" in getattr(kind, _ROPE_KEYS, ()):
            given[name] = {**value, "mrope_section": [2, 3, 3]}  # numbers of half a head, for time, height and width
        elif re.search("(pad|bos|eos|sep|cls|start|mask|unk)_token_id$", name) and whole and value > 2:
            given[name] = 1
    for name in getattr(kind, "sub_configs", {}):
        sub = getattr(kind(), name, None)
        if hasattr(sub, "to_dict"):
            given[name] = _config(type(sub), variant).to_dict()
    return kind(**given)


def _is_number(said: Mapping[str, Any], name: str) -> bool:
    return isinstance(said.get(name), int) and said[name] > 0


_TIMM_SIZES = (
    "test", "femto", "atto", "pico", "nano", "xxs", "xx_small", "_050", "tiny", "x_small", "xs", "small", "_t", "_s",
    "18", "26", "_b0", "a0", "x0_5", "11",
)  # fmt: skip


def timm() -> Iterator[Start]:
    """One small model of every file of timm."""
    library = importlib.import_module("timm")
    for module in library.list_modules():
        names = library.list_models(module=module)
        ranked = sorted(names, key=lambda n: next((i for i, w in enumerate(_TIMM_SIZES) if w in n), 99))
        firsts: dict[str, list[str]] = {}
        for name in ranked:
            firsts.setdefault(re.split(r"[_\d]", name)[0], []).append(name)
        for family in list(firsts.values())[:1]:
            yield Start("timm", family[0], tuple(_of_timm(n) for n in family[:3]))


def _of_timm(name: str) -> Callable[[], Any]:
    def build() -> Any:
        return importlib.import_module("timm").create_model(name, num_classes=10)

    return build


_TORCHVISION = (
    "alexnet",
    "squeezenet1_1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
    "regnet_x_400mf",
    "resnet18",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "densenet121",
    "googlenet",
    "inception_v3",
    "swin_t",
    "swin_v2_t",
    "convnext_tiny",
    "maxvit_t",
    "r3d_18",
    "mc3_18",
    "r2plus1d_18",
    "s3d",
    "mvit_v1_b",
    "swin3d_t",
    "raft_small",
    "lraspp_mobilenet_v3_large",
    "fcn_resnet50",
    "deeplabv3_mobilenet_v3_large",
)


def torchvision() -> Iterator[Start]:
    """One small model of every architecture."""
    for name in _TORCHVISION:
        yield Start("torchvision", name, (_of_torchvision(name),))
    yield Start("torchvision", "vit small", (lambda: _vision_transformer(),))
    for name, given in _SMALL_TORCHVISION.items():
        yield Start("torchvision", f"{name} small", (_of_torchvision_class(name, given),))


def _of_torchvision(name: str) -> Callable[[], Any]:
    def build() -> Any:
        models = importlib.import_module("torchvision").models
        given = {"weights_backbone": None} if name.startswith(("lraspp", "fcn", "deeplab")) else {}
        return models.get_model(name, weights=None, **given)

    return build


def _of_torchvision_class(name: str, given: Mapping[str, Any]) -> Callable[[], Any]:
    def build() -> Any:
        models = importlib.import_module("torchvision").models
        if name == "ConvNeXt":
            setting = models.convnext.CNBlockConfig
            return models.ConvNeXt([setting(24, 48, 2), setting(48, 96, 6), setting(96, None, 2)], num_classes=10)
        return getattr(models, name)(**given, num_classes=10)

    return build


_SWIN = {"patch_size": [4, 4], "embed_dim": 24, "depths": [2, 6], "num_heads": [2, 4], "window_size": [4, 4]}
_SMALL_TORCHVISION: dict[str, dict[str, Any]] = {"SwinTransformer": _SWIN, "ConvNeXt": {}}


def _vision_transformer() -> Any:
    models = importlib.import_module("torchvision").models
    return models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=6, num_heads=4, hidden_dim=48, mlp_dim=96, num_classes=10
    )


_DIFFUSERS = {
    "block_out_channels": (32, 64), "down_block_out_channels": (32, 64), "encoder_block_out_channels": (32, 64),
    "decoder_block_out_channels": (32, 64), "layers_per_block": 1, "num_layers": 4, "num_single_layers": 4,
    "num_attention_heads": 4, "attention_head_dim": 12, "cross_attention_dim": 48, "norm_num_groups": 8,
    "sample_size": 16, "joint_attention_dim": 48, "caption_projection_dim": 48, "caption_channels": 48,
    "pooled_projection_dim": 48, "patch_size": 2, "inner_dim": 48, "hidden_size": 48, "num_refiner_layers": 2,
    "n_layers": 4, "dim": 48, "n_heads": 4, "ffn_dim": 96, "text_dim": 48, "freq_dim": 32, "num_refine_layers": 2,
    "text_embed_dim": 48, "text_embed_2_dim": 48, "image_embed_dim": 48, "cap_feat_dim": 48,
}  # fmt: skip
_ROTARY = ("axes_dims_rope", "axes_dims", "rope_axes_dim")
_ROTATED = {3: (4, 4, 4), 4: (2, 2, 4, 4)}  # numbers of a head, for each axis of a position


def diffusers() -> Iterator[Start]:
    """Every model class that diffusers exports, by its constructor's defaults, made small where their names say how."""
    library = importlib.import_module("diffusers.models")
    base = library.ModelMixin
    for name in sorted(n for n in dir(library) if n[:1].isupper()):
        kind = getattr(library, name)
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base:
            yield Start("diffusers", name, (_shrunk(kind, _DIFFUSERS), _shrunk(kind, _blocks_kept()), kind))


def _blocks_kept() -> dict[str, Any]:
    return {n: v for n, v in _DIFFUSERS.items() if not isinstance(v, tuple)}


def _shrunk(kind: Any, sizes: Mapping[str, Any]) -> Callable[[], Any]:
    def build() -> Any:
        parameters = inspect.signature(kind.__init__).parameters
        given = {n: sizes[n] for n, p in parameters.items() if n in sizes and p.default is not None}
        for name in (n for n in _ROTARY if n in parameters):
            given[name] = _ROTATED[len(parameters[name].default)]
        blocks = parameters.get("block_out_channels")
        if (
            blocks is not None
            and isinstance(blocks.default, tuple)
            and isinstance(sizes.get("block_out_channels"), tuple)
        ):
            given["block_out_channels"] = tuple(32 * (1 + (i > 0)) for i in range(len(blocks.default)))
        return kind(**given)

    return build


_GRAPH = {
    "in_channels": 16, "out_channels": 16, "hidden_channels": 16, "num_layers": 4, "channels": 16, "heads": 4,
    "num_relations": 3, "num_bases": 2, "K": 3, "k": 3, "dim": 2, "kernel_size": 3, "edge_dim": 6, "num_timesteps": 2,
    "ratio": 0.5, "num_heads": 4, "alpha": 0.1, "num_ntypes": 2, "num_etypes": 2, "num_aggregators": 2,
}  # fmt: skip


def torch_geometric() -> Iterator[Start]:
    """Every layer and model of PyG that is made by the sizes of its channels."""
    for room in ("conv", "models", "pool", "aggr", "norm"):
        library = importlib.import_module(f"torch_geometric.nn.{room}")
        torch = importlib.import_module("torch")
        for name in sorted(getattr(library, "__all__", dir(library))):
            kind = getattr(library, name, None)
            if isinstance(kind, type) and issubclass(kind, torch.nn.Module):
                yield Start("torch_geometric", f"{room}.{name}", (_by_channels(kind),))


def _by_channels(kind: Any) -> Callable[[], Any]:
    def build() -> Any:
        parameters = inspect.signature(kind.__init__).parameters
        needed = {n for n, p in parameters.items() if p.default is p.empty and n not in ("self", "kwargs", "args")}
        given = {n: v for n, v in _GRAPH.items() if n in needed}
        module = kind(**given)
        assert any(True for _ in module.parameters()), "it has no parameters"
        return module

    return build


_TORCH: dict[str, tuple[int, ...]] = {
    "Linear": (24, 16), "Bilinear": (12, 10, 8), "Conv1d": (8, 16, 3), "Conv2d": (8, 16, 3),
    "Conv3d": (4, 8, 3), "ConvTranspose1d": (8, 16, 3), "ConvTranspose2d": (8, 16, 3), "Embedding": (99, 24),
    "EmbeddingBag": (99, 24), "RNN": (12, 24, 2), "LSTM": (12, 24, 2), "GRU": (12, 24, 2),
    "MultiheadAttention": (24, 4), "Transformer": (24, 4, 4, 4, 48), "LayerNorm": (24,), "BatchNorm2d": (8,),
    "GroupNorm": (2, 8), "PReLU": (), "RNNCell": (12, 24), "LSTMCell": (12, 24), "GRUCell": (12, 24),
}  # fmt: skip


def torch_layers() -> Iterator[Start]:
    """Layers of torch itself."""
    nn = importlib.import_module("torch").nn
    for name, given in _TORCH.items():
        yield Start("torch", name, (functools.partial(getattr(nn, name), *given),))


_VISION = {
    "image_size": 32, "patch_size": 8, "num_classes": 10, "dim": 48, "depth": 6, "heads": 4, "mlp_dim": 96,
    "dim_head": 12, "channels": 3, "frames": 4, "frame_patch_size": 2, "image_patch_size": 8, "spatial_depth": 4,
    "temporal_depth": 4, "cls_depth": 2, "num_patches": 16,
}  # fmt: skip


def vit_pytorch() -> Iterator[Start]:
    """The transformer of every file of vit-pytorch, by the sizes that its arguments name."""
    library = importlib.import_module("vit_pytorch")
    module_class = importlib.import_module("torch").nn.Module
    for name in sorted(m.name for m in pkgutil.iter_modules(library.__path__)):
        try:
            module = importlib.import_module(f"vit_pytorch.{name}")
        except ImportError:  # of a package that only this file needs
            continue
        kinds = [k for k in vars(module).values() if isinstance(k, type) and issubclass(k, module_class)]
        whole = [k for k in kinds if k.__module__ == module.__name__ and "num_classes" in _arguments(k)]
        for kind in whole[-1:]:
            yield Start("vit_pytorch", name, (_by_sizes(kind),))


def _arguments(kind: type) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(kind.__init__).parameters  # type: ignore[misc]


def _by_sizes(kind: Any) -> Callable[[], Any]:
    return lambda: kind(**{n: v for n, v in _VISION.items() if n in _arguments(kind)})


_APPLICATIONS = (
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "DenseNet121",
    "NASNetMobile",
    "ResNet50",
    "Xception",
    "ConvNeXtTiny",
)
_KERAS_LAYERS: dict[str, tuple[Any, ...]] = {
    "Dense": (16,), "EinsumDense": ("ab,bc->ac", 16), "Embedding": (99, 24), "Conv1D": (16, 3), "Conv2D": (16, 3),
    "Conv3D": (8, 3), "DepthwiseConv2D": (3,), "SeparableConv2D": (16, 3), "Conv2DTranspose": (16, 3), "LSTM": (24,),
    "GRU": (24,), "SimpleRNN": (24,), "LayerNormalization": (), "BatchNormalization": (), "GroupNormalization": (4,),
    "UnitNormalization": (),
}  # fmt: skip
_KERAS_INPUTS = {"Dense": (24,), "EinsumDense": (24,), "Embedding": (8,), "Conv1D": (12, 8), "LSTM": (12, 8),
                 "GRU": (12, 8), "SimpleRNN": (12, 8), "Conv3D": (8, 8, 8, 4)}  # fmt: skip


def keras() -> Iterator[Start]:
    """Models of keras.applications without weights, and layers."""
    for name in _KERAS_LAYERS:
        yield Start("keras", f"layers.{name}", (functools.partial(_keras_layer, name),))
    for name in _APPLICATIONS:
        yield Start("keras", f"applications.{name}", (functools.partial(_application, name),))


def _keras_layer(name: str) -> Any:
    library = importlib.import_module("keras")
    inputs = library.Input(_KERAS_INPUTS.get(name, (16, 16, 8)))
    return library.Model(inputs, getattr(library.layers, name)(*_KERAS_LAYERS[name])(inputs))


def _application(name: str) -> Any:
    library = importlib.import_module("keras")
    size = {"NASNetMobile": 224, "Xception": 96}.get(name, 64)
    return getattr(library.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)


def equinox() -> Iterator[Start]:
    """Layers of Equinox."""
    sizes = {
        "Linear": (24, 16), "Conv1d": (8, 16, 3), "Conv2d": (8, 16, 3), "ConvTranspose2d": (8, 16, 3),
        "GRUCell": (12, 24), "LSTMCell": (12, 24), "MLP": (24, 10, 32, 4), "MultiheadAttention": (4, 24),
        "Embedding": (99, 24),
    }  # fmt: skip
    for name, given in sizes.items():
        yield Start("equinox", name, (_with_key(name, given),))


def _with_key(name: str, given: tuple[int, ...]) -> Callable[..., Any]:
    def build(key: Any = None) -> Any:
        jax = importlib.import_module("jax")
        return getattr(importlib.import_module("equinox").nn, name)(
            *given, key=jax.random.key(0) if key is None else key
        )

    return build


def flax() -> Iterator[Start]:
    """Layers of Flax, by nnx."""
    sizes = {
        "Linear": (24, 16), "LinearGeneral": (24, 16), "Conv": (8, 16, (3, 3)), "ConvTranspose": (8, 16, (3, 3)),
        "Embed": (99, 24), "MultiHeadAttention": (4, 24), "LSTMCell": (12, 24), "GRUCell": (12, 24),
        "LayerNorm": (24,), "BatchNorm": (24,), "Einsum": ("ab,bc->ac", (24, 16)),
    }  # fmt: skip
    for name, given in sizes.items():
        yield Start("flax", f"nnx.{name}", (_with_rngs(name, given),))


def _with_rngs(name: str, given: tuple[Any, ...]) -> Callable[..., Any]:
    def build(rngs: Any = None) -> Any:
        nnx = importlib.import_module("flax.nnx")  # imported here: threads of JAX do not survive a fork
        called = {"decode": False} if name == "MultiHeadAttention" else {}  # else its call must say so
        return getattr(nnx, name)(*given, **called, rngs=nnx.Rngs(0) if rngs is None else rngs)

    return build


LIBRARIES: dict[str, tuple[str, Callable[[], Iterator[Start]]]] = {
    "torch": ("torch", torch_layers),
    "transformers": ("transformers", transformers),
    "timm": ("timm", timm),
    "torchvision": ("torchvision", torchvision),
    "diffusers": ("diffusers", diffusers),
    "vit_pytorch": ("vit_pytorch", vit_pytorch),
    "torch_geometric": ("torch_geometric", torch_geometric),
    "keras": ("keras", keras),
    "equinox": ("equinox", equinox),
    "flax": ("flax", flax),
}
"""Name -> module that must be installed, and what yields its starts."""
