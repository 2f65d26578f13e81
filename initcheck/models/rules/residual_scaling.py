"""Depth scaling of what is added to the residual stream: all of it or none, and nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.trial import RuleFinding
from initcheck.models.factory.wording import place
from initcheck.models.rules.siblings import is_traced
from initcheck.wording import listed

_DEPTHS = (6, 12, 16, 20, 22, 24, 26, 28, 30, 36, 40, 48, 60, 80, 96)
"""Blocks of GPT-2, of Llama and of their kin, as the default of a config may have them."""


@dataclass(frozen=True)
class Scaling:
    """One chain of blocks.

    Attributes:
        container: of the blocks.
        writers: roles whose output is added to the stream as it is.
        scaled: of these, the ones whose standard deviation is that of the other matrices over sqrt(L) or sqrt(2 L).
        plain: of these, the ones that share the scheme of the other matrices.
        others: roles that are scaled and do not write to the stream.
        findings: what is wrong.
    """

    container: str
    writers: tuple[str, ...]
    scaled: tuple[str, ...]
    plain: tuple[str, ...]
    others: tuple[str, ...]
    findings: tuple[RuleFinding, ...]


def residual_scalings(facts: Facts) -> Iterator[Scaling]:
    """Every chain of blocks in which layers were seen to write to the stream."""
    where = facts.layout.places
    by_path = {role.path: role for role in facts.roles}
    for blocks, layers in facts.first.looks["signal"].writers.items():
        middle = blocks[len(blocks) // 2]
        paths = {where[n].path for layer in layers for n in where if n.rpartition(".")[0] == f"{middle}.{layer}"}
        inside = {where[n].path for n in where if n.startswith(middle + ".")}
        roles = [by_path[p] for p in inside if p in by_path and _has_law(by_path[p])]
        writers = [r for r in roles if r.path in paths]
        if writers:
            yield _scaling(
                middle.rpartition(".")[0],
                roles,
                writers,
                where[f"{middle}.{layers[0]}.weight"].blocks or len(blocks)
                if f"{middle}.{layers[0]}.weight" in where
                else len(blocks),
            )


def _scaling(container: str, roles: Sequence[Role], writers: Sequence[Role], blocks: int) -> Scaling:
    others = [r for r in roles if r not in writers]
    base = _base(others)
    scaled = [r for r in roles if base is not None and _is_scaled(r, base, blocks)]
    plain = [r for r in writers if base is not None and r not in scaled and _same_scheme(r, base)]
    right = [r for r in writers if r in scaled]
    wrong = [r for r in others if r in scaled]
    findings = []
    if (right or wrong) and plain:
        at = place((wrong or right)[0].members[0].law.site)
        said = (
            f"{listed([r.path for r in plain])} writes to the residual stream with std {plain[0].law_std:.4g}, while"
            f" {listed([r.path for r in right + wrong])} is scaled by depth to {(right + wrong)[0].law_std:.4g} ({at})"
        )
        if wrong:
            said += f"; {listed([r.path for r in wrong])} does not write to it"
        fix = f"scale {listed([r.path for r in plain])} by depth, and {listed([r.path for r in wrong])} not"
        findings.append(RuleFinding("fails", said, fix=fix) if wrong else RuleFinding("doubt", said))
    elif wrong and right:
        findings.append(
            RuleFinding("note", f"{listed([r.path for r in wrong])} is scaled too, and does not write to it")
        )
    elif base is not None and not right and not wrong and (slip := _slip(writers, base, blocks)) is not None:
        at = place(writers[0].members[0].law.site)
        said = f"{listed([r.path for r in writers])}: std {writers[0].law_std:.4g} = {base.law_std:.4g}"
        findings.append(RuleFinding("doubt", said + slip.format(at=at)))
    return Scaling(container, _paths(writers), _paths(right), _paths(plain), _paths(wrong), findings=tuple(findings))


def _slip(writers: Sequence[Role], base: Role, blocks: int) -> str | None:
    """How all that writes is scaled by depth but for one slip; None where it is not.

    Over sqrt(2 n) for n of a model of usual depth, where it is not L: not where a block may have three that write. Over
    2 L without the root; or times the root. Not where a root is a whole number, or 2 L a power of ten, which any factor
    may be.
    """
    if any(_same_scheme(r, base) or not _is_uniform(r) for r in writers):
        return None

    def are_over(factor: float) -> bool:
        return all(math.isclose(base.law_std / r.law_std, factor, rel_tol=1e-4) for r in writers)

    for n in _DEPTHS:
        usual = 2 * n not in (blocks, 2 * blocks, 3 * blocks) and math.isqrt(2 * n) ** 2 != 2 * n
        if usual and are_over(math.sqrt(2 * n)):
            return f"/sqrt(2 x {n}) ({{at}}), as of {n} blocks, and there are {blocks}"
    root = math.sqrt(2 * blocks)
    if blocks > 2 and not math.log10(2 * blocks).is_integer() and are_over(root**2):
        return f"/(2 x {blocks}) ({{at}}), and by sqrt(2 x {blocks}) = {root:.3g} the stream keeps its size"
    if blocks > 2 and not root.is_integer() and are_over(1 / root):
        return f" x sqrt(2 x {blocks}) ({{at}}), and over sqrt(2 x {blocks}) the stream keeps its size"
    return None


def _paths(roles: Sequence[Role]) -> tuple[str, ...]:
    return tuple(role.path for role in roles)


def _has_law(role: Role) -> bool:
    """A named law of a matrix, for the whole role or for each of its blocks."""
    return len(role.shape) > 1 and all(is_traced(r) and r.law.named for r in role.members)


def _is_uniform(role: Role) -> bool:
    return len({r.law.signature for r in role.members}) == 1


def _base(roles: Sequence[Role]) -> Role | None:
    """A role of the standard deviation that most of the matrices have; of several schemes the widest.

    None where no more than half have one, as of layers of several kinds that keep their defaults.
    """
    uniform = [r for r in roles if _is_uniform(r)]
    counts = Counter(float(f"{r.law_std:.5g}") for r in uniform)
    if not counts or (len(uniform) > 2 and 2 * max(counts.values()) <= len(uniform)):
        return None
    most = max(counts, key=lambda std: (counts[std], std))
    return next(r for r in uniform if math.isclose(r.law_std, most, rel_tol=1e-4))


def _is_scaled(role: Role, base: Role, blocks: int) -> bool:
    """Whether the role's standard deviation is the base's over sqrt(n), and no fan explains it.

    n is L or 2 L; of block l, counted from 1, l or 2 l where each block has another.
    """
    if _same_scheme(role, base):
        return False
    if _is_uniform(role):
        over = (base.law_std / role.law_std) ** 2
        return any(n > 1 and math.isclose(over, n, rel_tol=4e-3) for n in (2 * blocks, blocks))
    stds = [r.law.sigma or r.law.std or 0.0 for r in role.members]
    return len(stds) > 1 and any(
        all(math.isclose(std * math.sqrt(c * (i + 1)), base.law_std, rel_tol=2e-3) for i, std in enumerate(stds))
        for c in (1, 2)
    )


def _same_scheme(role: Role, base: Role) -> bool:
    """Whether one formula of the fans, or one number, gives both standard deviations."""
    if not _is_uniform(role):
        return False
    one, two = _fans(role), _fans(base)
    factors = [(1.0, 1.0), (one[0], two[0]), (one[1], two[1]), (sum(one), sum(two))]
    return any(math.isclose(role.law_std**2 * a, base.law_std**2 * b, rel_tol=1e-3) for a, b in factors)


def _fans(role: Role) -> tuple[float, float]:
    fan_in, fan_out = role.members[0].fans
    return float(fan_in), float(fan_out)
