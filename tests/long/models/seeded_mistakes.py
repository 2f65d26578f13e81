"""Mistakes of initialization as they are made in practice, one in each small model, beside sound models of their kinds.

    python tests/long/models/seeded_mistakes.py [NAME ...]      a line a model, then how many were found by their claim

``MISTAKES[name]`` is the claim that must say so, and whether it fails or doubts (where only a declared law could tell);
empty where the model is sound. What else fails is printed too, and ends with 1 where the model is sound.
"""

from __future__ import annotations

import copy
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

__all__ = ["LAWS", "MISTAKES", "MODELS"]

_DEPTH, _WIDTH, _WORDS, _LENGTH = 6, 48, 190, 24
_SMALL = 0.02 / math.sqrt(2 * _DEPTH)
MODELS: dict[str, Callable[[], nn.Module]] = {}
MISTAKES: dict[str, tuple[str, str]] = {}
LAWS: dict[str, dict[str, str]] = {}

WRITTEN, DISTINCT, REBUILD = "every-tensor-is-written", "tensors-are-distinct", "rebuilds-the-same"
SIBLINGS, DECLARED, VALUES = "siblings-share-one-law", "declared-laws-are-in-force", "no-value-is-absurd"
CHANCE, SIGNAL, INPUT = "starts-at-chance", "signal-survives-the-blocks", "input-reaches-the-output"
WRITERS = "residual-writers-share-one-scaling"


def _model(claim: str = "", verdict: str = "FAILS", laws: dict[str, str] | None = None) -> Callable[[Any], Any]:
    def noted(build: Any) -> Any:
        MODELS[build.__name__], MISTAKES[build.__name__] = build, (claim, verdict if claim else "")
        LAWS[build.__name__] = laws or {}
        return build

    return noted


class Look(nn.Module):
    """Causal attention of three heads."""

    def __init__(self) -> None:
        super().__init__()
        self.ask, self.key, self.value, self.out = (nn.Linear(_WIDTH, _WIDTH, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        parts = [line(x).view(*x.shape[:2], 3, -1).transpose(1, 2) for line in (self.ask, self.key, self.value)]
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Feed(nn.Module):
    """Two linear layers with a SiLU between them."""

    def __init__(self, line: Callable[[int, int], nn.Module] = nn.Linear) -> None:
        super().__init__()
        self.wide, self.back = line(_WIDTH, 3 * _WIDTH), line(3 * _WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.back(functional.silu(self.wide(x)))


class Layer(nn.Module):
    """Both, each before a norm and beside the stream."""

    def __init__(self, feed: nn.Module) -> None:
        super().__init__()
        self.before, self.look, self.between, self.feed = nn.LayerNorm(_WIDTH), Look(), nn.LayerNorm(_WIDTH), feed

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.look(self.before(x))
        return x + self.feed(self.between(x))


class Reader(nn.Module):
    """Words and places, six layers, a head that may be the table of words; what writes to the stream is scaled."""

    def __init__(self, feed: Callable[[], nn.Module] = Feed, *, tied: bool = True, std: float = 0.02) -> None:
        super().__init__()
        self.std = std
        self.words, self.places = nn.Embedding(_WORDS, _WIDTH), nn.Embedding(_LENGTH, _WIDTH)
        self.layers = nn.ModuleList(Layer(feed()) for _ in range(_DEPTH))
        self.last, self.head = nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, _WORDS, bias=False)
        if tied:
            self.head.weight = self.words.weight
        self.init_weights()

    def init_weights(self, scaled: bool = True) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=self.std)
                if getattr(module, "bias", None) is not None:
                    nn.init.zeros_(module.bias)
        for weight in self.writers() if scaled else ():
            nn.init.normal_(weight, std=self.std / math.sqrt(2 * _DEPTH))

    def writers(self) -> Iterator[Tensor]:
        """What is added to the stream, where it is a layer of torch."""
        for layer in self.layers:
            yield layer.look.out.weight
            if isinstance(getattr(layer.feed, "back", None), nn.Linear):
                yield layer.feed.back.weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.head(self.last(x))


# -- sound


@_model()
def sound() -> nn.Module:
    """As it should be."""
    return Reader()


@_model()
def sound_fine_tuning() -> nn.Module:
    """All but the head is read from a file."""
    model = Reader(tied=False)
    model.load_state_dict({n: t for n, t in _FILE.items() if not n.startswith("head")}, strict=False)
    return model


@_model()
def sound_weight_norm() -> nn.Module:
    """One of the two linear layers is weight-normalized."""
    model = Reader()
    for layer in model.layers:
        parametrizations.weight_norm(layer.feed.wide)
    return model


@_model()
def sound_orthogonal() -> nn.Module:
    """Keys are kept orthogonal."""
    model = Reader()
    for layer in model.layers:
        parametrizations.orthogonal(layer.look.key)
    return model


@_model()
def sound_cut_normal() -> nn.Module:
    """The number of the config is the one before the cut."""
    model = Reader()
    model.config = SimpleNamespace(initializer_range=0.02, tie_word_embeddings=True)
    for weight in {id(p): p for p in model.parameters() if p.dim() > 1}.values():
        nn.init.trunc_normal_(weight, std=0.02, a=-0.04, b=0.04)
    return model


def _file() -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        return Reader().state_dict()


_FILE = _file()


# -- never written, or written and lost


class Own(nn.Module):
    """A linear layer of the user's, which no ``isinstance`` of his knows."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.matrix, self.shift = nn.Parameter(torch.empty(made, given)), nn.Parameter(torch.zeros(made))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.matrix, self.shift)


class OwnDrawn(Own):
    """It draws by itself, and far too large."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__(given, made)
        nn.init.normal_(self.matrix)


@_model(WRITTEN)
def new_class_is_skipped() -> nn.Module:
    """The recipe knows Linear alone."""
    return Reader(lambda: Feed(Own))


@_model(DECLARED, "UNDECIDED")
def new_class_keeps_std_one() -> nn.Module:
    """The recipe knows Linear alone, and the new class has numbers."""
    return Reader(lambda: Feed(OwnDrawn))


@_model(WRITTEN)
def built_without_memory() -> nn.Module:
    """to_empty, and only what has matrices is written anew."""
    with torch.device("meta"):
        model = Reader()
    model.to_empty(device="cpu")
    model.init_weights()
    return model


@_model(WRITTEN)
def head_is_skipped() -> nn.Module:
    """skip_init of the head, for speed."""
    model = Reader()
    model.head = nn.utils.skip_init(nn.Linear, _WIDTH, _WORDS, bias=False)
    return model


@_model(SIBLINGS)
def half_of_the_file() -> nn.Module:
    """Names of the later layers do not match, and strict=False says nothing."""
    model = Reader()
    kept = {n: t for n, t in _FILE.items() if not any(n.startswith(f"layers.{i}.") for i in (3, 4, 5))}
    model.load_state_dict(kept, strict=False)
    return model


@_model(DECLARED, laws={"layers.*.feed.wide.weight_v": "0.02"})
def written_beside_a_weight_norm() -> nn.Module:
    """The recipe writes to .weight, which is computed anew from weight_g and weight_v."""
    model = Reader()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in model.layers:
            layer.feed.wide = nn.utils.weight_norm(nn.Linear(_WIDTH, 3 * _WIDTH))
    for layer in model.layers:
        nn.init.normal_(layer.feed.wide.weight.data, std=0.02)
    return model


@_model(DECLARED)
def padding_drawn_over() -> nn.Module:
    """The recipe draws the row that torch had set to zero."""
    model = Reader(tied=False)
    model.words = nn.Embedding(_WORDS, _WIDTH, padding_idx=0)
    nn.init.normal_(model.words.weight, std=0.02)
    return model


@_model(VALUES)
def underflow() -> nn.Module:
    """Drawn in float16, of a size that it does not have."""
    model = Reader()
    for layer in model.layers:
        layer.look.out.weight.data = torch.empty(_WIDTH, _WIDTH, dtype=torch.float16).normal_(0, 1e-8).float()
    return model


# -- ties and copies


@_model(DISTINCT)
def tied_by_a_copy() -> nn.Module:
    """The head begins as the table of words, and goes its own way."""
    model = Reader(tied=False)
    model.head.weight = nn.Parameter(model.words.weight.detach().clone())
    return model


@_model(DECLARED)
def tie_is_lost() -> nn.Module:
    """The table is replaced after it was tied."""
    model = Reader()
    model.words = nn.Embedding(_WORDS, _WIDTH)
    nn.init.normal_(model.words.weight, std=0.02)
    model.config = SimpleNamespace(initializer_range=0.02, tie_word_embeddings=True)
    return model


@_model(DISTINCT)
def layers_are_copies() -> nn.Module:
    """deepcopy of a layer that has its numbers."""
    model = Reader()
    model.layers = nn.ModuleList(copy.deepcopy(model.layers[0]) for _ in range(_DEPTH))
    return model


class Experts(nn.Module):
    """Two of three feeds for every word."""

    def __init__(self) -> None:
        super().__init__()
        self.route, self.feeds = nn.Linear(_WIDTH, 3, bias=False), nn.ModuleList(Feed() for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        share, chosen = self.route(x).softmax(-1).topk(2, -1)
        return sum(feed(x) * (share * (chosen == i)).sum(-1, keepdim=True) for i, feed in enumerate(self.feeds))  # type: ignore[return-value]


@_model(DISTINCT)
def experts_are_copies() -> nn.Module:
    """Experts that were made of one."""
    model = Reader(Experts)
    for layer in model.layers:
        layer.feed.feeds = nn.ModuleList(copy.deepcopy(layer.feed.feeds[0]) for _ in range(3))
    return model


@_model(DISTINCT)
def every_draw_from_one_state() -> nn.Module:
    """The generator is put back after every tensor."""
    model = Reader()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            with torch.random.fork_rng(devices=[]):
                nn.init.normal_(parameter, std=0.02)
    return model


@_model(DISTINCT)
def shards_of_one_seed() -> nn.Module:
    """Three ranks draw their rows of a matrix with one seed."""
    model = Reader()
    for i, layer in enumerate(model.layers):
        shards = []
        for _rank in range(3):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(torch.initial_seed() + i)
                shards.append(torch.empty(_WIDTH, _WIDTH).normal_(0, 0.02))
        layer.feed.wide.weight = nn.Parameter(torch.cat(shards))
    return model


class LowRank(nn.Module):
    """A frozen layer, and beside it a product of two."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.inner = nn.Parameter(torch.zeros(4, base.in_features))
        self.outer = nn.Parameter(torch.zeros(base.out_features, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.inner.T @ self.outer.T


@_model(DISTINCT)
def both_factors_zero() -> nn.Module:
    """No gradient reaches either."""
    model = Reader()
    for layer in model.layers:
        layer.look.ask = LowRank(layer.look.ask)
    return model


class Shut(nn.Module):
    """A branch of images whose last convolution and whose gate are zero."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(12, 12, 3, padding=1), nn.Conv2d(12, 12, 3, padding=1)
        self.gate = nn.Parameter(torch.zeros(12, 1, 1))
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.gate * self.two(self.one(x).relu())


@_model(DISTINCT)
def branches_shut_twice() -> nn.Module:
    """Zero behind zero: dead for ever."""
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), *(Shut() for _ in range(4)))


# -- the wrong size


@_model(SIBLINGS)
def scaled_in_the_first_half() -> nn.Module:
    """range(depth // 2)."""
    model = Reader()
    model.init_weights(scaled=False)
    for weight in list(model.writers())[:_DEPTH]:
        nn.init.normal_(weight, std=_SMALL)
    return model


@_model(SIBLINGS)
def last_two_are_not_scaled() -> nn.Module:
    """The loop ends too early."""
    model = Reader()
    model.init_weights(scaled=False)
    for weight in list(model.writers())[: 2 * (_DEPTH - 2)]:
        nn.init.normal_(weight, std=_SMALL)
    return model


def _keys_scaled() -> nn.Module:
    model = Reader()
    model.init_weights(scaled=False)
    for layer in model.layers:
        for line in (layer.look.key, layer.feed.back):
            nn.init.normal_(line.weight, std=_SMALL)
    return model


@_model(DECLARED, laws={"*.look.out.weight": "0.02/sqrt(2*L)"})
def keys_scaled_for_out_declared() -> nn.Module:
    """The name of the wrong matrix, where the law is declared."""
    return _keys_scaled()


@_model(WRITERS)
def keys_scaled_for_out() -> nn.Module:
    """The name of the wrong matrix, where nothing is declared."""
    return _keys_scaled()


@_model(CHANCE)
def fifteen_times_the_std() -> nn.Module:
    """0.3 for 0.02, everywhere: logits of variance 4.3, and half of that above chance."""
    return Reader(std=0.3)


@_model(INPUT)
def places_drown_words() -> nn.Module:
    """Places of std 5 beside words of std 0.02."""
    model = Reader()
    nn.init.normal_(model.places.weight, std=5.0)
    return model


@_model(INPUT)
def norms_are_zero() -> nn.Module:
    """zeros_ where ones_ was meant."""
    model = Reader()
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.zeros_(module.weight)
    return model


class Depthwise(nn.Module):
    """A convolution of every channel alone, then one of all at one place."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.all = nn.Conv2d(24, 24, 3, padding=1, groups=24), nn.Conv2d(24, 24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.all(self.each(x).relu()).relu()


@_model(SIGNAL)
def fan_of_a_dense_convolution() -> nn.Module:
    """in_channels x kernel, where only one channel of them is seen."""
    model = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), *(Depthwise() for _ in range(6)))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=math.sqrt(2 / (module.in_channels * math.prod(module.kernel_size))))
            nn.init.zeros_(module.bias)
    return model


class Fused(nn.Module):
    """Attention whose three matrices are one."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        parts = [t.view(*x.shape[:2], 3, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, -1)]
        return self.out(functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))


@_model(DECLARED, "UNDECIDED")
def fan_of_three_matrices() -> nn.Module:
    """Xavier on the three at once."""
    model = Reader()
    for layer in model.layers:
        layer.look = Fused()
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.normal_(model.words.weight, std=0.02)
    return model


@_model(SIBLINGS)
def one_layer_replaced() -> nn.Module:
    """A matrix of one layer is made anew, with torch's own law."""
    model = Reader()
    model.layers[3].look.out = nn.Linear(_WIDTH, _WIDTH, bias=False)
    return model


@_model(SIBLINGS)
def one_layer_of_numpy() -> nn.Module:
    """NumPy drew them all, one with three times the std."""
    model = Reader()
    for i, layer in enumerate(model.layers):
        drawn = np.random.normal(0, 0.06 if i == 2 else 0.02, (3 * _WIDTH, _WIDTH))
        layer.feed.wide.weight.data = torch.from_numpy(drawn.astype(np.float32))
    return model


@_model(SIBLINGS)
def one_cut_normal_too_wide() -> nn.Module:
    """Eight layers of cut normals, one ten times as wide."""
    model = nn.Sequential(*(nn.Linear(_WIDTH, _WIDTH) for _ in range(8)))
    for i, line in enumerate(model):
        std = 1.5 if i == 4 else 0.15
        nn.init.trunc_normal_(line.weight, std=std, a=-2 * std, b=2 * std)
        nn.init.zeros_(line.bias)
    return model


# -- seeds


@_model(REBUILD)
def seed_inside() -> nn.Module:
    """The constructor sets the seed."""
    torch.manual_seed(4321)
    return Reader()


def main(names: list[str]) -> int:
    """Judge the named models, or all."""
    from initcheck.doors.check_model import check_model

    torch.set_num_threads(1)
    found = clean = blamed = 0
    for name in names or MODELS:
        claim, verdict = MISTAKES[name]
        began = time.process_time()
        report = check_model(MODELS[name], laws=LAWS[name], name=name)
        said = {r.claim: r.verdict.value for r in report if r.verdict.value in ("FAILS", "UNDECIDED")}
        failing = [c for c, v in said.items() if v == "FAILS"]
        if claim:
            right = said.get(claim) in ("FAILS", verdict)
            found += right
        else:
            right = not failing
            clean += right
            blamed += not right
        print(f"{'right' if right else 'WRONG'}  {name}: {verdict} {claim or 'nothing'} expected, {said or 'nothing'};"
              f" {time.process_time() - began:.1f} CPU s", flush=True)  # fmt: skip
    asked = [MISTAKES[n][0] for n in names or MODELS]
    print(
        f"{found} of {sum(map(bool, asked))} mistakes by the expected claim, {clean} of {asked.count('')} sound clean"
    )
    return int(blamed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
