"""The pages without a browser: what keeps foreign content out, forms, errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.app import create_app
from ensemble_server.records.tables import User
from ensemble_server.settings import Limits, Settings
from fastapi.testclient import TestClient
from lxml import html
from serving import LOOPBACK, ended, picture, send, wait_for

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "origin": LOOPBACK}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        folder=tmp_path, workers=1, smtp="smtp://127.0.0.1:1", mail_from="a@b.example"
    )
    with visiting(settings) as client:
        yield client


def visiting(settings: Settings) -> TestClient:
    app = create_app(settings)
    return TestClient(
        app,
        base_url=LOOPBACK,
        client=("127.0.0.1", 50000),
        headers=BROWSER,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def upload(client: TestClient, name: str = "page.png", **fields: str) -> Any:
    files = [("files", (name, picture(), "image/png"))]
    return client.post("/jobs", files=files, data={"recognizer": "mock", **fields})


PAGES = ("/", "/jobs", "/settings", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
def test_pages_let_no_foreign_script_in(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    page = html.fromstring(answer.text)
    assert all(script.get("src") and not script.text for script in page.iter("script"))
    assert not page.xpath("//style | //*[@style] | //@*[starts-with(name(), 'on')]/..")
    for address in page.xpath("//@src | //link/@href"):
        assert address.startswith("/"), address


def test_assets_are_kept_by_version_and_have_their_licences(client: TestClient) -> None:
    page = html.fromstring(client.get("/").text)
    for address in page.xpath("//script/@src | //link/@href"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
    assert "no-cache" in client.get("/static/pages/app.css").headers["cache-control"]
    assert client.get("/static/pages/../shown.py").status_code == 404
    for font in ("inter", "newsreader"):
        licence = client.get(f"/static/pages/fonts/{font}-LICENSE.txt").text
        assert "SIL Open Font License" in licence


def test_a_form_leads_to_the_score(client: TestClient) -> None:
    answer = upload(client, "Lied.png", **{"export-midi": "yes", "preprocess-deskew": "yes"})
    assert answer.status_code == 303
    job = answer.headers["location"].removeprefix("/jobs/")
    told = ended(client, job)
    assert told["options"] == {
        "recognizer": "mock",
        "preprocess": ["deskew"],
        "export": ["musicxml", "html", "midi"],
    }
    page = html.fromstring(client.get(f"/jobs/{job}").text)
    assert page.findtext(".//h1") == "Lied"
    links = {link.findtext("b"): link.get("href") for link in page.xpath("//ul[@class='files']//a")}
    assert {"MusicXML", "MIDI", "Web page", "Report", "Everything"} <= links.keys()
    for address in links.values():
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")


def test_a_name_is_text_and_nothing_else(client: TestClient) -> None:
    evil = "<img src=x onerror=alert(1)>&amp;\"'.png"
    job = upload(client, evil).headers["location"].removeprefix("/jobs/")
    ended(client, job)
    for path in (f"/jobs/{job}", "/jobs", "/"):
        page = html.fromstring(client.get(path).text)
        assert not page.xpath("//img[@onerror]"), path
        shown = page.xpath("//h1 | //*[contains(@class, 'called')]/a")
        assert any("onerror=alert(1)" in one.text_content() for one in shown), path


def test_programs_get_problems_and_people_get_pages(client: TestClient) -> None:
    page = client.get("/jobs/nothing-like-it")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-request-id"] in page.text
    program = client.get("/jobs/nothing-like-it", headers={"accept": "application/json"})
    assert program.json()["code"] == "job-not-found"
    assert client.get("/v1/jobs/nothing-like-it").json()["status"] == 404


def test_errors_of_the_form_are_pages_too(tmp_path: Path) -> None:
    limits = Limits(file_bytes=1000, jobs_per_minute=3)
    with visiting(Settings(folder=tmp_path, workers=0, limits=limits)) as client:
        large = client.post("/jobs", files=[("files", ("a.png", b"x" * 2000, "image/png"))])
        assert large.status_code == 413
        assert "at once" in html.fromstring(large.text).findtext(".//h1")
        odd = client.post("/jobs", files=[("files", ("a.doc", b"Dear", "image/png"))])
        assert odd.status_code == 415
        assert "a.doc" in odd.text
        told = client.post(
            "/jobs",
            files=[("files", ("a.doc", b"Dear", "image/png"))],
            headers={"accept": "application/json"},
        )
        assert told.json()["code"] == "input-unsupported"
        often = upload(client)
        assert often.status_code == 429
        assert int(often.headers["retry-after"]) > 0
        assert "slower" in html.fromstring(often.text).findtext(".//h1")


def test_what_nobody_foresaw_is_a_page_with_the_request_id(client: TestClient) -> None:
    @client.app.get("/broken")  # type: ignore[attr-defined]
    def broken() -> None:
        raise RuntimeError("a secret")

    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "on our side" in answer.text and "a secret" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


def test_keys_are_shown_once_and_can_be_revoked(client: TestClient) -> None:
    made = client.post("/settings/keys", data={"name": "Library", "scopes": "jobs:read"})
    assert made.headers["cache-control"] == "no-store"
    key = html.fromstring(made.text).get_element_by_id("made-key").get("value")
    stranger = {"authorization": f"Bearer {key}", "accept": "application/json"}
    assert client.get("/v1/jobs", headers=stranger).status_code == 200
    page = client.get("/settings").text
    assert key not in page and key[:16] in page
    (form,) = html.fromstring(page).xpath("//form[contains(@action, '/revoke')]/@action")
    assert client.post(form).status_code == 303
    assert client.get("/v1/jobs", headers=stranger).status_code == 401
    empty = client.post("/settings/keys", data={"name": ""})
    assert empty.status_code == 422
    assert "needs a name" in empty.text


def test_webhooks_are_added_refused_and_removed(client: TestClient) -> None:
    refused = client.post("/settings/webhooks", data={"url": "http://127.0.0.1/x"})
    assert refused.status_code == 422
    assert html.fromstring(refused.text).xpath("//*[@role='alert']")
    added = client.post("/settings/webhooks", data={"url": "https://1.1.1.1/ensemble"})
    assert "whsec_" in added.text
    page = client.get("/settings").text
    assert "whsec_" not in page and "https://1.1.1.1/ensemble" in page
    (form,) = html.fromstring(page).xpath("//form[contains(@action, '/remove')]/@action")
    client.post(form)
    assert "https://1.1.1.1/ensemble" not in client.get("/settings").text


def test_mail_is_asked_for(client: TestClient) -> None:
    client.get("/settings")
    database = client.app.state.service.database  # type: ignore[attr-defined]
    with database.write() as session:
        (user,) = session.query(User).all()
        user.email = "anna@music.example"
    assert "anna@music.example" in client.get("/settings").text
    client.post("/settings/mail", data={"notify": "yes"})
    with database.read() as session:
        assert session.query(User).one().notify_by_mail
    client.post("/settings/mail", data={})
    with database.read() as session:
        assert not session.query(User).one().notify_by_mail


def test_deleting_asks_first(client: TestClient) -> None:
    job = upload(client).headers["location"].removeprefix("/jobs/")
    ended(client, job)
    asked = client.post(f"/jobs/{job}/delete")
    assert "for good" in asked.text
    assert client.get(f"/jobs/{job}").status_code == 200
    assert client.post(f"/jobs/{job}/delete", data={"sure": "yes"}).status_code == 303
    assert client.get(f"/jobs/{job}").status_code == 404


def test_scores_are_filtered_and_paged(client: TestClient) -> None:
    for name in ("Aria.png", "Bolero.png"):
        ended(client, send(client, name=name).json()["id"])
    failed = {"recognizer": "mock", "options": {"mock": {"fault": "nothing"}}}
    ended(client, send(client, name="Coda.png", options=failed).json()["id"])

    def titles(query: str) -> list[str]:
        page = html.fromstring(client.get(f"/jobs{query}").text)
        return [one.text_content() for one in page.xpath("//*[contains(@class, 'called')]/a")]

    assert titles("") == ["Coda", "Bolero", "Aria"]
    assert titles("?show=done") == ["Bolero", "Aria"]
    assert titles("?show=failed") == ["Coda"]
    assert titles("?name=bol") == ["Bolero"]
    assert titles("?show=working") == []
    coda = client.get(re.findall(r"/jobs/[\w-]{22}", client.get("/jobs?show=failed").text)[0])
    assert "could not be read" in coda.text and "recognition-failed" in coda.text


def test_a_score_of_the_api_without_a_page_still_has_its_files(client: TestClient) -> None:
    job = send(client).json()["id"]
    wait_for(lambda: ended(client, job))
    page = html.fromstring(client.get(f"/jobs/{job}").text)
    assert "without its web page" in page.text_content()
    assert page.xpath("//ul[@class='files']//a[contains(@href, '.musicxml')]")
