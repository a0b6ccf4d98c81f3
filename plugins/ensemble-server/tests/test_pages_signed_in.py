"""Pages of people who sign in, and of browsers that run no scripts, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.settings import Issuer as IssuerSettings
from ensemble_server.settings import Settings
from lxml import html
from pages_kit import FREE, chromium, looking, page_of_lines
from service_issuer import AUDIENCE, CLIENT, CLIENT_SECRET, Issuer
from serving import serving, wait_for

pytestmark = pytest.mark.slow

PAGE = {"name": "Air.png", "mimeType": "image/png", "buffer": page_of_lines()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    issuer = Issuer()
    issuer.changes = {"name": "Anna", "email": "anna@music.example", "email_verified": True}
    known = IssuerSettings(
        url=issuer.url, audience=AUDIENCE, client_id=CLIENT, client_secret=CLIENT_SECRET
    )
    with serving(Settings(folder=tmp_path, workers=1, issuers=[known], limits=FREE)) as running:
        yield running
    issuer.close()


def test_signing_in_converting_and_signing_out(browser: Any, url: str) -> None:
    with looking(browser) as page:
        page.goto(url)
        assert page.locator("#upload").count() == 0
        page.click("text=Sign in to begin")
        page.wait_for_selector("#upload")
        page.set_input_files("#files", PAGE)
        page.click("#options summary")
        page.select_option("[name=recognizer]", "mock")
        page.click("#convert")  # by a script, with the token in a header
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        page.goto(f"{url}/jobs")
        page.click(".card .remove button")
        page.wait_for_selector(".toast")
        page.goto(f"{url}/settings")  # which sends the removal, with the token
        wait_for(lambda: page.request.get(f"{url}/v1/jobs").json()["jobs"] == [])
        page.goto(f"{url}/settings")
        assert "anna@music.example" in page.inner_text("main")
        page.click("[aria-label='Sign out (Anna)']")
        page.wait_for_selector("text=Sign in to begin")
        page.errors_at = [f"{url}/jobs"]
        page.goto(f"{url}/jobs")
        page.click("main a:has-text('Sign in')")
        page.wait_for_url(f"{url}/jobs")
        page.wait_for_selector("h1:has-text('My scores')")


def test_a_file_chosen_before_the_script_is_there_is_sent(browser: Any, url: str) -> None:
    with looking(browser) as page:
        held: list[Any] = []

        def hold(route: Any) -> None:
            held.append(route)

        page.route("**/upload*.js*", hold)
        page.goto(f"{url}/sign-in", wait_until="commit")
        page.wait_for_selector("#upload")
        page.set_input_files("#files", PAGE)
        wait_for(lambda: page.evaluate("1") and held)  # which lets the route be heard
        held[0].continue_()
        page.wait_for_load_state()
        assert page.inner_text("#picked .name").startswith("Air.png")
        page.click("#options summary")
        page.select_option("[name=recognizer]", "mock")
        page.click("#convert")
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)


def test_without_scripts_from_upload_to_downloads(browser: Any, url: str) -> None:
    with looking(browser, java_script_enabled=False) as page:
        page.goto(f"{url}/sign-in")
        assert page.locator("[data-theme-switch]").is_hidden()
        page.set_input_files("#files", PAGE)
        page.click("#options summary")
        page.select_option("[name=recognizer]", "mock")
        page.click("#convert")
        page.wait_for_selector(".files a:has-text('MusicXML')", timeout=60_000)
        assert page.locator("#play").is_hidden()
        with page.expect_download() as download:
            page.click(".files a:has-text('MusicXML')")
        assert download.value.suggested_filename == "Air.musicxml"
        page.click("details.menu >> nth=1")
        page.click("text=Delete")
        page.click("button:has-text('Delete')")
        page.wait_for_selector("text=A bar's rest")


def test_a_forged_form_sends_nothing(url: str) -> None:
    files = [("files", ("a.png", page_of_lines(), "image/png"))]
    with httpx.Client(base_url=url, follow_redirects=True) as client:
        client.get("/sign-in")
        token = html.fromstring(client.get("/").text).xpath("//input[@name='csrf_token']/@value")[0]
        for data in ({}, {"csrf_token": "x" * 64}):
            assert client.post("/jobs", files=files, data=data).status_code == 403
        foreign = {"origin": "http://evil.example"}
        sent = client.post("/jobs", files=files, data={"csrf_token": token}, headers=foreign)
        assert sent.status_code == 403
        assert client.get("/v1/jobs").json()["jobs"] == []
        good = client.post("/jobs", files=files, data={"csrf_token": token, "recognizer": "mock"})
        assert good.status_code == 200
        wait_for(lambda: len(client.get("/v1/jobs").json()["jobs"]) == 1)
