"""Random tensors, units and draws that are copies of one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from initcheck.models.builds.record import TensorRecord
from initcheck.models.factory.wording import listed, place
from initcheck.models.provenance.steps import Draw
from initcheck.models.signals.signal import Signal

__all__ = ["Copy", "equal_tensors", "equal_units", "repeated_draws"]


@dataclass(frozen=True)
class Copy:
    """One finding.

    Attributes:
        sentence: what is a copy of what.
        kind: ``fails``, ``doubt`` or ``note`` (vectors, one frozen copy, copies that the gradient tells apart).
        fix: what to write instead.
    """

    sentence: str
    kind: str = "fails"
    fix: str = "draw each on its own, with no deepcopy or load_state_dict of another and no seed set between them"


def equal_tensors(random: Mapping[str, TensorRecord]) -> Iterator[Copy]:
    """Tensors of the same bytes, and untied matrices whose first 64 entries are ordered alike (scaled copies)."""
    by_digest: dict[bytes, list[TensorRecord]] = defaultdict(list)
    by_order: dict[bytes, list[TensorRecord]] = defaultdict(list)
    for record in random.values():
        by_digest[record.digest].append(record)
        if record.order is not None:
            by_order[record.order].append(record)
    for same in by_digest.values():
        if len(same) > 1:
            yield _copy(same, "are equal bit for bit")
    for alike in by_order.values():
        if len({r.digest for r in alike}) > 1:
            yield _copy(alike, "are copies up to scale and shift (their first entries are ordered alike)")


def equal_units(random: Mapping[str, TensorRecord], signal: Signal) -> Iterator[Copy]:
    """Equal, non-zero rows or columns of one tensor: copies for ever where their gradients are equal too.

    ICNR, an inflated first convolution or repeated key heads copy on purpose, and the first step tells them apart.
    The rows of an embedding are told apart by the tokens.
    """
    for name, record in random.items():
        if record.twins is None:
            continue
        said = f"{name}: {record.twins.text}"
        kind = signal.twins.get(name)
        if record.owner == "Embedding" and record.twins.axis == 0:
            yield Copy(said, "note")
        elif kind == "equal":
            yield Copy(f"{said}, and so are their gradients", "fails", "draw every unit on its own")
        elif kind == "differ":
            yield Copy(f"{said}; their gradients differ", "note")
        elif not (record.parameter and record.trainable):
            yield Copy(f"{said}; nothing trains them", "note")
        else:
            why = signal.problem or "no gradient reaches them"
            yield Copy(f"{said}, and whether training tells them apart is not known ({why})", "doubt")


def repeated_draws(random: Mapping[str, TensorRecord]) -> Iterator[Copy]:
    """Different draws that began at one state of a generator: one seed used twice."""
    by_state: dict[bytes, dict[int, tuple[Draw, str]]] = defaultdict(dict)
    for record in random.values():
        for draw in record.draws:
            if draw.entries:
                by_state[draw.state].setdefault(draw.number, (draw, record.name))
    for draws in by_state.values():
        if len(draws) > 1:
            names = list(dict.fromkeys(name for _, name in draws.values()))
            (one, _), (two, _) = list(draws.values())[:2]
            yield Copy(
                f"{listed(names)}: {len(draws)} draws began at one state of the generator"
                f" ({_between(place(one.site), place(two.site))})",
                fix="set the seed once, before the first draw",
            )


def _copy(same: list[TensorRecord], what: str) -> Copy:
    names = [r.name for r in same]
    frozen = len(same) == 2 and sum(r.parameter and r.trainable for r in same) == 1
    blamed = len(same[0].shape) > 1 and not frozen
    sites = _sites(same)
    return Copy(f"{listed(names)} {what}" + (f" ({sites})" if sites else ""), "fails" if blamed else "note")


def _sites(same: Iterable[TensorRecord]) -> str:
    sites = list(dict.fromkeys(place(r.law.site) for r in same if r.law.site is not None))
    return " and ".join(sites[:2])


def _between(one: str, two: str) -> str:
    return one if one == two else f"{one} and {two}"
