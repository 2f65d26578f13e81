"""A layer as the claims see it: the parts of its weights in place of the shapes of an initializer."""

from __future__ import annotations

import contextlib
import functools
import math
from dataclasses import replace

import numpy as np

from initcheck.claims.statement import Claim
from initcheck.claims.trial import NotAsked
from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.domain import Domain
from initcheck.contract.initializer import Initializer
from initcheck.contract.profile import Profile
from initcheck.contract.second_moments import BackwardSecondMoment, ForwardSecondMoment, Statistic, nonlinearity
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.diagnosis import diagnose
from initcheck.diagnosis.evidence.marginal_law import are_orthogonal
from initcheck.draws.call import BrokenCall
from initcheck.draws.draws import digest
from initcheck.draws.streams import SCREEN
from initcheck.draws.tail import second_moment_exists
from initcheck.errors import InitcheckError
from initcheck.grouping import grouped
from initcheck.layers.bench.response import FORGETS
from initcheck.layers.causes import cause_of
from initcheck.layers.direct import AnsweredBackward, MeasuredBackward, MeasuredForward
from initcheck.layers.draws import LayerDraws
from initcheck.layers.fans import Structure, structure_of
from initcheck.layers.observed import copies_along_an_axis, observed_weight
from initcheck.layers.part import Part, Whole
from initcheck.layers.run_causes import cause_of_a_run
from initcheck.layers.sampler import LayerSampler
from initcheck.layers.schemes import gives, scheme_of
from initcheck.report.verdict import Evidence
from initcheck.sandbox.containment import InitializerRaised, contained
from initcheck.sandbox.global_generators import isolated

_REPEATS = 6
# Weights of a layer whose build is cheap enough for a claim that asks for thousands of them.
_FEW = 2
_MEDIUM = 4
# Decided by building alone.
_BUILT = "accepts-every-shape"
# Weights that take as long to draw as an empty layer takes to build.
_A_BUILD = 4_096
_FLAT = "what the layer ends in (a sine, tanh, sigmoid) forgets sizes: no scale of its weights serves both directions"


class LayerSubject:
    """One layer class, or function that builds a layer, as a run sees it."""

    def __init__(self, initializer: Initializer, profile: Profile, seed: int, *, sampler: LayerSampler) -> None:
        self.initializer = initializer
        self._budget = profile
        self.seed = seed
        self.problem: str | None = None
        try:
            self.structure = structure_of(sampler)
            if not self.structure.parts:
                raised = next(iter(self.structure.refused.values()))
                self.problem = f"{sampler.builder.name} cannot be judged as a layer: it raises {raised}."
        except InitcheckError as error:
            self.structure, self.problem = Structure(), str(error)
        self.draws = LayerDraws(
            initializer,
            seed,
            sampler=sampler,
            structure=self.structure,
            activation=lambda: nonlinearity(self.contract),
        )
        self._constant: dict[Case, bool] = {}

    @functools.cached_property
    def contract(self) -> Contract:
        """What the whole layer is held to: declared, or what the initializer of its only weight promises."""
        said = self.initializer.contract
        weights = {part.weight for part in self.structure.parts}
        notes = [
            *self.structure.notes,
            *(f"not built with {s}: it raises {e}" for s, e in self.structure.refused.items()),
        ]
        if self._builds_are_dear:
            notes.append("a build runs over forty operations of torch: it was built as seldom as a verdict allows")
        if self.structure.others:
            notes.append(f"not judged: {', '.join(self.structure.others)}; the claims are about weights")
        if len(weights) == 1:
            said = self._held(weights.pop())
        else:
            for name in dict.fromkeys(part.weight for part in self.structure.parts):
                known = self.structure.contracts.get(name)
                if known is not None and known.fan is not None:
                    notes.append(f"{name} is held to what its initializer promises: {known.activation}, {known.fan}")
            if self._serves_relu and not _SCALE & set(said.origins):
                said = said.filled_by(replace(_DEFAULT, activation="relu"), "inferred")
            said = said.filled_by(_DEFAULT, "assumed")
        return replace(said, notes=(*said.notes, *notes))

    def contract_of(self, layer: Case) -> Contract:
        """What this weight is held to."""
        return self._held(layer.weight) if isinstance(layer, Part) else self.contract

    def _held(self, weight: str) -> Contract:
        said = self.initializer.contract
        known = self.structure.contracts.get(weight)
        if known is not None and not _SCALE & set(said.origins) and known.base("distribution") != "constant":
            kept = {k: v for k, v in known.origins.items() if k != "layout"}
            said = said.filled_by(replace(known, layout=None, origins=kept, notes=()), "known")
        scheme = self._schemes.get(weight)
        if scheme is not None and not _SCALE & set(said.origins):
            said = said.filled_by(scheme, "inferred")
        if "entries" not in said.origins and weight in self._orthogonal:
            said = said.filled_by(Contract(entries="dependent"), "inferred")
        return said.filled_by(_DEFAULT, "assumed")

    @functools.cached_property
    def _orthogonal(self) -> frozenset[str]:
        """The weights every block of which is orthogonal at every size: no accident, and no entry is on its own."""
        parts = [p for p in self.structure.parts if min(p.units, p.inputs) >= 2 and not self.structure.lookup]
        dtype = self.initializer.contract.dtypes[0]
        bent = set()
        for part in parts:
            if part.weight not in bent:
                try:
                    drawn = self.draws.sample(part, dtype, SCREEN, _REPEATS)
                except BrokenCall:
                    drawn = np.zeros((1, part.units, part.inputs))
                bent |= set() if are_orthogonal(list(drawn)) else {part.weight}
        return frozenset(part.weight for part in parts) - bent

    @functools.cached_property
    def _schemes(self) -> dict[str, Contract | None]:
        """Of the weights that are judged each by itself, the contract of the scheme that it follows."""
        return {} if self.structure.lookup or self.structure.wholes else self._schemes_seen

    @functools.cached_property
    def _schemes_seen(self) -> dict[str, Contract | None]:
        """He's or Glorot's contract of the weights that follow it at every size; no other law is guessed."""
        parts, dtype = self.structure.parts, self.initializer.contract.dtypes[0]
        names = dict.fromkeys(part.weight for part in parts)
        return {name: scheme_of(self.draws, [p for p in parts if p.weight == name], dtype) for name in names}

    @functools.cached_property
    def _serves_relu(self) -> bool:
        """Whether a layer of several weights gives at every size what one of them, which follows He's law, gives alone.

        So does a layer with LoRA beside it, whose second factor starts at zero. Two weights of LeCun's law that are
        added give twice the variance too, and neither is He's.
        """
        wholes = self.structure.wholes
        if not wholes or self.structure.lookup or self.structure.answering is not None:
            return False
        seen = self._schemes_seen.values()
        he = any(scheme is not None and (scheme.activation, scheme.fan) == _HE for scheme in seen)
        dtype = self.initializer.contract.dtypes[0]
        return he and gives(self.draws, wholes, nonlinearity(_DEFAULT), 2.0, dtype)

    @functools.cached_property
    def _plan(self) -> tuple[Part, ...]:
        return tuple(sorted(self.structure.parts, key=lambda p: (p.number, p.place, p.weights, p.shape, str(p.block))))

    @functools.cached_property
    def domain(self) -> Domain:
        """The parts at every size, smallest first."""
        return Domain(("out_in",), self.contract.widths, 1, self._plan, (), None)

    def plan_of(self, claim: Claim) -> tuple[Case, ...]:
        """The scale is asked of the whole layer where its weights do not tell it; all else of the weights.

        First of what a FAIL costs least of: it wants a million weights of one case and an eighth of the others.
        """
        if claim.topic != "scale":
            return self._plan
        wholes, run = self.structure.wholes, {whole.number for whole in self.structure.wholes}
        told = [p for p in self._plan if p.number not in run and self.structure.answering is None]
        told = [p for p in told if p.weight not in self.structure.unscaled]
        asked: list[Part | Whole] = [*told, *wholes]
        return tuple(sorted(asked, key=_cost_of_a_failure))

    def unsettled(self, claim: Claim) -> str | None:
        """Where some size could not be built, whether any may; a layer is measured against fans of its own.

        A width that heads or groups do not divide is refused rightly, which its error alone does not tell from a bug.
        """
        if claim.id != _BUILT or not self.structure.refused:
            return None
        size, raised = next(iter(self.structure.refused.items()))
        return f"with {size} it raises {raised}; whether that is meant no error tells"

    def not_asked(self, claim: Claim) -> str | None:
        """Why a claim does not fit a layer."""
        if self.problem is not None and not (claim.id == _BUILT and self.structure.refused):
            return self.problem
        if self.structure.lookup and claim.topic == "scale":
            part = self.domain.largest
            record = self.draws.records(part, self.contract.dtypes[0], SCREEN, 4)
            spread = float(np.mean(record.energy)) / part.weights
            return (
                "a lookup sums over one input, so no variance of an output is promised"
                f" (mean square of an entry {spread:.3g}, width times it {spread * part.inputs:.3g})"
            )
        if claim.topic == "scale" and not self.plan_of(claim):
            names = ", ".join(sorted(self.structure.unscaled))
            return f"{names}: no sum of weights times inputs was found in the layer, so no variance of one is promised"
        return claim.not_asked_of.get("layer")

    def output_second_moment(self, layer: Case) -> Statistic:
        """The closed form where the weights tell it, else what comes out of a run."""
        contract = self.contract_of(layer)
        return MeasuredForward(layer, contract) if isinstance(layer, Whole) else ForwardSecondMoment(layer, contract)

    def gradient_second_moment(self, layer: Case) -> Statistic:
        """Likewise backward.

        Raises:
            NotAsked: what the layer ends in forgets the size of what it is given.
        """
        contract = self.contract_of(layer)
        if isinstance(layer, Whole) and layer.slope:
            if layer.slope in FORGETS:
                raise NotAsked(_FLAT)
            return AnsweredBackward(layer.turned, contract)
        if isinstance(layer, Whole):
            return MeasuredBackward(layer.turned, contract)
        return BackwardSecondMoment(layer, contract)

    def is_constant(self, layer: Case) -> bool:
        """Whether six builds give this part the same few values."""
        if isinstance(layer, Whole):
            return False
        if layer not in self._constant:
            dtype = self.contract.dtypes[0]
            arrays = self.draws.arrays(layer, dtype, self.draws.seeds(layer, dtype, SCREEN, 0, _REPEATS))
            self._constant[layer] = len({digest(a) for a in arrays}) == 1 and len(np.unique(arrays[0])) <= 16
        return self._constant[layer]

    @functools.cached_property
    def constant(self) -> bool:
        """Whether every weight is a constant."""
        try:
            return all(self.is_constant(part) for part in self._at_one_size)
        except BrokenCall:
            return False

    @functools.cached_property
    def probes(self) -> tuple[Part, ...]:
        """Whole weights at a few sizes."""
        wholes = list(dict.fromkeys(part.whole for part in self.structure.parts))
        if self._beside_traced:
            wholes = list(dict.fromkeys(part.whole for part in self._beside_traced))
        return tuple(dict.fromkeys((wholes[0], wholes[len(wholes) // 2], wholes[-1])))

    @property
    def called(self) -> tuple[Case, ...]:
        """Every weight at every size: a build is a call of the user's own; at one size where it is compiled."""
        return self._beside_traced or self._plan

    @property
    def _beside_traced(self) -> tuple[Part, ...]:
        """Of a layer that is compiled, the weights at the first size: its own builds are compiled there."""
        traced = self.draws.sampler.compiled.trusted
        return tuple(p for p in self._plan if p.number == self._plan[0].number) if traced else ()

    @functools.cached_property
    def medium(self) -> tuple[Part, ...]:
        """Up to four weights of one size, of 64 to 1,200 entries: they are read off the same builds."""
        sized = (p for p in self.structure.parts if 64 <= p.weights <= 1_200 and min(p.units, p.inputs) >= 4)
        kept = max(grouped((part.number, part) for part in sized).values(), key=len, default=[])
        with contextlib.suppress(BrokenCall):
            # What is constant on purpose, LoRA's zeros, has no law to ask about beside weights that are drawn.
            kept = [part for part in kept if not self.is_constant(part)] or kept
        return tuple(kept[:: max(1, math.ceil(len(kept) / _MEDIUM))])

    @functools.cached_property
    def positioned(self) -> tuple[Part, ...]:
        """None where 2,600 builds would take longer than a few seconds: anything but a small layer of torch.

        By what the layer is, not by a clock: the same tree gives the same verdicts on every machine.
        """
        small = len(self._at_one_size) <= _FEW and not self._builds_are_dear
        return self.medium if small and self.initializer.framework == "torch" else ()

    @functools.cached_property
    def profile(self) -> Profile:
        """The budget; of builds that are dear a part of it."""
        return self._budget.for_dear_calls() if self._builds_are_dear else self._budget

    @functools.cached_property
    def _builds_are_dear(self) -> bool:
        sampler = self.draws.sampler
        try:
            with contained(), isolated(1):
                return sampler.builder.is_dear(sampler.sizes[0])
        except InitializerRaised:
            return False

    @property
    def dear_calls(self) -> bool:
        """Whether a build is so dear that no position is looked at."""
        return not self.positioned

    @property
    def smaller(self) -> int:
        """None: the worst weight is named instead of the smallest."""
        return 0

    @functools.cached_property
    def second_moment_exists(self) -> bool:
        """Whether the tail of the weights shows that a variance exists at all."""
        dtype = self.contract.dtypes[0]
        return second_moment_exists(self.draws, self._plan, dtype, constant=self.constant)

    def peers(self, layer: Case) -> tuple[Case, ...]:
        """The blocks built together with this one; of the first medium one only, for they are compared once."""
        if not self.medium or layer != self.medium[0]:
            return ()
        return tuple(p for p in self._beside(self.medium[0]) if not self.is_constant(p))

    def likely_cause(self, claim: Claim, failed: Evidence) -> Cause | None:
        """What the variance was divided by, or how it goes with the widths; of other claims what its draws show."""
        if claim.topic != "scale":
            return self._shown(claim, failed)
        wholes, dtype = self.structure.wholes, self.contract.dtypes[0]
        if all(whole.described(dtype) != failed.case for whole in wholes):
            shown = functools.partial(self._shown, claim, failed)
            return cause_of(self.structure, self.draws, self.contract, self.contract_of, failed, shown)
        made = any(part.weight.startswith("parametrizations.") for part in self.structure.parts)
        runs = [(w, self.output_second_moment(w)) for w in wholes]
        forward = cause_of_a_run(runs, self.draws, dtype, "output", parametrised=made)
        if forward is not None or not claim.backward or any(whole.slope for whole in wholes):
            return forward
        turned = [(w.turned, self.gradient_second_moment(w)) for w in wholes]
        return cause_of_a_run(turned, self.draws, dtype, "gradient")

    def _shown(self, claim: Claim, failed: Evidence) -> Cause | None:
        dtype = self.contract.dtypes[0]
        part = next((p for p in self.structure.parts if p.described(dtype) == failed.case), None)
        if part is None:
            return None
        if failed.measured and " repeats " in failed.measured and claim.topic == "entries":
            return Cause(
                "one draw fills both of these weights: a copy, or one key or seed that is used twice",
                "draw each of them on its own: with a key or seed of its own, and with no copying",
            )
        copies = copies_along_an_axis(self.draws, part) if claim.topic in ("entries", "symmetry") else None
        if copies is not None:
            return copies
        seen = observed_weight(self.structure, self.draws, part, self.contract_of(part), claim.topic or "", failed)
        return None if seen is None else diagnose(seen)

    @functools.cached_property
    def _at_one_size(self) -> list[Part]:
        return self._beside(self._plan[0])

    def _beside(self, one: Part) -> list[Part]:
        return [part for part in self.structure.parts if part.number == one.number]


def _cost_of_a_failure(case: Part | Whole) -> float:
    weights = numbers = case.size.inputs * case.size.outputs
    if isinstance(case, Whole) and not case.slope and case.shape[1] > case.size.outputs:
        # An image: every place is a number, and costs as many products as it has inputs.
        numbers = case.weights
        weights = max(weights, round(case.fan_in * numbers))
    return max(2**20 / numbers, 200) * (_A_BUILD + weights)


_DEFAULT = Contract(activation="linear", fan="fan_in")
_HE = ("relu", "fan_in")
_SCALE = {"activation", "gain", "std", "fan"}
