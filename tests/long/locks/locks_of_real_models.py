"""Locks of models of transformers, timm and torchvision: the same at every seed and with another version of PyTorch.

``python tests/long/locks/locks_of_real_models.py SEEDS [FOLDER]`` prints a line a model: lines of its lock, seeds,
changes. With a folder the lock of each model is written there, or, where one lies there already, compared with it: so
the locks of one version of PyTorch are held against another's. The models of the zoo come first, then the real ones.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from initcheck.locks.lines import Lock, changes, read_locks, written
from initcheck.locks.model_lines import lines_of_model
from initcheck.targets.models import model_of

Factory = Callable[[], Any]


def _transformers(name: str, **settings: Any) -> Factory:
    def build() -> Any:
        import transformers

        config = getattr(transformers, f"{name}Config")(**settings)
        return getattr(transformers, f"{name}Model")(config)

    return build


def _timm(name: str, **settings: Any) -> Factory:
    def build() -> Any:
        import timm

        return timm.create_model(name, pretrained=False, **settings)

    return build


def _torchvision(name: str, **settings: Any) -> Factory:
    def build() -> Any:
        import torchvision

        return getattr(torchvision.models, name)(weights=None, **settings)

    return build


_SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
REAL: dict[str, Factory] = {
    "GPT2": _transformers("GPT2", n_embd=32, n_layer=3, n_head=4, vocab_size=64, n_positions=16),
    "Llama": _transformers("Llama", **_SMALL, num_key_value_heads=2, vocab_size=64, pad_token_id=None),
    "Bert": _transformers("Bert", **_SMALL, vocab_size=64),
    "Roberta": _transformers("Roberta", **_SMALL, vocab_size=64),
    "T5": _transformers("T5", d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, vocab_size=64),
    "Bart": _transformers(
        "Bart", d_model=32, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        encoder_attention_heads=4, decoder_attention_heads=4, vocab_size=64, max_position_embeddings=32,
    ),
    "ViT": _transformers("ViT", **_SMALL, image_size=32, patch_size=8),
    "Mamba": _transformers("Mamba", hidden_size=32, num_hidden_layers=3, vocab_size=64, state_size=8),
    "Whisper": _transformers(
        "Whisper", d_model=32, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        encoder_attention_heads=4, decoder_attention_heads=4, vocab_size=64, max_target_positions=16,
        max_source_positions=16, pad_token_id=0, decoder_start_token_id=1, bos_token_id=1, eos_token_id=2,
    ),
    "Qwen3": _transformers("Qwen3", **_SMALL, num_key_value_heads=2, head_dim=8, vocab_size=64),
    "vit_tiny": _timm("vit_tiny_patch16_224", img_size=32, embed_dim=48, depth=3, num_classes=10),
    "resmlp": _timm("resmlp_12_224", img_size=64, num_classes=10),
    "convnext": _timm("convnext_atto", depths=(1, 1, 2, 1), dims=(8, 16, 32, 32), num_classes=10),
    "swin": _timm("swin_tiny_patch4_window7_224", img_size=56, embed_dim=24, depths=(1, 1), num_heads=(2, 2)),
    "mobilenetv3": _timm("mobilenetv3_small_050", num_classes=10),
    "regnet": _timm("regnetx_002", num_classes=10),
    "resnet18": _torchvision("resnet18", num_classes=10),
    "mobilenet_v2": _torchvision("mobilenet_v2", num_classes=10, width_mult=0.25),
    "shufflenet": _torchvision("shufflenet_v2_x0_5", num_classes=10),
    "squeezenet": _torchvision("squeezenet1_1", num_classes=10),
}  # fmt: skip
"""Name -> a small configuration of it."""


def lock(factory: Factory, seed: int) -> Lock:
    """The lock of one model at one seed."""
    return Lock("model", lines_of_model(model_of(factory), seed))


def changes_over_seeds(first: Lock, factory: Factory, seeds: int) -> list[str]:
    """What the locks of other seeds say otherwise than the first."""
    return [said for seed in range(1, seeds) for said in changes(first, lock(factory, seed))]


def main(seeds: int, folder: str | None = None) -> None:
    """Print a line a model."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "models"))
    import model_zoo

    total = Counted()
    for name, factory in {**{f"zoo {k}": v for k, v in model_zoo.CORRECT.items()}, **REAL}.items():
        started = time.process_time()
        try:
            first = lock(factory, 0)
        except Exception as error:  # a library that is not there, or has no such model
            print(f"{name:24s} not built: {type(error).__name__}: {str(error)[:100]}", flush=True)
            continue
        found = changes_over_seeds(first, factory, seeds)
        said = f"{name:24s} {len(first.lines):3d} lines, {seeds} seeds, {len(found)} changes"
        total.models, total.changes = total.models + 1, total.changes + len(found)
        if folder is not None:
            path = Path(folder) / f"{name.replace(' ', '_')}.lock"
            if path.exists():
                other = list(changes(read_locks(path.read_text(), str(path))[0], first))
                said += f", {len(other)} from the lock in {folder}"
                total.of_folder += len(other)
                found += other
            else:
                path.write_text(written([first], str(path)))
        print(f"{said}, {time.process_time() - started:.1f} CPU s", *dict.fromkeys(found), sep="\n    ", flush=True)
    print(f"{total.models} models, {seeds} seeds: {total.changes} changes; {total.of_folder} from the folder's locks")


class Counted:
    """What was counted: models, changes over seeds, changes from the locks of a folder."""

    models = changes = of_folder = 0


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
