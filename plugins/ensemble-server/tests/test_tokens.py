"""Bearer tokens of an OpenID Connect issuer, against a real one on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ensemble_server.app import create_app
from ensemble_server.auth import fetching, issuers
from ensemble_server.records.tables import User
from ensemble_server.settings import Issuer as IssuerSettings
from ensemble_server.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from service_issuer import AUDIENCE, Issuer
from sqlalchemy import select


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def app(issuer: Issuer, tmp_path: Path) -> Iterator[FastAPI]:
    settings = Settings(
        folder=tmp_path, workers=0, issuers=[IssuerSettings(url=issuer.url, audience=AUDIENCE)]
    )
    app = create_app(settings)
    yield app
    app.state.auth.close()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="https://music.example", client=("203.0.113.9", 50000))


def ask(client: TestClient, token: str) -> Any:
    return client.get("/v1/keys", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_a_good_token_is_enough(client: TestClient, issuer: Issuer, kid: str) -> None:
    assert ask(client, issuer.token(kid)).status_code == 200


def test_users_are_made_at_first_sight_and_once(
    client: TestClient, issuer: Issuer, app: FastAPI
) -> None:
    ask(client, issuer.token(name="Anna", email="anna@example.org", email_verified=True))
    ask(client, issuer.token(name="Anna B.", email="other@example.org"))
    ask(client, issuer.token(sub="ben", email="a@b\nBcc: c@d", email_verified=True))
    with app.state.auth.database.read() as session:
        users = {user.subject: user for user in session.scalars(select(User))}
    assert set(users) == {"anna", "ben"}
    assert (users["anna"].name, users["anna"].email) == ("Anna B.", "anna@example.org")
    assert users["ben"].email == ""


def at(claims: dict[str, Any]) -> dict[str, Any]:
    """Times are given in seconds from now, and now is when they are used."""
    times = {"exp", "nbf", "iat"}
    return {
        name: int(time.time()) + value if name in times and value is not None else value
        for name, value in claims.items()
    }


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"exp": -90}, "expired"),
        ({"exp": None}, "does not hold"),
        ({"iat": None}, "does not hold"),
        ({"nbf": 900}, "not valid yet"),
        ({"iat": 900}, "not valid yet"),
        ({"aud": "another"}, "another service"),
        ({"aud": ["another", "third"]}, "another service"),
        ({"aud": "another", "azp": AUDIENCE}, "another service"),
        ({"aud": None}, "another service"),
        ({"aud": None, "azp": "https://evil.example"}, "another service"),
        ({"iss": "https://evil.example"}, "issuer that does not count"),
        ({"iss": None}, "issuer that does not count"),
        ({"sub": None}, "does not hold"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
        ({"sub": "a\x00b"}, "names nobody"),
        ({"sts": "pending"}, "not complete"),
    ],
)
def test_a_token_that_does_not_hold_is_refused(
    client: TestClient, issuer: Issuer, claims: dict[str, Any], detail: str
) -> None:
    answer = ask(client, issuer.token(**at(claims)))
    assert (answer.status_code, answer.json()["code"]) == (401, "auth-failed")
    assert detail in answer.json()["detail"]
    assert "invalid_token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -20},
        {"nbf": 30},
        {"iat": 30},
        {"aud": ["another", AUDIENCE]},
        {"aud": None, "azp": AUDIENCE},
    ],
)
def test_clocks_may_differ_and_audiences_be_several(
    client: TestClient, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """Clerk names the audience in ``azp`` alone."""
    assert ask(client, issuer.token(**at(claims))).status_code == 200


def test_an_unsigned_token_is_refused(client: TestClient, issuer: Issuer) -> None:
    for token in (issuer.unsigned(), issuer.unsigned().replace("none", "None")):
        assert ask(client, token).status_code == 401


def test_a_public_key_is_no_secret(client: TestClient, issuer: Issuer) -> None:
    """RS/HS confusion; and an HS256 token with any other secret."""
    assert ask(client, issuer.confused()).status_code == 401
    by_secret = jwt.encode(issuer.claims(), "x" * 40, "HS256", headers={"kid": "rsa"})
    assert ask(client, by_secret).status_code == 401


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_other_algorithms_are_refused(client: TestClient, issuer: Issuer, algorithm: str) -> None:
    token = jwt.encode(issuer.claims(), issuer.keys["rsa"], algorithm, headers={"kid": "rsa"})
    assert ask(client, token).status_code == 401


def test_a_key_the_token_brings_along_does_not_count(client: TestClient, issuer: Issuer) -> None:
    mine = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key(), as_dict=True)
    for headers in ({"kid": "rsa", "jwk": public}, {"kid": "rsa", "jku": "http://127.0.0.1:1/"}):
        token = jwt.encode(issuer.claims(), mine, "RS256", headers=headers)
        assert ask(client, token).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"crit": ["exp"]}, {"typ": "logout+jwt"}, {"kid": "unknown"}, {"kid": "ec"}]
)
def test_other_headers_are_refused(
    client: TestClient, issuer: Issuer, headers: dict[str, Any]
) -> None:
    assert ask(client, issuer.token(headers=headers)).status_code == 401


def test_a_changed_token_is_refused(client: TestClient, issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    _, claims, _ = issuer.token(sub="root").split(".")
    assert ask(client, f"{head}.{claims}.{signature}").status_code == 401


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "e30.e30.", "e30.e30.e30", "." * 20, "é.é.é", "a" * 20_000],
)
def test_rubbish_is_refused(client: TestClient, token: str) -> None:
    headers = {b"authorization": b"Bearer " + token.encode()}
    answer = client.get("/v1/keys", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth-failed")


def test_deeply_nested_claims_are_refused(client: TestClient) -> None:
    part = jwt.utils.base64url_encode(b"[" * 5000).decode()
    head = jwt.utils.base64url_encode(json.dumps({"alg": "RS256", "kid": "rsa"}).encode()).decode()
    for token in (f"{head}.{part}.AA", f"{part}.{part}.AA"):
        assert ask(client, token).status_code == 401


def test_scopes_of_a_token_narrow_what_it_may(client: TestClient, issuer: Issuer) -> None:
    assert ask(client, issuer.token(scope="openid profile")).status_code == 200
    assert ask(client, issuer.token(scope="openid keys")).status_code == 200
    answer = ask(client, issuer.token(scope="openid jobs:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")
    assert ask(client, issuer.token(scp=["jobs:read"])).status_code == 403


def test_keys_are_fetched_once(client: TestClient, issuer: Issuer) -> None:
    for _ in range(5):
        assert ask(client, issuer.token()).status_code == 200
    assert issuer.requests["/keys"] == 1


def test_a_new_key_is_found_but_made_up_ones_cause_no_storm(
    client: TestClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(client, issuer.token()).status_code == 200
    issuer.add_key("ec-new", ec.generate_private_key(ec.SECP256R1()))
    for number in range(20):
        assert ask(client, issuer.token(headers={"kid": f"made-up-{number}"})).status_code == 401
    assert issuer.requests["/keys"] == 1
    assert ask(client, issuer.token("ec-new")).status_code == 401
    monkeypatch.setattr(issuers, "FETCH_EVERY", 0.0)
    assert ask(client, issuer.token("ec-new")).status_code == 200
    assert issuer.requests["/keys"] == 2


def test_a_withdrawn_key_stops_counting(
    client: TestClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token()
    assert ask(client, token).status_code == 200
    del issuer.keys["rsa"]
    monkeypatch.setattr(issuers, "FETCH_EVERY", 0.0)
    monkeypatch.setattr(issuers, "KEYS_FRESH", 0.0)
    assert ask(client, token).status_code == 401


def test_an_issuer_that_is_away_is_no_error_of_ours(
    client: TestClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.away = True
    answer = ask(client, issuer.token())
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-away")
    assert answer.headers["retry-after"] == "30"
    monkeypatch.setattr(issuers, "FETCH_EVERY", 0.0)
    issuer.away = False
    assert ask(client, issuer.token()).status_code == 200
    issuer.away = True
    monkeypatch.setattr(issuers, "KEYS_FRESH", 0.0)
    assert ask(client, issuer.token()).status_code == 200  # the keys of before go on counting


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"jwks_uri": None}, {"filler": "x" * fetching.LARGEST}],
)
def test_wrong_metadata_is_not_believed(
    client: TestClient, issuer: Issuer, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    assert ask(client, issuer.token()).status_code == 503


def test_weak_and_foreign_keys_are_passed_over(client: TestClient, issuer: Issuer) -> None:
    issuer.add_key("rsa-weak", rsa.generate_private_key(65537, 1024))
    issuer.add_key("ec-other", ec.generate_private_key(ec.SECP384R1()))
    assert ask(client, issuer.token()).status_code == 200
    assert ask(client, issuer.token("rsa-weak")).status_code == 401
