"""A model's TARGET as text or as a table of ``pyproject.toml``: the factory, its declared laws, its batch."""

from __future__ import annotations

import datetime
import functools
import inspect
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.contract.waiver import in_force
from initcheck.errors import UsageError, closest
from initcheck.targets.modules import find
from initcheck.targets.text import parse

__all__ = ["ModelTarget", "load_models", "read_law_options"]

_KEYS = ("target", "laws", "batch", "waive", "models", "name")


@dataclass(frozen=True)
class ModelTarget:
    """One model to be checked.

    Attributes:
        name: how it is called in the report: the target text, or the table's ``name``.
        factory: builds it.
        laws: declared laws by pattern.
        batch: the batch as text, or None.
        waive: claim id -> reason.
        models: most models of fresh seeds, or None.
    """

    name: str
    factory: Callable[..., Any]
    laws: Mapping[str, str] = field(default_factory=dict)
    batch: str | None = None
    waive: Mapping[str, str] = field(default_factory=dict)
    models: int | None = None


def load_models(
    targets: Sequence[str],
    *,
    laws: Mapping[str, str] | None = None,
    batch: str | None = None,
    models: int | None = None,
) -> list[ModelTarget]:
    """Find the factories that the targets name.

    Args:
        targets: ``pkg.mod:build_model``, ``file.py:build_model``, with keyword arguments as literals, or
            ``@pyproject.toml``: the tables ``[[tool.initcheck.models]]``. A target that such a table of the current
            folder's ``pyproject.toml`` names takes its laws, batch and waivers from there.
        laws, batch, models: said for this run; they win over a table's.

    Raises:
        UsageError: there is no such target or table, or it cannot build a model.
    """
    beside = _tables(Path("pyproject.toml"), needed=False)
    found: list[ModelTarget] = []
    for text in targets:
        if text.startswith("@"):
            found += [_of_table(t) for t in _tables(Path(text[1:]).expanduser(), needed=True)]
        else:
            table = next((t for t in beside if t["target"] == text), {"target": text})
            found.append(_of_table(table))
    return [
        replace(
            model,
            laws={**model.laws, **(laws or {})},
            batch=batch if batch is not None else model.batch,
            models=models if models is not None else model.models,
        )
        for model in {m.name: m for m in found}.values()
    ]


def read_law_options(texts: Sequence[str]) -> dict[str, str]:
    """Read ``PATTERN=LAW`` as it stands after ``--law``.

    >>> read_law_options(["*.c_proj.weight=0.02/sqrt(2*L)"])
    {'*.c_proj.weight': '0.02/sqrt(2*L)'}

    Raises:
        UsageError: there is no ``=`` in it.
    """
    laws = {}
    for text in texts:
        pattern, equals, law = text.partition("=")
        if not (equals and pattern.strip() and law.strip()):
            raise UsageError(f"the law {text!r} is not PATTERN=LAW, such as '*.c_proj.weight=0.02/sqrt(2*L)'.")
        laws[pattern.strip()] = law.strip()
    return laws


def _of_table(table: Mapping[str, Any]) -> ModelTarget:
    text = table["target"]
    factory = _factory(text)
    return ModelTarget(
        name=table.get("name", text),
        factory=factory,
        laws={k: str(v) for k, v in table.get("laws", {}).items()},
        batch=table.get("batch"),
        waive=in_force(table.get("waive", {}), f"model {table['target']!r}", today=datetime.date.today())[0],
        models=table.get("models"),
    )


def _factory(text: str) -> Callable[..., Any]:
    parsed = parse(text)
    obj, _ = find(parsed)
    obj = obj.function if isinstance(obj, Method) else obj
    if isinstance(obj, ModuleType):
        names = sorted(n for n, f in vars(obj).items() if inspect.isfunction(f) and not n.startswith("_"))
        some = f" Its functions: {', '.join(names[:8])}." if names else ""
        raise UsageError(f"target {text!r} is a module; name what builds the model, as in {text}:build_model.{some}")
    if not callable(obj):
        raise UsageError(f"target {text!r} is {type(obj).__name__}, not a function or class that builds a model.")
    try:
        signature = inspect.signature(obj)
    except (TypeError, ValueError):
        return functools.partial(obj, **parsed.args) if parsed.args else obj
    for name in parsed.args:
        takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        if name not in signature.parameters and not takes_any:
            raise UsageError(f"target {text!r}: it takes no {name!r}; {closest(name, signature.parameters)}")
    missing = [
        p.name
        for p in signature.parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in parsed.args
    ]
    missing = [m for m in missing if m != "seed"]
    if missing:
        raise UsageError(
            f"target {text!r} needs {', '.join(missing)}; write them as literals, such as {text}({missing[0]}=...)."
        )
    return functools.partial(obj, **parsed.args) if parsed.args else obj


def _tables(path: Path, *, needed: bool) -> list[Mapping[str, Any]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        if not needed:
            return []
        raise UsageError(f"target '@{path}' cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' is not TOML: {error}.") from None
    listed = data.get("tool", {}).get("initcheck", {}).get("models", [])
    if needed and not (isinstance(listed, list) and listed):
        raise UsageError(f"target '@{path}': it has no table [[tool.initcheck.models]] with a key 'target' in it.")
    return list(_checked(listed, path))


def _checked(listed: Any, path: Path) -> Iterator[Mapping[str, Any]]:
    kinds = {"target": str, "name": str, "batch": str, "models": int, "laws": Mapping, "waive": Mapping}
    for number, table in enumerate(listed if isinstance(listed, list) else [listed], start=1):
        where = f"[[tool.initcheck.models]] number {number} of {path}"
        if not isinstance(table, Mapping) or not isinstance(table.get("target"), str):
            raise UsageError(f"{where} needs target = 'module:build_model'.")
        for key, value in table.items():
            if key not in _KEYS:
                raise UsageError(f"{where} has no key {key!r}; {closest(key, _KEYS)}")
            if not isinstance(value, kinds[key]) or isinstance(value, bool):
                raise UsageError(f"{where}: {key}={value!r} must be {_WORDS[kinds[key]]}.")
        yield table


_WORDS = {str: "text", int: "a whole number", Mapping: "a table"}
