"""API keys: made, shown once, used, expired, revoked; and what they may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.api import keys as api_keys
from ensemble_server.app import create_app
from ensemble_server.auth import keys
from ensemble_server.auth.users import user_id_of
from ensemble_server.records.database import Database
from ensemble_server.records.tables import ApiKey, now
from ensemble_server.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, text

LOCAL = ("127.0.0.1", 50000)


@pytest.fixture
def app(tmp_path: Path, stores: dict[str, Any]) -> FastAPI:
    return create_app(Settings(folder=tmp_path, workers=0, **stores))


@pytest.fixture
def here(app: FastAPI) -> TestClient:
    """The local user's client."""
    return TestClient(app, base_url="http://localhost:8000", client=LOCAL)


@pytest.fixture
def away(app: FastAPI) -> TestClient:
    """A client of another machine, whom only a key can make somebody."""
    return TestClient(app, base_url="http://music.example", client=("203.0.113.9", 50000))


@pytest.fixture
def database(app: FastAPI) -> Iterator[Database]:
    yield app.state.auth.database


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_shown_once_and_works_both_ways(here: TestClient, away: TestClient) -> None:
    made = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()["key"]
    for headers in (bearer(key), {"X-API-Key": key}, {"X-API-Key": key, **bearer(key)}):
        listed = away.get("/v1/keys", headers=headers)
        assert listed.status_code == 200
        assert key not in listed.text
        assert listed.json()["keys"][0]["prefix"] == key[:16]


def test_only_the_hash_of_a_key_is_kept(here: TestClient, database: Database) -> None:
    key = here.post("/v1/keys", json={"name": "Script"}).json()["key"]
    with database.read() as session:
        kept = str(session.execute(text("SELECT * FROM api_keys")).all())
    assert key[:16] in kept
    assert key[16:] not in kept


def test_a_revoked_key_is_refused_at_once(here: TestClient, away: TestClient) -> None:
    made = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]}).json()
    assert away.get("/v1/keys", headers=bearer(made["key"])).status_code == 200
    assert here.delete(f"/v1/keys/{made['id']}").status_code == 204
    refused = away.get("/v1/keys", headers=bearer(made["key"]))
    assert refused.status_code == 401
    assert refused.json()["detail"] == "This API key was revoked."
    assert "invalid_token" in refused.headers["www-authenticate"]


def test_an_expired_key_is_refused(away: TestClient, database: Database) -> None:
    user = user_id_of(database, "local", "local")
    row, key = keys.make(user, "old", ["keys"], now() - timedelta(seconds=1))
    with database.write() as session:
        session.add(row)
    refused = away.get("/v1/keys", headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (401, "auth-failed")


@pytest.mark.parametrize(
    "key", ["ens_", "ens_short", "ens_" + "a" * 52, "ens_" + "é" * 52, "ens_" + "a" * 5000]
)
def test_a_made_up_key_is_refused(here: TestClient, key: str) -> None:
    """Also on this machine: what is sent must hold."""
    answer = here.get("/v1/keys", headers={b"x-api-key": key.encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "auth-failed")


def test_a_key_with_one_other_character_is_refused(here: TestClient, away: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]}).json()["key"]
    other = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert away.get("/v1/keys", headers=bearer(other)).status_code == 401


def test_two_different_credentials_are_refused(here: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]}).json()["key"]
    answer = here.get("/v1/keys", headers={"X-API-Key": key, **bearer("other")})
    assert answer.status_code == 401


def test_a_proxys_own_password_does_no_harm(here: TestClient, away: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]}).json()["key"]
    headers = {"X-API-Key": key, "Authorization": "Basic YTpi"}
    assert away.get("/v1/keys", headers=headers).status_code == 200


def test_a_key_cannot_do_what_it_was_not_made_for(here: TestClient, away: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "Reader", "scopes": ["jobs:read"]}).json()["key"]
    refused = away.get("/v1/keys", headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")
    assert 'scope="keys"' in refused.headers["www-authenticate"]


def test_a_key_cannot_make_a_stronger_one(here: TestClient, away: TestClient) -> None:
    key = here.post("/v1/keys", json={"name": "Maker", "scopes": ["keys"]}).json()["key"]
    made = away.post(
        "/v1/keys", json={"name": "More", "scopes": ["jobs:write"]}, headers=bearer(key)
    )
    assert (made.status_code, made.json()["code"]) == (403, "missing-scope")


def test_nobody_sees_or_revokes_anothers_key(
    here: TestClient, away: TestClient, database: Database
) -> None:
    made = here.post("/v1/keys", json={"name": "Mine"}).json()
    row, key = keys.make(user_id_of(database, "https://x", "eve"), "Eve's", ["keys"], None)
    with database.write() as session:
        session.add(row)
    listed = away.get("/v1/keys", headers=bearer(key)).json()["keys"]
    assert [each["name"] for each in listed] == ["Eve's"]
    theirs = away.delete(f"/v1/keys/{made['id']}", headers=bearer(key))
    nobodys = away.delete("/v1/keys/AAAAAAAAAAAAAAAAAAAAAA", headers=bearer(key))
    assert theirs.status_code == nobodys.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**nobodys.json(), "request_id": ""}


def test_use_is_noted_at_most_once_a_minute(
    here: TestClient, away: TestClient, database: Database
) -> None:
    made = here.post("/v1/keys", json={"name": "Script", "scopes": ["keys"]}).json()

    def last_used() -> object:
        with database.read() as session:
            return session.scalar(select(ApiKey.last_used).where(ApiKey.id == made["id"]))

    assert last_used() is None
    away.get("/v1/keys", headers=bearer(made["key"]))
    first = last_used()
    assert first is not None
    away.get("/v1/keys", headers=bearer(made["key"]))
    assert last_used() == first
    with database.write() as session:
        session.get_one(ApiKey, made["id"]).last_used = now() - timedelta(seconds=61)
    away.get("/v1/keys", headers=bearer(made["key"]))
    assert last_used() > first  # type: ignore[operator]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["everything"]},
        {"name": "a", "days": 0},
        {"name": "a", "user_id": "somebody"},
    ],
)
def test_a_key_badly_asked_for_is_refused(here: TestClient, asked: dict[str, object]) -> None:
    answer = here.post("/v1/keys", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def test_there_are_not_too_many_keys_even_if_asked_for_at_once(
    here: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MOST", 10)

    def make(_: int) -> int:
        return here.post("/v1/keys", json={"name": "a"}).status_code

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(make, range(30))) == {201: 10, 409: 20}
