"""What a claim is, and the decorator that states one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from initcheck.contract.contract import Contract
from initcheck.diagnosis.causes import TOPICS
from initcheck.errors import UsageError, closest
from initcheck.report.series import SERIES

ClaimKind = Literal["check", "theorem", "myth", "model", "pair", "lock", "ranks"]
Sweep = Literal["none", "calls", "values"]
SubjectKind = Literal["initializer", "layer", "model", "pair", "lock", "ranks"]
# Asked of a thing as a whole: their property takes the trial alone and is called once.
_OF_A_WHOLE: tuple[ClaimKind, ...] = ("model", "pair", "lock", "ranks")
Unasked = Callable[[Contract], str | None]
Property = TypeVar("Property", bound=Callable[..., Any])

STATED: dict[str, Claim] = {}
"""The claims of every module that was imported so far, by id; ``initcheck.claims.registry`` imports the rest."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One executable statement.

    Attributes:
        id: stable kebab-case name; users write it in waivers and baselines.
        says: the claim in one sentence.
        source: paper and section or equation.
        kind: ``check`` (asked of an initializer), ``theorem`` (true of networks), ``myth`` (a false sentence),
            ``model`` (asked of a built model), ``pair`` (of two starts), ``lock`` (of a start and its law file),
            ``ranks`` (of a model that several processes build).
        needs: claims without which this one means nothing (where NaN came out, a variance is moot).
        family: the last part of the module it stands in, such as ``scale``.
        prop: the Hypothesis property itself.
        negations: companion properties of a theorem that show a dropped hypothesis breaking it.
        decided_by: how it is decided and at what error rates, for ``initcheck explain``.
        unasked: for a claim asked only where the contract says so: why a contract does not ask it, None where it does.
        shape_by_shape: where it fails at one shape, the claims that need it still judge the others.
        exact_on_constants: it can be decided from one call where every call gives the same weights.
        sweep: what a glance at every width may show of it: ``calls``, one that gave no finite weights; ``values``,
            also one whose value lies far outside its band, or a tie. The claim is then asked of that layer too.
        pictures: series drawn for the report where it fails, by the names of ``initcheck.engine.pictures``.
        finds: the smallest defects it was seen to find, and in how much, for ``initcheck explain``.
        topic: what it is about, a key of ``initcheck.diagnosis.causes.TOPICS``: where it fails, a cause is looked for
            that can explain that topic, and a claim on the scale is asked of a layer as a whole where the weights do
            not tell it. None for a claim about none of these; any cause may then be named.
        label: a short name for a line of a table; empty where its id does.
        backward: it speaks of what goes backward, a gradient: where one on what goes forward fails for the same cause,
            that one leads.
        not_asked_of: a kind of subject that it leaves out, ``initializer`` or ``layer``: why.
        in_fresh_processes: it repeats calls in processes that have drawn nothing yet; they make the initializer while
            the claims before it are judged.
        of_one_model: for a claim on models, the property that asks what one model alone shows of it, where that is
            something: of a model that is built already, or of a file of weights.
    """

    id: str
    says: str
    source: str
    kind: ClaimKind
    needs: tuple[str, ...]
    family: str
    prop: Callable[..., Any]
    negations: tuple[Callable[..., Any], ...] = ()
    decided_by: str = ""
    unasked: Unasked | None = None
    shape_by_shape: bool = False
    exact_on_constants: bool = False
    sweep: Sweep = "none"
    pictures: tuple[str, ...] = ()
    finds: str = ""
    topic: str | None = None
    label: str = ""
    backward: bool = False
    not_asked_of: Mapping[SubjectKind, str] = field(default_factory=dict)
    of_one_model: Callable[..., Any] | None = None
    in_fresh_processes: bool = False

    @property
    def stated_at(self) -> tuple[str, int]:
        """Module and line of its property: claims sorted by it stand as their authors wrote them."""
        return self.prop.__module__, inspect.unwrap(self.prop).__code__.co_firstlineno

    @property
    def asked_by_default(self) -> bool:
        """Whether every contract asks it."""
        return self.unasked is None


def claim(
    claim_id: str,
    *,
    says: str,
    source: str,
    kind: ClaimKind = "check",
    needs: Iterable[str] = (),
    negations: Iterable[Callable[..., Any]] = (),
    decided_by: str = "",
    unasked: Unasked | None = None,
    shape_by_shape: bool = False,
    exact_on_constants: bool = False,
    sweep: Sweep = "none",
    pictures: Sequence[str] = (),
    finds: str = "",
    topic: str | None = None,
    label: str | None = None,
    backward: bool = False,
    not_asked_of: Mapping[SubjectKind, str] | None = None,
    of_one_model: Callable[..., Any] | None = None,
    in_fresh_processes: bool = False,
) -> Callable[[Property], Property]:
    """State a claim: put this above Hypothesis' ``@given`` on the property that decides it.

    A check's property takes ``trial`` first (see ``initcheck.claims.Trial``), then what Hypothesis draws; it
    returns where the case holds and lets ``trial`` fail it. A theorem's property takes only what is drawn; a
    model's takes only the trial (``initcheck.models.factory.trial.ModelTrial``) and is no Hypothesis property.

    Raises:
        UsageError: the id is not kebab-case or is taken by another property, ``says`` is no sentence, a picture
            or topic does not exist, a kind of subject is left out without a reason, or the function is no Hypothesis
            property.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim_id):
        raise UsageError(f"claim id {claim_id!r} is not kebab-case, such as 'zero-mean'.")
    if not says.strip().endswith("."):
        raise UsageError(f"claim {claim_id!r}: says={says!r} is not a sentence that ends with a full stop.")
    drawn = [name for name, series in SERIES.items() if series.on_request]
    for picture in pictures:
        if picture not in drawn:
            raise UsageError(f"claim {claim_id!r}: there is no picture {picture!r}; {closest(picture, drawn)}")
    if topic is not None and topic not in TOPICS:
        raise UsageError(f"claim {claim_id!r}: there is no topic {topic!r}; {closest(topic, TOPICS)}")
    excluded = dict(not_asked_of or {})
    for kind_of_subject, why in excluded.items():
        if kind in _OF_A_WHOLE or kind_of_subject not in ("initializer", "layer") or not why.strip():
            raise UsageError(
                f"claim {claim_id!r}: not_asked_of={excluded!r} does not say why; a claim on initializers and layers"
                " may leave out one of them, 'initializer' or 'layer', with the reason as the report shows it."
            )
    if len(excluded) == 2:
        raise UsageError(
            f"claim {claim_id!r}: not_asked_of leaves out initializers and layers: nothing is left to ask."
        )

    def register(prop: Property) -> Property:
        if kind not in _OF_A_WHOLE and not hasattr(prop, "hypothesis"):
            raise UsageError(f"claim {claim_id!r}: {prop!r} is no Hypothesis property; put @given below @claim.")
        other = STATED.get(claim_id)
        if other is not None and (other.prop.__module__, other.prop.__name__) != (
            prop.__module__,
            prop.__name__,
        ):
            raise UsageError(
                f"claim {claim_id!r} is stated twice: by {other.prop.__module__}.{other.prop.__name__}"
                f" and by {prop.__module__}.{prop.__name__}; choose another id."
            )
        STATED[claim_id] = Claim(
            id=claim_id,
            says=says.strip(),
            source=source,
            kind=kind,
            needs=tuple(needs),
            family=prop.__module__.rpartition(".")[2],
            prop=prop,
            negations=tuple(negations),
            decided_by=decided_by,
            unasked=unasked,
            shape_by_shape=shape_by_shape,
            exact_on_constants=exact_on_constants,
            sweep=sweep,
            pictures=tuple(pictures),
            finds=finds,
            topic=topic,
            label=label or "",
            backward=backward,
            not_asked_of=excluded,
            of_one_model=of_one_model,
            in_fresh_processes=in_fresh_processes,
        )
        return prop

    return register
