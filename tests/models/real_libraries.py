"""An optional job: models of transformers and timm, built from small configs with random weights.

Run it where both are installed: ``python tests/models/real_libraries.py [NAME ...]``. It prints each verdict that
is not HOLDS, line by line, and exits with 1 where a model differs from what is written beside it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from initcheck.doors.check_model import check_model
from initcheck.report.verdict import Verdict

WRITTEN = "every-tensor-is-written"
REBUILD = "rebuilds-the-same"
DISTINCT = "tensors-are-distinct"
LAW = "siblings-share-one-law"
DECLARED = "declared-laws-are-in-force"
SIGNAL = "signal-survives-the-blocks"
CHANCE = "starts-at-chance"

_TEXT = {"vocab_size": 211, "hidden_size": 48, "num_hidden_layers": 6, "num_attention_heads": 4}
_TEXT |= {"intermediate_size": 96}


def _transformers(model: str, config: str, **values: Any) -> Callable[[], Any]:
    def build() -> Any:
        import transformers

        return getattr(transformers, model)(getattr(transformers, config)(**values))

    return build


def _timm(name: str, **values: Any) -> Callable[[], Any]:
    def build() -> Any:
        import timm

        return timm.create_model(name, **values)

    return build


_T5 = {"vocab_size": 211, "d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 4, "num_heads": 4}
_T5 |= {"decoder_start_token_id": 0}
_VIT = {"img_size": 32, "patch_size": 8, "depth": 6, "num_classes": 10, "embed_dim": 48, "num_heads": 4}

# What is expected to fail, and why.
MODELS: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "transformers GPT-2": (
        _transformers("GPT2LMHeadModel", "GPT2Config", vocab_size=211, n_embd=48, n_layer=6, n_head=4), set()
    ),
    "transformers Llama": (_transformers("LlamaForCausalLM", "LlamaConfig", **_TEXT), set()),
    "transformers BERT": (_transformers("BertForMaskedLM", "BertConfig", **_TEXT), set()),
    "transformers BERT classifier": (_transformers("BertForSequenceClassification", "BertConfig", **_TEXT), set()),
    "transformers T5": (_transformers("T5ForConditionalGeneration", "T5Config", **_T5), set()),
    "transformers T5 untied": (
        _transformers("T5ForConditionalGeneration", "T5Config", **_T5, tie_word_embeddings=False), {CHANCE}
    ),
    "transformers ViT": (
        _transformers(
            "ViTForImageClassification", "ViTConfig", hidden_size=48, num_hidden_layers=6, num_attention_heads=4,
            intermediate_size=96, image_size=32, patch_size=8, num_labels=10,
        ),
        set(),
    ),
    "transformers Mixtral": (
        _transformers("MixtralForCausalLM", "MixtralConfig", **_TEXT, num_local_experts=4, num_key_value_heads=2),
        set(),
    ),
    "transformers Mamba": (
        _transformers("MambaForCausalLM", "MambaConfig", vocab_size=211, hidden_size=48, num_hidden_layers=6), set()
    ),
    "timm ViT": (_timm("vit_tiny_patch16_224", **_VIT), {REBUILD}),
    "timm ResNet-18": (_timm("resnet18", num_classes=10), set()),
    "timm ConvNeXt": (_timm("convnext_atto", num_classes=10), {REBUILD}),
    "timm Mixer": (_timm("mixer_s32_224", img_size=64, num_classes=10), set()),
    # Its truncated normal maps a uniform of exactly +-1 to +-2, a hundred sigma: in bfloat16 always, in float32 once
    # in about 2^24 entries, which this seed shows among 16 million.
    "timm Swin": (
        _timm("swin_tiny_patch4_window7_224", img_size=56, num_classes=10, depths=(1, 1, 4, 1)), {REBUILD, LAW}
    ),
}  # fmt: skip


def main(names: list[str]) -> int:
    """Check the models whose names hold one of the words; all of them where none is given."""
    different = 0
    for name, (build, expected) in MODELS.items():
        if names and not any(word in name for word in names):
            continue
        started = time.perf_counter()
        report = check_model(build, name=name)
        found = {r.claim for r in report.failures}
        different += found != expected
        mark = "as expected" if found == expected else f"expected {sorted(expected) or 'no failure'}"
        shown = report.contracts[name]
        print(f"{name}: {shown['parameters']:,} parameters, {time.perf_counter() - started:.1f} s, {mark}")
        for result in report:
            if result.verdict is not Verdict.HOLDS:
                lines = (
                    [result.evidence.case, *result.evidence.detail]
                    if result.verdict is Verdict.FAILS
                    else [result.reason]
                )
                for line in lines:
                    print(f"    {result.verdict.value:<14} {result.claim}: {line}")
            for note in result.notes:
                print(f"    {'note':<14} {result.claim}: {note}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
