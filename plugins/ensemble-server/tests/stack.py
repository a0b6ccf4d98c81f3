"""Real PostgreSQL, Redis and S3 (moto's server) for tests, started once and stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg


def postgres_folder() -> Path | None:
    """Where PostgreSQL's programs are; they are often not on the PATH."""
    found = shutil.which("postgres")
    if found and shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def lacking() -> str:
    """Why the second set of stores cannot be had here; empty if it can."""
    if postgres_folder() is None:
        return "PostgreSQL is not installed"
    if shutil.which("redis-server") is None:
        return "redis-server is not installed"
    if os.geteuid() == 0 and not _unprivileged():
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@attrs.define
class Stack:
    """Where the servers are; each test gets a database, a bucket and a Redis number of its own."""

    postgres: str
    redis: str
    s3: str
    _number: int = 0

    def settings(self) -> dict[str, Any]:
        """Fresh ones."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(f"{self.postgres}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self._number = (self._number + 1) % 16
        options = {"key": "test", "secret": "test", "endpoint_url": self.s3}
        make_bucket(name.replace("_", "-"), options)
        return {
            "database": f"{self.postgres}/{name}",
            "redis": f"{self.redis}/{self._number}",
            "storage": f"s3://{name.replace('_', '-')}/files",
            "storage_options": options,
        }


def make_bucket(name: str, options: dict[str, str]) -> None:
    """Make an S3 bucket."""
    import s3fs

    s3fs.S3FileSystem(**options, skip_instance_cache=True).mkdir(name)


@contextmanager
def running() -> Iterator[Stack]:
    """All three, running."""
    from moto.server import ThreadedMotoServer

    folder = Path(tempfile.mkdtemp(prefix="ensemble-stack-"))
    folder.chmod(0o755)
    s3 = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    try:
        with postgres(folder) as database, redis(folder) as updates:
            s3.start()
            host, port = s3.get_host_and_port()
            yield Stack(database, updates, f"http://{host}:{port}")
            s3.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres(folder: Path, port: int | None = None) -> Iterator[str]:
    """A PostgreSQL; gives its URL without a database."""
    programs = postgres_folder()
    assert programs
    data, port = folder / "postgres", port or free_port()
    if not data.exists():
        data.mkdir()
        if _unprivileged():
            shutil.chown(data, "postgres", "postgres")
        subprocess.run(
            [*_unprivileged(), programs / "initdb", "-D", data, "-U", "test", "-A", "trust",
             "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, capture_output=True,
        )  # fmt: skip
    server = subprocess.Popen(
        [*_unprivileged(), programs / "postgres", "-D", data, "-p", str(port),
         "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}",
         "-c", "fsync=off", "-c", "max_connections=200"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"postgresql://test@127.0.0.1:{port}"
    try:
        _wait(lambda: psycopg.connect(f"{url}/postgres", connect_timeout=2).close())
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def redis(folder: Path, port: int | None = None) -> Iterator[str]:
    """A Redis; gives its URL."""
    import redis as client

    port = port or free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
         "--dir", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}"
    try:
        _wait(lambda: client.Redis.from_url(url).ping())
        yield url
    finally:
        server.kill()
        server.wait()


def _wait(look: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            look()
            return
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _unprivileged() -> list[str]:
    """What a command is prefixed with so that it does not run as root."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    import pwd

    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
