"""Edits of where the randomness comes from: the generator or seed that was handed in, in place of another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from initcheck.adapters.signatures.signature import role_of
from initcheck.repairs.edits.edit import Edit, callee, is_text
from initcheck.repairs.edits.function_source import Change, FunctionSource

# Generators made on the spot, by what the caller can hand in instead.
_MADE = {
    "rng": r"(np|numpy|npr|nprandom)?\.?(random\.)?(default_rng|RandomState|Generator|SeedSequence)$",
    "key": r"(.*\.)?(PRNGKey|random\.key|jrandom\.key|jr\.key)$",
    "torch_generator": r"(torch\.)?Generator$",
}
_COPIES = r"(copy\.)?(deepcopy|copy)$"
_GLOBAL = r"(np|numpy)\.random\.(\w+)$|(npr|nprandom)\.(\w+)$"
_SEEDING = r"(.*\.)?(seed|set_state|manual_seed|set_random_seed|setstate|set_rng_state)$"
# What a Generator calls the functions of numpy.random.
_NEW_NAMES = {"rand": "random", "randn": "standard_normal", "random_sample": "random", "ranf": "random",
              "sample": "random", "randint": "integers", "random_integers": "integers"}  # fmt: skip
_UNPACKED = ("rand", "randn")
_OF_TORCH = r"torch\.(randn|rand|normal|randint|bernoulli|randperm)$"
_IN_PLACE = r"\.(normal_|uniform_|bernoulli_|exponential_|log_normal_|cauchy_|random_)$"
_INITS = r"(.*\.)?(\w*normal_|\w*uniform_|orthogonal_|sparse_)$"


def generator_edits(source: FunctionSource) -> Iterator[Edit]:
    """Every way to draw from what the caller hands in: one place at a time, then all of them."""
    roles = {role_of(name): name for name in reversed(source.names)}
    for role in ("random_state", "python_random"):
        if role in roles and "rng" not in roles:
            roles["rng"] = roles[role]
    found: list[Change] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            found += _of_call(source, node, roles)
    whole, seedings = _of_globals(source, roles), _seedings(source)
    for change in found:
        was = source.text.encode()[change.start : change.end].decode().strip()
        instead = f"{change.text} in place of {was}" if change.text else f"leave out `{was}`"
        yield Edit("generator", f"draw from what the caller hands in: {instead}", (change,))
    if whole:
        name = roles.get("rng") or roles.get("seed") or "rng"
        words = f"draw from {name}, which the caller hands in, and not from a global generator"
        yield Edit("generator", words, tuple(whole))
        if seedings:
            yield Edit("generator", f"{words}; leave its seed alone", (*whole, *seedings))
    if len(found) > 1:
        yield Edit("generator", "draw from what the caller hands in, in every place", tuple(found))


def _gives(statement: ast.AST, name: str, value: ast.expr) -> TypeGuard[ast.Assign]:
    """Whether a statement gives a name this value, and no more."""
    given = isinstance(statement, ast.Assign) and statement.value is value and len(statement.targets) == 1
    return given and getattr(statement.targets[0], "id", None) == name  # type: ignore[attr-defined]


def _of_call(source: FunctionSource, node: ast.Call, roles: dict[str, str]) -> Iterator[Change]:
    name = callee(node)
    for role, pattern in _MADE.items():
        if not name or not re.match(pattern, name):
            continue
        if role in roles:
            # key = PRNGKey(0) writes over what was handed in.
            over = next((n for n in ast.walk(source.tree) if _gives(n, roles[role], node)), None)
            yield source.change(node, roles[role]) if over is None else source.without(over)
        elif "seed" in roles and [source.of(a) for a in node.args] != [roles["seed"]]:
            yield source.change(node, f"{source.of(node.func)}({roles['seed']})")
    handed = [roles[r] for r in ("rng", "key", "torch_generator") if r in roles]
    if name and re.match(_COPIES, name) and len(node.args) >= 1 and source.of(node.args[0]) in handed:
        yield source.change(node, source.of(node.args[0]))
    generator = roles.get("torch_generator") or (roles["rng"] if roles.get("rng") == "generator" else None)
    if generator and not any(k.arg == "generator" for k in node.keywords):
        method = isinstance(node.func, ast.Attribute) and bool(re.search(_IN_PLACE, f".{node.func.attr}"))
        if method or re.match(_OF_TORCH, name) or (re.match(_INITS, name) and ".init." in f".{name}"):
            _, end = source.span(node)
            comma = ", " if node.args or node.keywords else ""
            yield Change(end - 1, end - 1, f"{comma}generator={generator}")
    if "seed" in roles:
        for keyword in node.keywords:
            if keyword.arg == "seed" and source.of(keyword.value) != roles["seed"]:
                yield source.change(keyword.value, roles["seed"])


def _of_globals(source: FunctionSource, roles: dict[str, str]) -> list[Change]:
    """All draws from NumPy's global generator, drawn from the caller's."""
    rng = roles.get("rng")
    changes: list[Change] = []
    for node in ast.walk(source.tree):
        found = re.match(_GLOBAL, callee(node)) if isinstance(node, ast.Call) else None
        if found is None:
            continue
        assert isinstance(node, ast.Call)
        method = found.group(2) or found.group(4)
        if method in ("default_rng", "RandomState", "seed", "Generator", "get_state", "set_state", "SeedSequence"):
            continue
        new = _NEW_NAMES.get(method, method)
        changes.append(source.change(node.func, f"{rng or 'rng'}.{new}"))
        if method in _UNPACKED and node.args:
            first, last = source.span(node.args[0])[0], source.span(node.args[-1])[1]
            starred = len(node.args) == 1 and isinstance(node.args[0], ast.Starred)
            inside = ", ".join(source.of(a) for a in node.args)
            changes.append(Change(first, last, inside[1:] if starred else f"({inside},)"))
    if changes and rng is None:
        if "seed" not in roles or not source.knows("np"):
            return []
        start = next((s for s in source.tree.body if not is_text(s)), source.tree.body[-1])
        changes.append(source.before(start, f"rng = np.random.default_rng({roles['seed']})"))
    return changes


def _seedings(source: FunctionSource) -> list[Change]:
    calls: Sequence[ast.Expr] = [n for n in ast.walk(source.tree) if isinstance(n, ast.Expr)]
    return [source.without(n) for n in calls if isinstance(n.value, ast.Call) and re.match(_SEEDING, callee(n.value))]
