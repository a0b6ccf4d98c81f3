"""The API of the product this began as, each endpoint and each error code."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.app import create_app
from ensemble_server.records.tables import Job
from ensemble_server.settings import Limits, Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK, picture, wait_for

API = "/api/sheet-to-digital"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A service whose own pipeline is the mock recognizer: the old API names none."""
    pipeline = tmp_path / "ensemble.toml"
    pipeline.write_text('[pipeline]\nrecognizer = "mock"\n')
    settings = Settings(
        folder=tmp_path / "service", workers=1, pipeline=pipeline,
        limits=Limits(file_bytes=100_000),
    )  # fmt: skip
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 50000)) as made:
        yield made


def encoded(data: bytes | None = None) -> str:
    return base64.b64encode(picture() if data is None else data).decode()


def convert(client: TestClient, **body: Any) -> Any:
    return client.post(f"{API}/convert", json={"image": encoded(), **body})


def completed(client: TestClient, job_id: str, status: str = "completed") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told: dict[str, Any] = client.get(f"{API}/status/{job_id}").json()
        return told if told["status"] not in {"pending", "processing"} else None

    found: dict[str, Any] = wait_for(look)
    assert found["status"] == status, found
    return found


def refused(answer: Any, status: int, code: str) -> str:
    """It is an error of the old kind; gives its message."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"success", "error"} and body["success"] is False
    assert set(body["error"]) == {"code", "message"} and body["error"]["code"] == code, body
    assert answer.headers["x-request-id"]
    return str(body["error"]["message"])


def test_from_picture_to_midi(client: TestClient) -> None:
    answer = convert(client, filename="song.png", options={"convert_to_midi": True})
    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == {"success", "job_id", "status"} and body["success"] is True
    assert body["status"] in {"pending", "processing"}
    assert answer.headers["location"] == f"{API}/status/{body['job_id']}"
    told = completed(client, body["job_id"])
    assert told["success"] and told["progress"] == 100 and told["completed_at"]
    assert set(told["downloads"]) == {"musicxml", "midi"}
    midi = client.get(told["downloads"]["midi"])
    assert midi.content[:4] == b"MThd" and midi.headers["x-content-type-options"] == "nosniff"
    assert 'filename="song.mid"' in midi.headers["content-disposition"]
    score = client.get(f"{API}/download/{body['job_id']}/musicxml")
    assert score.content.startswith(b"<?xml")
    assert client.get(f"{API}/download/{body['job_id']}/mid").content == midi.content
    # it is a job like any other
    assert client.get(f"/v1/jobs/{body['job_id']}").json()["name"] == "song.png"


def test_only_musicxml_unless_midi_is_asked_for(client: TestClient) -> None:
    job_id = convert(client).json()["job_id"]
    assert set(completed(client, job_id)["downloads"]) == {"musicxml"}
    message = refused(client.get(f"{API}/download/{job_id}/midi"), 415, "UNSUPPORTED_FORMAT")
    assert "not asked" in message


@pytest.mark.parametrize("field", ["image", "file"])
def test_data_urls_and_either_name_will_do(client: TestClient, field: str) -> None:
    url = f"data:image/png;base64,{encoded()}"
    answer = client.post(f"{API}/convert", json={field: url, "more": "is left alone"})
    assert answer.status_code == 202, answer.text


def test_options_reach_the_job(client: TestClient) -> None:
    job_id = convert(client, options={"enhance_image": True, "timeout": 30}).json()["job_id"]
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert job["deadline"] == 30 and job["options"]["preprocess"] == ["enhance"]
    completed(client, job_id)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"image": ""},
        {"image": "!!! no base64 !!!"},
        {"image": 5},
        {"image": encoded(b"")},
        {"image": encoded(), "options": {"timeout": -1}},
        {"image": encoded(), "options": {"timeout": "soon"}},
        {"image": encoded(), "options": {"convert_to_midi": "yes"}},
        {"image": encoded(), "options": []},
        [],
    ],
)
def test_a_request_that_is_wrong(client: TestClient, body: Any) -> None:
    assert refused(client.post(f"{API}/convert", json=body), 400, "INVALID_REQUEST")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"a": NaN'])
def test_a_request_that_is_no_json(client: TestClient, content: bytes) -> None:
    answer = client.post(f"{API}/convert", content=content)
    refused(answer, 400, "INVALID_REQUEST")


def test_a_job_that_is_not_done_cannot_be_fetched(client: TestClient) -> None:
    client.app.state.service.engine.stop()  # type: ignore[attr-defined]
    job_id = convert(client).json()["job_id"]
    message = refused(client.get(f"{API}/download/{job_id}/musicxml"), 400, "INVALID_REQUEST")
    assert "pending" in message


def test_nobody_is_asked_who_they_are(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path / "service", workers=0, local_user=False)
    with TestClient(create_app(settings), base_url="https://music.example") as client:
        refused(convert(client), 401, "AUTH_REQUIRED")
        refused(client.get(f"{API}/status/x"), 401, "AUTH_REQUIRED")
        answer = client.get(f"{API}/status/x", headers={"X-API-Key": "ens_made-up"})
        refused(answer, 401, "AUTH_FAILED")
        assert client.get(f"{API}/health").status_code in {200, 503}


def test_too_large_a_file(client: TestClient) -> None:
    refused(convert(client, image=encoded(bytes(100_001))), 413, "FILE_TOO_LARGE")
    refused(convert(client, image="A" * 400_000), 413, "FILE_TOO_LARGE")


def test_too_large_a_request_is_refused_before_it_is_read(client: TestClient) -> None:
    sent: list[int] = []

    def body() -> Iterator[bytes]:
        for _ in range(10):
            sent.append(1)
            yield b" " * 1000

    headers = {"Content-Length": "900000000", "Content-Type": "application/json"}
    answer = client.post(f"{API}/convert", content=body(), headers=headers)
    refused(answer, 413, "FILE_TOO_LARGE")


@pytest.mark.parametrize("data", [b"<!doctype html><script>1</script>", b"MZ\0\0", b"text"])
def test_a_file_nobody_reads(client: TestClient, data: bytes) -> None:
    refused(convert(client, image=encoded(data)), 415, "UNSUPPORTED_FORMAT")


def test_a_format_nobody_makes(client: TestClient) -> None:
    job_id = convert(client).json()["job_id"]
    message = refused(client.get(f"{API}/download/{job_id}/flac"), 415, "UNSUPPORTED_FORMAT")
    assert "musicxml" in message


def test_a_job_that_is_not_there(client: TestClient) -> None:
    refused(client.get(f"{API}/status/made-up"), 404, "JOB_NOT_FOUND")
    refused(client.get(f"{API}/download/made-up/musicxml"), 404, "JOB_NOT_FOUND")


def failed(client: TestClient, error: dict[str, str]) -> str:
    """A job that ended with an error; the mock fails on nothing an old client could ask for."""
    service = client.app.state.service  # type: ignore[attr-defined]
    job_id = str(convert(client).json()["job_id"])
    completed(client, job_id)
    with service.database.write() as session:
        job = session.get(Job, job_id)
        job.state, job.error = "failed", error
    return job_id


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            {"code": "recognition-failed", "message": "no staves", "component": "mock"},
            "PROCESSING_FAILED",
        ),
        ({"code": "deadline-exceeded", "message": "too late"}, "PROCESSING_FAILED"),
        (
            {"code": "recognition-failed", "message": "no staves", "component": "oemer"},
            "OEMER_ERROR",
        ),
        ({"code": "internal-error", "message": "it failed"}, "INTERNAL_ERROR"),
    ],
)
def test_a_job_that_failed(client: TestClient, error: dict[str, str], code: str) -> None:
    job_id = failed(client, error)
    told = completed(client, job_id, "failed")
    assert told["success"] and told["error"] == {"code": code, "message": error["message"]}
    answer = client.get(f"{API}/download/{job_id}/musicxml")
    assert refused(answer, 500, code) == error["message"]


def test_what_nobody_foresaw(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]

    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(service, "submit", broken)
    assert "secret" not in refused(convert(client), 500, "INTERNAL_ERROR")


def test_too_many_requests(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path / "s", workers=0, limits=Limits(requests_per_minute=2))
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 5000)) as client:
        for _ in range(2):
            client.get(f"{API}/status/x")
        answer = client.get(f"{API}/status/x")
    refused(answer, 429, "RATE_LIMITED")
    assert int(answer.headers["retry-after"]) > 0


def test_formats_and_health(client: TestClient) -> None:
    told = client.get(f"{API}/formats").json()
    assert told["success"] and "image/png" in told["input_formats"]
    assert [each["format"] for each in told["output_formats"]] == ["midi", "musicxml"]
    assert told["max_file_size"] == 100_000
    for path in ("/health", f"{API}/health"):
        answer = client.get(path)
        assert answer.status_code == 200 and answer.json()["status"] == "healthy", answer.text


def test_the_document_describes_it(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    request = paths[f"{API}/convert"]["post"]["requestBody"]["content"]["application/json"]
    assert "options" in json.dumps(request["schema"])
    assert "enhance_image" in json.dumps(request["schema"])


def test_whatever_the_document_refers_to_stands_in_it(client: TestClient) -> None:
    answer = client.get("/openapi.json")
    found = set(re.findall(r'"\$ref":\s*"#/([^"]+)"', answer.text))
    assert found
    for reference in found:
        place = answer.json()
        for name in reference.split("/"):
            assert name in place, reference
            place = place[name]
