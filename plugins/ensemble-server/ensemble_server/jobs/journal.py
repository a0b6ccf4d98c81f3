"""What one attempt at a job has to tell: durable events, pages, progress, and the end."""

from __future__ import annotations

import threading
import time
from typing import Any

from sqlalchemy import func, insert, select, update
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
from ..records.tables import Job, JobEvent, now
from .engine import Lease

_PROGRESS_EVERY = 0.5
"""Seconds between two notes of progress in the database."""
_MOST_DIAGNOSTICS = 200
"""Diagnostics told as events; all of them stand in the report."""


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
        self._told = 0.0
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
            due = bool(self._waiting)
            progress = self._progress
            if progress is not None and time.monotonic() - self._told < _PROGRESS_EVERY:
                progress = None
        if not due and progress is None:
            return
        with self._database.write() as session:
            if not self._held(session, progress):
                return
            self._write_events(session)
        if due:
            self._bus.publish(job_channel(self._lease.job_id), {"kind": "news"})

    def finish(self, session: Session, job: Job) -> None:
        """Write down what waits, within the transaction that ends the job."""
        job.pages, job.page_count = self.in_order(), self.page_count
        self._write_events(session)

    def _held(self, session: Session, progress: dict[str, Any] | None) -> bool:
        """Update the row if the lease is still ours; locks it for the events' numbers."""
        values: dict[str, Any] = {"pages": self.in_order(), "page_count": self.page_count}
        if progress is not None:
            values["progress"] = progress
            self._told = time.monotonic()
            with self._lock:
                if self._progress is progress:
                    self._progress = None
        done = session.execute(
            update(Job)
            .where(Job.id == self._lease.job_id, Job.lease == self._lease.token)
            .values(values)
        )
        return bool(done.rowcount)  # type: ignore[attr-defined]

    def in_order(self) -> list[dict[str, Any]]:
        """The pages so far."""
        with self._lock:
            return [page for _, page in sorted(self.pages.items())]

    def _write_events(self, session: Session) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        add_events(session, self._lease.job_id, waiting)

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


def add_events(session: Session, job_id: str, events: list[tuple[str, dict[str, Any]]]) -> None:
    """Append events to a job whose row this transaction has locked (by an update)."""
    if not events:
        return
    last = session.scalar(select(func.max(JobEvent.number)).where(JobEvent.job_id == job_id)) or 0
    moment = now()
    rows = [
        {"job_id": job_id, "number": number, "time": moment, "kind": kind, "data": data}
        for number, (kind, data) in enumerate(events, last + 1)
    ]
    session.execute(insert(JobEvent), rows)


def diagnostic(found: Any) -> dict[str, Any]:
    """A diagnostic as plain data; pages are counted from 1, as people do."""
    data: dict[str, Any] = pack(found)
    if data.get("page") is not None:
        data["page"] += 1
    return data


def _page(event: StageStarted | Progress) -> int | None:
    return None if event.page is None else event.page + 1
