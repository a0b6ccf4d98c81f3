"""A job from upload to removal, over HTTP."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from ensemble_server.app import create_app
from ensemble_server.jobs.leases import Leases
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK, MOCK, ended, picture, send, wait_for

SLOW = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "60s"}}}


def running(client: TestClient, job_id: str) -> Any:
    return wait_for(lambda: client.get(f"/v1/jobs/{job_id}").json()["state"] == "running")


def test_from_upload_to_download_to_removal(client: TestClient) -> None:
    answer = send(client)
    assert answer.status_code == 202, answer.text
    job = ended(client, answer.json()["id"])
    assert job["state"] == "done", job
    assert job["pages"][0]["number"] == 1 and job["pages"][0]["confidence"] is not None
    names = {each["name"]: each for each in job["files"]}
    assert set(names) == {"page.png", "page.musicxml", "report.json", "page-1.png"}
    got = client.get(names["page.musicxml"]["url"])
    assert got.content.startswith(b"<?xml") and got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment")
    package = client.get(f"/v1/jobs/{job['id']}/package")
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        assert sorted(archive.namelist()) == ["page.musicxml", "report.json"]
        assert archive.read("page.musicxml") == got.content
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert client.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert client.get(names["page.musicxml"]["url"]).status_code == 404
    assert client.app.state.service.store.files() == []


def test_several_files_become_one_score(client: TestClient) -> None:
    files = [("files", (f"{n}.png", picture(shade=n), "image/png")) for n in (1, 2, 3)]
    answer = client.post("/v1/jobs", files=files, data={"options": json.dumps(MOCK)})
    job = ended(client, answer.json()["id"])
    assert [page["number"] for page in job["pages"]] == [1, 2, 3]
    previews = [each["name"] for each in job["files"] if each["kind"] == "preview"]
    assert sorted(previews) == ["page-1.png", "page-2.png", "page-3.png"]
    assert [each["name"] for each in job["files"] if each["name"].endswith("xml")] == ["1.musicxml"]


def test_a_page_that_fails_makes_it_partial_and_all_pages_make_it_fail(client: TestClient) -> None:
    options = {**MOCK, "options": {"mock": {"fault": "raise", "fault-pages": [0]}}}
    files = [("files", (f"{n}.png", picture(), "image/png")) for n in (1, 2)]
    first = client.post("/v1/jobs", files=files, data={"options": json.dumps(options)})
    second = send(client, options=options)
    job = ended(client, first.json()["id"])
    assert job["state"] in {"partial", "failed"}, job
    job = ended(client, second.json()["id"])
    assert job["state"] == "failed" and job["error"]["code"]
    assert client.get(f"/v1/jobs/{job['id']}/package").status_code == 409


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_soon(client: TestClient) -> None:
    first = send(client, options=SLOW).json()["id"]
    running(client, first)
    second = send(client, options={**SLOW, "export": ["midi"]}).json()["id"]
    answer = client.post(f"/v1/jobs/{second}/cancel")
    assert answer.status_code == 200
    assert ended(client, second, 5)["state"] == "cancelled"
    client.post(f"/v1/jobs/{first}/cancel")
    assert ended(client, first, 10)["state"] == "cancelled"
    # The worker is of use afterwards, and a cancelled job can be tried again.
    assert ended(client, send(client).json()["id"])["state"] == "done"


def test_retry_does_it_again(client: TestClient) -> None:
    job = ended(client, send(client).json()["id"])
    first = client.get(f"/v1/jobs/{job['id']}/artifacts/page.musicxml").content
    answer = client.post(f"/v1/jobs/{job['id']}/retry")
    assert answer.status_code == 202 and answer.json()["state"] == "queued"
    again = ended(client, job["id"])
    assert again["state"] == "done" and not again["cached"]
    assert client.get(f"/v1/jobs/{job['id']}/artifacts/page.musicxml").content == first
    kinds = [each["kind"] for each in again["files"]]
    assert kinds.count("output") == 2


def test_a_job_that_has_not_ended_cannot_be_retried(client: TestClient) -> None:
    job = send(client, options=SLOW).json()["id"]
    answer = client.post(f"/v1/jobs/{job}/retry")
    assert answer.status_code == 409 and answer.json()["code"] == "job-not-ended"
    client.delete(f"/v1/jobs/{job}")


def test_a_running_job_can_be_deleted_and_leaves_nothing(client: TestClient) -> None:
    job = send(client, options=SLOW).json()["id"]
    running(client, job)
    assert client.delete(f"/v1/jobs/{job}").status_code == 204
    wait_for(lambda: not client.app.state.service.engine.worker.busy, 15)
    assert client.app.state.service.store.files() == []
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_the_same_again_is_answered_from_the_cache(client: TestClient) -> None:
    first = ended(client, send(client).json()["id"])
    second = ended(client, send(client).json()["id"])
    other = ended(
        client, send(client, options={**MOCK, "options": {"mock": {"seed": 3}}}).json()["id"]
    )
    assert (first["cached"], second["cached"], other["cached"]) == (False, True, False)
    assert second["pages"] == first["pages"] and second["confidence"] == first["confidence"]
    one, two = ({f["name"]: f["sha256"] for f in job["files"]} for job in (first, second))
    assert one == two
    client.delete(f"/v1/jobs/{first['id']}")
    assert client.get(f"/v1/jobs/{second['id']}/artifacts/page.musicxml").status_code == 200


def test_an_idempotency_key_gives_the_same_job_or_is_refused(client: TestClient) -> None:
    headers = {"Idempotency-Key": "order-17"}
    first = send(client, headers=headers)
    second = send(client, headers=headers)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotent-replayed"] == "true"
    other = send(client, picture(shade=3), headers=headers)
    assert other.status_code == 409 and other.json()["code"] == "idempotency-key-reused"
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1


def test_lists_come_in_pages_newest_first_and_filtered(client: TestClient) -> None:
    sent = [send(client, name=f"{name}.png").json()["id"] for name in "abcde"]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/jobs", params={"limit": 2, **cursor}).json()
        seen += [job["id"] for job in page["jobs"]]
        if not page["next"]:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sent[::-1]
    for job in sent:
        ended(client, job)
    found = client.get("/v1/jobs", params={"state": ["done"], "name": "C."}).json()["jobs"]
    assert [job["name"] for job in found] == ["c.png"]
    assert client.get("/v1/jobs", params={"state": "failed"}).json()["jobs"] == []
    assert client.get("/v1/jobs", params={"cursor": "xx"}).json()["code"] == "invalid-cursor"


def test_parts_of_a_file_and_files_that_have_not_changed(client: TestClient) -> None:
    job = ended(client, send(client).json()["id"])
    url = f"/v1/jobs/{job['id']}/artifacts/page.musicxml"
    whole = client.get(url)
    part = client.get(url, headers={"Range": "bytes=5-9"})
    assert part.status_code == 206 and part.content == whole.content[5:10]
    assert part.headers["content-range"] == f"bytes 5-9/{len(whole.content)}"
    assert client.get(url, headers={"Range": "bytes=-7"}).content == whole.content[-7:]
    assert client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    same = client.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert same.status_code == 304 and same.content == b""


def test_the_deadline_ends_a_job(client: TestClient) -> None:
    job = ended(client, send(client, options=SLOW, fields={"deadline": "1.5"}).json()["id"], 30)
    assert job["state"] == "failed" and job["error"]["code"] == "deadline-exceeded"


def test_the_more_urgent_comes_first(settings: Settings) -> None:
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        slow = send(client, options=SLOW).json()["id"]
        running(client, slow)
        later = send(client, picture(shade=1)).json()["id"]
        sooner = send(client, picture(shade=2), fields={"priority": "5"}).json()["id"]
        client.post(f"/v1/jobs/{slow}/cancel")
        jobs = [ended(client, job) for job in (sooner, later)]
        assert jobs[0]["started"] < jobs[1]["started"]


def test_one_slot_takes_one_job_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take, both, met = Leases.take, threading.Barrier(2), []

    def taking(self: Leases, *, likely: bool = False) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # passes only if two are here at once
            met.append(1)
        return take(self, likely=likely)

    monkeypatch.setattr(Leases, "take", taking)
    settings = Settings(folder=tmp_path, workers=1)
    options = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "1.5s"}}}
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        assert ended(client, send(client, options=options).json()["id"])["state"] == "done"
    assert not met


def test_a_worker_that_stops_keeps_no_job(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path, workers=1)
    settings.limits.jobs_per_minute = 0

    def states(client: TestClient) -> list[tuple[str, int]]:
        found = [client.get(f"/v1/jobs/{job}").json() for job in jobs]
        return [(job["state"], job["attempt"]) for job in found]

    def begun(workers: int) -> TestClient:
        settings.workers = workers
        return TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1))

    with begun(1) as client:  # stopped in the middle of a row of quick ones
        jobs = [send(client, picture(shade=n)).json()["id"] for n in range(20)]
        wait_for(lambda: states(client).count(("done", 1)) >= 4)
    with begun(0) as client:
        assert set(states(client)) <= {("done", 1), ("queued", 0)}
    with begun(1) as client:
        wait_for(lambda: set(states(client)) == {("done", 1)})


def test_jobs_that_come_one_by_one_share_a_process(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path / "service", workers=3)
    processes = []
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        worker = client.app.state.service.engine.worker
        for shade in range(4):
            assert ended(client, send(client, picture(shade=shade)).json()["id"])["state"] == "done"
            wait_for(lambda: not worker.busy)
            processes.append({child.pid for child in psutil.Process().children()})
    assert processes[1:] == processes[:-1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows classes only")
@pytest.mark.parametrize(("said", "wanted"), [("", 10), ("[options.processes]\nnice = 3\n", 3)])
def test_conversions_step_back_for_requests(tmp_path: Path, said: str, wanted: int) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(said, encoding="utf-8")
    settings = Settings(folder=tmp_path / "service", workers=1, pipeline=pipeline)
    before = {child.pid for child in psutil.Process().children()}
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        assert ended(client, send(client).json()["id"])["state"] == "done"
        new = [each for each in psutil.Process().children() if each.pid not in before]
        assert [each.nice() - psutil.Process().nice() for each in new] == [wanted]


@pytest.mark.parametrize("limit", [1])
def test_a_user_has_so_many_jobs_running_at_a_time(settings: Settings, limit: int) -> None:
    settings.workers = 2
    settings.limits.running_jobs = limit
    options = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "0.5s"}}}
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
        jobs = [send(client, picture(shade=n), options=options).json()["id"] for n in range(3)]
        done = sorted((ended(client, job) for job in jobs), key=lambda job: job["started"])
    for one, other in itertools.pairwise(done):
        assert one["finished"] <= other["started"]
