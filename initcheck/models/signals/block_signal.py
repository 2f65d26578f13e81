"""The signal through one living model: second moments by block, forward and backward, and its first loss."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import torch

from initcheck.models.batches.arguments import no_forward
from initcheck.models.batches.batch import Batch
from initcheck.models.batches.corrections import corrected
from initcheck.models.batches.hints import Hints
from initcheck.models.batches.inputs import candidates, well_averaged
from initcheck.models.builds.build import first_line
from initcheck.models.builds.sums import Twins
from initcheck.models.signals.blocks import BlockTrail, second_moment
from initcheck.models.signals.chains import Visit, chains, norms_between
from initcheck.models.signals.equal_units import gradient_kind, twins_kind
from initcheck.models.signals.gradients import after_steps, on_host, unreached, weighed
from initcheck.models.signals.outputs import main_output
from initcheck.models.signals.reach import input_reach
from initcheck.models.signals.repeated import repeated_layers
from initcheck.models.signals.residual import residual_writers
from initcheck.models.signals.signal import FEWEST_BLOCKS, HEAD, ChainSignal, Signal
from initcheck.models.signals.untrained import untrained
from initcheck.sandbox.containment import one_line, raised_at

_LACKING = re.compile(r"'(\w+)' object has no attribute")
_ERRORS = 6
"""Different errors that are followed; what is refused for a seventh reason is not understood."""


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

    def hear(
        self,
        model: torch.nn.Module,
        constants: Iterable[str] = (),
        twins: Mapping[str, Twins] | None = None,
        *,
        whole: bool = False,
    ) -> Signal:
        """Run the model forward and backward once; with constants in doubt, up to two small steps more.

        Args:
            model: its parameters may be moved.
            constants: constant matrices whose gradient is asked for.
            twins: matrices with equal units whose gradients are asked for.
            whole: whether it is also asked which layers write to the residual stream, and whether the input arrives.
        """
        _settle(model)
        with _without_cache(model), _uncompiled():
            return self._hear(model, set(constants), dict(twins or {}), whole)

    def _hear(self, model: torch.nn.Module, constants: set[str], twins: dict[str, Twins], whole: bool) -> Signal:
        unheard = no_forward(model)
        if unheard is not None:
            return Signal(unheard=unheard)
        problem = ""
        refused: list[tuple[Batch, Exception]] = []
        for batch in self._tried(model, refused):
            try:
                found = self._through(model, batch, constants, twins, whole)
            except Exception as error:
                # The likeliest batch comes first: its error is the one worth reading.
                said = first_line(error)
                problem = problem or f'no batch goes through; --batch="{batch.text}" ends in {said}; edit it'
                refused.append((batch, error))
                continue
            self._batch = batch
            return found
        return Signal(
            problem=_own_mistake(model, refused)
            or problem
            or "no batch can be made from the model's signature; give one, such as --batch=2x16"
        )

    def _tried(self, model: torch.nn.Module, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
        if self._batch is not None:
            yield self._batch
        elif self._make is not None:
            yield self._make()
        else:
            yield from well_averaged(model, candidates(model))
            yield from _corrected(model, refused)

    def _through(
        self, model: torch.nn.Module, batch: Batch, constants: set[str], twins: dict[str, Twins], whole: bool
    ) -> Signal:
        with torch.enable_grad(), BlockTrail(model) as trail:
            output = main_output(batch.run(model))
        if output is None:
            return Signal(batch=batch.text, problem="the model returns no tensor of real numbers")
        runs = [run for run in chains(trail.visits) if len(run) >= FEWEST_BLOCKS]
        loss, classes, logits = _first_loss(model, output)
        wanted = [v.made for run in runs for v in run if v.made is not None]
        asked = {n: p for n, p in model.named_parameters() if (n in constants or n in twins) and p.requires_grad}
        inputs = [t for t in (*wanted, *asked.values()) if t.requires_grad]
        gradients: dict[int, torch.Tensor | None] = {}
        if inputs and output.requires_grad:
            found = torch.autograd.grad(weighed(output), inputs, allow_unused=True)
            gradients = {id(t): g for t, g in zip(inputs, found, strict=True)}
        signals = tuple(_chain_signal(run, [gradients.get(id(v.made)) for v in run]) for run in runs)
        blocks = [tuple(v.name for v in run) for run in runs]
        trail.visits.clear()
        equal = {n: twins_kind(on_host(gradients.get(id(p))), twins[n]) for n, p in asked.items() if n in twins}
        judged = {n: gradient_kind(on_host(gradients.get(id(p)))) for n, p in asked.items() if n in constants}
        del gradients, inputs, wanted, output
        if any(s.outside("backward") for s in signals):
            signals = _through_the_chain_alone(model, batch, signals)
        writers = residual_writers(model, batch, blocks) if whole else {}
        reach = input_reach(model, batch) if whole else None
        repeated = repeated_layers(model, batch) if whole else ()
        idle = untrained(model, batch) if whole else None
        if any(kind != "differ" for kind in judged.values()):
            judged = after_steps(model, batch, judged)
        dead = [n for n, kind in judged.items() if kind == "zero"]
        if dead:
            judged |= dict.fromkeys(unreached(model, batch, dead), "unreached")
        return Signal(
            batch.text, None, signals, loss, classes, logits, judged, equal, writers, reach, None, repeated, idle
        )


def _corrected(model: torch.nn.Module, refused: list[tuple[Batch, Exception]]) -> Iterator[Batch]:
    """What was refused, as the errors want it: the likeliest first, each error followed once; then of one item each.

    Some models take one item at a time, and what they say of two tells nothing of it.
    """
    tokens = Hints(model).vocabulary or 0

    def run(batch: Batch) -> Any:
        try:
            with torch.no_grad():
                return batch.run(model)
        except Exception as error:
            refused.append((batch, error))
            raise

    different: dict[str, tuple[Batch, Exception]] = {}
    for batch, error in refused:
        different.setdefault(str(error), (batch, error))
    followed = list(different.values())[:_ERRORS]
    for batch, error in followed:
        yield from corrected(batch, run, error, tokens)
    for batch, _ in followed:
        yield batch.of_one_item()


def _own_mistake(model: torch.nn.Module, refused: Iterable[tuple[Batch, Exception]]) -> str | None:
    """A name that the model's own code does not have, which no batch mends; None where there is none."""
    kinds = {type(m).__name__ for m in model.modules()}
    for batch, error in refused:
        lacking = _LACKING.match(str(error)) if isinstance(error, AttributeError) else None
        if isinstance(error, NameError) or (lacking is not None and lacking[1] in kinds):
            at = raised_at(error, own=True)
            return (
                f'no batch goes through; with --batch="{batch.text}" the code stops at {one_line(error)}{at}; mend it'
            )
    return None


def _chain_signal(run: list[Visit], gradients: Sequence[torch.Tensor | None]) -> ChainSignal:
    backward = [second_moment(g) for g in gradients if g is not None]
    whole = tuple(backward) if len(backward) == len(run) else ()
    return ChainSignal(
        run[0].container, tuple(v.name for v in run), tuple(v.energy for v in run), whole, norms_between(run)
    )


def _through_the_chain_alone(
    model: torch.nn.Module, batch: Batch, signals: tuple[ChainSignal, ...]
) -> tuple[ChainSignal, ...]:
    """The gradient that the last block of a chain sends back, without what enters before it by other ways.

    Where every block is also read by a pyramid, a bridge or a head of its own, an earlier block gets the sum of what
    comes from them all, and that sum says nothing of the blocks. The graph is built once more, so that no model whose
    gradient keeps its size holds it twice.
    """
    with torch.enable_grad(), BlockTrail(model) as trail:
        output = main_output(batch.run(model))
    runs = {tuple(v.name for v in run): run for run in chains(trail.visits)}
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
    trail.visits.clear()
    return tuple(found)


def _settle(model: torch.nn.Module) -> None:
    """Evaluation mode, so that no dropout adds noise; batch norms as in training, where they meet fresh weights."""
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.train()


@contextmanager
def _without_cache(model: torch.nn.Module) -> Iterator[None]:
    """No keys and values are kept for a next token, which a model may have no layer for; put back afterwards."""
    configs: list[Any] = [getattr(m, "config", None) for m in model.modules()]
    keeping = []
    for config in configs:
        if getattr(config, "use_cache", None) is True:
            with suppress(AttributeError):  # a frozen one stays as it is
                config.use_cache = False
                keeping.append(config)
    try:
        yield
    finally:
        for config in keeping:
            config.use_cache = True


def _uncompiled() -> AbstractContextManager[object]:
    """Models that were handed to ``torch.compile`` run as they are written: compiled for one batch each costs minutes.

    Nothing to do where no compiler was loaded; torch 2.4 and 2.5 cannot be told and compile.
    """
    compiler: Any = torch.compiler
    loaded = "torch._dynamo" in sys.modules and hasattr(compiler, "set_stance")
    eager: AbstractContextManager[object] = compiler.set_stance("force_eager") if loaded else nullcontext()
    return eager


def _first_loss(
    model: torch.nn.Module, output: torch.Tensor
) -> tuple[float, int, float] | tuple[None, None, None]:  # fmt: skip
    """Cross-entropy with random targets, classes and size of logits, where the last dimension counts classes."""
    classes = output.shape[-1] if output.dim() > 1 else 0
    if classes < 2:
        return None, None, None
    tables = (m for m in model.modules() if isinstance(m, torch.nn.Embedding))
    vocabularies = {m.num_embeddings for m in tables if output.dim() < 4}  # an image may be as wide as a codebook
    heads = {m.out_features for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and HEAD.search(n)}
    if classes not in vocabularies | heads:
        return None, None, None
    logits = output.detach().float().reshape(-1, classes)
    sums = logits.sum(-1)
    if bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        logits = logits.clamp_min(torch.finfo(torch.float32).tiny).log()  # a softmax is part of the model
    targets = torch.randint(0, classes, (len(logits),), generator=torch.Generator().manual_seed(20260104))
    loss = float(torch.nn.functional.cross_entropy(logits, targets.to(logits.device)))
    return loss, classes, second_moment(logits - logits.mean(-1, keepdim=True)) ** 0.5
