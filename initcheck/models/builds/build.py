"""What is kept of one build of a model, and how the user's factory is called."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from initcheck.adapters.signatures.parameters import parameters_of
from initcheck.adapters.signatures.rank_words import rank_words
from initcheck.draws.call import OutOfTime
from initcheck.errors import UsageError
from initcheck.models.builds.record import TensorRecord
from initcheck.models.provenance.steps import Site
from initcheck.sandbox.containment import raised_at


@dataclass(frozen=True)
class Build:
    """What is kept of one build.

    Attributes:
        seed: of every generator that the build may use.
        records: parameters and buffers by path; tied ones once.
        tied: further names of tensors that are already there: name -> first name.
        unread: tensors whose numbers cannot be reached, and why.
        astray: writes by a sampler into a tensor that had been computed, or copied, and is no part of the model: site,
            and how that tensor came to be -> shapes.
        began: order of the first write inside each function that initialises a whole model.
        looks: what the caller asked of the living model, by name.
    """

    seed: int
    records: dict[str, TensorRecord]
    tied: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    astray: dict[tuple[Site, str], list[tuple[int, ...]]] = field(default_factory=dict)
    began: dict[Any, int] = field(default_factory=dict)
    looks: dict[str, Any] = field(default_factory=dict)


class Builder:
    """Calls the user's factory; what is common to every framework.

    Attributes:
        factory: returns a new model; a parameter named ``seed`` is passed the seed.
        name: for messages.
        count: builds so far; ``seeds`` that were used.
        deadline: when the claim that asks must be done, on the clock of ``time.monotonic``; None where it has time.
        tell: is told the number of each build before it is made, where somebody listens.
    """

    def __init__(self, factory: Callable[..., Any], name: str) -> None:
        self.factory = factory
        self.name = name
        self.count = 0
        self.seeds: set[int] = set()
        self.deadline: float | None = None
        self.tell: Callable[[int], None] | None = None

    def begins(self, seed: int) -> None:
        """Count a build.

        Raises:
            OutOfTime: the deadline is over; a build that has begun is finished.
        """
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
        self.count += 1
        if self.tell is not None:
            self.tell(self.count)
        self.seeds.add(seed)

    def call(self, **given: Any) -> Any:
        """Call the factory.

        Raises:
            UsageError: it raises.
        """
        try:
            return self.factory(**given)
        except (Exception, SystemExit) as error:
            raise self.no_model(error) from error

    def no_model(self, error: BaseException) -> UsageError:
        """The sentence on a factory that raises."""
        return UsageError(
            f"{self.name} builds no model: it raises {type(error).__name__}: {error}{raised_at(error)}."
            f" {on_a_call_that_raises(self.factory)}"
        )

    def takes(self, *names: str) -> str | None:
        """The first of these names that is a parameter of the factory."""
        parameters = parameters_of(self.factory) or {}
        by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return next((n for n in names if n in parameters and parameters[n].kind in by_name), None)


def on_a_call_that_raises(factory: Callable[..., Any]) -> str:
    """What to do about a factory that raises where it is called."""
    if rank_words(parameters_of(factory) or ()) is not None:
        return "It builds one rank: --world 4 builds those of four."
    return "Call it alone first."


def first_line(error: BaseException, most: int = 160) -> str:
    r"""Type and first line of what a model raised: libraries explain themselves below it.

    >>> first_line(ValueError("Exception encountered when calling Net.call().\n\n\x1b[1mtoo wide\x1b[0m"))
    'ValueError: too wide'
    """
    lines = [line for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    # Keras says in which layer before it says what.
    told = lines[1:] if len(lines) > 1 and lines[0].startswith("Exception encountered when calling") else lines
    return f"{type(error).__name__}: {(told or [''])[0].strip()[:most].rstrip()}"


_COLOURS = re.compile(r"\x1b\[[\d;]*m")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A factory may print and warn; its words are not the report's."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
