"""What a report says of whole models beside the verdict: whose logits, which memory, which layer, which input."""

from __future__ import annotations

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import initcheck  # noqa: E402  (torch is optional)
from initcheck.models.batches.array_batch import ArrayBatch  # noqa: E402
from initcheck.models.batches.batch import Batch  # noqa: E402
from initcheck.report.verdict import Verdict  # noqa: E402

nn = torch.nn


class Words(nn.Module):
    def __init__(self, *, tie: str) -> None:
        super().__init__()
        self.tok, self.norm, self.lm_head = nn.Embedding(61, 32), nn.LayerNorm(32), nn.Linear(32, 61, bias=False)
        if tie == "data":
            self.lm_head.weight.data = self.tok.weight.data
        elif tie == "wrapped":
            self.lm_head.weight = nn.Parameter(self.tok.weight)
        else:
            self.lm_head.weight = self.tok.weight

    def forward(self, idx):
        return self.lm_head(self.norm(self.tok(idx)))


def _page(build, claim, batch=None):
    return str(initcheck.check_model(build, claims=[claim], batch=batch))


def test_a_loss_above_chance_names_the_matrix_and_its_other_name():
    page = _page(lambda: Words(tie="right"), "starts-at-chance")
    assert "32 inputs of size" in page
    assert "tok.weight (also lm_head.weight, so that a token answers with itself), std 1" in page


@pytest.mark.parametrize("tie", ["data", "wrapped"])
def test_two_parameters_of_one_memory_fail_and_the_mend_is_said(tie):
    page = _page(lambda: Words(tie=tie), "tensors-are-distinct")
    assert "parameters of their own in one memory" in page
    assert "lm_head.weight = tok.weight" in page


def test_one_parameter_under_two_names_is_a_tie():
    assert "nothing fails" in _page(lambda: Words(tie="right"), "tensors-are-distinct")


class Listed(nn.Module):
    """Layers one after another, or side by side; between them stands what ``first`` says."""

    def __init__(self, layers: list[nn.Module], *, after_another: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.after_another = after_another

    def forward(self, x):
        made = x
        for layer in self.layers:
            made = torch.tanh(layer(made)) if self.after_another else made + layer(x)
        return made


@pytest.mark.parametrize("after_another", [False, True])
def test_a_list_of_one_layer_is_open(after_another):
    page = _page(lambda: Listed([nn.Linear(8, 8)] * 3, after_another=after_another), "tensors-are-distinct", "4x8")
    assert "UNDECIDED" in page
    assert "layers.0, layers.1, layers.2: one layer under 3 names" in page
    assert ("no other stands beside it" if after_another else "given one input more than once") in page


def test_one_of_several_layers_that_is_applied_twice_is_no_list_of_one():
    def build():
        shared = nn.Linear(8, 8)
        return Listed([shared, nn.Linear(8, 8), shared], after_another=True)

    assert "nothing fails (1 claim" in _page(build, "tensors-are-distinct", "4x8")


class Feeding(nn.Module):
    """Its feed is an argument, whose default is made with the class."""

    def __init__(self, feed: nn.Module = nn.Linear(8, 8)) -> None:  # noqa: B008
        super().__init__()
        self.feed = feed

    def forward(self, x):
        return torch.tanh(self.feed(x))


def test_a_layer_that_is_a_default_argument_is_one_in_all_blocks():
    page = _page(lambda: nn.Sequential(Feeding(), Feeding(), Feeding()), "tensors-are-distinct", "4x8")
    assert "0.feed, 1.feed, 2.feed: one layer under 3 names" in page
    assert "the default of Feeding(feed=...)" in page
    each = _page(lambda: nn.Sequential(*(Feeding(nn.Linear(8, 8)) for _ in range(3))), "tensors-are-distinct", "4x8")
    assert "one layer" not in each


def test_one_head_of_several_tasks_is_open():
    class Tasks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            head = nn.Linear(8, 4)
            self.heads = nn.ModuleDict({"age": head, "sex": head})

        def forward(self, x):
            return {task: head(x) for task, head in self.heads.items()}

    assert "heads.age, heads.sex: one layer under 2 names" in _page(Tasks, "tensors-are-distinct", "4x8")


def test_a_dead_relu_is_told_by_the_layer_before_it():
    def build():
        layers = [nn.Linear(16, 16) for _ in range(3)]
        nn.init.constant_(layers[1].bias, -9.0)
        return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])

    page = _page(build, "input-reaches-the-output", "8x16")
    assert "lost behind 2" in page
    assert "where a ReLU, or what is flat too" in page


def test_zero_beside_zero_is_called_so():
    def build():
        net = nn.Sequential(*(nn.Linear(16, n, bias=False) for n in (16, 16, 4)))
        for layer in (net[1], net[2]):
            nn.init.zeros_(layer.weight)
        return net

    assert "zero beside zero" in _page(build, "tensors-are-distinct", "8x16")


class Early(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.config = type("Config", (), {"initializer_range": 0.02})()
        self.apply(self._init_weights)
        self.lines = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(0.0, self.config.initializer_range)

    def forward(self, x):
        return self.lines[2](self.lines[1](self.lines[0](x)))


def test_an_init_method_that_ran_too_early_is_named():
    page = _page(Early, "declared-laws-are-in-force", "8x16")
    assert "Early._init_weights()" in page
    assert "wrote none of them" in page
    assert "once every layer is made" in page


class Keys(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(7, 5), nn.Linear(7, 3)

    def forward(self, batch):
        return self.a(batch["eye colour"]), self.b(batch["hair"])


def test_a_dict_called_batch_is_changed_too():
    report = initcheck.check_model(
        Keys, claims=["input-reaches-the-output"], batch="batch.eye colour=2x7; batch.hair=2x7"
    )
    (result,) = (r for r in report if r.claim == "input-reaches-the-output")
    assert result.verdict is initcheck.Verdict.HOLDS


@pytest.mark.parametrize("values", [[1.0, 2.0], [3, 1], [0.5, 0.25, 4.0]])
def test_a_short_vector_is_another_one(values):
    tensor = torch.tensor(values)
    (other,) = Batch((tensor,), {}, "").shuffled().args
    assert not torch.equal(other, tensor)
    assert float(other.min()) >= float(tensor.min())
    assert float(other.max()) <= float(tensor.max())
    (array,) = ArrayBatch((np.array(values),), {}, "").shuffled().args
    assert not np.array_equal(array, np.array(values))
    assert array.max() <= max(values)


def test_what_cannot_be_changed_is_not_compared():
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(1, 4)

        def forward(self, mask):
            return self.line(mask)

    report = initcheck.check_model(Scaled, claims=["input-reaches-the-output"], batch="mask=ones:3x1")
    (result,) = (r for r in report if r.claim == "input-reaches-the-output")
    assert result.verdict is initcheck.Verdict.NOT_APPLICABLE


def test_an_input_that_fades_is_lost_in_no_one_layer():
    def build():
        return nn.Sequential(*(m for _ in range(20) for m in (nn.Linear(32, 32), nn.ReLU())))

    page = _page(build, "input-reaches-the-output", "16x32")
    assert "fades from layer to layer" in page
    assert "lost in" not in page


def test_the_deviation_that_is_proposed_for_a_tied_head_starts_at_chance():
    class Proposed(Words):
        def __init__(self) -> None:
            super().__init__(tie="right")
            nn.init.normal_(self.tok.weight, std=self.std)

    first = type("First", (Proposed,), {"std": 1.0})
    (proposed,) = re.findall(r"the standard deviation ([\d.]+)", _page(first, "starts-at-chance"))
    mended = type("Mended", (Proposed,), {"std": float(proposed)})
    assert "nothing fails" in _page(mended, "starts-at-chance")


def test_a_declared_law_that_is_missed_by_axes_of_the_kernel_names_them():
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Parameter(torch.randn(40, 3, 5, 8) / (40 * 3 * 5) ** 0.5)

        def forward(self, x):
            return torch.einsum("bd,dchk->bchk", x, self.qkv)

    report = initcheck.check_model(
        Heads, claims=["declared-laws-are-in-force"], batch="4x40", laws={"qkv": "1/sqrt(40)"}
    )
    assert "its fan counts 3 x 5 = 15 too" in str(report)
    assert "draw it with std 0.1581" in str(report)


class Generated(nn.Module):
    """Two matrices made of a vector each, which starts at ``size``."""

    def __init__(self, size):
        super().__init__()
        self.one, self.two = (nn.Parameter(size * torch.randn(8)) for _ in range(2))
        self.first, self.second = nn.Linear(8, 12 * 12, bias=False), nn.Linear(8, 5 * 12, bias=False)

    def forward(self, x):
        made = (x @ self.first(self.one).view(12, 12)).relu()
        return made @ self.second(self.two).view(12, 5)


def test_zeros_that_meet_are_named_where_one_output_is_made_of_all():
    claim = "input-reaches-the-output"
    report = initcheck.check_model(lambda: Generated(0.0), batch="8x12", claims=[claim])
    assert report[claim].verdict is Verdict.FAILS
    assert "one, two start near zero" in str(report)
    assert "draw one at random, or what it meets" in str(report)
    sound = initcheck.check_model(lambda: Generated(1.0), batch="8x12", claims=[claim])
    assert sound[claim].verdict is Verdict.HOLDS


class Scaled(nn.Module):
    """A layer whose outputs are multiplied by a vector of its own (IA3)."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.base, self.factor = nn.Linear(8, 8), nn.Parameter(torch.full((8,), start))

    def forward(self, x):
        return self.base(x) * self.factor


def test_a_factor_of_zero_is_named_whatever_it_is_called():
    def build(start):
        return nn.Sequential(Scaled(start), nn.ReLU(), nn.Linear(8, 2))

    page = _page(lambda: build(0.0), "input-reaches-the-output", "4x8")
    assert "0.factor is 0" in page
    assert "nothing fails" in _page(lambda: build(1.0), "input-reaches-the-output", "4x8")
