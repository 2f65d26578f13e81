"""The site: the guide, a page a claim, a page an entry of the gallery, the API; `tox run -e docs` builds it."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shutil
from importlib.resources import files
from pathlib import Path

from sphinx.application import Sphinx

import initcheck
from initcheck.claims.registry import registry
from initcheck.doors.guide import NOTEBOOKS, PAGES, pages
from initcheck.gallery import SPECIMENS

HERE = Path(__file__).parent
# What a user imports, module by module; what lies behind it is read in the code. The claims have pages of their own.
API = (
    "initcheck", "initcheck.claims", "initcheck.questions", "initcheck.report.results", "initcheck.report.verdict",
    "initcheck.report.finding", "initcheck.gallery.specimen",
)  # fmt: skip
project = "initcheck"
release = importlib.metadata.version("initcheck")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# The notebook is run as the site is built, so that what it shows is what it gives now.
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
# Frameworks are the reader's own; no page of the API needs one.
autodoc_mock_imports = ["torch", "jax", "flax", "equinox", "keras", "tensorflow", "transformers"]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
maximum_signature_line_length = 70
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
    for folder in ("guide", "claims", "gallery", "api"):
        (made / folder).mkdir(parents=True)
    for name in [f"{page}.ipynb" if page in NOTEBOOKS else f"{page}.md" for page in PAGES]:
        text = (files("initcheck") / "guide" / name).read_text(encoding="utf-8")
        text = text.replace("(../report/report.schema.json)", "(../schema.md)")
        (made / "guide" / name).write_text(text, encoding="utf-8")
    for name in API:
        (made / "api" / f"{name}.rst").write_text(_api(name), encoding="utf-8")
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
        "Reference": ["schema", *(f"api/{name}" for name in API)],
    }
    parts = ["# initcheck", "Claims about weight initialization as executable properties, checked on any initializer."]
    for caption, entries in trees.items():
        listed = "\n".join(f"made/{entry}" for entry in entries)
        parts.append(f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n\n{listed}\n```")
    (HERE / "index.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _api(name: str) -> str:
    """The page of a module: what its `__all__` holds, wherever that was written, each name on one page alone.

    Of a module without `__all__` it is what is written there: what it imports has its own place.
    """
    options = [":members:"]
    if hasattr(importlib.import_module(name), "__all__"):
        options.append(":imported-members:")
    if name != "initcheck":
        options.append(f":exclude-members: {', '.join(initcheck.__all__)}")
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n" + "".join(f"   {line}\n" for line in options)


def _plain(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text: the bars and stars of their formulas are no markup."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = line.split("``")
            parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
            lines[number] = "``".join(parts)


def setup(app: Sphinx) -> None:
    """Read docstrings as they are written, before Napoleon reads their sections."""
    app.connect("autodoc-process-docstring", _plain, priority=100)


_written()
