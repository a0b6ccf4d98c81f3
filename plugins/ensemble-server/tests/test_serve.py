"""``ensemble serve`` as a process: how it starts, stops, and is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from servers import free_port
from serving import MOCK, ended, picture, send, wait_for

COMMAND = [sys.executable, "-m", "ensemble_core"]
SLOW = {**MOCK, "options": {"mock": {"fault": "delay", "delay": "3s"}}}


class Process:
    """A service of its own process."""

    def __init__(
        self, folder: Path, *arguments: str, command: str = "serve", **settings: str
    ) -> None:
        self.port = free_port()
        at = ["--port", str(self.port)] if command == "serve" else []
        names = {f"ENSEMBLE_SERVER__{key.upper()}": value for key, value in settings.items()}
        self.process = subprocess.Popen(
            [*COMMAND, command, "--folder", str(folder), *at, *arguments],
            env={**os.environ, **names}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def up(self) -> Process:
        """Wait until it answers."""
        wait_for(self.answers, 90)
        return self

    def answers(self) -> bool:
        assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
        try:
            return self.client.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stderr
        self.process.stderr.close()


@contextmanager
def process(*arguments: Any, **settings: Any) -> Iterator[Process]:
    made = Process(*arguments, **settings)
    try:
        yield made
    finally:
        made.end()


def is_running(client: httpx.Client, job: str) -> bool:
    state: str = client.get(f"/v1/jobs/{job}").json()["state"]
    return state == "running"


def test_it_says_where_it_is_and_answers(tmp_path: Path) -> None:
    with process(tmp_path) as service:
        service.up()
        ready = service.client.get("/health/ready")
        assert ready.status_code == 200, ready.text
        assert set(ready.json()["checks"]) >= {"database", "storage", "recognizers", "disk"}
        text = service.client.get("/metrics").text
        assert (
            'ensemble_requests_total{method="GET",route="/health/ready",status="200"} 1.0' in text
        )


def test_it_does_not_open_to_others_without_a_way_to_sign_in(tmp_path: Path) -> None:
    with process(tmp_path, "--host", "0.0.0.0") as service:
        _, said = service.process.communicate(timeout=60)
        assert service.process.returncode == 2
        assert "nobody could sign in" in said and "Traceback" not in said
    made = subprocess.run(
        [*COMMAND, "admin", "--folder", str(tmp_path), "keys", "create", "mine"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with process(tmp_path, "--host", "0.0.0.0") as service:
        service.up()
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert service.client.get("/v1/jobs", headers=headers).status_code == 200


def test_told_to_stop_it_gives_back_what_runs_and_leaves_no_process(tmp_path: Path) -> None:
    with process(tmp_path) as service:
        service.up()
        job = send(service.client, options=SLOW).json()["id"]
        wait_for(lambda: is_running(service.client, job))
        children = wait_for(service.children)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(20)
        assert time.monotonic() - began < 10
        assert not [
            child for child in children if child.is_running() and child.status() != "zombie"
        ]
    with process(tmp_path) as service:
        service.up()
        found = ended(service.client, job)
        assert (found["state"], found["attempt"]) == ("done", 1)


def test_killed_its_jobs_are_taken_up_when_their_leases_end(tmp_path: Path) -> None:
    with process(tmp_path, lease="3") as service:
        service.up()
        job = send(service.client, options=SLOW).json()["id"]
        wait_for(lambda: is_running(service.client, job))
        children = wait_for(service.children)
        service.process.kill()
        service.process.wait()
        wait_for(lambda: not any(_alive(child) for child in children), 15)
    with process(tmp_path, lease="3") as service:
        service.up()
        found = ended(service.client, job)
        assert (found["state"], found["attempt"]) == ("done", 2)


def _alive(child: psutil.Process) -> bool:
    try:
        return child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_web_and_worker_may_be_two_processes(tmp_path: Path) -> None:
    with process(tmp_path, "--workers", "0") as web:
        web.up()
        job = send(web.client, picture(shade=9)).json()["id"]
        with process(tmp_path, "--drain", command="work") as worker:
            assert ended(web.client, job)["state"] == "done"
            worker.process.communicate(timeout=30)
            assert worker.process.returncode == 0


@pytest.mark.parametrize(
    ("text", "word"),
    [("porrt = 1\n", "porrt"), ('workers = "x"\n', "workers"), ("port = \n", "settings.toml")],
)
def test_wrong_settings_are_one_line(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with process(tmp_path, "--config", str(file)) as service:
        _, said = service.process.communicate(timeout=60)
        assert service.process.returncode == 2
        assert word in said and "Traceback" not in said and len(said.strip().splitlines()) == 1
