"""The signal through a living model: one batch for the models of a factory, and what each does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.builds.build import first_line
from initcheck.models.builds.sums import Twins
from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.input_reach import input_reach
from initcheck.models.living.model import Living
from initcheck.models.living.untrained import untrained
from initcheck.models.living.visits import visits_of
from initcheck.models.signals.chains import Visit, chains, norms_between
from initcheck.models.signals.equal_units import gradient_kind, twins_kind
from initcheck.models.signals.signal import FEWEST_BLOCKS, HEAD, STEPS, ChainSignal, Signal
from initcheck.models.signals.untrained_layers import faint, is_matrix, owner_of, rounding

_NO_BLOCKS = "no four blocks of one shape follow one another, numbered in a list or by their names"


class Listener:
    """Listens to models of one factory with one batch; the first model decides which batch that is.

    Args:
        autodiff: of the library whose arrays the models take.
        make: makes the batch, or None where it is guessed.
    """

    def __init__(self, autodiff: Autodiff, make: Callable[[], ArrayBatch] | None) -> None:
        self._autodiff = autodiff
        self._make = make
        self._batch: ArrayBatch | None = None
        self._runs: list[list[Visit]] = []
        self._unheard: str | None = None

    def hear(
        self,
        living: Living,
        arrays: Sequence[Any],
        constants: Iterable[str] = (),
        twins: Mapping[str, Twins] | None = None,
        *,
        whole: bool = False,
    ) -> Signal:
        """Run the model forward and backward once; with constants in doubt, up to two small steps more.

        Args:
            living: takes the arrays.
            arrays: of its leaves.
            constants: constant matrices whose gradient is asked for.
            twins: matrices with equal units whose gradients are asked for.
            whole: whether it is also asked whether the input arrives.
        """
        if self._batch is None:
            problem = self._first_look(living, arrays)
            if problem is not None:
                return Signal(problem=problem)
        batch = self._batch
        assert batch is not None
        try:
            return self._through(living, arrays, batch, list(constants), dict(twins or {}), whole)
        except Exception as error:
            return Signal(batch=batch.text, problem=f"no gradient: {first_line(error)}")

    def _first_look(self, living: Living, arrays: Sequence[Any]) -> str | None:
        """Find a batch that goes through, and which layers can be listened to; else why there is none."""
        shapes = {leaf.name: tuple(a.shape) for leaf, a in zip(living.leaves, arrays, strict=True)}
        problem = None
        batches = [self._make] if self._make is not None else [
            lambda text=text: ArrayBatch.read(text) for text in living.candidates(shapes)
        ]  # fmt: skip
        for make in batches:
            batch = make()
            try:
                visits, hidden, output = visits_of(self._autodiff, living, arrays, batch)
            except Exception as error:
                said = first_line(error)
                problem = problem or f'no batch goes through; --batch="{batch.text}" ends in {said}; edit it'
                continue
            if output is None:
                return "the model returns no array of real numbers"
            self._batch = batch
            self._runs = [run for run in chains(visits) if len(run) >= FEWEST_BLOCKS]
            for visit in visits:
                visit.given = visit.made = None
            if not self._runs:
                self._unheard = _NO_BLOCKS
                if hidden:
                    self._unheard = f"{hidden[0]} runs inside a scan or a vmap, where nobody can listen"
            return None
        return problem or "no batch can be made from the model's first layer; give one, such as --batch=2x16"

    def _through(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, constants: list[str], twins: dict[str, Twins],
        whole: bool,
    ) -> Signal:  # fmt: skip
        names = [v.name for run in self._runs for v in run]
        # All that is trained, for every model, so that one compiled function serves them all.
        trained = [i for i, leaf in enumerate(living.leaves) if leaf.trainable and self._autodiff.is_real(arrays[i])]
        asked = {leaf.name: i for i, leaf in enumerate(living.leaves) if leaf.name in {*constants, *twins}}
        numbers = sorted({*trained, *asked.values()})
        measured = self._autodiff.measure(living, arrays, batch, names, numbers)
        made = []
        for run in self._runs:
            ahead = tuple(measured.forward[v.name] for v in run)
            back = tuple(measured.backward[v.name] for v in run)
            backward = back if any(back) else ()
            made.append(ChainSignal(run[0].container, tuple(v.name for v in run), ahead, backward, norms_between(run)))
        gradients = dict(zip(numbers, measured.gradients, strict=True))
        by_index = {i: self._autodiff.host(gradients[i]) for i in asked.values()}
        judged = {n: gradient_kind(by_index[asked[n]]) for n in constants if n in asked}
        equal = {n: twins_kind(by_index[asked[n]], t) for n, t in twins.items() if n in asked}
        noise = self._rounding(living, arrays, batch, {i: gradients[i] for i in trained}) if whole else {}
        waiting = self._without_gradient(living, {i: gradients[i] for i in trained}, noise) if whole else set()
        moved = arrays
        if waiting or any(kind != "differ" for kind in judged.values()):
            moved, later = self._after_steps(living, arrays, batch)
            for n, kind in judged.items():
                if kind != "differ" and gradient_kind(self._autodiff.host(later[asked[n]])) == "differ":
                    judged[n] = "later"
            waiting = {i for i in waiting if self._autodiff.largest(later[i]) <= noise.get(i, 0.0)}
        loss, classes, logits = _first_loss(living, arrays, measured.output)
        reach = input_reach(self._autodiff, living, arrays, batch) if whole else None
        idle = untrained(self._autodiff, living, moved, batch, waiting, noise) if whole else None
        return Signal(
            batch.text, None, tuple(made), loss, classes, logits, judged, equal, {}, reach, self._unheard,
            untrained=idle,
        )  # fmt: skip

    def _rounding(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch, gradients: Mapping[int, Any]
    ) -> dict[int, float]:
        """Which gradients rounding alone makes, and up to what size they count as none."""
        numbers = {living.leaves[i].name: i for i in gradients}
        sizes = {n: self._autodiff.largest(gradients[i]) for n, i in numbers.items()}
        doubtful = faint(sizes, {n: tuple(arrays[i].shape) for n, i in numbers.items()})
        if not doubtful:
            return {}
        try:
            found = self._autodiff.in_double(living, arrays, batch, [numbers[n] for n in doubtful])
        except Exception:  # a model that is none in double precision, whatever it raises: then nothing is said of it
            return {}
        if found is None:
            return {}
        wide = {n: self._autodiff.largest(g) for n, g in zip(doubtful, found, strict=True)}
        return {numbers[n]: size for n, size in rounding({n: sizes[n] for n in doubtful}, wide).items()}

    def _without_gradient(self, living: Living, gradients: Mapping[int, Any], noise: Mapping[int, float]) -> set[int]:
        """Those that have none; not the bias of a layer whose matrix has one, such as that of keys."""
        found = {i for i, g in gradients.items() if self._autodiff.largest(g) <= noise.get(i, 0.0)}
        names = {i: living.leaves[i].name for i in gradients}
        moved = {owner_of(n) for i, n in names.items() if i not in found}
        return {i for i in found if is_matrix(names[i], gradients[i].shape) or owner_of(names[i]) not in moved}

    def _after_steps(
        self, living: Living, arrays: Sequence[Any], batch: ArrayBatch
    ) -> tuple[list[Any], dict[int, Any]]:  # fmt: skip
        """Take small steps: behind a zero layer a gradient is zero at first and comes with the next step."""
        real = [i for i, a in enumerate(arrays) if self._autodiff.is_real(a)]
        moved = list(arrays)
        for step in range(STEPS + 1):
            measured = self._autodiff.measure(living, moved, batch, (), real, whole=True)
            gradients = dict(zip(real, measured.gradients, strict=True))
            if step == STEPS:
                break
            for i, gradient in gradients.items():
                size = float(np.sqrt(np.mean(np.square(self._autodiff.host(gradient).astype(np.float64)))))
                if living.leaves[i].trainable and size > 0:
                    moved[i] = moved[i] - (0.01 / size) * gradient
        return moved, gradients


def _first_loss(
    living: Living, arrays: Sequence[Any], output: Any
) -> tuple[float, int, float] | tuple[None, None, None]:  # fmt: skip
    """Cross-entropy with random targets, classes and size of logits, where the last dimension counts classes."""
    classes = output.shape[-1] if output.ndim else 0
    if classes < 2:
        return None, None, None
    known = set()
    for leaf, array in zip(living.leaves, arrays, strict=True):
        if not leaf.parameter or array.ndim < 2:
            continue
        if "Embed" in leaf.owner:
            known.add(array.shape[0])
        elif HEAD.search(".".join(leaf.path[:-1])):
            known.add(array.shape[-1] if leaf.inputs_first else array.shape[0])
    if classes not in known:
        return None, None, None
    logits = output.reshape(-1, classes)
    if np.all(logits >= 0) and np.allclose(logits.sum(-1), 1, atol=1e-3):  # a softmax is part of the model
        logits = np.log(np.maximum(logits, np.finfo(np.float32).tiny))
    targets = np.random.default_rng(20260104).integers(0, classes, len(logits))
    top = logits.max(-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    spread = logits.astype(np.float64) - logits.mean(-1, keepdims=True)
    loss = float(-logs[np.arange(len(logits)), targets].mean())
    return loss, int(classes), float(np.sqrt(np.square(spread).mean()))
