"""Make text that came from users safe to show: names, messages and tracebacks are data, never markup."""

from __future__ import annotations

from initcheck.rendering.terminal import escaped

__all__ = ["clean", "one_line"]


def one_line(text: str, limit: int = 300) -> str:
    """One line without control characters, terminal escapes or changes of writing direction.

    >>> one_line("he\\x1b[31m\\n")
    'he\\\\x1b[31m\\\\n'

    Args:
        text: what a user or a library wrote.
        limit: characters beyond which the middle is left out.
    """
    return escaped(text, limit)


def clean(text: str, *, lines: int = 60, limit: int = 2_000) -> str:
    """The same for text of several lines, whose line ends are kept.

    >>> clean("a\\x00\\nb")
    'a\\\\x00\\nb'

    Args:
        text: what a user or a library wrote.
        lines: lines beyond which the middle is left out.
        limit: characters of one line beyond which its middle is left out.
    """
    found = [escaped(line.expandtabs(4), limit) for line in text.split("\n")]
    if len(found) > lines:
        kept = lines // 2
        found = [*found[:kept], f"... ({len(found) - 2 * kept:,} lines) ...", *found[-kept:]]
    return "\n".join(found)
