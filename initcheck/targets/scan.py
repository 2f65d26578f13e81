"""A module's members in three groups: initializers, what looks like one and needs something, everything else.

Nothing is called that its code does not show to make weights, and nothing that could do harm. See
``initcheck.adapters.code``.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.adapters.code.evidence import CodeEvidence, evidence_of, evidence_of_method
from initcheck.adapters.frameworks.keras_init import is_keras_initializer
from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.frameworks.torch_init import is_torch_init
from initcheck.adapters.refusals import whole_model
from initcheck.adapters.signatures.frameworks import FRAMEWORKS, defines_function, home
from initcheck.adapters.signatures.readings import Needs
from initcheck.contract.declaration import declares
from initcheck.contract.initializer import Initializer
from initcheck.errors import UnreadableTarget, UsageError
from initcheck.report.results import NotChecked
from initcheck.sandbox.containment import one_line
from initcheck.targets.modules import members
from initcheck.wording import listed

_NAMED = 12  # members of the last group that are named; the others are counted


def scan(
    module: ModuleType, text: str, read: Callable[[Any, str], Initializer]
) -> tuple[list[Initializer], list[NotChecked]]:
    """The initializers of a module; then what looks like one and was not taken, and last one line for all the rest.

    Args:
        module: imported already.
        text: what it is called in the report.
        read: makes an initializer of a member, by its object and its name.

    Raises:
        UnreadableTarget: the module has no function and no class of its own.
    """
    taken: list[Initializer] = []
    needing: list[NotChecked] = []
    others: list[str] = []
    for name, member in members(module):
        try:
            found = _made_of(member, name, module, text, read)
        except (Exception, SystemExit) as error:  # an object that raises when it is asked what it is
            found = [_raising(member, name, text, error)]
        if not found and not name.startswith("_"):
            others.append(name)
        taken += [one for one in found if isinstance(one, Initializer)]
        needing += [one for one in found if isinstance(one, NotChecked)]
    if others:
        needing.append(NotChecked(name=text, reason=_rest(others) + _model_among(others, module, text)))
    if not taken and not needing:
        raise UnreadableTarget(
            f"target {text!r}: module {module.__name__!r} has no public function or class of its own."
            f"{_from_where(module)}"
        )
    return taken, needing


def _made_of(
    member: Any, name: str, module: ModuleType, text: str, read: Callable[[Any, str], Initializer]
) -> list[Initializer | NotChecked]:
    """What a member gives: initializers, what looks like one, or nothing."""
    # What is private is seen where its own name speaks for it, whatever its module is called.
    evidence = _evidence(member, name, "" if name.startswith("_") else module.__name__)
    if not evidence.looks and not declares(member):
        return list(_methods(member, name, module, text, read))
    # Of the methods of a class that is no initializer itself, those are taken that are.
    found = [_read(member, name, text, evidence, read)]
    if isinstance(member, type) and isinstance(found[0], NotChecked):
        return list(_methods(member, name, module, text, read)) or found
    return found


def _raising(member: Any, name: str, text: str, error: BaseException) -> NotChecked:
    return _left(member, f"{text}:{name}", f"{name} raises when looked at: {one_line(error)}")


def _left(member: Any, whole: str, reason: str, call: str | None = None) -> NotChecked:
    """A member that is not taken; what promises something by its own word is no bystander, so that no run passes
    without it. The name stands before the reason wherever it is shown.
    """
    reason = reason.removeprefix(f"{whole} ")
    return NotChecked(name=whole, reason=reason, call_to_write=call, needed=declares(*saying(member)))


def saying(obj: Any) -> tuple[Any, ...]:
    """The objects whose ``__initcheck__`` speaks for this one."""
    # By its type: isinstance asks an object of a user for its ``__class__``.
    return (obj.function, obj.owner) if issubclass(type(obj), Method) else (obj,)


def _from_where(module: ModuleType) -> str:
    """Which modules of its package the names come from, where a package only hands them on."""
    package = f"{module.__name__.partition('.')[0]}."
    homes = {name: str(getattr(value, "__module__", "")) for name, value in vars(module).items()}
    handed_on = {name: home for name, home in homes.items() if not name.startswith("_") and home.startswith(package)}
    if not handed_on:
        inside = sorted(m.name for m in pkgutil.iter_modules(getattr(module, "__path__", [])) if m.name[0] != "_")
        named = listed([f"{module.__name__}.{name}" for name in inside], 6)
        return f" Name what is to be checked in it: {named}." if inside else ""
    name = min(handed_on)
    named = ", ".join(sorted(set(handed_on.values())))
    return f" It hands on what stands in {named}: name that, or {module.__name__}:{name}."


def _evidence(member: Any, name: str, module: str) -> CodeEvidence:
    """The evidence; of a framework's own object what it is, as its code is none of the user's."""
    if home(member) not in FRAMEWORKS or isinstance(member, (staticmethod, classmethod)):
        try:
            return evidence_of(member, name, module)
        except Exception as error:  # an object whose looks raise
            return CodeEvidence(True, False, one_line(error))
    if inspect.isroutine(member) or not isinstance(member, type):
        if not inspect.isroutine(member) and _holds_users(member):
            return evidence_of(member, name, module)
        own = is_torch_init(member) or is_keras_initializer(member) or ".initializers" in str(member.__module__)
        return CodeEvidence(own, own, None)
    own = is_keras_initializer(member) or (is_layer(member) is not None and inspect.isclass(member))
    return CodeEvidence(own, own, None)


def _holds_users(member: Any) -> bool:
    """Whether a framework's object wraps a function of the user's, as ``jax.jit`` makes it."""
    return home(getattr(member, "__wrapped__", member)) not in FRAMEWORKS


def _read(
    member: Any, name: str, text: str, evidence: CodeEvidence, read: Callable[[Any, str], Initializer]
) -> Initializer | NotChecked:
    whole = f"{text}:{name}"
    if evidence.harm is not None:
        said = f"{name} looks like an initializer and reaches {evidence.harm}, so that a scan does not call it;"
        return _left(member, whole, f"{said} name it to have it called.", whole)
    if _is_bare(member) and name.strip("_") == name:
        return _left(member, whole, f"{name} takes no parameter; if it makes an initializer, name it.", whole)
    try:
        return read(member, name)
    except Needs as error:
        return _left(member, whole, str(error), error.call)
    except UsageError as error:
        return _left(member, whole, str(error))
    except (Exception, SystemExit) as error:  # a property of the user's object: the others are still looked at
        return _raising(member, name, text, error)


def _methods(
    member: Any, name: str, module: ModuleType, text: str, read: Callable[[Any, str], Initializer]
) -> Iterator[Initializer | NotChecked]:
    """The methods of a class of the user's that make weights."""
    if not isinstance(member, type) or home(member) in FRAMEWORKS:
        return
    for method, value in list(vars(member).items()):
        function = getattr(value, "__func__", value)
        if not inspect.isfunction(function) or (method.startswith("__") and method.endswith("__")):
            continue
        evidence = evidence_of_method(member, method, module.__name__)
        if evidence.looks:
            yield _read(Method(member, method), f"{name}.{method}", text, evidence, read)


def _is_bare(member: Any) -> bool:
    """Whether it takes no parameter and makes no function, so that a call of it would say nothing of a shape."""
    if not inspect.isfunction(member):
        return False
    code = member.__code__
    parameters = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    return parameters == 0 and not defines_function(member)


def _model_among(names: list[str], module: ModuleType, text: str) -> str:
    """Where a function that builds a whole model would be checked, if one of these does, by what stands beside it."""
    # By its own type: what an object says of its class is code of its own.
    beside = any(issubclass(type(m), type) and is_layer(m) == "torch" for _, m in members(module))
    build = next((n for n in names if _is_bare(vars(module).get(n)) or n in ("get_model", "make_model")), None)
    return f" {whole_model(f'{text}:{build}')}" if beside and build is not None else ""


def _rest(names: list[str]) -> str:
    """One line for what shows no sign of making weights, with its count."""
    shown = listed(names, _NAMED)
    if len(names) == 1:
        return f"1 member shows no sign of making weights, and nothing of it was called: {shown}."
    return f"{len(names):,} members show no sign of making weights, and nothing of them was called: {shown}."
