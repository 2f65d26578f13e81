"""A batch to run a model on: read from text or from the user's function, put where the model is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch

from initcheck.models.batches.batch_text import CallArguments, Part, changed, flat, graph, is_graph

_SEED = 20260102
_KEPT = re.compile(r"edge|mask|position|batch|length|(^|_|[iox])lens?$|adj|^(?!.*input_ids$).*_ids$")


class Batch(CallArguments):
    """A batch of torch's tensors.

    >>> make = Batch.maker("input_ids=int<100:2x16;attention_mask=ones:2x16")
    >>> {name: tuple(t.shape) for name, t in make().kwargs.items()}
    {'input_ids': (2, 16), 'attention_mask': (2, 16)}
    """

    @classmethod
    def filled(cls, part: Part) -> torch.Tensor:
        """One argument."""
        generator = torch.Generator().manual_seed(_SEED)
        if part.all_of is not None:
            return torch.full(part.shape, part.all_of)
        if part.high:
            return torch.randint(0, part.high, part.shape, generator=generator)
        if part.graph:
            return torch.from_numpy(graph(part.shape))
        return torch.ones(part.shape) if part.ones else torch.randn(part.shape, generator=generator)

    def run(self, model: torch.nn.Module) -> Any:
        """Call the model, with the batch moved to its device and real numbers in its dtype."""
        # The type that most of it has: a base of a flow may be kept in double precision beside its layers.
        known = [p for p in model.parameters() if not torch.nn.parameter.is_lazy(p)]
        real = [p for p in known if p.dtype.is_floating_point and p.element_size() > 1]
        usual = Counter(p.dtype for p in real).most_common(1)
        weight = next((p for p in real if p.dtype == usual[0][0]), None)
        if weight is None:
            return model(*self.args, **self.kwargs)

        def placed(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(weight.device, weight.dtype if tensor.dtype.is_floating_point else tensor.dtype)

        return model(*_each(self.args, placed), **_each(dict(self.kwargs), placed))

    def shuffled(self) -> Batch:
        """Another batch of the same kind: the entries of every tensor that has several values in another order.

        A vector is also turned over within its range: a sum over one example's tokens sees no order, and two entries
        in another order may be the same. Images get a colour each too: of two images of noise the mean over all places
        is the same. Which nodes are joined, which entries are masked and where tokens stand are kept.
        """
        generator = torch.Generator().manual_seed(_SEED + 1)

        def other(tensor: torch.Tensor) -> torch.Tensor:
            order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
            mixed = tensor.reshape(-1)[order].reshape(tensor.shape)
            ordered = tensor.numel() and tensor.dtype != torch.bool and not tensor.is_complex()
            if ordered and (tensor.dim() < 2 or torch.equal(mixed, tensor)):
                turned = mixed.min() + mixed.max() - mixed
                # Sums of real numbers round: two that changed places come back with other last bits.
                rounding = 1e-4 * float(mixed.max() - mixed.min())
                mixed = mixed if torch.allclose(turned, tensor, rtol=0.0, atol=rounding) else turned
            if tensor.dim() < 4 or not tensor.dtype.is_floating_point:
                return mixed
            colour = torch.randn((*tensor.shape[:-2], 1, 1), generator=generator).to(tensor)
            return mixed / 2 + colour * tensor.std()

        def unless_kept(name: str, value: Any) -> Any:
            kept = not isinstance(value, torch.Tensor) or _KEPT.search(name) or _is_graph(value)
            return value if kept else other(value)

        return Batch(changed(self.args, unless_kept), changed(dict(self.kwargs), unless_kept), self.text)

    def of_one_item(self) -> Batch:
        """The first item alone of every tensor that has as many items as the first one.

        >>> Batch((torch.zeros(2, 3), torch.zeros(5))).of_one_item().text
        '1x3;5'
        """
        tensors = [v for v in (*self.args, *self.kwargs.values()) if isinstance(v, torch.Tensor) and v.dim()]
        items = len(tensors[0]) if tensors else 0

        def first(tensor: torch.Tensor) -> torch.Tensor:
            return tensor[:1] if tensor.dim() and len(tensor) == items else tensor

        args, kwargs = _each(self.args, first), _each(dict(self.kwargs), first)
        return Batch(args, kwargs, text_of(args, kwargs))


def text_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """A batch as text that ``--batch`` reads.

    >>> text_of((torch.randn(2, 3),), {"mask": torch.ones(2, 3)})
    '2x3;mask=ones:2x3'
    >>> text_of((), {"batch": {"ids": torch.ones(2, 3)}})
    'batch.ids=ones:2x3'
    >>> text_of((torch.randn(2, 3),), {"labels": None})
    '2x3;labels=none'
    >>> text_of(Batch.read("2x3;graph:2x2").args, {})
    '2x3;graph:2x2'
    """
    parts = [_part_of(v) for v in args if v is None or isinstance(v, torch.Tensor)]
    named = [pair for name, value in kwargs.items() for pair in flat(name, value)]
    parts += [f"{n}={_part_of(v)}" for n, v in named if v is None or isinstance(v, torch.Tensor)]
    return ";".join(parts)


def _part_of(tensor: torch.Tensor | None) -> str:
    if tensor is None:
        return "none"
    shape = "x".join(map(str, tensor.shape)) or "1"
    if tensor.dtype.is_floating_point:
        if _is_graph(tensor):
            return f"graph:{shape}"
        return f"ones:{shape}" if tensor.numel() and bool((tensor == 1).all()) else shape
    if tensor.dim() in (1, 2) and tensor.numel() > 1 and int(tensor.min()) == int(tensor.max()) > 0:
        return f"all={int(tensor.max())}:{shape}"
    return f"int<{int(tensor.max()) + 1 if tensor.numel() else 1}:{shape}"


def _is_graph(tensor: torch.Tensor) -> bool:
    return tensor.dtype == torch.float32 and is_graph(tensor.detach().cpu().numpy())


def _each(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A nested value with every tensor in it changed."""
    return changed(value, lambda _, array: change(array) if isinstance(array, torch.Tensor) else array)
