"""The laws that the papers and the reference codes of well-known models start from, by what a tensor is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from initcheck.errors import UsageError, closest
from initcheck.locks.lines import Line, same_law

# What a tensor is, told by its path: the first that fits.
_KINDS = (
    ("ssm", re.compile(r"(^|\.)(A_log|D|dt_proj\.\w+|conv1d\.\w+)$")),
    ("norm", re.compile(r"(^|[._])(ln|norm|layernorm|layer_norm|rmsnorm|bn)[^.]*(\.|$)", re.IGNORECASE)),
    ("patches", re.compile(r"(patch_embed|patch_embeddings|conv_proj)[\w.]*(weight|bias)$")),
    ("bias", re.compile(r"bias$")),
    ("relative", re.compile(r"relative_attention_bias\.weight$")),
    ("class", re.compile(r"(cls_token|cls|mask_token|dist_token)(\.weight)?$")),
    ("token", re.compile(r"(pos_embed|position_embeddings?)(\.weight)?$")),
    ("embedding", re.compile(r"(wte|wpe|tok|emb|shared)[\w.]*weight$", re.IGNORECASE)),
    ("head", re.compile(r"(^|\.)(lm_head|head|classifier|heads)(\.\w+)*weight$")),
    (
        "residual",
        re.compile(
            r"(^|\.)(c_proj|out_proj|o_proj|down_proj|proj|wo|o|fc2|w2|down|lin2|linear2|dense_4h_to_h|to_out(\.0)?"
            r"|output\.dense)\.weight$"
        ),
    ),
    ("query", re.compile(r"\.(q|q_proj|query)\.weight$")),
)  # fmt: skip

_LEAVES = dict.fromkeys(("kernel", "embedding", "embeddings", "scale", "gamma", "w"), "weight")
_LEAVES |= dict.fromkeys(("beta", "b"), "bias")
_STACKED = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True)
class Preset:
    """A model that many start as.

    Attributes:
        name: for ``--like``.
        source: paper and code, and where they disagree whom the preset follows.
        laws: what a tensor is -> its law, as lines say it; L is the number of blocks, n the columns of a matrix, d the
            width of a head: its rows by the heads that a table of relative positions tells, else some divisor of them.
            A kind that is not here is not judged: what its law hangs on does not show in a line.
        cut: whether the law cut at two standard deviations, with the same number before the cut, is as good.
    """

    name: str
    source: str
    laws: Mapping[str, str]
    cut: bool = False


PRESETS: Mapping[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "gpt2",
            "Radford et al. 2019, section 2.3 (writers to the residual stream over the root of their number);"
            " transformers GPT2PreTrainedModel._init_weights, which is followed. The code that was released,"
            " openai/gpt-2 src/model.py, scales none of them and draws positions with std 0.01",
            {
                "embedding": "normal, std 0.02", "linear": "normal, std 0.02", "query": "normal, std 0.02",
                "residual": "normal, std 0.02/sqrt(2*L)", "head": "normal, std 0.02",
            },
        ),
        Preset(
            "llama",
            "transformers PreTrainedModel._init_weights with LlamaConfig.initializer_range 0.02; Touvron et al. 2023"
            " say no law, and meta-llama/llama initialises nothing",
            dict.fromkeys(("embedding", "linear", "query", "residual", "head"), "normal, std 0.02"),
        ),
        Preset(
            "bert",
            "google-research/bert modeling.py create_initializer: normal 0.02 cut at two standard deviations, without a"
            " correction; transformers PreTrainedModel._init_weights: not cut. Either is taken",
            dict.fromkeys(("embedding", "linear", "query", "residual", "head", "token"), "normal, std 0.02"),
            cut=True,
        ),
        Preset(
            "t5",
            "Raffel et al. 2020; transformers T5PreTrainedModel._init_weights with factor 1; of q, std 1/sqrt(n d_kv),"
            " d_kv is its rows by the heads of the relative biases; without such, any that divides its rows is taken."
            " Not judged: the relative biases, 1/sqrt(d_model)",
            {
                "linear": "normal, std 1/sqrt(n)", "residual": "normal, std 1/sqrt(n)", "embedding": "normal, std 1",
                "query": "normal, std 1/sqrt(n*d)",
            },
        ),
        Preset(
            "vit",
            "timm VisionTransformer.init_weights and init_weights_vit_timm, which is followed; its patches are a"
            " convolution of PyTorch's default and are not judged. The code of Dosovitskiy et al. 2021,"
            " google-research/vision_transformer vit_jax/models_vit.py, draws Glorot's uniform law and a head of zeros",
            {
                "linear": "normal, std 0.02", "query": "normal, std 0.02", "residual": "normal, std 0.02",
                "head": "normal, std 0.02", "token": "normal, std 0.02", "class": "normal, std 1e-06",
            },
        ),
        Preset(
            "mamba",
            "Gu & Dao 2023; state-spaces/mamba mixer_seq_simple.py _init_weights: PyTorch's default for in_proj and"
            " x_proj, out_proj over sqrt(L) with one residual a block. transformers' MambaModel has other defaults",
            {
                "embedding": "normal, std 0.02", "linear": "uniform, std 1/sqrt(3*n)",
                "residual": "uniform, std 1/sqrt(3*n*L)",
            },
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
    heads = _heads(lines)
    for line in lines:
        law = _law_of(line, preset)
        if law is None:
            continue
        if law.startswith("every"):
            if not re.fullmatch(law, line.law):
                yield f"{line.path}: {line.law}; {like} has {law.replace('[01]', '1, or 0 for a shift')}"
            continue
        family, _, formula = law.partition(", std ")
        found = re.search(r"\(([\d.e+-]+) before the cut at", line.law) if preset.cut else None
        found = found or re.search(r"(?:std |\+-)([\d.e+-]+)", line.law)
        drawn = float(found[1]) if found is not None else math.nan
        if line.law.startswith("uniform"):
            drawn /= math.sqrt(3)
        std = _value(formula, blocks, line.size, drawn, heads)
        if not same_law(f"std {std:.4g}", f"std {drawn:.4g}", line.entries):
            yield f"{line.path}: {line.law}; {like} has {law}" + (f" = {std:.4g}" if formula != f"{std:g}" else "")
        elif family not in line.law and not line.entries and not line.law.startswith("truncated_normal"):
            yield f"{line.path}: {line.law}; {like} has {law}"


def judged(lines: tuple[Line, ...], like: str) -> int:
    """How many lines a preset has a law for."""
    return sum(_law_of(line, PRESETS[like]) is not None for line in lines)


def _law_of(line: Line, preset: Preset) -> str | None:
    """What a preset says of a line; None where it says nothing."""
    path = _in_words_of_torch(line.path)
    # A tree of arrays may call a matrix by what PyTorch calls its module, wo for wo.weight.
    named = path, f"{path}.weight"
    kind = next((kind for name in named for kind, pattern in _KINDS if pattern.search(name)), "linear")
    constant = {"norm": r"every entry [01]", "bias": r"every entry 0"}.get(kind)
    return constant or (None if line.size == "tied" else preset.laws.get(kind))


def _in_words_of_torch(path: str) -> str:
    """A path of Flax, Keras or Equinox as PyTorch would have it, so that one pattern tells what it is.

    >>> _in_words_of_torch("h.*.attn.c_proj.kernel"), _in_words_of_torch("layers.wte.embedding[*]")
    ('h.*.attn.c_proj.weight', 'layers.wte.weight')
    """
    module, dot, leaf = _STACKED.sub("", path).replace("/", ".").rpartition(".")
    return f"{module}{dot}{_LEAVES.get(leaf, leaf)}"


def _rows_and_columns(size: str) -> tuple[int, int]:
    shape = re.search(r"\(([^)]*)\)", size)
    numbers = [int(n) for n in re.findall(r"\d+", shape[1])] if shape else []
    return (numbers[0], math.prod(numbers[1:])) if len(numbers) > 1 else (1, 1)


def _heads(lines: tuple[Line, ...]) -> int | None:
    """How many heads a model has, where a table of relative positions has a column for each."""
    tables = [line for line in lines if "relative_attention_bias" in line.path and line.size != "tied"]
    return _rows_and_columns(tables[0].size)[1] if tables else None


def _value(formula: str, blocks: int, size: str, drawn: float, heads: int | None) -> float:
    """A standard deviation by its formula; only the five forms above are written there."""
    rows, columns = _rows_and_columns(size)
    over, _, root = formula.partition("/sqrt(")
    if not root:
        return float(formula)
    head = rows // heads if heads and rows % heads == 0 else _head(rows, columns, drawn)
    numbers = {"L": max(1, blocks), "n": columns, "d": head}
    inside = math.prod(float(numbers.get(part, part)) for part in root.rstrip(")").split("*"))
    return float(over) / math.sqrt(inside)


def _head(rows: int, columns: int, drawn: float) -> int:
    """The width of a head that a standard deviation 1/sqrt(n d) names, or the nearest that divides the rows."""
    widths = [d for d in range(2, rows + 1) if rows % d == 0] or [rows]
    named = 1 / (columns * drawn * drawn) if drawn > 0 else math.inf
    return min(widths, key=lambda d: abs(math.log(d / named)) if 0 < named < math.inf else d)
