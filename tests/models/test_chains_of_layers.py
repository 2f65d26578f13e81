"""Which layers in a list are a chain, by how the signal goes through them, and what its growth comes from."""

from __future__ import annotations

import math
import re

import pytest

torch = pytest.importorskip("torch")

import initcheck  # noqa: E402  (torch is optional)
from initcheck.models.modules.live_module import LiveModule  # noqa: E402
from initcheck.models.signals.listener import Listener  # noqa: E402
from initcheck.models.signals.signal import ChainSignal  # noqa: E402

WIDTH, DEPTH = 32, 8
HE = math.sqrt(2 / WIDTH)


def _norm():
    return torch.nn.LayerNorm(WIDTH)


def _matrix():
    return torch.nn.Linear(WIDTH, WIDTH)


class _Stack(torch.nn.Module):
    """Eight layers in a list, and a way from one to the next."""

    def __init__(self, step, std=HE, beside=None):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
        self.beside = torch.nn.ModuleList(beside() for _ in range(DEPTH)) if beside else None
        self.step = step
        for layer in self.layers:
            torch.nn.init.normal_(layer.weight, std=std)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x):
        given = x
        for i, layer in enumerate(self.layers):
            x = self.step(x, layer, self.beside[i] if self.beside else None, given)
        return x


CHAINS = {
    "an activation between": _Stack(lambda x, layer, *_: torch.relu(layer(x))),
    "a sum with what went in": _Stack(lambda x, layer, *_: x + torch.relu(layer(x)) / 3),
    "a norm between": _Stack(lambda x, layer, norm, _: norm(torch.relu(layer(x))), beside=_norm),
    "dropout and a slope": _Stack(lambda x, layer, *_: torch.nn.functional.dropout(layer(x), 0.1).tanh() * 1.5),
}  # fmt: skip
NO_CHAINS = {
    "each is given the first input": _Stack(lambda x, layer, _, given: x + layer(given)),
    "another matrix between": _Stack(lambda x, layer, other, _: other(layer(x)), beside=_matrix),
    "cut off by a detach": _Stack(lambda x, layer, *_: layer(x).detach().sin()),
}  # fmt: skip


def _of_layers(model):
    signal = Listener(None).hear(LiveModule(model))
    assert signal.problem is None
    return [c for c in signal.chains if c.name == "layers"]


@pytest.mark.parametrize("name", CHAINS)
def test_layers_that_hand_on_through_operations_without_a_matrix_are_a_chain(name):
    (chain,) = _of_layers(CHAINS[name])
    assert len(chain.blocks) == len(chain.forward) == len(chain.backward) == DEPTH


def test_layers_that_are_numbered_by_their_names_are_a_chain():
    class Student(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for i in range(1, DEPTH + 1):
                setattr(self, f"fc{i}", torch.nn.Linear(WIDTH, WIDTH))
            self.bn1, self.bn2 = torch.nn.BatchNorm1d(WIDTH), torch.nn.BatchNorm1d(WIDTH)

        def forward(self, x):
            for i in range(1, DEPTH + 1):
                x = torch.relu(getattr(self, f"fc{i}")(x))
            return self.bn2(self.bn1(x))

    (chain,) = Listener(None).hear(LiveModule(Student())).chains
    assert (chain.name, len(chain.blocks)) == ("fc", DEPTH)


@pytest.mark.parametrize("name", NO_CHAINS)
def test_layers_beside_one_another_or_with_a_matrix_between_are_none(name):
    assert _of_layers(NO_CHAINS[name]) == []


def test_a_signal_of_1e_30_has_a_size():
    torch.manual_seed(0)
    (chain,) = _of_layers(_Stack(lambda x, layer, *_: torch.relu(layer(x)), std=1e-4))
    assert 0 < chain.forward[-1] < 1e-50
    assert chain.growth("forward") == pytest.approx((WIDTH * 1e-8 / 2) ** 4, rel=0.9)


@pytest.mark.parametrize(
    ("std", "act", "said", "needed"),
    [
        (0.02, torch.relu, "32 inputs times the variance of its weights, 0.02", "sqrt(2/fan_in) = 0.25"),
        (1.0, lambda x: x, "32 inputs times the variance of its weights, 1", "sqrt(1/fan_in) = 0.177"),
    ],
)
def test_the_cause_of_a_growth_is_the_weights_where_their_arithmetic_gives_it(std, act, said, needed):
    def build():
        return _Stack(lambda x, layer, *_: act(layer(x)), std=std)

    report = initcheck.check_model(build, claims=["signal-survives-the-blocks"])
    (result,) = [r for r in report.results if r.claim == "signal-survives-the-blocks"]
    assert result.verdict is initcheck.Verdict.FAILS
    assert said in result.evidence.likely
    assert result.evidence.fix.endswith(needed)
    # And of the gradient, where a part of it is the stream's: as many outputs as inputs.
    back = initcheck.check_model(build, claims=["gradient-survives-the-blocks"])["gradient-survives-the-blocks"]
    assert back.evidence is not None
    assert said in str(back.evidence.likely)


def test_what_the_arithmetic_of_the_weights_leaves_over_is_laid_on_what_stands_between_them():
    def build():
        return _Stack(lambda x, layer, *_: 0.1 * torch.relu(layer(x)))

    report = initcheck.check_model(build, claims=["signal-survives-the-blocks"])
    (result,) = [r for r in report.results if r.claim == "signal-survives-the-blocks"]
    assert result.verdict is initcheck.Verdict.FAILS
    assert "by what stands between the matrices" in (result.evidence.likely or "")
    assert "measure again: what stands between goes with it" in (result.evidence.fix or "")


def test_sound_layers_in_a_list_hold():
    claims = ["signal-survives-the-blocks", "gradient-survives-the-blocks"]
    report = initcheck.check_model(lambda: _Stack(lambda x, layer, *_: torch.relu(layer(x))), claims=claims)
    assert {r.claim: r.verdict for r in report.results} == dict.fromkeys(claims, initcheck.Verdict.HOLDS)


def test_a_stem_of_one_shape_with_the_body_does_not_hide_its_blocks():
    layers = [torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU()) for _ in range(DEPTH)]
    stem = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.LayerNorm(WIDTH))
    (chain,) = Listener(None).hear(LiveModule(torch.nn.Sequential(stem, torch.nn.Sequential(*layers)))).chains
    assert (chain.name, len(chain.blocks)) == ("1", DEPTH)


def test_zeros_are_one_finding_and_no_growth():
    def build():
        stack = _Stack(lambda x, layer, *_: layer(x).tanh(), std=0.0)
        return torch.nn.Sequential(torch.nn.Linear(8, WIDTH), stack, torch.nn.Linear(WIDTH, 3))

    report = initcheck.check_model(build)
    assert [r.claim for r in report.results if r.verdict is initcheck.Verdict.FAILS] == ["tensors-are-distinct"]


class _Normed(torch.nn.Module):
    """Convolutions behind one another, a batch norm and a ReLU behind each."""

    def __init__(self, depth):
        super().__init__()
        self.convs = torch.nn.ModuleList(torch.nn.Conv2d(16, 16, 3, padding=1) for _ in range(depth))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(16) for _ in range(depth))

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
        return x


def test_what_batch_norms_do_to_a_gradient_is_not_laid_at_the_weights():
    torch.manual_seed(0)
    (chain,) = [c for c in Listener(None).hear(LiveModule(_Normed(12))).chains if c.name == "convs"]
    assert chain.norms == 6
    assert chain.growth("backward") == pytest.approx((math.pi / (math.pi - 1)) ** 6, rel=0.5)  # 9.98
    assert chain.unexplained("backward") < 2 < 4 < chain.growth("backward")


def test_batch_norms_explain_a_factor_of_16_at_most():
    names = tuple(map(str, range(60)))
    (all_of_it, most_of_it) = (
        ChainSignal("convs", names, (1.0,) * 60, tuple(1.467 ** (norms - i) for i in range(60)), norms=norms)
        for norms in (7, 30)
    )
    assert all_of_it.unexplained("backward") == pytest.approx(1.467**30 / 1.467**7, rel=0.01)
    assert most_of_it.unexplained("backward") == pytest.approx(1.467**30 / 16, rel=0.01)


def test_of_blocks_of_several_matrices_the_one_that_does_it_alone_is_named():
    class Gate(torch.nn.Module):
        def __init__(self, size: float) -> None:
            super().__init__()
            self.a, self.b = (torch.nn.Linear(32, 32, bias=False) for _ in range(2))
            self.size = size

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.size * torch.tanh(x + self.b(torch.tanh(self.a(x))))

    def build(sizes: list[float]) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Sequential(*map(Gate, sizes)), torch.nn.Linear(32, 3))

    claims = ["signal-survives-the-blocks"]
    alone = initcheck.check_model(lambda: build([1.0] * 7 + [9.0]), batch="16x32", claims=claims)
    assert "0.7 alone does nearly all of it" in str(alone)
    every = initcheck.check_model(lambda: build([0.3] * 8), batch="16x32", claims=claims)
    assert re.search(r"0\.0 to 0\.7.*\n.*every block multiplies it by 0\.\d+, 8 blocks", str(every))


def test_what_biases_add_is_not_laid_at_the_weights():
    def build():
        made = torch.nn.Sequential()
        for _ in range(6):
            made.append(torch.nn.Linear(WIDTH, WIDTH))
            torch.nn.init.normal_(made[-1].weight, std=math.sqrt(1 / 3 / WIDTH))
            torch.nn.init.normal_(made[-1].bias, std=0.01)
            made.append(torch.nn.ReLU())
        return made

    page = str(initcheck.check_model(build, batch=f"64x{WIDTH}", claims=["signal-survives-the-blocks"]))
    assert "half of it through the activation, and its bias adds to that" in page
    assert "the standard deviation sqrt(2/fan_in)" in page
