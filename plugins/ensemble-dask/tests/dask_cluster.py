"""A Dask scheduler and workers as processes, the workers blind to the client's files."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

PATIENCE = 60.0


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition, with a limit."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


@attrs.define
class DaskCluster:
    """A scheduler and some workers with one thread each.

    Attributes:
        folder: Where they keep what they write.
        hidden: A folder the workers cannot look into, where the system can do that.
    """

    folder: Path
    hidden: Path
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = attrs.field(factory=list)
    begun: int = 0

    def start(self, workers: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / "scheduler.json"
        self.scheduler = self._python(
            ["scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard",
             "--scheduler-file", str(note)]
        )  # fmt: skip
        until(note.exists, "the scheduler starts")
        import json

        until(lambda: note.stat().st_size > 0, "the scheduler writes its address")
        self.address = json.loads(note.read_text())["address"]
        self.fill_up(workers)

    def fill_up(self, number: int) -> None:
        """Have so many living workers."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < number:
            self.add_worker()

    def add_worker(self, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        self.begun += 1
        place = self.folder / f"worker-{self.begun}"
        place.mkdir()
        command = [
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--local-directory", str(place), "--memory-limit", "0",
        ]  # fmt: skip
        self.workers.append(self._python(command, blind=True, environment=environment))
        return self.workers[-1]

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                with contextlib.suppress(OSError):
                    process.kill()
                process.wait()

    def _python(
        self, words: list[str], blind: bool = False, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words]
        if blind and can_hide():
            inner = (
                f"mount -t tmpfs none {shlex.quote(str(self.hidden))} && exec {shlex.join(command)}"
            )
            command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inner]
        log = self.folder / f"{words[0]}-{self.begun}.log"
        known = {
            "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10 s",
        }
        with log.open("wb") as stream:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=stream, stderr=subprocess.STDOUT,
                env={**os.environ, **known, **(environment or {})},
            )  # fmt: skip


def can_hide() -> bool:
    """Whether a process can be kept from seeing a folder here."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return False
    trial = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "mount",
        "-t",
        "tmpfs",
        "none",
        "/mnt",
    ]
    return subprocess.run(trial, capture_output=True).returncode == 0


@contextlib.contextmanager
def cluster(folder: Path, hidden: Path, workers: int) -> Iterator[DaskCluster]:
    """A cluster that runs until the block ends."""
    made = DaskCluster(folder, hidden)
    try:
        made.start(workers)
        yield made
    finally:
        made.stop()
