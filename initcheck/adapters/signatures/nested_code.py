"""The code of a function with that of the functions, lambdas and comprehensions inside it."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """A code object, and every one that stands in it, however deep.

    >>> [inner.co_name for inner in nested_code((lambda n: [lambda k: k + n]).__code__)]
    ['<lambda>', '<lambda>']
    """
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested_code(constant)
