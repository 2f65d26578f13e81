"""The HTML page as a document: self-contained, escaped, accessible, small; the browser has its own tests."""

from __future__ import annotations

import itertools
import re
import sys
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import sample_reports

from initcheck.errors import UsageError
from initcheck.rendering.html import html

SAMPLES = ("every_verdict", "hostile", "last_run", "report")


class Document(HTMLParser):
    """Elements with their attributes and the text of each, as a reader that knows no JavaScript sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside.append(tag)
        if tag in ("dd", "td", "li", "p", "h2", "h3"):
            self.text.append(" ")

    def handle_endtag(self, tag):
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" not in self.inside and "style" not in self.inside:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def said(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))


@pytest.fixture(scope="module", params=SAMPLES)
def page(request) -> Document:
    return Document(html.render(getattr(sample_reports, request.param)()))


def everything(previous: bool = True) -> str:
    return html.render(sample_reports.every_verdict(), previous=sample_reports.last_run() if previous else None)


def test_nothing_is_fetched_from_anywhere(page):
    assert not {tag for tag, _ in page.elements} & {
        "iframe",
        "frame",
        "object",
        "embed",
        "base",
        "img",
        "video",
    }
    for tag, attributes in page.elements:
        for key in ("src", "href", "xlink:href", "action", "poster", "srcset", "formaction", "ping"):
            address = attributes.get(key)
            assert address is None or address.startswith(("#", "data:")), (tag, key, address)
    style = (files("initcheck.rendering.html") / "report.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_the_browser_is_told_to_fetch_nothing(page):
    (policy,) = (m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "script-src 'sha256-" in policy


def test_identifiers_are_unique_and_links_lead_somewhere(page):
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for key in ("href", "aria-labelledby"):
            address = attributes.get(key) or ""
            if address.startswith("#") or (address and key == "aria-labelledby"):
                assert address.removeprefix("#") in ids


def test_tables_have_captions_and_their_headers_a_scope(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))


def test_every_drawing_has_a_text_alternative(page):
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and svg.get("aria-label"))
    # A drawing that is hidden from a screen reader stands in a figure whose caption says what is to be seen.
    assert len(page.all("figcaption")) == len(page.all("svg"))


def test_no_name_becomes_markup():
    page = Document(html.render(sample_reports.hostile(), previous=sample_reports.hostile()))
    assert len(page.all("script")) == 1
    assert "<script>alert(1)</script>&\"'|`@team`|" in page.said
    assert "\x1b" not in page.said
    assert "\u202e" not in page.said


def test_the_strip_at_the_top_says_what_the_run_is_worth():
    said = Document(everything()).said
    for sentence in (
        "3 claims fail",
        "3 initializers: 3 fail (3 causes, 3 claims)",
        "19 verdicts (16 claims x 3 initializers) = 12 hold + 3 fail + 1 undecided + 1 waived + 2 not app",
        "P(any false FAIL) is at most 1\u00d710\u22126 per initializer, 3\u00d710\u22126 over all 3",
        "1.3 times the band's edge at 16 x 16 weights (output-variance-near-one)",
        "1 worse, 1 new (seed 7, now 0)",
    ):
        assert sentence in said


def test_a_finding_card_has_everything_a_reader_asks_in_order():
    said = Document(everything()).said
    card = said[said.index("✗ myinit:he FAILS") :]
    at = [
        card.index(part)
        for part in (
            "held in the last run",
            "output variance is 0.33 at every width; it should be 1 (0.80 to 1.25)",
            "cause variance is 0.333/fan_in",
            "fix +-sqrt(3/fan_in) has unit output variance",
            "again initcheck myinit:he --claims output-variance-near-one",
            "Variance against width.",
            "measured",
            "Evidence: 1 claim",
            "keeps second moment 1 at every width.",
            "Allowed 0.8 to 1.25, measured 0.334, interval 0.328 to 0.341, last run 0.99.",
            "smallest shape (1, 1), float32",
            "evidence 24,576 weights in 96 calls; e-value 109.3; error rate spent 5\u00d710\u22127",
            "note contract inferred: relu, fan_in",
            "reproduce pytest --initcheck=myinit:he",
        )
    ]
    assert at == sorted(at)


@pytest.mark.long
def test_every_finding_is_listed_before_the_matrix_and_its_link_leads_to_its_card():
    report = sample_reports.many(20, failing=1.0)
    text = html.render(report)
    listed = re.findall(
        r'<li><details class="card" id="([^"]+)">',
        text[text.index('<ol class="findings">') : text.index('id="matrix"')],
    )
    # So many are folded into the list itself: each is told once.
    assert listed == [f.name for f in report.findings[:150]]
    few = everything()
    listed = re.findall(r'<li><a href="#([^"]+)">', few[few.index('<ol class="findings">') : few.index('id="matrix"')])
    assert len(listed) == 3
    for name in listed:
        assert f'<article class="card" id="{name}"' in few[few.index('id="matrix"') :]


def test_a_card_has_one_picture_and_its_lines_are_named():
    text = everything()
    card = text[text.index('<article class="card"') : text.index("</article>")]
    assert card.count('<div class="plot">') == 1
    for key in ("measured", "allowed", "wanted"):
        assert f'">{key}</span>' in card


def test_powers_of_ten_have_a_superscript_and_names_have_none():
    assert str(html._powers("3e-10 is left; 10^-9.5")) == (
        "3\u00d710<sup>\u221210</sup> is left; 10<sup>\u22129.5</sup>"
    )
    for name in ("m:f1e3", "v1e5x", "x10^y", "<b>", "a_3e-10"):
        assert "<sup>" not in str(html._powers(name))
    assert "<b>" not in str(html._powers("3e-10<b>"))


def test_no_folder_of_a_machine_is_named():
    report = sample_reports.report(sample_reports.variance_failure(location=("/home/user/project/myinit.py", 12)))
    assert "/home/user" not in html.render(report)


def test_a_model_has_its_laws_and_no_contract():
    shown = {
        "model": "m:build", "parameters": 1200, "tensors": 4, "blocks": 2, "batch": "4x8", "builds": 3, "seeds": 2,
        "seconds": 1.0, "declared": {}, "loss": None, "classes": None,
        "chains": [{"forward": [1.0, 2.0, 4.0], "backward": [1.0, 1.0, 1.0]}],
        "roles": [{"path": "*.qkv.weight", "tensors": 2, "shape": [192, 64], "law": "normal std 0.02", "random": True,
                   "formula": "0.02", "width_slope": None, "laws": 1}],
    }  # fmt: skip
    held = sample_reports.result("every-tensor-is-written", initializer="m:build")
    said = Document(html.render(sample_reports.report(held, contracts={"m:build": shown}))).said
    for part in (
        "1.2 k parameters",
        "*.qkv.weight",
        "192 x 64",
        "normal std 0.02",
        "Signal and gradient through the blocks.",
    ):
        assert part in said
    assert "was held to" not in said


def test_what_was_not_checked_is_said_with_the_reason():
    said = Document(everything()).said
    start = said.index("What was not checked")
    section = said[start : said.index("claims hold", start)]
    for part in (
        "myinit:from_config: needs an argument 'config'; write myinit:from_config(config=...)",
        "entries-are-independent: budget of 4,000,000 weights spent (myinit:tiny)",
        "finite: float16 overflows by design (myinit:tiny)",
        "haar-distributed: the contract is not orthogonal (myinit:tiny, myinit:he)",
    ):
        assert part in section


def test_passed_claims_are_sorted_by_their_distance_to_the_edge():
    said = Document(everything()).said
    table = said[said.index("by their distance to the edge") :]
    order = [table.index(c) for c in ("gradient-variance-near-one", "zero-mean", "variance-follows-one-law")]
    assert order == sorted(order)
    # 1.22, the nearer end of the interval, against the edge at 1.25.
    assert "11 %" in table


def test_a_run_that_decided_nothing_is_not_green():
    text = html.render(sample_reports.report())
    assert '<header class="bad">' in text
    assert "Nothing was decided" in text


@pytest.mark.long
@pytest.mark.parametrize("failing", [0.08, 1.0])
def test_a_hundred_initializers_fit_five_megabytes(failing):
    text = html.render(sample_reports.many(failing=failing))
    assert len(text.encode()) < 5_000_000
    found = len(sample_reports.many(failing=failing).findings)
    assert (f"{found - 150:,} further findings" in text) == (found > 150)


def test_the_same_report_gives_the_same_page():
    assert everything() == everything()


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_has_contrast_enough(scheme):
    style = (files("initcheck.rendering.html") / "report.css").read_text()
    colours = dict(re.findall(r"(--\w+): (#\w{6});", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]))
    assert set(colours) >= {"--ink", "--paper", "--raised"}
    for text, ground in itertools.product(("--ink", "--muted", "--good", "--bad", "--warn", "--link"),
                                          ("--paper", "--raised")):  # fmt: skip
        assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for mark in ("--data", "--law", "--good", "--bad"):
        # Lines and marks of a picture also lie on the band.
        assert _contrast(colours[mark], colours["--band"]) >= 3.0, mark


def test_without_jinja_the_sentence_has_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    html._template.cache_clear()
    with pytest.raises(UsageError, match=re.escape("run: pip install 'initcheck[report]'")):
        html.require()
    with pytest.raises(UsageError, match="needs Jinja2"):
        html.render(sample_reports.report())


def test_without_matplotlib_the_page_says_so_in_place_of_pictures(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match="need Matplotlib"):
        html.require()
    text = everything()
    assert "the pictures of the HTML report need Matplotlib" in text
    assert "Variance against width" not in text


def test_one_finding_is_told_on_the_first_screen_too() -> None:
    page = html.render(sample_reports.report(sample_reports.variance_failure()))
    assert "myinit:he" in page.partition('<article class="card"')[2].partition("</article>")[0]
    assert page.index('id="findings"') < page.index('<article class="card"') < page.index('id="matrix"')
    assert page.count("it should be 1 (0.80 to 1.25)") == 1


def test_one_initializer_has_its_claims_by_verdict_what_fails_first() -> None:
    page = html.render(sample_reports.report(sample_reports.variance_failure(), sample_reports.result("finite")))
    named = page.partition('<dl class="account verdicts">')[2].partition("</dl>")[0]
    assert re.findall(r"</span> (\w+)</dt>", named) == ["fails", "holds"]
    assert re.findall(r'<a href="#([^"]+)">', named)[0] in re.findall(r'<article class="card" id="([^"]+)"', page)
    assert "finite" in named


def test_a_table_shows_what_fails_first_and_explains_the_signs_that_it_has() -> None:
    page = everything()
    claims = re.findall(r'<tr><th scope="row">([\w-]+)</th>', page[page.index('id="results"') :])
    assert claims[0] == "output-variance-near-one"
    legend = page.partition('<p class="legend">')[2].partition("</p>")[0]
    assert "waived" in legend
    assert "waived" not in html.render(sample_reports.many(6)).partition('<p class="legend">')[2].partition("</p>")[0]
