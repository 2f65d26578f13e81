"""What stands side by side is given its own: tables an item, a column or bags, a state the channels that it has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from initcheck.models.modules.live_module import LiveModule
from initcheck.models.signals.listener import Listener

ROWS = (50, 10, 30)


class Recommender(nn.Module):
    """DLRM: bags of each table by indices and offsets, and what is dense; every pair is multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.emb_l = nn.ModuleList(nn.EmbeddingBag(n, 8, mode="sum") for n in ROWS)
        self.bottom, self.top = nn.Linear(13, 8), nn.Linear(8 + 6, 1)

    def forward(self, dense_x: torch.Tensor, offsets_of: torch.Tensor, indices_of: torch.Tensor) -> torch.Tensor:
        x = self.bottom(dense_x)
        tables = [table(indices_of[k], offsets_of[k]) for k, table in enumerate(self.emb_l)]
        rows = torch.cat([x, *tables], 1).view(x.shape[0], -1, 8)
        i, j = torch.tril_indices(4, 4, -1)
        return self.top(torch.cat([x, (rows @ rows.transpose(1, 2))[:, i, j]], 1))


class Columns(nn.Module):
    """A column for each table, and numbers beside what they make."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(n, 4) for n in ROWS)
        self.body = nn.Linear(3 * 4 + 6, 2)

    def forward(self, x_cat: torch.Tensor, x_num: torch.Tensor) -> torch.Tensor:
        made = [e(x_cat[:, i]) for i, e in enumerate(self.embeddings)] + [x_num]
        return self.body(torch.cat(made, 1))


class Zipped(Columns):
    """The same by ``zip``: an item of a list for each table."""

    def forward(self, fields: list[torch.Tensor], x_num: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        made = [e(f) for e, f in zip(self.embeddings, fields, strict=True)] + [x_num]
        return self.body(torch.cat(made, 1))


class Counted(Columns):
    """The same by numbers."""

    def forward(self, x_cat: torch.Tensor, x_num: torch.Tensor) -> torch.Tensor:
        made = [x_num]
        for i in range(len(self.embeddings)):
            made.append(self.embeddings[i](x_cat[:, i]))
        return self.body(torch.cat(made, 1))


class News(nn.Module):
    """The text classifier of a tutorial of torch: all texts in a row, and where each begins."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.fc = nn.EmbeddingBag(95, 8), nn.Linear(8, 4)

    def forward(self, text: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return self.fc(self.embedding(text, offsets))


class Frames(nn.Module):
    """A convolutional LSTM by hand: the state stands beside the channels of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3 + 8, 32, 3, padding=1), nn.Conv2d(8, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        items, steps, _, high, wide = x.shape
        h, c = torch.zeros(items, 8, high, wide), torch.zeros(items, 8, high, wide)
        for t in range(steps):
            i, f, o, g = self.conv(torch.cat([x[:, t], h], 1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h)


class Hyper(nn.Module):
    """A network that makes the weights of another one."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 6 * 4))

    def forward(self, z: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("boi,bi->bo", self.body(z).view(-1, 4, 6), x)


@pytest.mark.parametrize("build", [Recommender, Columns, Counted, Zipped, News, Frames, Hyper])
def test_each_part_is_given_its_own(build: Callable[[], nn.Module]) -> None:
    heard = Listener(None).hear(LiveModule(build()), whole=True)
    assert heard.problem is None, heard.problem
    assert heard.untrained is not None
    assert not (*heard.untrained.unused, *heard.untrained.flat, *heard.untrained.cut)


def test_a_column_too_few_is_still_refused() -> None:
    """What reads more columns than there are tables takes no batch of these."""

    class Wrong(Columns):
        def forward(self, x_cat: torch.Tensor, x_num: torch.Tensor) -> torch.Tensor:
            made = [e(x_cat[:, i + 1]) for i, e in enumerate(self.embeddings)] + [x_num[:, :5]]
            return self.body(torch.cat(made, 1))

    assert Listener(None).hear(LiveModule(Wrong())).problem is not None
