"""Keras initializers: a fresh instance per seed, made from the configuration of the one that was passed."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initcheck.adapters.frameworks import known_laws
from initcheck.adapters.frameworks.cheaply_compiled import own_calls_compiled_cheaply
from initcheck.adapters.frameworks.compiled import Compiled
from initcheck.adapters.frameworks.keras_seeds import rows_of, traced_seeds
from initcheck.adapters.frameworks.sampler import SamplerBase
from initcheck.adapters.signatures.frameworks import compiles, is_instance_of
from initcheck.adapters.signatures.readings import needs
from initcheck.adapters.signatures.signature import slots_of
from initcheck.contract.contract import Contract
from initcheck.contract.initializer import Initializer, Shape
from initcheck.errors import UsageError, refuse_unknown
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

_MODULE = "keras.src.initializers.initializer"


def is_keras_initializer(obj: Any) -> bool:
    """Whether it is a Keras initializer class or an instance of one."""
    return is_instance_of(obj, _MODULE, "Initializer")


def keras_initializer(
    obj: Any, name: str, args: Mapping[str, Any], parameter: str | None, *, keeps: bool = False
) -> Initializer | None:
    """Make an initializer of a Keras initializer class or instance.

    None where its configuration holds no seed, and it no initializer whose seed is drawn as it is built: then it is
    called as any other object is.

    Args:
        obj: the class or instance.
        name: the target text.
        args: of its constructor.
        parameter: which of several returned arrays is meant.
        keeps: whether a call of it may leave something behind for the next one.

    Raises:
        UsageError: the class needs an argument, or cannot be built.
    """
    instance = _built(obj, name, args) if isinstance(obj, type) else obj
    config = dict(instance.get_config())
    constant = is_instance_of(instance, "keras.src.initializers.constant_initializers", "Constant")
    library = type(instance).__module__.startswith("keras.src.")
    if "seed" not in config and not library and not any(map(is_keras_initializer, vars(instance).values())):
        return None
    seeded = "seed" in config and not (isinstance(obj, type) and not library and _seed_is_chosen(obj, args))
    sampler = KerasSampler(
        make=_maker(instance, config),
        config=config,
        takes_randomness=seeded,
        parameter=parameter,
        compiled=Compiled(keeps=keeps),
    )
    return Initializer(
        name=name,
        sampler=sampler,
        contract=known_contract(instance),
        framework="keras",
        signature="(shape, dtype)" + (f" of {type(instance).__name__}(seed=seed)" if seeded else ""),
        ranks=_ranks(instance) if library and not constant else (),
        takes_randomness=seeded,
        takes_dtype=True,
        function=instance,
    )


def _seed_is_chosen(cls: type, args: Mapping[str, Any]) -> bool:
    """Whether the author of a class chose a number for the seed: then every layer of its default starts alike."""
    default = inspect.signature(cls).parameters.get("seed")
    return "seed" not in args and default is not None and type(default.default) is int


@dataclass
class KerasSampler(SamplerBase):
    """Keras initializers repeat themselves when called again, by design: every draw has its own instance.

    Attributes:
        make: builds an instance of a configuration.
        config: the configuration, whose seed is replaced.
        compiled: the compiled functions, where Keras runs on JAX.
    """

    make: Callable[[dict[str, Any]], Any] = field(kw_only=True)
    config: Mapping[str, Any] = field(kw_only=True)
    compiled: Compiled = field(default_factory=Compiled)

    @property
    def shares_source(self) -> bool:
        """Never: one instance gives one result."""
        return False

    def source(self, seed: int) -> Any:
        """A fresh instance; without a seed in its configuration it holds nothing random."""
        seeded = {"seed": seed} if self.takes_randomness else {}
        return self.make({**self.config, **seeded})

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """Call the instance."""
        return lambda instance: instance(shape, dtype=dtype)

    def _drawn(self, asked: Sequence[tuple[Shape, Sequence[int]]], dtype: str, *, anew: bool) -> list[list[Any]]:
        """Calls of the user's own."""
        with own_calls_compiled_cheaply("keras"):
            return super()._drawn(asked, dtype, anew=anew)

    def weights(self, shape: Shape, seeds: Sequence[int], dtype: str) -> list[Any]:
        """The weights of one call per seed; on JAX through one compiled function a shape."""
        shape = tuple(shape)
        if not compiles("keras") or not self.takes_randomness or self.parameter is not None:
            return super().weights(shape, seeds, dtype)

        drawn = self.compiled.drawn(shape, dtype, seeds, self._of_seed, self.calls, sources=lambda s: rows_of(s, 0))
        return super().weights(shape, seeds, dtype) if drawn is None else drawn

    def _of_seed(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        def call(row: Any) -> Any:
            with traced_seeds(row) as seed:
                return self.source(seed)(shape, dtype=dtype)

        return call


def _maker(instance: Any, config: Mapping[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """How an instance is built of a configuration, which may hold that of a base class beside its own.

    One whose configuration does not build it is copied, with the initializers that it holds built anew.
    """
    cls = type(instance)
    make: Callable[[dict[str, Any]], Any] = cls.from_config
    try:
        with contained(), isolated(0):
            make(dict(config))
    except InitializerRaised:
        slots = slots_of(cls)
        if any(slot.required and slot.name not in config for slot in slots):
            return lambda whole: _copied(instance, whole)
        own = {slot.name for slot in slots}
        return lambda whole: cls(**{key: value for key, value in whole.items() if key in own})
    return make


def _copied(instance: Any, config: Mapping[str, Any]) -> Any:
    made = copy.copy(instance)
    for name, held in vars(instance).items():
        if is_keras_initializer(held):
            setattr(made, name, type(held).from_config(held.get_config()))
        elif name == "seed" and "seed" in config:
            made.seed = config["seed"]
    return made


def known_contract(instance: Any) -> Contract:
    """What a Keras initializer promises, read off the instance."""
    found = _law(instance)
    said = {**(found.said() if found is not None else {}), "layout": "in_out"}
    return known_laws.known(said, found.notes if found is not None else ())


def _law(instance: Any) -> Contract | None:
    names = {cls.__name__ for cls in type(instance).__mro__ if cls.__module__.startswith("keras.src.")}
    own = type(instance).__module__.startswith("keras.src.")
    if not own and "__call__" in vars(type(instance)):
        return None  # a subclass of the user's that draws by itself
    if "VarianceScaling" in names:
        return known_laws.variance_scaling(float(instance.scale), instance.mode, instance.distribution)
    if "RandomNormal" in names:
        return known_laws.fixed_std(float(instance.stddev), "normal")
    if "TruncatedNormal" in names:
        return known_laws.truncated(float(instance.stddev), -2.0, 2.0)
    if "RandomUniform" in names:
        return known_laws.fixed_std((float(instance.maxval) - float(instance.minval)) / 12**0.5, "uniform")
    if "Orthogonal" in names:
        return known_laws.orthogonal(float(instance.gain))
    if "Identity" in names:
        return known_laws.constant("identity")
    return known_laws.constant("constant") if names & {"Zeros", "Ones", "Constant", "STFT"} else None


def _ranks(instance: Any) -> tuple[int, ...]:
    name = type(instance).__name__
    return {"Identity": (2,), "STFT": (3,), "Orthogonal": (2, 3, 4, 5)}.get(name, (1, 2, 3, 4, 5))


def _built(cls: type, name: str, args: Mapping[str, Any]) -> Any:
    if inspect.isabstract(cls) or cls.__module__ == _MODULE:
        raise UsageError(f"{name} is the base class of initializers and draws nothing; name one of its kind.")
    slots = slots_of(cls)
    refuse_unknown(args, [s.name for s in slots], f"{name} has no parameter")
    missing = [s for s in slots if s.required and s.name not in args]
    if missing:
        raise needs(name, missing)
    try:
        with contained(), isolated(0):
            return cls(**args)
    except InitializerRaised as error:
        raise UsageError(f"{name} cannot be built: it raises {error}.") from error
