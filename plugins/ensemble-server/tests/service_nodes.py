"""Processes a service is made of, to be started, killed and started again: nodes, PostgreSQL,
Redis, a store that speaks S3. Used by tests and by the benchmarks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

POSTGRES = (
    *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
    Path("/usr/local/bin"),
)
BUCKET = "ensemble"
RATES = ("requests_per_minute", "jobs_per_minute")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.05) -> Any:
    """Wait until something holds, and give it.

    Raises:
        TimeoutError: It did not in time.
    """
    latest = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > latest:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return found


class Process:
    """A process of the service that can be killed and started again.

    Args:
        folder: Where it keeps its files and its log.
        name: What it is called.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """With what variables."""
        return dict(os.environ)

    def ready(self) -> bool:
        """Whether it answers."""
        return True

    def start(self, wait: bool = True) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=self.environment(), cwd=self.folder,
                start_new_session=True, user=self.user(),
            )  # fmt: skip
        if wait:
            self.wait()

    def user(self) -> str | None:
        """Whom it runs as; None: us."""
        return None

    def wait(self, seconds: float = 40.0) -> None:
        """Wait until it answers."""
        until(self._up, seconds, self.name)

    def _up(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {self.log()[-2000:]}")
        with contextlib.suppress(OSError):
            return self.ready()
        return False

    def log(self) -> str:
        """What it has said."""
        return (self.folder / f"{self.name}.log").read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """Kill it as a crash of the machine would: this process, at once, nothing else."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds: float = 20.0) -> None:
        """Ask it to end, and wait."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def tree(self) -> list[psutil.Process]:
        """It and the processes it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(self.pid)
            return [own, *own.children(recursive=True)]
        return []


class Postgres(Process):
    """PostgreSQL with a folder of its own; as the user ``postgres`` if we are root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "postgres")
        self.port = free_port()
        self.programs = next(place for place in POSTGRES if (place / "initdb").exists())
        if self.user():
            shutil.chown(folder, "postgres")
            for place in folder.parents[:3]:
                with contextlib.suppress(OSError):
                    place.chmod(place.stat().st_mode | 0o055)
        subprocess.run(
            [str(self.programs / "initdb"), "-D", str(self.data), "-A", "trust", "-U", "ensemble",
             "-E", "UTF8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, user=self.user(), cwd=folder,
        )  # fmt: skip

    @staticmethod
    def available() -> bool:
        """Whether it is installed."""
        return any((place / "initdb").exists() for place in POSTGRES)

    @property
    def data(self) -> Path:
        """Where the cluster lies."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://ensemble@127.0.0.1:{self.port}/postgres"

    def user(self) -> str | None:
        return "postgres" if os.getuid() == 0 else None

    def command(self) -> list[str]:
        return [
            str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port),
            "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
        ]  # fmt: skip

    def ready(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=self.port, user="ensemble", dbname="postgres",
                            connect_timeout=2).close()  # fmt: skip
            return True
        return False

    def kill(self) -> None:
        """Kill all of it; its children share its memory and would keep it from starting again."""
        tree = self.tree()
        super().kill()
        for each in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(tree, 10)


class Redis(Process):
    """Redis, keeping nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "redis")
        self.port = free_port()

    @staticmethod
    def available() -> bool:
        """Whether it is installed."""
        return shutil.which("redis-server") is not None

    @property
    def url(self) -> str:
        """For clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return ["redis-server", "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]

    def ready(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")


class Bucket(Process):
    """A store that speaks S3 (moto's server), with one bucket; it keeps files in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "s3")
        self.port = free_port()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-p", str(self.port)]

    def ready(self) -> bool:
        request = urllib.request.Request(f"{self.endpoint}/{BUCKET}", method="PUT")
        request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/x")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status) == 200

    def settings(self) -> dict[str, str]:
        """How a node reaches it."""
        options = {"endpoint_url": self.endpoint, "key": "k", "secret": "s"}
        return {"STORAGE": f"s3://{BUCKET}/service", "STORAGE_OPTIONS": json.dumps(options)}


class Node(Process):
    """A node of the service: ``web`` answers (and converts, if it has workers), ``work`` converts.

    Args:
        folder: Where its log lies.
        name: What it is called.
        settings: ``ENSEMBLE_SERVER__`` variables without that prefix.
        kind: ``web`` or ``work``.
    """

    def __init__(
        self, folder: Path, name: str, settings: dict[str, str], kind: str = "web"
    ) -> None:
        super().__init__(folder, name)
        self.kind, self.settings = kind, settings
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "ensemble_core", "serve" if self.kind == "web" else "work"]

    def environment(self) -> dict[str, str]:
        given = {f"ENSEMBLE_SERVER__{key}": value for key, value in self.settings.items()}
        return {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            **given,
            "ENSEMBLE_SERVER__PORT": str(self.port),
        }

    def ready(self) -> bool:
        if self.kind == "work":
            return psutil.Process(self.pid).num_threads() >= 5  # it converts
        with urllib.request.urlopen(f"{self.url}/health/live", timeout=5) as answer:
            return int(answer.status) == 200


class Setting:
    """A whole service: SQLite and a folder, or PostgreSQL, Redis and S3.

    Args:
        folder: Where everything lies.
        shared: PostgreSQL, Redis and S3 rather than SQLite and a folder.
        workers: Conversions at a time in each node that converts.
        work_nodes: Nodes that do nothing but convert; with them the web node does not.
        more: Further settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shared: bool = False,
        workers: int = 2,
        work_nodes: int = 0,
        more: dict[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.folder, self.shared = folder, shared
        self.stores: list[Process] = []
        settings = {
            "FOLDER": str(folder / "service"),
            **{f"LIMITS__{r}".upper(): "0" for r in RATES},
        }
        settings["LIMITS__QUEUED_JOBS"] = "1000000"
        if shared:
            self.postgres, self.redis = Postgres(folder / "pg"), Redis(folder / "redis")
            self.bucket = Bucket(folder / "s3")
            self.stores = [self.postgres, self.redis, self.bucket]
            settings |= {"DATABASE": self.postgres.url, "REDIS": self.redis.url}
            settings |= self.bucket.settings()
        self.settings = {**settings, **(more or {})}
        web = {**self.settings, "WORKERS": "0" if work_nodes else str(workers)}
        self.web = Node(folder, "web", web)
        work = {**self.settings, "WORKERS": str(workers)}
        self.work = [Node(folder, f"work-{n}", work, "work") for n in range(work_nodes)]

    @property
    def nodes(self) -> list[Process]:
        """The processes of the service itself."""
        return [self.web, *self.work]

    def start(self) -> None:
        """Start everything."""
        for store in self.stores:
            store.start()
        subprocess.run(
            [sys.executable, "-m", "ensemble_core", "admin", "migrate"],
            check=True,
            env=self.web.environment(),
        )
        for node in self.nodes:
            node.start()

    def stop(self) -> None:
        """End everything."""
        for each in [*self.nodes, *reversed(self.stores)]:
            each.stop()

    def service(self) -> Any:
        """A service of this process on the same records and files, that converts nothing."""
        from ensemble_server.service import Service

        return Service(self.read_settings())

    def read_settings(self) -> Any:
        """The settings as the nodes read them."""
        from ensemble_server.settings import Settings

        with environment(self.web.environment() | {"ENSEMBLE_SERVER__WORKERS": "0"}):
            return Settings()


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Variables for a while."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
