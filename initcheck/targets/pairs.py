"""Two targets, as text or as objects, become a pair that is to start from one law."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from initcheck.comparison.pair import Pair
from initcheck.contract.contract import LAYOUTS, Contract
from initcheck.contract.profile import Profile
from initcheck.contract.tested import Tested
from initcheck.errors import UsageError, closest
from initcheck.targets.loading import load, numbered
from initcheck.targets.models import load_models, model_of
from initcheck.targets.recipes import here, there
from initcheck.targets.tables import beside, waived_tables

_OPEN, _CLOSED = "([{", ")]}"


def load_pairs(
    texts: Iterable[str], *, layouts: Sequence[str] | None = None, world: int | None = None
) -> tuple[Pair, ...]:
    """Find the pairs that some texts name.

    Args:
        texts: ``A,B`` with a target on either side of the comma, or ``@pyproject.toml``: its tables
            ``[[tool.initcheck.same]]``.
        layouts: of A and of B, said for this run.
        world: how many ranks hold a model whose factory builds the shard of one.

    Raises:
        UsageError: as ``initcheck.targets.loading.load`` of either; a text that names no two.
    """
    found: list[Pair] = []
    for text in dict.fromkeys(texts):
        if text.startswith("@"):
            listed = waived_tables(text[1:], "same")
            with beside(text[1:]):
                found += [_of_table(table, layouts, world) for table in listed]
        else:
            found.append(_named(*two_of(text), layouts, world=world))
    return tuple(numbered(found))


def two_of(text: str) -> tuple[str, str]:
    """The two targets on either side of the comma that stands in no bracket and in no quotes.

    >>> two_of("m:he(gain=2.0, axis=(0, 1)), torch.nn.init:kaiming_normal_")
    ('m:he(gain=2.0, axis=(0, 1))', 'torch.nn.init:kaiming_normal_')

    Raises:
        UsageError: there is none, or more than one.
    """
    depth, quote, cuts = 0, "", []
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        else:
            depth += (sign in _OPEN) - (sign in _CLOSED)
            if sign == "," and not depth:
                cuts.append(place)
    if len(cuts) != 1 or not text[: cuts[0]].strip() or not text[cuts[0] + 1 :].strip():
        raise UsageError(f"{text!r} names no two targets: write A,B, such as m:mine,torch.nn.init:kaiming_normal_.")
    return text[: cuts[0]].strip(), text[cuts[0] + 1 :].strip()


def read_layouts(text: str) -> tuple[str, str]:
    """Two layouts, ``in_out,out_in``.

    Raises:
        UsageError: they are not two, or not layouts.
    """
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if name not in LAYOUTS:
            raise UsageError(f"{name!r} is no layout; {closest(name, LAYOUTS)}")
    if len(names) != 2:
        raise UsageError(f"layouts {text!r}: give two, that of A and that of B, such as in_out,out_in.")
    return names[0], names[1]


def pair_of(
    a: Any,
    b: Any,
    *,
    name: str | None = None,
    layouts: Sequence[str] | None = None,
    contract: Contract | None = None,
    world: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    words: Sequence[str] = (),
) -> Pair:
    """The pair of two targets: texts, functions, layer classes, or functions that build a model.

    Args:
        a, b: the two.
        name: what to call the pair; ``A against B`` where None.
        layouts: of the weights of A and of B, where they are not known or otherwise.
        contract: its waivers.
        world: how many ranks hold a model whose factory builds the shard of one.
        recipe: from which ``pair_again`` makes it in another process.
        words: how a command line names it.

    Raises:
        UsageError: one of them is no target, or several at once.
    """
    said = read_layouts(",".join(layouts)) if layouts is not None else None
    # A factory of (rank, world) reads as a layer of as many inputs and outputs.
    first, second = map(one_target if world is None else _model_of, (a, b))
    if first.name == second.name:
        # Their calls would be the same otherwise: seeds hang on the name.
        second = dataclasses.replace(second, name=f"{second.name} #2")
    return Pair(
        name=name or f"{first.name} against {second.name}",
        a=first,
        b=second,
        layouts=said,
        world=world,
        contract=contract or Contract(),
        location=second.location or first.location,
        recipe=recipe,
        words=tuple(words),
        subject=_subject,
    )


def words_of_pair(a: str, b: str, layouts: Sequence[str] | None, world: int | None) -> list[str]:
    """How a command line names the pair of two texts, with its options."""
    return [a, b, *([f"--layouts={','.join(layouts)}"] if layouts else []), *([f"--world={world}"] if world else [])]


def pair_again(recipe: Mapping[str, Any]) -> Pair:
    """Make a pair again in a fresh process from the plain data of its ``recipe``.

    Raises:
        UsageError: as ``load_pairs``.
    """
    contract = Contract(waive=recipe["waive"])
    with there(recipe):
        return pair_of(
            *recipe["pair"], name=recipe["name"], layouts=recipe["layouts"], contract=contract, recipe=recipe,
            words=recipe["words"], world=recipe["world"],
        )  # fmt: skip


def _of_table(table: Mapping[str, Any], layouts: Sequence[str] | None, world: int | None) -> Pair:
    said = tuple(table["layouts"]) if "layouts" in table else layouts
    ranks, listed = table.get("world", world), table["listed"]
    return _named(table["a"], table["b"], said, table.get("name"), table["contract"], ranks, listed)


def _named(
    a: str,
    b: str,
    layouts: Sequence[str] | None,
    name: str | None = None,
    contract: Contract | None = None,
    world: int | None = None,
    listed: list[str] | None = None,
) -> Pair:
    words = listed or words_of_pair(a, b, layouts, world)
    recipe = {
        "pair": [a, b], "text": f"{a},{b}", "name": name, "layouts": list(layouts) if layouts else None, "words": words,
        "waive": dict(contract.waive) if contract else {}, "world": world, **here(),
    }  # fmt: skip
    return pair_of(a, b, name=name, layouts=layouts, contract=contract, recipe=recipe, words=words, world=world)


def one_target(target: Any) -> Tested:
    """What one target is: an initializer or a layer, else what builds a model.

    Raises:
        UsageError: it is neither, or several at once.
    """
    try:
        loaded = load(target)
    except UsageError as error:
        try:
            return _model_of(target)
        except UsageError as other:
            if str(other) == str(error):
                raise
            # What it is not is said by both; which was meant shows by the words that were used for it.
            raise UsageError(f"{error} As what builds a model: {other}") from None
    if len(loaded.initializers) != 1:
        names = ", ".join(i.name for i in loaded.initializers[:4])
        raise UsageError(
            f"{target!r} is not one start but {len(loaded.initializers)}"
            + (f" ({names}, ...): name one of them." if names else ".")
        )
    return loaded.initializers[0]


def _model_of(target: Any) -> Tested:
    return load_models([target])[0] if isinstance(target, str) else model_of(target)


def _subject(pair: Pair, profile: Profile, seed: int) -> Any:
    from initcheck.comparison.subject import PairSubject  # nothing of a comparison is loaded for one initializer

    return PairSubject(pair, profile, seed)
