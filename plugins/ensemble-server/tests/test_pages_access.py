"""WCAG 2.2 AA by axe, on every page, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.settings import Settings
from pages_kit import FREE, MOCKED, chromium, convert, looking, page_of_lines, send_page
from serving import serving

pytestmark = pytest.mark.slow

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => (await axe.run(document, { runOnly: tags })).violations.map(
  (one) => `${one.id}: ${one.help} – ${one.nodes.slice(0, 4).map((node) => node.target + ' ' + node.failureSummary).join('; ')}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    settings = Settings(
        folder=folder, workers=1, limits=FREE, smtp="smtp://127.0.0.1:1", mail_from="a@b.example"
    )
    with serving(settings) as running:
        yield running


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with looking(browser, bypass_csp=True, reduced_motion="reduce") as page:
        yield page


def check(page: Any, *, phone: bool = True) -> None:
    """No violation in light (on a phone, where most is stacked) or dark."""
    for width, scheme in ((390 if phone else 1280, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AXE)
        assert page.evaluate(RUN, RULES) == [], (page.url, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_upload(page: Any, url: str) -> None:
    page.goto(url)
    check(page)
    page.set_input_files(
        "#files",
        [
            {"name": f"{n}.png", "mimeType": "image/png", "buffer": page_of_lines()}
            for n in range(3)
        ],
    )
    page.click("#options summary")
    page.wait_for_selector("#picked img")
    check(page)


def test_list_of_scores(page: Any, url: str) -> None:
    page.goto(f"{url}/jobs?name=nothing-like-it")
    check(page)
    convert(url)
    page.goto(f"{url}/jobs")
    page.wait_for_selector(".card img")
    check(page)


def test_progress_failure_and_confirmation(page: Any, url: str) -> None:
    slow = {**MOCKED, "options": {"mock": {"fault": "delay", "delay": "60s"}}}
    with httpx.Client(base_url=url) as client:
        job = send_page(client, slow)
        page.goto(f"{url}/jobs/{job}")
        page.wait_for_selector("#pages .running")
        check(page)
        client.post(f"/v1/jobs/{job}/cancel")
    page.wait_for_selector("h2:has-text('Cancelled')")
    failed = convert(url, {**MOCKED, "options": {"mock": {"fault": "nothing"}}})
    page.goto(f"{url}/jobs/{failed}")
    check(page)
    page.click("text=Delete")
    page.wait_for_selector("text=for good")
    check(page)


def test_result(page: Any, url: str) -> None:
    page.goto(f"{url}/jobs/{convert(url)}")
    page.wait_for_selector("body[data-ready=yes]")
    check(page)
    page.click("#downloads summary")
    check(page)
    page.keyboard.press("Escape")
    page.click("#loop")
    page.click(".mixer summary")
    check(page)


def test_settings_and_errors(page: Any, url: str) -> None:
    page.goto(f"{url}/settings")
    page.fill("[name=name]", "Catalogue")
    page.click("text=Make a key")
    page.wait_for_selector("#made-key")
    check(page)
    page.errors_at = [f"{url}/nowhere"]
    page.goto(f"{url}/nowhere")
    check(page)
