"""A question in words, `why sqrt(d)`, leads to the claims that speak of it."""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter

from initcheck.claims.registry import registry
from initcheck.claims.statement import Claim
from initcheck.errors import UsageError

_MOST = 5
# How much a word tells by where it stands.
_ID, _SENTENCE, _TEXT = 4.0, 3.0, 1.0
_MYTH = 0.4
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "a an and are at bad be by can do does for from good happen how i if in initialise initialize is it its model"
        " my not of on one or right should so start that the there to we what when where which why with wrong you"
        " weight initialization initializer init",
    )
)
# What students say, in the words of the claims; both without the s of a plural.
_SAME = {
    "1/sqrt(d)": ("sqrt(d)",), "sqrt(n)": ("sqrt(d)",), "sqrt": ("width", "variance"),
    "root": ("sqrt", "width", "variance"), "constant": ("equal",), "same": ("equal",),
    "vanish": ("survive", "smaller"), "vanishing": ("survive", "smaller"), "explode": ("survive", "grow"),
    "exploding": ("survive", "grow"), "seed": ("same-seed",), "reproducible": ("seed", "same-seed"),
    "random": ("symmetry", "different"), "randomly": ("symmetry", "different"), "deep": ("depth",),
    "layer": ("depth",), "dead": ("learn",), "symmetric": ("symmetry",), "he": ("gain", "variance"),
    "kaiming": ("gain", "variance"), "xavier": ("glorot", "gain"), "relu": ("gain",), "tied": ("tie",),
    "fan_in": ("width", "variance"), "bias": ("mean", "centre"), "scale": ("variance", "second"),
    "large": ("grow", "larger"), "small": ("smaller",), "port": ("law", "both"), "porting": ("law", "both"),
}  # fmt: skip


def is_question(text: str) -> bool:
    """Whether it is no id of a claim: several words, a question mark, a formula.

    >>> is_question("why sqrt(d)"), is_question("zero-mean")
    (True, False)
    """
    return re.fullmatch(r"[\w-]+", text.strip()) is None and ":" not in text


def claims_on(question: str) -> list[Claim]:
    """The claims that a question is about, the nearest first.

    A word counts by how few claims use it, and more in an id and in a claim's sentence than in its text.

    >>> claims_on("why not start with zero?")[0].id
    'zero-init-never-learns'

    Raises:
        UsageError: no word of it stands in any claim, or a single one beside some that stand in none.
    """
    words = _words(question)
    wanted = dict.fromkeys(words - _EMPTY, 1.0)
    for word in words:
        for other in _SAME.get(word, ()):
            wanted[other] = max(wanted.get(other, 0.0), 0.7)
    every = registry()
    texts = {claim_id: _weighted(claim) for claim_id, claim in every.items()}
    used = Counter(word for weights in texts.values() for word in weights)
    scores: dict[str, float] = {}
    for claim_id, weights in texts.items():
        told = (wanted[w] * weights[w] * math.log(1 + len(texts) / used[w]) for w in wanted if w in weights)
        scores[claim_id] = sum(told)
    best = sorted(scores, key=lambda c: (-scores[c], c))[:_MOST]
    found = [every[c] for c in best if scores[c] > 0 and scores[c] >= scores[best[0]] / 3]
    # Who asks why wants what is true first; a myth leads where nothing true is nearly as near.
    found.sort(key=lambda claim: -scores[claim.id] * (_MYTH if claim.kind == "myth" else 1.0))
    asked = {word for word in re.findall(r"\w\w+", question.lower()) if _singular(word) not in _EMPTY}
    strange = sorted(word for word in asked if _singular(word) not in used.keys() | _SAME.keys())
    if not found or (strange and len(asked) - len(strange) <= 1):
        nearest = f" The nearest to the rest is {found[0].id}." if found else ""
        of = ", ".join(map(repr, strange)) if found else repr(question)
        raise UsageError(
            f"no claim speaks of {of}; initcheck list prints all of them, initcheck guide the pages.{nearest}"
        )
    return found


def _weighted(claim: Claim) -> dict[str, float]:
    found: dict[str, float] = {}
    text = f"{inspect.getdoc(claim.prop) or ''} {claim.finds} {claim.source}"
    for part, weight in ((text, _TEXT), (claim.says, _SENTENCE), (claim.id.replace("-", " "), _ID)):
        found |= dict.fromkeys(_words(part), weight)
    return found


def _words(text: str) -> set[str]:
    """Words and small formulas, each once whatever its number; a formula also by what stands in it."""
    found = set(re.findall(r"[\w/]*\w\(\w+\)|\w+(?:-\w+)*", text.lower()))
    return {_singular(w) for w in found | {w for word in found for w in re.findall(r"\w\w+", word)}}


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word
