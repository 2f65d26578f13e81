"""The signal through one living model: second moments by block, forward and backward, and its first loss."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.models.builds.batches import Batch, candidates
from initcheck.models.builds.blocks import BlockTrail, Visit, chains, first_tensor

__all__ = ["ChainSignal", "Listener", "Signal"]

FEWEST_BLOCKS = 4
"""A chain shorter than this has no second half over which anything could grow."""

_STEPS = 2
_HEAD = re.compile(r"^(head|heads|classifier|lm_head|logits|fc|unembed|cls|score|output_projection)$")


@dataclass(frozen=True)
class ChainSignal:
    """One run of blocks of one shape.

    Attributes:
        name: container of the blocks.
        blocks: their paths.
        forward: second moment of what each block makes.
        backward: second moment of the gradient that reaches what each block makes; empty where there is none.
    """

    name: str
    blocks: tuple[str, ...]
    forward: tuple[float, ...]
    backward: tuple[float, ...]

    def growth(self, direction: str) -> float | None:
        """Last block over the block in the middle (forward), or the middle over the last (backward).

        None where the signal is zero from the middle on (nothing passes at all there, which says nothing of growth).
        """
        values = self.forward if direction == "forward" else self.backward
        if len(values) < FEWEST_BLOCKS:
            return None
        middle, last = values[len(values) // 2 - 1], values[-1]
        above, below = (last, middle) if direction == "forward" else (middle, last)
        if above == 0.0 and below == 0.0:
            return None
        return above / below if below else float("inf")


@dataclass(frozen=True)
class Signal:
    """What one model does with one batch.

    Attributes:
        batch: the batch in words; problem: why there is none, or no signal.
        chains: runs of at least four blocks.
        loss, classes: cross-entropy with random targets at a recognised head, and its number of classes.
        gradients: of the constant matrices that were asked for: ``zero``, ``rows``, ``columns``, ``differ``.
    """

    batch: str = ""
    problem: str | None = None
    chains: tuple[ChainSignal, ...] = ()
    loss: float | None = None
    classes: int | None = None
    gradients: dict[str, str] = field(default_factory=dict)

    def growth(self, blocks: tuple[str, ...], direction: str) -> float | None:
        """The growth through the chain of these blocks; None where this model has no such chain."""
        return next((c.growth(direction) for c in self.chains if c.blocks == blocks), None)


class Listener:
    """Listens to models of one factory with one batch; the first model decides which batch that is.

    >>> listener = Listener(None)
    >>> net = torch.nn.Sequential(*[torch.nn.Linear(8, 8) for _ in range(6)])
    >>> signal = listener.hear(net)
    >>> signal.batch, len(signal.chains[0].forward)
    ('8x8', 6)
    """

    def __init__(self, make: Callable[[], Batch] | None) -> None:
        self._make = make
        self._batch: Batch | None = None

    def hear(self, model: torch.nn.Module, constants: Iterable[str] = ()) -> Signal:
        """Run the model forward and backward once; with constants in doubt, up to two small steps more."""
        _settle(model)
        tried: list[Batch] = [self._batch] if self._batch is not None else []
        if not tried:
            tried = [self._make()] if self._make is not None else list(candidates(model))
        problem = "no batch can be made from the model's signature; give one, such as --batch=int<100:2x16"
        for batch in tried:
            try:
                found = self._through(model, batch, list(constants))
            except Exception as error:
                problem = f"the batch {batch.text} does not go through: {type(error).__name__}: {str(error)[:160]}"
                continue
            self._batch = batch
            return found
        return Signal(problem=problem)

    def _through(self, model: torch.nn.Module, batch: Batch, constants: list[str]) -> Signal:
        with torch.enable_grad(), BlockTrail(model) as trail:
            output = _main(batch.run(model))
        if output is None:
            return Signal(batch=batch.text, problem="the model returns no tensor of real numbers")
        runs = [run for run in chains(trail.visits) if len(run) >= FEWEST_BLOCKS]
        loss, classes = _first_loss(model, output)
        wanted = [v.made for run in runs for v in run if v.made is not None]
        weights = {n: p for n, p in model.named_parameters() if n in set(constants) and p.requires_grad}
        inputs = [t for t in (*wanted, *weights.values()) if t.requires_grad]
        gradients: dict[int, torch.Tensor | None] = {}
        if inputs and output.requires_grad:
            cotangent = _cotangent(output)
            found = torch.autograd.grad(output, inputs, cotangent, allow_unused=True)
            gradients = {id(t): g for t, g in zip(inputs, found, strict=True)}
        signals = tuple(_chain_signal(run, gradients) for run in runs)
        trail.visits.clear()
        judged = {n: gradient_kind(gradients.get(id(p)), p) for n, p in weights.items()}
        if any(kind != "differ" for kind in judged.values()):
            judged = _after_steps(model, batch, judged)
        return Signal(batch.text, None, signals, loss, classes, judged)


def gradient_kind(gradient: torch.Tensor | None, weight: torch.Tensor) -> str:
    """Whether a gradient tells the units of a constant matrix apart: ``zero``, ``rows``, ``columns``, ``differ``."""
    if gradient is None or not bool((gradient != 0).any()):
        return "zero"
    sizes = [n for n in weight.shape if n > 1]
    matrix = gradient.reshape(sizes[0], -1).double()
    scale = float(matrix.abs().max())
    # Equal units may be summed in another order: rounding is no difference.
    if float((matrix - matrix[:1]).abs().max()) <= 1e-5 * scale:
        return "rows"
    if float((matrix - matrix[:, :1]).abs().max()) <= 1e-5 * scale:
        return "columns"
    return "differ"


def _after_steps(model: torch.nn.Module, batch: Batch, judged: dict[str, str]) -> dict[str, str]:
    """Take small steps: behind a zero layer a gradient is zero at first and comes with the next step.

    A layer that is dead, or whose units are tied, stays so for ever.
    """
    for _ in range(_STEPS):
        output = _main(batch.run(model))
        if output is None or not output.requires_grad:
            return judged
        parameters = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(output, parameters, _cotangent(output), allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    size = float(torch.linalg.vector_norm(gradient)) / max(gradient.numel(), 1) ** 0.5
                    if size > 0:
                        parameter.sub_(gradient, alpha=0.01 / size)
        del gradients
    weights = {n: p for n, p in model.named_parameters() if judged.get(n, "differ") != "differ"}
    output = _main(batch.run(model))
    assert output is not None
    found = torch.autograd.grad(output, list(weights.values()), _cotangent(output), allow_unused=True)
    later = {n: gradient_kind(g, p) for (n, p), g in zip(weights.items(), found, strict=True)}
    return {n: "later" if later.get(n) == "differ" else kind for n, kind in judged.items()}


def _chain_signal(run: list[Visit], gradients: dict[int, torch.Tensor | None]) -> ChainSignal:
    backward = []
    for visit in run:
        gradient = gradients.get(id(visit.made))
        if gradient is not None:
            backward.append(float(gradient.double().square().mean()))
    whole = tuple(backward) if len(backward) == len(run) else ()
    return ChainSignal(run[0].container, tuple(v.name for v in run), tuple(v.energy for v in run), whole)


def _settle(model: torch.nn.Module) -> None:
    """Evaluation mode, so that no dropout adds noise; batch norms as in training, where they meet fresh weights."""
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.train()


def _main(output: Any) -> torch.Tensor | None:
    for name in ("logits", "last_hidden_state"):
        value = getattr(output, name, None)
        if isinstance(value, torch.Tensor):
            return value
    return first_tensor(output)


def _cotangent(output: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(20260103)
    return torch.randn(output.shape, generator=generator, dtype=torch.float32).to(output.dtype)


def _first_loss(model: torch.nn.Module, output: torch.Tensor) -> tuple[float | None, int | None]:
    """Cross-entropy with random targets, where the last dimension is known to count classes."""
    classes = output.shape[-1] if output.dim() > 1 else 0
    if classes < 2:
        return None, None
    vocabularies = {m.num_embeddings for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    heads = {
        m.out_features
        for n, m in model.named_modules()
        if isinstance(m, torch.nn.Linear) and _HEAD.match(n.rpartition(".")[2])
    }
    if classes not in vocabularies | heads:
        return None, None
    logits = output.detach().float().reshape(-1, classes)
    targets = torch.randint(0, classes, (len(logits),), generator=torch.Generator().manual_seed(20260104))
    return float(torch.nn.functional.cross_entropy(logits, targets)), classes
