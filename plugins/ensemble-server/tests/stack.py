"""PostgreSQL, Redis and S3 for tests, each test in a place of its own."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg
from servers import Bucket, Postgres, Redis, running


@attrs.define
class Stack:
    """The servers; each test gets a database, a folder of the bucket and a Redis number."""

    postgres: Postgres
    redis: Redis
    s3: Bucket
    _number: int = 0

    def settings(self) -> dict[str, Any]:
        """Fresh ones."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self._number = (self._number + 1) % 16
        return {
            "database": self.postgres.url(name),
            "redis": self.redis.url(self._number),
            "storage": self.s3.place(name),
            "storage_options": self.s3.options,
        }


@contextmanager
def started() -> Iterator[Stack]:
    """All three, running; nothing stays behind."""
    folder = Path(tempfile.mkdtemp(prefix="ensemble-stack-"))
    try:
        stack = Stack(
            Postgres(folder / "postgres", durable=False),
            Redis(folder / "redis"),
            Bucket(folder / "s3"),
        )
        with running(stack.postgres, stack.redis, stack.s3):
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)
