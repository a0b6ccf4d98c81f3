"""The web page in a real browser: it runs, plays, and leads from note to note."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ensemble_engrave.exporters import PdfExporter, SvgExporter
from ensemble_engrave.options import PdfOptions, SvgOptions
from ensemble_engrave.web.exporter import HtmlExporter
from PIL import Image, ImageChops, ImageFilter

from ensemble_core.model import Context, Score

pytestmark = pytest.mark.slow
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]


def wait(page: Any, selector: str, state: str = "attached") -> None:
    page.wait_for_selector(selector, state=state, timeout=10_000)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(brahms: Score, tmp_path_factory: pytest.TempPathFactory) -> str:
    (made,) = HtmlExporter().export(brahms, Context(workspace=tmp_path_factory.mktemp("page")))
    return made.path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    shown = browser.new_page(viewport={"width": 1440, "height": 900})
    trouble: list[str] = []
    shown.on("console", lambda message: trouble.append(f"{message.type}: {message.text}"))
    shown.on("pageerror", lambda error: trouble.append(str(error)))
    shown.on("request", lambda sent: sent.url.startswith("http") and trouble.append(sent.url))
    shown.goto(address)
    yield shown
    shown.close()
    assert trouble == []


def test_hovering_lights_up_both_sides(page: Any) -> None:
    page.hover('#source [data-ref="note1"]')
    assert page.locator('#score .wide [data-id="note1"].hot').count() == 1
    assert page.inner_text("#tip") == "E3 eighth · lower staff · bar 1 · 95 % sure"
    page.hover('#score .wide [data-id="note2"] rect.hit')
    assert page.locator('#source [data-ref="note2"].hot').count() == 1
    assert page.locator(".hot[data-ref='note1'], .hot[data-id='note1']").count() == 0
    page.hover("h1")
    assert page.locator(".hot").count() == 0
    assert page.locator("#tip").is_hidden()


WATCH = """() => {
  window.lit = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.classList.contains("now") && target.dataset.ref) lit.push(target.dataset.ref);
    }
  }).observe(document.body, { subtree: true, attributeFilter: ["class"] });
}"""


def test_playing_moves_along_the_notes_and_pausing_stops_it(page: Any) -> None:
    page.evaluate(WATCH)
    page.fill("#tempo", "50")
    page.click("#play")
    wait(page, "#bar:text-is('Bar 2')")
    lit = [name for name in page.evaluate("lit") if name.startswith("note")]
    assert lit == sorted(lit)  # those six notes follow one another
    assert len(set(lit)) >= 3  # a slow machine may skip one between two frames
    assert page.locator("#score .wide rect.wash.here").count() == 1
    page.click("h1")
    page.keyboard.press("Space")
    assert page.locator(".now").count() == 0
    stopped = page.input_value("#position")
    page.wait_for_timeout(300)
    assert page.input_value("#position") == stopped != "0"


def test_the_end_is_reached_and_play_begins_anew(page: Any) -> None:
    page.fill("#tempo", "200")
    assert "200 % · ♩ = 240" in page.inner_text("#tempo-text")
    page.keyboard.press("Escape")
    page.click("h1")
    page.keyboard.press("End")
    page.evaluate("document.getElementById('position').value = 990")
    page.dispatch_event("#position", "input")
    page.click("#play")
    wait(page, "body.playing")
    wait(page, "body:not(.playing)")
    assert page.input_value("#position") == "0"


def test_arrow_keys_with_shift_walk_from_note_to_note(page: Any) -> None:
    page.focus("#score")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator('[data-id="note0"].picked').count() == 2  # wide and narrow lay-out
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator('#source [data-ref="note1"].picked').count() == 1
    assert "E3 eighth" in page.inner_text("#tip")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.locator('#source [data-ref="note0"].picked').count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".picked").count() == 0


def test_a_remark_leads_to_its_measure(page: Any) -> None:
    page.click("#remarks summary")
    page.click("#remarks button:has-text('Bar 13')")
    assert page.locator('#score .wide [data-id="measure12"] > rect.told').count() == 1
    assert page.inner_text("#bar") == "Bar 13"


def test_a_part_can_be_muted_and_boxes_hidden(page: Any) -> None:
    page.click(".mixer summary")
    part = page.locator("#parts button")
    assert part.inner_text() == "Pianoforte"
    part.click()
    assert part.get_attribute("aria-pressed") == "false"
    box = '#source [data-ref="note1"]'
    opacity = f"getComputedStyle(document.querySelector('{box}')).strokeOpacity"
    assert float(page.evaluate(opacity)) > 0
    page.emulate_media(reduced_motion="reduce")
    page.uncheck("#show-boxes")
    assert page.evaluate(opacity) == "0"


def test_arrow_keys_walk_from_bar_to_bar(page: Any) -> None:
    page.focus("#score")
    for key, bar in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        page.focus("#play")  # a button leaves the arrows to the score
        assert page.inner_text("#bar") == f"Bar {bar}"
    assert page.locator("#score .wide rect.wash.here").count() == 1


def test_bars_can_be_played_again_and_again(page: Any) -> None:
    page.fill("#tempo", "200")
    page.click("#loop")
    assert page.input_value("#loop-from") == "1"
    page.fill("#loop-to", "1")
    page.evaluate("""() => {
      let before = 0, back = 0;
      const watch = () => {
        const now = Number(document.getElementById("position").value);
        if (now < before) document.documentElement.dataset.back = Math.min(2, ++back);
        before = now;
        requestAnimationFrame(watch);
      };
      watch();
    }""")
    page.click("#play")
    wait(page, "html[data-back='2']")
    assert page.inner_text("#bar") == "Bar 1"
    page.click("#loop")
    wait(page, "#bar:text-is('Bar 3')")


def test_a_phone_shows_both_or_one_side(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator("#source").is_visible()
    assert page.locator("#score").is_visible()
    page.click(".tabs [data-view=source]")
    assert page.locator("#score").is_hidden()
    page.click(".tabs [data-view=score]")
    assert page.locator("#source").is_hidden()
    assert page.locator("#score .narrow").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click('#score .narrow [data-id="note1"] rect.hit')
    page.click(".tabs [data-view=source]")
    assert page.locator('#source [data-ref="note1"].picked').count() == 1


def test_the_pdf_looks_as_a_browser_draws_the_svg(
    browser: Any, brahms: Score, ctx: Context, tmp_path: Path
) -> None:
    import pypdfium2 as pdfium

    # Without the title: browsers kern large type, neither Verovio nor the PDF does.
    (svg,) = SvgExporter(SvgOptions(embed_text_font=True, header=False)).export(brahms, ctx)
    shown = browser.new_page(viewport={"width": 794, "height": 1123}, device_scale_factor=3)
    shown.goto(svg.path.as_uri())
    shown.screenshot(path=tmp_path / "svg.png")
    (pdf,) = PdfExporter(PdfOptions(header=False)).export(brahms, ctx)
    with pdfium.PdfDocument(pdf.path) as document:
        drawn = document[0].render(scale=3 * 96 / 72).to_pil().convert("L")
    with Image.open(tmp_path / "svg.png") as seen:
        wanted = seen.convert("L")
    size = (0, 0, min(wanted.width, drawn.width), min(wanted.height, drawn.height))
    wanted, drawn = wanted.crop(size), drawn.crop(size)
    # How edges are smoothed differs; ink of one far from any ink of the other is a glyph in
    # another place. Pixels are a twelfth of a millimetre.
    for ink, other in ((wanted, drawn), (drawn, wanted)):
        near = other.filter(ImageFilter.MinFilter(5))
        far = near.point([255 * (value > 160) for value in range(256)])
        dark = ink.point([255 * (value < 90) for value in range(256)])
        lost = ImageChops.multiply(dark, far)
        inked, stray = (picture.histogram()[255] for picture in (dark, lost))
        assert inked > 100_000
        assert stray < inked / 1000
