"""Killing a service again and again while it works, and counting what came of its jobs."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import httpx
import psutil
from ensemble_server.jobs.asked import Asked
from ensemble_server.jobs.ending import ENDS
from ensemble_server.jobs.slots import Slot
from ensemble_server.records.tables import Job, JobEvent, JobFile
from ensemble_server.storage import job_of
from servers import Process, until
from service_nodes import Setting
from sqlalchemy import select

from ensemble_core.pipeline import Input

TUNES = 5
STATED = {"worker-lost", "internal-error", "worker-crashed"}


def page(number: int) -> bytes:
    """A picture of its own for each job."""
    from PIL import Image

    picture = Image.new("L", (120, 160), 255)
    picture.putpixel((60, 60), number % 256)
    picture.putpixel((61, 60), number // 256)
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def asked(number: int) -> dict[str, Any]:
    """What is asked of a job: one of a few tunes."""
    options = {"mock": {"seed": number % TUNES, "measures": 4 + number % TUNES}}
    return {"recognizer": "mock", "export": ["musicxml", "midi"], "options": options}


@attrs.define
class Found:
    """What came of it all.

    Attributes:
        kills: How often what was killed.
        states: Jobs by state.
        failures: Jobs that failed, by code.
        retried: Jobs begun more than once.
        wrong: What must not be: each a sentence.
        refused: Answers to clients other than success, by status (0: no connection).
        seconds: How long it took.
    """

    kills: Counter[str] = attrs.field(factory=Counter)
    states: Counter[str] = attrs.field(factory=Counter)
    failures: Counter[str] = attrs.field(factory=Counter)
    retried: int = 0
    wrong: list[str] = attrs.field(factory=list)
    refused: Counter[int] = attrs.field(factory=Counter)
    seconds: float = 0.0


class Faults:
    """A service that is sent jobs while its parts are killed.

    Args:
        setting: The service, started.
        jobs: How many jobs.
        kills: How many kills.
        seed: Of what is killed when.
    """

    def __init__(self, setting: Setting, jobs: int, kills: int, seed: int = 1) -> None:
        self.setting, self.jobs, self.kills = setting, jobs, kills
        self.random = random.Random(seed)
        self.found = Found()
        self.done_kills = 0
        self.ids: dict[int, set[str]] = {number: set() for number in range(jobs)}
        self._lock = threading.Lock()

    def run(self, limit: float) -> Found:
        """Send, kill, wait until all is over, and look.

        Raises:
            TimeoutError: Some jobs have not ended ``limit`` seconds after the last kill.
        """
        began = time.monotonic()
        clients = [threading.Thread(target=self._client, args=(n,)) for n in range(4)]
        for client in clients:
            client.start()
        order = self._order()
        for victim in order:
            time.sleep(self.random.uniform(0.3, 1.5))
            victim.kill()
            self.found.kills[victim.name] += 1
            time.sleep(self.random.uniform(0.0, 1.0))
            victim.start()
            self.done_kills += 1
        for client in clients:
            client.join(limit)
        service = self.setting.service()
        try:
            until(lambda: self._over(service), limit, "the end of all jobs", 0.5)
            self._look(service)
        finally:
            service.close()
        self.found.seconds = round(time.monotonic() - began, 1)
        return self.found

    def _order(self) -> list[Process]:
        """Who is killed: all in turn, shuffled."""
        parts = list(self.setting.nodes)
        if self.setting.shared:
            parts += [self.setting.postgres, self.setting.redis]
        order = [parts[number % len(parts)] for number in range(self.kills)]
        self.random.shuffle(order)
        return order

    def _client(self, which: int) -> None:
        """Send every fourth job; send it again, with the same key, until there is an answer."""
        for number in range(which, self.jobs, 4):
            # Jobs come as long as something is killed.
            while number > self.jobs * (self.done_kills + 1) / self.kills:
                time.sleep(0.05)
            while not self._sent(number):
                time.sleep(0.3)

    def _sent(self, number: int) -> bool:
        try:
            answer = httpx.post(
                f"{self.setting.web.url}/v1/jobs",
                files={"files": (f"page-{number}.png", page(number), "image/png")},
                data={"options": json.dumps(asked(number))},
                headers={"Idempotency-Key": f"job-{number}"},
                timeout=30,
            )
        except httpx.HTTPError:
            with self._lock:
                self.found.refused[0] += 1
            return False
        if answer.status_code not in {200, 202}:
            with self._lock:
                self.found.refused[answer.status_code] += 1
            return False
        self.ids[number].add(answer.json()["id"])
        return True

    def _over(self, service: Any) -> bool:
        with service.database.read() as session:
            waiting = select(Job.id).where(Job.state.in_(("queued", "running"))).limit(1)
            return session.scalar(waiting) is None

    def _look(self, service: Any) -> None:
        """Hold what is there against what should be."""
        with service.database.read() as session:
            jobs = {job.id: job for job in session.scalars(select(Job))}
            files = list(session.scalars(select(JobFile)))
            events = list(session.scalars(select(JobEvent).order_by(JobEvent.number)))
        ends = Counter(event.job_id for event in events if event.kind in ENDS)
        mine = [job for job in jobs.values() if job.state != "receiving"]
        self.found.states = Counter(job.state for job in jobs.values())
        self.found.retried = sum(job.attempt > 1 for job in mine)
        for number, ids in self.ids.items():
            if len(ids) != 1 or not ids <= set(jobs):
                self.found.wrong.append(f"job {number} has the ids {sorted(ids)}")
        if len(mine) != self.jobs:
            self.found.wrong.append(f"{len(mine)} jobs for {self.jobs} uploads")
        for job in mine:
            if ends[job.id] != 1:
                self.found.wrong.append(f"{job.id} ({job.state}) has {ends[job.id]} ends")
            if job.state == "failed":
                code = (job.error or {}).get("code", "")
                self.found.failures[code] += 1
                if code not in STATED:
                    self.found.wrong.append(f"{job.id} failed by {job.error}")
        self._right_bytes(service, jobs, files)
        self._no_orphans(service, jobs, files)

    def _right_bytes(self, service: Any, jobs: dict[str, Job], files: list[JobFile]) -> None:
        """Each result is what the same pipeline makes of the same page alone."""
        by_job: dict[str, dict[str, JobFile]] = {}
        for file in files:
            if file.kind == "output":
                by_job.setdefault(file.job_id, {})[file.name] = file
        slot = Slot(service.base)
        try:
            for number, ids in self.ids.items():
                for job_id in ids & set(jobs):
                    if jobs[job_id].state == "done":
                        self._compare(service, slot, number, by_job.get(job_id, {}))
        finally:
            slot.close()

    def _compare(self, service: Any, slot: Slot, number: int, files: dict[str, JobFile]) -> None:
        name = f"page-{number}"
        path = self.setting.folder / "alone.png"
        path.write_bytes(page(number))
        source = Input(f"{name}.png", (path,), (f"{name}.png",))
        result = slot.pipeline(Asked.parse(asked(number))).run([source])
        for output in result.documents[0].outputs:
            if output.suffix.startswith("-preview"):
                continue
            file = files.get(f"{name}{output.suffix}")
            if file is None:
                self.found.wrong.append(f"job {number} has no {output.suffix}")
                continue
            try:
                data = service.store.get(file.key)
            except FileNotFoundError:
                self.found.wrong.append(f"job {number}: {file.key} is gone")
                continue
            if data != output.data or hashlib.sha256(data).hexdigest() != file.sha256:
                self.found.wrong.append(f"job {number}: other bytes in {file.name}")

    def _no_orphans(self, service: Any, jobs: dict[str, Job], files: list[JobFile]) -> None:
        """Each file in the store has its row (or its upload was cut short, and is swept)."""
        known = {file.key for file in files}
        for key in service.store.files("jobs"):
            job = jobs.get(job_of(key))
            if key not in known and (job is None or job.state != "receiving"):
                self.found.wrong.append(f"nobody knows {key}")
        for key in known:
            if not service.store.exists(key):
                self.found.wrong.append(f"there is no {key}")


def left_processes(setting: Setting) -> list[str]:
    """Processes of a setting that has been stopped: there should be none."""
    folder = str(setting.folder / "service")
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ENSEMBLE_SERVER__FOLDER") == folder:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
        except (psutil.Error, OSError):
            continue
    return found


def left_folders(before: set[Path], place: Path) -> list[str]:
    """Temporary folders of ours that were not there before and whose process is gone."""
    found = []
    for folder in set(place.glob("ensemble-*")) - before:
        number = folder.name.split("-")[1]
        if not number.isdigit() or not psutil.pid_exists(int(number)):
            found.append(folder.name)
    return found
