"""Which layers of a living model may be blocks, and what each was given and made in one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.living.autodiff import Autodiff, Blocks
from initcheck.models.living.model import Living
from initcheck.models.signals.chains import Trail, Visit, chains, containers
from initcheck.models.signals.signal import FEWEST_BLOCKS

_NO_BLOCKS = "no four blocks of one shape follow one another, numbered in a list or by their names"


def candidates_of(living: Living) -> dict[str, str]:
    """Layers that may be blocks, by name, and the container that each is counted in."""
    return containers((layer.path, layer.kind) for layer in living.layers if layer.holds)


def visits_of(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch
) -> tuple[list[Visit], list[str], Any]:  # fmt: skip
    """Run the model once and note what its blocks were given and made.

    Returns:
        The visits of layers that were called once; names of layers that a transformation hides; the output.
    """
    counted_in = candidates_of(living)
    slices = {f"{name}.{k}": name for name, count in living.stacked.items() for k in range(count)}
    norms = {layer.name for layer in living.layers if layer.kind.startswith("BatchNorm")}
    trail = Trail({**counted_in, **slices}, norms, _handed_on)
    hidden: list[str] = []

    def note(name: str, given: Any, made: Any) -> Any:
        array = autodiff.first_real(made)
        hides = array is not None and autodiff.hides(array)
        if hides and (name not in norms or name in counted_in):
            hidden.append(name)
        # How large it is will be measured in a run of its own.
        trail.passed(name, autodiff.first_real(given), None if hides else array, lambda _: 0.0)
        return made

    output = autodiff.first_real(autodiff.first_run(living, arrays, batch, note, norms | counted_in.keys()))
    found = autodiff.unstacked
    visits = [v for v in trail.visits if v.name not in slices or slices[v.name] in found]
    hidden += [name for name in living.stacked if not any(f"{name}.".startswith(f"{n}.") for n in found)]
    often = Counter(v.name for v in visits)
    return [v for v in visits if often[v.name] == 1], hidden, output


def blocks_of(autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch) -> Blocks:
    """What a first run tells of a model's blocks; the arrays that passed through them are dropped."""
    runs, hidden, output = _runs_of(autodiff, living, arrays, batch)
    own = autodiff.own_matrices(living, arrays) if not runs and output is not None else None
    if own is not None:
        runs, _, _ = _runs_of(autodiff, own, arrays, batch)
    unheard = f"{hidden[0]} runs inside a scan or a vmap, where nobody can listen" if hidden else _NO_BLOCKS
    heard = own if own is not None and runs else living
    return Blocks(batch, runs, None if runs else unheard, output is not None, heard)


def _runs_of(
    autodiff: Autodiff, living: Living, arrays: Sequence[Any], batch: ArrayBatch
) -> tuple[list[list[Visit]], list[str], Any]:  # fmt: skip
    visits, hidden, output = visits_of(autodiff, living, arrays, batch)
    runs = [run for run in chains(visits) if len(run) >= FEWEST_BLOCKS]
    for visit in visits:
        visit.given = visit.made = None
    return runs, hidden, output


def _handed_on(given: Any, before: Visit) -> bool:
    """Whether a layer was given what the one before it made, or something of its shape that comes after it.

    Between two layers of a plain network stands an activation. Branches side by side are given one array. What was
    computed on the way is not known here: another matrix may have had a part in it, as it may not in torch.
    """
    if given is None or before.made is None:
        return False
    return given is before.made or (given.shape == before.made.shape and given is not before.given)
