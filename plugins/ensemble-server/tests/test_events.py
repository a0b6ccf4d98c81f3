"""The events of a job, live and afterwards, over SSE and WebSocket."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from ensemble_server.api import events as events_module
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import MOCK, ended, send, serving, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

DELAYED = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "1s"}}}


def events_of(client: httpx.Client, url: str, **more: Any) -> list[dict[str, Any]]:
    """All events until the stream ends; the id of each is held to the number in it."""
    found = []
    last = ""
    with client.stream("GET", url, timeout=60, **more) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id: "):
                last = line[4:]
            elif line.startswith("data: "):
                event = json.loads(line[6:])
                assert event["number"] is None or str(event["number"]) == last
                found.append(event)
    return found


def durable(events: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in events if each["number"] is not None]


def test_events_come_live_until_the_end_and_again_from_any_number(server: str) -> None:
    with httpx.Client(base_url=server) as client:
        job = send(client, options=DELAYED).json()["id"]
        events = events_of(client, f"/v1/jobs/{job}/events")
        assert durable(events) == ["queued", "started", "page", "done"]
        assert [each["number"] for each in events if each["number"]] == [1, 2, 3, 4]
        assert any(each["kind"] == "progress" for each in events)
        again = events_of(client, f"/v1/jobs/{job}/events")
        assert durable(again) == ["queued", "started", "page", "done"]
        rest = events_of(client, f"/v1/jobs/{job}/events", headers={"Last-Event-ID": "2"})
        assert durable(rest) == ["page", "done"]
        assert durable(events_of(client, f"/v1/jobs/{job}/events?after=3")) == ["done"]
        assert events_of(client, f"/v1/jobs/{job}/events?after=4") == []


def test_a_websocket_gives_the_same_and_closes_at_the_end(server: str) -> None:
    with httpx.Client(base_url=server) as client:
        job = send(client, options=DELAYED).json()["id"]
        with connect(f"ws{server[4:]}/v1/jobs/{job}/ws") as socket:
            events = [json.loads(text) for text in socket]
        assert durable(events) == ["queued", "started", "page", "done"]
        with pytest.raises(InvalidStatus), connect(f"ws{server[4:]}/v1/jobs/nothing/ws"):
            pass


def test_a_stream_ends_when_its_job_is_deleted(server: str) -> None:
    options = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "60s"}}}
    with httpx.Client(base_url=server) as client:
        job = send(client, options=options).json()["id"]
        found: list[dict[str, Any]] = []
        reading = threading.Thread(
            target=lambda: found.extend(events_of(client, f"/v1/jobs/{job}/events"))
        )
        reading.start()
        with httpx.Client(base_url=server) as other:
            assert other.delete(f"/v1/jobs/{job}").status_code == 204
        reading.join(20)
        assert not reading.is_alive()


LONG = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "60s"}}}


def test_open_streams_end_when_their_key_is_revoked(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "CHECK_EVERY", 0.1)
    with httpx.Client(base_url=server) as client:
        job = send(client, options=LONG).json()["id"]
        made = client.post("/v1/keys", json={"name": "Watcher", "scopes": ["jobs:read"]}).json()
        keyed = {"Authorization": f"Bearer {made['key']}"}
        lines: list[str] = []

        def read() -> None:
            stream = httpx.stream(
                "GET", f"{server}/v1/jobs/{job}/events", headers=keyed, timeout=60
            )
            with stream as answer:
                lines.extend(answer.iter_lines())

        reading = threading.Thread(target=read)
        reading.start()
        with connect(f"ws{server[4:]}/v1/jobs/{job}/ws", additional_headers=keyed) as socket:
            socket.recv(timeout=20)  # both are served for now
            assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        reading.join(20)
        assert not reading.is_alive()
        assert not any("event: done" in line for line in lines)
        client.delete(f"/v1/jobs/{job}")


def test_a_user_has_so_many_streams_open_at_a_time(settings: Settings) -> None:
    settings.limits.streams = 2
    with serving(settings) as url, httpx.Client(base_url=url, timeout=60) as client:
        job = send(client, options=LONG).json()["id"]
        path = f"/v1/jobs/{job}/events"
        with client.stream("GET", path) as one, client.stream("GET", path) as two:
            assert (one.status_code, two.status_code) == (200, 200)
            refused = client.get(path)
            assert refused.status_code == 429
            assert refused.json()["code"] == "too-many-streams"
            assert refused.headers["retry-after"]
            with pytest.raises(InvalidStatus), connect(f"ws{url[4:]}/v1/jobs/{job}/ws"):
                pass
        client.delete(f"/v1/jobs/{job}")
        wait_for(lambda: client.get(path).status_code != 429)  # those two are no longer counted


def test_findings_are_told_and_stand_in_the_job(client: TestClient) -> None:
    options = {"recognizer": {"use": "mock", "fault": "raise"}, "fallback": ["mock"],
               "export": ["musicxml"], "options": {}}  # fmt: skip
    job = ended(client, send(client, options=options).json()["id"])
    kinds = [each["kind"] for each in events_of(client, f"/v1/jobs/{job['id']}/events")]
    if job["diagnostics"]:
        assert "diagnostic" in kinds
        assert job["diagnostics"][0]["page"] in {1, None}
