"""Uploads that come at once: taken in together, answered each by itself, before jobs are begun."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from ensemble_server.app import create_app
from ensemble_server.jobs.asked import Asked
from ensemble_server.service.intake import Wish
from ensemble_server.settings import Settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from service_running import running
from serving import LOOPBACK, MOCK, ended, picture, send, wait_for
from sqlalchemy import event

GOOD = [{"data": picture(shade=shade)} for shade in range(9)]
BAD: list[dict[str, Any]] = [
    {"data": b"hello"},
    {"options": {"recognizer": "mok"}},
    {"fields": {"priority": "11"}},
    {"headers": {"Idempotency-Key": "x" * 201}},
    {"headers": {"Idempotency-Key": ""}},
]
ANSWERS = [(202, None)] * 9 + [
    (415, "input-unsupported"),
    (422, "plugin-missing"),
    (422, "invalid-request"),
    (422, "invalid-request"),
    (422, "invalid-request"),
]


def send_all(url: str, uploads: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    """Each by a client of its own, at the same time."""

    def one(upload: dict[str, Any]) -> httpx.Response:
        with httpx.Client(base_url=url, timeout=60) as client:
            answer: httpx.Response = send(client, **upload)
            return answer

    with ThreadPoolExecutor(len(uploads)) as threads:
        return list(threads.map(one, uploads))


def codes(answers: Sequence[httpx.Response]) -> list[tuple[int, str | None]]:
    return [(each.status_code, each.json().get("code")) for each in answers]


def test_each_of_a_crowd_gets_its_own_answer(settings: Settings) -> None:
    app = create_app(settings)
    with running(app) as url:
        answers = send_all(url, [*GOOD, *BAD])
        assert codes(answers) == ANSWERS
        service = app.state.service
        with httpx.Client(base_url=url) as client:
            assert {ended(client, each.json()["id"])["state"] for each in answers[:9]} == {"done"}
            assert len(client.get("/v1/jobs").json()["jobs"]) == 9
        assert len([key for key in service.store.files() if "input" in key]) == 9


def test_the_same_key_twice_in_a_crowd_is_one_job(settings: Settings) -> None:
    upload = {"headers": {"Idempotency-Key": "once"}}
    app = create_app(settings.model_copy(update={"workers": 0}))
    with running(app) as url:
        answers = send_all(url, [upload] * 8)
        assert len({each.json()["id"] for each in answers}) == 1
        assert sorted(each.status_code for each in answers) == [200] * 7 + [202]
        assert len(app.state.service.store.files()) == 1


class TestEmbedded:
    @pytest.fixture
    def app(self, tmp_path: Path) -> FastAPI:
        return create_app(Settings(folder=tmp_path / "service", workers=1))

    def test_a_crowd_takes_few_transactions(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service, reception = app.state.service, app.state.reception
        commits: list[object] = []
        complete: list[object] = []
        finish = reception.finish

        async def finishing(work: Any) -> Any:
            complete.append(work)
            return await finish(work)

        with running(app) as url, ThreadPoolExecutor(1) as thread:
            assert send_all(url, GOOD[:1])[0].status_code == 202  # the local user is known
            wait_for(service.idle)
            service.engine.stop()
            monkeypatch.setattr(reception, "finish", finishing)
            with service.database.change():
                answers = thread.submit(send_all, url, GOOD * 2)
                wait_for(lambda: len(complete) == 18)
            event.listen(service.database.engine, "commit", commits.append)
            assert {each.status_code for each in answers.result()} == {202}
        assert len(commits) <= 6

    def test_a_job_waits_for_a_crowd_but_not_for_long(self, app: FastAPI) -> None:
        service = app.state.service
        service.quiet.clear()
        began = time.time()
        with TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 1)) as client:
            user = client.app.state.auth._local_user()
            job, _ = service.submit(user, [("page.png", picture())], Wish(Asked.parse(MOCK)))
            ended(client, job.id)
            started = service.get(user, job.id).started
        assert started.timestamp() - began > 0.45
