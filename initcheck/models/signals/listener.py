"""The signal through living models: one batch for the models of a factory, and what each does with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from initcheck.models.batches.batch_text import CallArguments
from initcheck.models.builds.build import first_line
from initcheck.models.builds.sums import Twins
from initcheck.models.signals.equal_units import after_steps, gradient_kind, twins_kind
from initcheck.models.signals.first_loss import first_loss
from initcheck.models.signals.live_model import LiveModel, constants_redrawn
from initcheck.models.signals.reach import input_reach
from initcheck.models.signals.signal import CLOSED, ChainSignal, Signal
from initcheck.models.signals.untrained import untrained
from initcheck.sandbox.containment import how_far, raised_at


class Listener:
    """Listens to models of one factory with one batch; the first model decides which batch that is.

    Args:
        make: makes the batch, or None where it is guessed.
    """

    def __init__(self, make: Callable[[], Any] | None) -> None:
        self._make = make
        self._batch: Any = None

    def hear(
        self,
        model: LiveModel,
        constants: Collection[str] = (),
        twins: Mapping[str, Twins] | None = None,
        *,
        whole: bool = False,
    ) -> Signal:
        """Run the model forward and backward once; with constants in doubt, up to two small steps more.

        Args:
            model: its parameters may be moved.
            constants: constant matrices whose gradient is asked for.
            twins: matrices with equal units whose gradients are asked for.
            whole: whether it is also asked which layers write to the residual stream, whether the input arrives, and
                what gets no gradient.
        """
        with model.settled():
            unheard = model.no_forward()
            if unheard is not None:
                return Signal(unheard=unheard)
            refused: list[tuple[Any, Exception]] = []
            for batch in self._tried(model, refused):
                try:
                    found = _through(model, batch, constants, dict(twins or {}), whole)
                except Exception as error:
                    refused.append((batch, error))
                    continue
                self._batch = batch
                return found
            if not refused:
                made_of = f"no batch can be made from the model's {model.read_off}; give one, such as --batch=2x16"
                return Signal(problem=made_of)
            # What got furthest is nearest to what goes through; of those alike the likeliest, which comes first.
            batch, raised = max(refused, key=lambda pair: how_far(pair[1]))
            said = first_line(raised)
            if said.endswith(": "):  # a bare assert: its line says what is wanted
                said = said.removesuffix(": ") + raised_at(raised, own=True)
            told = f'no batch goes through; --batch="{batch.text}" ends in {said}; edit it'
            return Signal(problem=model.own_mistake(refused) or told)

    def _tried(self, model: LiveModel, refused: list[tuple[Any, Exception]]) -> Iterator[Any]:
        if self._batch is not None:
            yield self._batch
        elif self._make is not None:
            yield self._make()
        else:
            yield from model.batches(refused)


def _through(
    model: LiveModel, batch: CallArguments, constants: Iterable[str], twins: Mapping[str, Twins], whole: bool
) -> Signal:
    asked = {*constants, *twins} & model.trained.keys()
    measured = model.measure(batch, asked)
    if measured.output is None:
        return Signal(batch=batch.text, problem=f"the model returns no {model.noun} of real numbers")
    if not measured.output.size:  # boxes that are kept where a score is high, and at the start none is
        return Signal(batch=batch.text, problem=f"what the model returns of {batch.text} holds no number")
    loss, classes, logits = first_loss(model, measured.output)
    found = {n: None if g is None else model.host(g) for n, g in measured.gradients.items()}
    equal = {n: twins_kind(found.get(n), twins[n]) for n in twins if n in asked}
    judged = {n: gradient_kind(found.get(n)) for n in constants if n in asked}
    chains, unheard = _behind_zeros(model, batch, measured.chains), measured.unheard
    del measured, found
    writers = model.writers(batch, [chain.blocks for chain in chains]) if whole else {}
    reach = input_reach(model, batch) if whole else None
    repeated = model.repeated(batch) if whole else ()
    idle = untrained(model, batch) if whole else None
    judged = after_steps(model, batch, judged)
    return Signal(
        batch.text, None, chains, loss, classes, logits, judged, equal, writers, reach, unheard, repeated, idle
    )


def _behind_zeros(model: LiveModel, batch: CallArguments, chains: tuple[ChainSignal, ...]) -> tuple[ChainSignal, ...]:
    """The chains, with the gradient that comes back once what starts near zero outside of them is random.

    A head of zeros sends nothing back at first, and after one step as much as any other.
    """
    if not any(chain.backward and not any(chain.backward) for chain in chains):
        return chains
    inside = tuple(f"{block}." for chain in chains for block in chain.blocks)
    with constants_redrawn(model, CLOSED, [n for n in model.trained if f"{n}.".startswith(inside)]) as (opened, names):
        found = {chain.blocks: chain.backward for chain in opened.measure(batch, ()).chains} if names else {}
    return tuple(replace(c, backward=found.get(c.blocks) or c.backward) for c in chains)
