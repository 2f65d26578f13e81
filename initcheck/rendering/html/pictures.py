"""Pictures of the evidence as small inline SVG, drawn by Matplotlib, coloured by the page's own variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from initcheck.grouping import grouped
from initcheck.rendering.html import densities as laws
from initcheck.rendering.html import svg
from initcheck.report.series import as_numbers, rows
from initcheck.report.summary import figure
from initcheck.report.verdict import Evidence, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_POINTS = 64
_MOST_UNITS = 48


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One drawn series.

    Attributes:
        title: what is drawn, a few words.
        keys: what its band and lines are: (CSS class, words).
        description: what is to be seen, in a sentence; the text alternative of the picture.
        svg: an ``<svg>`` element without script, metadata, fixed size or identifiers that could clash.
    """

    title: str
    description: str
    svg: str
    keys: tuple[tuple[str, str], ...] = ()


_KEYS = {
    "variance_by_width": (("data", "measured"), ("band", "allowed"), ("law", "wanted")),
    "signal_by_depth": (("data", "measured"), ("band", "allowed"), ("law", "as at the first layer")),
    "gradient_by_depth": (("data", "measured"), ("band", "allowed"), ("law", "as at the output")),
    "histogram": (("data", "measured"), ("law", "wanted")),
    "two_histograms": (("data", "A"), ("law", "B")),
    "singular_values": (("data", "measured"), ("law", "wanted")),
}


def draw(result: Result, only: str | None = None) -> tuple[Picture, ...]:
    """Draw every series of a result's evidence; a series that cannot be read is left out.

    >>> from initcheck.report.verdict import Verdict
    >>> held = Result(claim="zero-mean", says=".", initializer="f", family="centering", verdict=Verdict.HOLDS)
    >>> draw(held)
    ()

    Args:
        result: what was decided; ``initcheck.report.series`` lists the series it may carry.
        only: the series to draw; all of them where None.

    Raises:
        UsageError: there is something to draw and Matplotlib is not installed.
    """
    drawn = []
    for name, painter in _PAINTERS.items():
        if name in result.evidence.series and only in (None, name):
            plan = painter(result.evidence)
            if plan is not None:
                title, description, paint = plan
                salt = f"{result.initializer}\0{result.claim}\0{name}"
                keys = _keys(name, result.evidence)
                drawn.append(Picture(title=title, description=description, svg=svg.write(paint, salt), keys=keys))
    return tuple(drawn)


def _keys(name: str, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What is in the picture: a law that nobody named is not drawn, and no band where none is known."""
    missing = {"band"} if evidence.band is None else set()
    missing |= {"law"} if name == "histogram" and "law" not in evidence.series else set()
    return tuple(key for key in _KEYS.get(name, ()) if key[0] not in missing)


def growth(name: str, forward: list[float], backward: list[float]) -> Picture | None:
    """Draw how the second moments of signal and gradient change through the blocks of a model.

    Args:
        name: of the model.
        forward: second moment of the signal after each block.
        backward: the same of the gradient, in the same order of the blocks.
    """

    def known(values: list[float]) -> list[tuple[int, float]]:
        return [(k, math.log10(v)) for k, v in enumerate(values) if 0 < v < math.inf]

    lines = [(known(forward), svg.DATA, "-"), (known(backward), svg.LAW, "--")]
    if all(len(points) < 2 for points, _, _ in lines):
        return None

    def paint(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        for points, colour, style in lines:
            if points:
                axes.plot(
                    *zip(*points, strict=True), color=colour, linewidth=1.4, linestyle=style, marker="o", markersize=2.6
                )
        axes.set_xlabel("blocks")
        axes.set_ylabel("second moment")
        _powers_of_ten(axes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    ends = [f"{word} {_spread('', [10**y for _, y in points])}" for word, (points, _, _) in
            zip(("signal", "gradient"), lines, strict=True) if points]  # fmt: skip
    return Picture(
        title="Signal and gradient through the blocks",
        description=f"Second moments: {', '.join(ends)}.",
        svg=svg.write(paint, f"{name}\0growth"),
        keys=(("data", "signal"), ("law", "gradient")),
    )


def _powers_of_ten(axes: Axes) -> None:
    """Tick an axis of logarithms by the numbers themselves."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = axes.get_ylim()
    narrow = high - low < 2  # too few powers of ten lie on it
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=not narrow))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{10.0**v:.2g}" if narrow else _power(round(v))))


def _power(exponent: int) -> str:
    """A power of ten with a real superscript.

    >>> _power(-12), _power(0)
    ('10\u207b\u00b9\u00b2', '1')
    """
    if -2 <= exponent <= 2:
        return figure(10.0**exponent)
    return "10" + str(exponent).translate(_SUPERSCRIPT)


_SUPERSCRIPT = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")

_Plan = tuple[str, str, Callable[["Axes"], None]]


def _variance_by_width(evidence: Evidence) -> _Plan | None:
    points = [p for p in rows(evidence.series["variance_by_width"], at_least=2) if p[0] > 0 and p[1] > 0]
    if not points:
        return None
    points, band = sorted(thinned(points)), _band_of(evidence)
    fans, ratios = [p[0] for p in points], [p[1] for p in points]
    # Each case may have a band of its own: at rectangles the ideal of fan_avg is not 1.
    edges = sorted({(p[0], p[2], p[3]) for p in points if len(p) >= 4 and 0 < p[2] <= p[3] < math.inf})

    def paint(axes: Axes) -> None:
        if edges:
            at, low, high = zip(*edges, strict=True)
            axes.fill_between(at, low, high, facecolor=svg.BAND, edgecolor=svg.MUTED, linewidth=0.8)
        elif band and band[0] > 0:
            _band(axes, band)
        axes.axhline(1.0, color=svg.LAW, linewidth=1, linestyle="--")
        _line_through_medians(axes, fans, ratios)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        everything = [*ratios, *(v for _, *edge in edges for v in edge), *(band or ()), 1.0]
        axes.set_ylim(min(v for v in everything if v > 0) / 1.4, max(everything) * 1.4)
        axes.set_xlabel("width (fan)")
        axes.set_ylabel("variance / wanted")
        _plain_ticks(axes)

    seen = f"At {_spread('fan', fans)} the variance is {_spread('', ratios)} times the ideal{_banded(evidence)}."
    return "Variance against width", seen, paint


def _by_depth(series: str, title: str, layers: str, noun: str) -> Callable[[Evidence], _Plan | None]:
    def plan(evidence: Evidence) -> _Plan | None:
        points = sorted(thinned(rows(evidence.series[series], at_least=2)))
        if len(points) < 2:
            return None
        depths, energies = [p[0] for p in points], [p[1] for p in points]
        band = _band_of(evidence)
        if band and band[0] > 0:
            band = tuple(math.log10(edge) for edge in band)

        def paint(axes: Axes) -> None:
            from matplotlib.ticker import MaxNLocator

            _band(axes, band)
            axes.axhline(0.0, color=svg.LAW, linewidth=1, linestyle="--")
            _line_through_medians(axes, depths, energies)
            axes.set_xlabel(layers)
            axes.set_ylabel(f"{noun} / at the start")
            _powers_of_ten(axes)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))

        ends = [median(y for x, y in zip(depths, energies, strict=True) if x == at) for at in (depths[0], depths[-1])]
        change, passed = ends[1] - ends[0], (depths[-1] - depths[0]) or 1.0
        allowed = f"; allowed is 10^{band[0]:.2g} to 10^{band[1]:.2g}" if band else ""
        seen = (
            f"From layer {figure(depths[0])} to {figure(depths[-1])} the energy changes by a factor of"
            f" 10^{change:.2f}, 10^{change / passed:.3f} a layer{allowed}."
        )
        return title, seen, paint

    return plan


def _histogram(evidence: Evidence) -> _Plan | None:
    bins = sorted(b for b in rows(evidence.series["histogram"], at_least=3) if b[1] > b[0] and b[2] >= 0)
    total = sum(b[2] for b in bins)
    if not total:
        return None
    while len(bins) > 64:
        pairs = [bins[k : k + 2] for k in range(0, len(bins), 2)]
        bins = [[pair[0][0], pair[-1][1], sum(b[2] for b in pair)] for pair in pairs]
    heights = [b[2] / total / (b[1] - b[0]) for b in bins]
    name, curve = laws.weights(evidence.series.get("law"), bins[0][0], bins[-1][1])

    def paint(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        edges = [*(b[0] for b in bins), bins[-1][1]]
        axes.stairs(heights, edges, fill=True, color=svg.LINE, linewidth=0)
        axes.stairs(heights, edges, color=svg.DATA, linewidth=1)
        if curve:
            axes.plot(*zip(*curve, strict=True), color=svg.LAW, linewidth=1.4, linestyle="--")
        if bins[0][0] < 0 < bins[-1][1]:
            axes.axvline(0.0, color=svg.MUTED, linewidth=0.8)
        axes.set_ylim(0, 1.1 * max([*heights, *(y for _, y in curve)]))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
        axes.set_xlabel("weight")
        axes.set_ylabel("density")

    against = f" against the {name} law, dashed" if curve else ""
    seen = f"{figure(total)} weights between {figure(bins[0][0])} and {figure(bins[-1][1])}{against}."
    return "Histogram of the weights", seen, paint


def _singular_values(evidence: Evidence) -> _Plan | None:
    values = sorted(as_numbers(evidence.series["singular_values"]), reverse=True)
    if not values:
        return None
    name, expected = laws.singular_values(evidence.series.get("singular_law"), len(values))
    shown = thinned(list(range(len(values))))

    def paint(axes: Axes) -> None:
        ranks = [i + 1 for i in shown]
        axes.plot(ranks, [values[i] for i in shown], color=svg.DATA, marker="o", markersize=2.6, linewidth=0)
        axes.plot(ranks, [expected[i] for i in shown], color=svg.LAW, linewidth=1.4, linestyle="--")
        axes.set_ylim(0, 1.1 * max(values[0], expected[0]) or 1.0)
        axes.set_xlabel("rank, largest first")
        axes.set_ylabel("singular value")

    spread = f"{figure(values[-1])} to {figure(values[0])}"
    seen = f"{len(values)} singular values from {spread} against {name}, dashed."
    return "Singular values", seen, paint


def _gradient_ties(evidence: Evidence) -> _Plan | None:
    matrix = rows(evidence.series["gradient_ties"], at_least=1)
    size = min([len(matrix), _MOST_UNITS, *(len(row) for row in matrix)])
    if size < 2:
        return None
    matrix = [[min(max(v, 0.0), 1.0) if v == v else 1.0 for v in row[:size]] for row in matrix[:size]]
    tied = sum(matrix[i][j] <= 1e-6 for i in range(size) for j in range(i))
    pairs = size * (size - 1) // 2

    def paint(axes: Axes) -> None:
        image = axes.imshow(matrix, cmap="cividis", vmin=0, vmax=1, interpolation="none")
        bar = axes.figure.colorbar(image, ax=axes, ticks=[0, 0.5, 1])
        bar.ax.set_yticklabels(["0 tied", "0.5", "1 apart"])
        bar.outline.set_visible(False)
        axes.set_xlabel("unit")
        axes.set_ylabel("unit")
        axes.grid(False)

    first = f"Among the first {size} units" if len(matrix) > size else f"Among {size} units"
    return "Distance between gradients", f"{first}, {tied} of {pairs} pairs have the same gradient.", paint


def _two_histograms(evidence: Evidence) -> _Plan | None:
    bins = rows(evidence.series["two_histograms"], at_least=4)
    if not bins:
        return None
    edges = [bins[0][0], *(row[1] for row in bins)]
    shares = [[row[k] for row in bins] for k in (2, 3)]

    def paint(axes: Axes) -> None:
        axes.stairs(shares[0], edges, fill=True, facecolor=svg.BAND, edgecolor=svg.DATA, linewidth=1.2)
        axes.stairs(shares[1], edges, color=svg.LAW, linewidth=1.4, linestyle="--")
        axes.set_xlabel("weight")
        axes.set_ylabel("share")
        axes.set_ylim(bottom=0)

    spreads = [
        math.sqrt(sum(s * ((r[0] + r[1]) / 2) ** 2 for s, r in zip(share, bins, strict=True))) for share in shares
    ]
    seen = f"Both laws in the same bins: root mean square {figure(spreads[0])} in A, {figure(spreads[1])} in B."
    return "Weights of A and of B: both laws", seen, paint


_PAINTERS: Mapping[str, Callable[[Evidence], _Plan | None]] = {
    "variance_by_width": _variance_by_width,
    "signal_by_depth": _by_depth("signal_by_depth", "Signal against depth", "layers", "signal"),
    "gradient_by_depth": _by_depth("gradient_by_depth", "Gradient against depth", "layers from the output", "gradient"),
    "histogram": _histogram,
    "two_histograms": _two_histograms,
    "singular_values": _singular_values,
    "gradient_ties": _gradient_ties,
}


def thinned(points: list[Any]) -> list[Any]:
    """At most 64 of the points, evenly spread, first and last among them.

    >>> thinned(list(range(1000)))[:3], len(thinned(list(range(1000))))
    ([0, 15, 31], 64)
    """
    if len(points) <= _MOST_POINTS:
        return points
    return [points[k * (len(points) - 1) // (_MOST_POINTS - 1)] for k in range(_MOST_POINTS)]


def _spread(noun: str, values: list[float]) -> str:
    low, high = figure(min(values)), figure(max(values))
    return f"{noun} {low}".strip() if low == high else f"{noun}s {low} to {high}" if noun else f"{low} to {high}"


def _banded(evidence: Evidence) -> str:
    return f"; allowed is {figure(evidence.band[0])} to {figure(evidence.band[1])}" if evidence.band else ""


def _line_through_medians(axes: Axes, at: list[float], values: list[float]) -> None:
    """Every point, and a line through the median of those that stand above one another."""
    columns = grouped(zip(at, values, strict=True))
    axes.plot(list(columns), [median(ys) for ys in columns.values()], color=svg.DATA, linewidth=1)
    axes.plot(at, values, color=svg.DATA, marker="o", markersize=3.2, linewidth=0)


def _band_of(evidence: Evidence) -> tuple[float, ...] | None:
    band = as_numbers(evidence.band)
    return tuple(band) if len(band) == 2 else None


def _band(axes: Axes, band: tuple[float, ...] | None) -> None:
    if band:
        axes.axhspan(band[0], band[1], facecolor=svg.BAND, edgecolor="none")
        for edge in band:
            axes.axhline(edge, color=svg.MUTED, linewidth=0.8)


def _plain_ticks(axes: Axes) -> None:
    # Matplotlib words a logarithmic axis in TeX; plain numbers are smaller and read aloud well.
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_ylim()
    wide = high > 300 * low
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=8))
    for axis, powers in ((axes.xaxis, False), (axes.yaxis, wide)):
        # Long numbers would push the label of the axis out of the picture.
        axis.set_major_formatter(
            FuncFormatter(lambda v, _, powers=powers: _power(round(math.log10(v))) if powers and v > 0 else figure(v))
        )
        axis.set_minor_formatter(NullFormatter())
