"""Which role of B plays the part of which role of A: by shape, by name, by place; packed matrices by their rows."""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from initcheck.comparison.weights.roles import Role, View, family_of, turned_round
from initcheck.comparison.weights.tensors import OF_A_DICT
from initcheck.grouping import grouped
from initcheck.models.builds.names import name_of

# Words for one part: a port calls it by another of them.
_SYNONYMS = (
    ("wte", "tok", "token", "word", "embed", "embedding", "embeddings", "embeds", "tokens"),
    ("wpe", "pos", "position", "positions", "positional"),
    ("qkv", "attn", "in_proj", "c_attn", "query_key_value"),
    ("q", "query", "wq", "to_q", "q_proj", "query_proj", "q_lin"),
    ("k", "key", "wk", "to_k", "k_proj", "key_proj", "k_lin"),
    ("v", "value", "wv", "to_v", "v_proj", "value_proj", "v_lin"),
    ("o", "out", "o_proj", "wo", "proj", "out_proj", "dense", "to_out", "c_proj", "output_proj", "out_lin"),
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
    of their own name as partners, or what an entry of a dict is called, of which nobody knows that it is one.

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
    for x, y in _turned_by_name(free_a, free_b):
        free_a.remove(x)
        free_b.remove(y)
        found.append((View(x), View(y, turned=True)))
    for exact in (True, False):
        for x, y in list(_likeliest(free_a, free_b, exact)):
            free_a.remove(x)
            free_b.remove(y)
            found.append((View(x), View(y, turned=not exact)))
        if exact:
            for one, several in list(_packed(free_a, free_b)):
                found += zip(_pieces(one, several), several, strict=True)
                free_a.remove(one.role)
                free_b = [r for r in free_b if all(r is not part.role for part in several)]
            for one, several in list(_packed(free_b, free_a)):
                found += zip(several, _pieces(one, several), strict=True)
                free_b.remove(one.role)
                free_a = [r for r in free_a if all(r is not part.role for part in several)]
    for shape, pairs in list(_regrouped(free_a, free_b)):
        free_a, free_b = ([role for role in side if role.shape != shape] for side in (free_a, free_b))
        found += [(View(mine), View(theirs)) for mine, theirs in pairs]
    order = {path: n for n, role in enumerate(a) for path in reversed(role.paths)}
    alone_a, alone_b = ([r for r in side if r.buffer and r.path not in of_buffers] for side in (a, b))
    for mine, theirs in ((alone_a, free_b), (free_a, alone_b)):
        for x, y in list(_by_leaf([r for r in mine if _may_be(r)], [r for r in theirs if _may_be(r)])):
            mine.remove(x)
            theirs.remove(y)
            found.append((View(x), View(y)))
    free_a, free_b = [*free_a, *alone_a], [*free_b, *alone_b]
    return sorted(found, key=lambda pair: (order[pair[0].role.paths[0]], pair[0].rows or (0, 0))), free_a, free_b


def _turned_by_name(a: Sequence[Role], b: Sequence[Role]) -> list[tuple[Role, Role]]:
    """Matrices of one name of their own whose shape is turned round, where those of that shape have other names.

    ``w1`` and ``w2`` of a perceptron, stored the other way round, have one another's shapes.
    """
    mine, theirs = ([(_own_name(role.path), role) for role in side] for side in (a, b))
    once = [{n for n, times in Counter(name for name, _ in side).items() if times == 1} for side in (mine, theirs)]
    both = once[0] & once[1] - {""}
    named = [{name: role for name, role in side if name in both} for side in (mine, theirs)]
    turned = [
        (x, y)
        for x, y in ((named[0][name], named[1][name]) for name in both)
        if len(x.shape) > 1 and x.shape == turned_round(y.shape) != y.shape and len(x.paths) == len(y.paths)
    ]
    # Alone, another role of that shape may be a better partner; two that would change places are surely none.
    shapes = {x.shape for x, _ in turned}
    return sorted((pair for pair in turned if turned_round(pair[0].shape) in shapes), key=lambda pair: pair[0].place)


def _own_name(path: str) -> str:
    """What a matrix is called beside its like: no word for every matrix, and no number."""
    words = [w for w in re.split(r"[.\s/\[\]']+", path.lower()) if w and not w.isdigit() and w != "*"]
    return next((word for word in reversed(words) if _MEANT.get(word) not in ("weight", "bias")), "")


def _buffers(a: Sequence[Role], b: Sequence[Role]) -> Iterator[tuple[View, View]]:
    """Buffers of one leaf and shape."""
    for x, y in _by_leaf(*([role for role in side if role.buffer] for side in (a, b))):
        yield View(x), View(y)


def _by_leaf(a: Sequence[Role], b: Sequence[Role]) -> Iterator[tuple[Role, Role]]:
    """Roles of one leaf and shape, the likeliest partner first: of another name a buffer is another thing."""
    for leaf in dict.fromkeys(_leaf(role) for role in a):
        mine, theirs = ([role for role in side if _leaf(role) == leaf] for side in (a, b))
        yield from _likeliest(mine, theirs, True)


def _may_be(role: Role) -> bool:
    """Whether a role is one of buffers, or of entries that may be."""
    return role.buffer or role.owner == OF_A_DICT


def _leaf(role: Role) -> str:
    leaf = re.split(r"[./]", role.path)[-1].lower()
    return _STATISTICS.get(leaf, leaf)


def _pieces(one: View, several: Sequence[View]) -> Iterator[View]:
    """The rows of one matrix that stand for each of several."""
    at = 0
    for part in several:
        yield replace(one, rows=(at, at + part.shape[0]))
        at += part.shape[0]


def _likeliest(a: Sequence[Role], b: Sequence[Role], exact: bool) -> Iterator[tuple[Role, Role]]:
    """Partners, the surest first; each role once."""
    numbers = _numbers(a), _numbers(b)
    scored = [
        (_likeness(x, y) + (numbers[0][n] == numbers[1][m] != (0, 1)), -n, -m, x, y)
        for (n, x), (m, y) in itertools.product(enumerate(a), enumerate(b))
        if len(x.paths) == len(y.paths)
        and (x.shape == y.shape if exact else len(y.shape) > 1 and x.shape == turned_round(y.shape))
    ]
    first = _surest(scored)
    together = Counter((_module(x), _module(y)) for x, y in first)
    own = {(x.path, y.path) for x, y in first}

    def suggested(x: Role, y: Role) -> bool:
        """Whether other tensors of their modules are partners: a bias goes with its weight by any name."""
        others = together[_module(x), _module(y)] - ((x.path, y.path) in own)
        return others > 0 and _module(x) != "" and _words(x.path)[-1:] == _words(y.path)[-1:]

    again = [(score + suggested(x, y), n, m, x, y) for score, n, m, x, y in scored]
    yield from _surest(again)


def _surest(scored: Sequence[tuple[float, int, int, Role, Role]]) -> list[tuple[Role, Role]]:
    """Of all pairs with their likeness the surest first, each role once."""
    taken: set[tuple[int, str]] = set()
    found = []
    for _, _, _, x, y in sorted(scored, key=lambda s: s[:3], reverse=True):
        if (0, x.path) not in taken and (1, y.path) not in taken:
            taken |= {(0, x.path), (1, y.path)}
            found.append((x, y))
    return found


def _module(role: Role) -> str:
    """The path of what holds a tensor; of a stack, which of its layers or experts that is."""
    path, bracket, number = role.path.partition("[")
    module = path.rpartition(".")[0]
    return module and f"{module}{bracket}{number}"


def _numbers(roles: Sequence[Role]) -> list[tuple[int, int]]:
    """Of each role which it is of those that differ from it in a number alone, and of how many: of experts, say."""
    families: dict[tuple[str, tuple[int, ...]], int] = {}
    keys = [(family_of(role.path), role.shape) for role in roles]
    counts = Counter(keys)
    found = []
    for key in keys:
        found.append((families.setdefault(key, 0), counts[key]))
        families[key] += 1
    return found


def _packed(whole: Sequence[Role], parts: Sequence[Role]) -> Iterator[tuple[View, tuple[View, ...]]]:
    """One role, and those that follow one another on the other side whose rows add up to its rows.

    Of a tree of arrays nobody knows which axis is the units: where the pieces do not fit as they lie, they or the
    whole are turned round.
    """
    used: set[str] = set()
    for role in whole:
        best: tuple[bool, bool, float, View, tuple[View, ...]] | None = None
        for round_one, round_parts in ((False, False), (False, True), (True, False)):
            if (round_one or round_parts) and len(role.shape) < 2:
                continue
            one = View(role, turned=round_one)
            fitting = [
                part
                for part in (View(p, turned=round_parts) for p in parts)
                if part.shape[1:] == one.shape[1:]
                and part.shape[:1] < one.shape[:1]
                and len(part.role.paths) == len(role.paths)
                and part.role.path not in used
            ]
            for count in range(_LEAST, _PACKED + 1):
                for start in range(len(fitting) - count + 1):
                    several = tuple(fitting[start : start + count])
                    if sum(part.shape[0] for part in several) == one.shape[0]:
                        apart = abs(several[0].role.place - role.place)
                        rank = round_one or round_parts, not _are_siblings(several), apart
                        if best is None or rank < best[:3]:
                            best = *rank, one, several
        if best is not None:
            used |= {part.role.path for part in best[4]}
            yield best[3], best[4]


def _are_siblings(pieces: Sequence[View]) -> bool:
    """Whether pieces stand in one module, each by its own name, before ``weight`` or ``bias`` or without them."""
    words = [piece.role.path.split(".") for piece in pieces]
    common = sum(1 for _ in itertools.takewhile(lambda same: len(set(same)) == 1, zip(*words, strict=False)))
    return all(common >= len(own) - 2 for own in words)


def _regrouped(a: Sequence[Role], b: Sequence[Role]) -> Iterator[tuple[tuple[int, ...], list[tuple[Role, Role]]]]:
    """Roles of one shape that hold as many tensors together, though not each by itself: blocks in a list against
    blocks by name. Each tensor gets a partner, and those that are together on both sides stay together."""
    for shape in dict.fromkeys(role.shape for role in a):
        mine, theirs = (dict(_singles(side, shape)) for side in (a, b))
        if len(mine) != len(theirs):
            continue
        likeliest = sorted(_likeliest(list(mine), list(theirs), True), key=lambda two: two[0].place)
        groups = grouped(((mine[x].path, theirs[y].path), (x, y)) for x, y in likeliest)
        yield shape, [(_together(xs), _together(ys)) for xs, ys in (zip(*g, strict=True) for g in groups.values())]


def _singles(roles: Sequence[Role], shape: tuple[int, ...]) -> Iterator[tuple[Role, Role]]:
    """Each tensor of a shape as a role of its own, and the role that it is of."""
    for role in roles:
        if role.shape == shape:
            yield from ((_single(role, number), role) for number in range(len(role.places)))


def _single(role: Role, number: int) -> Role:
    path, place = role.paths[number], role.places[number]
    return replace(role, path=path, paths=(path,), place=place, places=(place,))


def _together(roles: Sequence[Role]) -> Role:
    paths = tuple(role.path for role in roles)
    places = tuple(role.place for role in roles)
    return replace(roles[0], path=name_of(paths, paths), paths=paths, places=places)


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
