"""Which role of B plays the part of which role of A: by shape, by name, by place; packed matrices by their rows."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence

from initcheck.comparison.weights.roles import Role, View

# Words for one part: a port calls it by another of them.
_SYNONYMS = (
    ("wte", "tok", "token", "word", "embed", "embedding", "embeddings", "embeds", "tokens"),
    ("wpe", "pos", "position", "positions", "positional"),
    ("qkv", "attn", "in_proj", "c_attn", "query_key_value"),
    ("q", "query", "wq", "to_q", "q_proj"), ("k", "key", "wk", "to_k", "k_proj"),
    ("v", "value", "wv", "to_v", "v_proj"),
    ("o", "out", "o_proj", "wo", "proj", "out_proj", "dense", "to_out", "c_proj"),
    ("fc", "fc1", "up", "up_proj", "c_fc", "w1", "w3", "intermediate", "lin1", "linear1", "dense_0"),
    ("fc2", "down", "down_proj", "w2", "lin2", "linear2", "output", "dense_1"),
    ("gate", "gate_proj", "w1"),
    ("ln", "norm", "layernorm", "layer_norm", "rmsnorm", "bn", "batchnorm", "batch_norm", "ln_1", "ln_2", "ln_f"),
    ("weight", "kernel", "embedding", "embeddings", "scale", "gamma", "w"), ("bias", "beta", "b"),
    ("head", "lm_head", "classifier", "unembed", "fc_out", "logits"),
)  # fmt: skip
_MEANT = {word: group[0] for group in reversed(_SYNONYMS) for word in group}
_PARTS = {group[0] for group in _SYNONYMS} - {"weight", "bias"}
_STATISTICS = {"running_mean": "mean", "moving_mean": "mean", "running_var": "var", "moving_variance": "var"}
_LEAST = 2
_PACKED = 4


def match(a: Sequence[Role], b: Sequence[Role]) -> tuple[list[tuple[View, View]], list[Role], list[Role]]:
    """Lay the roles of two models side by side; what is left of each has no partner.

    Roles of one shape and as many members may be partners; of several the likeliest by name and place is taken.
    Then one matrix and several that follow one another, whose rows add up to its rows: q, k and v against qkv, four
    gates against one; these are compared piece by piece. Last what has the shape turned round. Buffers have buffers
    of their own name as partners.

    >>> qkv = Role("h.*.attn.qkv.weight", ("0", "1"), (12, 4), 0.1)
    >>> q, k, v = (Role(f"l.*.{n}.weight", ("0", "1"), (4, 4), p) for n, p in (("q", 0.1), ("k", 0.2), ("v", 0.3)))
    >>> found, left, right = match([qkv], [q, k, v])
    >>> [(x.name, y.name) for x, y in found][1], left, right
    (('h.*.attn.qkv.weight[4:8]', 'l.*.k.weight'), [], [])

    Returns:
        the partners in A's order, what is left of A, and of B.
    """
    free_a, free_b = ([role for role in side if not role.buffer] for side in (a, b))
    found = list(_buffers(a, b))
    of_buffers = {role.path for two in found for role in (two[0].role, two[1].role)}
    for exact in (True, False):
        for x, y in list(_likeliest(free_a, free_b, exact)):
            free_a.remove(x)
            free_b.remove(y)
            found.append((View(x), View(y, turned=not exact)))
        if exact:
            for one, several in list(_packed(free_a, free_b)):
                found += zip(_pieces(one, several), map(View, several), strict=True)
                free_a.remove(one)
                free_b = [r for r in free_b if r not in several]
            for one, several in list(_packed(free_b, free_a)):
                found += zip(map(View, several), _pieces(one, several), strict=True)
                free_b.remove(one)
                free_a = [r for r in free_a if r not in several]
    order = {role.path: n for n, role in enumerate(a)}
    free_a += [role for role in a if role.buffer and role.path not in of_buffers]
    free_b += [role for role in b if role.buffer and role.path not in of_buffers]
    return sorted(found, key=lambda pair: (order[pair[0].role.path], pair[0].rows or (0, 0))), free_a, free_b


def _buffers(a: Sequence[Role], b: Sequence[Role]) -> Iterator[tuple[View, View]]:
    """Buffers of one leaf and shape, the likeliest partner first: of another name one is another thing."""
    sides = [[role for role in side if role.buffer] for side in (a, b)]
    for leaf in dict.fromkeys(_leaf(role) for role in sides[0]):
        mine, theirs = ([role for role in side if _leaf(role) == leaf] for side in sides)
        for x, y in _likeliest(mine, theirs, True):
            yield View(x), View(y)


def _leaf(role: Role) -> str:
    leaf = re.split(r"[./]", role.path)[-1].lower()
    return _STATISTICS.get(leaf, leaf)


def _pieces(one: Role, several: Sequence[Role]) -> Iterator[View]:
    """The rows of one matrix that stand for each of several."""
    at = 0
    for part in several:
        yield View(one, (at, at + part.rows))
        at += part.rows


def _likeliest(a: Sequence[Role], b: Sequence[Role], exact: bool) -> Iterator[tuple[Role, Role]]:
    """Partners, the surest first; each role once."""
    scored = [
        (_likeness(x, y), -n, -m, x, y)
        for (n, x), (m, y) in itertools.product(enumerate(a), enumerate(b))
        if len(x.paths) == len(y.paths) and (x.shape == y.shape if exact else x.shape == y.shape[::-1])
    ]
    taken: set[tuple[int, str]] = set()
    for _, _, _, x, y in sorted(scored, key=lambda s: s[:3], reverse=True):
        if (0, x.path) not in taken and (1, y.path) not in taken:
            taken |= {(0, x.path), (1, y.path)}
            yield x, y


def _packed(whole: Sequence[Role], parts: Sequence[Role]) -> Iterator[tuple[Role, tuple[Role, ...]]]:
    """One role, and those that follow one another on the other side whose rows add up to its rows."""
    used: set[str] = set()
    for one in whole:
        fitting = [
            p for p in parts if p.rest == one.rest and p.rows < one.rows and len(p.paths) == len(one.paths)
            and p.path not in used
        ]  # fmt: skip
        best: tuple[float, tuple[Role, ...]] | None = None
        for count in range(_LEAST, _PACKED + 1):
            for start in range(len(fitting) - count + 1):
                several = tuple(fitting[start : start + count])
                if sum(p.rows for p in several) == one.rows:
                    apart = abs(several[0].place - one.place)
                    if best is None or apart < best[0]:
                        best = apart, several
        if best is not None:
            used |= {p.path for p in best[1]}
            yield one, best[1]


def _likeness(x: Role, y: Role) -> float:
    mine, theirs = _words(x.path), _words(y.path)
    common = len(set(mine) & set(theirs)) / max(1, len(set(mine) | set(theirs)))
    spelled = difflib.SequenceMatcher(None, " ".join(mine), " ".join(theirs)).ratio()
    near = 2.0 * (1 - abs(x.place - y.place))
    # What a tensor is called by everyone, q or o, tells more than where its module stands in the block.
    return common + 0.5 * spelled + near + 0.5 * (mine[-1:] == theirs[-1:]) + 1.0 * (_part(mine) == _part(theirs))


def _part(words: Sequence[str]) -> str | None:
    """The last word of a path, before ``weight`` or ``bias``, that names a part of a block in the field."""
    return next((word for word in reversed(words[:-1]) if word in _PARTS), None)


def _words(path: str) -> list[str]:
    parts = [p for p in re.split(r"[.\s/\[\]']+", path.lower()) if p and not p.isdigit() and p != "*"]
    return [_MEANT.get(p, p) for p in parts]
