"""Init statements that never ran: behind a question for a name, or for a class that no module of the model has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.factory.wording import place
from initcheck.models.provenance.guards import Guard
from initcheck.wording import listed

_STEM = re.compile(r"^Lazy|Transpose|\d+d$")
"""What tells layers of one kind apart: Conv1d, Conv2d, ConvTranspose2d."""
_NORM = re.compile("norm|^bn", re.IGNORECASE)
"""Classes of layers that hold no matrix, and whose start says nothing of one that keeps its default."""


def bypassed_guards(trial: ModelTrial) -> None:
    """Init statements behind a guard that never ran: a doubt, unless a declared law settles it."""
    plain = trial.facts.plain
    if plain is None or trial.laws:
        return
    never: Sequence[Guard] = plain.looks["bypassed"]
    for guard in never:
        if not guard.kinds:
            was = "always" if guard.otherwise else "never"
            trial.doubts_that(
                f"the init statement at {place((guard.file, guard.body[0]))} never ran: 'if {guard.condition}' was"
                f" {was} true; a declared law decides whether it should have been"
            )
    for said in _classes_nobody_has(trial.facts, [g for g in never if g.kinds], plain.looks["classes"]):
        trial.doubts_that(f"{said}; a declared law decides whether it should have been")


def _classes_nobody_has(facts: Facts, never: Sequence[Guard], classes: Collection[str]) -> Iterator[str]:
    """Draws for a class that no module has, where the layers that are there keep what their library made of them.

    An init function that is written once for many models asks for more classes than one of them has. It is a doubt
    where no matrix of this one was drawn by any line of the user's, where the class is there in other letters, and
    where layers of the same kind (Conv1d for Conv2d) are left as they are made.
    """
    drawn = [r for r in facts.random.values() if r.parameter and r.matrix is not None]
    left = [r for r in drawn if r.default]
    of_matrices = [g for g in never if not all(_NORM.search(kind) for kind in g.kinds)]
    if of_matrices and drawn and len(left) == len(drawn):
        first, *more = of_matrices
        others = f", nor {listed([repr(g.condition) for g in more])}" if more else ""
        yield (
            f"{_statement(first)} of a module{others}: every matrix keeps the default of its layer"
            f" ({listed(sorted({r.owner for r in left}))})"
        )
        return
    for guard in never:
        kept = sorted({r.owner for r in left if _is_meant(guard, r, classes)})
        whole = [r.owner for r in drawn if not r.default]
        if kept and not set(kept) & set(whole):
            yield f"{_statement(guard)} of a module, and every {listed(kept)} keeps its default"


def _statement(guard: Guard) -> str:
    return (
        f"the init statement at {place((guard.file, guard.body[0]))} never ran: 'if {guard.condition}' was never true"
    )


def _is_meant(guard: Guard, record: TensorRecord, classes: Collection[str]) -> bool:
    """Whether a guard asks for the class of a layer in other letters, or for another layer of its kind."""
    if any(kind in name for kind in guard.kinds for name in classes):
        return False
    stem = _STEM.sub("", record.owner)
    return any(kind.lower() in record.owner.lower() or _STEM.sub("", kind) == stem for kind in guard.kinds)
