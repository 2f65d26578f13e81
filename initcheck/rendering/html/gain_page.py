"""The gains of activations as one HTML page: the function, its correlation map, and what is left after many layers."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from initcheck.networks.mean_field import MeanField
from initcheck.rendering.gain_lines import GainReport
from initcheck.rendering.html import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_LAYERS = 40


def gain_page(found: Sequence[GainReport]) -> str:
    """Write one self-contained page: a section an activation, three pictures and the table each.

    Raises:
        UsageError: Matplotlib is not installed.
    """
    style = (files("initcheck.rendering.html") / "report.css").read_text(encoding="utf-8")
    names = html.escape(", ".join(f.name for f in found))
    sections = "\n".join(_section(f) for f in found)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>initcheck gain: {names}</title><style>{style}"
        ".pictures{display:flex;flex-wrap:wrap;gap:1rem}.pictures figure{margin:0;flex:1 1 18rem;max-width:28rem}"
        "figcaption{font-size:.9em}.scroll{overflow-x:auto}td,th{padding:.2rem .7rem;text-align:right}"
        "td:last-child,th:last-child{text-align:left}</style></head>\n"
        f"<body><main><h1>Gain of {names}</h1>\n{sections}\n</main></body></html>\n"
    )


def _section(found: GainReport) -> str:
    name = html.escape(found.name)
    if not found.field.finite:
        return f"<section><h2>{name}: {found.verdict}</h2><p>{html.escape(found.reason)}.</p></section>"
    # The terminal's lines stand in two columns: a word, and what is said.
    lines = found.lines()[1 : found.lines().index("")]
    words = "".join(f"<p><b>{html.escape(line[:12].strip())}</b> {html.escape(line[12:])}</p>" for line in lines)
    rows = "".join(
        f"<tr><td>{row.gain:.4g}</td><td>{row.variance:.3g}</td><td>{row.slope:.3g}</td>"
        f"<td>{_deep(row.signal)}</td><td>{_deep(row.gradient)}</td><td>{html.escape(what)}</td></tr>"
        for what, row in found.rows.items()
    )
    return (
        f"<section><h2>{name}: gain {found.gain:.6g}, {found.verdict}</h2>{words}"
        f'<div class="pictures">{_pictures(found)}</div>'
        '<div class="scroll"><table><thead><tr><th scope="col">gain</th><th scope="col">variance of the output</th>'
        '<th scope="col">gradient, a layer</th><th scope="col">signal lasts</th><th scope="col">gradient lasts</th>'
        f'<th scope="col">whose</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _deep(layers: int | None) -> str:
    return "1000+" if layers is None else str(layers)


def _pictures(found: GainReport) -> str:
    field = found.field
    drawn = (
        ("the activation (line) and its derivative (thin)", lambda axes: _function(axes, field)),
        (
            "correlation of two outputs against that of two inputs; the diagonal is where it stays",
            lambda axes: _correlation(axes, field),
        ),
        (
            "log10 of the variance after each layer: of the forward gain (line), of the others (thin); band: within 10",
            lambda axes: _lengths(axes, found),
        ),
    )
    return "".join(
        f"<figure>{svg.write(paint, f'{found.name} {number}')}<figcaption>{html.escape(words)}</figcaption></figure>"
        for number, (words, paint) in enumerate(drawn)
    )


def _function(axes: Axes, field: MeanField) -> None:
    phi, z = field.phi.gate or field.phi, np.linspace(-4, 4, 321)
    axes.plot(z, phi.derivative(z), color=svg.MUTED, linewidth=0.9)
    axes.plot(z, phi.f(z), color=svg.DATA, linewidth=1.8)
    axes.set_xlabel("pre-activation")


def _correlation(axes: Axes, field: MeanField) -> None:
    c = np.linspace(0, 1, 61)
    axes.plot(c, c, color=svg.MUTED, linewidth=0.8)
    axes.plot(c, [field.correlation(float(x)) for x in c], color=svg.DATA, linewidth=1.8)
    axes.plot([field.settles_at], [field.settles_at], "o", color=svg.LAW)
    axes.set_xlabel("correlation before the layer")


def _lengths(axes: Axes, found: GainReport) -> None:
    axes.axhspan(-1, 1, color=svg.BAND)
    for number, row in reversed(list(enumerate(found.rows.values()))):
        q, path = 1.01, [0.0]
        for _ in range(_LAYERS):
            q = row.gain**2 * found.field.length(q)
            if not 1e-12 < q < 1e12 or not math.isfinite(q):
                break
            path.append(math.log10(q))
        axes.plot(path, color=svg.MUTED if number else svg.DATA, linewidth=0.9 if number else 1.8)
    axes.set_ylim(-4, 4)
    axes.set_xlabel("layers")
