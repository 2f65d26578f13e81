"""A router that starts constant and chooses: every token goes to the same few experts, and the others wait."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.signals.live_model import UNABLE, LiveModel
from initcheck.models.signals.signal import OneChoice

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
_Experts = Mapping[str, tuple[str, int | None]]
"""What an expert is called -> one matrix of it, and which slice of that it is; None for all of it."""


def one_choices(model: LiveModel, batch: CallArguments) -> tuple[OneChoice, ...]:
    """Routers that are constant and send a whole batch to the same experts, once for each list of these.

    That it is the router was seen: with random numbers in it alone more experts get a gradient, and with one vector
    for all experts no more do. Noise that training adds to what it says spreads a batch too, so that the model is also
    run as it is trained.
    """
    found = []
    with suppress(*UNABLE):
        constant = [n for n, shape in model.trained.items() if len(shape) == 2 and model.constant(n) is not None]
        groups = _groups(model) if constant else []
        for router in constant:
            for experts in groups:
                if len(experts) in model.trained[router] and _beside(router, next(iter(experts))):
                    used = _used(model, batch, experts)
                    if 0 < len(used) < len(experts) and _spread_by(model, batch, router, experts, len(used)):
                        found.append(OneChoice(router, used, len(experts)))
                        break
    return tuple(found)


def _groups(model: LiveModel) -> list[_Experts]:
    """Matrices that stand side by side by number, and slices of one, that may be experts."""
    by_path: dict[str, dict[str, tuple[str, int | None]]] = defaultdict(dict)
    for name, shape in model.trained.items():
        if len(shape) < 2:
            continue
        for match in _NUMBER.finditer(name):
            path = f"{name[: match.start()]}*{name[match.end() :]}"
            by_path[path].setdefault(name[: match.end()], (name, None))
        if len(shape) > 2:
            by_path[name] |= {f"{name}[{i}]": (name, i) for i in range(shape[0])}
    return [group for group in by_path.values() if len(group) > 1]


def _beside(router: str, expert: str) -> bool:
    """Whether an expert stands in the layer that a router belongs to; of the model's own, any may."""
    parts = router.split(".")[:-2]
    return expert.split(".")[: len(parts)] == parts


def _used(model: LiveModel, batch: CallArguments, experts: _Experts) -> tuple[str, ...]:
    """The experts that get a gradient."""
    found = model.gradients(batch, {matrix for matrix, _ in experts.values()}, whole=True)
    arrays = {name: None if g is None else model.host(g) for name, g in found.items()}

    def moves(matrix: str, part: int | None) -> bool:
        gradient = arrays.get(matrix)
        return gradient is not None and bool(np.any((gradient if part is None else gradient[part]) != 0))

    return tuple(name for name, (matrix, part) in experts.items() if moves(matrix, part))


def _spread_by(model: LiveModel, batch: CallArguments, router: str, experts: _Experts, used: int) -> bool:
    """Whether random numbers in a router reach more experts, and neither training alone does nor what leaves a tie.

    A last layer of zeros shuts what stands before it. One vector for all that it makes opens that too; of a router it
    is a tie between experts, as zeros are.
    """

    def reached(now: LiveModel) -> bool:
        return len(_used(now, batch, experts)) > used

    training = model.in_training()
    if training is not None:
        with training:
            if reached(model):
                return False
    shape = model.trained[router]
    drawn = np.random.default_rng(20260108).standard_normal(shape, dtype=np.float32)
    with model.changed([(router, drawn)]) as changed:
        if not reached(changed):
            return False
    for axis in (i for i in range(2) if shape[i] == len(experts)):
        with model.changed([(router, _tied(shape, axis))]) as changed:
            if not reached(changed):
                return True
    return False


def _tied(shape: tuple[int, ...], axis: int) -> npt.NDArray[np.float32]:
    """One vector for all along an axis; of one entry, as a sum of several may be rounded otherwise for each."""
    values = np.zeros(shape, np.float32)
    values[(slice(None), 0) if axis == 0 else 0] = 1
    return values
