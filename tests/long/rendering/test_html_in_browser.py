"""The HTML page in a real browser: it renders, filters, stays silent and never leaves itself."""

from __future__ import annotations

import dataclasses
import os
import shutil

import pytest
import sample_reports

from initcheck.rendering.html import html

api = pytest.importorskip("playwright.sync_api", reason="the browser is driven with playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian: apt-get install chromium)")

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    sample = html.render(sample_reports.every_verdict(), previous=sample_reports.last_run())
    (folder / "sample.html").write_text(sample, encoding="utf-8")
    hostile = sample_reports.hostile()
    # Two initializers, so that there is a table and its filter.
    hostile = dataclasses.replace(
        hostile, results=(*hostile.results, sample_reports.result("finite", initializer="m:other"))
    )
    (folder / "hostile.html").write_text(html.render(hostile), encoding="utf-8")
    (folder / "many.html").write_text(html.render(sample_reports.many(20)), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, folder):
    """Open a page; afterwards nothing may have been logged, asked for or popped up."""
    contexts, complaints = [], []

    def open_page(name: str, address: str = "", **options):
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        own = (folder / f"{name}.html").as_uri()

        def asked(request):
            if not request.url.startswith((own, "data:")):
                complaints.append(request.url)

        page.on("request", asked)
        page.goto(own + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def rows(page) -> list[str]:
    return page.locator("#results tbody tr:visible th").all_inner_texts()


def columns(page) -> list[str]:
    return page.locator("#results thead th:visible").all_inner_texts()[1:]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["sample", "hostile", "many"])
def test_renders_without_a_complaint_and_without_scrolling_sideways(visit, name, width, scheme):
    page = visit(name, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")


def test_pictures_are_drawn_in_the_colours_of_the_page(visit):
    page = visit("sample", color_scheme="dark")
    plots = page.locator("article.card:first-of-type .plot svg")
    assert plots.count() == 1
    assert plots.first.bounding_box()["height"] > 100
    ink = page.evaluate("getComputedStyle(document.body).color")
    fills = page.evaluate(
        "[...document.querySelectorAll('article.card .plot text')].map(t => getComputedStyle(t).fill)"
    )
    assert set(fills) == {ink}


def test_a_filter_shows_what_it_says_and_lives_in_the_address(visit):
    page = visit("many")
    assert (len(rows(page)), len(columns(page))) == (20, 23)
    page.get_by_label("Initializer", exact=True).fill("number_1")
    assert len(rows(page)) == 11
    page.get_by_label("Claim", exact=True).fill("VARIANCE")
    assert columns(page) == [
        "output-variance-near-one",
        "gradient-variance-near-one",
        "variance-follows-one-law",
    ]
    page.get_by_label("Verdict", exact=True).select_option("fails")
    shown = rows(page)
    assert 0 < len(shown) < 11
    for row in page.locator("#results tbody tr:visible").all():
        assert row.locator("td.f:visible").count() >= 1
    assert page.url.endswith("#initializer=number_1&claim=VARIANCE&verdict=f")
    said = page.locator("#filter output").inner_text()
    assert said.startswith(f"{len(shown)} of 20 initializers, {len(columns(page))} of 23 claims")

    page.reload()
    assert rows(page) == shown
    assert page.get_by_label("Claim", exact=True).input_value() == "VARIANCE"

    page.get_by_role("button", name="Show all").click()
    api.expect(page.locator("#results tbody tr:visible")).to_have_count(20)
    assert "#" not in page.url


def test_a_filter_in_the_address_is_applied_when_the_page_opens(visit):
    page = visit("many", "#initializer=number_7_")
    assert rows(page) == ["torch.nn.init.initializer_number_7_(nonlinearity='relu', mode='fan_in')"]
    page.evaluate("location.hash = '#initializer=number_8_'")
    api.expect(page.locator("#results tbody tr:visible th")).to_contain_text("number_8_")


def test_following_a_link_keeps_the_filter(visit):
    page = visit("many", "#initializer=number_1")
    page.locator("#results td.f:visible a").first.click()
    assert "output-variance" in page.url or "-" in page.url.partition("#")[2]
    assert len(rows(page)) == 11


def test_few_initializers_stand_as_columns_and_filter_the_same(visit):
    page = visit("sample")
    assert columns(page) == ["myinit:he", "myinit:tiny", "myinit:constant"]
    page.get_by_label("Initializer", exact=True).fill("tiny")
    assert columns(page) == ["myinit:tiny"]
    page.get_by_label("Verdict", exact=True).select_option("waived")
    assert rows(page) == ["finite"]


def test_a_name_stays_text(visit):
    page = visit("hostile")
    assert page.locator("script").count() == 1
    assert "<script>alert(1)</script>&\"'|`@team`|" in page.locator("article.card h3").first.inner_text()
    page.evaluate("location.hash = '#initializer=' + encodeURIComponent(\"<script>alert(1)</script>&\\\"'|\")")
    assert columns(page)[0].startswith("<script>alert(1)</script>")


def test_everything_can_be_read_without_javascript(visit):
    page = visit("sample", java_script_enabled=False)
    assert page.locator("#filter").is_hidden()
    assert page.get_by_role("button").count() == 0
    assert page.locator("#results tbody tr:visible").count() == 16
    assert page.locator("article.card:visible").count() == 3
    assert "24,576 weights in 96 calls" in page.locator("article.card").first.text_content()


def test_the_command_is_copied(visit):
    page = visit("sample", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("article.card").first.get_by_role("button").first
    button.click()
    api.expect(button).not_to_have_text("Copy")
    assert button.inner_text() in ("Copied", "Selected")
    if button.inner_text() == "Copied":
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "initcheck myinit:he --claims output-variance-near-one"


def test_the_keyboard_reaches_the_findings_and_the_matrix(visit):
    page = visit("sample")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    assert page.url.endswith("#findings")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.name"))
    assert {"Matrix of initializers and claims", "initializer", "claim", "verdict"} <= reached


def test_a_screen_reader_is_told_the_structure(visit):
    page = visit("sample")
    assert page.get_by_role("heading", level=1).inner_text().startswith("✗ 3 claims fail")
    for name in ("Findings", "What was not checked", "What holds", "Initializers and claims"):
        assert page.get_by_role("region", name=name, exact=True).count() == 1
    page.locator("article.card summary").first.click()
    strip = page.locator("article.card").first.get_by_role("img").first
    assert strip.get_attribute("aria-label").startswith("Allowed 0.8 to 1.25, measured 0.334")
    cell = page.get_by_role("row", name="signal-survives-depth").get_by_role("link")
    assert cell.inner_text().endswith("fails")


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_pictures_stand_beside_the_account_where_there_is_room(visit, width, beside):
    page = visit("sample", viewport={"width": width, "height": 900})
    account = page.locator("article.card .account").first.bounding_box()
    picture = page.locator("article.card .plot").first.bounding_box()
    assert (picture["x"] >= account["x"] + account["width"]) == beside
    assert (picture["y"] >= account["y"] + account["height"]) != beside


def test_a_real_failure_shows_its_curves_in_powers_and_its_interval(browser, folder, visit):
    import initcheck

    report = initcheck.check("initcheck.gallery:uniform_one_over_sqrt_fan", profile="quick")
    (folder / "real.html").write_text(html.render(report), encoding="utf-8")
    page = visit("real")
    card = page.locator("article.card")
    assert card.count() == 1
    assert "after 20 layers 3\u00d710\u221210 of the signal and gradient is left" in card.inner_text().replace("\n", "")
    assert card.locator(".plot svg").bounding_box()["height"] > 100
    card.get_by_text("Evidence: 4 claims").click()
    depth = card.locator(".claim", has_text="signal-survives-depth").first
    said = depth.get_by_role("img").first.get_attribute("aria-label")
    assert said.startswith("Allowed 10^-1 to 10^1, measured 10^-9.5")
    assert ", interval 10^-9." in said
    assert depth.locator(".interval").count() == 1
    page.get_by_text("Smallest defect this run could find").click()
    assert "75% of the networks outside [0.1, 10] through 20 layers" in page.locator("main").inner_text()


def test_a_link_to_a_folded_finding_opens_it(visit):
    page = visit("many")
    link = page.locator("#results td.f a").nth(3)
    name = link.get_attribute("href").removeprefix("#")
    assert not page.locator(f"[id='{name}'] .account").first.is_visible()
    link.click()
    api.expect(page.locator(f"[id='{name}'] .account").first).to_be_visible()


def test_the_first_screen_lists_every_finding_with_its_cause(visit):
    for width, height in ((390, 844), (1280, 900)):
        page = visit("sample", viewport={"width": width, "height": height})
        last = page.locator("ol.findings li").last.bounding_box()
        assert last["y"] + last["height"] < height


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sample", "many"])
def test_axe_finds_nothing(visit, name, scheme):
    where = os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js")
    if not os.path.exists(where):
        pytest.skip("no axe-core here: npm install axe-core, or name its axe.min.js in AXE_CORE")
    page = visit(name, color_scheme=scheme, bypass_csp=True)
    for fold in page.locator("details:not([open]) > summary").all()[:12]:
        if fold.is_visible():
            fold.click()
    with open(where, encoding="utf-8") as script:
        page.evaluate(script.read())
    assert page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 200)]))") == []
