"""The nodes of a service, to be started, killed and started again, on the stores they share."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from servers import Bucket, Postgres, Process, Redis, free_port

RATES = ("requests_per_minute", "jobs_per_minute")


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
            settings |= {"DATABASE": self.postgres.url(), "REDIS": self.redis.url()}
            settings["STORAGE"] = self.bucket.place("service")
            settings["STORAGE_OPTIONS"] = json.dumps(self.bucket.options)
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
