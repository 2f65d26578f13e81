"""Turn a Matplotlib plot into a small SVG element that lives inside a page, in the page's own colours."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from initcheck.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# Stand-ins that no plot uses otherwise: each becomes a CSS variable, so that one SVG serves light and dark.
INK, MUTED, LINE, BAND, DATA, LAW = "#010203", "#010204", "#010205", "#010206", "#010207", "#010208"
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BAND: "--band", DATA: "--data", LAW: "--law"}

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none", "font.size": 9, "text.parse_math": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED, "axes.linewidth": 0.6,
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.5, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


def require() -> None:
    """Make sure that Matplotlib is there, before a long run is spent.

    Raises:
        UsageError: it is not; the sentence has the command that installs it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError(
            "the pictures of the HTML report need Matplotlib, which is not installed;"
            " run: pip install 'initcheck[report]'"
        ) from None


def write(paint: Callable[[Axes], None], salt: str) -> str:
    """Draw one plot and return it as an ``<svg>`` element, the same text for the same data.

    Args:
        paint: draws on the axes it is given, in the colours of this module.
        salt: what tells this picture from every other of the page; its identifiers derive from it.

    Raises:
        UsageError: Matplotlib is not installed.
    """
    require()
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {**_SETTINGS, "svg.hashsalt": salt}
    written = io.StringIO()
    with matplotlib.rc_context():
        # A user's own matplotlibrc must not change the report: only how windows are shown is left to it.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        figure = Figure(figsize=(4.4, 2.6))
        # Room for labels of six digits; working it out for each picture would double its cost.
        paint(figure.add_axes((0.15, 0.18, 0.82, 0.78)))
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return _trimmed(written.getvalue(), hashlib.blake2b(salt.encode("utf-8", "replace"), digest_size=6).hexdigest())


def _trimmed(svg: str, prefix: str) -> str:
    """Drop what a page does not need, make identifiers its own, and colour it by the page's variables."""
    svg = svg[svg.index("<svg") :]
    # A <style> inside an inline SVG would style the whole page.
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|xlink:href=")#([^)"]+)', svg))
    svg = re.sub(r'\s+id="([^"]+)"', lambda m: f' id="p{prefix}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(url\(|xlink:href=")#', rf"\1#p{prefix}-", svg).replace("xlink:href", "href")
    opening = r'<svg viewBox="\1" aria-hidden="true" focusable="false">'
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', opening, svg, count=1)
    svg = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", svg)
    # Two decimals are a hundredth of a point.
    svg = re.sub(r"(\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(stand_in, f"var({variable})")
    svg = re.sub(r"\s+", " ", svg)
    svg = re.sub(r"> <", "><", svg)
    return re.sub(r"<defs></defs>|<g></g>", "", svg.replace(" z ", " z").replace(' "', '"')).strip()
