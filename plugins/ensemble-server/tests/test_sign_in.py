"""Signing in on the pages, with a real issuer; and what forged requests come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from ensemble_server.app import create_app
from ensemble_server.auth.sign_in import local_path
from ensemble_server.records.tables import BrowserSession, now
from ensemble_server.settings import Issuer as IssuerSettings
from ensemble_server.settings import Settings
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from service_issuer import AUDIENCE, CLIENT, CLIENT_SECRET, Issuer

HOME = "http://music.example"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


def build(issuer: Issuer, folder: Path, **settings: Any) -> FastAPI:
    known = IssuerSettings(
        url=issuer.url, audience=AUDIENCE, client_id=CLIENT, client_secret=CLIENT_SECRET
    )
    settings = {"issuers": [known], "secret": "s" * 32, **settings}
    app = create_app(Settings(folder=folder, workers=0, **settings))

    @app.get("/test/token")
    def token(request: Request) -> str:
        return str(app.state.auth.csrf_token(request))

    return app


@pytest.fixture
def app(issuer: Issuer, tmp_path: Path) -> FastAPI:
    return build(issuer, tmp_path)


@pytest.fixture
def browser(app: FastAPI) -> TestClient:
    return make_browser(app)


def make_browser(app: FastAPI, home: str = HOME) -> TestClient:
    return TestClient(app, base_url=home, client=("203.0.113.9", 50000), follow_redirects=False)


def at_issuer(sent: httpx.Response) -> str:
    """Follow the redirect to the issuer; gives where it sends the browser back to."""
    assert sent.status_code == 303
    return httpx.get(sent.headers["location"]).headers["location"]


def sign_in(browser: TestClient, path: str = "/") -> httpx.Response:
    return browser.get(at_issuer(browser.get("/sign-in", params={"next": path})))


def csrf(browser: TestClient) -> dict[str, str]:
    return {"X-CSRF-Token": browser.get("/test/token").json()}


def test_the_whole_way(browser: TestClient, issuer: Issuer) -> None:
    assert browser.get("/v1/keys").status_code == 401
    back = sign_in(browser, "/jobs?page=2")
    assert (back.status_code, back.headers["location"]) == (303, "/jobs?page=2")
    cookie = next(each for each in back.headers.get_list("set-cookie") if "_session=" in each)
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    assert browser.get("/v1/keys").status_code == 200
    assert browser.post("/v1/keys", json={"name": "a"}, headers=csrf(browser)).status_code == 201
    assert issuer.requests["/token"] == 1


def test_with_tls_the_cookie_is_for_tls_and_this_host_alone(issuer: Issuer, tmp_path: Path) -> None:
    app = build(issuer, tmp_path, public_url="https://music.example")
    browser = make_browser(app, "https://music.example")
    sent = browser.get("/sign-in")
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://music.example/sign-in/back"]
    cookies = browser.get(at_issuer(sent)).headers.get_list("set-cookie")
    cookie = next(each for each in cookies if "_session=" in each)
    assert cookie.startswith("__Host-") and "Secure" in cookie and "Domain" not in cookie
    assert browser.get("/v1/keys").status_code == 200


def test_without_the_token_nothing_is_changed(browser: TestClient) -> None:
    sign_in(browser)
    good = csrf(browser)
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}):
        answer = browser.post("/v1/keys", json={"name": "a"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf-failed")
    foreign = {**good, "Origin": "https://evil.example"}
    answer = browser.post("/v1/keys", json={"name": "a"}, headers=foreign)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
    own = {**good, "Origin": HOME, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/v1/keys", json={"name": "a"}, headers=own).status_code == 201


def test_the_token_of_another_session_does_not_count(app: FastAPI, browser: TestClient) -> None:
    sign_in(browser)
    other = make_browser(app)
    sign_in(other)
    answer = browser.post("/v1/keys", json={"name": "a"}, headers=csrf(other))
    assert answer.status_code == 403


def test_signing_out_ends_the_session_even_of_a_copy(app: FastAPI, browser: TestClient) -> None:
    sign_in(browser)
    copy = make_browser(app)
    copy.cookies.update(browser.cookies)
    assert copy.get("/v1/keys").status_code == 200
    assert browser.post("/sign-out").status_code == 403
    form = {"csrf_token": csrf(browser)["X-CSRF-Token"]}
    assert browser.post("/sign-out", data=form).status_code == 303
    assert browser.get("/v1/keys").status_code == 401
    assert copy.get("/v1/keys").status_code == 401


def test_a_session_ends_by_itself(app: FastAPI, browser: TestClient) -> None:
    sign_in(browser)
    with app.state.auth.database.write() as session:
        row = session.query(BrowserSession).one()
        row.expires = now() - timedelta(seconds=1)
    assert browser.get("/v1/keys").status_code == 401


@pytest.mark.parametrize("value", ["", "x", "x.y", "é" * 10, "a" * 5000])
def test_a_made_up_cookie_is_nothing(browser: TestClient, value: str) -> None:
    header = {b"cookie": f"ensemble_session={value}".encode()}
    assert browser.get("/v1/keys", headers=header).status_code == 401


def test_an_answer_for_another_browser_is_refused(app: FastAPI, browser: TestClient) -> None:
    """Login CSRF: nobody can be signed in as somebody else by a link."""
    back = at_issuer(make_browser(app).get("/sign-in"))
    answer = browser.get(back)
    assert (answer.status_code, answer.json()["code"]) == (400, "sign-in-failed")
    browser.get("/sign-in")
    assert browser.get(back).status_code == 400
    assert browser.get("/v1/keys").status_code == 401


def test_a_code_counts_once(browser: TestClient) -> None:
    back = at_issuer(browser.get("/sign-in"))
    jar = dict(browser.cookies)
    assert browser.get(back).status_code == 303
    browser.cookies.clear()
    browser.cookies.update(jar)
    assert browser.get(back).status_code == 400


def test_another_issuers_answer_is_refused(browser: TestClient) -> None:
    """Mix-up (RFC 9207)."""
    back = at_issuer(browser.get("/sign-in"))
    mixed = re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", back)
    assert browser.get(mixed).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [{"nonce": "other"}, {"nonce": None}, {"aud": AUDIENCE}, {"iss": "https://e"}, {"exp": 1}],
)
def test_an_id_token_that_does_not_hold_is_refused(
    browser: TestClient, issuer: Issuer, changes: dict[str, Any]
) -> None:
    issuer.changes = changes
    assert sign_in(browser).status_code == 401
    assert browser.get("/v1/keys").status_code == 401


def test_whoever_is_refused_by_the_issuer_is_told(browser: TestClient) -> None:
    state = parse_qs(urlsplit(at_issuer(browser.get("/sign-in"))).query)["state"][0]
    answer = browser.get("/sign-in/back", params={"state": state, "error": "access_denied"})
    assert (answer.status_code, answer.json()["code"]) == (400, "sign-in-failed")


def test_an_issuer_that_is_away_is_said_so(browser: TestClient, issuer: Issuer) -> None:
    issuer.away = True
    assert browser.get("/sign-in").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "",
        "x",
        "/\t/evil",
        "/a\nb",
    ],
)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


def test_among_several_issuers_one_chooses(issuer: Issuer, tmp_path: Path) -> None:
    other = Issuer()
    try:
        known = [
            IssuerSettings(url=each.url, audience=AUDIENCE, client_id=CLIENT)
            for each in (issuer, other)
        ]
        browser = make_browser(build(issuer, tmp_path, issuers=known))
        page = browser.get("/sign-in", params={"next": '/"><script>'})
        assert page.status_code == 200 and "<script>" not in page.text
        sent = browser.get("/sign-in", params={"issuer": other.url})
        assert sent.headers["location"].startswith(other.url)
        assert browser.get("/sign-in", params={"issuer": "https://evil"}).status_code == 200
    finally:
        other.close()


def test_with_no_issuer_there_is_no_sign_in(issuer: Issuer, tmp_path: Path) -> None:
    browser = make_browser(build(issuer, tmp_path, issuers=[]))
    answer = browser.get("/sign-in")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-sign-in")
