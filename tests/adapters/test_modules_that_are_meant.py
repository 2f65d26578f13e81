"""Which layers a function of modules is asked of: those it is for, and never others in place of ones it breaks on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from initcheck.adapters.recognition import recognise
from initcheck.errors import UsageError

Init = Callable[[nn.Module], None]


def raises_at_its_bias(module: Any) -> None:
    """A slip of public code: the bias is handed over under another word, where there is one."""
    if hasattr(module, "weight") and module.weight is not None:
        nn.init.uniform_(module.weight, -0.1, 0.1)
    if hasattr(module, "bias") and module.bias is not None:
        nn.init.constant_(module.bias, bias=0)  # type: ignore[call-arg]


def of_tables(module: Any) -> None:
    nn.init.normal_(module.weight, std=1 / math.sqrt(module.embedding_dim))
    if module.padding_idx is not None:
        module.weight.data[module.padding_idx].zero_()


def of_two_sides(module: Any) -> None:
    bound = math.sqrt(6.0 / (module.weight.size(0) + module.weight.size(1)))
    nn.init.uniform_(module.weight, -bound, bound)


def test_what_breaks_off_on_a_layer_is_not_taken_for_one_of_embeddings() -> None:
    with pytest.raises(UsageError, match=r"TypeError: constant_.* Mend what raises there"):
        recognise(raises_at_its_bias, "nets:raises_at_its_bias")


def test_what_fills_a_copy_is_told_so() -> None:
    def fills_a_copy(m: Any) -> None:
        nn.init.kaiming_normal_(m.weight.detach().clone())

    with pytest.raises(UsageError, match="may go into a copy"):
        recognise(fills_a_copy, "nets:fills_a_copy")


def test_what_misses_the_attributes_of_an_embedding_is_handed_one() -> None:
    assert "nn.Embedding" in recognise(of_tables, "nets:of_tables").notes[0]


def init_linear(m: Any) -> None:
    of_two_sides(m)


def xavier(linear: Any) -> None:
    of_two_sides(linear)


def annotated(layer: nn.Linear) -> None:
    of_two_sides(layer)


def of_either(layer: nn.Linear | nn.Conv2d) -> None:
    of_two_sides(layer)


def init_conv_and_linear(m: Any) -> None:
    of_two_sides(m)


def init_linear_layers(m: Any) -> None:
    if isinstance(m, (nn.Linear, nn.Conv2d)):
        of_two_sides(m)


@pytest.mark.parametrize(
    ("init", "ranks"),
    [
        (init_linear, (2,)), (xavier, (2,)), (annotated, (2,)), (init_linear_layers, (2, 4)),
        (of_two_sides, (2, 3, 4, 5)), (of_either, (2, 3, 4, 5)), (init_conv_and_linear, (2, 3, 4, 5)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_what_says_that_it_is_for_linear_layers_is_not_asked_of_kernels(init: Init, ranks: tuple[int, ...]) -> None:
    assert recognise(init, f"nets:{init.__name__}").ranks == ranks


@functools.singledispatch
def by_dispatch(m):
    """Nothing of another kind."""


@by_dispatch.register
def _(m: nn.Linear):
    nn.init.xavier_uniform_(m.weight)


@by_dispatch.register
def _(m: nn.Conv2d):
    nn.init.kaiming_normal_(m.weight, nonlinearity="relu")


BY_KIND = {nn.Linear: nn.init.xavier_uniform_, nn.Conv2d: nn.init.kaiming_normal_}
RECURRENT = {nn.GRU: nn.init.orthogonal_}


def by_table(m):
    if type(m) in BY_KIND:
        BY_KIND[type(m)](m.weight)


def of_one_law(m):
    if type(m) not in RECURRENT:
        nn.init.xavier_uniform_(m.weight)


@pytest.mark.parametrize(("init", "by_kind"), [(by_dispatch, True), (by_table, True), (of_one_law, False)])
def test_kernels_of_what_chooses_by_a_table_of_kinds_have_a_law_of_their_own(init, by_kind):
    assert recognise(init, "init").by_kind is by_kind


def conv_of_one_side(in_channels, out_channels, kernel_size):
    layer = nn.Conv1d(in_channels, out_channels, kernel_size)
    nn.init.normal_(layer.weight, std=(layer.kernel_size[0] * in_channels) ** -0.5)
    return layer


def conv_of_two_sides(in_channels, out_channels, kernel_size):
    layer = nn.Conv2d(in_channels, out_channels, kernel_size)
    nn.init.kaiming_normal_(layer.weight)
    return layer


@pytest.mark.parametrize(("build", "ranks"), [(conv_of_one_side, (3,)), (conv_of_two_sides, (4,))])
def test_a_kernel_has_as_many_sides_as_the_layer_that_is_built_can_run(build, ranks):
    """PyTorch builds a Conv1d of two sides without a word."""
    assert recognise(build, "layers:build").ranks == ranks
