"""From the picture to the playing score, as people go, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.settings import Settings
from pages_kit import EXAMPLE, FREE, MOCKED, chromium, convert, looking, page_of_lines, send_page
from serving import serving, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(
        Settings(folder=tmp_path_factory.mktemp("service"), workers=1, limits=FREE)
    ) as running:
        yield running


LIT = """() => {
  window.lit = new Set();
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.classList.contains("now") && target.dataset.id) lit.add(target.dataset.id);
    }
  }).observe(document.getElementById("score"), { subtree: true, attributeFilter: ["class"] });
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_three_clicks_from_a_picture_to_a_playing_score(
    browser: Any, url: str, width: int, tmp_path: Path
) -> None:
    music21 = pytest.importorskip("music21")
    if not EXAMPLE.exists():
        pytest.skip("examples/ is not there")
    with looking(browser, width) as page:
        page.goto(url)
        if width < 500:  # other options, so that it is not the same result again
            page.click("#options summary")
            page.check("[name=preprocess-deskew]")
        with page.expect_file_chooser() as chooser:
            page.click("label[for=files]")  # 1
        chooser.value.set_files(EXAMPLE)
        page.click("#convert")  # 2
        page.wait_for_selector("#pages .running, #pages .ok")
        assert page.locator("#stage").inner_text()
        page.wait_for_selector("body[data-ready=yes]", timeout=120_000)
        assert page.locator("#source .sheet img").is_visible()
        page.evaluate(LIT)
        page.click("#play")  # 3
        page.wait_for_selector("#bar:text-is('Bar 3')")
        page.keyboard.press("Escape")
        page.click("#play")
        assert float(page.input_value("#position")) > 0
        assert page.evaluate("lit.size") >= 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#downloads summary")
        with page.expect_download() as download:
            page.click("#downloads a:has-text('MusicXML')")
        download.value.save_as(tmp_path / "score.musicxml")
        score = music21.converter.parse(tmp_path / "score.musicxml")
        assert len(score.parts[0].getElementsByClass("Measure")) == 33
        with page.expect_download() as package:
            page.click("#downloads a:has-text('Everything')")
        assert package.value.suggested_filename == "brahms-volkslied.zip"


def test_the_keyboard_alone_leads_as_far(browser: Any, url: str, tmp_path: Path) -> None:
    picture = tmp_path / "keys.png"
    picture.write_bytes(page_of_lines())
    with looking(browser) as page:
        page.on("filechooser", lambda _: None)  # dialogs are caught from now on, not from Enter on
        page.goto(url)

        def tab_to(selector: str) -> None:
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate(f"document.activeElement.matches('{selector}')"):
                    assert page.evaluate(
                        "getComputedStyle(document.activeElement).outlineStyle != 'none'"
                        " || !!document.activeElement.matches('input[type=file]')"
                    )
                    return
            raise AssertionError(f"{selector} cannot be reached")

        tab_to(".skip")
        tab_to("#files")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(picture)
        page.wait_for_selector("#convert:focus")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")  # the options
        tab_to("[name=recognizer]")
        page.keyboard.type("mock")
        tab_to("#convert")
        page.keyboard.press("Enter")
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#bar") == "Bar 2"
        page.keyboard.press("Space")
        page.wait_for_selector("body.playing")
        page.keyboard.press("Space")
        page.wait_for_selector("body:not(.playing)")
        tab_to("#downloads summary")
        page.keyboard.press("Enter")
        tab_to("#downloads a")
        with page.expect_download():
            page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        assert page.locator("#downloads[open]").count() == 0


def test_files_are_dropped_pasted_moved_and_taken_away(browser: Any, url: str) -> None:
    with looking(browser, 390, has_touch=True) as page:
        page.goto(url)
        camera = page.locator("#camera")
        assert camera.get_attribute("capture") == "environment"
        assert page.locator("label[for=camera]").is_visible()
        for kind, names in (("drop", ["a.png", "b.pdf"]), ("paste", ["image.png"])):
            page.evaluate(
                """([kind, names]) => {
                  const given = new DataTransfer();
                  for (const name of names) given.items.add(new File(["x"], name, { type: "image/png" }));
                  const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true })
                    : new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true });
                  document.getElementById("drop").dispatchEvent(event);
                }""",
                [kind, names],
            )
        names = page.locator("#picked .name")
        assert [name.split("\n")[0] for name in names.all_inner_texts()] == [
            "a.png",
            "b.pdf",
            "pasted-3.png",
        ]
        page.click("[aria-label='Move b.pdf before the one ahead of it']")
        page.click("[aria-label='Remove a.png']")
        assert [name.split("\n")[0] for name in names.all_inner_texts()] == [
            "b.pdf",
            "pasted-3.png",
        ]


def test_what_cannot_be_read_is_said_where_it_was_chosen(browser: Any, url: str) -> None:
    with looking(browser) as page:
        page.errors_at = [f"{url}/jobs"]
        page.goto(url)
        page.set_input_files(
            "#files", {"name": "letter.doc", "mimeType": "application/msword", "buffer": b"Dear"}
        )
        page.click("#convert")
        page.wait_for_selector("#problem:has-text('letter.doc')")
        assert page.locator("#convert").is_enabled()


def test_a_job_is_watched_and_cancelled(browser: Any, url: str) -> None:
    slow = {**MOCKED, "options": {"mock": {"fault": "delay", "delay": "60s"}}}
    with looking(browser) as page, httpx.Client(base_url=url) as client:
        job = send_page(client, slow)
        page.goto(f"{url}/jobs/{job}")
        page.wait_for_selector("#stage:has-text('Reading the notes')")
        page.wait_for_selector("#pages .running")
        page.click("#cancel button")
        page.wait_for_selector("h2:has-text('Cancelled')")
        assert client.get(f"/v1/jobs/{job}").json()["state"] == "cancelled"


def test_progress_is_asked_for_where_events_do_not_get_through(browser: Any, url: str) -> None:
    slow = {**MOCKED, "options": {"mock": {"fault": "delay", "delay": "60s"}}}
    with looking(browser) as page, httpx.Client(base_url=url) as client:
        page.add_init_script("delete window.EventSource")
        job = send_page(client, slow)
        page.goto(f"{url}/jobs/{job}")
        page.wait_for_selector("#pages .running")
        client.post(f"/v1/jobs/{job}/cancel")
        page.wait_for_selector("h2:has-text('Cancelled')")


def test_deleting_can_be_undone_for_a_moment(browser: Any, url: str) -> None:
    job = convert(url, name="Gone.png")
    with looking(browser) as page, httpx.Client(base_url=url) as client:
        card = f".card[data-job='{job}']"
        page.goto(f"{url}/jobs")
        page.click(f"{card} .remove button")
        page.wait_for_selector(card, state="hidden")
        page.click(".toast button")
        page.wait_for_selector(card)
        assert client.get(f"/v1/jobs/{job}").status_code == 200
        page.click(f"{card} .remove button")
        page.goto(f"{url}/settings")  # to leave is to mean it
        wait_for(lambda: client.get(f"/v1/jobs/{job}").status_code == 404)
        page.goto(f"{url}/jobs?name=Gone")
        assert page.locator(card).count() == 0


def test_bars_that_need_a_look_boxes_parts_and_loop(browser: Any, url: str) -> None:
    job = convert(url, {**MOCKED, "options": {"mock": {"parts": 2, "measures": 8}}})
    with looking(browser) as page:
        page.goto(f"{url}/jobs/{job}")
        page.wait_for_selector("body[data-ready=yes]")
        page.click(".mixer summary")
        assert page.locator("#parts .part").count() == 2
        page.click("#parts .part:nth-child(2) button")
        assert page.get_attribute("#parts .part:nth-child(2) button", "aria-pressed") == "false"
        page.keyboard.press("Escape")
        page.click("#loop")
        page.fill("#loop-from", "2")
        page.fill("#loop-to", "2")
        page.keyboard.press("Tab")
        page.click("#play")
        page.wait_for_selector("#bar:text-is('Bar 2')")
        page.click("#play")
        page.click(".tabs [data-view=score]")
        assert page.locator("#source").is_hidden()


def test_light_and_dark_are_kept(browser: Any, url: str) -> None:
    with looking(browser, color_scheme="light") as page:
        page.goto(url)
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.click("[data-theme-switch]")
        dark = page.evaluate(ground)
        assert light != dark
        page.goto(f"{url}/jobs")
        assert page.get_attribute("html", "data-theme") == "dark"
        assert page.evaluate(ground) == dark
