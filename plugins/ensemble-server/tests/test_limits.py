"""What one user may do a minute, exactly, under many clients at once and on several nodes."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.app import create_app
from ensemble_server.auth import keys
from ensemble_server.auth.users import user_id_of
from ensemble_server.settings import Limits, Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from service_running import running
from serving import LOOPBACK, send, wait_for

pytestmark = pytest.mark.long

CLIENTS = 50


def build(folder: Path, stores: dict[str, Any] | None = None, **limits: int) -> FastAPI:
    settings = Settings(folder=folder, workers=0, limits=Limits(**limits), **(stores or {}))
    return create_app(settings)


def key_for(app: FastAPI, subject: str) -> dict[str, str]:
    database = app.state.auth.database
    row, key = keys.make(
        user_id_of(database, "https://x", subject), "a", ["jobs:read", "jobs:write", "keys"], None
    )
    with database.write() as session:
        session.add(row)
    return {"X-API-Key": key}


def ask_often(urls: list[str], times: int, **request: Any) -> list[httpx.Response]:
    """``times`` requests, by 50 clients at once, to the nodes in turn."""

    def ask(number: int) -> httpx.Response:
        with httpx.Client(timeout=60, verify=False) as client:  # loads no certificates: faster
            return client.request(url=urls[number % len(urls)], **request)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(ask, range(times)))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here")
    server = Redis(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


class Redis:
    """A real Redis that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self._answers, 20)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def test_exactly_as_many_requests_as_allowed_on_one_node(tmp_path: Path) -> None:
    app = build(tmp_path, requests_per_minute=70)
    me, other = key_for(app, "me"), key_for(app, "other")
    with running(app) as url:
        answers = ask_often([f"{url}/v1/keys"], 120, method="GET", headers=me)
        assert Counter(each.status_code for each in answers) == {200: 70, 429: 50}
        # Nobody else is held up, not even those who say nothing of themselves.
        assert httpx.get(f"{url}/v1/keys", headers=other).status_code == 200
        assert httpx.get(f"{url}/v1/keys").status_code == 200


def test_exactly_as_many_requests_as_allowed_on_three_nodes(
    tmp_path: Path, redis_server: Redis
) -> None:
    apps = [build(tmp_path, {"redis": redis_server.url}, requests_per_minute=70) for _ in range(3)]
    me = key_for(apps[0], "me")
    with ExitStack() as stack:
        urls = [f"{stack.enter_context(running(app))}/v1/keys" for app in apps]
        answers = ask_often(urls, 120, method="GET", headers=me)
    assert Counter(each.status_code for each in answers) == {200: 70, 429: 50}


def test_answers_say_where_one_stands(tmp_path: Path) -> None:
    app = build(tmp_path, requests_per_minute=3, jobs_per_minute=2)
    with TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 5)) as client:
        answer = client.get("/v1/keys")
        assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
        assert answer.headers["ratelimit"].startswith('"requests";r=2;t=')
        sent = send(client)
        assert sent.headers["ratelimit-policy"] == '"requests";q=3;w=60, "jobs";q=2;w=60'
        assert client.get("/v1/jobs/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404
        refused = client.get("/v1/keys")
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
    assert "x-request-id" in refused.headers


def test_bad_credentials_count_by_address(tmp_path: Path) -> None:
    app = build(tmp_path, requests_per_minute=5)
    client = TestClient(app, client=("203.0.113.1", 5))
    bad = {"X-API-Key": "ens_" + "a" * 52}
    statuses = [client.get("/v1/keys", headers=bad).status_code for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    other = TestClient(app, client=("203.0.113.2", 5))
    assert other.get("/v1/keys", headers=bad).status_code == 401


def test_an_ipv6_network_is_one_address(tmp_path: Path) -> None:
    app = build(tmp_path, requests_per_minute=5)
    statuses = [
        TestClient(app, client=(f"2001:db8:1:2::{host:x}", 5)).get("/v1/keys").status_code
        for host in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2
    other = TestClient(app, client=("2001:db8:1:3::1", 5))
    assert other.get("/v1/keys").status_code == 401


@pytest.mark.parametrize(
    ("limits", "code"),
    [({"jobs_per_minute": 20}, "too-many-jobs"), ({"queued_jobs": 20}, "queue-full")],
)
def test_exactly_as_many_jobs_as_allowed(tmp_path: Path, limits: dict[str, int], code: str) -> None:
    app = build(tmp_path, **limits)
    me, other = key_for(app, "me"), key_for(app, "other")
    with running(app) as url:

        def one(_: int) -> httpx.Response:
            with httpx.Client(base_url=url, headers=me, timeout=60, verify=False) as client:
                answer: httpx.Response = send(client)
                return answer

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(one, range(60)))
        assert Counter(each.status_code for each in answers) == {202: 20, 429: 40}
        for refused in (each for each in answers if each.status_code == 429):
            assert refused.json()["code"] == code
            assert int(refused.headers["retry-after"]) >= 1
        listed = httpx.get(f"{url}/v1/jobs?limit=200", headers=me).json()["jobs"]
        assert len(listed) == 20
        with httpx.Client(base_url=url, headers=other, timeout=60, verify=False) as client:
            assert send(client).status_code == 202


def test_without_redis_each_node_counts_for_itself(tmp_path: Path, redis_server: Redis) -> None:
    app = build(tmp_path, {"redis": redis_server.url}, requests_per_minute=10)
    me = key_for(app, "me")
    limiter = app.state.limiter
    client = TestClient(app, client=("203.0.113.1", 5), headers=me)
    assert [client.get("/v1/keys").status_code for _ in range(4)] == [200] * 4
    redis_server.kill()
    statuses = [client.get("/v1/keys").status_code for _ in range(14)]
    assert statuses == [200] * 10 + [429] * 4
    redis_server.start()
    wait_for(lambda: client.get("/v1/keys").status_code == 200)  # Redis, which knows nothing
    assert limiter._away_until == 0.0


def test_a_large_body_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """By its length alone, and if it says none, as soon as it is too much."""
    app = build(tmp_path, request_bytes=2_000_000)
    with running(app) as url:
        for path, most in (("/v1/keys", 1 << 20), ("/v1/jobs", 2_000_000), ("/nowhere", 1 << 20)):
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
                head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                client.sendall(f"{head}Content-Length: {most + 1}\r\n\r\n".encode())
                client.settimeout(20)
                assert client.recv(100).startswith(b"HTTP/1.1 413")
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            while sent < 50_000_000:
                sent += 65536
                yield b"x" * 65536

        try:
            answer = httpx.post(f"{url}/v1/keys", content=endless(), timeout=20)
        except httpx.WriteError:  # it hung up while we were still sending
            pass
        else:
            assert (answer.status_code, answer.json()["code"]) == (413, "file-too-large")
        assert sent < 50_000_000
        assert httpx.get(f"{url}/v1/keys").json() == {"keys": []}
