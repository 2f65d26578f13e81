"""The site: the guide, a page a claim, a page an entry of the gallery; `tox run -e site` builds it."""

from __future__ import annotations

import importlib.metadata
import shutil
from importlib.resources import files
from pathlib import Path

from initcheck.claims.registry import registry
from initcheck.doors.guide import PAGES, pages
from initcheck.gallery import SPECIMENS

HERE = Path(__file__).parent
project = "initcheck"
release = importlib.metadata.version("initcheck")
extensions = ["myst_parser"]
exclude_patterns = ["README.md"]
html_theme = "alabaster"
html_theme_options = {"description": "claims about weight initialization, checked", "page_width": "60rem"}
# Docstrings are plain text with indented formulas, and headings of a page begin where its author began.
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]


def _written() -> None:
    """Write the sources anew: the guide as it ships, the rest from the registry and the gallery."""
    made = HERE / "made"
    shutil.rmtree(made, ignore_errors=True)
    for folder in ("guide", "claims", "gallery"):
        (made / folder).mkdir(parents=True)
    for page in PAGES:
        text = (files("initcheck") / "guide" / f"{page}.md").read_text(encoding="utf-8")
        text = text.replace("(../report/report.schema.json)", "(../schema.md)")
        (made / "guide" / f"{page}.md").write_text(text, encoding="utf-8")
    claims = registry()
    for name, text in pages():
        folder = "claims" if name in claims else "gallery"
        (made / folder / f"{name}.md").write_text(text, encoding="utf-8")
    schema = (files("initcheck.report") / "report.schema.json").read_text(encoding="utf-8")
    (made / "schema.md").write_text(f"# Schema of the JSON report\n\n```json\n{schema}```\n", encoding="utf-8")
    trees = {
        "Guide": [f"guide/{page}" for page in PAGES],
        "Claims": [f"claims/{name}" for name in claims],
        "Gallery": [f"gallery/{s.name}" for s in SPECIMENS],
        "Reference": ["schema"],
    }
    parts = ["# initcheck", "Claims about weight initialization as executable properties, checked on any initializer."]
    for caption, entries in trees.items():
        listed = "\n".join(f"made/{entry}" for entry in entries)
        parts.append(f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n\n{listed}\n```")
    (HERE / "index.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


_written()
