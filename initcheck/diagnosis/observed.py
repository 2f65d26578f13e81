"""What is known of a failing initializer, and all that its draws show: read once, by every rule that asks."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field

import numpy as np

from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.layer import Layer
from initcheck.diagnosis.evidence.entries import Dependence, dependence_of
from initcheck.diagnosis.evidence.formulas import fan_text, number, over, root, variance_text
from initcheck.diagnosis.evidence.inference import best_law
from initcheck.diagnosis.evidence.marginal_law import Family, family_of
from initcheck.diagnosis.evidence.probe import Array, DrawFunction, Probe, probe, repeated
from initcheck.diagnosis.evidence.variance_law import LawSample, VarianceLaw

_MATRICES = ("out_in", "in_out")
_MEAN_SHAPE, _MEAN_CALLS = (256, 256), 32
# A law that more than a third of the shapes contradict is not said to be the one in the code.
_MOST = 2 / 3


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is known of a failing initializer.

    Attributes:
        draw: ``draw(shape, seed)`` gives an array of that shape, or raises.
        contract: what it promises, inferred fields included.
        topic: what the claim that failed is about (``TOPICS``); None to name the first cause of any kind.
        layer: the smallest failing layer, where there is one: a convolution is then judged as one.
        seed: the seeds used are those that follow.
        equal_kernels: it takes one number for all sides of a kernel.
        squares: it makes square matrices only.
        call: as ``draw``, by a call of the user's own that meets the global generators as they stand; or None.
        measured, allowed: what failed and what would have held, in words.
    """

    draw: DrawFunction
    contract: Contract = field(default_factory=Contract)
    topic: str | None = None
    layer: Layer | None = None
    seed: int = 0
    equal_kernels: bool = False
    squares: bool = False
    call: DrawFunction | None = None
    measured: str = ""
    allowed: str = ""

    @property
    def layout(self) -> str:
        """The layout that the failing layer was judged in."""
        return self.layer.layout if self.layer is not None else self.contract.layout or "out_in"

    @property
    def fan(self) -> str:
        """The promised fan."""
        return self.contract.fan or "fan_in"

    @property
    def power(self) -> float:
        """The promised constant of the variance: gain^2."""
        return required_power(self.contract)

    @property
    def proven(self) -> bool:
        """Whether a claim on the scale was shown to fail; else small deviations are not called mistakes."""
        return self.topic in ("scale", "depth", "law")

    @functools.cached_property
    def probe(self) -> Probe:
        """The first look: draws at two dozen shapes."""
        groups = self.contract.groups
        also = self.layer.shape if self.layer is not None else None
        if self.layout in _MATRICES:
            return probe(self.draw, seed=self.seed, ranks=(2,), also=also, squares=self.squares)
        return probe(
            self.draw,
            seed=self.seed,
            ranks=(len(self.layout), 2),
            depthwise=self.layout if groups == "depthwise" else None,
            grouped=(self.layout, groups) if isinstance(groups, int) and groups > 1 else None,
            also=also,
            equal_kernels=self.equal_kernels,
            squares=self.squares,
        )

    @functools.cached_property
    def family(self) -> Family:
        """The marginal law of the weights."""
        return family_of(self.probe.large(256))

    @functools.cached_property
    def dependence(self) -> Dependence | None:
        """What entries know of one another; None where they know nothing."""
        found = dependence_of(self.probe, self.layout)
        # Of what no entry may know of another an orthogonal matrix shows plenty; that it is the identity says more.
        plenty = self.family.name == "orthogonal" and found is not None and found.name != "diagonal"
        return None if plenty else found

    @functools.cached_property
    def mean(self) -> tuple[float, float]:
        """Mean over rms of the weights, and its standard error between draws; of many more where the mean failed."""
        return (self._mean_of_many() if self.topic == "centering" else None) or self.probe.mean()

    def _mean_of_many(self) -> tuple[float, float] | None:
        """The same of two million weights; None where it takes no matrix."""

        def of(weights: Array) -> float:
            rms = math.sqrt(float(np.mean(weights**2)))
            return float(weights.mean()) / rms if 0 < rms < math.inf else math.nan

        values = repeated(self.draw, _MEAN_SHAPE, self.seed, _MEAN_CALLS, of)
        if values is None or any(map(math.isnan, values)):
            return None
        return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(_MEAN_CALLS)

    @functools.cached_property
    def samples(self) -> list[LawSample]:
        """One second moment a shape."""
        return self.probe.samples(self.layout, groups=self.contract.groups)

    @functools.cached_property
    def best_law(self) -> VarianceLaw | None:
        """The law that fits most of the shapes; None where none fits half of them."""
        return best_law(self.probe, self.layout, self.family, groups=self.contract.groups)

    @functools.cached_property
    def sure_law(self) -> VarianceLaw | None:
        """The same where it can be the one in the code: of the promised fan, or seldom contradicted."""
        law = self.best_law
        if law is None or not law.constant < math.inf:
            return None
        return law if law.denominator.name == self.fan or law.agreeing >= _MOST * len(self.samples) else None

    # -- in the words of a cause -------------------------------------------------------------------------------

    @property
    def _law(self) -> VarianceLaw:
        law = self.sure_law
        if law is None:
            raise ValueError("a law is put in words that was not found: ask for sure_law first.")
        return law

    @property
    def law(self) -> str:
        """``variance is 0.5/fan_out``."""
        divisor = self._law.denominator
        as_promised = divisor.fan == self.fan and self.contract.std is None
        return f"variance is {variance_text(self._law.constant, self.fan if as_promised else divisor.name)}"

    @property
    def std(self) -> str:
        """The root of the law's constant."""
        return number(math.sqrt(self._law.constant))

    @property
    def bound(self) -> str:
        """The bound of a uniform with the law's constant for its variance."""
        return number(math.sqrt(3 * self._law.constant))

    @property
    def wanted(self) -> str:
        """The promised fan, as a formula."""
        return fan_text(self.fan)

    @property
    def std_wanted(self) -> str:
        """The standard deviation to write."""
        return root(self.power, self.fan)

    @property
    def write(self) -> str:
        """What to write instead, in the terms of what is drawn: a bound, a std, the gain of an orthogonal matrix."""
        family = self.family
        if family.name == "orthogonal":
            gain = number(math.sqrt(self.power))
            return "the orthogonal matrix as it is" if gain == "1" else f"multiply the orthogonal matrix by {gain}"
        if family.is_uniform:
            return f"a uniform on +-{self.bound_wanted}"
        if family.name == "truncated_normal" and family.share < 0.985:
            return f"std = {self.std_wanted}, divided by {math.sqrt(family.share):.4f} for the cut"
        if family.name == "sparse":
            return f"std = {self.std_wanted}, divided by sqrt({family.share:.3g}), the root of the density"
        return f"std = {self.std_wanted}"

    @property
    def bound_wanted(self) -> str:
        """The bound of a uniform to write."""
        return root(3 * self.power, self.fan)

    @property
    def normal(self) -> str:
        """The plainest initializer that keeps the promise."""
        return f"a normal of std {self.std_wanted}"

    @property
    def variance_wanted(self) -> str:
        """The variance to write."""
        return over(self.power, self.fan)

    @property
    def activation(self) -> str:
        """The activation of the contract."""
        return str(self.contract.said().get("activation") or "linear")

    @property
    def layout_promised(self) -> str:
        """The layout of the contract."""
        return self.contract.layout or "this layout"
