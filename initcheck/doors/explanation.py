"""What `initcheck explain CLAIM` says: the claim in words, its error rates, and examples that are run now."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from initcheck.claims.registry import asked_of, checks
from initcheck.claims.statement import Claim
from initcheck.claims.theorems import prove
from initcheck.errors import UsageError
from initcheck.gallery import SPECIMENS
from initcheck.gallery.measured_power import measured_how, measured_power
from initcheck.report.account import failure_text
from initcheck.report.report import Report
from initcheck.report.verdict import Result, Verdict
from initcheck.safe_text import escaped
from initcheck.statistics import Ledger

if TYPE_CHECKING:
    from initcheck.engine.checker import Checker
    from initcheck.gallery import Specimen


# A run of one example takes about a second; a claim that asks for what the gallery lacks gets no more of them.
_MOST_TRIED = 6


def in_words(claim: Claim) -> Iterator[str]:
    """What its registration and its docstrings say, line by line."""
    yield f"{claim.id}  ({claim.kind})"
    yield f"  {claim.says}"
    yield ""
    text = inspect.getdoc(claim.prop)
    if text:
        yield textwrap.indent(text, "  ")
        yield ""
    facts = {
        "needs": ", ".join(claim.needs),
        "asked": "" if claim.asked_by_default else "only where the contract says so",
        "decided by": claim.decided_by,
        "error rates": _error_rates(claim),
        "finds": claim.finds,
        "source": claim.source,
        "negations": ", ".join(n.__name__ for n in claim.negations),
        "stated in": f"{claim.prop.__module__}.{claim.prop.__name__}",
    }
    for label, fact in facts.items():
        if fact:
            yield f"  {label:<12}{fact}"
    yield from _measured(claim)


def live_examples(claim: Claim) -> Iterator[str]:
    """An initializer of the gallery that holds and one that fails, judged now; of a theorem, whether it is shown.

    Lines as ``initcheck explain`` prints them; none of a claim about models, for the gallery holds none.
    """
    if claim.kind in ("theorem", "myth"):
        yield from _proof(claim)
    if claim.kind != "check":
        return
    failing, holding = _judged(claim)
    yield ""
    if holding is None:
        yield "  holds       of none of the initializers of the gallery that were judged"
    else:
        evidence = holding[1].evidence
        allowed = f", allowed {evidence.allowed}" if evidence.allowed else ""
        yield f"  holds       of {holding[1].initializer}: {escaped(evidence.measured or '')}{allowed}"
        yield from (f"              {escaped(note)}" for note in holding[1].notes)
        yield f"              {holding[0].why.partition(' >>>')[0]}"
    if failing is None:
        # Only what is listed is judged: a claim from elsewhere may fail others, and the gallery lists none for it.
        yield f"  fails       nothing that was judged: the gallery lists {len(_mistakes(claim)) or 'none'} that fail it"
    else:
        yield f"  fails       {failing[1].initializer}: {failing[0].why}"
        yield ""
        yield textwrap.indent(failure_text(failing[1]), "    ")


def write_explanation(claim: Claim, file: str) -> str:
    """Write the page of a claim: its words, and the report of its two examples with their pictures.

    Args:
        claim: of ``initcheck explain``.
        file: where to.

    Returns:
        a sentence on what was written.

    Raises:
        UsageError: the page cannot be made or written, or the claim has no examples.
    """
    from initcheck.rendering.html import html  # the words are printed without a page
    from initcheck.runs.destination import Destination

    html.require()
    destination = Destination("html", file)
    failing, holding = _judged(claim) if claim.kind == "check" else (None, None)
    judged = [found[1] for found in (failing, holding) if found is not None]
    if not judged:
        raise UsageError(f"{claim.id} is a {claim.kind}: there is no initializer to draw; read it without --html.")
    report = Report(run=_checker(claim).run(judged), results=tuple(judged))
    words = "\n".join(in_words(claim))
    destination.write(html.render(report, words=words, title=claim.id))
    return f"written to {file}: the words, and {len(judged)} examples with their pictures"


def _checker(claim: Claim) -> Checker:
    from initcheck.engine.checker import Checker  # the words are printed without the engine
    from initcheck.engine.settings import Settings

    return Checker(Settings(profile="quick", claims=(claim.id,)))


def _judged(claim: Claim) -> tuple[tuple[Specimen, Result] | None, tuple[Specimen, Result] | None]:
    """An initializer of the gallery that fails the claim, and one that keeps it, as they are judged now."""
    checker = _checker(claim)
    failing = _first(checker, claim, _mistakes(claim), Verdict.FAILS)
    return failing, _first(checker, claim, _correct_ones_like(failing[0] if failing else None), Verdict.HOLDS)


def theorems_on(claim: Claim) -> list[Claim]:
    """The theorems and myths of the family of a claim, as they are stated: why it is asked at all.

    >>> from initcheck.claims.registry import find
    >>> [theorem.id for theorem in theorems_on(find("zero-mean"))]
    ['an-off-centre-mean-grows-with-width-and-depth']
    """
    told = [*asked_of("theorem").values(), *asked_of("myth").values()]
    return [t for t in told if claim.kind == "check" and _family(t.prop) == f"theorems_{_family(claim.prop)}"]


def _family(stated: Callable[..., Any]) -> str:
    """The module that something is stated in, without its folder: ``scale``."""
    return stated.__module__.rpartition(".")[2]


def _measured(claim: Claim) -> Iterator[str]:
    found = list(measured_power(claim.id))
    if found:
        yield f"  {'measured':<12}defects found, and the smallest that every run found ({measured_how()}):"
        yield from (f"              {line}" for line in found)


def _error_rates(claim: Claim) -> str:
    if claim.kind != "check":
        return ""
    ledger = Ledger(claims=len(checks()))
    return (
        f"false FAILS <= {ledger.alpha / ledger.claims:.2g} ({ledger.alpha:g} over all {ledger.claims} claims of an"
        f" initializer); wrong HOLDS <= {ledger.beta:g}"
    )


def _proof(claim: Claim) -> Iterator[str]:
    prove(claim)
    yield ""
    yield f"  {'refuted' if claim.kind == 'myth' else 'shown':<12}on generated networks, now"
    for negation in claim.negations:
        first = (inspect.getdoc(negation) or negation.__name__).partition("\n")[0]
        yield f"  {'without':<12}{first}"


def _mistakes(claim: Claim) -> list[Specimen]:
    """Those that fail it, first those of its own family, then those of a wrong scale, which teach most."""
    families = (_family(claim.prop), "scale")

    def far(specimen: Specimen) -> tuple[bool, ...]:
        return tuple(_family(specimen.function) != family for family in families)

    return sorted((s for s in SPECIMENS if claim.id in s.fails), key=far)


def _correct_ones_like(mistake: Specimen | None) -> list[Specimen]:
    """The correct specimens, those first whose contract has most in common with that of the mistake."""
    wanted = _contract(mistake) if mistake is not None else {}

    def unlike(specimen: Specimen) -> int:
        return -len(wanted.items() & _contract(specimen).items())

    return sorted((s for s in SPECIMENS if s.correct), key=unlike)


def _contract(specimen: Specimen) -> dict[str, Any]:
    return {key: repr(value) for key, value in vars(specimen.function)["__initcheck__"].items()}


def _first(
    checker: Checker, claim: Claim, candidates: list[Specimen], verdict: Verdict
) -> tuple[Specimen, Result] | None:
    from initcheck.targets.loading import load  # targets are loaded only where examples are judged

    for specimen in candidates[:_MOST_TRIED]:
        [initializer] = load(f"initcheck.gallery:{specimen.name}").initializers
        result = checker.judge(initializer, claim.id)
        if result.verdict is verdict:
            return specimen, result
    return None
