"""The plain tensors that hold the numbers of any tensor: of a DTensor, a quantised or a sparse one."""

from __future__ import annotations

from collections.abc import Iterator

import torch


def wraps(kind: type) -> bool:
    """Whether tensors of this class hold other tensors in place of a storage (DTensor, quantised weights)."""
    return kind is not torch.Tensor and hasattr(kind, "__tensor_flatten__")


def plain_tensors(tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors with a storage of their own behind a tensor, with a suffix for the name; itself where it is plain.

    Of a tensor that is spread over processes it is this process's part.

    >>> [suffix for suffix, _ in plain_tensors(torch.eye(2).to_sparse())]
    [' (values)', ' (indices)']

    Raises:
        TypeError: its numbers cannot be reached; the message says of which kind it is.
    """
    if wraps(type(tensor)):
        names, _ = tensor.__tensor_flatten__()  # type: ignore[attr-defined]
        names = [name for name in names if isinstance(getattr(tensor, name), torch.Tensor)]
        if not names:
            raise TypeError(f"a {type(tensor).__name__} that shows no tensor in it")
        for name in names:
            word = "" if len(names) == 1 else f" ({name})"
            for suffix, inner in plain_tensors(getattr(tensor, name)):
                yield word + suffix, inner
    elif tensor.layout == torch.strided:
        yield "", tensor.int_repr() if tensor.is_quantized else tensor
    elif tensor.layout == torch.sparse_coo:
        yield " (values)", tensor._values()
        yield " (indices)", tensor._indices()
    elif tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        yield " (values)", tensor.values()
        yield " (indices)", tensor.col_indices()
    elif tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        yield " (values)", tensor.values()
        yield " (indices)", tensor.row_indices()
    else:
        raise TypeError(f"a tensor of layout {tensor.layout}")
