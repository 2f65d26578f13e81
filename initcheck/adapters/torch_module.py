"""``init(module)``, the form that ``model.apply`` takes: a fresh layer full of NaN, initialized, its weight read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from initcheck.adapters.arguments import Unfit, framework_module, torch_dtype
from initcheck.adapters.numpy_callable import CallableSampler
from initcheck.initializer import Shape

__all__ = ["ModuleSampler"]


@dataclass
class ModuleSampler(CallableSampler):
    """Calls the function on ``nn.Linear`` or ``nn.Conv1d/2d/3d`` of the shape asked for; layout out_in.

    Attributes:
        wrapped: the layer is handed over inside ``nn.Sequential``, for code that walks ``model.modules()``.
    """

    wrapped: bool = False

    def prepare(self, shape: Shape, dtype: str) -> Callable[[Any], Any]:
        """A layer is built per call: the function may keep or replace its parameters."""
        torch = framework_module("torch")
        build = _builder(torch, shape, torch_dtype(dtype))
        place = next(i for i, slot in enumerate(self.slots) if slot.role == "module")
        others = CallableSampler(
            function=lambda *args, **kwargs: (args, kwargs),
            slots=tuple(s for s in self.slots if s.role != "module"),
            fixed=self.fixed,
            framework="torch",
        ).prepare(shape, dtype)

        def call(source: Any) -> Any:
            layer = build()
            args, kwargs = others(source)
            handed = torch.nn.Sequential(layer) if self.wrapped else layer
            self.function(*args[:place], handed, *args[place:], **kwargs)
            return layer.weight.detach()

        return call


def _builder(torch: Any, shape: Shape, dtype: Any) -> Callable[[], Any]:
    if not 2 <= len(shape) <= 5:
        raise Unfit(f"shape {shape}: no layer of torch.nn has a weight of {len(shape)} axes.")
    nan = float("nan")
    out, inputs, *kernel = shape
    # `skip_init` would draw nothing, yet code that looks at the type of the layer must find the usual one.
    if not kernel:

        def build() -> Any:
            return torch.nn.Linear(inputs, out, device="meta", dtype=dtype)
    else:
        kind = getattr(torch.nn, f"Conv{len(kernel)}d")

        def build() -> Any:
            return kind(inputs, out, tuple(kernel), device="meta", dtype=dtype)

    def made() -> Any:
        layer = build().to_empty(device="cpu")
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.fill_(nan)
        return layer

    return made
