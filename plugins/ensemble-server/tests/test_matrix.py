"""Who may see and do what: every endpoint for every kind of caller.

An endpoint that has no entry here fails :func:`test_every_endpoint_has_an_entry`.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from ensemble_server.app import create_app
from ensemble_server.auth import keys
from ensemble_server.auth.principal import KEYS, READ, SCOPES, WEBHOOKS, WRITE
from ensemble_server.auth.users import user_id_of
from ensemble_server.records.tables import ApiKey, Webhook, now
from ensemble_server.settings import Issuer as IssuerSettings
from ensemble_server.settings import Limits, Settings
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from service_issuer import AUDIENCE, Issuer
from service_receiving import Receiver
from serving import MOCK, ended, picture, send
from sqlalchemy import delete
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount
from starlette.testclient import WebSocketDenialResponse

HOME = "https://music.example"
MADE_UP = "AAAAAAAAAAAAAAAAAAAAAA"
ANYBODY, VISITOR = "anybody", "visitor"


@attrs.frozen
class Entry:
    """What an endpoint answers.

    Attributes:
        needs: The scope it needs; ``ANYBODY``: it does not look at who asks; ``VISITOR``: nobody
            has to say who they are, but what they say must hold.
        owner: To whom it belongs and who may.
        other: To another user, with all scopes.
        sent: What the request carries.
    """

    needs: str
    owner: int
    other: int
    sent: dict[str, Any] = attrs.field(factory=dict)


UPLOAD = {
    "files": [("files", ("page.png", picture(), "image/png"))],
    "data": {"options": json.dumps(MOCK)},
}

ENTRIES = {
    "POST /v1/jobs": Entry(WRITE, 202, 202, UPLOAD),
    "GET /v1/jobs": Entry(READ, 200, 200),
    "GET /v1/jobs/{job_id}": Entry(READ, 200, 404),
    "DELETE /v1/jobs/{job_id}": Entry(WRITE, 204, 404),
    "POST /v1/jobs/{job_id}/cancel": Entry(WRITE, 200, 404),
    "POST /v1/jobs/{job_id}/retry": Entry(WRITE, 202, 404),
    "GET /v1/jobs/{job_id}/artifacts/{name}": Entry(READ, 200, 404),
    "GET /v1/jobs/{job_id}/package": Entry(READ, 200, 404),
    "GET /v1/jobs/{job_id}/events": Entry(READ, 200, 404),
    "WS /v1/jobs/{job_id}/ws": Entry(READ, 101, 404),
    "GET /v1/capabilities": Entry(VISITOR, 200, 200),
    "GET /v1/keys": Entry(KEYS, 200, 200),
    "POST /v1/keys": Entry(KEYS, 201, 201, {"json": {"name": "New", "scopes": ["keys"]}}),
    "DELETE /v1/keys/{key_id}": Entry(KEYS, 204, 404),
    "GET /v1/webhooks": Entry(WEBHOOKS, 200, 200),
    "POST /v1/webhooks": Entry(WEBHOOKS, 201, 201, {"json": {"url": "RECEIVER"}}),
    "DELETE /v1/webhooks/{webhook_id}": Entry(WEBHOOKS, 204, 404),
    "POST /v1/webhooks/{webhook_id}/test": Entry(WEBHOOKS, 200, 404),
    "GET /v1/webhooks/{webhook_id}/deliveries": Entry(WEBHOOKS, 200, 404),
    "GET /health/live": Entry(ANYBODY, 200, 200),
    "GET /health/ready": Entry(ANYBODY, 200, 200),
    "GET /metrics": Entry(ANYBODY, 404, 404),  # from outside
    "GET /openapi.json": Entry(ANYBODY, 200, 200),
    # The API of the product this began as.
    "POST /api/sheet-to-digital/convert": Entry(
        WRITE, 202, 202, {"json": {"image": base64.b64encode(picture()).decode()}}
    ),
    "GET /api/sheet-to-digital/status/{job_id}": Entry(READ, 200, 404),
    "GET /api/sheet-to-digital/download/{job_id}/{format}": Entry(READ, 200, 404),
    "GET /api/sheet-to-digital/formats": Entry(VISITOR, 200, 200),
    "GET /api/sheet-to-digital/health": Entry(ANYBODY, 200, 200),
    "GET /health": Entry(ANYBODY, 200, 200),
    # Pages.
    "GET /": Entry(VISITOR, 200, 200),
    "GET /jobs": Entry(READ, 200, 200),
    "POST /jobs": Entry(
        WRITE, 303, 303, {"files": UPLOAD["files"], "data": {"recognizer": "mock"}}
    ),
    "GET /jobs/{job_id}": Entry(READ, 200, 404),
    "POST /jobs/{job_id}/cancel": Entry(WRITE, 303, 404),
    "POST /jobs/{job_id}/retry": Entry(WRITE, 303, 404),
    "POST /jobs/{job_id}/delete": Entry(WRITE, 303, 404, {"data": {"sure": "yes"}}),
    "GET /settings": Entry(KEYS, 200, 200),
    "POST /settings/keys": Entry(KEYS, 200, 200, {"data": {"name": "a", "scopes": ["keys"]}}),
    "POST /settings/keys/{key_id}/revoke": Entry(KEYS, 303, 404),
    "POST /settings/webhooks": Entry(WEBHOOKS, 200, 200, {"data": {"url": "RECEIVER"}}),
    "POST /settings/webhooks/{webhook_id}/remove": Entry(WEBHOOKS, 303, 404),
    "POST /settings/mail": Entry(WRITE, 303, 303, {"data": {"notify": "yes"}}),
    "GET /sign-in": Entry(VISITOR, 404, 404),  # these issuers are for the API alone
    "GET /sign-in/back": Entry(VISITOR, 400, 400),
    "POST /sign-out": Entry(VISITOR, 303, 303),
}

BAD = (
    "revoked key",
    "expired key",
    "made-up key",
    "expired token",
    "wrong audience",
    "wrong issuer",
    "alg=none",
    "RS/HS confusion",
    "another's signature",
)


class World:
    """A service, and those who ask it."""

    def __init__(self, app: FastAPI, client: TestClient, issuer: Issuer, receiver: Receiver):
        self.app, self.client, self.issuer, self.receiver = app, client, issuer, receiver
        self.database = app.state.auth.database
        self.owner_id = user_id_of(self.database, issuer.url, "owner")
        self.owner = {"Authorization": f"Bearer {issuer.token(sub='owner', exp=FOREVER)}"}
        self.other = {"Authorization": f"Bearer {issuer.token(sub='other', exp=FOREVER)}"}
        self.kept: list[str] = []
        self.bad = dict(zip(BAD, self._bad(), strict=True))

    def key(self, scopes: Any, revoked: bool = False, expired: bool = False) -> dict[str, str]:
        before = now() - timedelta(seconds=1)
        row, key = keys.make(self.owner_id, "made by hand", scopes, before if expired else None)
        row.revoked = before if revoked else None
        with self.database.write() as session:
            session.add(row)
        return {"X-API-Key": key}

    def _bad(self) -> Iterator[dict[str, str]]:
        yield self.key(SCOPES, revoked=True)
        yield self.key(SCOPES, expired=True)
        yield {"X-API-Key": "ens_" + "a" * 52}
        owner = {"sub": "owner", "exp": FOREVER}
        stolen = self.issuer.token(**owner).rpartition(".")[0]
        for token in (
            self.issuer.token(sub="owner", exp=int(time.time()) - 90),
            self.issuer.token(**owner, aud="another"),
            self.issuer.token(**owner, iss="https://evil.example"),
            self.issuer.unsigned(**owner),
            self.issuer.confused(**owner),
            f"{stolen}.{self.issuer.token(sub='other').rpartition('.')[2]}",
        ):
            yield {"Authorization": f"Bearer {token}"}

    def session(self) -> tuple[str, str]:
        """The owner, signed in: the cookie and the token against forged requests."""
        sessions, response = self.app.state.auth.sessions, Response()
        scope = {"type": "http", "headers": [], "scheme": "https", "path": "/", "server": ("a", 1)}
        sessions.begin(Request(scope), response, self.owner_id)
        cookie = response.headers["set-cookie"].partition(";")[0]
        scope["headers"] = [(b"cookie", cookie.encode())]
        return cookie, sessions.find(Request(scope)).csrf_token

    def things(self) -> dict[str, str]:
        """One of each, of the owner's, newly made; the keys and webhooks of before are gone."""
        with self.database.write() as session:
            session.execute(delete(Webhook).where(Webhook.id.not_in(self.kept)))
            session.execute(delete(ApiKey).where(ApiKey.id.not_in(self.kept), ApiKey.name == "a"))
        self.client.headers = self.owner  # type: ignore[assignment]
        job = send(self.client).json()["id"]
        files = ended(self.client, job)["files"]
        key = self.client.post("/v1/keys", json={"name": "a"}).json()["id"]
        hook = self.client.post("/v1/webhooks", json={"url": self.receiver.url}).json()["id"]
        self.client.headers = {}  # type: ignore[assignment]
        name = next(each["name"] for each in files if each["kind"] == "output")
        return {
            "job_id": job, "name": name, "format": "musicxml", "key_id": key, "webhook_id": hook,
        }  # fmt: skip

    def ask(self, endpoint: str, things: dict[str, str], headers: dict[str, str]) -> Any:
        """The answer (of a WebSocket: the status) to a request."""
        method, _, path = endpoint.partition(" ")
        path = path.format(**things)
        sent = json.loads(json.dumps(_plain(endpoint)).replace("RECEIVER", self.receiver.url))
        if "files" in ENTRIES[endpoint].sent:
            sent["files"] = ENTRIES[endpoint].sent["files"]
        if method != "WS":
            return self.client.request(method, path, headers=headers, **sent)
        try:
            with self.client.websocket_connect(f"wss://music.example{path}", headers=headers):
                return _Status(101)
        except WebSocketDenialResponse as refused:
            return _Status(refused.status_code)


@attrs.frozen
class _Status:
    status_code: int


FOREVER = int(time.time()) + 3600


def _plain(endpoint: str) -> dict[str, Any]:
    return {name: value for name, value in ENTRIES[endpoint].sent.items() if name != "files"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    issuer, receiver = Issuer(), Receiver()
    settings = Settings(
        folder=tmp_path_factory.mktemp("service"),
        workers=1,
        public_url=HOME,
        issuers=[IssuerSettings(url=issuer.url, audience=AUDIENCE)],
        webhooks_to_private=True,
        limits=Limits(requests_per_minute=0, jobs_per_minute=0),
    )
    app = create_app(settings)
    with TestClient(app, base_url=HOME, client=("192.0.66.1", 5), follow_redirects=False) as client:
        yield World(app, client, issuer, receiver)
    issuer.close()
    receiver.close()


@pytest.fixture(scope="module")
def untouched(world: World) -> Iterator[dict[str, str]]:
    """What nobody but its owner may touch; and at the end nobody has."""
    things = world.things()
    world.kept = list(things.values())
    before = world.client.get(f"/v1/jobs/{things['job_id']}", headers=world.owner).json()
    yield things
    after = world.client.get(f"/v1/jobs/{things['job_id']}", headers=world.owner).json()
    assert after == before
    with world.database.read() as session:
        assert session.get_one(ApiKey, things["key_id"]).revoked is None
    hooks = world.client.get("/v1/webhooks", headers=world.owner).json()["webhooks"]
    assert things["webhook_id"] in {each["id"] for each in hooks}


def all_routes(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from all_routes(inner.routes)
        else:
            yield route


def test_every_endpoint_has_an_entry(world: World) -> None:
    found = set()
    for route in all_routes(world.app.routes):
        if isinstance(route, Mount):
            assert route.path.startswith("/static/")  # the same for everybody
            continue
        path = getattr(route, "path")  # noqa: B009 - not of every kind of route
        methods = getattr(route, "methods", None) or {"WS"}
        found |= {f"{method} {path}" for method in methods - {"HEAD", "OPTIONS"}}
    documented = {
        f"{method.upper()} {path}"
        for path, methods in world.app.openapi()["paths"].items()
        for method in methods
    }
    assert documented <= found
    assert found == set(ENTRIES)


guarded = pytest.mark.parametrize(
    "endpoint", [name for name, entry in ENTRIES.items() if entry.needs in SCOPES]
)
everything = pytest.mark.parametrize("endpoint", ENTRIES)


@everything
def test_the_owner_may(world: World, endpoint: str) -> None:
    assert world.ask(endpoint, world.things(), world.owner).status_code == ENTRIES[endpoint].owner


@guarded
def test_a_key_with_the_one_scope_is_enough(world: World, endpoint: str) -> None:
    entry = ENTRIES[endpoint]
    # The page of settings shows webhooks as well as keys.
    scopes = [KEYS, WEBHOOKS] if "/settings" in endpoint and entry.needs != WRITE else [entry.needs]
    answer = world.ask(endpoint, world.things(), world.key(scopes))
    assert answer.status_code == entry.owner


@everything
def test_another_user_may_not(world: World, untouched: dict[str, str], endpoint: str) -> None:
    answer = world.ask(endpoint, untouched, world.other)
    assert answer.status_code == ENTRIES[endpoint].other
    if answer.status_code == 404 and endpoint.startswith(("GET /v1", "POST /v1", "DELETE /v1")):
        made_up = dict.fromkeys(untouched, MADE_UP)
        nothing = world.ask(endpoint, made_up, world.owner).json()
        assert {**answer.json(), "request_id": ""} == {**nothing, "request_id": ""}


@everything
def test_nobody_may_not(world: World, untouched: dict[str, str], endpoint: str) -> None:
    entry = ENTRIES[endpoint]
    answer = world.ask(endpoint, untouched, {})
    assert answer.status_code == (401 if entry.needs in SCOPES else entry.owner)


@pytest.mark.parametrize("caller", BAD)
@everything
def test_what_is_sent_must_hold(
    world: World, untouched: dict[str, str], endpoint: str, caller: str
) -> None:
    entry = ENTRIES[endpoint]
    answer = world.ask(endpoint, untouched, world.bad[caller])
    assert answer.status_code == (entry.owner if entry.needs == ANYBODY else 401)


@pytest.mark.parametrize("by", ["key", "token"])
@guarded
def test_without_the_scope_one_may_not(
    world: World, untouched: dict[str, str], endpoint: str, by: str
) -> None:
    scopes = SCOPES.keys() - {ENTRIES[endpoint].needs}
    if by == "key":
        headers = world.key(scopes)
    else:
        token = world.issuer.token(sub="owner", scope=" ".join(scopes))
        headers = {"Authorization": f"Bearer {token}"}
    assert world.ask(endpoint, untouched, headers).status_code == 403


CHANGING = [
    name
    for name, entry in ENTRIES.items()
    if not name.startswith("GET") and (entry.needs in SCOPES or name == "POST /sign-out")
]


@pytest.mark.parametrize(("endpoint", "forged"), itertools.product(CHANGING, ["token", "origin"]))
def test_a_forged_request_of_somebody_signed_in_is_refused(
    world: World, untouched: dict[str, str], endpoint: str, forged: str
) -> None:
    cookie, token = world.session()
    headers = {"Cookie": cookie, "Origin": HOME, "X-CSRF-Token": token}
    if forged == "token":
        del headers["X-CSRF-Token"]
    else:
        headers["Origin"] = "https://evil.example"
    answer = world.ask(endpoint, untouched, headers)
    if endpoint.startswith("WS") and forged == "token":
        assert answer.status_code == 101  # a browser cannot send it; the origin is what counts
    else:
        assert answer.status_code == 403


@guarded
def test_somebody_signed_in_may(world: World, endpoint: str) -> None:
    cookie, token = world.session()
    headers = {"Cookie": cookie, "Origin": HOME, "X-CSRF-Token": token}
    answer = world.ask(endpoint, world.things(), headers)
    assert answer.status_code == ENTRIES[endpoint].owner
