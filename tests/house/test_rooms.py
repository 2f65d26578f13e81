"""The one rule of the house: a room imports only rooms below it, inside functions and for types too."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAN = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

# From the top down, as the plan of the house lists them.
ROOMS = re.findall(r"^\| `(initcheck|properties|initcheck/[\w/]+)/?` \|", PLAN, re.MULTILINE)
FLOOR = {room.replace("/", ".").replace("properties", "initcheck.properties"): n for n, room in enumerate(ROOMS)}
# One room that has a folder of its own, and the ground that every room stands on.
FLOOR |= {"initcheck.gallery.mistakes": FLOOR["initcheck.gallery"], "the ground": len(ROOMS)}
GROUND = tuple(
    f"initcheck.{name}" for name in ("errors", "first_use", "grouping", "seeds", "search_path", "safe_text", "wording")
)

MODULES = {
    ".".join(("initcheck", *parts) if parts[0] == "properties" else parts): file
    for folder in ("initcheck", "properties")
    for file in sorted((ROOT / folder).rglob("*.py"))
    for parts in [tuple(p for p in file.relative_to(ROOT).with_suffix("").parts if p != "__init__")]
}


def room_of(module: str) -> str:
    """The folder that a module lies in; a package's own file belongs to the package."""
    if module in GROUND:
        return "the ground"
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def house(module: str) -> str:
    """The room that counts: the mistakes of the gallery are one room with it."""
    return room_of(module).removesuffix(".mistakes")


def imports(source: str) -> Iterator[tuple[str, int]]:
    """Every module that a source imports, wherever it does, with the line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if full in MODULES else node.module), node.lineno


def climbs(module: str, source: str) -> list[str]:
    """The imports of a module that go up, or to a room of the same floor."""
    room, found = room_of(module), []
    for target, line in imports(source):
        if target in MODULES and house(target) != house(module) and FLOOR[room_of(target)] <= FLOOR[room]:
            found.append(f"{module}, line {line}, imports {target}, which lies above it")
    return found


def test_the_plan_names_every_room_once() -> None:
    assert len(ROOMS) == len(set(ROOMS))
    assert {room_of(m) for m in MODULES} == set(FLOOR)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_imports_only_rooms_below_it(module: str) -> None:
    source = MODULES[module].read_text(encoding="utf-8")
    if room_of(module) == "initcheck.gallery.mistakes" or module == "initcheck.gallery":
        assert all(FLOOR[room_of(t)] >= FLOOR["initcheck.gallery"] for t, _ in imports(source) if t in MODULES)
    else:
        assert climbs(module, source) == []


def test_a_climb_is_seen_wherever_it_hides() -> None:
    source = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from initcheck.runs.plan import Plan\n"
        "def f():\n    import initcheck.doors.cli\n"
    )
    assert len(climbs("initcheck.engine.trials.judge", source)) == 2


def test_files_of_a_room_do_not_import_one_another_in_a_circle() -> None:
    edges = {
        m: {t for t, _ in imports(f.read_text(encoding="utf-8")) if t in MODULES} - {m} for m, f in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' -> '.join((*way, module))}"
        if module not in done:
            for target in sorted(edges[module]):
                visit(target, (*way, module))
            done.add(module)

    for module in edges:
        visit(module, ())


@pytest.mark.parametrize("room", sorted({f.parent for f in MODULES.values()}), ids=str)
def test_a_room_is_small_enough_to_know(room: Path) -> None:
    assert len([f for f in room.glob("*.py") if f.name != "__init__.py"]) <= (19 if room.name == "properties" else 13)


@pytest.mark.parametrize("module", sorted(m for m, f in MODULES.items() if f.name == "__init__.py"))
def test_every_room_says_its_charter(module: str) -> None:
    text = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    assert text
    assert text.splitlines()[0].endswith(".")


def without_reason(source: str) -> list[int]:
    """The lines where a function imports of ours and no comment, there or right above, says what start-up gains."""
    lines, found = source.splitlines(), []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        ours = [
            n for n in ast.walk(function) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("initcheck")
        ]
        for node in sorted(ours, key=lambda n: n.lineno):
            above = node.lineno - 2
            while lines[above].lstrip().startswith(("from ", "import ")) or not lines[above].strip():
                above -= 1
            if not any("#" in line for line in lines[above : node.end_lineno]):
                found.append(node.lineno)
    return found


def test_an_import_in_a_function_has_its_reason() -> None:
    bare = {str(f.relative_to(ROOT)): without_reason(f.read_text(encoding="utf-8")) for f in MODULES.values()}
    bare = {file: lines for file, lines in bare.items() if lines}
    assert not bare, f"import it at the top, or say in a comment what start-up gains: {bare}"


def test_an_import_without_a_reason_is_seen() -> None:
    assert without_reason("def f():\n    from initcheck.runs.plan import Plan\n") == [2]
    assert without_reason("def f():\n    # --help loads nothing\n    from initcheck.runs.plan import Plan\n") == []
    assert without_reason("def f():\n    from initcheck.runs.plan import Plan  # --help loads nothing\n") == []


NEEDS = ("torch", "jax", "keras", "tensorflow", "flax", "equinox", "jinja2", "matplotlib")


@pytest.mark.parametrize("module", sorted(m for m in MODULES if not m.endswith("__main__")))
def test_a_module_is_found_by_its_name(module: str) -> None:
    """No function stands in the place of a module that has its name."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name in NEEDS:
            pytest.skip(f"needs {error.name}")
        raise
    parent, _, name = module.rpartition(".")
    assert not parent or isinstance(getattr(sys.modules[parent], name), types.ModuleType)


@pytest.mark.parametrize("room", ["claims", "networks", "questions", "statistics"])
def test_what_a_room_lists_is_there_and_in_order(room: str) -> None:
    listed = importlib.import_module(f"initcheck.{room}")
    assert set(listed.__all__) <= set(dir(listed))
    assert sorted(listed.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)) == listed.__all__


def test_the_checkout_is_no_part_of_the_package() -> None:
    assert importlib.util.find_spec("initcheck.properties.scale") is not None
    assert importlib.util.find_spec("initcheck.tests") is None
    assert importlib.util.find_spec("initcheck.initcheck") is None


def test_every_room_is_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    pages = {"initcheck.guide"}  # a folder of Markdown
    assert set(settings["packages"]) - pages == {room_of(m) for m in MODULES} - {"the ground"}
