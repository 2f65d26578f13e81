"""How much a run looks at. A profile never changes an error rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from initcheck.errors import UsageError, closest


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The budget of a run.

    Attributes:
        name: what the user writes.
        layers: number of layers of the plan that the statistical claims walk.
        exact_layers: number of further small layers for the claims that one call decides.
        swept: every width up to this one is glanced at, as inputs and as units.
        searched: networks of about ten layers that Hypothesis generates and that are glanced at.
        largest: most weights of one layer of the plan.
        weights: most weights drawn for one case before it ends UNDECIDED.
        calls: most calls drawn for one case before it ends UNDECIDED.
        shrink: most layers tried while looking for the smallest failing one.
        dear: calls, or weights, cost a hundred times what they usually do: what an ordinary check would look at beside
            is left out, and what a FAILS rests on is not.
    """

    name: str
    layers: int
    exact_layers: int
    swept: int
    searched: int
    largest: int
    weights: int
    calls: int
    shrink: int
    dear: bool = False

    def for_dear_calls(self) -> Profile:
        """The part of it that is left where a call, or a weight, costs a hundred times what it usually does.

        >>> profile("default").for_dear_calls().calls
        18750
        """
        return replace(self, dear=True, largest=min(self.largest, 16_384), calls=self.calls // 8)


PROFILES = {
    p.name: p
    for p in (
        Profile(
            name="quick",
            layers=14,
            exact_layers=24,
            swept=64,
            searched=30,
            largest=16_384,
            weights=12_000_000,
            calls=40_000,
            shrink=60,
        ),
        Profile(
            name="default",
            layers=30,
            exact_layers=60,
            swept=256,
            searched=100,
            largest=65_536,
            weights=16_000_000,
            calls=150_000,
            shrink=150,
        ),
        Profile(
            name="thorough",
            layers=120,
            exact_layers=240,
            swept=1024,
            searched=600,
            largest=1_048_576,
            weights=160_000_000,
            calls=1_000_000,
            shrink=400,
        ),
    )
}


def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in PROFILES:
        raise UsageError(f"there is no profile {name!r}; {closest(name, PROFILES)}")
    return PROFILES[name]
