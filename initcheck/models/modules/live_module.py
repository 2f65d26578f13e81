"""A module of torch as the signal is measured through it, whatever device it is on."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import numpy.typing as npt
import torch

from initcheck.models.batches.arguments import no_forward
from initcheck.models.batches.batch import Batch
from initcheck.models.batches.tried import own_mistake, tried_batches
from initcheck.models.modules.blocks import second_moment
from initcheck.models.modules.chain_signals import chain_signals
from initcheck.models.modules.hooks import hooked, layers_with_parameters
from initcheck.models.modules.outputs import first_tensor, main_output, tensors_in, weighed
from initcheck.models.modules.repeated import repeated_layers
from initcheck.models.modules.residual import residual_writers
from initcheck.models.modules.settled import settled
from initcheck.models.modules.strays import strays
from initcheck.models.signals.live_model import UNABLE, LiveModel, Measured, Note, constants_redrawn
from initcheck.models.signals.signal import HEAD

_NO_FORWARD = torch.nn.Module.forward


class LiveModule(LiveModel):
    """A module in evaluation mode, which is run where it lies.

    >>> live = LiveModule(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()))
    >>> live.layers, dict(live.trained)
    (['0'], {'0.weight': (2, 3), '0.bias': (2,)})
    """

    noun = "tensor"
    read_off = "signature"
    channels_first = True
    knows_parts = True

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    @property
    def values(self) -> Mapping[str, torch.Tensor]:
        """The parameters, as they are now."""
        return {n: p.detach() for n, p in self._parameters()}

    @property
    def trained(self) -> Mapping[str, tuple[int, ...]]:
        """Name of a parameter that asks for a gradient and has entries -> its shape."""
        return {n: tuple(p.shape) for n, p in self._parameters() if p.requires_grad and p.numel()}

    def _parameters(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """Those that have memory: lazy ones have none before the first call."""
        named = self.module.named_parameters()
        return ((n, p) for n, p in named if not torch.nn.parameter.is_lazy(p))

    @property
    def parts(self) -> set[str]:
        """The paths of all modules but lists, which have no forward."""
        return {n for n, m in self.module.named_modules() if getattr(m.forward, "__func__", None) is not _NO_FORWARD}

    @property
    def layers(self) -> Sequence[str]:
        """The modules that hold parameters of their own."""
        return list(layers_with_parameters(self.module))

    def host(self, array: Any) -> npt.NDArray[Any]:
        """A tensor in the host's memory; NumPy knows no bfloat16, and no table of which some rows are kept."""
        found = array.detach().to_dense().cpu() if isinstance(array, torch.Tensor) else torch.as_tensor(array)
        return (found.float() if found.dtype == torch.bfloat16 else found).numpy()

    def batches(self, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
        """What its library, signature and layers say that it takes; then as its errors want it."""
        return tried_batches(self.module, refused)

    def measure(self, batch: Batch, names: Collection[str]) -> Measured:
        """Run the module forward and backward once, its blocks listened to."""
        chains, output, gradients = chain_signals(self.module, batch, names)
        return Measured(chains, None if output is None else self.host(output), gradients)

    def output(self, batch: Batch) -> npt.NDArray[Any] | None:
        """The logits, the last hidden state, else the first tensor of real numbers."""
        torch.manual_seed(0)  # a model may draw in its forward pass; the build's seed is set anew for every build
        with torch.no_grad():
            found = main_output(batch.run(self.module))
        return None if found is None else self.host(found)

    def listen(self, batch: Any, layers: Collection[str], note: Note) -> None:
        """Run the module and tell what these of its modules were given and made."""

        def told(name: str, given: Any, made: Any) -> None:
            before, after = first_tensor(given), first_tensor(made)
            note(name, None if before is None else self.host(before), None if after is None else self.host(after))

        torch.manual_seed(0)
        own = dict(self.module.named_modules())
        with hooked({n: own[n] for n in layers}, told), torch.no_grad():
            batch.run(self.module)

    def gradients(self, batch: Any, names: Collection[str], *, whole: bool = False) -> dict[str, Any]:
        """The gradients, by some parameters, of a weighted sum of what the module puts out."""
        asked = {n: p for n, p in self.module.named_parameters() if n in names}
        with torch.enable_grad():
            made = batch.run(self.module)
            outputs = [t for t in (tensors_in(made) if whole else [main_output(made)]) if t is not None]
            outputs = [t for t in outputs if t.requires_grad]
            if not outputs or not asked:
                return {}
            total = torch.stack([weighed(t).to(outputs[0].dtype) for t in outputs]).sum()
        found = torch.autograd.grad(total, list(asked.values()), allow_unused=True)
        return {n: None if g is None else g.to_dense() for n, g in zip(asked, found, strict=True)}

    @contextmanager
    def changed(self, values: Iterable[tuple[str, Any]], *, back: bool = True) -> Iterator[LiveModule]:
        """The module itself; the values it had are put back."""
        own = dict(self.module.named_parameters())
        kept: dict[torch.Tensor, torch.Tensor] = {}
        try:
            with torch.no_grad():
                for name, value in values:
                    if back:
                        kept[own[name]] = own[name].clone()
                    own[name].copy_(torch.as_tensor(value))
            yield self
        finally:
            with torch.no_grad():
                for parameter, before in kept.items():
                    parameter.copy_(before)

    def classes(self, dimensions: int) -> set[int]:
        """Of its heads and tables; an image may be as wide as a codebook, and a vector's entries are no classes."""
        if dimensions < 2:
            return set()
        tables = (m for m in self.module.modules() if isinstance(m, torch.nn.Embedding) and dimensions < 4)
        linear = ((n, m) for n, m in self.module.named_modules() if isinstance(m, torch.nn.Linear))
        return {m.num_embeddings for m in tables} | {m.out_features for n, m in linear if HEAD.search(n)}

    def units(self, layer: str, made: tuple[int, ...]) -> int:
        """Its channels, or the rows of its matrices, of which a table and an LSTM have more than units."""
        module = self.module.get_submodule(layer)
        if isinstance(channels := getattr(module, "out_channels", None), int):
            return channels
        rows = max((p.shape[0] for p in module.parameters(recurse=False) if p.dim() > 1), default=1)
        return min(rows, made[-1] if made else 1)

    def sizes_in_double(self, batch: Any, names: Collection[str]) -> dict[str, float]:
        """Of a copy of the module in double precision."""
        found = LiveModule(copy.deepcopy(self.module).double()).sizes(batch, names)
        return {n: size or 0.0 for n, size in found.items()}

    def largest(self, array: torch.Tensor) -> float:
        """The size of its largest entry, found where the tensor lies."""
        size = float(array.abs().max()) if array.numel() else 0.0
        return math.inf if math.isnan(size) else size

    def second_moment(self, array: torch.Tensor) -> float:
        """The mean square of its entries, found where the tensor lies."""
        return second_moment(array)

    def settled(self) -> AbstractContextManager[None]:
        """Evaluation mode but for batch norms, no cache, nothing compiled."""
        return settled(self.module)

    def no_forward(self) -> str | None:
        """Why it cannot be called."""
        return no_forward(self.module)

    def own_mistake(self, refused: Iterable[tuple[Batch, Exception]]) -> str | None:
        """A name that its code does not have, which no batch mends."""
        return own_mistake(self.module, refused)

    @contextmanager
    def in_training(self) -> Iterator[None]:
        """While it lasts, the module trains: a learnt noise, or a second head, may run then alone.

        What it writes into itself meanwhile is put back: statistics, weights that it normalises, a codebook that it
        replaces by an average.
        """
        module = self.module
        was = {part: part.training for part in module.modules()}
        tables = [(t, dict(t)) for m in was for t in (vars(m), m._parameters, m._buffers) if isinstance(t, dict)]
        kept = [(tensor, tensor.detach().clone()) for tensor in (*module.parameters(), *module.buffers())]
        module.train()
        try:
            yield
        finally:
            for table, before in tables:
                table.update(before)
            for part, training in was.items():
                part.training = training
            with torch.no_grad():
                for tensor, value in kept:
                    tensor.copy_(value)

    def outside(self, batch: Any) -> tuple[str, ...]:
        """Tensors that ask for a gradient, have a part in what is returned, and are no parameter."""
        return strays(self.module, batch)

    def writers(self, batch: Batch, runs: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Blocks of a run -> the layers of its middle block whose output is added to the residual stream."""
        return residual_writers(self.module, batch, runs)

    def repeated(self, batch: Batch) -> tuple[tuple[str, ...], ...]:
        """Layers that stand several times in one list, where each is given one input twice, its zeros drawn too."""
        found = repeated_layers(self.module, batch)
        if found:
            # A block that starts as the identity hands on what it is given; with its zeros drawn it does not. What
            # such a model cannot be run on says nothing.
            with suppress(*UNABLE), constants_redrawn(self):
                again = set(repeated_layers(self.module, batch))
                found = tuple(names for names in found if names in again)
        return found
