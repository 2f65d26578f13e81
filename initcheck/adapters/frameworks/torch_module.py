"""``init(module)``, the form that ``model.apply`` takes: a layer of NaN is initialized, its weight read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from initcheck.adapters.frameworks.sampler import CallableSampler
from initcheck.adapters.signatures.arguments import Unfit, framework_module, torch_dtype
from initcheck.adapters.signatures.nested_code import nested_code
from initcheck.contract.initializer import Shape
from initcheck.sandbox.containment import InitializerRaised, contained

_OF_LINEAR = re.compile(r"(?<![a-z])(linears?|dense|fc)(?![a-z])")


@dataclass
class ModuleSampler(CallableSampler):
    """Calls the function on ``nn.Linear`` or ``nn.Conv1d/2d/3d`` of the shape asked for; layout out_in.

    Attributes:
        wrapped: the layer is handed over inside ``nn.Sequential``, for code that walks ``model.modules()``.
        embedding: an ``nn.Embedding`` is handed over in place of a layer.
    """

    wrapped: bool = False
    embedding: bool = False

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """A layer is built per call: the function may keep or replace its parameters."""
        return self._on_layers(shape, dtype, lambda layer: None)

    def breaks_off(self, shape: Shape) -> bool:
        """Whether it raises with the weight of the layer written: it takes such layers, and is broken.

        What takes none, but an embedding, misses an attribute, asserts what it takes, or writes nothing.
        """
        layers: list[Any] = []
        call = self._on_layers(shape, "float32", layers.append)
        try:
            with contained():
                call(self.source(0))
        except InitializerRaised as error:
            missing = isinstance(error.original, (AttributeError, AssertionError))
            return not missing and bool(layers) and not bool(layers[0].weight.isnan().any())
        return False

    def _on_layers(self, shape: Shape, dtype: str, built: Callable[[Any], None]) -> Callable[[Any], Any]:
        torch = framework_module("torch")
        build = (_table if self.embedding else _builder)(torch, shape, torch_dtype(dtype))
        place = next(i for i, slot in enumerate(self.slots) if slot.role == "module")
        others = CallableSampler(
            function=lambda *args, **kwargs: (args, kwargs),
            slots=tuple(s for s in self.slots if s.role != "module"),
            fixed=self.fixed,
            framework="torch",
        ).prepare(shape, dtype)

        def call(source: Any) -> Any:
            layer = build()
            built(layer)
            args, kwargs = others(source)
            handed = torch.nn.Sequential(layer) if self.wrapped else layer
            self.function(*args[:place], handed, *args[place:], **kwargs)
            return layer.weight.detach()

        return call


def _table(torch: Any, shape: Shape, dtype: Any) -> Callable[[], Any]:
    if len(shape) != 2:
        raise Unfit(f"shape {shape}: the weight of nn.Embedding has two axes.")
    return lambda: torch.nn.Embedding(*shape, _weight=torch.full(shape, float("nan"), dtype=dtype))


def _builder(torch: Any, shape: Shape, dtype: Any) -> Callable[[], Any]:
    if not 2 <= len(shape) <= 5:
        raise Unfit(f"shape {shape}: no layer of torch.nn has a weight of {len(shape)} axes.")
    out, inputs, *kernel = shape
    if not kernel:
        template = torch.nn.Linear(inputs, out, device="meta", dtype=dtype)
    else:
        template = getattr(torch.nn, f"Conv{len(kernel)}d")(inputs, out, tuple(kernel), device="meta", dtype=dtype)
    parameter, full, nan = torch.nn.Parameter, torch.full, float("nan")

    def build() -> Any:
        # What `type(template)(...)` makes, without its own initialization, at a tenth of the time.
        layer = object.__new__(type(template))
        layer.__dict__.update({k: v.copy() if isinstance(v, dict) else v for k, v in vars(template).items()})
        layer._parameters = {
            "weight": parameter(full(shape, nan, dtype=dtype)),
            "bias": parameter(full((out,), nan, dtype=dtype)),
        }
        return layer

    return build


def is_for_linear(*names: str) -> bool:
    """Whether the names of a function and of what it takes speak of nn.Linear, and of no convolution.

    >>> is_for_linear("init_linear", "m"), is_for_linear("init", "linear"), is_for_linear("init_conv_linear", "m")
    (True, True, False)
    """
    text = " ".join(names).lower()
    return bool(_OF_LINEAR.search(text)) and "conv" not in text


def asks_for_convolutions(function: Any) -> bool:
    """Whether the code of a function names convolutions, as what tells layers by their kind does.

    Or a table by kind does that its code names, or a ``functools.singledispatch`` is.

    >>> def by_kind(m): return 1 if "Conv" in type(m).__name__ else 2
    >>> asks_for_convolutions(by_kind), asks_for_convolutions(lambda conv: conv.weight)
    (True, False)
    """
    plain = inspect.unwrap(function)
    code, names = getattr(plain, "__code__", None), getattr(plain, "__globals__", {})
    if not isinstance(code, CodeType):
        return False
    tables = [getattr(function, "registry", None), *(names.get(word) for word in _words_in(code))]
    kinds = [
        kind.__name__ for table in tables if isinstance(table, Mapping) for kind in table if isinstance(kind, type)
    ]
    return any("conv" in word.lower() for word in (*_words_in(code), *kinds))


def _words_in(code: CodeType) -> Iterator[str]:
    for inner in nested_code(code):
        yield from inner.co_names
        for constant in inner.co_consts:
            words = constant if isinstance(constant, tuple) else (constant,)
            yield from (word for word in words if isinstance(word, str))
