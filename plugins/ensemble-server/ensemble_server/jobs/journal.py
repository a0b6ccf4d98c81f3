"""What one attempt at a job has to tell: durable events, pages, progress, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Connection, String, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from ensemble_core.model import (
    DiagnosticRaised,
    DocumentStarted,
    Event,
    PageDone,
    Progress,
    StageStarted,
)
from ensemble_core.pipeline.wire import pack

from ..live.bus import Bus, job_channel
from ..records.database import Database
from ..records.tables import Job, JobEvent, Moment, now, table_of
from .engine import Lease

_WRITE_EVERY = 0.5
"""Seconds between two times something is written down; a quick job is written down at its end."""
_MOST_DIAGNOSTICS = 200
"""Diagnostics told as events; all of them stand in the report."""

_JOBS, _EVENTS = table_of(Job), table_of(JobEvent)
# Statements are made once: to make them anew each time would cost more than to carry them out.
_HELD = (
    update(_JOBS)
    .where(_JOBS.c.id == bindparam("job"), _JOBS.c.lease == bindparam("token"))
    .values(pages=bindparam("pages"), page_count=bindparam("page_count"))
)
_HELD_PROGRESS = _HELD.values(progress=bindparam("progress"))
_NEXT = func.coalesce(func.max(_EVENTS.c.number), 0) + 1
_APPEND = insert(_EVENTS).from_select(
    ["job_id", "number", "time", "kind", "data"],
    select(
        bindparam("job", type_=String(32)), _NEXT, bindparam("time", type_=Moment),
        bindparam("kind", type_=String(32)), bindparam("data", type_=JSON),
    ).where(_EVENTS.c.job_id == bindparam("job", type_=String(32))),
)  # fmt: skip


class Journal:
    """Gathers what a run says and writes it down in few transactions.

    Args:
        database: Where events go.
        bus: Where word of them goes.
        lease: On which job; nothing is written once it is lost.
    """

    def __init__(self, database: Database, bus: Bus, lease: Lease) -> None:
        self._database, self._bus, self._lease = database, bus, lease
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._progress: dict[str, Any] | None = None
        self._told = time.monotonic()
        self._diagnostics = 0
        self.page_count: int | None = None
        self.pages: dict[int, dict[str, Any]] = {}

    def observe(self, event: Event) -> None:
        """Take an event of the core's."""
        if isinstance(event, PageDone):
            page = {
                "number": event.page + 1,
                "status": event.status,
                "seconds": round(event.seconds, 3),
            }
            with self._lock:
                self.pages[event.page] = page
                self._waiting.append(("page", page))
        elif isinstance(event, DiagnosticRaised) and event.document:
            self._diagnostic(event)
        elif isinstance(event, DocumentStarted):
            self.page_count = event.pages
            self._say({"stage": "started", "pages": event.pages})
        elif isinstance(event, StageStarted):
            self._say({"stage": event.kind, "component": event.component, "page": _page(event)})
        elif isinstance(event, Progress):
            share = event.done / event.total if event.total else 0.0
            self._say(
                {"stage": "progress", "component": event.component, "page": _page(event),
                 "done": event.done, "total": event.total, "unit": event.unit,
                 "share": round(share, 4)}
            )  # fmt: skip

    def flush(self) -> None:
        """Write down what waits; called every moment by the worker's keeper."""
        with self._lock:
            due, progress = bool(self._waiting), self._progress
            if time.monotonic() - self._told < _WRITE_EVERY or not (due or progress):
                return
            self._told = time.monotonic()
        with self._database.change() as connection:
            if not self._held(connection, progress):
                return
            self._write_events(connection)
        if due:
            self._bus.publish(job_channel(self._lease.job_id), {"kind": "news"})

    def _held(self, connection: Connection, progress: dict[str, Any] | None) -> bool:
        """Update the row if the lease is still ours; locks it for the events' numbers."""
        values: dict[str, Any] = {
            "job": self._lease.job_id, "token": self._lease.token,
            "pages": self.in_order(), "page_count": self.page_count,
        }  # fmt: skip
        statement = _HELD
        if progress is not None:
            statement, values["progress"] = _HELD_PROGRESS, progress
            with self._lock:
                if self._progress is progress:
                    self._progress = None
        return bool(connection.execute(statement, values).rowcount)

    def in_order(self) -> list[dict[str, Any]]:
        """The pages so far."""
        with self._lock:
            return [page for _, page in sorted(self.pages.items())]

    def waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """Events that are not written down yet; they count as written from now on."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting

    def _write_events(self, connection: Connection) -> None:
        add_events(connection, self._lease.job_id, self.waiting())

    def _diagnostic(self, event: DiagnosticRaised) -> None:
        with self._lock:
            self._diagnostics += 1
            if self._diagnostics <= _MOST_DIAGNOSTICS:
                self._waiting.append(("diagnostic", diagnostic(event.diagnostic)))

    def _say(self, data: dict[str, Any]) -> None:
        with self._lock:
            self._progress = data
        self._bus.publish(
            job_channel(self._lease.job_id), {"kind": "progress", "number": None, "data": data}
        )


def add_events(
    session: Session | Connection, job_id: str, events: list[tuple[str, dict[str, Any]]]
) -> None:
    """Append events to a job whose row this transaction has locked (by an update)."""
    append_events(session, [(job_id, kind, data) for kind, data in events])


def append_events(
    session: Session | Connection, events: Sequence[tuple[str, str, dict[str, Any]]]
) -> None:
    """Append events (job, kind, data) to jobs whose rows this transaction has locked."""
    moment = now()
    rows = [{"job": job, "time": moment, "kind": kind, "data": data} for job, kind, data in events]
    if rows:
        session.execute(_APPEND, rows)


def diagnostic(found: Any) -> dict[str, Any]:
    """A diagnostic as plain data; pages are counted from 1, as people do."""
    data: dict[str, Any] = pack(found)
    if data.get("page") is not None:
        data["page"] += 1
    return data


def _page(event: StageStarted | Progress) -> int | None:
    return None if event.page is None else event.page + 1
