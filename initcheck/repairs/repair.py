"""One change of an initializer, in words and as code to paste, and the copy of the initializer that has it."""

from __future__ import annotations

import dataclasses
import difflib
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer
from initcheck.repairs.edits.function_source import FunctionSource
from initcheck.report.verdict import Verdict
from initcheck.targets.loading import load
from initcheck.targets.text import parse

FINE = (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.NOT_APPLICABLE)
"""Verdicts on a changed copy that speak against no change."""


@dataclass(frozen=True)
class Draft:
    """A function with an edit in it, yet to be proven.

    Attributes:
        text: the whole function.
        kind, words: what the edit is, as ``Edit`` has them.
    """

    text: str
    kind: str
    words: str


@dataclass(frozen=True)
class Repair:
    """A change, and what it does.

    Attributes:
        kind: ``number``, ``fan``, ``generator``, ``body``, ``line``, ...
        words: what to change, in a sentence.
        code: the lines to write.
        before: the lines that they replace; empty where they are added.
        line: where the first of these stands in the file; None where they stand in none.
        source: the whole function with the change, to paste in place of the old one; empty for a line of a layer.
    """

    kind: str
    words: str
    code: str
    before: str = ""
    line: int | None = None
    source: str = ""


def edited(source: FunctionSource, draft: Draft) -> Repair:
    """A changed function as the lines before and after.

    Args:
        source: the function as it is.
        draft: what it is to be; another text.
    """
    old, new = source.text.splitlines(), draft.text.splitlines()
    blocks = [b for b in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if b[0] != "equal"]
    first, last = blocks[0], blocks[-1]
    before, after = old[first[1] : last[2]], new[first[3] : last[4]]
    code, replaced = (textwrap.indent("\n".join(lines), source.indent) for lines in (after, before))
    whole = textwrap.indent(draft.text, source.indent)
    return Repair(draft.kind, draft.words, code, replaced, source.first + first[1], whole)


def as_declared(contract: Contract) -> Contract:
    """What the original was held to, as declared of a copy: nothing is inferred of it, and nothing is waived."""
    return dataclasses.replace(contract, origins=dict.fromkeys(contract.said(), "declared"), notes=(), waive={})


def remade(initializer: Initializer, made: Callable[..., Any], contract: Contract) -> Initializer:
    """A changed function as an initializer of the same name, held to the same contract as the original was.

    Args:
        initializer: the original.
        made: the changed function.
        contract: what the original was held to, so that nothing is inferred of the copy.

    Raises:
        UsageError: it can no longer be read as an initializer.
    """
    declared = as_declared(contract)
    recipe = dict(initializer.recipe or {})
    args = dict(recipe.get("args") or {})
    if isinstance(recipe.get("target"), str):
        args = {**parse(recipe["target"]).args, **args}
    signature, parameter = recipe.get("signature"), recipe.get("parameter")
    for name in ("signature", "parameter"):
        args.pop(name, None)
    loaded = load(made, contract=declared, name=initializer.name, args=args, signature=signature, parameter=parameter)
    [copy] = loaded.initializers
    return dataclasses.replace(copy, contract=declared, ranks=initializer.ranks or copy.ranks)
