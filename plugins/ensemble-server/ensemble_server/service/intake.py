"""Receiving a job: the row first, then the files, then the queue."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, bindparam, delete, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError

from ensemble_core.sniff import HEAD, sniff

from ..api.errors import Problem
from ..jobs.asked import Asked, digest
from ..jobs.journal import append_events
from ..jobs.names import clean_name
from ..limiting.queue import admit
from ..records.tables import Job, JobFile, new_id, now, table_of
from ..records.together import Together, Work, by_itself
from ..storage import INPUT, start_of

if TYPE_CHECKING:
    from ..records.database import Database
    from .service import Service

HIGHEST_PRIORITY = 10

_JOBS = table_of(Job)
_RECEIVING = (_JOBS.c.id == bindparam("job"), _JOBS.c.state == "receiving")
_SET = (
    "state", "name", "options", "priority", "deadline", "idempotency_key", "request_digest",
)  # fmt: skip
# Made once: to make them anew for each job costs more than to carry them out.
_BEGIN, _FILES = insert(_JOBS), insert(table_of(JobFile))
_QUEUE = update(_JOBS).where(*_RECEIVING).values({name: bindparam(name) for name in _SET})
_STILL = update(_JOBS).where(*_RECEIVING).values(state="receiving")
_FORGET = delete(_JOBS).where(*_RECEIVING)


Ready = tuple[dict[str, Any], list[dict[str, Any]]]
"""A job that has been received: what is set in its row, and the rows of its files."""


class Desk:
    """Writes down jobs that are received, those of many threads at once.

    Args:
        database: Where.
        most: Unfinished jobs a user may have.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._most = most
        self.begun: Together[dict[str, Any]] = Together(database, self._begin)
        self.queued: Together[Ready] = Together(database, self._queue)

    def _begin(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        users = Counter(row["user_id"] for row in rows)
        for user_id in sorted(users):  # in order, as each is locked
            admit(connection, user_id, self._most, users[user_id])
        connection.execute(_BEGIN, rows)

    def _queue(self, connection: Connection, jobs: Sequence[Ready]) -> None:
        found = connection.execute(_QUEUE, [values for values, _ in jobs]).rowcount
        if found != len(jobs):
            raise RuntimeError("a job that was being received is gone")
        connection.execute(_FILES, [row for _, rows in jobs for row in rows])
        append_events(connection, [(values["job"], "queued", {}) for values, _ in jobs])


@attrs.define
class Wish:
    """What is asked for besides the files.

    Attributes:
        asked: The pipeline.
        name: What the job is called; by default after its first file.
        priority: -10 to 10; larger is sooner.
        deadline: Seconds the conversion may take; None: the service's own.
        idempotency_key: The same key and the same request give the same job.
    """

    asked: Asked = attrs.field(factory=Asked)
    name: str = ""
    priority: int = 0
    deadline: float | None = None
    idempotency_key: str | None = None


@attrs.define
class _Received:
    """A file that comes.

    Attributes:
        small: All of it if it is small: to open it again takes as long as to look what it is.
    """

    id: str
    name: str
    key: str
    stream: IO[bytes]
    size: int = 0
    small: bytearray = attrs.field(factory=bytearray)
    digest: Any = attrs.field(factory=hashlib.sha256)


class Intake:
    """One job being received; used by one thread at a time.

    ``begin_file``, ``write``, ``end_file`` for each file, then ``finish``; or ``abort``, after
    which nothing is left. ``beginning`` and ``finishing`` are for jobs that are received side by
    side (see :mod:`..records.together`).

    Args:
        service: Whose limits, database and store are used.
        user_id: Whose job it is.
    """

    def __init__(self, service: Service, user_id: str) -> None:
        self._service, self._user_id = service, user_id
        self._limits = service.settings.limits
        self.job_id, self._created = new_id(), now()
        self._files: list[_Received] = []
        self._open: _Received | None = None
        self._begun = False
        self._folder: Path | None = None

    def begin_file(self, name: str) -> None:
        """Another file begins.

        Raises:
            Problem: 413 if there are too many.
        """
        self.end_file()
        number = len(self._files) + 1
        if number > self._limits.files:
            raise Problem(
                413, "too-many-files", f"A job may have {self._limits.files} files at most."
            )
        if not self._begun:
            by_itself(self.beginning())
        name = self._unused(clean_name(name, number))
        key = f"{start_of(self.job_id)}{INPUT}{number:04d}"
        received = _Received(new_id(), name, key, self._new_file(key))
        self._files.append(received)
        self._open = received

    def write(self, data: bytes) -> None:
        """More of the file that was begun last.

        Raises:
            Problem: 413 if it is too large.
        """
        received = self._open
        if received is None:
            raise RuntimeError("write() before begin_file()")
        received.size += len(data)
        if received.size > self._limits.file_bytes:
            raise too_large(self._limits.file_bytes)
        if received.size <= HEAD:
            received.small += data
        else:
            received.small.clear()
        received.digest.update(data)
        received.stream.write(data)

    def end_file(self) -> None:
        """The file is complete."""
        received, self._open = self._open, None
        if received is not None:
            received.stream.close()

    def finish(self, wish: Wish) -> tuple[Job, bool]:
        """Put the job into the queue; gives it, and whether it was there before.

        Raises:
            Problem: 422 without files or with wrong options, 415 for files nobody reads, 409 if
                the idempotency key was used for another request, 429 if too many jobs wait.
            EnsembleError: What the plugins say of the options.
        """
        return by_itself(self.finishing(wish))

    def beginning(self) -> Work[None]:
        """Write down that a job is received, before there is a file of it.

        Raises:
            Problem: 429 if too many jobs wait.
        """
        if self._begun:
            return
        row = {
            "id": self.job_id, "user_id": self._user_id, "name": "", "options": {},
            "state": "receiving", "max_attempts": self._service.settings.attempts,
            "created": self._created,
        }  # fmt: skip
        yield self._service.desk.begun, row
        self._begun = True

    def finishing(self, wish: Wish) -> Work[tuple[Job, bool]]:
        """As :meth:`finish` does."""
        self.end_file()
        if not self._files:
            raise Problem(422, "no-files", "Send at least one file, in the field `files`.")
        self._service.checker.check(wish.asked)
        rows = [self._checked(received) for received in self._files]
        if not self._service.store.local:
            for received in self._files:
                self._service.store.bring(self._place(received.key), received.key)
        options = wish.asked.plain()
        request = digest([options, [[row["name"], row["sha256"]] for row in rows]])
        if wish.idempotency_key:
            earlier = self._earlier(wish.idempotency_key, request)
            if earlier is not None:
                self.abort()
                return earlier, True
        values: dict[str, Any] = {
            "state": "queued",
            "name": clean_name(wish.name, 1) if wish.name else rows[0]["name"],
            "options": options,
            "priority": max(-HIGHEST_PRIORITY, min(HIGHEST_PRIORITY, wish.priority)),
            "deadline": min(wish.deadline or self._service.settings.deadline,
                            self._service.settings.deadline),
            "idempotency_key": wish.idempotency_key,
            "request_digest": request,
        }  # fmt: skip
        try:
            yield self._service.desk.queued, ({"job": self.job_id, **values}, rows)
        except IntegrityError:
            # Another request with the same key came first, a moment ago.
            earlier = self._earlier(wish.idempotency_key or "", request)
            if earlier is None:
                raise
            self.abort()
            return earlier, True
        self._clean()
        self._service.engine.submitted(self.job_id)
        job = Job()
        # Set one by one, each would be watched for changes nobody is going to write down.
        inspect(job).dict.update(
            id=self.job_id, user_id=self._user_id, created=self._created, attempt=0, cached=False,
            cancel_requested=False, **values,
        )  # fmt: skip
        return job, False

    def abort(self) -> None:
        """Leave nothing behind."""
        received, self._open = self._open, None
        if received is not None:
            received.stream.close()
        self._clean()
        if self._begun:
            self._forget()

    def _forget(self) -> None:
        """Remove files and row, unless the job is queued after all.

        It is if the word that it was got lost on its way from the database.
        """
        with self._service.database.change() as connection:
            if not connection.execute(_STILL, {"job": self.job_id}).rowcount:
                return
        self._service.store.remove_all(start_of(self.job_id))
        with self._service.database.change() as connection:
            connection.execute(_FORGET, {"job": self.job_id})

    def _earlier(self, key: str, request: str) -> Job | None:
        with self._service.database.read() as session:
            job = session.scalar(
                select(Job).where(Job.user_id == self._user_id, Job.idempotency_key == key)
            )
        if job is not None and job.request_digest != request:
            raise Problem(
                409, "idempotency-key-reused", "This key was used for another request before."
            )
        return job

    def _checked(self, received: _Received) -> dict[str, Any]:
        if received.size == 0:
            raise Problem(422, "empty-file", f"{received.name}: the file is empty.")
        media = sniff(bytes(received.small) or self._place(received.key))
        if media not in self._service.accepts:
            raise Problem(
                415, "input-unsupported", f"{received.name}: no loader here reads {media}."
            )
        return {
            "id": received.id, "job_id": self.job_id, "kind": "input", "name": received.name,
            "key": received.key, "media_type": media, "size": received.size,
            "sha256": received.digest.hexdigest(),
        }  # fmt: skip

    def _unused(self, name: str) -> str:
        taken = {received.name for received in self._files}
        stem, dot, suffix = name.rpartition(".")
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{stem} ({number}).{suffix}" if dot else f"{name} ({number})"
        return free

    def _new_file(self, key: str) -> IO[bytes]:
        if self._service.store.local:
            return self._service.store.writing(key)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"ensemble-{os.getpid()}-"))
        return self._place(key).open("wb")

    def _place(self, key: str) -> Path:
        """Where a file is on this machine: at its place in a local store, else on its way."""
        if self._folder is None:
            return self._service.store.place(key)
        return self._folder / key.rpartition("/")[2]

    def _clean(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            for path in folder.iterdir():
                path.unlink()
            with contextlib.suppress(OSError):
                folder.rmdir()


def too_large(most: int) -> Problem:
    """The one answer for too large a file or request."""
    return Problem(413, "file-too-large", f"More than {most:,} bytes.")
