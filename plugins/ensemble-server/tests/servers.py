"""Real servers for tests and benchmarks, to be started, killed and started again: PostgreSQL,
Redis, and a store that speaks S3 (moto's server).
"""

from __future__ import annotations

import contextlib
import os
import pwd
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

BUCKET = "ensemble"


def postgres_folder() -> Path | None:
    """Where PostgreSQL's programs are; they are often not on the PATH."""
    found = shutil.which("postgres")
    if found and shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def postgres_user() -> str | None:
    """Whom PostgreSQL runs as, since it refuses root; None: us."""
    return "postgres" if os.geteuid() == 0 else None


def lacking() -> str:
    """Why the servers cannot be had here; empty if they can."""
    if postgres_folder() is None:
        return "PostgreSQL is not installed"
    if shutil.which("redis-server") is None:
        return "redis-server is not installed"
    if postgres_user():
        with contextlib.suppress(KeyError):
            pwd.getpwnam("postgres")
            return ""
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


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
    """PostgreSQL with a folder of its own, in which what it holds stays from start to start.

    Args:
        folder: Where it lies.
        durable: Whether a crash of the machine loses nothing.
    """

    def __init__(self, folder: Path, durable: bool = True) -> None:
        super().__init__(folder, "postgres")
        self.port, self.durable = free_port(), durable
        programs = postgres_folder()
        assert programs
        self.programs = programs
        if self.user():
            shutil.chown(folder, self.user())
            for place in folder.parents[:3]:
                with contextlib.suppress(OSError):
                    place.chmod(place.stat().st_mode | 0o055)
        subprocess.run(
            [str(self.programs / "initdb"), "-D", str(self.data), "-A", "trust", "-U", "ensemble",
             "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, user=self.user(), cwd=folder,
        )  # fmt: skip

    @property
    def data(self) -> Path:
        """Where the cluster lies."""
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        """Of a database, for SQLAlchemy and for psycopg."""
        return f"postgresql://ensemble@127.0.0.1:{self.port}/{database}"

    def user(self) -> str | None:
        return postgres_user()

    def command(self) -> list[str]:
        return [
            str(self.programs / "postgres"), "-D", str(self.data), "-p", str(self.port),
            "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
            "-c", f"fsync={'on' if self.durable else 'off'}",
        ]  # fmt: skip

    def ready(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=2).close()
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

    def url(self, number: int = 0) -> str:
        """Of one of its 16 databases."""
        return f"redis://127.0.0.1:{self.port}/{number}"

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

    @property
    def options(self) -> dict[str, str]:
        """How it is reached."""
        return {"endpoint_url": self.endpoint, "key": "k", "secret": "s"}

    def place(self, folder: str) -> str:
        """The URL of a folder in its bucket."""
        return f"s3://{BUCKET}/{folder}"


@contextlib.contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Processes for a while; what they keep in their folders stays."""
    with contextlib.ExitStack() as ending:
        for each in processes:
            ending.callback(each.stop)
            each.start()
        yield
