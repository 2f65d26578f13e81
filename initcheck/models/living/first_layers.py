"""Batches that a model outside of torch may take, from its first layer, or from the name of its argument."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from initcheck.adapters.signatures.names import NEIGHBOURS
from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.errors import UsageError
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.builds.build import first_line
from initcheck.models.living.called import inputs_taken
from initcheck.models.living.leaves import Leaf

ANY_BATCH = ("8x16", "2x16x32", "2x32x32x3", "int<64:2x16", "2x28x28x1", "2x64x64x3", "2x224x224x3")
TOKENS_FIRST = ("int<64:2x16", *(text for text in ANY_BATCH if not text.startswith("int")))
_TOKENS = re.compile(r"tok|ids?$|idx|index|indices|words?$|inputs_ids|text|seq")

_TIME = re.compile(r"^(t|times?|time_?steps?|sigmas?)$")
# What stands beside the input of a model, by its name: one an item, or of one example a number.
_BESIDE = (
    (re.compile(r"len(gth)?s?$"), "all={length}:{items}"),
    (re.compile(r"mask$"), "ones:{items}x{length}"),
    (_TIME, "int<1000:{items}"),
    (re.compile(r"^(labels?|class(es)?|class_labels?)$"), "int<10:{items}"),
)
_BESIDE_ONE = (
    (re.compile(r"len(gth)?s?$"), "all={length}:()"),
    (re.compile(r"mask$"), "ones:{length}"),
    # At 1 a schedule of noise is no end of it, and a logarithm a number.
    (_TIME, "ones:()"),
    (re.compile(r"^(labels?|class(es)?|class_labels?)$"), "int<10:()"),
    # A vector field of an equation is given what else its caller may have: mostly nothing.
    (re.compile(r"^args$"), "none"),
)
_MAY_BE_CLASSES = re.compile(r"^(y|c|cls|cond)$")
"""Second inputs that are classes in one model, and arrays as the first one in another."""

_MOST = 16
"""Shapes of one input that are tried at most."""
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
    guessed = tuple(said for text in guessed for said in arguments_as(text, inputs))
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


def arguments_as(text: str, inputs: Mapping[str, bool], *, batched: bool = True) -> list[str]:
    """Batches for every array that a model must be given: one is the input, others go by their names or are like it.

    >>> arguments_as("int<64:2x16", {"tokens": False, "lengths": False, "targets": True})
    ['int<64:2x16;all=16:2;targets=int<64:2x16']
    >>> arguments_as("2x8x8x3", {"x": False, "t": False, "y": False})
    ['2x8x8x3;int<1000:2;2x8x8x3', '2x8x8x3;int<1000:2;int<10:2']
    >>> arguments_as("2x16x32", {"nodes": False, "adjacency": False})
    ['2x16x32;graph:2x16x16']
    >>> arguments_as("2x8x8x3", {"support": False, "query": False})
    ['2x8x8x3;2x8x8x3']
    >>> arguments_as("1x8x8", {"t": False, "y": False, "args": False}, batched=False)
    ['ones:();1x8x8;none']

    Args:
        text: of the input, whose first axis counts items where it is batched.
        inputs: the names, and which of them are given by name alone.
        batched: whether the first axis counts items; else it is one example.
    """
    items, *axes = text.rpartition(":")[2].split("x")
    nodes = [items, *axes][:-1] or ["1"]
    neighbours = "x".join((*nodes, nodes[-1]))
    beside = {"items": items, "length": (axes[0] if axes else "1") if batched else items}
    known = {
        name: f"graph:{neighbours}"
        if NEIGHBOURS.fullmatch(name) and len(axes) < 3  # else it is images, as of a support set
        else next((f for p, f in (_BESIDE if batched else _BESIDE_ONE) if p.search(name.lower())), None)
        for name in inputs
    }
    main = next((name for name, form in known.items() if form is None), next(iter(inputs), None))
    classes = f"int<10:{items if batched else '()'}"
    doubtful = [name for name in inputs if name != main and _MAY_BE_CLASSES.search(name)]
    found = []
    for said in ({}, dict.fromkeys(doubtful, classes)) if doubtful else ({},):
        parts = []
        for name, by_name in inputs.items():
            form = known[name]
            part = said.get(name, text if form is None or name == main else form.format(**beside))
            parts.append(f"{name}={part}" if by_name else part)
        found.append(";".join(parts) or text)
    return found


def below_rows(batch: ArrayBatch, tables: Mapping[bool, Sequence[int]]) -> ArrayBatch:
    """The batch with its tokens below the rows of the table that is given them.

    A number beyond the last row of a table is no error in JAX: its row is one of NaN.

    >>> below_rows(ArrayBatch.read("int<64:2x16"), {True: [60], False: [16]}).text
    'int<60:2x16'

    Args:
        batch: of the model.
        tables: whether a table was given what the model is -> the rows of such. Where none is seen to be, any may be:
            but none of one row, as all examples were one then.
    """
    rows = [n for n in tables.get(True, tables.get(False, ())) if n > 1]
    return ArrayBatch.read(re.sub(r"int<\d+", f"int<{min(rows)}", batch.text)) if rows else batch


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
            # A time that is laid beside an image is a channel of what the first layer is given.
            laid = int(channels > 1 and any(_TIME.search(name.lower()) for name in inputs))
            for size, less in itertools.product((32, 28, 64, 224, 16)[: 5 if axes < 3 else 1], range(laid + 1)):
                sides, own = "x".join([str(size)] * axes), channels - less
                found.append(f"{lead}{sides}x{own}" if leaf.inputs_first else f"{lead}{own}x{sides}")
    if not matrices:  # a norm alone
        wide = next((shapes[leaf.name][0] for leaf in leaves if leaf.parameter and shapes[leaf.name]), None)
        found += [f"8x{wide}", f"2x8x8x{wide}"] * (wide is not None)
    found = list(dict.fromkeys(found))
    # A cell takes an input and a state, of the widths of its two matrices; attention three times the same.
    widths = list(dict.fromkeys(text for text in found if text.count("x") <= batched and "<" not in text))[:2]
    pairs = [";".join(pair) for pair in (widths, widths[::-1]) if len(widths) == 2]
    again = [";".join([text] * times) for text in found[:2] for times in (2, 3)]
    if len(inputs) > 1 or any(inputs.values()):
        beside_it = [said for text in found[:_MOST] for said in arguments_as(text, inputs, batched=batched)]
        return list(dict.fromkeys((*beside_it, *pairs, *again)))
    return [*found[:_MOST], *pairs, *again]
