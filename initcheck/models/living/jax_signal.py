"""The signal through a living model of JAX: compiled once for one factory, and run on the arrays of every build."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initcheck.models.builds.sums import Twins
from initcheck.models.living.array_gradients import array_gradient_kind, array_twins_kind
from initcheck.models.living.jax_reach import input_reach
from initcheck.models.living.model import Living
from initcheck.models.living.unrolled import Passes
from initcheck.models.signals.array_batch import ArrayBatch, array_batch_of
from initcheck.models.signals.chains import Visit, chains
from initcheck.models.signals.signal import FEWEST_BLOCKS, HEAD, ChainSignal, Signal

__all__ = ["JaxListener", "first_array"]

_AUTO = re.compile(r"^(.*?)_?(\d+)$")
_STEPS = 2
_NO_BLOCKS = "no four blocks of one shape follow one another, numbered in a list or by their names"


class JaxListener:
    """Listens to models of one factory with one batch; the first model decides which batch that is.

    Args:
        make: makes the batch, or None where it is guessed.
    """

    def __init__(self, make: Callable[[], ArrayBatch] | None) -> None:
        self._make = make
        self._batch: ArrayBatch | None = None
        self._runs: list[list[Visit]] = []
        self._passes = Passes({})
        self._measure: Callable[..., Any] | None = None
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
            words = str(error).strip().splitlines() or [""]
            return Signal(batch=batch.text, problem=f"no gradient: {type(error).__name__}: {words[0][:160]}")

    def _first_look(self, living: Living, arrays: Sequence[Any]) -> str | None:
        """Find a batch that goes through, and which layers can be listened to; else why there is none."""
        shapes = {leaf.name: tuple(a.shape) for leaf, a in zip(living.leaves, arrays, strict=True)}
        problem = None
        batches = [self._make] if self._make is not None else [
            lambda text=text: array_batch_of(text) for text in living.candidates(shapes)
        ]  # fmt: skip
        for make in batches:
            batch = make()
            passes = Passes(living.stacked)
            try:
                visits, hidden, output = _visits(living, arrays, batch, passes)
            except Exception as error:
                words = str(error).strip().splitlines() or [""]
                said = f"{type(error).__name__}: {words[0][:160]}"
                problem = problem or f'no batch goes through; --batch="{batch.text}" ends in {said}; edit it'
                continue
            if output is None:
                return "the model returns no array of real numbers"
            self._batch, self._passes = batch, passes
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
        asked = {leaf.name: i for i, leaf in enumerate(living.leaves) if leaf.name in {*constants, *twins}}
        real = [i for i, a in enumerate(arrays) if jnp.issubdtype(a.dtype, jnp.floating)]
        measure = _measured(living, names, self._passes, real, sorted(asked.values()))
        if asked or self._measure is None:
            measure = jax.jit(measure)
            if not asked:
                self._measure = measure
        else:
            measure = self._measure
        floats = [arrays[i] for i in real]
        rest = [None if i in set(real) else a for i, a in enumerate(arrays)]
        forward, backward, output, gradients = measure(floats, rest, batch.args, dict(batch.kwargs))
        made = []
        for run in self._runs:
            ahead = tuple(float(forward[v.name]) for v in run)
            back = tuple(float(backward[v.name]) for v in run)
            made.append(ChainSignal(run[0].container, tuple(v.name for v in run), ahead, back if any(back) else ()))
        by_index = dict(zip(sorted(asked.values()), gradients, strict=True))
        judged = {n: array_gradient_kind(np.asarray(by_index[asked[n]])) for n in constants if n in asked}
        equal = {n: array_twins_kind(np.asarray(by_index[asked[n]]), t) for n, t in twins.items() if n in asked}
        if any(kind != "differ" for kind in judged.values()):
            judged = _after_steps(living, arrays, batch, judged, asked, real)
        loss, classes = _first_loss(living, arrays, np.asarray(output, np.float64))
        reach = input_reach(living, arrays, batch) if whole else None
        return Signal(batch.text, None, tuple(made), loss, classes, judged, equal, {}, reach, self._unheard)


def first_array(value: Any) -> Any:
    """The first array of real numbers in a (nested) result; of several the logits, or the last hidden state."""
    for name in ("logits", "last_hidden_state"):
        inner = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if inner is not None and hasattr(inner, "dtype"):
            return inner
    for leaf in jax.tree.leaves(value):
        if hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
    return None


def candidates_of(living: Living) -> dict[str, str]:
    """Layers that may be blocks, by name, and the container that each is counted in.

    A block is one of several layers of one class under one parent that are numbered.
    """
    groups: dict[tuple[tuple[str, ...], str, str], list[str]] = defaultdict(list)
    for layer in living.layers:
        match = _AUTO.match(layer.path[-1])
        if layer.holds and match is not None:
            groups[layer.path[:-1], match[1], layer.kind].append(layer.name)
    found: dict[str, str] = {}
    for (parent, prefix, _kind), names in groups.items():
        if len(names) > 1:
            container = ".".join((*parent, prefix) if prefix else parent)
            found |= dict.fromkeys(names, container)
    return found


def _visits(
    living: Living, arrays: Sequence[Any], batch: ArrayBatch, passes: Passes
) -> tuple[list[Visit], list[str], Any]:  # fmt: skip
    """Run the model once and note what its blocks were given and made; what a transformation hides is left out."""
    containers = candidates_of(living)
    slices = {f"{name}.{k}": name for name, count in living.stacked.items() for k in range(count)}
    visits: list[Visit] = []
    hidden: list[str] = []

    def note(name: str, given: Any, made: Any) -> Any:
        array, before = first_array(made), first_array(given)
        if array is None:
            return made
        if isinstance(array, jax.core.Tracer):
            hidden.append(name)
            return made
        container = slices.get(name) or containers[name]
        visit = Visit(container, name, before, array, tuple(array.shape), 0.0)
        last = next((v for v in reversed(visits) if v.container == container), None)
        visit.serial = last is None or _handed_on(before, last)
        visits.append(visit)
        return made

    output = first_array(passes.first_run(living, arrays, batch, note, containers))
    visits = [v for v in visits if v.name not in slices or slices[v.name] in passes.found]
    hidden += [name for name in living.stacked if not any(f"{name}.".startswith(f"{n}.") for n in passes.found)]
    often = Counter(v.name for v in visits)
    return [v for v in visits if often[v.name] == 1], hidden, output


def _handed_on(given: Any, before: Visit) -> bool:
    """Whether a layer was given what the one before it made, or something of its shape that comes after it.

    Between two layers of a plain network stands an activation. Branches side by side are given one array.
    """
    if given is None or before.made is None:
        return False
    return given is before.made or (given.shape == before.made.shape and given is not before.given)


def _measured(
    living: Living, names: Sequence[str], passes: Passes, real: Sequence[int], asked: Sequence[int]
) -> Callable[..., Any]:  # fmt: skip
    """The function that is compiled: energies of the blocks forward and backward, the output, gradients."""

    def measure(floats: Any, rest: Any, args: Any, kwargs: Any) -> Any:
        shapes: dict[str, Any] = {}
        batch = ArrayBatch(args, kwargs)

        def output_of(pushes: Any, weights: Any, keep: dict[str, Any]) -> Any:
            arrays = list(rest)
            for i, weight in zip(real, weights, strict=True):
                arrays[i] = weight

            def tap(name: str, given: Any, made: Any) -> Any:
                array = first_array(made)
                keep[name] = array
                if name not in pushes:
                    return made
                return jax.tree.map(lambda a: a + pushes[name].astype(a.dtype) if a is array else a, made)

            return first_array(passes.run(living, arrays, batch, tap, names))

        kept: dict[str, Any] = {}
        jax.eval_shape(
            lambda w: (output_of({}, w, kept), shapes.update({n: a.shape for n, a in kept.items()}))[0], floats
        )

        def weighed(pushes: Any, weights: Any) -> Any:
            keep: dict[str, Any] = {}
            output = output_of(pushes, weights, keep)
            numbers = np.random.default_rng(20260103).standard_normal(output.shape).astype(np.float32)
            return (output.astype(jnp.float32) * numbers).sum(), (keep, output)

        pushes = {name: jnp.zeros(shape) for name, shape in shapes.items()}
        (_, (keep, output)), (backward, gradients) = jax.value_and_grad(weighed, argnums=(0, 1), has_aux=True)(
            pushes, floats
        )
        order = {i: k for k, i in enumerate(real)}
        return (
            {n: jnp.mean(jnp.square(a.astype(jnp.float32))) for n, a in keep.items()},
            {n: jnp.mean(jnp.square(g)) for n, g in backward.items()},
            output,
            [gradients[order[i]] for i in asked],
        )

    return measure


def _after_steps(
    living: Living, arrays: Sequence[Any], batch: ArrayBatch, judged: dict[str, str], asked: Mapping[str, int],
    real: Sequence[int],
) -> dict[str, str]:  # fmt: skip
    """Take small steps: behind a zero layer a gradient is zero at first and comes with the next step."""
    measure = jax.jit(_measured(living, (), Passes({}), real, list(real)))
    floats = [arrays[i] for i in real]
    rest = [None if i in set(real) else a for i, a in enumerate(arrays)]
    trained = [living.leaves[i].trainable for i in real]
    gradients: list[Any] = []
    for step in range(_STEPS + 1):
        gradients = measure(floats, rest, batch.args, dict(batch.kwargs))[3]
        if step == _STEPS:
            break
        moved = []
        for weight, gradient, moves in zip(floats, gradients, trained, strict=True):
            size = float(jnp.linalg.norm(gradient.reshape(-1).astype(jnp.float32))) / max(gradient.size, 1) ** 0.5
            moved.append(weight - (0.01 / size) * gradient if moves and size > 0 else weight)
        floats = moved
    order = {i: k for k, i in enumerate(real)}
    later = {n: array_gradient_kind(np.asarray(gradients[order[asked[n]]])) for n in judged}
    return {n: "later" if kind != "differ" and later[n] == "differ" else kind for n, kind in judged.items()}


def _first_loss(living: Living, arrays: Sequence[Any], output: Any) -> tuple[float | None, int | None]:
    """Cross-entropy with random targets, where the last dimension is known to count classes."""
    classes = output.shape[-1] if output.ndim else 0
    if classes < 2:
        return None, None
    known = set()
    for leaf, array in zip(living.leaves, arrays, strict=True):
        if not leaf.parameter or array.ndim < 2:
            continue
        if "Embed" in leaf.owner:
            known.add(array.shape[0])
        elif HEAD.search(".".join(leaf.path[:-1])):
            known.add(array.shape[-1] if leaf.inputs_first else array.shape[0])
    if classes not in known:
        return None, None
    logits = output.reshape(-1, classes)
    targets = np.random.default_rng(20260104).integers(0, classes, len(logits))
    top = logits.max(-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return float(-logs[np.arange(len(logits)), targets].mean()), int(classes)
