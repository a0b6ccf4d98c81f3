"""A page of another site in a real browser, on the machine of a local user."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.app import create_app
from ensemble_server.settings import Settings
from service_running import running

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("service")
    with running(create_app(Settings(folder=folder, workers=0))) as url:
        yield url


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """Another site, which (as local ones do) differs by its port alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Evil</title>")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # A name that resolves to this machine, as after DNS rebinding.
            args=["--no-sandbox", "--host-resolver-rules=MAP rebound.example 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


POST = """async ([url, mode, type]) => {
    try {
        const body = type === "multipart" ? new FormData() : '{"name": "stolen"}';
        const headers = type === "multipart" ? {} : {"Content-Type": type};
        const answer = await fetch(url, {method: "POST", mode, headers, body, credentials: "include"});
        return answer.status;
    } catch (error) { return "refused"; }
}"""

READ = """async url => {
    try { return await (await fetch(url, {credentials: "include"})).text(); }
    catch (error) { return "refused"; }
}"""

SOCKET = """url => new Promise(resolve => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve("open");
    socket.onerror = () => resolve("refused");
})"""


def keys_of(service: str) -> Any:
    found = httpx.get(f"{service}/v1/keys").json()["keys"]
    return [key for key in found if key["revoked"] is None]


@pytest.mark.parametrize("there", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("here", ["127.0.0.1", "localhost", "rebound.example"])
def test_it_changes_and_reads_nothing(
    page: Page, service: str, foreign: str, here: str, there: str
) -> None:
    target = service.replace("127.0.0.1", there)
    page.goto(foreign.replace("127.0.0.1", here))
    for mode in ("cors", "no-cors"):
        for kind in ("application/json", "text/plain", "multipart"):
            page.evaluate(POST, [f"{target}/v1/keys", mode, kind])
            page.evaluate(POST, [f"{target}/settings/keys", mode, kind])
    assert page.evaluate(READ, f"{target}/v1/keys") == "refused"
    socket = target.replace("http:", "ws:") + "/v1/jobs/AAAAAAAAAAAAAAAAAAAAAA/ws"
    assert page.evaluate(SOCKET, socket) == "refused"
    assert keys_of(service) == []


def test_a_form_of_it_changes_nothing(page: Page, service: str, foreign: str) -> None:
    page.goto(foreign)
    page.set_content(
        f'<form method="post" action="{service}/settings/keys"><input name="name" value="stolen">'
        '<input name="scopes" value="keys"><button>Win</button></form>'
    )
    with page.expect_navigation() as navigation:
        page.click("button")
    assert navigation.value.status == 403
    assert keys_of(service) == []


def test_a_name_made_to_lead_here_shows_nothing(page: Page, service: str) -> None:
    """DNS rebinding: to the browser the service is now of the same origin as the page."""
    rebound = service.replace("127.0.0.1", "rebound.example")
    page.goto(rebound)
    assert '"auth-required"' in page.evaluate(READ, f"{rebound}/v1/keys")
    assert page.evaluate(POST, [f"{rebound}/v1/keys", "cors", "application/json"]) == 401
    assert keys_of(service) == []


def test_ones_own_page_may(page: Page, service: str) -> None:
    page.goto(service)
    assert page.evaluate(READ, f"{service}/v1/keys").startswith('{"keys":')
    assert page.evaluate(POST, [f"{service}/v1/keys", "cors", "application/json"]) == 201
    key = keys_of(service)[0]
    httpx.delete(f"{service}/v1/keys/{key['id']}")
