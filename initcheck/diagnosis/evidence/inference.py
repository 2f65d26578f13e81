"""A contract read off draws, where none was declared; it fills gaps and never produces a failure."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.contract.contract import DENSE_ONLY, Contract, Origin
from initcheck.contract.gains import gains_near
from initcheck.contract.initializer import Initializer
from initcheck.diagnosis.evidence.axes import DENSE_OF, KERNELS_OF, AxesRead, rank_of, ranks_drawn, read_axes
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.evidence.marginal_law import Family, family_of
from initcheck.diagnosis.evidence.names import activations_in, speaks_of_he, speaks_of_sines
from initcheck.diagnosis.evidence.probe import Array, DrawFunction, Probe, probe
from initcheck.diagnosis.evidence.shortfall import shortfall
from initcheck.diagnosis.evidence.unsettled import not_of_he, only_before, right_before_a_sine
from initcheck.diagnosis.evidence.variance_law import LawSample, VarianceLaw, fit_laws

_FRAMEWORK_LAYOUTS = {
    "torch": "out_in",
    "equinox": "out_in",
    "keras": "in_out",
    "jax": "in_out",
    "flax": "in_out",
}
_RELU = 2.0
_PAPERS = {"linear": "LeCun", "relu": "He"}


@dataclass(frozen=True)
class Inferred:
    """What an initializer seems to promise.

    Attributes:
        contract: the fields found (origin ``inferred``) and those filled in (``assumed``), with notes.
        law: the law of the variance; None where none fits half of the shapes.
        family: the marginal law of the weights.
        handles_convolutions: it divides weights of rank 4 by the axes of a convolution, so it means to.
        convolution_layout: the layout it reads those axes in; None where it does not handle convolutions.
        confidence: what the inference rests on, in words.
        unsettled: a sentence where the scale is right only before an activation that nothing else points to; then
            nothing is said of the scale, for the constant may as well be a mistake.
    """

    contract: Contract
    law: VarianceLaw | None
    family: Family
    handles_convolutions: bool
    convolution_layout: str | None
    confidence: str
    unsettled: str | None = None

    def lines(self) -> list[str]:
        """Word it for the terminal: law, family, contract, notes."""
        law = "no law fits" if self.law is None else f"Var w = {self.law}, within {_percent(self.law)}"
        said = {key: str(value) for key, value in self.contract.said().items() if key in self.contract.origins}
        words = [f"{key} {value} ({self.contract.origins[key]})" for key, value in said.items()]
        lines = [
            f"variance      {law}",
            f"weights       {self.family}",
            f"contract      {', '.join(words)}",
            f"convolutions  {self.convolution_layout or 'not seen to be handled'}",
            f"rests on      {self.confidence}",
        ]
        return lines + [f"note          {note}" for note in self.contract.notes]


def infer(
    draw: DrawFunction,
    *,
    framework: str = "numpy",
    layout: str | None = None,
    seed: int = 0,
    ranks: tuple[int, ...] = (),
    named: str = "",
    fan: str | None = None,
    equal_kernels: bool = False,
    squares: bool = False,
    kernels_meant: bool = False,
) -> Inferred:
    """Infer a contract from about 200,000 weights at two dozen shapes.

    Never raises on account of the initializer: what could not be found is said in the notes.

    >>> def he(shape, seed):
    ...     return np.random.default_rng(seed).normal(0, (2 / shape[1]) ** 0.5, shape)
    >>> found = infer(he)
    >>> found.contract.activation, found.contract.fan, found.contract.layout
    ('relu', 'fan_in', 'out_in')

    Args:
        draw: ``draw(shape, seed)`` gives an array of that shape, or raises.
        framework: whose layout is taken where none is declared; NumPy has none.
        layout: the declared layout, as in a contract.
        seed: the seeds used are those that follow.
        ranks: numbers of axes the initializer accepts, where known.
        named: its name and its module's, which may name the activation it is for. Of the others only linear and ReLU
            are read off a constant alone.
        fan: the declared fan, as in a contract.
        equal_kernels: it takes one number for all sides of a kernel.
        squares: it makes square matrices only.
        kernels_meant: its code speaks of convolutions, so that the channels alone are no fan of theirs.
    """
    seen = probe(draw, seed=seed, ranks=ranks_drawn(layout, ranks), equal_kernels=equal_kernels, squares=squares)
    return infer_from(seen, framework=framework, layout=layout, named=named, fan=fan, kernels_meant=kernels_meant)


def infer_initializer(initializer: Initializer, draw: DrawFunction, *, seed: int = 0) -> Inferred:
    """Infer what an initializer seems to promise, from what is known of it and what it draws; see ``infer``."""
    return infer(
        draw,
        framework=initializer.framework,
        layout=initializer.contract.layout,
        seed=seed,
        ranks=initializer.ranks,
        named=initializer.named,
        fan=initializer.contract.fan,
        equal_kernels=initializer.equal_kernels,
        squares=initializer.squares,
        kernels_meant=initializer.kernels_meant,
    )


@np.errstate(all="ignore")  # a second moment that leaves float64 is infinite, and so an exception
def infer_from(
    seen: Probe,
    *,
    framework: str = "numpy",
    layout: str | None = None,
    named: str = "",
    fan: str | None = None,
    kernels_meant: bool = False,
) -> Inferred:
    """Infer a contract from draws already made; see ``infer``."""
    family = family_of(seen.large(256))
    declared = layout or _FRAMEWORK_LAYOUTS.get(framework)
    rank = next((r for r in (2, 4, 3, 5) if seen.of_rank(r)), 2)
    axes = read_axes(seen, 4 if rank == 2 else rank)
    read = _Reading(seen, family, rank, axes)
    read.free = frozenset(["linear", "relu"]) | activations_in(named)
    read.of_he, read.of_sines = speaks_of_he(named), speaks_of_sines(named)
    read.fan_is_declared, read.kernels_meant = fan is not None, kernels_meant
    if rank == 2:
        read.of_matrices(declared if declared not in DENSE_OF and rank_of(declared) == 2 else None)
    else:
        read.of_kernels(declared)
    return read.finish(declared, named=layout is not None)


def best_law(seen: Probe, layout: str, family: Family, groups: int | str = 1) -> VarianceLaw | None:
    """Fit the law in a layout; None where it fits fewer than half of the shapes."""
    samples = _samples(seen, layout, family, groups)
    laws = fit_laws(samples)
    return laws[0] if laws and 2 * laws[0].agreeing >= len(samples) else None


class _Reading:
    """One inference on its way: what was seen, and the contract's fields as they are found."""

    def __init__(self, seen: Probe, family: Family, rank: int, axes: AxesRead | None) -> None:
        self.seen, self.family, self.rank, self.axes = seen, family, rank, axes
        self.law: VarianceLaw | None = None
        self.layout = "out_in"
        self.kernels: str | None = None
        self.layout_origin: Origin = "assumed"
        self.fields: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}
        self.notes: list[str] = []
        self.power: float | None = None  # gain^2 of the activation found
        self.free = frozenset(["linear", "relu"])  # activations that a constant alone may be read as
        self.of_he = self.of_sines = False  # what its name promises: the variance of He, or of sine networks
        self.fan_is_declared = self.kernels_meant = False
        self.unsettled: str | None = None

    def of_matrices(self, declared: str | None) -> None:
        """Find the layout of matrices, and the law in it."""
        laws = {layout: best_law(self.seen, layout, self.family) for layout in ("out_in", "in_out")}
        axes = self.axes
        if axes is not None and declared is None:
            dense = laws[DENSE_OF[axes.layout]]
            if dense is not None and _same_fan(dense.denominator.name, axes.fan):
                self.layout, self.layout_origin = DENSE_OF[axes.layout], "inferred"
                if axes.axes:
                    self.notes.append(
                        f"Layout {self.layout} read from weights of four axes: their variance is divided by "
                        f"axes {axes.axes} of {axes.layout}. "
                        "That is what the code assumes, not how its weights are used."
                    )
        if declared is not None:
            self.layout, self.layout_origin = declared, "declared"
        elif self.layout_origin == "assumed":
            out_in = laws["out_in"]
            if out_in is not None and _only_fan_out(out_in.denominator.name):
                self.layout = "in_out"
        self.law = laws[self.layout]
        agrees = axes is not None and DENSE_OF[axes.layout] == self.layout and self.law is not None
        if agrees and axes and self.law and _same_fan(self.law.denominator.name, axes.fan):
            self.kernels = axes.layout

    def of_kernels(self, declared: str | None) -> None:
        """Take the layout of an initializer that takes no matrix from its kernels."""
        axes = self.axes
        if declared is not None and rank_of(declared) == self.rank:
            self.layout, self.layout_origin = declared, "declared"
        elif axes is not None:
            self.layout, self.layout_origin = axes.layout, "inferred"
        else:
            self.layout = KERNELS_OF[declared if declared in ("out_in", "in_out") else "out_in", self.rank]
        self.kernels = self.layout
        self.law = best_law(self.seen, self.layout, self.family)

    def finish(self, declared: str | None, *, named: bool) -> Inferred:
        """Fill fan and activation from the law, and word what a reader must know."""
        if declared is not None:
            self.layout_origin = "declared" if named else "known"
        self._fan_and_activation()
        if self.family.name == "orthogonal":
            self._found("distribution", "orthogonal")
            self._found("entries", "dependent")
        self.fields["layout"], self.origins["layout"] = self.layout, self.layout_origin
        contract = Contract(**self.fields, origins=self.origins, notes=tuple(self.notes))
        calls = sum(len(arrays) for arrays in self.seen.draws.values())
        weights = sum(a.size for arrays in self.seen.draws.values() for a in arrays)
        shapes = len(self.seen.draws)
        confidence = f"{weights:,} weights in {calls} calls at {shapes} shapes"
        if self.law is not None:
            confidence += f"; the law fits {self.law.agreeing} of {self.law.agreeing + len(self.law.exceptions)}"
        return Inferred(
            contract, self.law, self.family, self.kernels is not None, self.kernels, confidence, self.unsettled
        )

    def _found(self, key: str, value: str, origin: Origin = "inferred") -> None:
        self.fields[key], self.origins[key] = value, origin

    def _fan_and_activation(self) -> None:
        self._found("fan", "fan_in", "assumed")
        usual = "relu" if self.of_he else "linear"
        self._found("activation", usual, "assumed")
        law = self.law
        if law is None:
            self.notes.append(f"No law of the variance was found ({self._why()}); judged as {usual}, fan_in.")
            return
        name = law.denominator.name
        fan = law.denominator.fan
        plain = bool(fan)
        if plain:
            self._found("fan", fan)
        elif name in ("fan_avg^2", "sqrt(fan_avg)"):
            # A root too many or too few: it is the mean of both fans all the same.
            self._found("fan", "fan_avg", "assumed")
        constant = math.sqrt(law.constant) if name.endswith("^2") else law.constant
        constant = law.constant**2 if name.startswith("sqrt(") else constant
        self._activation(constant, law, plain)
        if self.family.name == "no-variance":
            self.notes.append(f"The weights have {self.family}; their scale was read from their quartiles.")
        elif not plain:
            std = number(math.sqrt(law.constant), within=max(0.006, 1.5 * law.standard_error))
            what = f"a fixed std of {std}" if name == "1" else f"variance {law}"
            hint = f"; declare std={std} if that is meant" if name == "1" else ""
            judged = "" if self.fan_is_declared else f"; judged as {self.fields['fan']}"
            self.notes.append(f"It has {what}, which no activation asks for{hint}{judged}.")
        self._word_layout(law)
        if self.rank == 2 and self.kernels is None and self.seen.of_rank(4) and plain:
            divided = best_law(self.seen, KERNELS_OF[self.layout, 4], self.family)
            # shape[1] of a matrix is axis 1 by name; shape[-2] was written with more axes in mind.
            channels = divided is not None and divided.denominator.name == "channels"
            of_both = divided is not None and divided.denominator.name == "(channels + units)/2"
            if (channels or of_both) and self.kernels_meant:
                self.kernels = KERNELS_OF[self.layout, 4]
                return
            channels = channels and self.layout == "in_out"
            # Theano's: matrices (in, out), and kernels (out, in, height, width).
            other = self.axes if self.axes is not None and len(self.axes.axes) > len("{1}") else None
            if name != "fan_in" or channels or other:
                by = "the channels of a convolution alone" if channels else "none of a convolution's"
                by = by if other is None else f"axes {other.axes} of {other.layout}, another layout than its matrices'"
                self.notes.append(
                    f"{DENSE_ONLY}: it takes four axes too, and divides by {by}."
                    " Declare layout=oihw or layout=hwio to have convolutions asked."
                )

    def _activation(self, constant: float, law: VarianceLaw, plain: bool) -> None:
        fitting = gains_near(constant, law.standard_error)
        near = [g for g in fitting if g.activation.partition("(")[0] in self.free]
        common = [g for g in near if g.activation in ("linear", "relu")]
        short = None if common else shortfall(constant, law.standard_error, self.family, named=self.free)
        if short is not None and short.gain.activation not in self.free and fitting:
            short = None
        if law.denominator.name == "1":
            return
        sines = right_before_a_sine(law, self.family) if self.of_sines else None
        if sines is not None:
            self.unsettled = sines
            self.notes.append(sines)
            return
        if self.of_he and "relu" not in {g.activation for g in near}:
            # Of a He that was clipped, or thinned out, to the variance of another the law of the weights tells.
            if common and plain and not shortfall(constant, law.standard_error, self.family, wanted=_RELU):
                self.unsettled = not_of_he(law)
                self.notes.append(self.unsettled)
            return
        if short is not None:
            self._found("activation", short.gain.activation, "assumed")
            self.notes.append(
                f"Constant {constant:.3g} is {short.gain.power:.3g}, the gain^2 of {short.gain.text}, times "
                f"{short.factor:.3g}: {self.family}, not corrected for."
            )
        elif near:
            # Linear and relu are by far the commonest: a rarer gain is taken where they are clearly off.
            off = abs(constant / common[0].power - 1) if common else math.inf
            chosen = common[0] if off <= max(0.02, 3 * law.standard_error) else near[0]
            self._found("activation", chosen.activation, "inferred" if plain else "assumed")
            self.power = chosen.power
            others = [g.text for g in near if g.activation not in (chosen.activation, "leaky_relu(0.2)")]
            if others and not common:
                named = next(g.text for g in near if g.activation == chosen.activation)
                self.notes.append(f"Constant {constant:.4g} fits {named} and {' and '.join(others)}.")
        elif plain and fitting:
            self.unsettled = only_before(law, fitting[0].activation, constant)
            self.notes.append(self.unsettled)
        elif plain:
            self.notes.append(
                f"Constant {constant:.3g} is no activation's gain^2; declare gain={number(math.sqrt(constant))} if that"
                " is meant; judged as linear."
            )

    def _word_layout(self, law: VarianceLaw) -> None:
        name = law.denominator.name
        normalised = "fan_in" if _only_fan_in(name) else "fan_out" if _only_fan_out(name) else None
        if normalised is None or self.rank != 2:
            return
        inferred = self.origins["activation"] == "inferred"
        paper = _PAPERS.get(self.fields["activation"], "scaled by") if inferred else "scaled by"
        if self.layout_origin == "assumed":
            axis = {"out_in": 1, "in_out": 0}[self.layout]
            axis = axis if normalised == "fan_in" else 1 - axis
            named = dataclasses.replace(law, constant=self.power) if inferred and self.power else law
            formula = str(named).replace(normalised, f"shape[{axis}]")
            first, other = (
                ("(out, in) as in PyTorch", "(in, out) as in Keras, JAX and x @ W")
                if self.layout == "out_in"
                else ("(in, out) as in Keras, JAX and x @ W", "(out, in) as in PyTorch")
            )
            meant = "that makes this initializer right" if inferred else "the axis it divides by is then the input"
            order = "(out, in)" if self.layout == "out_in" else "(in, out)"
            self.notes.append(
                f"Variance is {formula}: {paper} fan_in if weights are stored {first}, "
                f"{paper} fan_out if {other}. "
                f"Assumed {order}, because {meant}; swapped fans cannot be seen this way. "
                'Say layout="out_in" or "in_out" to have it checked.'
            )
        elif normalised == "fan_out":
            self.notes.append(
                f"Variance is {law}: {paper} fan_out, which keeps the gradient's scale. "
                "If fan_in was meant, the fans are swapped."
            )

    def _why(self) -> str:
        if not self.seen.draws:
            reasons = list(dict.fromkeys(self.seen.failures.values()))
            return f"no call gave weights: {reasons[0]}" if reasons else "nothing was drawn"
        if self.family.name == "zero":
            return str(self.family)
        return "the second moments agree with none at half of the shapes"


def _samples(seen: Probe, layout: str, family: Family, groups: int | str) -> list[LawSample]:
    if family.name != "no-variance":
        return seen.samples(layout, groups=groups)
    # Without a variance the interquartile range is the scale; 1.349 makes it the deviation of a normal.
    return seen.samples(layout, of=_squared_quartiles, groups=groups)


def _squared_quartiles(a: Array) -> float:
    low, high = np.quantile(a, [0.25, 0.75])
    return float((high - low) / 1.349) ** 2


def _only_fan_in(name: str) -> bool:
    return "fan_in" in name and "fan_out" not in name and not name.startswith("max(")


def _only_fan_out(name: str) -> bool:
    return "fan_out" in name and "fan_in" not in name


def _same_fan(dense: str, read: str) -> bool:
    return dense == read or {dense, read} == {"fan_max", "max(units, fan_in)"}


def _percent(law: VarianceLaw) -> str:
    return f"{100 * max(law.spread, law.standard_error, 0.001):.1f} %"
