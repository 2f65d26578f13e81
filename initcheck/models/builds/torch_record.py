"""A tensor of torch as a record; every entry is read, in blocks, where the tensor lives, none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from initcheck.models.builds.record import Lost, TensorRecord, bounds_of, ends_of, made_of_parts, maybe_index
from initcheck.models.builds.reductions import reduced
from initcheck.models.builds.sums import ORDERED, order_of, spread_over
from initcheck.models.builds.twins import find_twins
from initcheck.models.provenance.fill import Fill
from initcheck.models.provenance.steps import Step
from initcheck.models.provenance.storages import extent
from initcheck.models.provenance.trace import Trace
from initcheck.models.provenance.traced_law import Later, generations, last_chain, later_writes, law_of


def record(
    name: str,
    tensor: torch.Tensor,
    owner: str,
    trace: Trace | None,
    fill: Fill | None,
    *,
    units: bool = False,
    of: torch.Tensor | None = None,
    inputs_first: bool = False,
) -> TensorRecord:
    """Reduce one plain tensor to its record.

    Args:
        name, owner: its path and the class of its module.
        tensor: of any shape, dtype and device; it is read where it lives, in blocks.
        trace: the trace of the build, or None.
        fill: what fresh memory was filled with, or None.
        units: whether equal rows and columns are looked for, and the order of the first entries.
        of: the parameter or buffer that it is the inside of; itself where None.
        inputs_first: whether its axes are (inputs, outputs).
    """
    of = tensor if of is None else of
    parameter, trainable = isinstance(of, torch.nn.Parameter), of.requires_grad
    tensor = tensor.detach()
    steps = trace.steps_of(tensor) if trace is not None else ()
    start, stop, _ = extent(tensor)
    chain, partial = last_chain(steps, start, stop)
    law, later = law_of(chain), later_writes(chain, partial)
    law, later = made_of_parts(law, later, tensor.numel())
    shape = tuple(tensor.shape)
    numbers = reduced(tensor.contiguous().view(-1), fill, bounds_of(law), _mask(tensor, later, start, stop))
    real = tensor.dtype.is_floating_point and not (numbers.whole.nan or numbers.whole.infinite)
    last = max((*chain, *partial), key=lambda s: s.order, default=None)
    return TensorRecord(
        name=name,
        parameter=parameter,
        trainable=trainable,
        owner=owner,
        shape=shape,
        dtype=str(tensor.dtype).removeprefix("torch."),
        real=tensor.dtype.is_floating_point,
        memory=(int(tensor.untyped_storage()._cdata), int(tensor.storage_offset())),
        digest=numbers.digest,
        count=tensor.numel(),
        sums=numbers.whole,
        own=numbers.rest,
        unwritten=numbers.unwritten,
        first_unwritten=maybe_index(numbers.first_unwritten, shape),
        order=order_of(_entries(tensor, slice(ORDERED))) if real and units else None,
        spread=tuple(_entries(tensor, torch.from_numpy(spread_over(tensor.numel()))).tolist()) if real else (),
        twins=find_twins(tensor) if real and units and numbers.whole.low != numbers.whole.high else None,
        law=law,
        draws=frozenset().union(*(s.draws for s in chain), *(s.draws for p in later for s in p.steps)),
        later=tuple(later),
        lost=tuple(_lost(steps, start, stop)),
        sites=tuple(dict.fromkeys(s.site for s in steps if s.site is not None and s.dense)),
        far=numbers.far,
        first_far=maybe_index(numbers.first_far, shape),
        first_bad=maybe_index(numbers.whole.first_bad, shape),
        loaded=any(s.caller.loading for s in chain),
        default=bool(chain) and all(s.caller.default for s in chain),
        marked=any(s.marked for s in chain),
        inputs_first=inputs_first,
        order_written=last.order if last is not None else 0,
        inside=last.caller.inside if last is not None else frozenset(),
    )


def _entries(tensor: torch.Tensor, places: slice | torch.Tensor) -> npt.NDArray[np.float64]:
    """The entries of a tensor at places of it as a flat one."""
    flat = tensor.contiguous().view(-1)
    chosen = flat[places] if isinstance(places, slice) else flat[places.to(flat.device)]
    found: npt.NDArray[np.float64] = chosen.double().cpu().numpy()
    return found


def _mask(tensor: torch.Tensor, later: list[Later], start: int, stop: int) -> torch.Tensor | None:
    """The entries that were written after the whole, in the order of the flat tensor; None where there are none."""
    if not later or not tensor.numel():
        return None
    mask = torch.zeros(stop - start, dtype=torch.bool, device=tensor.device)
    for part in later:
        steps = part.steps
        if part.region is not None:
            first, last = ends_of(part.region.offset, part.region.sizes, part.region.strides)
            if first < start or last > stop:
                return torch.ones(tensor.numel(), dtype=torch.bool, device=tensor.device)
            part.region.mark(mask, start)
            continue
        for step in steps:
            if step.mask is None or step.start < start or step.stop > stop:
                return torch.ones(tensor.numel(), dtype=torch.bool, device=tensor.device)
            mask[step.start - start : step.stop - start].logical_or_(step.mask.to(mask.device))
    return mask.as_strided(tuple(tensor.shape), tensor.stride(), 0).reshape(-1)


def _but_clones(chain: Sequence[Step]) -> Sequence[Step]:
    """What made a value; where a layer is cloned whole (``copy.deepcopy``), what it was cloned from."""
    return [s for s in chain if s.op != "clone"] or chain


def _lost(steps: tuple[Step, ...], start: int, stop: int) -> list[Lost]:
    found = []
    written = generations(steps, start, stop)
    for (before, parts), (after, _) in pairwise(written):
        over = after[-1]
        marked, building = any(s.marked for s in after), over.caller.building
        made = not any(s.op.endswith("_") for s in before)
        for chain, part in ((before, False), *(([s], True) for s in parts if s.anew)):
            found.append(
                Lost(
                    law_of(chain),
                    chain[-1].site,
                    over.site,
                    default=all(s.caller.default for s in _but_clones(chain)),
                    made=made and not part,
                    loaded=any(s.caller.loading for s in chain),
                    marked=marked,
                    building=building,
                    part=part,
                )
            )
    return found
