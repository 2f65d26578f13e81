"""Building a layer: of a class or a function of widths, at a size, from a seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.adapters.frameworks.compiled import as_if_called
from initcheck.adapters.frameworks.keras_init import is_keras_initializer
from initcheck.adapters.frameworks.keras_seeds import rows_of, traced_seeds
from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.arguments import framework_module, random_value
from initcheck.adapters.signatures.constructor import constructor
from initcheck.adapters.signatures.frameworks import compiles
from initcheck.errors import UsageError
from initcheck.layers.bench.feeds import Feed, feeds
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.jax_function import JaxFunction, equinox_function, linen_function, nnx_function
from initcheck.layers.functions.keras_function import keras_function, variables_of
from initcheck.layers.functions.layer_function import LayerFunction, matrices
from initcheck.layers.functions.torch_function import TorchFunction, operations
from initcheck.sandbox.containment import InitializerRaised, contained

Array = npt.NDArray[Any]

_KEYED = ("linen", "nnx", "equinox")
_TRACED = ("linen", "equinox")
# Seeds that Keras may draw as it builds a layer.
_DRAWN = 63
# Of torch, that a build runs: four make a linear layer, nine an attention, eighty a layer of splines.
_MANY_OPERATIONS = 40
# Because a state of two rows could pass for the pair that another cell takes.
_TRIED_ROWS = 3


@dataclass(frozen=True)
class Maker:
    """Calls what makes a layer; of a function, what kind of layer that is shows only in what it makes.

    Attributes:
        target: the layer class, or the function that builds a layer of widths.
        name: the target text.
        args: keyword arguments that never change.
        random: the parameter that takes the seed, and its role (``key``, ``rngs``, ``seed``); None for none.
        then: initializes in place what was built, or returns another one; None where a layer starts as it is built.
        then_key: the parameter of ``then`` that takes a key of JAX; None for none.
    """

    target: Callable[..., Any]
    name: str
    args: Mapping[str, Any]
    random: tuple[str, str] | None = None
    then: Callable[..., Any] | None = None
    then_key: str | None = None

    @property
    def is_class(self) -> bool:
        """Whether the target is a class, which takes widths by name."""
        return isinstance(self.target, type)

    def make(self, size: Size, seed: int) -> Any:
        """The framework's own object, before Keras and linen have seen an input."""
        fixed = {name: _with_seed(value, seed) for name, value in self.args.items()}
        if self.random is not None:
            parameter, role = self.random
            # A seed that is traced stays as it is.
            fixed[parameter] = seed if role == "seed" else random_value(role)(seed)
        widths = dict(size.arguments)
        if self.is_class:
            made = self.target(**widths, **fixed)
            started = self.then(made, **self.key_of_then(seed)) if self.then is not None else None
            return started if is_layer(started) else made
        return self.target(*widths.values(), **fixed)

    def key_of_then(self, seed: int) -> dict[str, Any]:
        """Another key than that of the layer: what the two draw must not be alike."""
        if self.then_key is None:
            return {}
        return {self.then_key: framework_module("jax").random.fold_in(random_value("key")(seed), 1)}

    def defaults(self) -> dict[str, Any]:
        """The constructor's arguments and defaults, by name; empty for a function, whose choices are its own."""
        if not isinstance(self.target, type):
            return {}
        return {**{name: parameter.default for name, parameter in constructor(self.target).items()}, **self.args}


@dataclass
class Builder:
    """Makes fresh layers of one target. The caller isolates: global generators are seeded around a build.

    Attributes:
        maker: makes the framework's own object.
        kind: ``torch``, ``keras``, ``linen``, ``nnx`` or ``equinox``.
    """

    maker: Maker
    kind: str
    _known_feed: Feed | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The target text."""
        return self.maker.name

    @property
    def is_traced(self) -> bool:
        """Whether a build is a function of a key of JAX, or of seeds that Keras hands to it, which may be traced."""
        return self.kind in _TRACED or (self.kind == "keras" and compiles("keras"))

    @property
    def takes_randomness(self) -> bool:
        """Whether the caller hands over a key; else the layer draws from global generators."""
        return self.kind in _KEYED or self.maker.random is not None

    def build(self, size: Size, seed: int) -> LayerFunction:
        """One fresh layer.

        Raises:
            UsageError: none of the ways of feeding it works, where its framework builds it by feeding it.
        """
        if self.kind == "torch":
            return TorchFunction(self.maker.make(size, seed))
        with own_calls_compiled_cheaply("keras" if self.kind == "keras" else "jax"):
            if self.is_traced:
                return self.joined(*self.parts(size, seed))
            made = self.maker.make(size, seed)
            if self.kind == "nnx":
                return nnx_function(made, self.maker.defaults())
            return keras_function(self._fed(made, self._known_feed or self._feed_that_builds(size, seed), size))

    def redraw(self, size: Size) -> Callable[[int], dict[int, Array]] | None:
        """Draws the weights of one layer, then draws them into it again, by what constructors of torch end with.

        Half of what a build costs. None where that is not torch's own, or where it would write into what the user hands
        over; whether it gives what builds do shows in calls.
        """
        cls, maker = self.maker.target, self.maker
        own = maker.random is None and maker.then is None and all(map(_is_plain, maker.args.values()))
        steps = [cls, *(getattr(cls, name, None) for name in ("__init__", "reset_parameters"))]
        if not own or not all(str(getattr(step, "__module__", "")).startswith("torch.nn.") for step in steps):
            return None
        if any(hasattr(step, "__wrapped__") for step in steps):
            return None  # a user's function around torch's, under its name
        layers: list[Any] = []
        views: list[Array] = []

        def again(seed: int) -> dict[int, Array]:
            if layers:
                layers[0].reset_parameters()
            else:
                layers.append(self.maker.make(size, seed))
                views.extend(matrices(TorchFunction(layers[0]).parameters()).values())
            return {place: view.copy() for place, view in enumerate(views)}

        return again

    def is_dear(self, size: Size) -> bool:
        """Whether a build runs ten times the operations of an ordinary layer, as one that solves least squares does."""
        return self.kind == "torch" and operations(lambda: self.maker.make(size, 1)) > _MANY_OPERATIONS

    def parts(self, size: Size, seed: Any) -> tuple[Any, Any]:
        """A fresh layer as arrays, which may be traced, and as what is the same for every seed.

        Raises:
            UsageError: as ``build``.
        """
        made = self.maker.make(size, seed)
        if self.kind == "keras":
            fed = self._fed(made, self._known_feed or self._feed_that_builds(size, seed), size)
            return variables_of(fed), fed
        if self.kind == "linen":
            return self._variables(made, size, seed, self._known_feed or self._feed_that_builds(size, 1)), made
        eqx = framework_module("equinox")
        arrays, rest = eqx.partition(made, eqx.is_array)
        return arrays, rest

    def sources(self, seeds: Sequence[int]) -> Array:
        """What stands for so many seeds in a trace, one a row."""
        return rows_of(seeds, _DRAWN) if self.kind == "keras" else np.asarray(seeds, np.uint32)

    def traced(self, size: Size) -> Callable[[Any], tuple[Any, Any]]:
        """``parts`` of what stands for a seed in a trace.

        Raises:
            TypeError: what is built is kept, and would be traced in the user's own builds as well.
        """
        if self.kind != "keras":
            return lambda seed: self.parts(size, seed)
        inner = [{id(one): one for one in self.maker.make(size, 0)._flatten_layers()} for _ in "ab"]
        if any(not one.built for place, one in inner[0].items() if place in inner[1]):
            raise TypeError(f"{self.name} gives one layer twice.")
        if self._known_feed is None:
            # As every other build: what is compiled otherwise draws other last bits than a fresh process does.
            with own_calls_compiled_cheaply("keras"):
                self._feed_that_builds(size, 0)

        def parts(row: Any) -> tuple[Any, Any]:
            with traced_seeds(row) as seed:
                return self.parts(size, seed)

        return parts

    def is_whole(self, function: JaxFunction, size: Size) -> bool:
        """Whether a layer that was built in a trace is run by its parts, with nothing that it kept of that trace."""
        if self.kind != "keras" or self._known_feed is None:
            return True
        feed, dtype = self._known_feed, np.int32 if self._known_feed.form == "lookup" else np.float32
        return function.is_whole(feed.arranged([np.zeros(s, dtype) for s in feed.shapes(size, _TRIED_ROWS)]))

    def joined(self, arrays: Any, rest: Any) -> JaxFunction:
        """The layer of these parts."""
        if self.kind == "keras":
            return keras_function(rest, *arrays)
        if self.kind == "linen":
            return linen_function(rest, arrays)
        return equinox_function(framework_module("equinox").combine(arrays, rest))

    def feed(self, size: Size, function: LayerFunction | None = None) -> Feed:
        """How the layer is called, tried at this size and true of all.

        Args:
            size: at which it is tried.
            function: a layer of that size; built where there is none.

        Raises:
            UsageError: no way of calling it works.
        """
        if self._known_feed is None:
            found = function or self.build(size, 1)
            if self._known_feed is None:
                ranks = [a.ndim for a in matrices(found.parameters()).values()]
                axes = max(ranks, default=2) - 2
                self._known_feed = self._first(size, found.layer, axes, lambda *how: _runs(found, size, *how))
        return self._known_feed

    def _feed_that_builds(self, size: Size, seed: int) -> Feed:
        made = self.maker.make(size, seed)
        axes = len(_kernel_of(made))

        def works(feed: Feed, by_rows: bool) -> bool:
            fresh = self.maker.make(size, seed)
            if self.kind == "keras":
                return _runs(keras_function(self._fed(fresh, feed, size)), size, feed, by_rows)
            return self._traced_with(fresh, feed, size, seed) or _runs(
                self.joined(self._variables(fresh, size, seed, feed), fresh), size, feed, by_rows
            )

        self._known_feed = self._first(size, made, axes, works)
        return self._known_feed

    def _traced_with(self, made: Any, feed: Feed, size: Size, seed: int) -> bool:
        """Whether a traced layer of linen runs that way: nothing is compiled to find out."""

        def numbers(key_seed: Any) -> Any:
            function = linen_function(made, self._variables(made, size, key_seed, feed))
            inputs = [np.zeros(shape, np.float32) for shape in feed.shapes(size, _TRIED_ROWS)]
            return np.zeros(0 if feed.form == "lookup" else function.outline(feed.arranged(inputs)))

        try:
            return feed.form == "lookup" or bool(
                framework_module("jax").eval_shape(as_if_called(numbers), np.uint32(seed)).size
            )
        except Exception:  # tried once more with numbers, where its errors are its own
            return False

    def _variables(self, made: Any, size: Size, seed: Any, feed: Feed) -> Any:
        dtype = np.int32 if feed.form == "lookup" else np.float32
        args = feed.arranged([np.zeros(shape, dtype) for shape in feed.shapes(size, 1)])
        return made.init(framework_module("jax").random.key(seed), *args)

    def _fed(self, made: Any, feed: Feed, size: Size) -> Any:
        shapes = feed.shapes(size, 1)
        if not made.built and feed.beside:
            [listed] = feed.arranged([np.zeros(shape, np.float32) for shape in shapes])
            made.build([(None, *one.shape[1:]) for one in listed])
        if not made.built:
            made.build(*((None, *shape[1:]) for shape in shapes[: 1 if feed.form == "cell" else None]))
        return made

    def _first(self, size: Size, layer: Any, axes: int, works: Callable[[Feed, bool], bool]) -> Feed:
        problem = ""
        # What flattens its input takes any number of axes, and makes rows of its own of them: by rows it is fed first.
        for by_rows, feed in itertools.product((True, False), feeds(self.kind, size, layer, axes)):
            try:
                with contained():
                    if works(feed, by_rows):
                        return feed
            except InitializerRaised as error:
                problem = problem or str(error)
        raise UsageError(
            f"{self.name}, built with {size}, could not be fed an input of width {size.inputs} in any way that is"
            f" known (the first one: {problem or 'nothing came out'}). Pass a function of (fan_in, fan_out) that"
            " builds a layer which takes one array (batch, fan_in)."
        )


def _runs(function: LayerFunction, size: Size, feed: Feed, by_rows: bool) -> bool:
    """Whether something comes out; ``by_rows`` so much for each row of what goes in."""
    if feed.form == "lookup":
        return True
    inputs = [np.zeros(shape, np.float32) for shape in feed.shapes(size, _TRIED_ROWS)]
    out = function.run(function.parameters(), feed.arranged(inputs))
    return bool(out.size) and (not by_rows or _TRIED_ROWS in out.shape)


def _kernel_of(made: Any) -> Sequence[int]:
    kernel = getattr(made, "kernel_size", ())
    return kernel if isinstance(kernel, (tuple, list)) else ()


def _is_plain(value: Any) -> bool:
    """Whether nothing can be written into it."""
    return all(map(_is_plain, value)) if type(value) is tuple else isinstance(value, (int, float, str, type(None)))


def _with_seed(value: Any, seed: int) -> Any:
    """A Keras initializer that was passed in, made anew for this layer: its matrices share it, layers do not."""
    if is_layer(value) is None and is_keras_initializer(value) and not isinstance(value, type):
        config = dict(value.get_config())
        return type(value).from_config({**config, **({"seed": seed} if "seed" in config else {})})
    return value
