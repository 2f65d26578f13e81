"""Whether a gradient reaches whatever is trainable: layers that are shut, cut off, never run, and their sound kin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import initcheck
from initcheck.report.verdict import Result, Verdict

CLAIM = "gradient-reaches-every-tensor"


def _judged(build: Callable[[], nn.Module], batch: str | None = None) -> Result:
    return initcheck.check_model(build, claims=[CLAIM], batch=batch)[CLAIM]


def _said(result: Result) -> str:
    return "\n".join([str(result.evidence.case), *result.evidence.detail, str(result.reason), *result.notes])


class Gated(nn.Module):
    """A branch behind a gate that a ReLU makes."""

    def __init__(self, bias: float, units: int = 48) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(16, units), nn.Linear(16, units), nn.Linear(units, 16)
        nn.init.constant_(self.gate.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.gate(x).relu() * self.up(x))


def _gates(bias: float, units: int = 48) -> nn.Module:
    return nn.Sequential(*(Gated(bias, units) for _ in range(3)), nn.Linear(16, 4))


def test_gates_that_a_relu_keeps_shut_fail_once_and_the_fix_holds() -> None:
    found = _judged(lambda: _gates(-9.0), "8x16")
    assert found.verdict is Verdict.FAILS
    assert found.evidence.case == (
        "0.gate: nothing that it makes is above zero, and no gradient comes back to it; 2 more of *.gate likewise"
    )
    assert found.evidence.fix == "start *.gate.bias at 0 or above, not at -9"
    assert "*.up.weight" in "\n".join(found.notes)
    assert _judged(lambda: _gates(0.0), "8x16").verdict is Verdict.HOLDS


def test_of_two_units_chance_may_have_shut_all() -> None:
    found = _judged(lambda: _gates(-9.0, 2), "8x16")
    assert found.verdict is Verdict.UNDECIDED
    assert "of so few units chance may have closed all" in _said(found)


class Codes(nn.Module):
    def __init__(self, *, through: bool) -> None:
        super().__init__()
        self.encoder, self.book, self.decoder = nn.Linear(8, 6), nn.Embedding(12, 6), nn.Linear(6, 8)
        self.through = through

    def forward(self, x: Tensor) -> Tensor:
        z = self.encoder(x)
        q = self.book(torch.cdist(z, self.book.weight).argmin(-1))
        return self.decoder(torch.cat([z + (q - z).detach(), q]) if self.through else q)


def test_what_an_argmin_cuts_off_is_open_and_named() -> None:
    found = _judged(lambda: Codes(through=False), "32x8")
    assert found.verdict is Verdict.UNDECIDED
    assert "encoder.weight: no gradient leads there" in _said(found)
    assert _judged(lambda: Codes(through=True), "32x8").verdict is Verdict.HOLDS


class Idle(nn.Module):
    """Two layers in a list and two arrays in a list, of which forward takes some."""

    def __init__(self, layers: int, arrays: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(2))
        self.arrays = nn.ParameterList(torch.randn(8, 8) for _ in range(2))
        self.taken = layers, arrays

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[: self.taken[0]]:
            x = layer(x)
        for array in list(self.arrays)[: self.taken[1]]:
            x = x @ array
        return x


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ((1, 2), "layers.*.weight: trainable, and never run with this batch"),
        ((2, 1), "arrays.1: no gradient leads there"),
        ((2, 2), None),
    ],
)
def test_what_forward_forgets_is_open_and_named(taken: tuple[int, int], words: str | None) -> None:
    found = _judged(lambda: Idle(*taken), "4x8")
    assert found.verdict is (Verdict.HOLDS if words is None else Verdict.UNDECIDED)
    assert words is None or words in _said(found)


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk, self.policy, self.value = nn.Linear(8, 32), nn.Linear(32, 3), nn.Linear(32, 1)
        self.scale = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> dict[str, object]:
        x = self.trunk(x).tanh()
        return {"policy": (self.policy(x), self.scale.exp()), "value": self.value(x)}


class LateBranch(nn.Module):
    """A gate of zeros before a last layer of zeros: what is between waits for two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.inner, self.last = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)
        self.gate = nn.Parameter(torch.zeros(8))
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.base(x) + self.gate * self.inner(x))


@pytest.mark.parametrize("build", [TwoHeads, LateBranch], ids=["several outputs", "zeros that open one another"])
def test_every_output_counts_and_what_starts_at_zero_is_opened(build: type[nn.Module]) -> None:
    found = _judged(build, "8x8")
    assert found.verdict is Verdict.HOLDS, _said(found)


def test_two_zeros_in_a_product_are_said_by_one_claim() -> None:
    class Dead(Gated):
        def __init__(self) -> None:
            super().__init__(0.0)
            for layer in (self.gate, self.up):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    report = initcheck.check_model(lambda: nn.Sequential(Dead(), Dead(), Dead()), batch="8x16")
    assert [r.claim for r in report if r.verdict is Verdict.FAILS] == ["tensors-are-distinct"]
    assert report["tensors-are-distinct"].evidence.case == (
        "0.gate.weight: constant, and its gradient is zero; 2 more of *.gate.weight likewise"
    )


class LogProbabilities(nn.Module):
    """Negative all over, as a layer that is shut is."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(32, 16) / 4)

    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.weight.T).log_softmax(-1)


class FadedIn(nn.Module):
    """A branch whose factor a schedule raises from zero."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.aside, self.mixed = nn.Linear(16, 4), LogProbabilities(), nn.Linear(32, 4)
        self.register_buffer("share", torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + self.share * self.mixed(self.aside(x))


class WhereMissing(nn.Module):
    """Rows of its own where the input has none, and log-probabilities returned."""

    def __init__(self) -> None:
        super().__init__()
        self.missing, self.main = nn.Parameter(torch.randn(64, 16)), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.main(torch.where(x.isnan(), self.missing[: len(x)], x)).log_softmax(-1)


class NormedOne(nn.Module):
    """A norm over the one entry that is left of a row gives its bias, whatever the row."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.first, self.last, self.norm = nn.Linear(16, 32), nn.Linear(32, entries), nn.LayerNorm(entries)
        self.aside = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.last(self.first(x).relu()))[..., :1] + self.aside(x)


class Pooled(nn.Module):
    """A mean of neighbours less the place itself: nothing, where one place is left of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.scale = nn.Conv2d(3, 16, 7, 32, 3), nn.GroupNorm(1, 16)
        self.pool, self.head = nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        normed = self.scale(x)
        return self.head((x + self.pool(normed) - normed).relu().mean((2, 3)))


class OneChannel(nn.Module):
    """A mask of one channel that chance has shut: its kernel holds 64 rows, of inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mask = nn.Conv2d(3, 64, 3, padding=1), nn.ConvTranspose2d(64, 1, 2, stride=2)
        with torch.no_grad():
            self.mask.weight.copy_(-self.mask.weight.abs())
            self.mask.bias.copy_(-self.mask.bias.abs())

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2) + self.mask(self.first(x).relu()).relu()


class Uncalled(nn.Module):
    """A weight that is used without its layer being called, times zero."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.other = nn.Linear(16, 4), nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + 0.0 * (x @ self.other.weight.T)


def test_an_image_of_which_one_place_is_left_is_asked_larger() -> None:
    assert _judged(Pooled, "2x3x32x32").verdict is Verdict.HOLDS


def test_a_norm_over_one_entry_is_named() -> None:
    lost = _judged(lambda: NormedOne(1), "8x16")
    assert lost.verdict is Verdict.UNDECIDED
    assert "norm makes one thing of all that it is given, as a norm over one entry does" in _said(lost)
    assert _judged(lambda: NormedOne(4), "8x16").verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("build", "batch", "words"),
    [
        (FadedIn, "8x16", "aside.weight, mixed.weight: the gradient is zero, though it has a part in what the model"),
        (WhereMissing, "8x16", "missing: the gradient is zero, though it has a part in what the model returns"),
        (
            OneChannel,
            "4x3x8x8",
            "mask: nothing that it makes is above zero, and no gradient comes back to it; of so few",
        ),
        (Uncalled, "8x16", "other.weight: the gradient is zero, though it has a part in what the model returns"),
    ],
    ids=["a factor of zero", "not missing", "one channel", "not called"],
)
def test_what_no_relu_shuts_and_what_chance_may_have_is_open(build: type[nn.Module], batch: str, words: str) -> None:
    found = _judged(build, batch)
    assert found.verdict is Verdict.UNDECIDED, _said(found)
    assert words in _said(found)


class BehindGate(nn.Module):
    """Layers after one that is shut are given zeros: they wait for that one."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Linear(16, 32), nn.Linear(32, 32), nn.Linear(32, 16)
        for layer in (self.one, self.two, self.three):
            nn.init.constant_(layer.bias, bias if layer is self.one else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.three(self.two(self.one(x).relu()).relu())


def test_the_layer_that_is_shut_fails_and_what_it_gives_zeros_is_noted() -> None:
    found = _judged(lambda: BehindGate(-9.0), "8x16")
    assert found.verdict is Verdict.FAILS
    assert found.evidence.fix == "start one.bias at 0 or above, not at -9"
    assert "two: nothing" not in _said(found)
    assert "no gradient comes through it to two.weight, three.weight" in _said(found)
    assert _judged(lambda: BehindGate(0.0), "8x16").verdict is Verdict.HOLDS


class LastAtZero(nn.Module):
    """A last layer of zeros, and a low rank beside a frozen matrix: one step opens all."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.last = nn.Linear(16, 16).requires_grad_(False), nn.Linear(16, 4)
        self.down, self.up = nn.Parameter(torch.randn(4, 16) / 4), nn.Parameter(torch.zeros(16, 4))
        nn.init.zeros_(self.last.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.last((self.base(x) + x @ self.down.T @ self.up.T).relu()) + x @ self.up


def test_what_one_step_opens_is_asked_and_holds() -> None:
    found = _judged(LastAtZero, "8x16")
    assert found.verdict is Verdict.HOLDS, _said(found)


def test_a_frozen_layer_is_asked_nothing() -> None:
    class Teacher(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.student, self.teacher = nn.Linear(8, 8), nn.Linear(8, 8).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            return self.student(x) - self.teacher(x)

    assert _judged(Teacher, "4x8").verdict is Verdict.HOLDS


@pytest.mark.long
def test_models_of_flax_are_asked_too() -> None:
    jax = pytest.importorskip("jax")
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs, bias: float, cut: bool) -> None:
            init = nnx.initializers.constant(bias)
            self.gate, self.up = nnx.Linear(16, 48, bias_init=init, rngs=rngs), nnx.Linear(16, 48, rngs=rngs)
            self.one, self.two = nnx.Linear(48, 4, rngs=rngs), nnx.Linear(16, 2, rngs=rngs)
            self.cut = cut

        def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            side = self.two(x)
            branch = nnx.relu(self.gate(x)) * self.up(x)
            return self.one(branch) + x[:, :4], jax.lax.stop_gradient(side) if self.cut else side

    def judged(bias: float, cut: bool) -> Result:
        return _judged(lambda rngs: Net(rngs, bias, cut), "8x16")

    shut = judged(-9.0, False)
    assert shut.verdict is Verdict.FAILS
    assert shut.evidence.case == "gate: nothing that it makes is above zero, and no gradient comes back to it"
    cut = judged(0.0, True)
    assert cut.verdict is Verdict.UNDECIDED
    assert "two.kernel: no gradient leads there" in _said(cut)
    assert judged(0.0, False).verdict is Verdict.HOLDS


def test_of_flax_what_a_stop_keeps_from_a_layer_is_no_relu() -> None:
    jax = pytest.importorskip("jax")
    nnx = pytest.importorskip("flax.nnx")

    class Target(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.kernel = nnx.Param(jax.random.normal(rngs.params(), (16, 40)) / 4)

        def __call__(self, x: jax.Array) -> jax.Array:
            return jax.nn.log_softmax(x @ self.kernel[...])

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.main, self.target = nnx.Linear(16, 40, rngs=rngs), Target(rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.main(x) + jax.lax.stop_gradient(self.target(x))

    found = _judged(lambda rngs: Net(rngs), "8x16")
    assert found.verdict is Verdict.UNDECIDED, _said(found)
    assert "target.kernel: no gradient leads there" in _said(found)


class Routed(nn.Module):
    """Experts of which a router chooses so many, with their weights normalised to one or as the softmax gives them."""

    def __init__(self, chosen: int, *, normalised: bool) -> None:
        super().__init__()
        self.gate, self.chosen, self.normalised = nn.Linear(16, 4, bias=False), chosen, normalised
        self.experts = nn.ModuleList(nn.Linear(16, 16) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        weights, which = self.gate(x).softmax(-1).topk(self.chosen, dim=-1)
        if self.normalised:
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-20)
        every = torch.stack([expert(x) for expert in self.experts], dim=-2)
        return (every.gather(-2, which[..., None].expand(*which.shape, 16)) * weights[..., None]).sum(-2)


def test_a_gradient_that_rounding_alone_makes_is_none() -> None:
    # One weight divided by itself is one whatever the router says; of two it is not, nor of one that is left as it is.
    found = _judged(lambda: Routed(1, normalised=True), "32x16")
    assert found.verdict is Verdict.UNDECIDED
    assert "gate.weight: the gradient is zero" in _said(found)
    assert _judged(lambda: Routed(2, normalised=True), "32x16").verdict is Verdict.HOLDS
    assert _judged(lambda: Routed(1, normalised=False), "32x16").verdict is Verdict.HOLDS


class Faint(nn.Module):
    """A branch whose gradient is a millionth of the others', and real; told to run in float32 alone or not."""

    def __init__(self, *, single: bool) -> None:
        super().__init__()
        self.main, self.side, self.single = nn.Linear(16, 16), nn.Linear(16, 16), single

    def forward(self, x: Tensor) -> Tensor:
        if self.single and x.dtype != torch.float32:
            raise TypeError("float32 alone")
        return self.main(x) + 1e-6 * self.side(x)


@pytest.mark.parametrize("single", [False, True])
def test_a_faint_gradient_is_one(single: bool) -> None:
    assert _judged(lambda: Faint(single=single), "8x16").verdict is Verdict.HOLDS


@pytest.mark.long
def test_of_flax_a_gradient_that_rounding_alone_makes_is_none() -> None:
    jax = pytest.importorskip("jax")
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs, chosen: int) -> None:
            self.gate = nnx.Linear(16, 4, use_bias=False, rngs=rngs)
            self.experts = nnx.List([nnx.Linear(16, 16, rngs=rngs) for _ in range(4)])
            self.chosen = chosen

        def __call__(self, x: jax.Array) -> jax.Array:
            weights, which = jax.lax.top_k(nnx.softmax(self.gate(x)), self.chosen)
            weights = weights / (weights.sum(-1, keepdims=True) + 1e-20)
            every = jax.numpy.stack([expert(x) for expert in self.experts], -2)
            chosen = jax.numpy.take_along_axis(every, which[..., None], axis=-2)
            return (chosen * weights[..., None]).sum(-2)

    found = _judged(lambda rngs: Net(rngs, 1), "32x16")
    assert found.verdict is Verdict.UNDECIDED, _said(found)
    assert "gate.kernel" in _said(found)
    assert _judged(lambda rngs: Net(rngs, 2), "32x16").verdict is Verdict.HOLDS
