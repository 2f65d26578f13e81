"""Modules, files and attributes that a target names: found, imported, or refused with the nearest match."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.errors import UsageError, closest
from initcheck.safe_text import relative
from initcheck.sandbox.containment import InitializerRaised, contained, raised_at
from initcheck.sandbox.global_generators import isolated
from initcheck.search_path import add_folder
from initcheck.targets.text import TargetText

_FROM_SRC = "pip install -e ., or set PYTHONPATH=src."
_WEIGHTS = ("pt", "pth", "ckpt", "bin", "safetensors", "h5", "npz", "npy", "msgpack")
# As people import them; target text knows no `import ... as`.
_SHORT = {"nn": "torch.nn", "np": "numpy", "jnp": "jax.numpy", "tf": "tensorflow", "eqx": "equinox", "nnx": "flax.nnx"}
_EXTRAS = ("torch", "jax", "keras", "flax", "equinox")
# Their public modules only re-export: what is imported there from the same package is meant to be used there.
_LIBRARIES = (
    "torch",
    "jax",
    "keras",
    "flax",
    "equinox",
    "tensorflow",
    "haiku",
    "timm",
    "transformers",
    "optax",
)


def find_object(target: TargetText) -> tuple[Any, str]:
    """The object a target names, and the module it was found in.

    Raises:
        UsageError: there is no such file, module or attribute (with the nearest match), or the module raises.
    """
    if target.file is not None:
        module = _from_file(target.file, target.text)
        return _attribute(module, target.attribute, target.text), module.__name__
    assert target.module is not None
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        add_folder(str(Path.cwd()))
    if target.attribute:
        module = _module(target.module, target.text)
        return _attribute(module, target.attribute, target.text), module.__name__
    return _dotted(target.module, target.text)


def members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The members of a module that could be initializers, in the order in which they are defined.

    ``__all__`` decides where there is one; else what was imported is no member. Nothing of a member is asked for that
    could run its code.
    """
    names = vars(module).get("__all__")
    library = module.__name__.partition(".")[0]
    seen: list[Any] = []
    for name in names if isinstance(names, (list, tuple)) else list(vars(module)):
        # A library's module may make its members when they are first asked for.
        member = getattr(module, name, None) if names is not None else vars(module)[name]
        if name.startswith("__") or not callable(member) or isinstance(member, ModuleType):
            continue
        is_class = isinstance(member, type)
        home = getattr(member if is_class or inspect.isroutine(member) else type(member), "__module__", None)
        if is_class and issubclass(member, (BaseException, Enum)):
            continue
        if home == "typing" or type(member).__module__ == "typing":
            continue
        named = is_class or inspect.isroutine(member)
        own = home == module.__name__ or (library in _LIBRARIES and str(home).partition(".")[0] in _LIBRARIES)
        if names is None and named and not own:
            continue
        if inspect.getattr_static(member, "_is_protocol", False) is True or any(member is other for other in seen):
            continue  # another name of the same object is checked under its first
        seen.append(member)
        yield name, member


def _from_file(file: str, text: str) -> ModuleType:
    path = Path(file).expanduser()
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.5)
        hint = f" Did you mean {str(path.parent / near[0])!r}?" if near else ""
        raise UsageError(f"target {text!r}: there is no file {file!r} in {str(Path.cwd())!r}.{hint}")
    path = path.resolve()
    loaded = next((m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(path)), None)
    if loaded is not None and loaded.__name__ != "__main__":
        return loaded
    # The digest keeps two files of one name apart; the folder on the path lets it import its neighbours.
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else ""
    if not name or importlib.util.find_spec(name) is not None:
        name = f"{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    add_folder(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with contained(put_back=False), isolated(None):
            spec.loader.exec_module(module)
    except InitializerRaised as error:
        sys.modules.pop(name, None)
        raise UsageError(_raises(text, file, error.original, str(error))) from error.original
    return module


def _module(name: str, text: str) -> ModuleType:
    known = sys.modules.get(name)
    if known is not None:
        return known
    try:
        with contained(put_back=False), isolated(None):
            return importlib.import_module(name)
    except InitializerRaised as error:
        original = error.original
        if isinstance(original, ModuleNotFoundError) and original.name and f"{name}.".startswith(f"{original.name}."):
            raise UsageError(_absent(name, original.name, text)) from None
        raise UsageError(_raises(text, name, original, str(error))) from original


def _asked_by_keras(error: BaseException) -> bool:
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any("keras" in Path(file).parts for file in files)


def _raises(text: str, what: str, original: BaseException, line: str) -> str:
    if isinstance(original, ModuleNotFoundError):
        root = (original.name or "").partition(".")[0]
        if root in _EXTRAS and importlib.util.find_spec(root) is None:
            return f"target {text!r}: {what} imports {root}, which {_install(root)}"
        if root == "tensorflow" and _asked_by_keras(original):
            return (
                f"target {text!r}: Keras' backend tensorflow is not installed; set another before the run:"
                " KERAS_BACKEND=jax or KERAS_BACKEND=torch."
            )
        if _lies_in_src(root):
            return f"target {text!r}: {what} imports {root}, which lies in src/ and is not installed; {_FROM_SRC}"
        return (
            f"target {text!r}: {what} imports {original.name}, which is not installed for {sys.executable};"
            f" install it there: {sys.executable} -m pip install {root}"
        )
    if isinstance(original, ImportError) and "no known parent package" in str(original):
        package, module = _package_of(what)
        if package == module and not Path(what).is_absolute() and Path(what).parent.parts:
            return (
                f"target {text!r}: {what} imports its neighbours as a part of a package. Name it as that part, from"
                f" this folder: {'.'.join(Path(what).with_suffix('').parts)}."
            )
        return (
            f"target {text!r}: {what} is part of the package {package} and imports its neighbours from it."
            f" Install that package, pip install -e ., and name {module}."
        )
    return f"target {text!r}: {what} cannot be imported: it raises {line}{raised_at(original)}."


def _package_of(file: str) -> tuple[str, str]:
    """The package that a file lies in, and the module's name in it."""
    path = Path(file).resolve()
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return parts[0], ".".join(parts)


def _install(root: str) -> str:
    return f'is not installed; install it with: pip install "initcheck[{root}]"'


def _absent(name: str, missing: str, text: str) -> str:
    root = missing.partition(".")[0]
    if missing == root and root in _EXTRAS:
        return f"target {text!r}: {root} {_install(root)}"
    parent, _, last = name.rpartition(".")
    if missing != root and parent and parent in sys.modules:
        there = [m.name for m in pkgutil.iter_modules(getattr(sys.modules[parent], "__path__", []))]
        return f"target {text!r}: there is no module {name!r}.{_near(last, there)}"
    if text.rpartition(".")[2] in _WEIGHTS:
        return (
            f"target {text!r} is a file of weights, which are trained by now: nothing tells how they began."
            " Name the code that builds the model: initcheck model pkg.mod:build_model."
        )
    if text.endswith(".ipynb"):
        return (
            f"target {text!r} is a notebook. Check a function in a cell of it, initcheck.check(f), or move it into a"
            " file.py and name that."
        )
    if _lies_in_src(root):
        return f"target {text!r}: {root} lies in src/ and is not installed; {_FROM_SRC}"
    where = f"there is no module {missing!r}, neither installed nor in {os.getcwd()!r}."
    if root in _SHORT:
        return f"target {text!r}: {where} A module's own name is meant, such as {_SHORT[root]}{text[len(root) :]}."
    # The user's own modules and, where the name is nearly theirs, what is installed; a name of the standard library is
    # never what was meant.
    own = _near(root, [m.name for m in pkgutil.iter_modules([os.getcwd()])])
    there = [m.name for m in pkgutil.iter_modules() if m.name not in sys.stdlib_module_names]
    return f"target {text!r}: {where}{own or _near(root, there, 0.8)}"


def _lies_in_src(root: str) -> bool:
    return Path("src", root).is_dir() or Path("src", f"{root}.py").is_file()


def _near(name: str, there: list[str], cutoff: float = 0.6) -> str:
    near = difflib.get_close_matches(name, [t for t in there if not t.startswith("_")], n=1, cutoff=cutoff)
    return f" Did you mean {near[0]!r}?" if near else ""


def _dotted(name: str, text: str) -> tuple[Any, str]:
    """The longest importable prefix, then attributes: ``pkg.mod.attr``."""
    parts = name.split(".")
    module = _module(parts[0], text)
    for number, part in enumerate(parts[1:], start=1):
        if isinstance(module, ModuleType) and not hasattr(module, part) and hasattr(module, "__path__"):
            found = importlib.util.find_spec(f"{module.__name__}.{part}")
            if found is None:
                raise UsageError(_no_attribute(module, part, text))
            module = _module(found.name, text)
            continue
        if not hasattr(module, part):
            raise UsageError(_no_attribute(module, part, text))
        inner = getattr(module, part)
        if not isinstance(inner, ModuleType):
            return _attribute(module, ".".join(parts[number:]), text), module.__name__
        module = inner
    return module, module.__name__


def _attribute(module: ModuleType, attribute: str, text: str) -> Any:
    value: Any = module
    for part in filter(None, attribute.split(".")):
        value = value.function if isinstance(value, Method) else value
        if not hasattr(value, part):
            raise UsageError(_no_attribute(value, part, text))
        static = inspect.getattr_static(value, part, None) if isinstance(value, type) else None
        value = Method(value, part) if inspect.isfunction(static) else getattr(value, part)
    return value


def _no_attribute(owner: Any, part: str, text: str) -> str:
    if isinstance(owner, ModuleType):
        own = [n for n, v in vars(owner).items() if not n.startswith("_") and not inspect.ismodule(v)]
        names = [n for n in own if callable(getattr(owner, n))] or own
        names += [m.name for m in pkgutil.iter_modules(getattr(owner, "__path__", []))]
        file = getattr(owner, "__file__", None)
        # A file whose name another module has is loaded under a name of ours, which says nothing to its author.
        what = f"{relative(file)!r}" if file and ".py" in text.partition("(")[0] else f"module {owner.__name__!r}"
    else:
        names = [n for n in dir(owner) if not n.startswith("_")]
        what = repr(getattr(owner, "__name__", type(owner).__name__))
    if len(names) > 40:
        near = difflib.get_close_matches(part, names, n=1, cutoff=0.5)
        return f"target {text!r}: {what} has no {part!r}." + (f" Did you mean {near[0]!r}?" if near else "")
    return f"target {text!r}: {what} has no {part!r}; {closest(part, names)}"
