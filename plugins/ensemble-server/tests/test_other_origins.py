"""Pages of other sites that may use the API: with a key or a token, never by who looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_server.app import create_app
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK

APP = "https://app.example.org"


@pytest.fixture
def here(tmp_path: Path) -> TestClient:
    app = create_app(Settings(folder=tmp_path, workers=0, allowed_origins=[APP]))
    return TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 5))


def preflight(client: TestClient, origin: str) -> dict[str, str]:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return dict(client.options("/v1/keys", headers=headers).headers)


def test_a_browser_asks_first_and_is_told(here: TestClient) -> None:
    assert preflight(here, APP)["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in preflight(here, APP)
    assert "access-control-allow-origin" not in preflight(here, "https://evil.example")


def test_with_a_key_such_a_page_may(here: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "App", "scopes": ["keys"]}).json()["key"]
    answer = here.get("/v1/keys", headers={"Origin": APP, "Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    refused = here.get("/v1/keys", headers={"Origin": APP, "Authorization": "Bearer wrong"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == APP  # so that it can read why


def test_without_one_it_is_not_the_local_user(here: TestClient) -> None:
    assert here.get("/v1/keys", headers={"Origin": APP}).status_code == 403
    answer = here.post("/v1/keys", json={"name": "a"}, headers={"Origin": APP})
    assert answer.status_code == 403


def test_by_default_no_other_site_may(tmp_path: Path) -> None:
    app = create_app(Settings(folder=tmp_path, workers=0))
    client = TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 5))
    assert "access-control-allow-origin" not in preflight(client, APP)
