"""The one local user: on this machine, and not for other sites' pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_server.app import create_app
from ensemble_server.auth.principal import Reader
from ensemble_server.settings import Issuer, Settings
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse


def client(
    tmp_path: Path,
    base_url: str = "http://localhost:8000",
    address: str = "127.0.0.1",
    **settings: object,
) -> TestClient:
    app = create_app(Settings(folder=tmp_path, workers=0, **settings))  # type: ignore[arg-type]
    return TestClient(app, base_url=base_url, client=(address, 50000))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "127.8.9.1"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_on_this_machine_nobody_has_to_sign_in(tmp_path: Path, host: str, address: str) -> None:
    assert client(tmp_path, f"http://{host}", address).get("/v1/keys").status_code == 200


@pytest.mark.parametrize("address", ["192.168.1.5", "203.0.113.7", "::2", "fe80::1", "testclient"])
def test_from_elsewhere_one_is_nobody(tmp_path: Path, address: str) -> None:
    answer = client(tmp_path, address=address).get("/v1/keys")
    assert (answer.status_code, answer.json()["code"]) == (401, "auth-required")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:8000",
        "localhost.example",
        "127.0.0.1.example",
        "2130706433",
        "0.0.0.0",
        "a@localhost",
    ],
)
def test_a_name_that_resolves_to_this_machine_is_not_it(tmp_path: Path, host: str) -> None:
    """DNS rebinding: the page's own name stands in Host."""
    answer = client(tmp_path).get("/v1/keys", headers={"Host": host})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_on_this_machine_passes_on_is_not_local(tmp_path: Path, header: str) -> None:
    assert client(tmp_path).get("/v1/keys", headers={header: "203.0.113.1"}).status_code == 401


@pytest.mark.parametrize(
    "settings",
    [
        {"local_user": False},
        {"public_url": "https://music.example"},
        {"issuers": [Issuer(url="https://login.example", audience="a")]},
    ],
)
def test_a_service_for_many_has_no_local_user(tmp_path: Path, settings: dict[str, object]) -> None:
    assert client(tmp_path, **settings).get("/v1/keys").status_code == 401


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1:8000"},
    {"Origin": "http://[broken"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    {"Referer": "https://evil.example/page"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_page_cannot_change_anything(tmp_path: Path, headers: dict[str, str]) -> None:
    here = client(tmp_path)
    answer = here.post("/v1/keys", json={"name": "Stolen"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
    assert here.get("/v1/keys").json() == {"keys": []}


@pytest.mark.parametrize("headers", FOREIGN[:7])
def test_a_foreign_page_cannot_read_anything(tmp_path: Path, headers: dict[str, str]) -> None:
    assert client(tmp_path).get("/v1/keys", headers=headers).status_code == 403


def test_a_link_from_elsewhere_may_be_followed(tmp_path: Path) -> None:
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Referer": "https://elsewhere.example/",
    }
    assert client(tmp_path).get("/v1/keys", headers=headers).status_code == 200


def test_ones_own_pages_may(tmp_path: Path) -> None:
    headers = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
    answer = client(tmp_path).post("/v1/keys", json={"name": "Mine"}, headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
def test_a_foreign_page_cannot_open_a_websocket(tmp_path: Path, origin: str) -> None:
    here = client(tmp_path)
    assert isinstance(here.app, FastAPI)

    @here.app.websocket("/live")
    async def live(socket: WebSocket, user: Reader) -> None:
        await socket.accept()
        await socket.send_text(user.via)
        await socket.close()

    with here.websocket_connect("ws://localhost:8000/live") as socket:
        assert socket.receive_text() == "local"
    headers = {"Origin": origin}
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        here.websocket_connect("ws://localhost:8000/live", headers=headers),
    ):
        pass
    assert refused.value.status_code == 403


def test_the_secret_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    first, second = client(tmp_path), client(tmp_path)
    assert first.app.state.auth.secret == second.app.state.auth.secret  # type: ignore[attr-defined]
    assert len(first.app.state.auth.secret) >= 32  # type: ignore[attr-defined]
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert [file.name for file in tmp_path.glob("secret*")] == ["secret"]
