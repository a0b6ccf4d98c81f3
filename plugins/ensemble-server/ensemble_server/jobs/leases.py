"""The queue, in the records themselves: a job and its place in the queue cannot part.

A job is taken by one conditional update, kept by a heartbeat, and free again when its lease ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

import attrs
from sqlalchemy import Connection, Select, bindparam, func, or_, select, text, update
from sqlalchemy.orm import Session

from ..records.database import Database
from ..records.tables import Job, JobFile, now, table_of
from .ending import Ending
from .engine import Lease, Stopper, Taken
from .journal import add_events

_CLAIMS = 7_240_519
"""The advisory lock under which PostgreSQL counts what a user has running."""

LOST = {
    "code": "worker-lost",
    "message": "The worker died each time it tried this job.",
    "hint": "Try it again; if it fails the same way, the file may be what kills it.",
}

_JOBS = table_of(Job)
_FILES = table_of(JobFile)
_TAKEN = [_JOBS.c[each.name] for each in attrs.fields(Taken) if each.name != "inputs"]
_INPUTS = (
    select(_FILES)
    .where(_FILES.c.job_id == bindparam("job"), _FILES.c.kind == "input")
    .order_by(_FILES.c.key)
)
_ANY = select(_JOBS.c.id).where(_JOBS.c.state == "queued").limit(1)

_DROP = (
    update(_JOBS).where(_JOBS.c.lease == bindparam("token")).values(lease_until=bindparam("until"))
)


def _next(running: int) -> Select[tuple[str]]:
    """The job whose turn it is."""
    waiting = select(_JOBS.c.id).where(_JOBS.c.state == "queued")
    if running:
        other = _JOBS.alias()
        count = select(func.count()).select_from(other)
        count = count.where(other.c.user_id == _JOBS.c.user_id, other.c.state == "running")
        waiting = waiting.where(count.scalar_subquery() < running)
    order = waiting.order_by(_JOBS.c.priority.desc(), _JOBS.c.created)
    return order.limit(1).with_for_update(skip_locked=True)


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
        # Made once: to make it anew for each job costs more than to carry it out.
        self._take = (
            update(_JOBS)
            .where(_JOBS.c.id == _next(running).scalar_subquery(), _JOBS.c.state == "queued")
            .values(
                state="running", worker=worker, attempt=_JOBS.c.attempt + 1, pages=[],
                progress=None, lease=bindparam("token"), started=bindparam("moment"),
                lease_until=bindparam("until"),
            )
            .returning(*_TAKEN)
        )  # fmt: skip

    def take(self, *, likely: bool = False) -> tuple[Taken, Lease] | None:
        """The next job, ours from now on; None if there is nothing to do.

        Args:
            likely: There was one a moment ago: it is not asked first whether there is any.
        """
        if not likely and not self._any():
            return None
        with self._database.change() as connection:
            return self.take_in(connection)

    def take_in(self, connection: Connection) -> tuple[Taken, Lease] | None:
        """Like :meth:`take`, in a transaction in which something else is done too.

        It has begun by then: the lease counts from now, and it may take a while to be let in.
        """
        token, moment = secrets.token_urlsafe(16), now()
        until = moment + timedelta(seconds=self._seconds)
        if self._running and not self._database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMS})
        values = {"token": token, "moment": moment, "until": until}
        row = connection.execute(self._take, values).one_or_none()
        if row is None:
            return None
        inputs = connection.execute(_INPUTS, {"job": row.id}).all()
        job = Taken(**row._mapping, inputs=inputs)
        add_events(connection, job.id, [("started", {"attempt": job.attempt})])
        return job, Lease(job.id, token, job.attempt, Stopper())

    def _any(self) -> bool:
        """Whether anything waits; asked first, so that idle workers never write."""
        with self._database.look() as connection:
            return connection.scalar(_ANY) is not None

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

    def recover(self) -> list[tuple[str, bool]]:
        """Free the jobs of workers that fell silent; gives which, and whether that ended them."""
        moment = now()
        silent = [Job.state == "running", or_(Job.lease_until < moment, Job.lease_until.is_(None))]
        with self._database.read() as session:
            if session.scalar(select(Job.id).where(*silent).limit(1)) is None:
                return []
        with self._database.write() as session:
            jobs = session.scalars(
                select(Job).where(*silent).with_for_update(skip_locked=True)
            ).all()
            for job in jobs:
                self._free(session, job)
            return [(job.id, job.state != "queued") for job in jobs]

    def _free(self, session: Session, job: Job) -> None:
        if job.cancel_requested:
            self._ending.end(session, job, "cancelled")
        elif job.attempt >= job.max_attempts:
            self._ending.end(session, job, "failed", dict(LOST))
        else:
            job.state, job.lease, job.lease_until = "queued", None, None
            session.flush()
            add_events(session, job.id, [("queued", {"reason": "worker-lost"})])

    def drop(self, lease: Lease) -> None:
        """Leave a job to the next worker: this attempt has failed and counts."""
        with self._database.change() as connection:
            connection.execute(_DROP, {"token": lease.token, "until": now()})

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
