"""What an initialization does to a signal's second moment, forward and backward, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.errors import UsageError
from initcheck.networks import Activation, activation
from initcheck.statistics import Record

Floats = npt.NDArray[np.float64]


def nonlinearity(contract: Contract) -> Activation:
    """The activation that a contract names; linear where it names none.

    Raises:
        UsageError: it is a function that nobody has read yet, as ``initcheck.load`` does.
    """
    given = contract.activation
    if isinstance(given, Activation):
        return given
    try:
        return activation(given if isinstance(given, str) else "linear" if given is None else repr(given))
    except ValueError:
        raise UsageError(
            f"activation={given!r} is a function that has not been read; load the target, initcheck.load(...)."
        ) from None


@dataclass(frozen=True)
class Statistic:
    """A number per call of a layer, divided by its ideal value; its mean over calls is what a claim is about.

    Attributes:
        layer: the layer drawn.
        contract: what the initializer promises.
    """

    layer: Case
    contract: Contract

    @property
    def ideal(self) -> float:
        """The value that the contract promises."""
        raise TypeError(f"{type(self).__name__} names no ideal value")

    def per_call(self, record: Record) -> Floats:
        """The statistic of every call of a record, shape (calls,)."""
        raise TypeError(f"{type(self).__name__} reads no record")

    def centred(self, record: Record) -> Floats:
        """The statistic of weights whose mean is zero: the same mean over calls, with less noise in each."""
        return self.per_call(record)


class ForwardSecondMoment(Statistic):
    """E y^2 of a unit's pre-activation y = W phi(z), z ~ N(0, I), over the contract's ideal.

    Given W: (m2 - m1^2) sum w^2 + m1^2 (sum w)^2 per unit, averaged over units (CLAIMS.md). Exact, so no input
    noise enters. Source: He et al. 2015, eq. 10; Glorot & Bengio 2010, eq. 10.
    """

    @property
    def ideal(self) -> float:
        """1 for fan_in; 2 in/(in + out) for fan_avg; in/max(in, out) for fan_max; times gain^2/ideal gain^2."""
        layer, fan = self.layer, self.contract.fan or "fan_in"
        inputs = layer.inputs if fan == "fan_max" else layer.fan_in
        return inputs / layer.fan(fan) * declared_power(self.contract)

    def per_call(self, record: Record) -> Floats:
        """E y^2 given W, averaged over units, over the ideal."""
        phi = nonlinearity(self.contract)
        value = (phi.m2 - phi.m1**2) * record.energy + phi.m1**2 * record.row_sum_energy
        # A strided transposed convolution meets fan_in of the weights that a unit has; elsewhere they are the same.
        share = self.layer.fan_in / self.layer.inputs
        return value * (share / (self.layer.units * self.ideal))

    def centred(self, record: Record) -> Floats:
        """m2 fan_in mean(w^2) over the ideal: sums over the inputs of a unit add noise and nothing else."""
        mean_square = record.energy / self.layer.weights
        return np.asarray(nonlinearity(self.contract).m2 * self.layer.fan_in * mean_square / self.ideal)


class BackwardSecondMoment(Statistic):
    """m2' E (W^T g)^2, g ~ N(0, I): what is left of a gradient's second moment, over the contract's ideal.

    Source: Glorot & Bengio 2010, eq. 11; He et al. 2015, eq. 14.
    """

    @property
    def ideal(self) -> float:
        """As the forward one with the fans exchanged; times gain^2/ideal gain^2, times m2'/m2 of the activation."""
        layer, fan = self.layer, self.contract.fan or "fan_in"
        return layer.fan_out / layer.fan(fan) * declared_power(self.contract)

    def per_call(self, record: Record) -> Floats:
        """m2' fan_out mean(w^2) over the ideal."""
        phi = nonlinearity(self.contract)
        mean_square = record.energy / self.layer.weights
        return np.asarray(phi.m2_prime * self.layer.fan_out * mean_square / self.ideal)


class MeanSquare(Statistic):
    """E w^2 over a declared std^2: for contracts with a fixed standard deviation at every width."""

    @property
    def ideal(self) -> float:
        """std^2."""
        return float(self.contract.std or 1.0) ** 2

    def per_call(self, record: Record) -> Floats:
        """mean(w^2) over std^2."""
        return np.asarray(record.energy / (self.layer.weights * self.ideal))


def serves_both_ways(contract: Contract) -> bool:
    """Whether one gain keeps signal and gradient: m2' = m2 to a tenth (not for tanh, sigmoid, softplus)."""
    phi = nonlinearity(contract)
    return 0.9 <= phi.m2_prime / phi.m2 <= 1.1


def declared_power(contract: Contract) -> float:
    """Gain^2 over the activation's ideal gain^2, where a gain is declared; else 1."""
    if contract.gain is None:
        return 1.0
    return (contract.gain / nonlinearity(contract).gain) ** 2


def widths_of_a_fixed_std(contract: Contract) -> str:
    """Say at which fan_in a fixed std keeps the output variance in [0.8, 1.25]: std^2 m2 fan_in is 1 at one width.

    >>> widths_of_a_fixed_std(Contract(std=0.02))
    'std 0.02 keeps the output variance in [0.8, 1.25] at fan_in 2000 to 3125 only (1 at 2500)'
    """
    per_input = float(contract.std or 0.0) ** 2 * nonlinearity(contract).m2
    low, high, one = (
        math.ceil(0.8 / per_input - 1e-9),
        math.floor(1.25 / per_input + 1e-9),
        round(1 / per_input),
    )
    return f"std {contract.std:g} keeps the output variance in [0.8, 1.25] at fan_in {low} to {high} only (1 at {one})"
