"""Numbers that are right but for one slip: the fan of the other side, the odds of the other sign."""

from __future__ import annotations

import ast
import linecache
import math
import re
from collections import defaultdict
from collections.abc import Iterator

from initcheck.models.builds.record import TensorRecord, inputs_first_by_bias
from initcheck.models.builds.roles import Role
from initcheck.models.factory.facts import Facts
from initcheck.models.factory.source import code_of
from initcheck.models.factory.trial import ModelTrial
from initcheck.models.factory.wording import place
from initcheck.models.provenance.steps import Site, in_library
from initcheck.wording import listed

_LAYERS = frozenset(("Linear", "Conv1d", "Conv2d", "Conv3d"))
"""Layers of torch whose weights are known to be (outputs, inputs, ...)."""
_LSTMS = frozenset(("LSTM", "LSTMCell"))
_GATES = {0: "input gate", 2: "new content", 3: "output gate"}
_TABLES = frozenset(("Embedding", "EmbeddingBag", "Embed"))
_SCHEMES = {1.0: "the variance 1/fan_out", 2.0: "the variance 2/fan_out", 1 / 3: "uniform within 1/sqrt(fan_out)"}
"""Variances times the fan, of LeCun, of He and of torch's layers."""
_SCALES = frozenset(("weight", "scale", "gamma"))
_NORM = re.compile(r"Norm(alization)?([1-3]d)?$")
_FEW = 8
"""Entries of which a mean tells nothing yet."""
_LOUD = 5.0
"""Times what the inputs bring: biases of Fourier features (up to 2 pi) and of a state space's steps are below."""
_RARE = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Shares of positives that a classifier of a rare class is told to start from."""


def slips(trial: ModelTrial) -> None:
    """Say where a number would be a known one but for a slip: a doubt, for it may be meant."""
    undeclared = [r for r in trial.facts.roles if not any(law.matches(r.members[0].name) for law in trial.laws)]
    found = (
        *_other_fan(undeclared),
        *_outputs_for_inputs(trial.facts, undeclared),
        *_other_sign(undeclared),
        *_other_gate(undeclared),
        *_scale_around_zero(undeclared),
        *_loud_bias(trial.facts, undeclared),
        *_zeroed_rows(undeclared),
    )
    for said in found:
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


def _outputs_for_inputs(facts: Facts, roles: list[Role]) -> Iterator[str]:
    """The scale of He or of LeCun by the outputs, where an initializer takes the wrong axis of a weight for inputs.

    Those of torch take the second axis, and a layer of the user's that multiplies from the right has its inputs on the
    first; those of JAX take the last but one, and the weights of Equinox have their outputs there. Where the statement,
    or what it computes with, says ``fan_out`` it is meant.
    """
    by_site: dict[Site, list[tuple[TensorRecord, int, int]]] = defaultdict(list)
    for role in roles:
        record = role.members[0]
        site = record.law.site
        axes = _axes(facts, record) if len(role.shape) == 2 else None
        if axes is not None and record.law.named and site is not None and not in_library(site[0]):
            by_site[site].append((record, *axes))
    for site, found in by_site.items():
        told = [f for f in found if f[1] != f[2]]
        if len({(i, o) for _, i, o in told}) < 2 or _says_fan_out(site):
            continue
        scale = next((c for c in _SCHEMES if all(_is_scale(r, o, c) for r, _, o in found)), None)
        # Of widths that fall by one factor both fans may give a known number.
        if scale is not None and not any(all(_is_scale(r, i, c) for r, i, _ in found) for c in _SCHEMES):
            one, inputs, outputs = max(told, key=lambda f: max(f[1] / f[2], f[2] / f[1]))
            axis = "first" if one.shape[0] == inputs else "second"
            yield (
                f"{listed([r.name for r, _, _ in found])}: {_SCHEMES[scale]}, as of {one.name} for"
                f" {outputs} outputs, where the {axis} of its axes counts its {inputs} inputs ({place(site)}): std"
                f" {one.law.std:.4g}, and by fan_in {math.sqrt(scale / inputs):.4g}"
            )


def _says_fan_out(site: Site) -> bool:
    """Whether a statement names the outputs, or one does that made what it computes with in the same function."""
    code = code_of(site[0])
    around = [n for n in ast.walk(code) if isinstance(n, ast.stmt) and n.lineno <= site[1] <= (n.end_lineno or 0)]
    statements = [n for n in around if not hasattr(n, "body")]
    if not statements:
        return "out" in linecache.getline(*site)
    if "out" in ast.unparse(statements[0]):
        return True
    functions = [n for n in around if isinstance(n, (ast.FunctionDef, ast.Lambda))]
    scope = max(functions, key=lambda n: n.lineno, default=code)
    made = {
        target.id: n.value
        for n in ast.walk(scope)
        if isinstance(n, ast.Assign)
        for target in n.targets
        if isinstance(target, ast.Name)
    }
    ahead, seen = _names(statements[0]), set[str]()
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        value = made.get(name)
        if value is not None:
            divisors = [n.right for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
            if any("out" in ast.unparse(d) for d in divisors):
                return True
            ahead |= _names(value)
    return bool({"fan_out", "fanout"} & seen)


def _names(node: ast.AST) -> set[str]:
    """The names in some code, and the words that it hands on as texts."""
    words = {str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return words | {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _axes(facts: Facts, record: TensorRecord) -> tuple[int, int] | None:
    """Inputs and outputs of a matrix whose layer is known, or whose bias tells them apart; of torch's own none."""
    rows, columns = record.shape
    if "overwritten" in facts.impossible and record.owner == "Linear":
        return record.fans if not (record.inputs_first or record.default) else None
    layer, _, name = record.name.rpartition(".")
    parts = ((n.rpartition("."), r) for n, r in facts.first.records.items() if r.parameter)
    right = inputs_first_by_bias(name, {own: r.shape for (whose, _, own), r in parts if whose == layer})
    return (rows, columns) if right and record.owner not in _LAYERS else None


def _is_scale(record: TensorRecord, fan: int, scale: float) -> bool:
    return any(math.isclose(std**2 * fan, scale, rel_tol=1e-3) for std in record.law.stds)


def _other_gate(roles: list[Role]) -> Iterator[str]:
    """The ones of an LSTM's forget gate (Jozefowicz et al. 2015) in another quarter of its bias."""
    for role in roles:
        record = role.members[0]
        units = role.shape[0] // 4 if len(role.shape) == 1 else 0
        ones = [
            p for p in record.later if p.region is not None and p.law.family == "constant" and (p.law.mean or 0) > 0
        ]
        # A cell of the user's own may have its gates in any order; torch's own starts from torch's default.
        torchs = record.default or any(lost.default for lost in record.lost)
        if record.owner not in _LSTMS or not torchs or not units or len(ones) != 1:
            continue
        region = ones[0].region
        assert region is not None
        gate, inside = divmod(region.offset - record.memory[1], units)
        if region.entries == units and not inside and gate in _GATES:
            yield (
                f"{role.path}: {record.entries_of(ones[0])} start at {ones[0].law.mean:g}"
                f" ({place(ones[0].law.site)}), the {_GATES[gate]}; the gate that forgets has entries"
                f" {units}..{2 * units - 1} (torch orders them i, f, g, o)"
            )


def _scale_around_zero(roles: list[Role]) -> Iterator[str]:
    """Scales of norms that are drawn around 0, where nothing tells that they were 1 before."""
    for role in roles:
        record = role.members[0]
        drawn = record.parameter and not record.constant and record.count >= _FEW and not record.lost
        vector = record.matrix is None and record.name.rpartition(".")[2] in _SCALES
        if (
            drawn
            and vector
            and _NORM.search(record.owner)
            and abs(record.mean) < 4 * record.std / math.sqrt(record.count)
            and not _adds_one(record)
        ):
            yield (
                f"{role.path}: the scale of {record.owner} is drawn around 0 with std {record.std:.4g}"
                f" ({place(record.law.site)}), and one that starts at 1 hands on what it normalises"
            )


def _adds_one(record: TensorRecord) -> bool:
    """Whether a norm of the user's multiplies by 1 and its scale, as Gemma's does; its class stands beside the draw."""
    site, leaf = record.law.site, record.name.rpartition(".")[2]
    classes = ast.walk(code_of(site[0])) if site is not None else ()
    sums = [
        [n.left, n.right]
        for kind in classes
        if isinstance(kind, ast.ClassDef) and kind.name == record.owner
        for n in ast.walk(kind)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)
    ]
    return any(
        any(isinstance(n, ast.Constant) and n.value == 1 for n in terms)
        and any(isinstance(n, ast.Attribute) and n.attr == leaf for term in terms for n in ast.walk(term))
        for terms in sums
    )


def _loud_bias(facts: Facts, roles: list[Role]) -> Iterator[str]:
    """Biases that are drawn so wide that inputs of size 1 are lost beside them.

    Not what a layer starts from by default, beside a weight that was made small on purpose (the last layer of a policy,
    0.01), nor a phase from anywhere on the circle, before a cosine.
    """
    for role in roles:
        record = role.members[0]
        layer, _, leaf = record.name.rpartition(".")
        beside = (facts.first.records.get(f"{layer}.{n}" if layer else n) for n in ("weight", "kernel"))
        weight = next((r for r in beside if r is not None and len(r.shape) > 1), None)
        if leaf != "bias" or weight is None or not record.trainable or record.name not in facts.random:
            continue
        law = record.law
        if record.default or (law.family == "uniform" and math.isclose(law.high - law.low, 2 * math.pi, rel_tol=1e-3)):
            continue
        brought = math.sqrt(weight.fans[0] * weight.second_moment)
        if record.std > _LOUD * brought > 0:
            yield (
                f"{listed([r.name for r in role.members])}: drawn with std {record.std:.3g}"
                f" ({place(record.law.site)}), {record.std / brought:.3g}"
                f" times what inputs of size 1 bring through {weight.name} ({brought:.3g}): the layer makes nearly the"
                " same of them all"
            )


def _zeroed_rows(roles: list[Role]) -> Iterator[str]:
    """Tables of which most rows are put to zero behind the draw: a row for padding is one, and those that pad few."""
    for record in (record for role in roles for record in role.members):
        zeroed = [p for p in record.later if p.region is not None and p.law.mean == 0 and p.law.family == "constant"]
        entries = sum(p.region.entries for p in zeroed if p.region is not None)
        if record.owner in _TABLES and record.law.named and entries > record.count / 2:
            yield (
                f"{record.name}: {record.entries_of(zeroed[0])} of {record.count}, the most of it, are put to zero"
                f" ({place(zeroed[0].law.site)}) behind {record.law.text}: their tokens start as one"
            )


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
