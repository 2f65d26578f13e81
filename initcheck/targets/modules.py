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
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from initcheck.adapters.classes import Method
from initcheck.errors import UnreadableTarget, UsageError, closest
from initcheck.safe_text import escaped, relative
from initcheck.sandbox.containment import Contained, InitializerRaised, contained, raised_at
from initcheck.sandbox.global_generators import isolated
from initcheck.search_path import add_folder
from initcheck.targets.text import TargetText

M = TypeVar("M")
AS_A_SCRIPT = 'What it does when it is run as a script belongs under if __name__ == "__main__":'
_FROM_SRC = "pip install -e ., or set PYTHONPATH=src."
_WEIGHTS = ("pt", "pth", "ckpt", "bin", "safetensors", "h5", "npz", "npy", "msgpack")
# As people import them; target text knows no `import ... as`.
_SHORT = {"nn": "torch.nn", "np": "numpy", "jnp": "jax.numpy", "tf": "tensorflow", "eqx": "equinox", "nnx": "flax.nnx"}
# Module -> what it changed for all other code, and is put back.
_put_back: dict[str, str] = {}
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
    seen: list[Any] = []
    for name in names if isinstance(names, (list, tuple)) else list(vars(module)):
        if not isinstance(name, str) or name.startswith("__"):
            continue
        # A library's module may make its members when they are first asked for.
        member = getattr(module, name, None) if names is not None else vars(module)[name]
        try:
            could_be = _could_be_an_initializer(member, module, listed=names is not None)
        except Exception:  # whoever reads it says what it raises
            could_be = True
        # Another name of the same object is checked under its first.
        if could_be and not any(member is other for other in seen):
            seen.append(member)
            yield name, member


def _could_be_an_initializer(member: Any, module: ModuleType, *, listed: bool) -> bool:
    if not callable(member) or isinstance(member, ModuleType):
        return False
    is_class = isinstance(member, type)
    named = is_class or inspect.isroutine(member)
    home = getattr(member if named else type(member), "__module__", None)
    if is_class and issubclass(member, (BaseException, Enum)):
        return False
    if home == "typing" or type(member).__module__ == "typing":
        return False
    library = module.__name__.partition(".")[0]
    own = home == module.__name__ or (library in _LIBRARIES and str(home).partition(".")[0] in _LIBRARIES)
    if not listed and named and not own:
        return False
    return inspect.getattr_static(member, "_is_protocol", False) is not True


def _from_file(file: str, text: str) -> ModuleType:
    path = Path(file).expanduser()
    if not path.is_file():
        if os.path.lexists(path):
            raise UsageError(f"target {text!r}: {file!r} is no file of code: a folder, a pipe or a link to nothing.")
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
    loader = spec.loader
    assert loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        _imported(name, file, text, lambda: loader.exec_module(module))
    except UsageError as error:
        sys.modules.pop(name, None)
        whole, above = _package_of(file)
        if not _wants_its_package(error.__cause__) or ("." not in whole and path.stem != "__init__"):
            raise
        # A file that imports its neighbours is read as the part of its package that it is.
        add_folder(str(above))
        module = _module(whole, text)
        if getattr(module, "__file__", None) != str(path):  # another package has that name
            raise
    return module


def _module(name: str, text: str) -> ModuleType:
    known = sys.modules.get(name)
    return known if known is not None else _imported(name, name, text, lambda: importlib.import_module(name))


def put_back_after_import(module: str) -> str:
    """What a module changed for all other code as it was imported, and is put back, in words; empty where nothing."""
    return _put_back.get(module, "")


def _imported(name: str, what: str, text: str, load: Callable[[], M]) -> M:
    seen = Contained()
    try:
        with contained(put_back=False) as seen, isolated(None):
            loaded = load()
    except InitializerRaised as error:
        original = error.original
        if isinstance(original, ModuleNotFoundError) and original.name and f"{name}.".startswith(f"{original.name}."):
            raise UsageError(_absent(name, original.name, text)) from None
        raise UnreadableTarget(_raises(text, what, original, str(error), seen.output)) from original
    if seen.changes:
        _put_back[name] = ", ".join(seen.changes)
    return loaded


def _asked_by_keras(error: BaseException) -> bool:
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any("keras" in Path(file).parts for file in files)


def _raises(text: str, what: str, original: BaseException, line: str, printed: str) -> str:
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
        if original.name != root and root in sys.modules:
            return f"target {text!r}: {what} imports {original.name}, and {root} has no such part; mend that import."
        return (
            f"target {text!r}: {what} imports {original.name}, which is not installed for {sys.executable};"
            f" install it there: {sys.executable} -m pip install {root}"
        )
    if _wants_its_package(original):
        whole, _ = _package_of(what)
        if "." not in whole and not Path(what).is_absolute() and Path(what).parent.parts:
            return (
                f"target {text!r}: {what} imports its neighbours as a part of a package. Name it as that part, from"
                f" this folder: {'.'.join(Path(what).with_suffix('').parts)}{text.rpartition('.py')[2]}."
            )
        return (
            f"target {text!r}: {what} is part of the package {whole.partition('.')[0]} and imports its neighbours from"
            f" it. Install that package, pip install -e ., and name {whole}{text.rpartition('.py')[2]}."
        )
    said = [printed_line for printed_line in printed.splitlines() if printed_line.strip()]
    if isinstance(original, SystemExit):
        last = f", saying {escaped(said[-1].strip(), 200)!r}" if said else ""
        return f"target {text!r}: {what} cannot be imported: it raises {line}{raised_at(original)}{last}. {AS_A_SCRIPT}"
    return f"target {text!r}: {what} cannot be imported: it raises {line}{raised_at(original)}."


def _wants_its_package(error: BaseException | None) -> bool:
    return isinstance(error, ImportError) and "no known parent package" in str(error)


def _package_of(file: str) -> tuple[str, Path]:
    """The name of a file's module, its packages before it, and the folder that the outermost of them lies in."""
    path = Path(file).resolve()
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts).removesuffix(".__init__"), folder


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
    if text.partition(":")[0].endswith(".ipynb"):
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
    others = [t for t in there if not t.startswith("_") and t != name]
    near = difflib.get_close_matches(name, others, n=1, cutoff=cutoff)
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
