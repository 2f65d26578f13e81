"""A plain function of a shape as the claims see it: its resolved contract, its domain, everything drawn of it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.adapters.signatures.frameworks import compiles
from initcheck.adapters.trial_calls import TRIED
from initcheck.claims.statement import Claim
from initcheck.contract.case import Case
from initcheck.contract.contract import DENSE_ONLY, OF_KERNELS, Contract
from initcheck.contract.domain import Domain, domain_of
from initcheck.contract.initializer import Initializer
from initcheck.contract.layer import Layer
from initcheck.contract.profile import Profile
from initcheck.contract.second_moments import BackwardSecondMoment, ForwardSecondMoment, Statistic
from initcheck.diagnosis.causes import Cause
from initcheck.diagnosis.diagnosis import diagnose
from initcheck.diagnosis.evidence.axes import KERNELS_OF
from initcheck.diagnosis.evidence.inference import Inferred, infer, infer_initializer
from initcheck.diagnosis.observed import Observed
from initcheck.draws.call import BrokenCall
from initcheck.draws.draw_plan import kept_whole
from initcheck.draws.draws import Draws
from initcheck.draws.instructions import calls_are_dear
from initcheck.draws.streams import SCREEN
from initcheck.draws.tail import second_moment_exists
from initcheck.report.verdict import Evidence

# A law that is one point has few magnitudes (zeros, ones, an identity); a random result that ignores its seed has
# as many as weights, and is no law.
_MAGNITUDES = 16
_REPEATS = 24
_MOST_REPEATS = 4_096
_RARE_WEIGHTS = 2**26
# So many weights show what one of them costs.
_TELLING = 64


class InitializerSubject:
    """One initializer as a run sees it.

    Attributes:
        initializer: the initializer.
        budget: what the profile of the run pays for.
        draws: everything drawn of it, by seeds that derive from the run seed.
        problem: None: what cannot be called was refused when it was read.
    """

    problem: str | None = None

    def __init__(self, initializer: Initializer, profile: Profile, seed: int) -> None:
        self.initializer = initializer
        self.budget = profile
        self.seed = seed
        self.draws = Draws(initializer, seed)

    @functools.cached_property
    def inferred(self) -> Inferred | None:
        """What its draws say it promises; None where everything was declared or is known."""
        said = self.initializer.contract
        target_known = said.activation is not None or said.gain is not None or said.std is not None
        if target_known and said.fan is not None and said.layout is not None and self.initializer.ranks:
            return None
        return infer_initializer(self.initializer, self._draw_for_inference, seed=self.seed)

    def unsettled(self, claim: Claim) -> str | None:
        """Why nothing can be said of a claim on the scale, where what is promised cannot be told from the draws."""
        said = self.initializer.contract
        if claim.topic not in ("scale", "depth") or any(x is not None for x in (said.activation, said.gain, said.std)):
            return None
        return self.inferred.unsettled if self.inferred is not None else None

    def likely_cause(self, claim: Claim, failed: Evidence) -> Cause | None:
        """What probably makes a claim fail, and the fix; words for what was proven, never a verdict."""
        layer = Layer(failed.shape, self._layout_of(failed.shape)) if failed.shape else None
        observed = Observed(
            draw=self._draw_for_inference,
            contract=self.contract if layer is None else self.contract_of(layer),
            topic=claim.topic,
            layer=layer,
            seed=self.seed,
            equal_kernels=self.initializer.equal_kernels,
            squares=self.initializer.squares,
            call=functools.partial(self._draw_for_inference, own=True),
            measured=failed.measured or "",
            allowed=failed.allowed or "",
        )
        return diagnose(observed)

    def _layout_of(self, shape: tuple[int, ...]) -> str:
        fitting = [x for x in self.domain.layouts if (2 if x in ("out_in", "in_out") else len(x)) == len(shape)]
        return fitting[0] if fitting else "out_in"

    @functools.cached_property
    def contract(self) -> Contract:
        """What the claims hold it to: declared, else known, else inferred, else (linear, fan_in)."""
        held_to = self._held_to
        if self.why_dear is None:
            return held_to
        said = (
            f"{self.why_dear}: it was asked for {len(self.domain.plan)} shapes, each as seldom as a verdict allows; no"
            " other width was glanced at"
        )
        return dataclasses.replace(held_to, notes=(*held_to.notes, f"{said}."))

    @functools.cached_property
    def _held_to(self) -> Contract:
        said = self.initializer.contract
        if said.promised("distribution") == "orthogonal":
            # Orthonormal rows, or columns of a tall matrix, have that variance and can have no other.
            said = said.filled_by(Contract(fan="fan_max", entries="dependent"), "known")
        if self.inferred is not None:
            if said.activation is not None or said.gain is not None or said.std is not None:
                # The strength of the initializer is promised: its draws may fill in the layout, not excuse it.
                said = said.filled_by(
                    Contract(layout=self.inferred.contract.layout, fan=said.fan or "fan_in"), "assumed"
                )
            else:
                said = said.filled_by(self.inferred.contract, "inferred")
        held_to = said.filled_by(Contract(activation="linear", fan="fan_in", layout="out_in"), "assumed")
        notes = held_to.notes
        if any(rank > 2 for rank in self.initializer.ranks):
            notes = tuple(note for note in notes if not note.startswith(DENSE_ONLY))
        if (own := self.kernels_held_to) is not None:
            law = " and ".join(f"{key}={value}" for key, value in own.items())
            notes += (f"{OF_KERNELS}{law} (inferred).",)
        return held_to if notes == held_to.notes else dataclasses.replace(held_to, notes=notes)

    @functools.cached_property
    def domain(self) -> Domain:
        """The layers it is asked for."""
        domain = self._domain_of(self.profile, self.costly_shapes)
        whole = [case for case in domain.plan if 64 <= case.weights <= 1_100]
        self.draws.kept = kept_whole(domain.plan, whole)
        return domain

    def _domain_of(self, budget: Profile, costly_shapes: bool) -> Domain:
        return domain_of(
            self._held_to,
            budget,
            self.seed,
            self.initializer.name,
            ranks=self.initializer.ranks,
            convolutions=self.inferred is not None and self.inferred.handles_convolutions,
            costly_shapes=costly_shapes,
            squares=self.initializer.squares,
            equal_kernels=self.initializer.equal_kernels,
        )

    @functools.cached_property
    def profile(self) -> Profile:
        """The budget; of calls that are dear a part of it."""
        return self.budget if self.why_dear is None else self.budget.for_dear_calls()

    @functools.cached_property
    def why_dear(self) -> str | None:
        """Why few calls can be afforded, in words; None where an ordinary check can be."""
        if self._is_compiled and not self._is_called_one_by_one:
            return None
        plan = self._domain_of(self.budget, False).plan
        larger = next((case for case in plan if case.weights >= _TELLING), plan[-1])
        return calls_are_dear(self.draws, (plan[0], larger), self._held_to.dtypes[0])

    @property
    def dear_calls(self) -> bool:
        """Whether claims look at no more calls than a verdict needs: of dear ones, or where no layer is small."""
        return self.why_dear is not None or not self.medium

    @property
    def _is_called_one_by_one(self) -> bool:
        """Whether what is compiled for many calls was refused, as of code that counts its calls; one draw tells."""
        compiled = getattr(self.initializer.sampler, "compiled", None)
        if compiled is None:
            return False
        if compiled.trusted is None:
            # Compared where own calls are looked at anyway: another shape is another compilation.
            case, dtype = _first_called(self._domain_of(self.budget, True).plan), self._held_to.dtypes[0]
            with contextlib.suppress(BrokenCall):
                self.draws.raw(case, dtype, self.draws.seeds(case, dtype, SCREEN, 0, 1), own=False)
        return compiled.trusted is False

    @property
    def _is_compiled(self) -> bool:
        return self.initializer.batched or compiles(self.initializer.framework)

    @property
    def costly_shapes(self) -> bool:
        """Whether a new shape costs a compilation, or its calls too much: few are asked for, and none for a glance."""
        return self._is_compiled or self.why_dear is not None

    @functools.cached_property
    def kernels_held_to(self) -> dict[str, Any] | None:
        """Fan and activation of kernels, where code tells layers by their kind and shows another law for these.

        Nobody says then that they are held to the law of matrices.
        """
        said, dense = self.initializer.contract, self.inferred
        rank = next((r for r in (4, 3, 5) if r in self.initializer.ranks), None)
        told = any(x is not None for x in (said.activation, said.gain, said.std, said.fan))
        if rank is None or dense is None or told or not self.initializer.by_kind or 2 not in self.initializer.ranks:
            return None
        layout = KERNELS_OF["out_in", rank]
        found = infer(self._draw_for_inference, layout=layout, seed=self.seed, ranks=(rank,)).contract
        own = {"fan": found.fan, "activation": found.activation}
        same_fan = found.fan == dense.contract.fan
        if found.origins["activation"] != "inferred" or (same_fan and found.activation == dense.contract.activation):
            return None
        # By the same fan, and without the gain of the matrices: that is one forgotten, and no law of their own.
        return None if same_fan and found.activation == "linear" else own

    def contract_of(self, layer: Case) -> Contract:
        """One contract for all shapes, and one for kernels where code may mean another law for them."""
        return self._contract_of_kernels if len(layer.shape) > 2 else self.contract

    @functools.cached_property
    def _contract_of_kernels(self) -> Contract:
        own = self.kernels_held_to
        return self.contract if own is None else dataclasses.replace(self.contract, **own)

    def plan_of(self, claim: Claim) -> tuple[Case, ...]:
        """The plan, whatever the claim."""
        return self.domain.plan

    def not_asked(self, claim: Claim) -> str | None:
        """Why a claim leaves out initializers; None where it does not."""
        return claim.not_asked_of.get("initializer")

    def output_second_moment(self, layer: Case) -> Statistic:
        """The second moment of a unit's output, over the ideal."""
        return ForwardSecondMoment(layer, self.contract_of(layer))

    def gradient_second_moment(self, layer: Case) -> Statistic:
        """The second moment of a gradient behind the layer, over the ideal."""
        return BackwardSecondMoment(layer, self.contract_of(layer))

    def peers(self, layer: Case) -> tuple[Case, ...]:
        """None: a call draws one weight."""
        return ()

    @property
    def smaller(self) -> int:
        """What the profile pays for; fewer where a new shape is compiled."""
        return self.profile.shrink // (10 if self.costly_shapes else 1)

    @functools.cached_property
    def constant(self) -> bool:
        """Whether every call of one shape gives the same few magnitudes: then one result is the whole law."""
        try:
            if not all(self._repeats(layer, _REPEATS) for layer in self.probes) or not self._few_magnitudes():
                return False
            # A weight that is rarely another one is no constant: as many as a run can afford to look at.
            largest = self.domain.largest
            return self._repeats(largest, max(_REPEATS, min(_MOST_REPEATS, _RARE_WEIGHTS // largest.weights)))
        except BrokenCall:
            return False

    def is_constant(self, layer: Case) -> bool:
        """Whether this layer's weights are a constant of the initializer, so that one call decides exactly."""
        return self.constant

    @functools.cached_property
    def second_moment_exists(self) -> bool:
        """Whether the tail of the weights shows that a variance exists at all."""
        return second_moment_exists(self.draws, self.domain.plan, self.contract.dtypes[0], constant=self.constant)

    @functools.cached_property
    def probes(self) -> tuple[Case, ...]:
        """Three layers, small, middling and large, for what a few calls decide; two where each own call is compiled."""
        plan = self.domain.plan
        if self.costly_shapes:
            return tuple(dict.fromkeys((_first_called(plan), plan[-1])))
        return tuple(dict.fromkeys((plan[0], plan[len(plan) // 2], plan[-1])))

    @property
    def called(self) -> tuple[Case, ...]:
        """The layers at which the user's own call is looked at."""
        return self.probes if self.costly_shapes else self.domain.plan

    @property
    def positioned(self) -> tuple[Case, ...]:
        """The layers whose positions are looked at one by one, in thousands of calls."""
        return self.medium

    @functools.cached_property
    def medium(self) -> tuple[Case, ...]:
        """A few layers of 64 to 1,100 weights, of different kinds, for the claims that must see whole results."""
        sized = [a for a in self.domain.plan if 64 <= a.weights <= 1_100 and min(a.units, a.inputs) >= 4]
        several = [a for a in self.domain.plan if 64 <= a.weights <= 1_100]
        chosen = (sized or several)[:: max(1, len(sized or several) // 3)][-3:]
        # W = W^T is seen in squares alone.
        squares = [a for a in sized if a.units == a.inputs and not any(b.units == b.inputs for b in chosen)]
        return (*squares[-1:], *chosen)

    def _repeats(self, layer: Case, calls: int) -> bool:
        dtype = self.contract.dtypes[0]
        first = None
        for stack in self.draws.stacks(layer, dtype, SCREEN, 0, calls, chunk=1):
            if first is not None and not np.array_equal(stack, first, equal_nan=True):
                return False
            first = stack if first is None else first
        return True

    def _few_magnitudes(self) -> bool:
        values = self.draws.sample(self.domain.largest, self.contract.dtypes[0], SCREEN, 1)
        # A NaN in every call is no law of one point, but no law at all.
        return bool(np.isfinite(values).all()) and len(np.unique(np.abs(values))) <= _MAGNITUDES

    def _draw_for_inference(self, shape: tuple[int, ...], seed: int, *, own: bool = False) -> Any:
        layer = Layer(shape, _ANY_LAYOUT.get(len(shape), "out_in"))
        dtype = self.initializer.contract.dtypes[0]
        [result] = self.draws.raw(layer, dtype, [seed], own=own)
        array = self.initializer.sampler.to_numpy(result)
        # Another shape than was asked for is shown as it is: it tells what went wrong.
        return array if array.shape != shape else self.draws.array(layer, dtype, result)


def _first_called(plan: Sequence[Case]) -> Case:
    """Where own calls are made first: what takes a key or is handed a shape was tried there."""
    return next((case for case in plan if case.shape == TRIED), plan[0])


_ANY_LAYOUT = {2: "out_in", 3: "oiw", 4: "oihw", 5: "oidhw"}
