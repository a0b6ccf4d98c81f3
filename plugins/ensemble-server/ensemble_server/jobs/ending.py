"""How a job ends, whoever ends it: its state, its last event, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update
from sqlalchemy.orm import Session

from ..records.tables import Job, JobFile, now, table_of
from .engine import Lease
from .journal import Journal, add_events

ENDS = ("done", "partial", "failed", "cancelled")
"""The states a job stays in."""

Hook = Callable[[Session | Connection, Any], None]
"""Called in the transaction that ends a job, with what :data:`TOLD` names of it."""

_JOBS = table_of(Job)
TOLD = ("id", "user_id", "name", "state", "created", "started", "finished", "page_count", "error")
_SET = (
    "state", "error", "finished", "expires", "report", "fingerprint", "cached", "pages",
    "page_count",
)  # fmt: skip
# Made once: to make it anew for each job costs more than to carry it out.
_END = (
    update(_JOBS)
    .where(_JOBS.c.id == bindparam("job"), _JOBS.c.lease == bindparam("token"))
    .values({name: bindparam(name) for name in _SET})
    .values(lease=None, lease_until=None, progress=None)
    .returning(*[_JOBS.c[name] for name in TOLD])
)
_FILES = insert(table_of(JobFile))


class Ending:
    """Ends jobs.

    Args:
        time_to_live: Seconds an ended job is kept.
    """

    def __init__(self, time_to_live: float) -> None:
        self._keep = timedelta(seconds=time_to_live)
        self.hooks: list[Hook] = []

    def finish(
        self,
        connection: Connection,
        lease: Lease,
        journal: Journal,
        state: str,
        *,
        error: dict[str, Any] | None = None,
        files: Sequence[dict[str, Any]] = (),
        report: dict[str, Any] | None = None,
        fingerprint: str | None = None,
        cached: bool = False,
    ) -> bool:
        """End the job of a lease, with its files; False if the lease is not ours any more."""
        moment = now()
        values = {
            "job": lease.job_id, "token": lease.token, "state": state, "error": error,
            "finished": moment, "expires": moment + self._keep, "report": report,
            "fingerprint": fingerprint, "cached": cached, "pages": journal.in_order(),
            "page_count": journal.page_count,
        }  # fmt: skip
        job = connection.execute(_END, values).one_or_none()
        if job is None:
            return False
        if files:
            connection.execute(_FILES, list(files))
        last = (state, _data(state, error, cached))
        add_events(connection, job.id, [*journal.waiting(), last])
        for hook in self.hooks:
            hook(connection, job)
        return True

    def end(
        self, session: Session, job: Job, state: str, error: dict[str, Any] | None = None
    ) -> None:
        """End a job nobody works on, whose row this transaction holds."""
        moment: datetime = now()
        job.state, job.error, job.finished = state, error, moment
        job.expires = moment + self._keep
        job.lease = job.lease_until = job.progress = None
        session.flush()
        add_events(session, job.id, [(state, _data(state, error, job.cached))])
        for hook in self.hooks:
            hook(session, job)


def _data(state: str, error: dict[str, Any] | None, cached: bool) -> dict[str, Any]:
    data: dict[str, Any] = {"state": state}
    if error:
        data["error"] = error
    if cached:
        data["cached"] = True
    return data
