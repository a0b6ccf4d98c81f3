"""What tests of the pages share: a real Chromium, a service to look at, jobs to see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.settings import Limits
from serving import ended

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "brahms-volkslied.png"
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
MOCKED = {"recognizer": "mock", "export": ["musicxml", "html"]}
PATIENCE = 60_000
_SHADES = count()
FREE = Limits(requests_per_minute=0, jobs_per_minute=0)


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium of this machine; skips without."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def looking(browser: Any, width: int = 1280, **options: Any) -> Iterator[Any]:
    """A page in a browser of its own; nothing may be said on its console.

    Where a page is to be an error, its address is put into ``page.errors_at``.
    """
    height = 844 if width < 500 else 860
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    trouble: list[str] = []
    page.errors_at = []

    def heard(message: Any) -> None:
        if message.location.get("url") not in page.errors_at:
            trouble.append(f"{message.type}: {message.text}")

    page.on("console", heard)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda sent: _own(page, sent.url) or trouble.append(f"asks {sent.url}"))
    yield page
    context.close()
    assert not trouble, trouble


def _own(page: Any, url: str) -> bool:
    """Whether it is of the service (or in the page itself), not of another place."""
    return url.startswith(("data:", "blob:", "http://127.0.0.1:", "http://localhost:"))


def convert(url: str, options: dict[str, Any] | None = None, name: str = "Étude.png") -> str:
    """A job sent by a program, once it has ended; gives its id."""
    with httpx.Client(base_url=url, timeout=30) as client:
        return str(ended(client, send_page(client, options or MOCKED, name))["id"])


def send_page(client: Any, options: dict[str, Any], name: str = "Étude.png") -> str:
    """Send a page of lines, another one each time, by the API; gives the job's id."""
    answer = client.post(
        "/v1/jobs",
        files=[("files", (name, page_of_lines(next(_SHADES) % 200), "image/png"))],
        data={"options": json.dumps(options)},
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def page_of_lines(shade: int = 0) -> bytes:
    """A picture with staves on it, as PNG."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (420, 560), 255)
    draw = ImageDraw.Draw(image)
    for top in range(60, 500, 110):
        for line in range(5):
            draw.line((30, top + 9 * line, 390, top + 9 * line), fill=shade, width=1)
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
