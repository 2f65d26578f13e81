"""The portrait of a model as plain data: its size, its roles with their laws, its chains of blocks."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.factory.facts import Facts
from initcheck.models.rules.lost_writes import written_by


def portrait(facts: Facts, laws: Sequence[DeclaredLaw], seconds: float) -> dict[str, Any]:
    """What a reader wants to see of a model beside the verdicts."""
    layout, first = facts.layout, facts.first
    signal = first.looks["signal"]
    widths = facts.width_law
    slopes = widths.slopes if widths is not None else {}
    return {
        "model": layout.name,
        "parameters": layout.parameters,
        "tensors": len(first.records),
        "blocks": layout.blocks,
        "tied": first.tied,
        "declared": {law.pattern: law.text for law in laws},
        "roles": [_role(role, layout.blocks, slopes.get(role.path)) for role in facts.roles],
        "writes": [dataclasses.asdict(w) for w in written_by(facts)],
        "widths": None if widths is None else {"parameter": widths.parameter, "widths": list(widths.widths)},
        "batch": signal.batch,
        "chains": [
            {
                "name": c.name,
                "blocks": len(c.blocks),
                "forward": list(c.forward),
                "backward": list(c.backward),
            }
            for c in signal.chains
        ],
        "loss": signal.loss,
        "classes": signal.classes,
        "builds": facts.builder.count + (len(widths.widths) if widths is not None else 0),
        "seeds": len(facts.builder.seeds),
        "seconds": round(seconds, 2),
    }


def _role(role: Role, blocks: int, slope: float | None) -> dict[str, Any]:
    common = Counter(m.law.signature for m in role.members).most_common(1)[0][0]
    member = next(m for m in role.members if m.law.signature == common)
    std = member.law.std if member.law.named else None
    return {
        "path": role.path,
        "tensors": len(role.members),
        "shape": list(role.shape),
        "law": member.law_text,
        "laws": len({m.law.signature for m in role.members}),
        "std": std if std is not None else 0.0 if member.constant else member.std,
        "formula": _formula(member, std, len(role.members), blocks),
        "width_slope": None if slope is None else round(slope, 3),
        "random": not member.constant,
    }


def _formula(record: TensorRecord, std: float | None, siblings: int, blocks: int) -> str | None:
    """The formula of the number that stands beside it: of a uniform the bound is said, of others the deviation."""
    if std is None:
        return None
    if record.law.family != "uniform" or len(record.shape) < 2:
        return formula_of(std, record, siblings, blocks)
    fan_in, fan_out = record.fans
    known = {
        "1/sqrt(fan_in)": fan_in**-0.5,
        "sqrt(6/fan_in)": (6 / fan_in) ** 0.5,
        "sqrt(3/fan_in)": (3 / fan_in) ** 0.5,
        "sqrt(6/(fan_in + fan_out))": (6 / (fan_in + fan_out)) ** 0.5,
    }
    bound = 3**0.5 * std
    return next((text for text, value in known.items() if math.isclose(value, bound, rel_tol=1e-4)), None)


def formula_of(std: float, record: TensorRecord, siblings: int, blocks: int) -> str | None:
    """The formula that gives a standard deviation, where a usual one does.

    Two formulas that give one number are told apart by nothing; the simpler one is shown.
    """
    if len(record.shape) < 2:
        return None
    fan_in, fan_out = record.fans
    known: Mapping[str, float] = {
        "1": 1.0,
        "0.02": 0.02,
        "1/sqrt(fan_in)": fan_in**-0.5,
        "sqrt(2/fan_in)": (2 / fan_in) ** 0.5,
        "1/sqrt(3 fan_in)": (3 * fan_in) ** -0.5,
        "sqrt(2/(fan_in + fan_out))": (2 / (fan_in + fan_out)) ** 0.5,
        "sqrt(2/fan_out)": (2 / fan_out) ** 0.5,
        "1/sqrt(fan_out)": fan_out**-0.5,
        "0.02/sqrt(2L)": 0.02 / (2 * max(blocks, siblings)) ** 0.5,
        "0.02/sqrt(L)": 0.02 / max(blocks, siblings) ** 0.5,
    }
    return next((text for text, value in known.items() if math.isclose(value, std, rel_tol=1e-4)), None)
