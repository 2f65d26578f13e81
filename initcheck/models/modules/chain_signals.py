"""What passes through the blocks of a module of torch, forward and backward."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

from initcheck.models.batches.batch import Batch
from initcheck.models.modules.blocks import block_trail, second_moment
from initcheck.models.modules.outputs import main_output, weighed
from initcheck.models.signals.chains import Visit, chains, norms_between
from initcheck.models.signals.signal import FEWEST_BLOCKS, ChainSignal


def chain_signals(
    model: torch.nn.Module, batch: Batch, names: Collection[str]
) -> tuple[tuple[ChainSignal, ...], torch.Tensor | None, dict[str, torch.Tensor | None]]:
    """Run a module forward and backward once: its chains, its output, and the gradients by some parameters."""
    with torch.enable_grad(), block_trail(model) as visits:
        output = main_output(batch.run(model))
    if output is None:
        return (), None, {}
    runs = [run for run in chains(visits) if len(run) >= FEWEST_BLOCKS]
    asked = {n: p for n, p in model.named_parameters() if n in names and p.requires_grad}
    made = [v.made for run in runs for v in run if v.made is not None]
    inputs = [t for t in (*made, *asked.values()) if t.requires_grad]
    gradients: dict[int, torch.Tensor | None] = {}
    if inputs and output.requires_grad:
        found = torch.autograd.grad(weighed(output), inputs, allow_unused=True)
        gradients = {id(t): g for t, g in zip(inputs, found, strict=True)}
    signals = tuple(_chain_signal(run, [gradients.get(id(v.made)) for v in run]) for run in runs)
    by_name = {n: gradients.get(id(p)) for n, p in asked.items()}
    visits.clear()
    del runs, made, inputs, gradients
    output = output.detach()
    if any(s.outside("backward") for s in signals):
        signals = _through_the_chain_alone(model, batch, signals)
    return signals, output, by_name


def _chain_signal(run: list[Visit], gradients: Sequence[torch.Tensor | None]) -> ChainSignal:
    pairs = zip(run, gradients, strict=True)
    backward = [second_moment(_let_through(g, visit.made)) for visit, g in pairs if g is not None]
    whole = tuple(backward) if len(backward) == len(run) else ()
    return ChainSignal(
        run[0].container, tuple(v.name for v in run), tuple(v.energy for v in run), whole, norms_between(run)
    )


def _let_through(gradient: torch.Tensor, made: torch.Tensor | None) -> torch.Tensor:
    """The gradient by what a block made, before the ReLU that it may end with, which passes nothing on at its zeros.

    The last block of a chain is sent a gradient everywhere; what those before it get has been through such a ReLU (He
    et al. 2015, equation 13).
    """
    if made is None or gradient.shape != made.shape:
        return gradient
    opened = made.detach() != 0
    return gradient * opened if opened.any() else gradient


def _through_the_chain_alone(
    model: torch.nn.Module, batch: Batch, signals: tuple[ChainSignal, ...]
) -> tuple[ChainSignal, ...]:
    """The gradient that the last block of a chain sends back, without what enters before it by other ways.

    Where every block is also read by a pyramid, a bridge or a head of its own, an earlier block gets the sum of what
    comes from them all, and that sum says nothing of the blocks. The graph is built once more, so that no model whose
    gradient keeps its size holds it twice.
    """
    with torch.enable_grad(), block_trail(model) as visits:
        output = main_output(batch.run(model))
    runs = {tuple(v.name for v in run): run for run in chains(visits)}
    found = []
    for signal in signals:
        run = runs.get(signal.blocks) if signal.outside("backward") else None
        if run is not None and output is not None:
            made = [visit.made for visit in run]
            (last,) = torch.autograd.grad(weighed(output), made[-1], retain_graph=True)
            others = torch.autograd.grad(made[-1], made[:-1], last, retain_graph=True, allow_unused=True)
            alone = _chain_signal(run, [*others, last])
            signal = alone if alone.backward else signal
        found.append(signal)
    visits.clear()
    return tuple(found)
