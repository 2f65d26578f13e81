"""Every function of torch.nn.init in every dtype: siblings share its law, and one 1.5 times as wide does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import initcheck
import initcheck.gallery
from initcheck.claims.registry import find
from initcheck.models.builds.torch_record import record
from initcheck.models.provenance import frames
from initcheck.models.provenance.init_calls import law_of_call
from initcheck.models.provenance.steps import InitCall
from initcheck.models.provenance.trace import Trace
from initcheck.report.verdict import Verdict

LAW, ABSURD = "siblings-share-one-law", "no-value-is-absurd"

Init = Callable[[Tensor, float], Tensor]

DRAWS: dict[str, Init] = {
    "uniform": lambda w, s: nn.init.uniform_(w, -s, s),
    "normal": lambda w, s: nn.init.normal_(w, std=s),
    "cut at 2": lambda w, s: nn.init.trunc_normal_(w, std=s, a=-2 * s, b=2 * s),
    "cut at 3": lambda w, s: nn.init.trunc_normal_(w, std=s, a=-3 * s, b=3 * s),
    "cut narrowly": lambda w, s: nn.init.trunc_normal_(w, std=s, a=-0.1 * s, b=0.1 * s),
    "cut on one side": lambda w, s: nn.init.trunc_normal_(w, std=s, a=0.0, b=9.0),
    "xavier_uniform": lambda w, s: nn.init.xavier_uniform_(w, gain=s),
    "xavier_normal": lambda w, s: nn.init.xavier_normal_(w, gain=s),
    "kaiming_uniform": lambda w, s: nn.init.kaiming_uniform_(w, a=math.sqrt(2 / s**2 - 1)),
    "kaiming_normal": lambda w, s: nn.init.kaiming_normal_(w, a=math.sqrt(2 / s**2 - 1), mode="fan_out"),
    "orthogonal": lambda w, s: nn.init.orthogonal_(w, gain=s),
    "sparse": lambda w, s: nn.init.sparse_(w, 0.5, std=s),
}


def model_of(draw: Init, dtype: torch.dtype, odd: float = 1.0) -> nn.Module:
    layers = [nn.Linear(20, 20, bias=False, dtype=dtype) for _ in range(6)]
    for i, layer in enumerate(layers):
        draw(layer.weight, 0.5 * (odd if i == 3 else 1.0))
    return nn.Sequential(*layers)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", DRAWS)
def test_siblings_of_one_call_share_its_law_and_a_wider_one_does_not(name: str, dtype: torch.dtype) -> None:
    if name == "orthogonal" and dtype != torch.float32:
        pytest.skip("torch has no QR in this dtype")
    draw = DRAWS[name]
    report = initcheck.check_model(lambda: model_of(draw, dtype), claims=[LAW, ABSURD])
    assert report[LAW].verdict is report[ABSURD].verdict is Verdict.HOLDS
    odd = initcheck.check_model(lambda: model_of(draw, dtype, 1.5), claims=[LAW])[LAW]
    assert "3.weight: drawn as" in str(odd.evidence.case)
    assert "its 5 siblings as" in str(odd.evidence.case)


@pytest.mark.parametrize("name", DRAWS)
def test_the_law_of_a_call_is_that_of_its_entries(name: str) -> None:
    torch.manual_seed(0)
    with Trace() as trace:
        weight = DRAWS[name](torch.empty(200, 200), 0.5)
    found = record("w", weight, "Linear", trace, None)
    assert found.law.std == pytest.approx(found.std, rel=0.02)
    assert found.law.mean == pytest.approx(found.mean, abs=0.02 * found.std)


def test_an_alias_that_was_imported_before_is_known_too() -> None:
    from torch.nn.init import trunc_normal_ as cut

    with Trace() as trace:
        weight = cut(torch.empty(30, 30), std=0.02, a=-0.04, b=0.04)
    assert record("w", weight, "Linear", trace, None).law.text.startswith("truncated_normal std 0.01759 (0.02 before")


def test_a_call_and_its_later_scaling_are_one_law() -> None:
    with Trace() as trace:
        weight = nn.init.trunc_normal_(torch.empty(30, 30), std=0.02, a=-0.04, b=0.04).mul_(0.5)
    law = record("w", weight, "Linear", trace, None).law
    assert law.sigma == pytest.approx(0.01)


@pytest.mark.parametrize(("name", "shape"), [("xavier_normal_", (8, 4, 3, 3)), ("kaiming_normal_", (8, 4, 3, 3))])
def test_the_fans_of_a_convolution_count_its_receptive_field(name: str, shape: tuple[int, ...]) -> None:
    weight = torch.empty(shape)
    torch.manual_seed(0)
    stds = [float(getattr(nn.init, name)(weight.clone()).std()) for _ in range(40)]
    assert law_of_call(InitCall(name, (), 0, shape)).std == pytest.approx(sum(stds) / len(stds), rel=0.03)


def _rejection(weight: Tensor, std: float) -> None:
    """A sampler of the user's own: how many rounds it takes is chance."""
    with torch.no_grad():
        drawn = torch.randn_like(weight) * std
        while bool((drawn.abs() > 2 * std).any()):
            drawn = torch.where(drawn.abs() > 2 * std, torch.randn_like(weight) * std, drawn)
        weight.copy_(drawn)


@pytest.mark.parametrize("seed", range(3))
def test_laws_that_no_call_names_are_compared_by_their_numbers(seed: int) -> None:
    def build(odd: float) -> nn.Module:
        layers = [nn.Linear(20, 20, bias=False) for _ in range(6)]
        for i, layer in enumerate(layers):
            _rejection(layer.weight, 0.02 * (odd if i == 3 else 1.0))
        return nn.Sequential(*layers)

    assert initcheck.check_model(lambda: build(1.0), claims=[LAW], seed=seed)[LAW].verdict is Verdict.HOLDS
    odd = initcheck.check_model(lambda: build(10.0), claims=[LAW], seed=seed)[LAW]
    assert "3.weight: standard deviation 0.17" in str(odd.evidence.case)


def test_the_draws_of_a_power_iteration_are_a_bounded_set() -> None:
    with Trace() as trace:
        weight = torch.randn(8, 8)
        u, v = torch.randn(8), torch.randn(8)
        for _ in range(300):
            u = nn.functional.normalize(weight @ v, dim=0)
            v = nn.functional.normalize(weight.T @ u, dim=0)
        weight.div_(u @ weight @ v)
    found = record("w", weight, "Own", trace, None)
    assert len(found.draws) <= 3
    assert len(trace.steps_of(weight)) < 10


def test_code_typed_at_a_prompt_is_its_own_place_and_no_code_of_ours_is():
    ours = [compile("pass", str(Path(initcheck.__file__).parent / "engine" / "checker.py"), "exec")]
    ours += [compile("pass", str(Path(find("zero-mean").prop.__code__.co_filename)), "exec")]
    ours += [compile("pass", "<frozen runpy>", "exec"), compile("pass", "<string>", "exec")]
    theirs = [compile("pass", name, "exec") for name in ("<stdin>", "<ipython-input-1-ab>", "/home/me/net.py")]
    assert {frames._kind(code) for code in ours} == {frames._SKIP}
    assert {frames._kind(code) for code in theirs} == {frames._USER}
    assert frames._kind(compile("pass", str(Path(initcheck.gallery.__file__)), "exec")) == frames._USER


def test_a_call_that_repeats_the_constructors_is_a_call_of_its_own() -> None:
    """The constructor of attention calls xavier_uniform_ too, and its frame's address is free again by then."""
    with Trace() as trace:
        layers = [nn.MultiheadAttention(8, 2) for _ in range(60)]
        for layer in layers:
            nn.init.xavier_uniform_(layer.in_proj_weight)
    last = [trace.steps_of(layer.in_proj_weight)[-1] for layer in layers]
    assert {step.op for step in last} == {"xavier_uniform_"}
    assert not any(step.caller.default for step in last)
    assert len({step.site for step in last}) == 1


def test_the_operations_of_one_call_are_one_step() -> None:
    with Trace() as trace:
        weight = torch.empty(40, 30)
        nn.init.trunc_normal_(weight, std=0.02)
    assert [step.op for step in trace.steps_of(weight)] == ["trunc_normal_"]
