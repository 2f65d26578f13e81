"""What a call gave beside weights, or in their place: a dtype, an error, no time."""

from __future__ import annotations

from dataclasses import dataclass


class BrokenCall(Exception):
    """A call that gave no weights of the shape that was asked for.

    Attributes:
        kind: ``raises``, ``type``, ``shape`` or ``not finite``.
        message: what happened, in one line.
        detail: the traceback, where there is one.
    """

    def __init__(self, kind: str, message: str, detail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail


class OutOfTime(Exception):
    """The wall-clock budget of a claim is spent."""


@dataclass(frozen=True)
class FirstCall:
    """What the first call on a layer gave, beside its weights.

    Attributes:
        broken: why it is no array of the shape that was asked for; None where it is one.
        dtype_name: its dtype by its NumPy name, where it is one.
    """

    broken: BrokenCall | None
    dtype_name: str = ""

    @property
    def dtype(self) -> str:
        """Its dtype by its NumPy name.

        Raises:
            BrokenCall: it is no array of the shape that was asked for.
        """
        if self.broken is not None:
            raise self.broken
        return self.dtype_name
