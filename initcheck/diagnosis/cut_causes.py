"""Likely causes of a variance that is lost where weights are cut at a number, whatever their deviation."""

from __future__ import annotations

import math

import numpy as np

from initcheck.contract.standard_laws import truncated_std
from initcheck.diagnosis.causes import Cause, cause
from initcheck.diagnosis.evidence.formulas import number
from initcheck.diagnosis.observed import Observed

# Where torch's trunc_normal_ cuts unless it is told otherwise, a number and not a multiple of the std.
_CUT = 2.0


def default_cut_cause(seen: Observed) -> Cause | None:
    """Explain a variance that is off at small fans alone: there the std is so large that a cut at +-2 is felt.

    >>> from initcheck.contract.contract import Contract
    >>> def default(shape, seed):
    ...     rng, drawn = np.random.default_rng(seed), np.full(shape, 9.0)
    ...     while (far := np.abs(drawn) > 2).any():
    ...         drawn[far] = rng.normal(0, shape[1] ** -0.5, far.sum())
    ...     return drawn
    >>> default_cut_cause(Observed(draw=default, contract=Contract(layout="out_in"), topic="scale")).sentence
    'the weights end at +-2, whatever their std: at fan_in 1 that leaves 0.774 of the variance'
    """
    samples = [s for s in seen.samples if s.n >= 64 and math.isfinite(s.mean_square)]
    stds = [math.sqrt(seen.power / s.layer.fan(seen.fan)) for s in samples]
    shares = [truncated_std(1.0, -_CUT / std, _CUT / std) ** 2 for std in stds]
    felt = [(share, s.layer.fan(seen.fan)) for s, share in zip(samples, shares, strict=True) if share < 0.9]
    fits = all(
        abs(s.mean_square / (std**2 * share) - 1) <= max(0.05, 5 * s.relative_se)
        for s, std, share in zip(samples, stds, shares, strict=True)
    )
    largest = max((float(np.abs(a).max(initial=0.0)) for many in seen.probe.draws.values() for a in many), default=0.0)
    if not felt or not fits or not 0.95 * _CUT <= largest <= _CUT * 1.0001 or seen.contract.std is not None:
        return None
    share, fan = min(felt)
    return cause(
        f"the weights end at +-{number(_CUT)}, whatever their std: at {seen.wanted} {number(fan)} that leaves"
        f" {share:.3g} of the variance",
        "cut at multiples of the std, a=-2*std and b=2*std in torch, and divide the std by 0.8796 for that cut",
        "scale depth law",
    )


def absolute_cut_cause(seen: Observed) -> Cause | None:
    """Explain a law that ends where the weights meet a bound which does not go with the width.

    >>> def cut(shape, seed):
    ...     return np.clip(np.random.default_rng(seed).normal(0, shape[1] ** -0.5, shape), -0.3, 0.3)
    >>> absolute_cut_cause(Observed(draw=cut)).sentence
    'the weights end at +-0.3 at the widths whose law goes beyond that'
    """
    pooled = [np.abs(np.concatenate([a.ravel() for a in arrays])) for arrays in seen.probe.draws.values()]
    tops = [(float(sizes.max()), float(np.median(sizes))) for sizes in pooled if sizes.size >= 1024]
    if len(tops) < 5:
        return None
    bound = max(top for top, _ in tops)
    cut = [middle for top, middle in tops if top >= 0.98 * bound]
    free = [middle for top, middle in tops if top < 0.98 * bound]
    # Of one law the largest of a thousand weights lies at one multiple of their median, more or less.
    reaches = [sorted(top / middle for top, middle in tops if middle and (top >= 0.98 * bound) is is_cut)
               for is_cut in (True, False)]  # fmt: skip
    # Two widths say it where the law itself ends far sooner at one of them than where it is free.
    short = len(cut) == 2 and len(reaches[1]) >= 3 and reaches[0][0] < 0.75 * reaches[1][len(reaches[1]) // 2]
    if (len(cut) < 3 and not short) or max(cut) < 1.25 * min(cut) or (free and min(cut) < 0.9 * max(free)):
        return None
    # What is normalised ends somewhere too, and has the variance that is due.
    due = [s.mean_square * s.layer.fan_in for s in seen.samples if s.n >= 1024]
    if max(due) < 1.2 * min(due):
        return None
    where = "at the widths whose law goes beyond that" if free else "at every width, whatever the std"
    return cause(
        f"the weights end at +-{number(bound)} {where}",
        "cut at a multiple of the std, not at one number",
        "scale depth law",
    )
