"""What is refused of an upload, and when."""

from __future__ import annotations

import json
import socket
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.app import create_app
from ensemble_server.jobs.asked import Asked
from ensemble_server.service.service import base_config
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK, MOCK, ended, picture, send

from ensemble_core.sniff import MXL


@pytest.fixture
def stores() -> dict[str, Any]:
    """Nothing here depends on the stores."""
    return {}


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        ({"recognizer": "mok"}, "plugin-missing", "mock"),
        ({**MOCK, "options": {"mock": {"measure": 3}}}, "config-invalid", "measures"),
        ({**MOCK, "options": {"mock": {"measures": 0}}}, "config-invalid", "below 1"),
        ({**MOCK, "options": {"mok": {}}}, "config-invalid", "mock"),
        ({**MOCK, "eksport": []}, "config-invalid", "export"),
        ({**MOCK, "export": "midi"}, "config-invalid", "list"),
        ([], "config-invalid", "object"),
        ({**MOCK, "options": {"mock": {"fault-marker": "/etc/x"}}}, "config-invalid", "operator"),
        ({**MOCK, "options": {"processes": {"python": "/bin/sh"}}}, "config-invalid", "operator"),
        ({**MOCK, "options": {"executors": {"processes": {}}}}, "config-invalid", "operator"),
        ({"recognizer": {"use": "mock", "fault_marker": "/x"}}, "config-invalid", "operator"),
    ],
)
def test_wrong_options_are_refused_in_the_plugins_words(
    client: TestClient, options: Any, code: str, word: str
) -> None:
    answer = send(client, options=options)
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code and word in problem["detail"], problem
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert client.app.state.service.store.files() == []
    assert client.get("/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize("size", [0, 40_000, 65_536, 1_500_000])
def test_what_a_file_is_stands_at_either_end_of_it(client: TestClient, size: int) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("pictures/cover.bin", b"x" * size)
        archive.writestr("META-INF/container.xml", "<container/>")
    job = send(client, data=stream.getvalue()).json()
    uploaded = client.get(job["url"]).json()["files"][0]
    assert (uploaded["kind"], uploaded["media_type"]) == ("input", MXL)


def test_an_empty_list_asks_for_none_whatever_the_operator_has(tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text('[pipeline]\npreprocess = ["deskew"]\n', encoding="utf-8")
    app = create_app(Settings(folder=tmp_path / "service", workers=0, pipeline=pipeline))
    with TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        job = send(client, options={**MOCK, "preprocess": []}).json()
    assert job["options"] == {**MOCK, "preprocess": []}
    layer = Asked.parse(job["options"]).section()
    made = base_config(app.state.settings).with_layer("argument", layer)
    assert list(made.settings().pipeline.preprocess) == []


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty-file"),
        (b"hello", 415, "input-unsupported"),
        (b"\x00" * 100, 415, "input-unsupported"),
        (b"GIF89", 415, "input-unsupported"),
    ],
)
def test_files_nobody_reads_are_refused(
    client: TestClient, data: bytes, status: int, code: str
) -> None:
    answer = send(client, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.app.state.service.store.files() == []


@pytest.mark.parametrize(
    "fields",
    [{"priority": "11"}, {"priority": "x"}, {"deadline": "-1"}, {"deadline": "nan"}, {"x": "1"}],
)
def test_wrong_fields_are_refused(client: TestClient, fields: dict[str, str]) -> None:
    answer = send(client, fields=fields)
    assert answer.status_code == 422 and answer.json()["code"] == "invalid-request"


def test_no_files_and_no_multipart(client: TestClient) -> None:
    answer = client.post("/v1/jobs", data={"options": "{}"}, files=[])
    assert answer.status_code == 415
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (
        client.post("/v1/jobs", content=b"--x--\r\n", headers=headers).json()["code"] == "no-files"
    )
    cut = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nabc'
    answer = client.post("/v1/jobs", content=cut, headers=headers)
    assert answer.status_code == 400 and answer.json()["code"] == "invalid-multipart"
    assert client.post("/v1/jobs", content=b"xx", headers=headers).status_code == 400
    assert client.app.state.service.store.files() == []


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\x.png", "/abs.png", "a\x00b.png", "\u202egnp.exe", "x" * 500 + ".png",
     "<svg onload=alert(1)>.png", '"; drop table.png', ".", "con.png"],
)  # fmt: skip
def test_names_of_files_lead_nowhere(client: TestClient, name: str) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n'
        + json.dumps(MOCK).encode()
        + b'\r\n--x\r\nContent-Disposition: form-data; name="files"; filename="'
        + name.replace('"', '\\"').encode()
        + b'"\r\n\r\n'
        + picture()
        + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/jobs", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    job = ended(client, answer.json()["id"])
    for each in job["files"]:
        assert "/" not in each["name"] and "\\" not in each["name"] and "\x00" not in each["name"]
        assert client.get(each["url"]).status_code == 200
    assert all(".." not in key for key in client.app.state.service.store.files())


class TestSize:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.limits.request_bytes = 300_000
        settings.limits.file_bytes = 200_000
        settings.limits.files = 3
        return settings

    def test_a_body_that_says_it_is_too_large_is_not_read(self, server: str) -> None:
        host, port = server.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(
                b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            )
            answer = line.recv(10_000)  # nothing of the body was sent
        assert answer.startswith(b"HTTP/1.1 413")

    def test_a_body_without_a_length_is_cut_off(self, client: TestClient) -> None:
        def body() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
            for _ in range(1000):
                yield bytes(10_000)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/v1/jobs", content=body(), headers=headers)
        assert answer.status_code == 413
        assert client.app.state.service.store.files() == []

    def test_one_file_too_large_and_too_many_files(self, client: TestClient) -> None:
        answer = send(client, bytes(250_000))
        assert answer.status_code == 413 and answer.json()["code"] == "file-too-large"
        files = [("files", ("a.png", picture(), "image/png"))] * 4
        answer = client.post("/v1/jobs", files=files)
        assert answer.status_code == 413 and answer.json()["code"] == "too-many-files"
        assert client.app.state.service.store.files() == []
