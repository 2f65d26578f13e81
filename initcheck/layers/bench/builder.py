"""Building a layer: of a class or a function of widths, at a size, from a seed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initcheck.adapters.frameworks.keras_init import is_keras_initializer
from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.arguments import framework_module
from initcheck.adapters.signatures.constructor import constructor
from initcheck.errors import UsageError
from initcheck.layers.bench.feeds import Feed, feeds
from initcheck.layers.bench.sizes import Size
from initcheck.layers.functions.layer_function import LayerFunction, matrices
from initcheck.sandbox.containment import InitializerRaised, contained

__all__ = ["Builder", "Maker"]

_KEYED = ("linen", "nnx", "equinox")


@dataclass(frozen=True)
class Maker:
    """Calls what makes a layer; of a function, what kind of layer that is shows only in what it makes.

    Attributes:
        target: the layer class, or the function that builds a layer of widths.
        name: the target text.
        args: keyword arguments that never change.
        random: the parameter that takes the seed, and its role (``key``, ``rngs``, ``seed``); None for none.
    """

    target: Callable[..., Any]
    name: str
    args: Mapping[str, Any]
    random: tuple[str, str] | None = None

    @property
    def is_class(self) -> bool:
        """Whether the target is a class, which takes widths by name."""
        return isinstance(self.target, type)

    def make(self, size: Size, seed: int) -> Any:
        """The framework's own object, before Keras and linen have seen an input."""
        fixed = {name: _with_seed(value, seed) for name, value in self.args.items()}
        if self.random is not None:
            fixed[self.random[0]] = _source(self.random[1], seed)
        widths = dict(size.arguments)
        if self.is_class:
            return self.target(**widths, **fixed)
        return self.target(*widths.values(), **fixed)

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
    def is_keyed(self) -> bool:
        """Whether a build is a function of a key of JAX."""
        return self.kind in _KEYED

    @property
    def takes_randomness(self) -> bool:
        """Whether the caller hands over a key; else the layer draws from global generators."""
        return self.is_keyed or self.maker.random is not None

    def build(self, size: Size, seed: int) -> LayerFunction:
        """One fresh layer.

        Raises:
            UsageError: none of the ways of feeding it works, where its framework builds it by feeding it.
        """
        made = self.maker.make(size, seed)
        if self.kind == "torch":
            from initcheck.layers.functions.torch_function import TorchFunction

            return TorchFunction(made)
        if self.kind == "nnx":
            from initcheck.layers.functions.jax_function import nnx_function

            return nnx_function(made, self.maker.defaults())
        if self.kind == "equinox":
            from initcheck.layers.functions.jax_function import equinox_function

            return equinox_function(made)
        return self._fed(made, size, seed, self._known_feed or self._feed_that_builds(size, seed))

    def feed(self, size: Size) -> Feed:
        """How the layer is called, tried at this size and true of all.

        Raises:
            UsageError: no way of calling it works.
        """
        if self._known_feed is None:
            function = self.build(size, 1)
            if self._known_feed is None:
                ranks = [a.ndim for a in matrices(function.parameters()).values()]
                axes = max(ranks, default=2) - 2
                self._known_feed = self._first(size, function.layer, axes, lambda feed: _runs(function, feed, size))
        return self._known_feed

    def _feed_that_builds(self, size: Size, seed: int) -> Feed:
        made = self.maker.make(size, seed)
        axes = len(_kernel_of(made))

        def works(feed: Feed) -> bool:
            return _runs(self._fed(self.maker.make(size, seed), size, seed, feed), feed, size)

        self._known_feed = self._first(size, made, axes, works)
        return self._known_feed

    def _fed(self, made: Any, size: Size, seed: int, feed: Feed) -> LayerFunction:
        shapes = feed.shapes(size, 1)
        if self.kind == "linen":
            from initcheck.layers.functions.jax_function import linen_function

            dtype = np.int32 if feed.form == "lookup" else np.float32
            args = feed.arranged([np.zeros(shape, dtype) for shape in shapes])
            return linen_function(made, framework_module("jax").random.key(seed), args)
        from initcheck.layers.functions.keras_function import keras_function

        if not made.built:
            made.build(*((None, *shape[1:]) for shape in shapes[: 1 if feed.form == "cell" else None]))
        return keras_function(made)

    def _first(self, size: Size, layer: Any, axes: int, works: Callable[[Feed], bool]) -> Feed:
        problem = ""
        for feed in feeds(self.kind, size, layer, axes):
            try:
                with contained():
                    if works(feed):
                        return feed
            except InitializerRaised as error:
                problem = problem or str(error)
        raise UsageError(
            f"{self.name}, built with {size}, could not be fed an input of width {size.inputs} in any way that is"
            f" known (the first one: {problem or 'nothing came out'}). Pass a function of (fan_in, fan_out) that"
            " builds a layer which takes one array (batch, fan_in)."
        )


def _runs(function: LayerFunction, feed: Feed, size: Size) -> bool:
    if feed.form == "lookup":
        return True
    # Three, because a state of two rows could pass for the pair that another cell takes.
    inputs = [np.zeros(shape, np.float32) for shape in feed.shapes(size, 3)]
    return bool(function.run(function.parameters(), feed.arranged(inputs)).size)


def _kernel_of(made: Any) -> Sequence[int]:
    kernel = getattr(made, "kernel_size", ())
    return kernel if isinstance(kernel, (tuple, list)) else ()


def _with_seed(value: Any, seed: int) -> Any:
    """A Keras initializer that was passed in, made anew for this layer: its matrices share it, layers do not."""
    if is_layer(value) is None and is_keras_initializer(value) and not isinstance(value, type):
        config = dict(value.get_config())
        return type(value).from_config({**config, **({"seed": seed} if "seed" in config else {})})
    return value


def _source(role: str, seed: int) -> Any:
    if role == "key":
        return framework_module("jax").random.key(seed)
    if role == "rngs":
        return sys.modules["flax.nnx"].Rngs(seed)
    return seed
