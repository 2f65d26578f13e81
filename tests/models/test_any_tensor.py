"""Tensors that are no plain CPU tensors: subclasses, sparse, quantised, float8: judged, or one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.models.builds.reductions import reduced
from initcheck.models.provenance.plain import plain_tensors
from initcheck.report.report import Report
from initcheck.report.verdict import Verdict

WRITTEN, LAW, DISTINCT = "every-tensor-is-written", "siblings-share-one-law", "tensors-are-distinct"


def _failing(report: Report) -> set[str]:
    return {r.claim for r in report.failures}


class Wrapped(torch.Tensor):
    """A tensor around a tensor, as quantised and offloaded weights are: it has no storage of its own."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor, requires_grad: bool = False) -> Wrapped:
        return torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined, no-any-return]
            cls, inner.shape, dtype=inner.dtype, device=inner.device, requires_grad=requires_grad
        )

    def __init__(self, inner: Tensor, requires_grad: bool = False) -> None:
        self.inner = inner

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], _meta: Any, _size: Any, _stride: Any) -> Wrapped:
        return Wrapped(inner["inner"])

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        def bare(value: Any) -> Any:
            return value.inner if isinstance(value, Wrapped) else value

        found = func(*[bare(a) for a in args], **{k: bare(v) for k, v in (kwargs or {}).items()})
        if func._schema.name.endswith("_") and isinstance(args[0], Wrapped):
            return args[0]
        return Wrapped(found) if isinstance(found, Tensor) and found.shape == args[0].shape else found


def _layers(std: float = 0.1, odd: float | None = None, around: Any = None) -> nn.Module:
    model = nn.Sequential(*[nn.Linear(24, 24, bias=False) for _ in range(5)])
    for i, layer in enumerate(model):
        if around is not None:
            layer.weight = nn.Parameter(around(layer.weight.detach()))
        nn.init.trunc_normal_(layer.weight, std=odd if odd is not None and i == 2 else std)
    return model


@pytest.mark.long
def test_a_subclass_around_tensors_is_judged_like_what_it_holds() -> None:
    sound = initcheck.check_model(lambda: _layers(around=Wrapped), claims=[WRITTEN, LAW, DISTINCT])
    assert _failing(sound) == set()
    assert sound[LAW].verdict is Verdict.HOLDS
    odd = initcheck.check_model(lambda: _layers(odd=0.15, around=Wrapped), claims=[LAW])
    assert "2.weight: drawn as truncated_normal std 0.15" in str(odd[LAW].evidence.case)


def test_what_a_subclass_holds_and_nobody_wrote_is_named() -> None:
    def build() -> nn.Module:
        model = _layers()
        model[3].weight = nn.Parameter(Wrapped(torch.empty(24, 24)))
        return model

    report = initcheck.check_model(build, claims=[WRITTEN])
    assert "3.weight: 576 of 576 entries never written" in str(report[WRITTEN].evidence.case)


class _Holder(nn.Module):
    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.body = nn.Linear(8, 8)
        self.register_buffer("held", tensor)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(8).to_sparse(),
        lambda: torch.eye(8).to_sparse_csr(),
        lambda: torch.quantize_per_tensor(torch.randn(8, 8), 0.1, 0, torch.qint8),
        lambda: torch.randn(8, 8).to(torch.float8_e4m3fn),
        lambda: torch.randn(8, 8, dtype=torch.complex64),
        lambda: torch.ones(8, dtype=torch.bool),
    ],
    ids=["coo", "csr", "qint8", "float8", "complex", "bool"],
)
def test_every_kind_of_buffer_is_read(make: Any) -> None:
    report = initcheck.check_model(lambda: _Holder(make()), batch="4x8")
    assert _failing(report) == set(), [(r.claim, r.evidence.case) for r in report.failures]
    assert not [n for r in report for n in r.notes if "is not read" in n]


def test_a_float8_weight_that_nobody_wrote_is_named() -> None:
    build = lambda: _Holder(torch.empty(8, 8, dtype=torch.float8_e4m3fn))  # noqa: E731
    said = initcheck.check_model(build, claims=[WRITTEN])[WRITTEN].evidence.case
    assert "held: 64 of 64 entries never written" in str(said)


@pytest.mark.parametrize("build", [lambda: nn.Sequential(nn.LazyLinear(4)), lambda: nn.Linear(4, 4, device="meta")])
def test_of_a_model_of_which_nothing_is_read_nothing_holds(build: Callable[[], nn.Module]) -> None:
    claims = [WRITTEN, "rebuilds-the-same", "tensors-are-distinct", "no-value-is-absurd", "nothing-special-is-lost"]
    assert {r.verdict for r in initcheck.check_model(build, claims=claims).results} == {Verdict.UNDECIDED}

    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    asked = [*claims, "gradient-reaches-every-tensor"]
    none = initcheck.check_model(Twice, batch="4x4", claims=asked)
    assert {r.verdict for r in none.results} == {Verdict.NOT_APPLICABLE}


def test_what_has_no_memory_is_one_sentence() -> None:
    lazy = initcheck.check_model(lambda: nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 4)), claims=[WRITTEN])
    assert "0.weight is not read: lazy" in " ".join(lazy[WRITTEN].notes)
    meta = initcheck.check_model(lambda: nn.Linear(4, 4, device="meta"), claims=[WRITTEN])
    assert meta[WRITTEN].verdict is Verdict.UNDECIDED
    assert "weight is not read: on the meta device" in str(meta[WRITTEN].reason)


def test_a_digest_tells_order_value_and_dtype_apart() -> None:
    a = torch.randn(600_000, generator=torch.Generator().manual_seed(0))
    digests = {
        reduced(t).digest
        for t in (a, a.flip(0), a.double(), torch.cat([a[:-1], a[-1:] * (1 + 2e-7)]), torch.cat([a[1:], a[:1]]), -a)
    }
    assert len(digests) == 6
    assert reduced(a).digest == reduced(a.clone()).digest


def test_sums_are_those_of_the_entries() -> None:
    a = torch.randn(300_000, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    found, wide = reduced(a).whole, a.double()
    assert found.total == pytest.approx(float(wide.sum()), rel=1e-6)
    assert found.squares == pytest.approx(float(wide.square().sum()), rel=1e-6)
    assert found.kurtosis == pytest.approx(3.0, rel=0.05)
    assert (found.low, found.high) == (float(wide.min()), float(wide.max()))


def test_an_own_generator_is_the_one_whose_state_is_read() -> None:
    def build(again: bool) -> nn.Module:
        model = nn.Sequential(*[nn.Linear(16, 16, bias=False) for _ in range(2)])
        own = torch.Generator()
        own.manual_seed(int(torch.randint(0, 1000, ())))
        state = own.get_state()
        for layer, shape in zip(model, ((16, 16), (16, 8)), strict=True):
            layer.weight = nn.Parameter(torch.empty(shape))
            if again:
                own.set_state(state)
            nn.init.normal_(layer.weight, generator=own)
        return model

    claims = [DISTINCT]
    assert initcheck.check_model(lambda: build(False), claims=claims)[DISTINCT].verdict is Verdict.HOLDS
    evidence = initcheck.check_model(lambda: build(True), claims=claims)[DISTINCT].evidence
    assert "2 draws began at one state of the generator" in " ".join([str(evidence.case), *evidence.detail])


def test_the_inside_of_a_tensor_is_named_by_what_it_is() -> None:
    assert [suffix for suffix, _ in plain_tensors(torch.randn(3))] == [""]
    assert [suffix for suffix, _ in plain_tensors(Wrapped(torch.randn(3)))] == [""]
