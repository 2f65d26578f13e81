"""The laws that the papers and the reference codes of well-known models start from, by what a tensor is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from initcheck.errors import UsageError, closest
from initcheck.locks.lines import Line, same_law

__all__ = ["PRESETS", "Preset", "departures"]

# What a tensor is, told by its path: the first that fits.
_KINDS = (
    ("ssm", re.compile(r"(^|\.)(A_log|D|dt_proj\.\w+|conv1d\.\w+)$")),
    ("norm", re.compile(r"(^|[._])(ln|norm|layernorm|layer_norm|rmsnorm|bn)[\w]*(\.|$)", re.IGNORECASE)),
    ("bias", re.compile(r"bias$")),
    ("token", re.compile(r"(cls_token|cls|mask_token|pos_embed|position_embeddings?)(\.weight)?$")),
    ("patches", re.compile(r"(patch_embed|patch_embeddings|conv_proj)[\w.]*weight$")),
    ("embedding", re.compile(r"(wte|wpe|tok|emb|shared|relative_attention_bias)[\w.]*weight$", re.IGNORECASE)),
    ("head", re.compile(r"(^|\.)(lm_head|head|classifier|heads)(\.\w+)*weight$")),
    ("residual", re.compile(r"(c_proj|out_proj|o_proj|down_proj|fc2|w2|\.proj|\.wo)\.weight$")),
    ("query", re.compile(r"\.(q|q_proj|query)\.weight$")),
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A model that many start as.

    Attributes:
        name: for ``--like``.
        source: paper and code.
        laws: what a tensor is -> its law, as lines say it; L is the number of blocks, n the columns of a matrix.
    """

    name: str
    source: str
    laws: Mapping[str, str]


PRESETS: Mapping[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "gpt2",
            "Radford et al. 2019, section 2.3; openai/gpt-2 src/model.py; transformers GPT2PreTrainedModel",
            {
                "embedding": "normal, std 0.02", "linear": "normal, std 0.02", "query": "normal, std 0.02",
                "residual": "normal, std 0.02/sqrt(2*L)", "head": "normal, std 0.02",
            },
        ),
        Preset(
            "llama",
            "Touvron et al. 2023; transformers LlamaPreTrainedModel._init_weights with initializer_range 0.02",
            dict.fromkeys(("embedding", "linear", "query", "residual", "head"), "normal, std 0.02"),
        ),
        Preset(
            "bert",
            "Devlin et al. 2019; google-research/bert create_initializer (normal cut at two sd), transformers (uncut)",
            dict.fromkeys(("embedding", "linear", "query", "residual", "head", "token"), "normal, std 0.02"),
        ),
        Preset(
            "t5",
            "Raffel et al. 2020; mesh-tensorflow; transformers T5PreTrainedModel._init_weights with factor 1",
            {"linear": "normal, std 1/sqrt(n)", "residual": "normal, std 1/sqrt(n)", "embedding": "normal, std 1"},
        ),
        Preset(
            "vit",
            "Dosovitskiy et al. 2021; google-research/vision_transformer; timm init_weights_vit_timm",
            {
                "linear": "normal, std 0.02", "query": "normal, std 0.02", "residual": "normal, std 0.02",
                "token": "normal, std 0.02",
            },
        ),
        Preset(
            "mamba",
            "Gu & Dao 2023; state-spaces/mamba _init_weights: out_proj over sqrt(L) with one residual a block",
            {"embedding": "normal, std 0.02", "residual": "uniform, std 1/sqrt(3*n*L)"},
        ),
    )
}  # fmt: skip
"""By name."""


def departures(lines: tuple[Line, ...], like: str, blocks: int) -> Iterator[str]:
    """The lines that do not follow a preset, one sentence each: what stands there, and what the preset says.

    Constants (norms 1 or 0, biases 0) are asked of every preset but of a state space's own tensors.

    Args:
        lines: of a model.
        like: the name of a preset.
        blocks: of the model, the L of its laws.

    Raises:
        UsageError: there is no preset of that name.
    """
    if like not in PRESETS:
        raise UsageError(f"there is no preset {like!r}; {closest(like, PRESETS)}")
    preset = PRESETS[like]
    for line in lines:
        kind = next((kind for kind, pattern in _KINDS if pattern.search(line.path)), "linear")
        said = {"norm": r"every entry [01]", "bias": r"every entry 0"}.get(kind)
        if said is not None:
            if not re.fullmatch(said, line.law):
                yield f"{line.path}: {line.law}; {like} has {said.replace('[01]', '1, or 0 for a shift')}"
            continue
        law = preset.laws.get(kind)
        if law is None or line.size == "tied":
            continue
        family, _, formula = law.partition(", std ")
        std = _value(formula, blocks, _columns(line.size))
        found = re.search(r"std ([\d.e+-]+)", line.law)
        if found is None or not same_law(f"std {std:.4g}", f"std {float(found[1]):.4g}", line.entries):
            yield f"{line.path}: {line.law}; {like} has {law}" + (f" = {std:.4g}" if formula != f"{std:g}" else "")
        elif family not in line.law and not line.entries and not line.law.startswith("truncated_normal"):
            yield f"{line.path}: {line.law}; {like} has {law}"


def _columns(size: str) -> int:
    shape = re.search(r"\(([^)]*)\)", size)
    numbers = [int(n) for n in re.findall(r"\d+", shape[1])] if shape else []
    return math.prod(numbers[1:]) if len(numbers) > 1 else 1


def _value(formula: str, blocks: int, columns: int) -> float:
    """A standard deviation by its formula; only the four forms above are written there."""
    numbers = {"L": max(1, blocks), "n": columns}
    over, _, root = formula.partition("/sqrt(")
    if not root:
        return float(formula)
    inside = math.prod(float(numbers.get(part, part)) for part in root.rstrip(")").split("*"))
    return float(over) / math.sqrt(inside)
