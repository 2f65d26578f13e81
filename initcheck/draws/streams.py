"""The names of streams of calls: what is looked at twice has one name, what must be fresh has another."""

from __future__ import annotations


class Stream(str):
    """The name of a sequence of calls on a layer; it enters the seed of each, so a new name is a new set of verdicts.

    >>> Stream.screen(0), Stream.screen(1), Stream.confirmation(0)
    ('screen', 'screen 1', 'confirm 0')
    """

    __slots__ = ()

    @classmethod
    def screen(cls, number: int) -> Stream:
        """The calls of a round's first look; those of round 0 are read by every claim."""
        return cls(f"screen {number}") if number else SCREEN

    @classmethod
    def confirmation(cls, number: int) -> Stream:
        """The calls that confirm what a round found: nobody has looked at them."""
        return cls(f"confirm {number}")

    def of(self, purpose: str) -> Stream:
        """The calls that one question draws for itself at the same stage.

        >>> SCREEN.of("scores")
        'scores screen'
        """
        return Stream(f"{purpose} {self}")


SCREEN = Stream("screen")
"""What all claims look at first: sums of these calls are kept and shared."""
FIRST_CALL = Stream("call")
"""The single call that tells what a call returns."""
PICTURE = Stream("picture")
"""Drawn for a report after the verdict."""
