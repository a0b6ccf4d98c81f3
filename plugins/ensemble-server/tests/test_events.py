"""The events of a job, live and afterwards, over SSE and WebSocket."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from serving import MOCK, ended, send
from websockets.exceptions import InvalidStatus
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


def test_findings_are_told_and_stand_in_the_job(client: TestClient) -> None:
    options = {"recognizer": {"use": "mock", "fault": "raise"}, "fallback": ["mock"],
               "export": ["musicxml"], "options": {}}  # fmt: skip
    job = ended(client, send(client, options=options).json()["id"])
    kinds = [each["kind"] for each in events_of(client, f"/v1/jobs/{job['id']}/events")]
    if job["diagnostics"]:
        assert "diagnostic" in kinds
        assert job["diagnostics"][0]["page"] in {1, None}
