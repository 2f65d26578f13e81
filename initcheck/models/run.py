"""check_model(): the claims on one model, in order, as a Report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from initcheck.claims.registry import find, in_order, registry
from initcheck.claims.statement import Claim
from initcheck.errors import UsageError, closest
from initcheck.models.signals.batches import batch_from
from initcheck.models.declared import read_laws
from initcheck.models.facts import Facts
from initcheck.models.portrait import portrait
from initcheck.models.trial import ModelTrial
from initcheck.rendering.model_lines import Heading
from initcheck.report.report import NotChecked, Report
from initcheck.report.results import Run, installed_version
from initcheck.report.verdict import Result, Verdict

__all__ = ["ModelRun", "check_model", "model_claims", "model_headings"]


def model_claims() -> dict[str, Claim]:
    """The claims that are asked of a model, by id."""
    return {name: c for name, c in registry().items() if c.kind == "model"}


def model_headings() -> dict[str, Heading]:
    """How the lines of these claims begin, in the order in which they are stated."""
    return {c.id: Heading(c.label, c.topic) for c in sorted(model_claims().values(), key=lambda claim: claim.stated_at)}


def check_model(
    factory: Callable[..., Any],
    batch: object = None,
    laws: Mapping[str, str | float] | None = None,
    seed: int = 0,
    *,
    name: str | None = None,
    claims: Iterable[str] | None = None,
    models: int | None = None,
    waive: Mapping[str, str] | None = None,
    alpha: float = 1e-6,
    beta: float = 1e-3,
) -> Report:
    """Check what a model starts from.

    >>> import torch, initcheck
    >>> def net():
    ...     return torch.nn.Sequential(*[torch.nn.Linear(64, 64, bias=False) for _ in range(4)])
    >>> report = initcheck.check_model(net)
    >>> report["every-tensor-is-written"].verdict.value, report["signal-survives-the-blocks"].verdict.value
    ('HOLDS', 'FAILS')

    Args:
        factory: a function or class that returns a new ``torch.nn.Module`` at each call; where it has a parameter
            ``seed`` it is given one. It is called six times or so, four times above 100 million parameters.
        batch: what to run the model on: text such as ``int<100:2x16``, ``pkg:make_batch``, a function, or the
            arguments themselves; None to guess it from the model's signature.
        laws: declared standard deviations, by pattern of the tensor's path: ``{"*.c_proj.weight":
            "0.02/sqrt(2*L)"}``; also ``normal(..)``, ``uniform(half-width)``, ``constant(..)``.
        seed: of the run; every build's seed derives from it and the name.
        name: how the model is called in the report.
        claims: ids of the claims to ask; all of them where None.
        models: most models of fresh seeds; None for a number that falls with size (80 up to 1 M parameters, 14 up
            to 10 M, 9 up to 100 M, 3 above).
        waive: claim id -> reason.
        alpha, beta: error rates of the run, see DESIGN.

    Raises:
        UsageError: the factory builds no model or keeps it, a law, batch or claim cannot be read.
    """
    run = ModelRun(
        factory,
        batch,
        laws,
        seed,
        name=name,
        claims=claims,
        models=models,
        waive=waive,
        alpha=alpha,
        beta=beta,
    )
    for claim in run.claims:
        run.judge(claim.id)
    return run.report()


class ModelRun:
    """One model and the verdicts so far; the arguments are those of ``check_model``."""

    def __init__(
        self,
        factory: Callable[..., Any],
        batch: object = None,
        laws: Mapping[str, str | float] | None = None,
        seed: int = 0,
        *,
        name: str | None = None,
        claims: Iterable[str] | None = None,
        models: int | None = None,
        waive: Mapping[str, str] | None = None,
        alpha: float = 1e-6,
        beta: float = 1e-3,
    ) -> None:
        import torch

        if isinstance(factory, torch.nn.Module):
            raise UsageError(
                f"{type(factory).__name__} is a built model; give the function or class that builds it, since its"
                " weights are judged by building it several times."
            )
        if not callable(factory):
            raise UsageError(f"{factory!r} is {type(factory).__name__}, not a function that builds a model.")
        self.name: str = name or str(getattr(factory, "__qualname__", type(factory).__name__))
        every = model_claims()
        for known in (*(claims or ()), *(waive or {})):
            if known not in every:
                raise UsageError(f"there is no claim {known!r} on models; {closest(known, every)}")
        asked = every if claims is None else {c: every[c] for c in claims}
        self.claims = in_order(_with_needed(asked, every).values())
        self._asked = set(asked)
        self._waive = dict(waive or {})
        self._laws = read_laws(laws)
        self.run = Run(
            seed=seed,
            alpha=alpha,
            beta=beta,
            claims=len(every),
            version=installed_version(),
            libraries={"torch": torch.__version__},
        )
        self.facts = Facts(factory, self.name, seed, batch_from(batch), models)
        self.results: dict[str, Result] = {}
        self._seconds = 0.0

    def judge(self, claim_id: str) -> Result:
        """The verdict on one claim, its needs judged before it; judged once."""
        if claim_id in self.results:
            return self.results[claim_id]
        claim = find(claim_id)
        missing = [n for n in claim.needs if self.judge(n).verdict is not Verdict.HOLDS]
        started = time.perf_counter()
        trial = ModelTrial(self.facts, self._laws, self.run.alpha, self.run.beta)
        if missing:
            trial.not_applicable(f"needs {', '.join(missing)}")
        else:
            claim.prop(trial)
        seconds = time.perf_counter() - started
        self._seconds += seconds
        self.results[claim_id] = self._result(claim, trial, seconds)
        return self.results[claim_id]

    def report(self) -> Report:
        """Everything judged so far."""
        shown = portrait(self.facts, self._laws, self._seconds)
        results = tuple(self.results[c.id] for c in self.claims if c.id in self.results and c.id in self._asked)
        left = tuple(
            NotChecked(name=claim, reason="not asked for", call_to_write="leave claims= out")
            for claim in model_claims()
            if claim not in self._asked
        )
        return Report(run=self.run, results=results, contracts={self.name: shown}, not_checked=left)

    def _result(self, claim: Claim, trial: ModelTrial, seconds: float) -> Result:
        verdict, reason = trial.verdict, trial.reason
        if claim.id in self._waive:
            if verdict is Verdict.FAILS:
                verdict, reason = Verdict.WAIVED, self._waive[claim.id]
            elif verdict is Verdict.HOLDS:
                verdict, reason = Verdict.FAILS, "waived, and it holds: take the waiver away"
        return Result(
            claim=claim.id,
            says=claim.says,
            initializer=self.name,
            family=claim.family,
            verdict=verdict,
            reason=reason,
            evidence=trial.evidence(),
            notes=tuple(trial.notes),
            reproduce=f"initcheck model {self.name} --claims={claim.id} --seed={self.run.seed}",
            seconds=seconds,
        )


def _with_needed(asked: Mapping[str, Claim], every: Mapping[str, Claim]) -> dict[str, Claim]:
    found = dict(asked)
    for claim in asked.values():
        found.update({n: every[n] for n in claim.needs})
    return found
