"""A second sample, written with its answers once the misses of ``current_models.py`` were mended.

Two are not as answered: ``defaults_of_torch_in_20_layers`` fails for certain, its inputs are one behind layer 17, and
``tied_and_multiplied`` starts 1.8 above chance, as was said of it: a token that the stream keeps answers with itself.

python tests/long/models/later_models.py [-v] [NAME ...]
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

sys.path.insert(0, str(Path(__file__).parent))

from answers import CHANCE, DISTINCT, INPUT, LAW, SIGNAL, WRITTEN, Answers

SAMPLE = Answers()
D = 48


class Residual(nn.Module):
    """Two convolutions beside the stream and no norm; the second may be scaled down as Fixup has it."""

    def __init__(self, c: int, scale: float) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.Conv2d(c, c, 3, padding=1, bias=False)
        for conv in (self.one, self.two):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        with torch.no_grad():
            self.two.weight.mul_(scale)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.two(F.relu(self.one(F.relu(x))))


def _no_norm(scale: float) -> nn.Module:
    body = nn.Sequential(*(Residual(16, scale) for _ in range(12)))
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


@SAMPLE.broken(SIGNAL, r"adds to the stream.*\n.*divide the weights of", "4x3x12x12")
def stream_without_norms_doubles() -> nn.Module:
    return _no_norm(1.0)


@SAMPLE.sound("4x3x12x12")
def stream_without_norms_scaled() -> nn.Module:
    return _no_norm(12**-0.5)


class Plain(nn.Module):
    def __init__(self, std: float | None, layers: int, activation: str) -> None:
        super().__init__()
        self.fc = nn.ModuleList(nn.Linear(64, 64) for _ in range(layers))
        self.act, self.head = getattr(torch, activation), nn.Linear(64, 10)
        for layer in self.fc if std is not None else ():
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.fc:
            x = self.act(layer(x))
        return self.head(x)


@SAMPLE.broken(SIGNAL, r"sqrt\(1/fan_in\) = 0\.125", "32x64")
def variance_written_for_the_std() -> nn.Module:
    """std = 1 / fan_in."""
    return Plain(1 / 64, 8, "tanh")


@SAMPLE.broken(INPUT, r"fades with depth", "32x64", verdict="UNDECIDED")
def defaults_of_torch_in_20_layers() -> nn.Module:
    """The biases keep the size, the input does not arrive."""
    return Plain(None, 20, "relu")


@SAMPLE.sound("32x64")
def tanh_by_its_fan() -> nn.Module:
    return Plain(1 / 8, 8, "tanh")


class Gemma(nn.Module):
    """Tokens times sqrt(d), the head is their table."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.embed, self.norm = nn.Embedding(97, D), nn.LayerNorm(D)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(D, 4, 96, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(4)
        )
        self.lm_head = nn.Linear(D, 97, bias=False)
        self.lm_head.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=std)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) * math.sqrt(D)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))


@SAMPLE.sound()
def tied_and_multiplied() -> nn.Module:
    return Gemma(D**-0.5)


@SAMPLE.broken(CHANCE, r"embed\.weight \(also lm_head\.weight.*\), std 1")
def tied_multiplied_and_of_std_one() -> nn.Module:
    return Gemma(1.0)


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(30, 256), nn.LayerNorm(256), nn.GELU(), nn.Linear(256, 256), nn.GELU())
        self.norm, self.classifier = nn.LayerNorm(256), nn.Linear(256, 12)
        nn.init.normal_(self.classifier.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.norm(self.body(x)))


@SAMPLE.broken(CHANCE, r"classifier\.weight, std (1|0\.99|1\.0)", "64x30")
def head_of_std_one() -> nn.Module:
    return Classifier()


class Feed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(D), nn.Linear(D, 96), nn.Linear(96, D)
        for line in (self.up, self.down):
            nn.init.trunc_normal_(line.weight, std=0.05)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(F.gelu(self.up(self.norm(x))))


@SAMPLE.broken(DISTINCT, r"0\.up\.weight.*1\.up\.weight.*(equal bit for bit|copies)", "16x48")
def blocks_loaded_from_the_first() -> nn.Module:
    blocks = [Feed() for _ in range(5)]
    for block in blocks[1:]:
        block.load_state_dict(blocks[0].state_dict())
    return nn.Sequential(*blocks)


@SAMPLE.broken(LAW, r"3\.down\.weight", "16x48")
def one_block_multiplied_by_ten() -> nn.Module:
    blocks = [Feed() for _ in range(6)]
    blocks[3].down.weight.data.mul_(10)
    return nn.Sequential(*blocks)


@SAMPLE.broken(WRITTEN, r"scale.*never written", "16x48")
def scale_of_a_wrapped_layer_never_written() -> nn.Module:
    model = nn.Sequential(*(Feed() for _ in range(4)))
    for block in model:
        block.scale = nn.Parameter(torch.empty(D))
    return model


class Generator(nn.Module):
    """DCGAN."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(24, 64, 4, 1, 0, bias=False), nn.BatchNorm2d(64), nn.ReLU(True),
            nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
            nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip
        for m in self.modules():
            if "Conv" in type(m).__name__:
                nn.init.normal_(m.weight, 0.0, 0.02)
            elif "BatchNorm" in type(m).__name__:
                nn.init.normal_(m.weight, 1.0, 0.02)
                nn.init.zeros_(m.bias)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


@SAMPLE.sound("8x24x1x1")
def dcgan_generator() -> nn.Module:
    return Generator()


class ConvNeXt(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.dw, self.norm = nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c)
        self.pw1, self.pw2 = nn.Linear(c, 4 * c), nn.Linear(4 * c, c)
        self.gamma = nn.Parameter(torch.full((c,), 1e-6))
        for m in (self.dw, self.pw1, self.pw2):
            nn.init.trunc_normal_(m.weight, std=0.02)
            nn.init.zeros_(m.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dw(x).permute(0, 2, 3, 1))
        return x + (self.gamma * self.pw2(F.gelu(self.pw1(y)))).permute(0, 3, 1, 2)


@SAMPLE.sound("4x3x24x24")
def convnext() -> nn.Module:
    ends = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(32), nn.Linear(32, 10)]
    return nn.Sequential(nn.Conv2d(3, 32, 4, 4), nn.Sequential(*(ConvNeXt(32) for _ in range(6))), *ends)


@SAMPLE.sound("2x9x32;2x7x32")
def transformer_of_torch() -> nn.Module:
    return nn.Transformer(32, 4, 4, 4, 64, 0.0, batch_first=True)


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(40, 64), nn.SiLU(), nn.Linear(64, 16))
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 40))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encoder(x).chunk(2, -1)
        return self.decoder(mean + (log_var / 2).exp() * torch.randn_like(mean)), mean, log_var


@SAMPLE.sound("32x40")
def variational() -> nn.Module:
    return VAE()


class Bag(nn.Module):
    """The mean of words' vectors, which no order changes."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(200, D), nn.Linear(D, 5)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.embed(tokens).mean(-2))


@SAMPLE.sound("int<200:12")
def one_bag_of_words() -> nn.Module:
    return Bag()


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(SAMPLE.run([n for n in sys.argv[1:] if n != "-v"], show="-v" in sys.argv))
