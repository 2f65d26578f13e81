"""The layers an initializer is asked for: which layouts, which widths, and the plan that every run walks."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from initcheck.contract.case import Case
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.contract.profile import Profile
from initcheck.seeds import generator

_CONVOLUTIONS = {"out_in": ("oihw", "oiw", "oidhw"), "in_out": ("hwio", "wio", "dhwio")}

# (inputs, units), most telling first: a quick run takes a prefix. Width 1, odd widths, powers of two and their
# neighbours up to 1024 (a fan held in 8 bits wraps at 256), squares, wide and tall.
_DENSE = (
    (64, 64), (1, 1), (3, 5), (256, 17), (17, 256), (1, 2), (16, 16), (1, 64), (64, 1), (33, 31), (257, 9),
    (1024, 4), (4, 1023), (8, 8), (127, 129), (2, 3), (7, 2), (255, 12), (12, 255), (511, 13), (1025, 5),
    (3, 1024), (65, 63), (9, 513), (17, 17), (2, 1), (32, 32), (256, 256), (5, 1), (255, 255), (513, 6), (15, 257),
    (3, 3), (512, 16), (65, 65), (6, 127), (1023, 3), (31, 4), (128, 64),
)  # fmt: skip

# Where every shape costs a compilation, the few that serve all claims: each as wide as another one is high, so that a
# network is made of two of them; a fan beyond 8 bits; one unit; kernels; the shape that a signature is tried with.
_COMPILED = ((1, 1), (5, 7), (7, 5), (64, 1), (16, 16), (257, 9), (9, 257))
# Where calls alone are dear, one more: the largest of which every entry is looked at shows the faintest dependence.
_SHOWN = (33, 31)
_COMPILED_KERNELS = ((5, 16, (3, 2, 2)), (3, 16, (5, 2, 2)))

# The widest of these; a contract that names wider layers is asked for some of them too.
_WIDEST = 1025
# The other side of a layer that is glanced at.
_BESIDE = 8
_SQUARES = 32
# So many inputs tell units apart, whatever values a weight may take; beside them the most units are glanced at, and
# beside so many units the most inputs.
_TELLING = 64
# Weights of one deep network at most: 64 MiB of float32 are held for its way back.
_NETWORK = 2**24

# (input channels, units, kernel), most telling first; the kernel is cut to the layout's rank.
_KERNELS = (
    (5, 7, (3, 2, 2)), (16, 8, (3, 3, 1)), (1, 1, (1, 1, 1)), (3, 4, (5, 5, 2)), (32, 16, (1, 1, 3)), (2, 9, (1, 4, 3)),
)  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """What an initializer may be asked for.

    Attributes:
        layouts: the layouts of its layers; the first is the usual one.
        widths: smallest and largest width.
        groups: groups of a convolution.
        plan: the layers that every statistical claim walks, smallest first.
        exact: further small layers for the claims that one call decides.
        sweep: every width once as inputs and once as units, the small squares, and as many units as the widest of them
            has with inputs enough to tell these apart, and the other way round, for a glance; empty where every shape
            is costly.
        square: the layer of the plan that deep networks are made of; None where no unit sees as many inputs as
            there are units (depthwise).
        squares: square matrices are made only.
        equal_kernels: all sides of a kernel are of one size.
        costly_shapes: every new shape costs a compilation, so that nothing is asked for outside the plan.
    """

    layouts: tuple[str, ...]
    widths: tuple[int, int]
    groups: int
    plan: tuple[Case, ...]
    exact: tuple[Case, ...]
    square: Case | None
    sweep: tuple[Case, ...] = ()
    squares: bool = False
    costly_shapes: bool = False
    equal_kernels: bool = False

    def takes_kernel(self, layer: Layer) -> bool:
        """Whether the kernel of a layer is one that may be asked for.

        >>> from initcheck.contract.profile import profile
        >>> one_side = domain_of(Contract(layout="oihw"), profile("quick"), 0, ranks=(4,), equal_kernels=True)
        >>> [one_side.takes_kernel(Layer((5, 7, *kernel), "oihw")) for kernel in ((3, 3), (3, 2))]
        [True, False]
        """
        return not self.equal_kernels or len(set(layer.sides)) <= 1

    def above(self, layer: Case, outputs: int) -> tuple[Case, int] | None:
        """What is drawn for the weights above a layer, and how many of them give that many units together.

        None where no layer of the plan is as wide and no other may be asked for.

        >>> from initcheck.contract.profile import profile
        >>> domain_of(Contract(), profile("quick"), 0).above(Layer((7, 3), "out_in"), 128)[0].shape
        (128, 7)
        >>> few = domain_of(Contract(), profile("quick"), 0, costly_shapes=True)
        >>> few.above(Layer((9, 257), "out_in"), 128)
        (Layer(shape=(257, 9), layout='out_in', groups=1), 1)
        """
        if self.squares:
            return make_layer(self.layouts[0], layer.units, layer.units, (1, 1, 1), 1), -(-outputs // layer.units)
        if not self.costly_shapes:
            return make_layer(self.layouts[0], layer.units, outputs, (1, 1, 1), 1), 1
        fitting = [x for x in self.plan if x.inputs == layer.units and x.groups == 1]
        if not fitting:
            return None
        widest = max(fitting, key=lambda x: (x.units, x))
        return widest, -(-outputs // widest.units)

    @property
    def largest(self) -> Case:
        """The layer of the plan with the most weights."""
        return max(self.plan, key=lambda layer: (layer.weights, layer))


def make_layer(layout: str, inputs: int, units: int, kernel: tuple[int, ...], groups: int) -> Layer:
    """The layer of that layout; ``inputs`` counts the channels that one unit sees."""
    axes = {"out_in": "oi", "in_out": "io"}.get(layout, layout)
    sizes = {"i": inputs, "o": units * groups, **dict(zip("hwd", kernel, strict=False))}
    return Layer(tuple(sizes[a] for a in axes), layout, groups)


def domain_of(
    contract: Contract,
    profile: Profile,
    *seed_parts: object,
    ranks: tuple[int, ...] = (),
    convolutions: bool = False,
    costly_shapes: bool = False,
    squares: bool = False,
    equal_kernels: bool = False,
) -> Domain:
    """The domain of a contract.

    Args:
        contract: its layout, widths and groups.
        profile: how many layers the plan holds.
        seed_parts: what the random layers of the plan derive from.
        ranks: numbers of axes that the initializer accepts, where known.
        convolutions: whether it was seen to treat convolutions on purpose.
        costly_shapes: whether every new shape costs a compilation.
        squares: whether it makes square matrices only.
        equal_kernels: whether it takes one number for all sides of a kernel.
    """
    first = contract.layout or "out_in"
    layouts: tuple[str, ...] = (first,)
    if first in _CONVOLUTIONS:
        offered = (*layouts, *_CONVOLUTIONS[first])
        if ranks and 2 in ranks and contract.origins.get("layout") == "declared":
            layouts = (first,)  # who says that it is for matrices is not asked for kernels
        elif ranks:
            layouts = tuple(x for x in offered if (2 if x == first else len(x)) in ranks) or layouts
        elif convolutions:
            layouts = (first, _CONVOLUTIONS[first][0])
    groups = contract.groups if isinstance(contract.groups, int) else 1
    depthwise = contract.groups == "depthwise"
    smallest, widest = contract.widths

    def clip(n: int) -> int:
        return min(max(n, smallest), widest)

    def sides(kernel: tuple[int, ...]) -> tuple[int, ...]:
        return (max(kernel),) * 3 if equal_kernels else kernel

    def layers(pairs: list[tuple[int, int]]) -> list[Layer]:
        made = []
        for index, (inputs, units) in enumerate(pairs):
            inputs = 1 if depthwise else inputs
            units = inputs if squares else units
            layout = layouts[0]
            kernel = _KERNELS[index % len(_KERNELS)][2] if layout not in _CONVOLUTIONS else (1, 1, 1)
            made.append(make_layer(layout, clip(inputs), clip(units), sides(kernel), groups))
        return made

    rng = generator("domain", *seed_parts)
    random_pairs = [(int(2 ** rng.uniform(0, 7)), int(2 ** rng.uniform(0, 7))) for _ in range(profile.layers)]
    wider = [(widest, 2), (2, widest), (widest // 2 + 1, 3)] if widest > _WIDEST else []
    telling = layers([*_DENSE[:6], *wider, *_DENSE[6:], *random_pairs])
    convolved = [
        make_layer(layout, 1 if depthwise else clip(i), clip(i if squares else o), sides(kernel), groups)
        for (i, o, kernel), layout in itertools.product(_KERNELS, layouts)
        if layout not in _CONVOLUTIONS
    ]
    side = clip(256 if profile.largest >= 65_536 else 128)
    deep = not depthwise and groups == 1 and contract.depth * side**2 <= _NETWORK
    square = make_layer(layouts[0], side, side, (1, 1, 1), 1) if deep else None
    # Where no layer is as small as the profile allows, the smallest there is.
    must = [square] if square is not None else [x for x in layers([(1, 1)]) if x.weights > profile.largest]
    # A quarter of the plan are convolutions where there are any; most weights lie in the dense layers.
    kept = _distinct([x for x in convolved if x.weights <= profile.largest], max(profile.layers // 4, 3))
    plan = _distinct([*must, *kept, *(x for x in telling if x.weights <= profile.largest)], profile.layers)
    if costly_shapes:
        kernels = [x for x in layouts if x not in _CONVOLUTIONS]
        compiled = [
            make_layer(layout, 1 if depthwise else clip(i), clip(o), sides(kernel), groups)
            for layout, (i, o, kernel) in zip(kernels, _COMPILED_KERNELS, strict=False)
        ]
        shown = [_SHOWN] if profile.dear else []
        few = [x for x in [*compiled, *layers([*_COMPILED, *shown, *wider])] if x.weights <= profile.largest]
        plan, exact, sweep = _distinct([*must, *few], len(must) + len(few)), [], []
    else:
        widths = [w for w in _swept(profile.swept) if smallest <= w <= widest]
        pairs = [(w, _BESIDE) for w in widths] + [(_BESIDE, w) for w in widths]
        # A gradient is asked of squares alone.
        pairs += [(w, w) for w in widths if w <= _SQUARES]
        kernel = sides(_KERNELS[0][2]) if layouts[0] not in _CONVOLUTIONS else (1, 1, 1)
        one = make_layer(layouts[0], 1, 1, kernel, groups)
        seen = clip(1 if depthwise else math.ceil(_TELLING / one.fan_in))
        most = clip(min(4 * profile.swept, profile.largest // (seen * one.weights)))
        of_many = [(seen, most)] if depthwise else [(seen, most), (most, seen)]
        many = [make_layer(layouts[0], *sides, kernel, groups) for sides in of_many if profile.swept and not squares]
        glanced_at = _distinct([*layers(pairs), *many], len(pairs) + len(many))
        planned = set(plan)
        sweep = [x for x in glanced_at if x not in planned and x.weights <= profile.largest]
        powers = sorted({w for k in range(11) for w in (2**k - 1, 2**k, 2**k + 1) if smallest <= w <= widest})
        crossed = [(w, other) for w in powers for other in (1, 3)] + [(other, w) for w in powers for other in (1, 2)]
        rng.shuffle(crossed)
        exact = [x for x in _distinct(layers(crossed), profile.exact_layers) if x not in planned]
    return Domain(
        layouts,
        contract.widths,
        groups,
        tuple(sorted(plan, key=_size)),
        tuple(sorted(exact, key=_size)),
        square,
        tuple(sorted(sweep, key=_size)),
        squares,
        costly_shapes,
        equal_kernels,
    )


def _swept(every: int) -> list[int]:
    """All widths up to ``every``; from there to four times as far the round ones of everyday networks."""
    return [w for w in range(1, 4 * every + 1) if w <= every or w % 16 == 0 or w % 100 == 0]


def _size(layer: Case) -> tuple[int, tuple[int, ...]]:
    return layer.weights, layer.shape


def _distinct(layers: list[Layer], most: int) -> list[Layer]:
    return list(dict.fromkeys(layers))[:most]
