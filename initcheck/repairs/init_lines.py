"""Lines to write behind a model of PyTorch: its weights drawn again, by the laws that the rest of it has."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set

from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Role
from initcheck.models.factory.declared import DeclaredLaw
from initcheck.models.factory.facts import Facts
from initcheck.models.provenance.law import Law
from initcheck.models.rules.in_force import names_of
from initcheck.models.rules.residual_scaling import residual_scalings
from initcheck.models.signals.signal import HEAD
from initcheck.repairs.repair import Repair
from initcheck.wording import listed

_GAINS = {"ReLU": "relu", "Tanh": "tanh", "SELU": "selu", "LeakyReLU": "leaky_relu"}
_AS_TORCH = "nn.init.kaiming_uniform_({}, a=math.sqrt(5))"

_line = functools.partial(Repair, "line")


def init_lines(
    facts: Facts, laws: Sequence[DeclaredLaw], activations: Iterable[str], topics: Set[str | None]
) -> Iterator[Repair]:
    """Lines that might mend a model, those that draw the fewest tensors again first; each is yet to be proven.

    Their code sees ``model``, ``nn``, ``math`` and ``torch``.
    """
    yield from _unwritten(facts)
    yield from _declared(facts, laws)
    if "depth" in topics:
        yield from _residual(facts)
    if topics & {"law", "randomness", "promises"}:
        yield from _deviants(facts)
        yield from _strange(facts)
    if topics & {"symmetry", "randomness"}:
        yield from _equal(facts)
        yield from _constant(facts)
    if "loss" in topics:
        yield from _head(facts)
    if "depth" in topics or any(r.parameter for r in facts.unwritten.values()):
        yield from _whole(activations)


def _unwritten(facts: Facts) -> Iterator[Repair]:
    """What nobody wrote: as its siblings, as its own written part, as its layer does it by itself."""
    lines: list[str] = []
    names = list(facts.unwritten)
    for name in names:
        record = facts.unwritten[name]
        law = _law_beside(facts, name)
        module, _, leaf = name.rpartition(".")
        line = _rest_of(name, record) or (_fill(_of(name, record), law, record) if law is not None else None)
        if line is None and record.parameter and leaf == "bias":
            line = f"nn.init.zeros_({_of(name, record)})"
        elif line is None and record.parameter and "Norm" in record.owner:
            line = f"nn.init.ones_({_of(name, record)})"
        elif line is None and record.parameter and module and len(record.shape) > 1:
            line = f'model.get_submodule("{module}").reset_parameters()'
        if line is None:
            return  # what a buffer should hold is not to be guessed
        lines.append(line)
    if len(lines) > 4:
        code = (
            'for module in model.modules():\n    if hasattr(module, "reset_parameters"):\n'
            "        module.reset_parameters()"
        )
        yield _line(f"initialize what was never written, {listed(names)}, as its layers do by themselves", code)
    if lines:
        yield _line(f"initialize what was never written: {listed(names)}", "\n".join(dict.fromkeys(lines)))


def _rest_of(name: str, record: TensorRecord) -> str | None:
    """The rows that were not written, where some were: of the size that these have."""
    first, width = record.first_unwritten, math.prod(record.shape[1:])
    if first is None or first[0] < 1 or not width or (record.shape[0] - first[0]) * width != record.unwritten:
        return None
    if not 0 < record.std < math.inf or any(first[1:]):
        return None
    return f"nn.init.normal_({_of(name, record)}.data[{first[0]}:], std={float(f'{record.std:.2g}'):g})"


def _law_beside(facts: Facts, name: str) -> Law | None:
    """The law that most siblings of a tensor have, which were written."""
    role = next((r for r in facts.roles if any(m.name == name for m in r.members)), None)
    others = [m for m in role.members if m.name not in facts.unwritten] if role is not None else []
    return _commonest(others).law if others else None


def _declared(facts: Facts, laws: Sequence[DeclaredLaw]) -> Iterator[Repair]:
    """Every tensor that a declared law names, drawn by it."""
    where = facts.layout.places
    for law in laws:
        lines: dict[str, list[TensorRecord]] = {}
        for name, record in facts.first.records.items():
            if record.parameter and law.matches(name):
                names = names_of(record, where.get(name), facts.layout.blocks)
                value = law.value(names)
                how = f"nn.init.normal_({{}}, std={value:.6g})"
                if law.family == "uniform" or (law.family == "std" and record.law.family == "uniform"):
                    half = value if law.family == "uniform" else value * 3**0.5
                    how = f"nn.init.uniform_({{}}, -{half:.6g}, {half:.6g})"
                elif law.family == "constant":
                    how = f"nn.init.constant_({{}}, {value:.6g})"
                lines.setdefault(how, []).append(record)
        if lines:
            code = "\n".join(_each(facts, members, how) for how, members in lines.items())
            yield _line(f"draw {law.pattern} as it is declared, {law.text}", code)


def _residual(facts: Facts) -> Iterator[Repair]:
    """Scale by depth all that writes to the residual stream, and nothing else."""
    if "writers" in facts.impossible:
        return
    by_path = {role.path: role for role in facts.roles}
    for scaling in residual_scalings(facts):
        inside = [r for p, r in by_path.items() if p.startswith(f"{scaling.container}.")]
        rest = [r for r in inside if r.path not in (*scaling.writers, *scaling.scaled, *scaling.others)]
        stds = [m.law.std for r in rest for m in r.members if len(m.shape) > 1 and m.law.named]
        plain = [by_path[p] for p in (scaling.writers if not scaling.scaled else scaling.plain)]
        blocks = max((len(r.members) for r in inside), default=0)
        if not stds or not plain or not blocks:
            continue
        base = Counter(float(f"{std:.6g}") for std in stds if std).most_common(1)[0][0]
        scaled = by_path[(scaling.scaled or scaling.others or (plain[0].path,))[0]].members[0].law.std or base
        ratio = round((base / scaled) ** 2)
        root = f"{'' if ratio == blocks else '2 * '}{blocks}"
        pieces = [_each(facts, r.members, f"nn.init.normal_({{}}, std={base:g} / math.sqrt({root}))") for r in plain]
        wrong = [by_path[p] for p in scaling.others]
        pieces += [_each(facts, r.members, f"nn.init.normal_({{}}, std={base:g})") for r in wrong]
        words = f"scale what writes to the residual stream by depth: {listed([r.path for r in plain])}"
        words += f"; and not {listed([r.path for r in wrong])}" if wrong else ""
        yield _line(words, "\n".join(pieces))


def _deviants(facts: Facts) -> Iterator[Repair]:
    """The siblings that stand out, drawn as the rest."""
    found: list[tuple[str, str]] = []
    for role in facts.roles:
        if len(role.members) < 3:
            continue
        rule = _commonest(role.members)
        off = [m for m in role.members if m.signature != rule.signature]
        if not off:
            sizes = sorted(m.second_moment for m in role.members)
            middle = sizes[len(sizes) // 2]
            far = max(role.members, key=lambda m: abs(math.log(max(m.second_moment, 1e-300) / max(middle, 1e-300))))
            if rule.law.named or not middle or len(role.shape) < 2 or far.constant:
                continue
            found.append((far.name, f"nn.init.normal_({_of(far.name, far)}, std={middle**0.5:.3g})"))
            continue
        if 2 * len(off) > len(role.members) or _fill("x", rule.law, rule) is None:
            continue
        found += [(m.name, str(_fill(_of(m.name, m), rule.law, m))) for m in off]
    for name, line in found:
        yield _line(f"draw {name} as its siblings are drawn", line)
    if len(found) > 1:
        yield _line(f"draw {listed([n for n, _ in found])} as their siblings are", "\n".join(line for _, line in found))


def _strange(facts: Facts) -> Iterator[Repair]:
    """What no seed repeats, or what its own law excludes, drawn by PyTorch with the size that it has."""
    low = facts.low_precision
    cut = set() if isinstance(low, str) else {n for n, r in low.records.items() if r.far or r.sums.infinite}
    names = [
        n for n, r in facts.first.records.items()
        if r.parameter and not r.constant and (n in facts.unseeded or r.far or r.law.family == "derived" or n in cut)
    ]  # fmt: skip
    if names:
        lines = [
            f"nn.init.normal_({_of(n, r)}, std={float(f'{r.std:.2g}'):g})"
            for n, r in ((n, facts.first.records[n]) for n in names)
        ]
        yield _line(f"draw {listed(names)} by PyTorch's own normal, of the size that they have", "\n".join(lines))


def _equal(facts: Facts) -> Iterator[Repair]:
    """Roles whose members are copies of one another, each member drawn on its own."""
    matrices = [r for r in facts.roles if len(r.shape) > 1 and not r.members[0].constant]
    digests = Counter(m.digest for r in matrices for m in r.members)
    orders = Counter(m.order for r in matrices for m in r.members if m.order)
    copied = [
        r for r in matrices
        if any(digests[m.digest] > 1 or (m.order and orders[m.order] > 1) or m.twins for m in r.members)
    ]  # fmt: skip
    copied = copied or [r for r in matrices if len({s for m in r.members for s in m.sites}) == 1]
    lines = [_again(facts, r) for r in copied]
    if copied and all(lines):
        words = f"draw {listed([r.path for r in copied])} anew, each on its own"
        yield _line(words, "\n".join(str(line) for line in lines))


def _again(facts: Facts, role: Role) -> str | None:
    rule = _commonest(role.members)
    how = _fill("{}", rule.law, rule)
    return None if how is None else _each(facts, role.members, how)


def _constant(facts: Facts) -> Iterator[Repair]:
    """Constant matrices whose gradient does not tell their units apart, drawn as PyTorch draws a layer's."""
    signal = facts.first.looks["signal"]
    names = [n for n, kind in signal.gradients.items() if kind in ("zero", "rows", "columns")]
    roles = [[m for m in r.members if m.name in names] for r in facts.roles]
    groups = [members for members in roles if members]
    for members in groups:
        words = f"draw {listed([m.name for m in members])}: nothing breaks the symmetry of a constant"
        yield _line(words, _each(facts, members, _AS_TORCH))
    if len(groups) > 1:
        code = "\n".join(_each(facts, members, _AS_TORCH) for members in groups)
        yield _line(f"draw {listed(names)}: nothing breaks the symmetry of constants", code)


def _head(facts: Facts) -> Iterator[Repair]:
    """A smaller head, which guesses."""
    names = [*facts.first.records, *facts.first.tied]
    heads = [n for n in names if n.endswith(".weight") and HEAD.search(n.removesuffix(".weight"))]
    weights = [n for n, r in facts.first.records.items() if r.parameter and len(r.shape) == 2]
    for name in (heads or weights[-1:])[-1:]:
        record = facts.first.records[facts.first.tied.get(name, name)]
        if record.std > 0.02:
            yield _line(f"a smaller head guesses: {name}", f"nn.init.normal_({_of(name, record)}, std=0.02)")


def _whole(activations: Iterable[str]) -> Iterator[Repair]:
    """Every matrix by the scheme of the activation that the model has."""
    found = [_GAINS[a] for a in activations if a in _GAINS]
    for name in dict.fromkeys([*found, *([] if found else ["relu"]), "linear"]):
        code = (
            "for module in model.modules():\n"
            "    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):\n"
            f'        nn.init.kaiming_normal_(module.weight, nonlinearity="{name}")\n'
            "        if module.bias is not None:\n            nn.init.zeros_(module.bias)"
        )
        yield _line(f"give every matrix the variance that {name} asks for", code)


def _each(facts: Facts, members: Sequence[TensorRecord], how: str) -> str:
    """A call for each tensor: in a loop over their names where an ending tells them from all others."""
    names = [m.name for m in members]
    every = [n for n, r in facts.first.records.items() if r.parameter]
    if len(names) > 1:
        parts = names[0].split(".")
        for start in range(len(parts) - 1, 0, -1):
            tail = ".".join(["", *parts[start:]])
            if {n for n in every if n.endswith(tail)} == set(names):
                return (
                    "for name, parameter in model.named_parameters():\n"
                    f'    if name.endswith("{tail[1:]}"):\n        {how.format("parameter")}'
                )
    return "\n".join(how.format(_of(m.name, m)) for m in members)


def _fill(target: str, law: Law, record: TensorRecord) -> str | None:
    """The call of ``torch.nn.init`` that draws by a law; None where no one call does."""
    mean, std = law.mean or 0.0, law.std or 0.0
    if law.family == "constant":
        short = {0.0: f"nn.init.zeros_({target})", 1.0: f"nn.init.ones_({target})"}
        return short.get(mean, f"nn.init.constant_({target}, {mean:g})")
    if law.family == "orthogonal" and len(record.shape) > 1:
        gain = std * max(record.shape[0], math.prod(record.shape[1:])) ** 0.5
        return f"nn.init.orthogonal_({target})" if abs(gain - 1) < 1e-3 else f"nn.init.orthogonal_({target}, {gain:g})"
    if not law.named:
        return None
    if law.family == "normal":
        return f"nn.init.normal_({target}, {f'mean={mean:g}, ' if mean else ''}std={std:.6g})"
    if law.family == "uniform":
        return f"nn.init.uniform_({target}, {law.low:.6g}, {law.high:.6g})"
    if law.family == "truncated_normal" and not mean:
        return f"nn.init.trunc_normal_({target}, std={law.sigma or std:.6g}, a={law.low:.6g}, b={law.high:.6g})"
    return None


def _commonest(members: Sequence[TensorRecord]) -> TensorRecord:
    common = Counter(m.signature for m in members).most_common(1)[0][0]
    return next(m for m in members if m.signature == common)


def _of(name: str, record: TensorRecord) -> str:
    """How a tensor of a model is reached by its path."""
    return f'model.get_{"parameter" if record.parameter else "buffer"}("{name}")'
