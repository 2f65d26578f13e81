"""The parameters of a whole model of any framework, group by group, each with the law that its code names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from initcheck.contract.model import Model
from initcheck.grouping import grouped
from initcheck.models.builds.names import names_of
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.roles import Place, Role, blocks_of, roles
from initcheck.models.frameworks.recognition import facts_of, family_of_factory
from initcheck.models.portrait import formula_of
from initcheck.starts.parameter_law import ParameterLaw
from initcheck.starts.schemes import beside_pytorch, is_recurrent, scheme_name
from initcheck.starts.source_line import written_at

_GATES = {"LSTM": 4, "GRU": 3}
_CONSTANTS = (1.0, 2.0, 1 / 3, 0.5)


def laws_of_model(factory: Callable[..., Any], name: str) -> tuple[str, list[ParameterLaw]]:
    """Its framework, and one law a group of parameters whose paths differ in numbers alone and that start alike.

    Args:
        factory: builds the model; a class of modules of linen that needs no argument counts as one.
        name: for messages.

    Raises:
        UsageError: it builds no module.
    """
    model = Model(name=name, factory=factory)
    framework = family_of_factory(model)
    records, where = _built(model, framework)
    groups: list[tuple[Role, list[TensorRecord]]] = []
    for role in roles(records, where):
        groups += [(role, members) for members in grouped((m.signature, m) for m in role.members).values()]
    every = [path for path, record in records.items() if record.parameter]
    names = names_of([[record.name for record in members] for _, members in groups], every)
    found = [
        _law(path, members, len(role.members), blocks_of(where), records)
        for path, (role, members) in zip(names, groups, strict=True)
    ]
    return {"linen": "flax", "nnx": "flax"}.get(framework, framework), found


def _built(model: Model, framework: str) -> tuple[Mapping[str, TensorRecord], Mapping[str, Place]]:
    """One build with where its values come from; of PyTorch nothing is run but the constructor."""
    if framework == "torch":
        # imports PyTorch: only for a model of its own
        from initcheck.models.builds.places import places
        from initcheck.models.builds.torch_build import ModelBuilder

        looks = {"places": lambda module, records: places(module)}
        build = ModelBuilder(model.factory, model.name).build(1, traced=True, looks=looks)
        return build.records, build.looks["places"]
    facts = facts_of(model, 0)
    return facts.first.records, facts.layout.places


def _law(
    path: str, members: list[TensorRecord], siblings: int, blocks: int, records: Mapping[str, TensorRecord]
) -> ParameterLaw:
    record = members[0]
    law = record.law
    std = law.std if law.named else None
    formula = formula_of(std, record, siblings, blocks) if std is not None else None
    text = record.law_text
    if law.family == "constant":
        text = {0.0: "zero", 1.0: "one"}.get(float(law.mean or 0.0), text)
    fans = _fans(record, records)
    truly = fans if fans and "Transpose" not in record.owner else {}
    fan_in = truly.get("fan_in")
    number = len(members)
    found = ParameterLaw(
        path,
        record.shape,
        {"zero": "zeros", "one": "ones"}.get(text, law.family),
        text
        if not formula or "sqrt" not in formula or is_recurrent(record.owner)
        else _with_formula(text, formula.replace("fan_in", "width") if "Embed" in record.owner else formula),
        std=std,
        fan_in=fan_in,
        fan_out=truly.get("fan_out"),
        gain=std * fan_in**0.5 if std is not None and fan_in is not None else None,
        example=f"{number} of this kind",
        source=written_at(*law.site) if law.site else "",
    )
    called = " or ".join(_names(found, fans))
    return dataclasses.replace(found, called=called, beside=beside_pytorch(record.owner, _with_law(found, fans)))


def _with_formula(text: str, formula: str) -> str:
    """A uniform is worded by its bound, and the formula is of the standard deviation."""
    return f"{text}, std {formula}" if text.startswith("uniform") else f"{text}: std {formula}"


def _fans(record: TensorRecord, records: Mapping[str, TensorRecord]) -> dict[str, float]:
    """What the variance may be divided by; of a bias those of the weight that it stands beside."""
    gates = next((n for name, n in _GATES.items() if name in record.owner), 1)
    if is_recurrent(record.owner) and not record.inputs_first:
        return {"hidden": record.shape[0] / gates} if record.shape else {}
    if "Embed" in record.owner:
        return {"width": float(record.shape[-1])} if record.shape else {}
    last = record.name.rpartition(".")[2]
    beside = next((w for w in ("weight", "kernel") if "bias" in last and f"{_home(record)}{w}" in records), None)
    sized = records[f"{_home(record)}{beside}"] if beside else record
    if len(sized.shape) < 2:
        return {}
    fan_in, fan_out = map(float, sized.fans)
    return {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2, "fan_out": fan_out}


def _home(record: TensorRecord) -> str:
    parent, dot, _ = record.name.rpartition(".")
    return parent + dot


def _with_law(law: ParameterLaw, fans: Mapping[str, float]) -> ParameterLaw:
    """The same with the first fan and constant that fit, by which it is compared with PyTorch's own."""
    if law.std is None:
        return law
    for fan, number in {**fans, "1": 1.0}.items():
        constant = law.std**2 * number
        if fan == "1" or any(math.isclose(constant, c, rel_tol=1e-3) for c in _CONSTANTS):
            return dataclasses.replace(law, fan=fan, constant=constant, fan_in=law.fan_in)
    return law


def _names(law: ParameterLaw, fans: Mapping[str, float]) -> list[str]:
    """Every scheme of which this is the law at these widths: where fans are equal, several are."""
    if law.family == "orthogonal":
        return [scheme_name(law)]
    if law.std is None or law.std == 0:
        return []
    several = [
        scheme_name(dataclasses.replace(law, fan=fan, constant=law.std**2 * number))
        for fan, number in {**fans, "1": 1.0}.items()
    ]
    found = list(dict.fromkeys(name for name in several if name))
    # One of fan_out is said where nothing of fan_in or of the average fits: the rarer would stand beside every default.
    return [name for name in found if "fan_out" not in name] or found
