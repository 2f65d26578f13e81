"""What user code prints to: kept up to a bound, and with all that a standard stream has."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from typing import IO, Any

_LIMIT = 16_384  # bytes or characters


class _Buffer(io.BytesIO):
    """The bytes beneath: written as text to the stream above."""

    def __init__(self, above: Bounded) -> None:
        super().__init__()
        self._above = above

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._above.write(raw[:_LIMIT].decode("utf-8", "replace"))
        return len(raw)

    def close(self) -> None:
        """Stay open, as the stream above."""

    def fileno(self) -> int:
        return self._above.fileno()


class Bounded(io.StringIO):
    """A standard stream of user code: its first 16 KiB are kept, and its end is that of the code."""

    def __init__(self) -> None:
        super().__init__()
        self._file: IO[bytes] | None = None

    @property
    def buffer(self) -> _Buffer:
        """For code that writes bytes."""
        return _Buffer(self)

    encoding = "utf-8"
    errors = "replace"

    def write(self, text: str) -> int:
        """Keep it, as long as little was kept; say that all was written."""
        if self.tell() < _LIMIT:
            super().write(text[:_LIMIT])
        return len(text)

    def fileno(self) -> int:
        """A descriptor for what code starts with this as its output; a file that has no name."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the stream
        return self._file.fileno()

    def close(self) -> None:
        """Stay open: what user code closes is read when it has returned."""

    def text(self) -> str:
        """All that was kept; then the descriptor is given back."""
        kept = self.getvalue()
        if self._file is not None:
            with contextlib.suppress(OSError):  # closed by the code
                os.lseek(self._file.fileno(), 0, os.SEEK_SET)
                kept += os.read(self._file.fileno(), _LIMIT).decode("utf-8", "replace")
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        return kept
