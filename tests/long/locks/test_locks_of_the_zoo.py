"""Locks of every model of the zoo: the same at every seed, short, and with a line that names what is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "models"))
sys.path.insert(0, str(Path(__file__).parent))

import model_zoo as zoo
from siblings import SIBLINGS
from torch import nn

from initcheck.locks.lines import Lock, changes
from initcheck.locks.model_lines import lines_of_model
from initcheck.targets.models import model_of

SEEDS = 12


def _lock(factory: Callable[[], nn.Module], seed: int = 0) -> Lock:
    return Lock("zoo", lines_of_model(model_of(factory), seed))


@pytest.mark.parametrize("name", zoo.CORRECT)
def test_a_lock_does_not_hang_on_the_seed(name: str) -> None:
    first = _lock(zoo.CORRECT[name])
    assert 1 <= len(first.lines) <= 25
    for seed in range(1, SEEDS):
        assert list(changes(first, _lock(zoo.CORRECT[name], seed))) == []


@pytest.mark.parametrize("broken", zoo.BROKEN, ids=lambda broken: broken.__name__)
def test_what_a_broken_model_does_otherwise_than_its_sound_sibling_is_a_line(broken: Callable[[], nn.Module]) -> None:
    sound, words = SIBLINGS[broken]
    found = list(changes(_lock(sound), _lock(broken)))
    assert any(words in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("sound", "broken", "words"),
    [
        (zoo.gpt, zoo.gpt_unscaled, "the lock says normal, std 0.005774 = 0.02/sqrt(2L)"),
        (zoo.gpt, zoo.scaling_bypassed, "= 0.02/sqrt(2L)"),
        (zoo.gpt, zoo.gpt_untied, "lm_head.weight"),
    ],
)
def test_what_another_scaling_or_tie_does_is_a_line(
    sound: Callable[[], nn.Module], broken: Callable[[], nn.Module], words: str
) -> None:
    found = list(changes(_lock(sound), _lock(broken)))
    assert any(words in sentence for sentence in found), found


def test_two_hundred_layers_are_a_few_lines() -> None:
    def deep() -> nn.Module:
        return nn.Sequential(*[nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.ReLU()) for _ in range(200)])

    assert len(_lock(deep).lines) == 4
