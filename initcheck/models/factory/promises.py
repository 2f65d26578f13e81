"""What a model's config and layers promise of its tensors: a tied head, a padding row of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Promises:
    """What was promised, read off one living model.

    Attributes:
        untied: name of a head that the config says is tied to the embedding, and which is not; the embedding's.
        padding: names of embeddings whose row at ``padding_idx`` is not zero, with that index and, where the weight
            is tied to that of another layer, that layer.
        kept: promises that are kept, in words.
    """

    untied: tuple[str, str] | None = None
    padding: tuple[tuple[str, int, str | None], ...] = ()
    kept: tuple[str, ...] = ()


def broken_promises(found: Promises) -> Iterator[tuple[str, str]]:
    """Sentences on what is not as it was promised, each with what keeps the promise."""
    if found.untied is not None:
        head, table = found.untied
        yield (
            f"{head} is not tied to {table}, though the config says tie_word_embeddings",
            f"assign {head} = {table} once both are made, or say tie_word_embeddings=False",
        )
    for name, row, other in found.padding:
        moves = "no gradient ever moves it" if other is None else f"only the gradient of {other}, tied to it, moves it"
        yield f"{name}: row {row} is its padding_idx and not zero; {moves}", f"zero row {row} behind the last draw"
