"""A job from upload to removal, over HTTP."""

from __future__ import annotations

import io
import zipfile

from fastapi.testclient import TestClient
from serving import ended, send


def test_from_upload_to_download_to_removal(client: TestClient) -> None:
    answer = send(client)
    assert answer.status_code == 202, answer.text
    job = ended(client, answer.json()["id"])
    assert job["state"] == "done", job
    names = {each["name"]: each for each in job["files"]}
    assert set(names) == {"page.png", "page.musicxml", "report.json", "page-1.png"}
    got = client.get(names["page.musicxml"]["url"])
    assert got.content.startswith(b"<?xml") and got.headers["x-content-type-options"] == "nosniff"
    package = client.get(f"/v1/jobs/{job['id']}/package")
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        assert sorted(archive.namelist()) == ["page.musicxml", "report.json"]
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert client.get(f"/v1/jobs/{job['id']}").status_code == 404
