"""The queue, in the records themselves: a job and its place in the queue cannot part.

A job is taken by one conditional update, kept by a heartbeat, and free again when its lease ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from ..records.database import Database
from ..records.tables import Job, now
from .ending import Ending
from .engine import Lease, Stopper
from .journal import add_events

_CLAIMS = 7_240_519
"""The advisory lock under which PostgreSQL counts what a user has running."""

LOST = {
    "code": "worker-lost",
    "message": "The worker died each time it tried this job.",
    "hint": "Try it again; if it fails the same way, the file may be what kills it.",
}


class Leases:
    """Taking, keeping and giving back jobs.

    Args:
        database: Where the jobs are.
        worker: Name of this worker process.
        seconds: How long a lease lasts without a heartbeat.
        ending: How a job ends.
        running: Jobs of a user worked on at a time; 0: any number.
    """

    def __init__(
        self, database: Database, worker: str, seconds: float, ending: Ending, running: int = 0
    ) -> None:
        self._database, self._worker, self._ending = database, worker, ending
        self._seconds, self._running = seconds, running

    def take(self) -> tuple[Job, Lease] | None:
        """The next job, ours from now on; None if there is nothing to do."""
        if not self._any():
            return None
        token = secrets.token_urlsafe(16)
        with self._database.write() as session:
            moment = now()  # not before: it may have taken a while to be let in
            if self._running and not self._database.sqlite:
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMS})
            job = session.scalar(
                update(Job)
                .where(Job.id == self._next().scalar_subquery(), Job.state == "queued")
                .values(
                    state="running", lease=token, worker=self._worker, started=moment,
                    lease_until=moment + timedelta(seconds=self._seconds),
                    attempt=Job.attempt + 1, pages=[], progress=None,
                )
                .returning(Job)
            )  # fmt: skip
            if job is None:
                return None
            add_events(session, job.id, [("started", {"attempt": job.attempt})])
        return job, Lease(job.id, token, job.attempt, Stopper())

    def _any(self) -> bool:
        """Whether anything waits; asked first, so that idle workers never write."""
        with self._database.read() as session:
            return session.scalar(select(Job.id).where(Job.state == "queued").limit(1)) is not None

    def _next(self) -> Any:
        waiting = select(Job.id).where(Job.state == "queued")
        if self._running:
            other = aliased(Job)
            running = (
                select(func.count())
                .select_from(other)
                .where(other.user_id == Job.user_id, other.state == "running")
                .scalar_subquery()
            )
            waiting = waiting.where(running < self._running)
        return (
            waiting.order_by(Job.priority.desc(), Job.created)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    def beat(self, leases: Iterable[Lease]) -> None:
        """Prolong leases; those that are gone are told to stop, and so are cancelled ones."""
        held = {lease.token: lease for lease in leases}
        if not held:
            return
        until = now() + timedelta(seconds=self._seconds)
        with self._database.write() as session:
            rows = session.execute(
                update(Job)
                .where(Job.lease.in_(list(held)), Job.state == "running")
                .values(lease_until=until)
                .returning(Job.lease, Job.cancel_requested)
            ).all()
        kept = {token: bool(cancel) for token, cancel in rows}
        for token, lease in held.items():
            if token not in kept:
                lease.stopper.stop("lost")
            elif kept[token]:
                lease.stopper.stop("cancel")

    def recover(self) -> int:
        """Free the jobs of workers that fell silent; gives how many."""
        moment = now()
        silent = [Job.state == "running", or_(Job.lease_until < moment, Job.lease_until.is_(None))]
        with self._database.read() as session:
            if session.scalar(select(Job.id).where(*silent).limit(1)) is None:
                return 0
        with self._database.write() as session:
            jobs = session.scalars(
                select(Job).where(*silent).with_for_update(skip_locked=True)
            ).all()
            for job in jobs:
                self._free(session, job)
        return len(jobs)

    def _free(self, session: Session, job: Job) -> None:
        if job.cancel_requested:
            self._ending.end(session, job, "cancelled")
        elif job.attempt >= job.max_attempts:
            self._ending.end(session, job, "failed", dict(LOST))
        else:
            job.state, job.lease, job.lease_until = "queued", None, None
            session.flush()
            add_events(session, job.id, [("queued", {"reason": "worker-lost"})])

    def give_back(self, lease: Lease) -> bool:
        """Put a job back into the queue as if it had not been begun; False if it was not ours."""
        with self._database.write() as session:
            done = session.execute(
                update(Job)
                .where(Job.id == lease.job_id, Job.lease == lease.token)
                .values(
                    state="queued", lease=None, lease_until=None, started=None,
                    attempt=Job.attempt - 1, pages=[], progress=None,
                )
            )  # fmt: skip
            if not done.rowcount:  # type: ignore[attr-defined]
                return False
            add_events(session, lease.job_id, [("queued", {"reason": "worker-stopped"})])
        return True
