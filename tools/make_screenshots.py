"""Make the pictures of the documentation: the service and the exported page, in a real Chromium.

Run it where every plugin, playwright and Chromium are installed.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from ensemble_server.app import create_app
from ensemble_server.settings import Settings
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
EXAMPLE = ROOT / "examples" / "brahms-volkslied.png"
_PATIENCE = 180_000


def main() -> None:
    """Make them all."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        job = upload(browser, url)
        result(browser, job, "service-result", (1440, 900))
        result(browser, job, "service-dark", (1440, 900), color_scheme="dark")
        result(browser, job, "service-phone", (390, 844), device_scale_factor=2)
        exported(browser, job, Path(folder))
        browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The service on a free port; gives its URL."""
    app = create_app(Settings(folder=folder / "service", workers=1))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def upload(browser: Any, url: str) -> str:
    """Convert the example as a person does; gives the address of its page."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page.goto(url)
    page.reload()
    page.set_input_files("#files", EXAMPLE)
    page.wait_for_selector("#picked img")
    page.evaluate("document.activeElement.blur()")
    save(page, "service-upload")
    page.click("#convert")
    page.wait_for_selector("body[data-ready=yes]", timeout=_PATIENCE)
    address = str(page.url)
    page.close()
    return address


def result(browser: Any, job: str, name: str, size: tuple[int, int], **options: Any) -> None:
    """The score while it plays."""
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height}, **{"color_scheme": "light", **options}
    )
    for _ in "12":  # fonts that come too late the first time are there the second
        page.goto(job)
        page.wait_for_selector("body[data-ready=yes]")
    page.click("#play")
    page.wait_for_selector("#bar:text-is('Bar 4')")
    save(page, name)
    page.close()


def exported(browser: Any, job: str, folder: Path) -> None:
    """The page the ``html`` exporter wrote."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000}, color_scheme="light")
    page.goto(job)
    address = page.get_attribute("#result", "data-view-url")
    path = folder / "score.html"
    path.write_bytes(httpx.get(httpx.URL(job).join(address)).content)
    page.goto(path.as_uri())
    page.click("#play")
    page.wait_for_selector("#bar:text-is('Bar 4')")
    save(page, "result")
    page.close()


def save(page: Any, name: str) -> None:
    """A picture of what is seen, with few colours, so that it is small."""
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        # An octree keeps colours that few pixels have; the confidence of boxes is such.
        few = picture.convert("RGB").quantize(
            256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
