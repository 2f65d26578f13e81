"""Numbers that are right but for one slip: the fan of the other side, the odds of the other sign."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.factory.wording import place
from initcheck.models.provenance.steps import Site, in_library
from initcheck.wording import listed

_LAYERS = frozenset(("Linear", "Conv1d", "Conv2d", "Conv3d"))
"""Layers of torch whose weights are known to be (outputs, inputs, ...)."""
_RARE = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Shares of positives that a classifier of a rare class is told to start from."""


def slips(trial: ModelTrial) -> None:
    """Say where a number would be a known one but for a slip: a doubt, for it may be meant."""
    undeclared = [r for r in trial.facts.roles if not any(law.matches(r.members[0].name) for law in trial.laws)]
    for said in (*_other_fan(undeclared), *_other_sign(undeclared)):
        trial.doubts_that(f"{said}; a declared law decides")


def _other_fan(roles: list[Role]) -> Iterator[str]:
    """Bounds of +-1/sqrt(fan_out): ``size(0)`` of a weight of torch for its fan_in, as the first of DDPG's did."""
    by_site: dict[Site, list[TensorRecord]] = defaultdict(list)
    for role in roles:
        record = role.members[0]
        site = record.law.site
        drawn = record.law.family == "uniform" and record.law.named and not record.default and record.owner in _LAYERS
        if drawn and len(role.shape) > 1 and site is not None and not in_library(site[0]):
            by_site[site].append(record)
    for site, records in by_site.items():
        told = [r for r in records if r.fans[0] != r.fans[1]]
        if len({r.fans for r in told}) >= 2 and all(_is_bound(r, r.fans[1]) for r in records):
            one = max(told, key=lambda r: max(r.fans) / min(r.fans))
            yield (
                f"{listed([r.name for r in records])}: uniform within 1/sqrt(fan_out), as of {one.name} +-"
                f"{one.law.high:.4g} for {one.fans[1]} outputs, where +-{1 / math.sqrt(one.fans[0]):.4g} is"
                f" 1/sqrt(fan_in) ({place(site)}): the first axis of a weight of torch counts outputs"
            )


def _is_bound(record: TensorRecord, fan: int) -> bool:
    return math.isclose(record.law.high, 1 / math.sqrt(fan), rel_tol=1e-4)


def _other_sign(roles: list[Role]) -> Iterator[str]:
    """Biases at +log((1 - p)/p): a sigmoid starts at 1 - p, where p was to be said (Lin et al. 2017, section 4.1)."""
    for role in roles:
        record = role.members[0]
        if len(role.shape) != 1 or not record.constant or record.low <= 0 or record.owner not in _LAYERS:
            continue
        share = next((p for p in _RARE if math.isclose(record.low, math.log((1 - p) / p), rel_tol=1e-5)), None)
        if share is not None:
            yield (
                f"{role.path}: {record.low:.4g} = log((1 - {share:g})/{share:g}) ({place(record.law.site)}): a sigmoid"
                f" starts at {1 - share:g}; {-record.low:.4g} starts it at {share:g}"
            )
