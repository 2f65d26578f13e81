"""A model that is built rank by rank against the unsharded one: its shards are laid side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import initcheck
from initcheck.comparison.weights.shards import Told, put_together
from initcheck.doors.cli import main
from initcheck.errors import UsageError

MODELS = """
import numpy as np

def whole(seed):
    rng = np.random.default_rng(seed)
    return {"up": rng.normal(0, 8**-0.5, (16, 8)), "down": rng.normal(0, 16**-0.5, (8, 16)), "norm": np.ones(8)}

def sliced(seed, rank, world):
    one = whole(seed)
    up, down = np.split(one["up"], world)[rank], np.split(one["down"], world, axis=1)[rank]
    return {"up": up, "down": down, "norm": one["norm"]}

def alike(seed, rank, world):
    rng = np.random.default_rng(seed)  # the same numbers on every rank
    up, down = rng.normal(0, 8**-0.5, (16 // world, 8)), rng.normal(0, 16**-0.5, (8, 16 // world))
    return {"up": up, "down": down, "norm": np.ones(8)}

def own_fan(seed, rank, world):
    rng = np.random.default_rng([seed, rank])  # the fan of the shard for that of the whole
    up, down = rng.normal(0, 8**-0.5, (16 // world, 8)), rng.normal(0, (16 // world) ** -0.5, (8, 16 // world))
    return {"up": up, "down": down, "norm": np.ones(8)}

def own_norms(seed, rank, world):
    return {**sliced(seed, rank, world), "norm": np.random.default_rng([seed, rank]).normal(1, 1e-3, 8)}

def by_the_global_generator(rank, world):
    one = {"up": np.random.normal(0, 8**-0.5, (16, 8)), "down": np.random.normal(0, 16**-0.5, (8, 16))}
    return {"up": np.split(one["up"], world)[rank], "down": one["down"], "norm": np.ones(8)}

def by_other_words(seed, tp_rank, tp_size):
    return sliced(seed, tp_rank, tp_size)

def lost(seed, rank, world):
    return {"up": np.ones((16 // world - (world > 1), 8)), "norm": np.ones(8)}

def _drawn(seed, *shape, std=0.02):
    numbers = seed if isinstance(seed, list) else [seed]  # NumPy 2.5 takes no list within a list
    return np.random.default_rng([*numbers, *shape]).normal(0, std, shape)

def large(seed):
    layers = {f"layers.{k}.w": _drawn([seed, 9, k], 8, 8) for k in range(4)}
    experts = {f"experts.{k}.w": _drawn([seed, 8, k], 6, 8) for k in range(8)}
    qkv = np.concatenate([_drawn([seed, k], 16, 8, std=0.01 * (k + 1)) for k in range(3)])
    return {"embed": _drawn(seed, 10, 8), "kv": _drawn(seed, 4, 8), "qkv": qkv, **layers, **experts}

def laid_out(seed, rank, world):
    one = large(seed)
    rows = -(-10 // world)
    padded = np.concatenate([one["embed"], np.zeros((rows * world - 10, 8))])
    kv = np.split(one["kv"], min(2, world))[rank * min(2, world) // world]
    qkv = np.concatenate([np.split(piece, world)[rank] for piece in np.split(one["qkv"], 3)])
    layers = {f"layers.{k}.w": one[f"layers.{k}.w"] for k in range(rank * 4 // world, (rank + 1) * 4 // world)}
    each = 8 // world
    experts = {f"experts.{k}.w": one[f"experts.{rank * each + k}.w"] for k in range(each)}
    return {"embed": padded[rank * rows:][:rows], "kv": kv, "qkv": qkv, **layers, **experts}

def heads_apart(seed, rank, world):
    return {**laid_out(seed, rank, world), "kv": _drawn([seed, rank], 4 // min(2, world), 8)}

def one_size(seed, rank, world):
    qkv = _drawn([seed, rank], 48 // world, 8)
    return {**laid_out(seed, rank, world), "qkv": large(seed)["qkv"] if world == 1 else qkv}

def experts_alike(seed, rank, world):
    same = {f"experts.{k}.w": _drawn([seed, 8, k], 6, 8) for k in range(8 // world)}
    return {**laid_out(seed, rank, world), **same}

def an_expert_lost(seed, rank, world):
    found = {f"experts.{k}.w": large(seed)[f"experts.{k}.w"] for k in range(8) if world == 1 or k % world == rank}
    return {path: w for path, w in found.items() if world == 1 or path != "experts.5.w"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shard_models.py").write_text(MODELS)
    return tmp_path


@pytest.mark.parametrize(
    ("sharded", "code", "words"),
    [
        ("sliced", 0, "SAME"),
        ("alike", 1, "DIFFERENT in 2 of 3"),
        ("alike", 1, "the shards that the 4 ranks of B hold repeat one another"),
        ("own_fan", 1, "B's weights are 2 times A's, the root of its 4 ranks: the fan of the shard stands for that of"),
        ("own_norms", 1, "norm of B: ranks 1, 2, 3 hold other numbers than rank 0, of what is one tensor in the whole"),
        ("by_other_words", 0, "SAME"),
        ("lost", 1, "up of B: 4 ranks hold (3, 8), and not the (16, 8), of what is one tensor in the whole"),
        ("by_the_global_generator", 0, "SAME"),
    ],
)
def test_what_the_ranks_hold_is_compared_with_the_whole(
    folder: Path, sharded: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"shard_models.py:{sharded}"
    assert main(["same", "shard_models.py:whole", target, "--world=4", "--timeout=60"]) == code
    said = "".join(capsys.readouterr())
    assert words in said


@pytest.mark.parametrize(
    ("sharded", "code", "words"),
    [
        ("laid_out", 0, "qkv of B: each rank holds its part of 3 pieces"),
        ("laid_out", 0, "kv of B: each of its 2 pieces is held by 2 ranks"),
        ("laid_out", 0, "embed of B: 2 rows of padding beyond the whole are not compared"),
        (
            "heads_apart",
            1,
            "kv of B: ranks 1, 3 hold other numbers than ranks 0, 2, of what is one tensor",
        ),
        ("one_size", 1, "in rows 0 to 15 (piece 1 of 3), 32 to 47 (piece 3 of 3) B's weights are"),
        ("experts_alike", 1, "8 tensors of B hold the same random numbers"),
        ("an_expert_lost", 1, "experts.5.w of B: no rank holds it, nor a shard of it"),
    ],
)
def test_pieces_that_ranks_share_or_hold_alone_are_the_whole(
    folder: Path, sharded: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["same", "shard_models.py:large", f"shard_models.py:{sharded}", "--world=4", "--timeout=60"]) == code
    assert words in "".join(capsys.readouterr())


def _padded(each: int, told: Told) -> list[tuple[int, ...]]:
    def shard(rank: int, world: int) -> dict[str, np.ndarray]:
        return {"w": np.zeros((10 if world == 1 else each, 2))}

    return [tensor.shape for tensor in put_together(shard, "m:shard", told)()]


def test_no_rank_holds_padding_alone() -> None:
    told = Told(4)
    assert _padded(3, told) == [(10, 2)]
    assert not told.odd
    with pytest.raises(UsageError, match=r"of no tensor do the 4 ranks hold the whole; w: 4 ranks hold \(4, 2\)"):
        _padded(4, told)
    assert told.odd == {"w": "4 ranks hold (4, 2), and not the (10, 2)"}


def test_uneven_shards_are_laid_side_by_side() -> None:
    def uneven(rank: int, world: int) -> dict[str, np.ndarray]:
        rows = np.array_split(np.arange(10.0).reshape(5, 2), world)[rank]
        return {"w": rows}

    [tensor] = put_together(uneven, "m", Told(3))()
    assert np.array_equal(tensor.values, np.arange(10.0).reshape(5, 2))


def test_a_world_without_ranks_is_refused() -> None:
    def built(seed: int) -> dict[str, np.ndarray]:
        return {"w": np.ones((2, 2))}

    with pytest.raises(UsageError, match="has the parameters rank and world"):
        initcheck.same(built, built, world=2)


@pytest.mark.parametrize("takes_seed", [True, False])
def test_ranks_that_are_not_said_to_be_ranks_are_told_the_word(takes_seed: bool) -> None:
    def whole(seed: int) -> dict[str, np.ndarray]:
        return {"w": np.random.default_rng(seed).normal(size=(4, 2))}

    def seeded(seed: int, rank: int, world: int) -> dict[str, np.ndarray]:
        return {"w": whole(seed)["w"][rank::world]}

    def bare(rank: int, world: int) -> dict[str, np.ndarray]:
        return seeded(0, rank, world)

    with pytest.raises(
        UsageError, match=r"missing 2 required .*'rank' and 'world'.* --world 4 builds those of four\.$"
    ):
        initcheck.same(whole, seeded if takes_seed else bare)


def test_a_factory_without_ranks_is_called_alone() -> None:
    def whole(seed: int) -> dict[str, np.ndarray]:
        raise ValueError("no data")

    with pytest.raises(UsageError, match=r"no data.* Call it alone first"):
        initcheck.same(whole, whole)


def test_the_fans_of_the_shard_are_told_where_both_are_summed() -> None:
    """Glorot by the shape of the shard: larger by less than the ranks are."""

    def glorot(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
        return rng.normal(0, (2 / (rows + columns)) ** 0.5, (rows, columns))

    def sound(seed: int) -> dict[str, np.ndarray]:
        return {f"layers.{k}.down": glorot(np.random.default_rng([seed, k]), 32, 64) for k in range(2)}

    def shard(seed: int, rank: int, world: int) -> dict[str, np.ndarray]:
        return {
            f"layers.{k}.down": glorot(np.random.default_rng([seed, k, rank, 1]), 32, 64 // world) for k in range(2)
        }

    def cut(seed: int, rank: int, world: int) -> dict[str, np.ndarray]:
        return {path: np.split(w, world, axis=1)[rank] for path, w in sound(seed + 2**40).items()}

    likely = initcheck.same(sound, shard, world=4)["start-from-one-law"].evidence.likely or ""
    assert "both follow 2/(fan_in + fan_out), B by the fans of its shard (32, 16), A by those of the whole" in likely
    assert initcheck.same(sound, cut, world=4).ok
