"""A model of Keras 3: its variables by path, each with the initializer that made it."""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from unittest import mock

import keras
import numpy as np

from initcheck.contract.model import Model
from initcheck.errors import UsageError
from initcheck.models.batches.array_batch import ArrayBatch
from initcheck.models.builds.build import Builder, quiet
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.sums import Twins
from initcheck.models.frameworks.array_facts import ArrayFacts, Made, recorded
from initcheck.models.lineage.keras_weights import Weights, noted_weights
from initcheck.models.living.autodiff import Autodiff
from initcheck.models.living.called import called_with, inputs_taken, listening
from initcheck.models.living.first_layers import batches_for, below_rows, first_batch
from initcheck.models.living.leaves import Leaf
from initcheck.models.living.live_arrays import LiveArrays
from initcheck.models.living.model import Living, Tap, layers_of, lists_of_one
from initcheck.models.provenance.law import UNTRACED
from initcheck.models.provenance.steps import Draw, Step
from initcheck.models.signals.listener import Listener
from initcheck.models.signals.signal import Signal
from initcheck.sandbox.global_generators import isolated

_NUMBERED = re.compile(r"^(.*?)(?:_(\d+))?$")


class KerasFacts(ArrayFacts):
    """The builds of one factory of models of Keras; before each, ``keras.utils.set_random_seed`` is called."""

    impossible: ClassVar[Mapping[str, str]] = {
        "unwritten": "Keras hands out no variable that its initializer did not fill",
        "overwritten": "what is assigned to a variable of Keras is not watched; its values are held against their law",
        "bfloat16": "a dtype policy is an argument of the layers, and no default is changed here",
        "writers": "which layers write to the residual stream is measured in modules of torch alone",
    }
    fixes: ClassVar[Mapping[str, str]] = {
        "one state": "give each layer an initializer of its own, without a seed that another has",
        "seed": "leave the seed of the initializer out: keras.utils.set_random_seed sets them all",
    }

    def __init__(self, model: Model, seed: int) -> None:
        super().__init__(Builder(model.factory, model.name), seed, model.models)
        self._make = ArrayBatch.maker(model.batch)
        self._seeded = self.builder.takes("seed") is not None
        self._listener: Listener | None = None
        self._first: ArrayBatch | None = None
        self._autodiff: Autodiff | None = None

    def make(self, seed: int, *, units: bool) -> Made:
        """Build once.

        Raises:
            UsageError: the factory raises, or returns no model; no batch builds it.
        """
        with quiet(), isolated(), noted_weights() as weights:
            model = self._built(seed)
            if not model.built or not (model.variables or getattr(model, "inputs", None)):
                if self._first is None:
                    self._first = self._first_batch(model, seed)
                    return self.make(seed, units=units)
                model(*self._first.args, **called_with(model.call, self._first.kwargs))
            living = KerasModel(model)
        # The numbers alone: on TensorFlow the value of a variable is a variable, on torch a parameter.
        arrays = [keras.ops.stop_gradient(v.value) for v in living.variables]
        records = [_record(leaf, v, weights, i, units=units) for i, (leaf, v) in enumerate(living.pairs())]
        return Made(living.leaves, records, living, arrays)

    def hear(self, made: Made, constants: Sequence[str], twins: Mapping[str, Twins], *, whole: bool) -> Signal:
        """Listen to a model that was just built; Keras differentiates as its backend does."""
        if self._listener is None:
            self._autodiff = _autodiff(keras.config.backend())
            self._listener = Listener(self._make)
        if self._autodiff is None:
            return Signal(problem=f"the backend {keras.config.backend()} of Keras differentiates nothing")
        return self._listener.hear(LiveArrays(self._autodiff, made.living, made.arrays), constants, twins, whole=whole)

    def _built(self, seed: int) -> Any:
        keras.utils.set_random_seed(seed % 2**31)
        model = self.builder.call(seed=seed) if self._seeded else self.builder.call()
        if not isinstance(model, keras.layers.Layer):
            raise UsageError(
                f"{self.builder.name} returned {type(model).__name__}, not a model of Keras; name a function or"
                " class that builds the model."
            )
        return model

    def _first_batch(self, model: Any, seed: int) -> ArrayBatch:
        """The first batch that builds a model which is built by its first call."""

        tables: dict[bool, list[int]] = {}

        def takes(batch: ArrayBatch) -> None:
            tables.clear()
            # A call that fails leaves layers behind that are built for its shape: each is tried on a model of its own.
            fresh = self._built(seed)
            look_up = keras.layers.Embedding.call

            def noted(table: Any, inputs: Any) -> Any:
                with contextlib.suppress(Exception):  # what is traced has no numbers
                    values = keras.ops.convert_to_numpy(inputs)
                    tables.setdefault(any(np.array_equal(values, a) for a in batch.arrays), []).append(table.input_dim)
                return look_up(table, inputs)

            with mock.patch.object(keras.layers.Embedding, "call", noted):
                fresh(*batch.args, **called_with(fresh.call, batch.kwargs))

        given = self._make() if self._make is not None else None
        try:
            batch = first_batch(model.call, takes, given)
            batch = batch if given is not None else below_rows(batch, tables)
        except UsageError as error:
            raise UsageError(f"{self.builder.name} has no variables before its first call, {error}") from None
        self._make = lambda: batch
        return batch


class KerasModel(Living):
    """One model that is there; it takes other arrays in the place of its own, on every backend."""

    def __init__(self, model: Any) -> None:
        self.name = type(model).__name__
        self._model = model
        self._train, self._fixed = model.trainable_variables, model.non_trainable_variables
        parts = list(model._flatten_layers(include_self=True, recursive=True))
        owners = {id(v): part for part in parts for v in (*part._trainable_variables, *part._non_trainable_variables)}
        self._root = model.name
        layers = {self._raw(getattr(part, "path", None) or part.name): part for part in parts[1:]}
        kinds = {path: type(part).__name__ for path, part in layers.items() if path}
        self.variables = [v for v in (*self._train, *self._fixed) if _is_state(v)]
        unnamed = {self._raw(v.path): "Variable" for v in self.variables}
        self._names = {**_names(kinds, kinds), **_names(unnamed, unnamed)}
        self.leaves = [_leaf(v, self._path(v.path), owners, {id(t) for t in self._train}) for v in self.variables]
        self._parts = {self._path("/".join(path)): part for path, part in layers.items() if path}
        self.shared = lists_of_one((((), model), *self._parts.items()), keras.layers.Layer)
        self.layers = layers_of(((path, type(part).__name__) for path, part in self._parts.items()), self.leaves)

    def pairs(self) -> Iterator[tuple[Leaf, Any]]:
        """Every leaf with its variable."""
        return zip(self.leaves, self.variables, strict=True)

    def run(self, arrays: Sequence[Any], batch: ArrayBatch, tap: Tap | None, heard: Mapping[str, Any]) -> Any:
        """Call the model on a batch; batch norms as in training, nothing dropped."""
        given = {id(v): a for v, a in zip(self.variables, arrays, strict=True)}
        train = [given.get(id(v), v.value) for v in self._train]
        fixed = [given.get(id(v), v.value) for v in self._fixed]
        parts = [(".".join(path), part) for path, part in self._parts.items()]
        args, given_by_name = self._arguments(batch)
        kwargs = called_with(self._model.call, given_by_name)
        if "training" in inspect.signature(self._model.call).parameters:
            kwargs["training"] = False
        with listening(parts, heard, tap), _fresh_norms():
            return self._model.stateless_call(train, fixed, *args, **kwargs)[0]

    def _arguments(self, batch: ArrayBatch) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """A functional model takes its inputs as one argument: a list, or a table by their names or by its own."""
        names = [one.name for one in getattr(self._model, "inputs", None) or ()]
        if len(names) > 1 and len(batch.args) == len(names):
            wanted = getattr(self._model, "_inputs_struct", names)
            return (keras.tree.pack_sequence_as(wanted, list(batch.args)),), batch.kwargs
        if batch.kwargs and set(batch.kwargs) == set(names):
            return (dict(batch.kwargs),), {}
        return batch.args, batch.kwargs

    def candidates(self, shapes: Mapping[str, tuple[int, ...]]) -> Sequence[str]:
        """Batches of the shape that its inputs have, else that its first layer takes."""
        inputs = getattr(self._model, "inputs", None)
        if not inputs:
            return batches_for(self.leaves, shapes, batched=True, inputs=inputs_taken(self._model.call))
        texts = [self._input(one, shapes) for one in inputs]
        return [";".join(texts)]

    def _input(self, one: Any, shapes: Mapping[str, tuple[int, ...]]) -> str:
        sizes = "x".join(str(n or (2 if i == 0 else 16)) for i, n in enumerate(one.shape))
        whole = "int" in str(one.dtype)
        # The table that looks it up may be one of several, of a vocabulary of its own.
        reads = [part for part in self._parts.values() if isinstance(part, keras.layers.Embedding)]
        own = next((part.input_dim for part in reads if any(one is given for given in _inputs_of(part))), 0)
        table = own or next((shapes[leaf.name][0] for leaf in self.leaves if "Embed" in leaf.owner), 0)
        first = [layer.kind for layer in self.layers if layer.holds][:1]
        if whole or own or (table and first == ["Embedding"] and len(self._model.inputs) == 1):
            return f"int<{table or 2}:{sizes}"
        return sizes

    def _raw(self, text: str) -> tuple[str, ...]:
        parts = tuple(text.split("/"))
        return parts[1:] if parts[0] == self._root and len(parts) > 1 else parts

    def _path(self, text: str) -> tuple[str, ...]:
        raw = self._raw(text)
        return tuple(self._names.get(raw[: i + 1], part) for i, part in enumerate(raw))


def _inputs_of(layer: Any) -> list[Any]:
    """The symbolic tensors that a layer was called on where a functional model was put together."""
    return [given for node in layer._inbound_nodes for given in node.input_tensors]


@contextlib.contextmanager
def _fresh_norms() -> Iterator[None]:
    """While it lasts, batch norms take the moments of their batch: those they have kept are of no weights yet."""
    norm = keras.layers.BatchNormalization
    original = norm.call

    def call(self: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        # Of one number a channel the variance is zero, and nothing of it would be left.
        several = None in inputs.shape or math.prod(inputs.shape) > inputs.shape[self.axis]
        return original(self, inputs, training=several or training, mask=mask)

    with mock.patch.object(norm, "call", call):
        yield


def _names(paths: Iterable[tuple[str, ...]], kinds: Mapping[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """Names that Keras numbered by itself, which go on from model to model, numbered from 0 under each parent.

    Args:
        paths: of every layer, or variable, as Keras has them.
        kinds: path of it -> its class.
    """
    families: dict[tuple[tuple[str, ...], str], list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
    for path in paths:
        auto = _snake_case(kinds[path])
        match = _NUMBERED.match(path[-1])
        # Bidirectional names its two layers after the one that it was given.
        if match is not None and match[1] in (auto, f"forward_{auto}", f"backward_{auto}"):
            families[path[:-1], match[1]].append((int(match[2] or 0), path))
    found = {}
    for (_, auto), members in families.items():
        for place, (_, path) in enumerate(sorted(members)):
            found[path] = f"{auto}_{place}" if len(members) > 1 else auto
    return found


def _snake_case(kind: str) -> str:
    """How Keras makes a name of a class.

    >>> _snake_case("Conv2D"), _snake_case("LayerNormalization")
    ('conv2d', 'layer_normalization')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _autodiff(backend: str) -> Autodiff | None:
    """What differentiates on a backend of Keras; each imports its library: only that which runs already."""
    if backend == "jax":
        from initcheck.models.living.jax_autodiff import JaxAutodiff  # imports JAX

        return JaxAutodiff()
    if backend == "torch":
        from initcheck.models.living.torch_autodiff import TorchAutodiff  # imports torch

        return TorchAutodiff()
    if backend == "tensorflow":
        from initcheck.models.living.tensorflow_autodiff import TensorFlowAutodiff  # imports TensorFlow

        return TensorFlowAutodiff()
    return None


def _is_state(variable: Any) -> bool:
    return "seed_generator" not in variable.path


def _leaf(variable: Any, path: tuple[str, ...], owners: Mapping[int, Any], trained: set[int]) -> Leaf:
    owner = type(owners.get(id(variable))).__name__
    trainable = id(variable) in trained
    moving = path[-1].startswith("moving_")
    return Leaf(path, owner, not moving, trainable, inputs_first=owner != "Embedding")


def _record(leaf: Leaf, variable: Any, weights: Weights, number: int, *, units: bool) -> TensorRecord:
    law = weights.laws.get(id(variable), UNTRACED)
    value = np.asarray(keras.ops.convert_to_numpy(variable.value))
    draw: Draw | None = weights.draws.get(id(variable))
    step = Step("draw", (), 0, value.size, True, law.site, frozenset() if draw is None else frozenset({draw}))
    return recorded(leaf, value, units=units, memory=(number, 0), law=law, steps=(step,))
