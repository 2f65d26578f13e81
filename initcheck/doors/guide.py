"""`initcheck guide [PAGE]`: the pages of the guide in the terminal, and one made of each claim and gallery entry.

A page that is a notebook is shown as Markdown; under its file's name, ``why.ipynb``, it is printed as it is, to be
saved.
"""

from __future__ import annotations

import argparse
import inspect
import json
import textwrap
from collections.abc import Iterator, Sequence
from importlib.resources import files

from initcheck.claims.registry import registry
from initcheck.claims.statement import Claim
from initcheck.errors import UsageError, closest
from initcheck.gallery import SPECIMENS
from initcheck.gallery.specimen import Specimen

# The order in which a newcomer reads them.
PAGES = (
    "first-bug", "lesson", "why", "scheme", "gpt", "port", "gate", "targets", "repository", "meant", "verdicts", "same",
    "gain", "own-claim", "options", "cost", "tools", "atlas", "trophies",
)  # fmt: skip
NOTEBOOKS = ("why",)


def guide(words: Sequence[str]) -> int:
    """Print the list of pages, or one page."""
    parser = argparse.ArgumentParser(prog="initcheck guide", description="Read the guide.")
    parser.add_argument("page", nargs="?", metavar="PAGE", help="a page, a claim, or an entry of the gallery")
    name = parser.parse_args(words).page
    if name is None:
        for page in PAGES:
            title = _written(page).partition("\n")[0].removeprefix("# ")
            print(f"{page:<12}{title}")
        print("CLAIM       each of `initcheck list`, such as zero-mean")
        print("ENTRY       each of the gallery, such as zeros")
        return 0
    print(_found(name), end="")
    return 0


def _found(name: str) -> str:
    if name in PAGES:
        return _written(name)
    if name in [f"{page}.ipynb" for page in NOTEBOOKS]:
        return _file(name)
    every = dict(pages())
    if name not in every:
        nearest = closest(name, (*PAGES, *every))
        raise UsageError(f"the guide has no page {name!r}; {nearest} (initcheck guide lists the pages)")
    return every[name]


def _written(page: str) -> str:
    if page not in NOTEBOOKS:
        return _file(f"{page}.md")
    cells = json.loads(_file(f"{page}.ipynb"))["cells"]
    texts = [("".join(cell["source"]), cell["cell_type"] == "code") for cell in cells]
    shown = [f"```python\n{text}\n```" if is_code else text for text, is_code in texts]
    return _joined([*shown, f"Save it to run it: `initcheck guide {page}.ipynb > {page}.ipynb`"])


def _file(name: str) -> str:
    return (files("initcheck") / "guide" / name).read_text(encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """The pages that are made from the registry and the gallery: name and Markdown."""

    for claim in registry().values():
        yield claim.id, claim_page(claim)
    for specimen in SPECIMENS:
        yield specimen.name, specimen_page(specimen)


def claim_page(claim: Claim) -> str:
    """One claim as a page: sentence, mathematics, how it is decided, what it finds, entries that fail it, source."""
    failing = [s.name for s in SPECIMENS if claim.id in s.fails]
    parts = [f"# {claim.id}", f"*{claim.says}* ({claim.kind})", inspect.getdoc(claim.prop) or ""]
    facts = {
        "Needs": ", ".join(claim.needs),
        "Decided by": claim.decided_by,
        "Finds": claim.finds,
        "Fails of": ", ".join(failing),
        "Source": claim.source,
    }
    parts += [f"**{label}.** {text}" for label, text in facts.items() if text]
    if claim.kind == "check":
        parts.append(f"```console\n$ initcheck explain {claim.id}\n```")
    return _joined(parts)


def specimen_page(specimen: Specimen) -> str:
    """One entry of the gallery as a page: what it is, what it fails, its code, and the command that shows it."""
    kind = "keeps what it promises" if specimen.correct else "is wrong"
    parts = [f"# {specimen.name}", f"It {kind}. {specimen.why}"]
    if specimen.fails:
        parts.append(f"**Fails.** {', '.join(specimen.fails)}")
    if specimen.source:
        parts.append(f"**Source.** {specimen.source}")
    parts.append(f"```python\n{textwrap.dedent(inspect.getsource(specimen.function)).strip()}\n```")
    parts.append(f"```console\n$ initcheck initcheck.gallery:{specimen.name}\n```")
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
