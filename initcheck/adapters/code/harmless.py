"""What may be called without harm: libraries that compute, less those of their functions that do more."""

from __future__ import annotations

import functools
import json
import re
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Libraries that compute. What they hold beside that is named below.
_LIBRARIES_TEXT = """
    __future__ _warnings _abc _collections _collections_abc _functools _operator _random _statistics _struct abc
    array base64 beartype binascii bisect builtins chex cmath collections contextlib copy copyreg dataclasses
    datetime decimal einops enum equinox flax fractions functools haiku hashlib heapq inspect itertools jax
    jaxlib jaxtyping json keras logging math ml_dtypes numbers numpy operator optax random re reprlib scipy
    secrets statistics string struct tensorflow textwrap time torch types typing typing_extensions uuid warnings
    weakref zlib
"""
_LIBRARIES = frozenset(_LIBRARIES_TEXT.split())
# Names of a path that are harmful in whichever of these libraries they stand.
_HARMFUL_TEXT = """
    DataLoader DataSource FileHandler RotatingFileHandler applications backward basicConfig callbacks
    cpp_extension ctypeslib datasets distributed download export fit fromfile from_pretrained genfromtxt
    get_type_hints hub io io_callback loadtxt model_zoo multiprocessing onnx optim optimizers profiler
    pure_callback rundocs runstring savemat savetxt savez saving serialization sleep step tensorboard tofile training
"""
_HARMFUL = frozenset(_HARMFUL_TEXT.split())
# Words of the name of a function that reach beyond memory, whatever else it is made of: save_npz, load_library,
# open_memmap, PackageExporter.
_WORDS_TEXT = """
    chdir deserialise deserialize directory download dump exec exporter file fork importer kill load memmap open
    save serialise serialize shell spawn system upload url write
"""
_WORDS = frozenset(_WORDS_TEXT.split())
# Attributes of an object of which nothing is known, that an array, a tensor, a module or a file may have.
_ATTRIBUTES_TEXT = """
    Popen __builtins__ __globals__ __subclasses__ apply_gradients backward check_call check_output chmod chown commit
    dump exec executemany execute execv execve execvp export_chrome_trace f_back f_builtins f_globals f_locals fit
    fit_generator from_pretrained gi_frame hardlink_to kill killpg load_weights makedirs minimize mkdir open popen
    removedirs rmdir rmtree save save_pretrained save_weights savefig savetxt savez send sendall step symlink_to system
    tb_frame to_csv to_excel to_feather to_folder to_hdf to_json to_parquet to_pickle to_sql tofile touch
    train_on_batch truncate unlink urlopen urlretrieve write write_bytes write_text writelines
"""
_ATTRIBUTES = frozenset(_ATTRIBUTES_TEXT.split())
_BUILTINS = frozenset(
    [
        "__import__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "exit",
        "globals",
        "help",
        "input",
        "locals",
        "open",
        "quit",
    ]
)
# Of the standard library, what is read as a user's code is: most of it does no harm.
_READ = frozenset(["fnmatch", "genericpath", "ntpath", "pathlib", "posixpath", "pprint"])
# Of modules that are trusted with nothing else; and what every layer of Keras is.
_PATHS_TEXT = """
    keras.src.saving.keras_saveable.KerasSaveable
    os.cpu_count os.environ os.environ.get os.getenv os.getpid os.sep os.urandom sys.byteorder sys.float_info
    _thread.get_ident _thread.RLock sys.audit _thread.lock sys.maxsize sys.modules sys.modules.get sys.platform
    sys.version_info threading.Lock threading.RLock threading.local threading.current_thread
"""
_PATHS = frozenset(_PATHS_TEXT.split())


def is_trusted(module: str | None) -> bool:
    """Whether a module is of a library that computes: one that is installed, not a file of that name beside the target.

    >>> is_trusted("numpy.random"), is_trusted("subprocess")
    (True, False)
    """
    root = (module or "").partition(".")[0]
    return root in _LIBRARIES and _is_installed(root)


def is_followed(module: str | None) -> bool:
    """Whether code of a module is read: a user's or a third party's, and of the standard library what only reads.

    >>> is_followed("pathlib"), is_followed("shutil"), is_followed("my_weights")
    (True, False, True)
    """
    root = (module or "").partition(".")[0]
    return root in _READ or root not in sys.stdlib_module_names or not _is_installed(root)


def harm_of_path(path: str) -> str | None:
    """What is harmful in ``torch.optim.SGD``: the words that name it; None where nothing is."""
    if path in _PATHS or path.startswith("os.path."):
        return None
    root, *names = path.split(".")
    if root == "builtins":
        return harm_of_builtin(names[-1]) if names else None
    if not is_trusted(root):
        return path
    if root == "re" or not names:
        return None
    return path if _HARMFUL & set(names) or _WORDS & set(_words_of(names[-1])) else None


def _words_of(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def harm_of_attribute(name: str) -> str | None:
    """Whether an attribute of that name does harm, whatever it is asked of."""
    return f".{name}()" if name in _ATTRIBUTES else None


def harm_of_builtin(name: str) -> str | None:
    """Whether a built-in function does harm."""
    return f"{name}()" if name in _BUILTINS else None


@functools.cache
def _is_installed(root: str) -> bool:
    if root in sys.builtin_module_names:
        return True
    file = getattr(sys.modules.get(root), "__file__", None)
    if file is None:
        return True  # frozen, or not imported yet
    inside = {"site-packages", "dist-packages"} & set(Path(file).parts)
    return bool(inside) or any(file.startswith(folder) for folder in _standard()) or _is_distributed(root, file)


def _is_distributed(root: str, file: str) -> bool:
    """Whether a distribution brought the file: into a folder of ``pip install --target``, or by an editable install."""
    base = Path(file).parents[Path(file).name == "__init__.py"]
    inside = str(Path(file).relative_to(base))
    if any(inside in map(str, of.files or ()) for of in metadata.distributions(path=[str(base)])):
        return True
    origins = (json.loads(of.read_text("direct_url.json") or "{}") for of in metadata.distributions())
    editable = (o["url"] for o in origins if o.get("dir_info", {}).get("editable"))
    return any(Path(file).is_relative_to(unquote(urlsplit(url).path)) for url in editable)


@functools.cache
def _standard() -> tuple[str, ...]:
    return tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
