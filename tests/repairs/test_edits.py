"""The edits that are tried: of each kind of mistake the line somebody would write is among them."""

from __future__ import annotations

import ast
from types import FunctionType

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.repairs.edits.expressions import draw_edits, operand_edits
from initcheck.repairs.edits.formulas import (
    fan_edits,
    grouping_edits,
    number_edits,
    root_edits,
    width_edits,
    word_edits,
)
from initcheck.repairs.edits.function_source import FunctionSource
from initcheck.repairs.edits.generators import generator_edits
from initcheck.repairs.edits.plain_draw import plain_draw
from initcheck.repairs.edits.statements import return_edits, statement_edits


def source(text: str) -> FunctionSource:
    """A function as if it stood in a file."""
    # A stand-in for the frameworks: only names are looked up.
    scope: dict[str, object] = {"np": np, "math": __import__("math"), "torch": np, "jax": np}
    exec(text, scope)
    [tree] = ast.parse(text).body
    assert isinstance(tree, ast.FunctionDef)
    function = scope[tree.name]
    assert isinstance(function, FunctionType)
    return FunctionSource(function, function, text, tree, 1)


def lines(of: FunctionSource, edits) -> set[str]:
    """Every changed text, its last lines without the head."""
    return {(of.changed(e.changes) or "").partition("\n")[2].strip() for e in edits}


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ('f(m.weight, nonlinearity="tanh")', 'f(m.weight, nonlinearity="relu")'),
        ("f(m.weight, mode='fan_out')", "f(m.weight, mode='fan_in')"),
        ("f(m.weight, name='normal')", None),
    ],
)
def test_a_word_of_a_framework_is_another_word_in_the_quotes_of_its_author(now, wanted):
    of = source(f"def init(m):\n    {now}\n")
    found = lines(of, word_edits(of, "relu"))
    assert wanted in found if wanted else not found


def test_the_positions_of_a_kernel_are_counted_where_its_side_is_a_parameter():
    of = source("def init(in_channels, kernel_size, rng):\n    return np.sqrt(1 / in_channels)\n")
    found = lines(of, fan_edits(of))
    assert "return np.sqrt(1 / (in_channels * kernel_size * kernel_size))" in found
    none = source("def init(in_channels, out_channels, rng):\n    return np.sqrt(1 / in_channels)\n")
    assert not any("*" in text for text in lines(none, fan_edits(none)))


FORMULAS = [
    ("return rng.normal(0, np.sqrt(1 / shape[1]), shape)", "return rng.normal(0, np.sqrt(2 / shape[1]), shape)"),
    ("return rng.normal(0, np.sqrt(2 / shape[0]), shape)", "return rng.normal(0, np.sqrt(2 / shape[1]), shape)"),
    ("return rng.normal(0, 2 / shape[1], shape)", "return rng.normal(0, math.sqrt(2 / shape[1]), shape)"),
    ("return rng.normal(0, (2 / shape[1]) ** 0.25, shape)", "return rng.normal(0, (2 / shape[1]) ** 0.5, shape)"),
    ("return rng.normal(0, np.sqrt(2 / (shape[1] - 1)), shape)",
     "return rng.normal(0, np.sqrt(2 / (shape[1])), shape)"),
    ("return rng.normal(0, 0.01, shape)", "return rng.normal(0, (2 / shape[1]) ** 0.5, shape)"),
    ("return rng.normal(0, np.sqrt(2 / (-(-shape[1] // 8) * 8)), shape)",
     "return rng.normal(0, np.sqrt(2 / (shape[1])), shape)"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), FORMULAS)
def test_formulas(wrong: str, right: str) -> None:
    of = source(f"def init(shape, rng):\n    {wrong}\n")
    every = [*number_edits(of, 2.0), *fan_edits(of), *root_edits(of), *number_edits(of, None)]
    every += width_edits(of, 1e-4, "(2 / shape[1]) ** 0.5")
    assert right in lines(of, every)


GROUPINGS = [
    ("limit = math.sqrt(6 / n_in + n_out)", "limit = math.sqrt(6 / (n_in + n_out))"),
    ("std = 1 / n_in * 3", "std = (1 / (n_in * 3))"),
]


@pytest.mark.parametrize(("wrong", "right"), GROUPINGS)
def test_all_that_follows_is_divided_by(wrong: str, right: str) -> None:
    of = source(f"def init(n_in, n_out):\n    {wrong}\n")
    assert right in lines(of, grouping_edits(of))


EXPRESSIONS = [
    ("return np.abs(rng.normal(0, 1, shape))", "return rng.normal(0, 1, shape)"),
    ("return rng.normal(0, 1, shape) + 0.1", "return rng.normal(0, 1, shape)"),
    ("return np.where(rng.random(shape) < 0.1, 5, rng.normal(0, 1, shape))", "return rng.normal(0, 1, shape)"),
    ("return rng.laplace(0, 2, shape)", "return rng.normal(0, 2, shape)"),
    ("return rng.standard_t(2, shape)", "return rng.standard_normal(shape)"),
    ("return rng.random(shape) * 3", "return (2 * rng.random(shape) - 1) * 3"),
    ("return rng.uniform(0, 0.1 + 1, shape)", "return rng.uniform(-(0.1 + 1), 0.1 + 1, shape)"),
    ("return np.floor(rng.normal(0, 1, shape))", "return np.round(rng.normal(0, 1, shape))"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "right"), EXPRESSIONS)
def test_expressions(wrong: str, right: str) -> None:
    of = source(f"def init(shape, rng):\n    {wrong}\n")
    assert right in lines(of, [*operand_edits(of), *draw_edits(of)])


GENERATORS = [
    ("shape, rng", "return np.random.default_rng(0).normal(0, 1, shape)", "return rng.normal(0, 1, shape)"),
    ("shape, rng", "return np.random.normal(0, 1, shape)", "return rng.normal(0, 1, shape)"),
    ("shape, rng", "return np.random.randn(*shape)", "return rng.standard_normal(shape)"),
    ("shape, rng", "np.random.seed(1)\n    return np.random.rand(shape[0], shape[1])",
     "return rng.random((shape[0], shape[1],))"),
    ("shape, seed", "return np.random.default_rng(seed % 16).normal(0, 1, shape)",
     "return np.random.default_rng(seed).normal(0, 1, shape)"),
    ("shape, seed", "return np.random.normal(0, 1, shape)",
     "rng = np.random.default_rng(seed)\n    return rng.normal(0, 1, shape)"),
    ("key, shape", "return jax.random.normal(jax.random.PRNGKey(0), shape)", "return jax.random.normal(key, shape)"),
    ("shape, generator=None", "return torch.randn(shape) * 0.1",
     "return torch.randn(shape, generator=generator) * 0.1"),
    ("t, generator=None", "return t.normal_(0, 0.1)", "return t.normal_(0, 0.1, generator=generator)"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "wrong", "right"), GENERATORS)
def test_generators(parameters: str, wrong: str, right: str) -> None:
    of = source(f"def init({parameters}):\n    {wrong}\n")
    assert right in lines(of, generator_edits(of))


def test_statements_and_what_is_returned() -> None:
    of = source("def init(shape, rng):\n    w = rng.normal(0, 1, shape)\n    w[::2] = 0\n    return w\n")
    assert "w = rng.normal(0, 1, shape)\n    return w" in lines(of, statement_edits(of))
    assert "w = rng.normal(0, 1, shape)\n    w[::2] = 0\n    return w.copy()" in lines(of, return_edits(of))
    forgotten = source("def init(shape, rng):\n    rng.normal(0, 1, shape)\n")
    assert "return rng.normal(0, 1, shape)" in lines(forgotten, return_edits(forgotten))


def test_nothing_is_taken_out_of_a_loop_that_may_never_end() -> None:
    of = source("def init(shape, rng):\n    w = rng.normal(0, 1, shape)\n    while (abs(w) > 2).any():\n"
                "        w[abs(w) > 2] = 0\n    return w + 1\n")  # fmt: skip
    texts = lines(of, [*statement_edits(of), *operand_edits(of), *draw_edits(of), *fan_edits(of)])
    assert texts
    assert all("while (abs(w) > 2).any():\n        w[abs(w) > 2] = 0" in text for text in texts)


BODIES = [
    ("shape, rng", "numpy", {}, "return rng.normal(0.0, (2 / shape[1]) ** 0.5, shape)"),
    ("shape, seed", "numpy", {"layout": "in_out"},
     "rng = np.random.default_rng(seed)\n    return rng.normal(0.0, (2 / shape[0]) ** 0.5, shape)"),
    ("shape, rng", "numpy", {"layout": "oihw", "fan": "fan_out"},
     "return rng.normal(0.0, (2 / (math.prod(shape) // shape[1])) ** 0.5, shape)"),
    ("key, shape, dtype", "jax", {"layout": "in_out"},
     "return (2 / shape[0]) ** 0.5 * jax.random.normal(key, shape, dtype)"),
    ("tensor", "torch", {"distribution": "uniform"},
     "with torch.no_grad():\n        return tensor.uniform_(-3**0.5 * (2 / tensor.shape[1]) ** 0.5,"
     " 3**0.5 * (2 / tensor.shape[1]) ** 0.5)"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "framework", "promised", "body"), BODIES)
def test_a_whole_body(parameters: str, framework: str, promised: dict[str, str], body: str) -> None:
    of = source(f"def init({parameters}):\n    return 0\n")
    contract = Contract(**{"activation": "relu", "fan": "fan_in", "layout": "out_in", **promised})
    edit = plain_draw(of, contract, framework, "normal")
    assert edit is not None
    assert body in lines(of, [edit])


def test_a_line_that_writes_over_what_is_handed_in_is_left_out() -> None:
    text = "def f(key, shape):\n    key = jax.random.PRNGKey(0)\n    return jax.random.normal(key, shape)\n"
    of = source(text)
    [edit] = [e for e in generator_edits(of) if "PRNGKey" in e.words]
    assert edit.words == "draw from what the caller hands in: leave out `key = jax.random.PRNGKey(0)`"
    assert of.changed(edit.changes) == text.replace("    key = jax.random.PRNGKey(0)\n", "")
