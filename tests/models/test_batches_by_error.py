"""A model whose first layer does not tell its input is run on what its own errors ask for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from initcheck.models.batches.batch import Batch, text_of
from initcheck.models.living.first_layers import batches_for
from initcheck.models.living.leaves import Leaf
from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.listener import Listener


def _atari() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 8, 8, 4), nn.Conv2d(8, 8, 4, 2), nn.Flatten(), nn.Linear(8 * 9 * 9, 6))


def _digits() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(256, 10)
    )


class OtherOrder(nn.Module):
    """The head was registered first."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.first = nn.Linear(40, 3), nn.Linear(23, 40)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.first(x).relu())


class Rotated(nn.Module):
    """A table of angles is laid beside the sequence as a whole, so that one length alone goes through."""

    def __init__(self, tokens: bool) -> None:
        super().__init__()
        self.embed: nn.Module = nn.Embedding(50, 8) if tokens else nn.Linear(12, 8)
        self.register_buffer("angles", torch.linspace(0, 1, 24 * 4).reshape(24, 4))
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        turned = h.unflatten(-1, (4, 2)) * torch.cos(self.angles.view(1, h.shape[1], 4, 1))
        return self.head(turned.flatten(-2))


class Towers(nn.Module):
    """Two inputs, each of its own width."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Linear(31, 8), nn.Linear(17, 8)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return self.user(user) * self.item(item)


class Positions(nn.Module):
    """Positions of a fixed number are added without a slice, to tokens or to patches of an image."""

    def __init__(self, image: bool) -> None:
        super().__init__()
        self.embed: nn.Module = nn.Conv2d(1, 8, 7, 7) if image else nn.Embedding(50, 8)
        self.positions = nn.Parameter(torch.randn(49 if image else 37, 8))
        self.head, self.image = nn.Linear(8, 5), image

    def forward(self, x: Tensor) -> Tensor:
        made = self.embed(x)
        made = made.flatten(2).transpose(1, 2) if self.image else made
        return self.head(made + self.positions)


class Normed(nn.Module):
    """A model of the user's own parts: a recurrent cell behind a norm, whose matrix is not the first."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.randn(12, 9))
        self.norm, self.cell = nn.LayerNorm(21), nn.GRU(21, 12, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(self.norm(x))[0] @ self.mix


class Clips(nn.Module):
    """A plane layer first, and an input of five axes."""

    def __init__(self) -> None:
        super().__init__()
        self.frame, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)

    def forward(self, clips: Tensor) -> Tensor:
        items, channels, frames, height, width = clips.shape
        flat = clips.transpose(1, 2).reshape(items * frames, channels, height, width)
        return self.head(self.frame(flat).mean((2, 3)))


class OneByOne(nn.Module):
    """It takes one video at a time, and what it says of two does not tell."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = nn.Conv3d(3, 8, 3)

    def forward(self, clip: Tensor) -> Tensor:
        if len(clip) > 1:
            raise RuntimeError("output with shape [1, 8] doesn't match the broadcast shape [2, 8]")
        return self.frames(clip)


class Large(nn.Module):
    """Images below a size of its own are refused."""

    def __init__(self) -> None:
        super().__init__()
        self.frame = nn.Conv2d(3, 8, 3)

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] < 400:
            raise ValueError(f"Image of side {image.shape[-1]} is too small to be scaled")
        return self.frame(image)


class Waves(nn.Module):
    """Sound without an axis of channels: the model adds it."""

    def __init__(self, image: bool = False) -> None:
        super().__init__()
        kind, stride = (nn.Conv2d, 2) if image else (nn.Conv1d, 5)
        self.features = nn.Sequential(kind(1, 8, 10, stride), nn.GELU(), kind(8, 8, 4, 2), nn.GELU(), kind(8, 8, 3, 2))

    def forward(self, wave: Tensor) -> Tensor:
        return self.features(wave[:, None])


class OfLayers(nn.Module):
    """Every node comes with the outputs of all layers before."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(12, 8)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 3:
            raise ValueError("Feature shape must be [num_nodes, num_layers, channels].")
        return self.mix(x)


@pytest.mark.parametrize(
    ("build", "batch"),
    [
        (_atari, None),
        (_digits, "4x1x28x28"),
        (OtherOrder, "8x23"),
        (Towers, "user=8x31;item=8x17"),
        (lambda: Positions(True), None),
        (lambda: Positions(False), "int<50:2x37"),
        (lambda: Rotated(True), "int<50:2x24"),
        (lambda: Rotated(False), "2x24x12"),
        (Normed, None),
        (Clips, "4x3x5x32x32"),
        (lambda: nn.Bilinear(12, 10, 8), "8x12;8x10"),
        (OneByOne, None),
        (Large, None),
        (OfLayers, None),
        (Waves, "4x64"),
        (lambda: Waves(image=True), None),
    ],
)
def test_the_errors_of_a_model_lead_to_a_batch(build: Callable[[], nn.Module], batch: str | None) -> None:
    torch.manual_seed(0)
    model = build()
    heard = Listener(None).hear(LiveModule(model))
    assert heard.problem is None
    assert batch is None or heard.batch == batch
    again = Listener(Batch.maker(heard.batch)).hear(LiveModule(model))
    assert again.problem is None  # the text that is shown makes it again


def test_a_model_that_takes_nothing_says_what_became_of_the_likeliest_batch() -> None:
    class Never(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied (8x{x.shape[-1]} and 7x3)")

    problem = Listener(None).hear(LiveModule(Never(24, 4))).problem or ""
    assert '--batch="8x24" ends in RuntimeError' in problem


def test_a_batch_of_one_number_can_be_written() -> None:
    text = "grid_thw=all=4:1x3"
    make = Batch.maker(text)
    assert make is not None
    made = make().kwargs
    assert made["grid_thw"].tolist() == [[4, 4, 4]]
    assert text_of((), made) == text


def test_a_cell_of_jax_is_given_a_state_beside_its_input_and_attention_three_of_one_kind() -> None:
    leaves = [Leaf((name,), "GRUCell", True, True, inputs_first=False) for name in ("weight_ih", "weight_hh")]
    found = batches_for(leaves, {"weight_ih": (72, 12), "weight_hh": (72, 24)}, batched=False)
    assert found[0] == "12"
    assert {"12;24", "24;12", "16x12;16x12;16x12"} <= set(found)


def test_kernels_of_heads_and_norms_alone_tell_the_width_of_their_input() -> None:
    heads = [Leaf(("query", "bias"), "LinearGeneral"), Leaf(("query", "kernel"), "LinearGeneral")]
    shapes = {"query.bias": (4, 6), "query.kernel": (24, 4, 6)}
    assert batches_for(heads, shapes, batched=True)[:2] == ["2x16x24", "8x24"]
    norm = [Leaf(("scale",), "BatchNorm")]
    assert batches_for(norm, {"scale": (24,)}, batched=True)[:2] == ["8x24", "2x8x8x24"]
    assert not batches_for([], {}, batched=True)


def test_no_cache_is_asked_for_and_the_config_is_as_it_was() -> None:
    class Cached(nn.Linear):
        config = SimpleNamespace(use_cache=True)

        def forward(self, x: Tensor) -> Tensor:
            assert not self.config.use_cache, "no layer of this model keeps keys"
            return super().forward(x)

    model = Cached(24, 4)
    assert Listener(None).hear(LiveModule(model)).problem is None
    assert model.config.use_cache is True


class Patches(nn.Module):
    """Patches of two images in rows, beside how many there are along each side, as SigLIP 2 takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(num_channels=3, patch_size=8, hidden_size=24)
        self.embed = nn.Linear(192, 24)

    def forward(
        self, pixel_values: Tensor, pixel_attention_mask: Tensor | None = None, spatial_shapes: Tensor | None = None
    ) -> Tensor:
        assert spatial_shapes is not None
        assert pixel_attention_mask is not None
        assert int(spatial_shapes[0].prod()) == pixel_values.shape[1]
        return self.embed(pixel_values) * pixel_attention_mask[..., None]


def test_rows_of_patches_come_with_their_grid() -> None:
    heard = Listener(None).hear(LiveModule(Patches()))
    assert heard.batch == "pixel_values=2x16x192;pixel_attention_mask=ones:2x16;spatial_shapes=all=4:2x2"


def test_a_model_without_a_forward_is_not_run_and_says_so() -> None:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.coarse, self.fine = nn.Linear(4, 4), nn.Linear(4, 4)

    heard = Listener(None).hear(LiveModule(Parts()))
    assert (heard.batch, heard.problem, heard.unheard) == (
        "",
        None,
        "Parts has no forward of its own: it cannot be run",
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_model_of_torchscript_that_nobody_can_listen_to_is_refused_in_words() -> None:
    heard = Listener(None).hear(LiveModule(torch.jit.script(nn.Sequential(*(nn.Linear(4, 4) for _ in range(4))))))
    assert heard.problem is not None
    assert "not supported on ScriptModules" in heard.problem


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_compiled_model_is_heard_as_it_is_written() -> None:
    net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4)))
    plain, compiled = (Listener(None).hear(LiveModule(model)).chains[0] for model in (net, torch.compile(net)))
    assert (compiled.forward, compiled.backward) == (plain.forward, plain.backward)


class Behind(nn.Module):
    """What lies behind the hundredth place of its input, of which no batch that is guessed has any."""

    def __init__(self, then: Callable[[Tensor], Tensor], conv: type[nn.Module] = nn.Conv1d) -> None:
        super().__init__()
        self.conv, self.then = conv(3, 4, 3, padding=1), then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.conv(x)[..., 100:])


@pytest.mark.parametrize(
    "model",
    [
        Behind(nn.Sequential(nn.Flatten(), nn.Linear(8, 4))),
        Behind(lambda x: x + torch.zeros(5)),
        Behind(nn.LayerNorm(8), nn.Conv2d),
    ],
    ids=["product", "sum", "norm"],
)
def test_an_error_that_speaks_of_nothing_asks_for_no_size(model: nn.Module) -> None:
    heard = Listener(None).hear(LiveModule(model))
    assert heard.problem is not None
    assert heard.problem.startswith("no batch goes through")


class Controlled(nn.Module):
    """Latents, a text of its own length and mask, and an image eight times as large, as a control network's."""

    __module__ = "diffusers.models"

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(
            in_channels=4, conditioning_channels=3, sample_size=16, text_embed_dim=20, axes_dims_rope=(2, 2, 4, 4)
        )
        self.first, self.text, self.condition = nn.Conv2d(4, 8, 1), nn.Linear(20, 8), nn.Conv2d(3, 8, 8, 8)

    def forward(
        self,
        sample: Tensor,
        encoder_hidden_states: Tensor,
        encoder_attention_mask: Tensor,
        controlnet_cond: Tensor,
        img_ids: Tensor | None = None,
    ) -> Tensor:
        assert img_ids is not None
        assert img_ids.shape[-1] == 4
        text = (self.text(encoder_hidden_states) * encoder_attention_mask[..., None]).mean(1)
        return self.first(sample) + self.condition(controlnet_cond) + text[..., None, None]


def test_what_a_model_of_diffusion_is_conditioned_on_fits_its_latents() -> None:
    batch = Listener(None).hear(LiveModule(Controlled())).batch
    assert "sample=2x4x16x16;encoder_hidden_states=2x8x20;" in batch
    assert "encoder_attention_mask=ones:2x8" in batch
    assert "controlnet_cond=2x3x128x128" in batch


class Keyed(nn.Module):
    """Its argument is a dict, read by its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(30, 8), nn.Linear(8, 4)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.head((self.table(batch["input_ids"]) * batch["mask"][..., None]).mean(1))


class Paired(nn.Module):
    """Its argument is a tuple; the second part goes into a layer of its own width."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(12, 8), nn.Linear(7, 8)

    def forward(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        first, second = pair
        return self.one(first) + self.two(second)


class Listed(nn.Module):
    """It takes any number of images."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)

    def forward(self, images: list[Tensor]) -> Tensor:
        return self.head(torch.stack([self.look(i).mean((2, 3)) for i in images]).mean(0))


class Patterned(nn.Module):
    """What einops' layer says of its input, in words of its own."""

    pattern, axes_lengths = "b c (h p1) (w p2) -> b (h w) (p1 p2 c)", {"p1": 8, "p2": 8}

    def forward(self, x: Tensor) -> Tensor:
        parts = x.reshape(len(x), -1, x.shape[2] // 8, 8, x.shape[3] // 8, 8)
        return parts.permute(0, 2, 4, 3, 5, 1).reshape(len(x), -1, 64 * x.shape[1])


@pytest.mark.parametrize(("build", "batch"), [
    (Keyed, "batch.input_ids=int<30:2x16;batch.mask=ones:2x16"),
    (Paired, "pair.0=8x12;pair.1=8x7"),
    (Listed, "images.0=4x3x32x32;images.1=4x3x32x32"),
    (lambda: nn.Sequential(Patterned(), nn.LayerNorm(192), nn.Linear(192, 8)), "2x3x32x32"),
], ids=["dict", "tuple", "list", "einops"])  # fmt: skip
def test_arguments_that_are_taken_apart_are_made_of_their_parts(build: Callable[[], nn.Module], batch: str) -> None:
    said = Listener(None).hear(LiveModule(build())).batch
    assert said == batch
    make = Batch.maker(said)
    assert make is not None
    assert Listener(make).hear(LiveModule(build())).problem is None  # the line can be given as --batch


class Table(nn.Module):
    """Columns of a table: numbers become tokens, with a column of ones beside them, and there are no categories."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.weight = nn.Linear(32, 3), nn.Parameter(torch.randn(9, 32))
        self.tables = None

    def forward(self, numbers: Tensor, categories: Tensor | None) -> Tensor:
        tokens = self.weight * torch.cat([torch.ones(len(numbers), 1), numbers], 1)[:, :, None]
        if categories is not None:
            tokens = torch.cat([tokens, self.tables(categories)], 1)
        return self.mix(tokens.mean(1))


class Asked(Table):
    """The same without an annotation: its code asks whether there are any."""

    def forward(self, numbers, categories):  # type: ignore[no-untyped-def]
        tokens = self.weight * torch.cat([torch.ones(len(numbers), 1), numbers], 1)[:, :, None]
        if categories is not None:
            tokens = torch.cat([tokens, self.tables(categories)], 1)
        return self.mix(tokens.mean(1))


class Packed(nn.Module):
    """Tokens, and how many of each sequence are none for padding."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.body = nn.Embedding(30, 8), nn.LSTM(8, 8, batch_first=True)

    def forward(self, x: Tensor, x_lengths: Tensor) -> Tensor:
        pack = nn.utils.rnn.pack_padded_sequence(self.table(x), x_lengths, batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(self.body(pack)[0], batch_first=True)[0]


class Asserted(nn.Module):
    """It says which rank and size it wants of its noise, behind an image's constant (StyleGAN2)."""

    def __init__(self) -> None:
        super().__init__()
        self.to_image, self.style = nn.Conv2d(8, 3, 1), nn.Linear(24, 8)

    def forward(self, z: Tensor) -> Tensor:
        if z.dim() != 2:
            raise AssertionError(f"Wrong number of dimensions: got {z.dim()}, expected 2")
        if z.shape[1] != 24:
            raise AssertionError(f"Wrong size for dimension 1: got {z.shape[1]}, expected 24")
        return self.to_image(self.style(z)[:, :, None, None].expand(-1, -1, 4, 4))


class Context(nn.Module):
    """Attention to a context that may be left out, with its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.both, self.last = nn.Linear(16, 16), nn.Linear(24, 32), nn.Linear(16, 16)

    def attend(self, x: Tensor, context: Tensor) -> Tensor:
        keys, values = self.both(context).chunk(2, -1)
        return (self.query(x) @ keys.transpose(1, 2)).softmax(-1) @ values

    def forward(self, x, context):  # type: ignore[no-untyped-def]
        return self.last(self.query(x) if context is None else self.attend(x, context))


@pytest.mark.parametrize(("build", "batch"), [
    (Table, "numbers=8x8;categories=none"),
    (Asked, "numbers=8x8;categories=none"),
    (Context, "x=2x16x16;context=2x16x24"),
    (Packed, "x=int<30:2x16;x_lengths=all=16:2"),
    (Asserted, "4x24"),
], ids=["optional", "asked", "needed", "lengths", "asserted"])  # fmt: skip
def test_what_may_be_left_out_is_and_lengths_are_whole(build: Callable[[], nn.Module], batch: str) -> None:
    said = Listener(None).hear(LiveModule(build())).batch
    assert said == batch
    make = Batch.maker(said)
    assert make is not None
    assert Listener(make).hear(LiveModule(build())).problem is None
