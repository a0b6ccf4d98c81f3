"""Hostile input: damaged uploads, everything the API can be asked, names that are tricks."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ensemble_server.settings import Limits, Settings
from fastapi.testclient import TestClient
from service_mutations import NAMES, send_all
from serving import ended, picture, send, wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def stores() -> dict[str, Any]:
    """Nothing here depends on the stores."""
    return {}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    settings.limits = Limits(requests_per_minute=0, jobs_per_minute=0)
    return settings


@pytest.mark.slow
def test_damaged_uploads_get_typed_errors_and_jobs_that_end(server: str) -> None:
    import httpx

    place = urlsplit(server)
    answers = send_all(str(place.hostname), int(place.port or 0), 60)
    assert answers.wrong == []
    assert answers.accepted and len(answers.codes) >= 5, answers
    with httpx.Client(base_url=server) as client:
        for job_id in answers.accepted:
            job = ended(client, job_id, 120)
            code = (job["error"] or {}).get("code")
            assert job["state"] in {"done", "partial"} or code not in {None, "internal-error"}, job


@pytest.mark.slow
def test_nothing_the_document_allows_is_a_server_error(server: str, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{server}/openapi.json",
        "--checks", "not_a_server_error", "--max-examples", "2", "--phases", "coverage,fuzzing",
        "--seed", "1", "--no-color", "--request-timeout", "60",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize("name", [name for name in NAMES if name.isprintable()][:14])
def test_names_in_the_package_lead_nowhere(client: TestClient, name: str) -> None:
    answer = send(client, name="page.png", fields={"name": name})
    assert answer.status_code == 202, answer.text
    job = ended(client, send(client, name=name or "x").json()["id"])
    package = client.get(f"/v1/jobs/{job['id']}/package")
    assert "/" not in package.headers["content-disposition"].partition("filename*")[0]
    assert "\r" not in package.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        for entry in archive.infolist():
            parts = Path(entry.filename).parts
            assert len(parts) == 1 and parts[0] not in {".", ".."}, entry.filename
            assert "\\" not in entry.filename and "\x00" not in entry.filename


@pytest.mark.parametrize("name", ["page.svg", "page.html", "<svg onload=alert(1)>.svg"])
def test_no_file_is_ever_shown_as_a_page_of_ours(client: TestClient, name: str) -> None:
    options = {"recognizer": "mock", "export": ["musicxml", "html"]}
    job = ended(client, send(client, picture(), name, options=options).json()["id"])
    assert len(job["files"]) >= 4
    for file in job["files"]:
        headers = client.get(file["url"]).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"].startswith("attachment"), file
        assert "sandbox" in headers["content-security-policy"]
        assert file["kind"] != "input" or headers["content-type"] == "image/png"


def test_markup_is_no_picture(client: TestClient) -> None:
    for data in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!DOCTYPE html><p>"):
        assert send(client, data, "page.png").status_code == 415


def test_a_job_has_so_many_pages_at_most(tmp_path: Path) -> None:
    from ensemble_server.app import create_app
    from PIL import Image

    def pages(count: int) -> bytes:
        stream = io.BytesIO()
        each = [Image.new("1", (30, 40), 1) for _ in range(count)]
        each[0].save(stream, "TIFF", save_all=True, append_images=each[1:])
        return stream.getvalue()

    settings = Settings(folder=tmp_path, workers=1, limits=Limits(pages=3))
    with TestClient(
        create_app(settings), base_url="http://127.0.0.1", client=("127.0.0.1", 5)
    ) as client:
        assert ended(client, send(client, pages(3), "a.tiff").json()["id"])["state"] == "done"
        job = ended(client, send(client, pages(4), "b.tiff").json()["id"])
        assert job["state"] == "failed" and job["error"]["code"] == "limit-exceeded", job
        # Several files of one job count together.
        files = [("files", ("a.tiff", pages(2), "image/tiff"))] * 2
        answer = client.post("/v1/jobs", files=files, data={"options": '{"recognizer": "mock"}'})
        job = ended(client, answer.json()["id"])
        assert job["state"] == "failed" and job["error"]["code"] == "limit-exceeded", job


def test_a_connection_that_breaks_off_leaves_nothing(server: str, settings: Settings) -> None:
    import socket

    import httpx

    place = urlsplit(server)
    head = (
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    )
    with socket.create_connection((str(place.hostname), int(place.port or 0)), 20) as line:
        line.sendall(head + bytes(3_000_000))
    stored = Path(settings.folder) / "files" / "jobs"
    wait_for(lambda: not list(stored.glob("*/*")), 30)
    with httpx.Client(base_url=server) as client:
        assert client.get("/v1/jobs").json()["jobs"] == []
        assert send(client).status_code == 202
