"""The parameters of a whole PyTorch model, group by group, each with the law that its code names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from initcheck.models.builds.names import names_of
from initcheck.models.builds.record import TensorRecord
from initcheck.models.builds.torch_build import ModelBuilder
from initcheck.models.portrait import formula_of
from initcheck.starts.parameter_law import ParameterLaw
from initcheck.starts.schemes import beside_pytorch
from initcheck.starts.source_line import short_path

__all__ = ["laws_of_model"]


def laws_of_model(factory: Callable[..., Any], name: str) -> list[ParameterLaw]:
    """One law a group of parameters whose paths differ in numbers alone.

    Args:
        factory: builds the model.
        name: for messages.

    Raises:
        UsageError: it builds no module.
    """
    records = ModelBuilder(factory, name).build(1, traced=True).records
    groups: dict[tuple[str, tuple[object, ...], tuple[int, ...]], list[TensorRecord]] = {}
    for path, record in records.items():
        if record.parameter:
            key = re.sub(r"(?<![^.])\d+(?![^.])", "*", path), record.signature, record.shape
            groups.setdefault(key, []).append(record)
    blocks = max((len(members) for members in groups.values()), default=1)
    every = [path for path, record in records.items() if record.parameter]
    names = names_of([[record.name for record in members] for members in groups.values()], every)
    return [_law(name, members, blocks, records) for name, members in zip(names, groups.values(), strict=True)]


def _law(path: str, members: list[TensorRecord], blocks: int, records: Mapping[str, TensorRecord]) -> ParameterLaw:
    record = members[0]
    law = record.law
    std = law.std if law.named else None
    formula = formula_of(std, record, len(members), blocks) if std is not None else None
    text = law.text if law.family != "untraced" else f"untraced, std {record.std:.4g}"
    # A bias has the fans of the weight that it stands beside.
    sized = records.get(record.name.replace("bias", "weight"), record)
    matrix = sized.matrix if len(sized.shape) > 1 else None
    fan_in, fan_out = (float(matrix[1]), float(matrix[0])) if matrix is not None else (None, None)
    if law.family == "constant":
        text = {0.0: "zero", 1.0: "one"}.get(float(law.mean or 0.0), text)
    found = ParameterLaw(
        path,
        record.shape,
        {"zero": "zeros", "one": "ones"}.get(text, law.family),
        f"{text} = {formula}" if formula and "sqrt" in formula else text,
        std=std,
        fan_in=fan_in,
        fan_out=fan_out,
        gain=std * fan_in**0.5 if std is not None and fan_in is not None else None,
        example=f"{len(members)} of this kind",
        source=f"{short_path(law.site[0])}:{law.site[1]}" if law.site else "",
    )
    return dataclasses.replace(found, beside=beside_pytorch(record.owner, found))
