"""Batches that a model outside of torch may take, from its first layer, or from the name of its argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.errors import UsageError
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.builds.build import first_line
from initcheck.models.living.called import inputs_taken
from initcheck.models.living.leaves import Leaf

ANY_BATCH = ("8x16", "2x16x32", "2x32x32x3", "int<64:2x16", "2x28x28x1", "2x64x64x3", "2x224x224x3")
TOKENS_FIRST = ("int<64:2x16", *(text for text in ANY_BATCH if not text.startswith("int")))
_TOKENS = re.compile(r"tok|ids?$|idx|index|indices|words?$|inputs_ids|text|seq")

# What stands beside a first input, one an item, by its name.
_BESIDE = (
    (re.compile(r"len(gth)?s?$"), "all={length}:{items}"),
    (re.compile(r"mask$"), "ones:{items}x{length}"),
    (re.compile(r"^(t|times?|time_?steps?|sigmas?)$"), "int<1000:{items}"),
    (re.compile(r"^(labels?|class(es)?|class_labels?)$"), "int<10:{items}"),
)

_HEADS = re.compile("General|Einsum|Attention")
"""Layers whose kernels of three axes hold the heads of attention, not a convolution."""
_OF_LAYERS = frozenset(("weight", "kernel", "embedding", "weight_ih", "weight_hh"))
"""What the layers of the libraries call their matrices."""


def first_batch(
    call: Callable[..., Any],
    takes: Callable[[ArrayBatch], object],
    given: ArrayBatch | None,
    widths: Iterable[int] = (),
) -> ArrayBatch:
    """The first batch that a model takes before its first layer is known.

    Args:
        call: of the model.
        takes: hands a batch to the model, and raises where it does not go through.
        given: by the user; then no other is tried.
        widths: whole numbers that the model was told, such as a size of its vocabulary: the last axis may be that.

    Raises:
        UsageError: none goes through; the sentence begins with what the first one ended in.
    """
    problem = ""
    guessed = TOKENS_FIRST if takes_tokens(call) else ANY_BATCH
    guessed += tuple(f"{lead}x{width}" for width in dict.fromkeys(widths) for lead in ("8", "2x16"))
    inputs = inputs_taken(call)
    guessed = tuple(arguments_as(text, inputs) for text in guessed)
    for batch in [given] if given is not None else map(ArrayBatch.read, guessed):
        try:
            takes(batch)
        except Exception as error:
            problem = problem or f'--batch="{batch.text}" ends in {first_line(error)}'
            continue
        return batch
    raise UsageError(
        f"which needs a batch, and {problem};"
        " give the batch it takes, such as --batch=int<100:2x16 or --batch=2x32x32x3"
    )


def arguments_as(text: str, inputs: Mapping[str, bool]) -> str:
    """A batch for every array that a model must be given: the first as it is, others by their names or like it.

    >>> arguments_as("int<64:2x16", {"tokens": False, "lengths": False, "targets": True})
    'int<64:2x16;all=16:2;targets=int<64:2x16'

    Args:
        text: of the first one, whose first axis counts items.
        inputs: the names, and which of them are given by name alone.
    """
    items, *axes = text.rpartition(":")[2].split("x")
    beside = {"items": items, "length": axes[0] if axes else "1"}
    found: list[str] = []
    for name, by_name in inputs.items():
        known = (form for pattern, form in _BESIDE if pattern.search(name.lower())) if found else ()
        part = next((form.format(**beside) for form in known), text)
        found.append(f"{name}={part}" if by_name else part)
    return ";".join(found) or text


def takes_tokens(call: Callable[..., Any]) -> bool:
    """Whether a model's first argument is called as tokens are.

    >>> takes_tokens(lambda tokens: tokens), takes_tokens(lambda x: x)
    (True, False)
    """
    names = list(parameters_of(call) or ())
    return bool(names) and bool(_TOKENS.search(names[0].lower()))


def batches_for(
    leaves: Sequence[Leaf],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    batched: bool,
    inputs: Mapping[str, bool] = MappingProxyType({}),
) -> Sequence[str]:
    """Batches that the first layer takes.

    Args:
        leaves: of the model, in the order of its definition or of their names.
        shapes: of them.
        batched: whether the first axis counts examples.
        inputs: the arrays that the model must be given, and which of them by name alone, where that is known.
    """
    # The biases of heads are matrices, and tell nothing of an input.
    kernels = [leaf for leaf in leaves if leaf.parameter and not leaf.path[-1].startswith("bias")]
    matrices = [leaf for leaf in kernels if len(shapes[leaf.name]) > 1]
    found: list[str] = []
    for leaf in matrices:
        if "Embed" in leaf.owner and "Patch" not in leaf.owner:
            rows = shapes[leaf.name][0]
            found += [f"int<{rows}:{lead}16" for lead in (("2x",) if batched else ("",))]
    for leaf in matrices:
        shape = shapes[leaf.name]
        lead = "2x" if batched else ""
        if len(shape) == 2:
            width = shape[0] if leaf.inputs_first else shape[1]
            other = shape[1] if leaf.inputs_first else shape[0]
            # Of a matrix that no layer of a library holds nothing tells which axis its inputs are on.
            told = leaf.path[-1] in _OF_LAYERS or width == other
            for side in (width,) if told else (width, other):
                found += [f"8x{side}", f"2x16x{side}"] if batched else [f"{side}", f"16x{side}"]
        elif len(shape) == 3 and _HEADS.search(leaf.owner):
            width = shape[0] if leaf.inputs_first else shape[-1]
            found += [f"2x16x{width}", f"8x{width}"] if batched else [f"16x{width}", f"{width}"]
        elif len(shape) in (3, 4, 5):
            axes = len(shape) - 2
            channels = shape[-2] if leaf.inputs_first else shape[1]
            for size in (32, 28, 64, 224)[: 4 if axes < 3 else 1]:
                sides = "x".join([str(size)] * axes)
                found.append(f"{lead}{sides}x{channels}" if leaf.inputs_first else f"{lead}{channels}x{sides}")
    if not matrices:  # a norm alone
        wide = next((shapes[leaf.name][0] for leaf in leaves if leaf.parameter and shapes[leaf.name]), None)
        found += [f"8x{wide}", f"2x8x8x{wide}"] * (wide is not None)
    found = list(dict.fromkeys(found))
    # A cell takes an input and a state, of the widths of its two matrices; attention three times the same.
    widths = list(dict.fromkeys(text for text in found if text.count("x") <= batched and "<" not in text))[:2]
    pairs = [";".join(pair) for pair in (widths, widths[::-1]) if len(widths) == 2]
    again = [";".join([text] * times) for text in found[:2] for times in (2, 3)]
    told = batched and (len(inputs) > 1 or any(inputs.values()))
    return [*((arguments_as(text, inputs) if told else text) for text in found[:16]), *pairs, *again]
