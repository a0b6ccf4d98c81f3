"""The service: jobs of users, from upload to removal."""

from __future__ import annotations

import base64
import binascii
import builtins
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from functools import cached_property
from typing import IO, Any

import attrs
import structlog
from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.attributes import set_committed_value

from ensemble_core.config import Config
from ensemble_core.pipeline.planner import share_cores
from ensemble_core.registry import Component, Registry, missing

from ..api.errors import Problem, not_found
from ..jobs.asked import Checker
from ..jobs.chores import Chores
from ..jobs.ending import ENDS, Ending
from ..jobs.engine import Engine
from ..jobs.journal import add_events
from ..jobs.local import LocalEngine
from ..limiting.queue import admit
from ..live import open_bus
from ..live.bus import job_channel
from ..metrics import Metrics
from ..notices import announce
from ..records.database import Database
from ..records.tables import Job, JobEvent, JobFile
from ..settings import Settings
from ..storage import Store, start_of
from .intake import Desk, Intake, Wish

log = structlog.get_logger(__name__)

_NICE = 10
"""How far conversions step back for requests, where the operator does not say."""


@attrs.frozen
class Page:
    """A page of a list: its jobs, and the cursor of the next one (None: there is none)."""

    jobs: Sequence[Job]
    next: str | None


class Service:
    """What routes, pages and commands call. Methods are synchronous and safe in any thread.

    Whatever belongs to another user raises exactly what does not exist raises: ``Problem`` 404.

    Args:
        settings: How it is set up.

    Attributes:
        database, store, bus: Records, files, live events.
        checker: Holds options to the plugins' schemas.
        ending: How jobs end; add to ``ending.hooks`` to be told, within the transaction.
        engine: The queue.
        desk: Where received jobs are written down.
        quiet: Set unless uploads are being put into the queue; then conversions are not begun.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_url)
        self.store = Store(settings.storage_url, settings.storage_options)
        self.bus = open_bus(settings.redis)
        self.base = base_config(settings)
        self.checker = Checker(self.base)
        self.ending = Ending(settings.time_to_live)
        self.metrics = Metrics(self)
        self.ending.hooks += [announce, self.metrics.job_ended]
        self.quiet = threading.Event()
        self.quiet.set()
        self.engine: Engine = LocalEngine(self)
        self.desk = Desk(self.database, settings.limits.queued_jobs)
        self.chores = Chores(self)

    def start(self) -> None:
        """Begin to work on jobs, if this process does, and to do the chores."""
        self.engine.start()
        self.chores.start()

    def stop(self) -> None:
        """Give back what is under way, end all processes."""
        self.chores.stop()
        self.engine.stop()

    def close(self) -> None:
        """Let go of everything."""
        self.stop()
        self.bus.close()
        self.database.close()

    def receive(self, user_id: str) -> Intake:
        """Begin to receive a job, for uploads that come in pieces."""
        return Intake(self, user_id)

    def submit(
        self, user_id: str, files: Sequence[tuple[str, bytes | IO[bytes]]], wish: Wish | None = None
    ) -> tuple[Job, bool]:
        """Put a job with these files (name, content) into the queue.

        Gives the job, and whether it was there before (by its idempotency key).

        Raises:
            Problem, EnsembleError: As :meth:`Intake.finish` says.
        """
        intake = self.receive(user_id)
        try:
            for name, content in files:
                intake.begin_file(name)
                if isinstance(content, bytes):
                    intake.write(content)
                else:
                    while piece := content.read(1 << 20):
                        intake.write(piece)
            return intake.finish(wish or Wish())
        except BaseException:
            intake.abort()
            raise

    def get(self, user_id: str, job_id: str) -> Job:
        """A job.

        Raises:
            Problem: 404.
        """
        with self.database.read() as session:
            return _owned(session, user_id, job_id)

    def detail(self, user_id: str, job_id: str) -> tuple[Job, builtins.list[JobFile]]:
        """A job and its files, by one visit to the database.

        Raises:
            Problem: 404.
        """
        with self.database.read() as session:
            job = _owned(session, user_id, job_id)
            files = session.scalars(
                select(JobFile).where(JobFile.job_id == job_id).order_by(JobFile.key)
            ).all()
        return job, [*files]

    def list(
        self,
        user_id: str,
        *,
        states: Sequence[str] = (),
        name: str = "",
        after: datetime | None = None,
        before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A user's jobs, newest first, without their reports.

        Args:
            user_id: Whose.
            states: Only in these states.
            name: Only with this in their name, in any case.
            after: Only those made at that time or later.
            before: Only those made before.
            cursor: ``next`` of the page before.
            limit: Most jobs.

        Raises:
            Problem: 422 for a cursor that is none.
        """
        wanted = select(Job).where(Job.user_id == user_id, Job.state != "receiving")
        if states:
            wanted = wanted.where(Job.state.in_(list(states)))
        if name:
            wanted = wanted.where(Job.name.icontains(name, autoescape=True))
        if after:
            wanted = wanted.where(Job.created >= after)
        if before:
            wanted = wanted.where(Job.created < before)
        if cursor:
            created, last = _parse_cursor(cursor)
            wanted = wanted.where(tuple_(Job.created, Job.id) < tuple_(created, last))
        wanted = wanted.order_by(Job.created.desc(), Job.id.desc()).limit(limit + 1)
        with self.database.read() as session:
            jobs = session.scalars(wanted.options(defer(Job.report, raiseload=True))).all()
        for job in jobs:
            set_committed_value(job, "report", None)  # may be large, and nobody lists reports
        more = len(jobs) > limit
        return Page(jobs[:limit], _cursor(jobs[limit - 1]) if more else None)

    def files(self, user_id: str, job_id: str) -> Sequence[JobFile]:
        """The files of a job: inputs, outputs, previews.

        Raises:
            Problem: 404.
        """
        self.get(user_id, job_id)
        return self.files_of([job_id]).get(job_id, [])

    def files_of(self, job_ids: Sequence[str]) -> dict[str, builtins.list[JobFile]]:
        """The files of several jobs, whose owner was checked before."""
        found: dict[str, builtins.list[JobFile]] = {}
        with self.database.read() as session:
            files = session.scalars(
                select(JobFile).where(JobFile.job_id.in_(list(job_ids))).order_by(JobFile.key)
            )
            for each in files:
                found.setdefault(each.job_id, []).append(each)
        return found

    def file(self, user_id: str, job_id: str, name: str, kind: str | None = None) -> JobFile:
        """A file of a job by its name; results come before uploads of the same name.

        Raises:
            Problem: 404.
        """
        self.get(user_id, job_id)
        wanted = select(JobFile).where(JobFile.job_id == job_id, JobFile.name == name)
        if kind:
            wanted = wanted.where(JobFile.kind == kind)
        with self.database.read() as session:
            found = session.scalars(wanted).all()
        if not found:
            raise not_found("artifact")
        order = ("output", "preview", "input")
        return min(found, key=lambda each: order.index(each.kind))

    def read(self, file: JobFile, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """The content of a file, in pieces.

        Raises:
            Problem: 404 if it was removed meanwhile.
        """
        try:
            return self.store.reading(file.key, start, size)
        except FileNotFoundError:
            raise not_found("artifact") from None

    def cancel(self, user_id: str, job_id: str) -> Job:
        """Stop a job: at once if it waits, within seconds if it is worked on.

        A job that has ended stays as it is.

        Raises:
            Problem: 404.
        """
        self.get(user_id, job_id)
        with self.database.write() as session:
            job: Job | None = session.scalar(
                update(Job)
                .where(Job.id == job_id, Job.state.in_(("queued", "running")))
                .values(cancel_requested=True)
                .returning(Job)
            )
            if job is not None and job.state == "queued":
                self.ending.end(session, job, "cancelled")
        if job is None:
            return self.get(user_id, job_id)
        self.engine.cancel(job_id)
        self.bus.publish(job_channel(job_id), {"kind": "news"})
        return job

    def retry(self, user_id: str, job_id: str) -> Job:
        """Do an ended job again, with the same files and options.

        Raises:
            Problem: 404; 409 if it has not ended; 429 if too many jobs wait.
        """
        self.get(user_id, job_id)
        with self.database.write() as session:
            admit(session, user_id, self.settings.limits.queued_jobs)
            job: Job | None = session.scalar(
                update(Job)
                .where(Job.id == job_id, Job.state.in_(ENDS))
                .values(
                    state="queued", attempt=0, cancel_requested=False, error=None, report=None,
                    pages=[], page_count=None, progress=None, started=None, finished=None,
                    expires=None, cached=False, fingerprint=None,
                    max_attempts=self.settings.attempts,
                )
                .returning(Job)
            )  # fmt: skip
            if job is None:
                raise Problem(409, "job-not-ended", "Only a job that has ended can be retried.")
            old = session.scalars(
                select(JobFile).where(JobFile.job_id == job_id, JobFile.kind != "input")
            ).all()
            for each in old:
                session.delete(each)
            add_events(session, job_id, [("queued", {"reason": "retried"})])
        for each in old:
            self.store.remove(each.key)
        self.engine.submitted(job_id)
        self.bus.publish(job_channel(job_id), {"kind": "news"})
        return job

    def delete(self, user_id: str, job_id: str) -> None:
        """Remove a job with all its files and events; work on it is stopped.

        Raises:
            Problem: 404.
        """
        self.get(user_id, job_id)
        self.remove(job_id)

    def remove(self, job_id: str) -> None:
        """Remove a job, whoever owns it."""
        # The files go first: if this is cut short, the record still says that there are some.
        self.engine.cancel(job_id)
        self.store.remove_all(start_of(job_id))
        with self.database.write() as session:
            session.execute(delete(Job).where(Job.id == job_id))
        # What a worker wrote in between; its lease is gone with the row, so it writes no more.
        self.store.remove_all(start_of(job_id))
        self.bus.publish(job_channel(job_id), {"kind": "gone"})

    def events(self, job_id: str, after: int = 0) -> Sequence[JobEvent]:
        """The durable events of a job after a number."""
        with self.database.read() as session:
            return session.scalars(
                select(JobEvent)
                .where(JobEvent.job_id == job_id, JobEvent.number > after)
                .order_by(JobEvent.number)
                .limit(1000)
            ).all()

    def idle(self) -> bool:
        """Whether no job waits or is worked on."""
        with self.database.read() as session:
            return (
                session.scalar(select(Job.id).where(Job.state.in_(("queued", "running"))).limit(1))
                is None
            )

    def recognizers(self) -> builtins.list[tuple[str, bool]]:
        """Each recognizer, and whether its libraries, tools and model files are there."""
        good, _ = self.registry.usable("recognizer")
        return [(each.spec.name, self.ready(each)) for each in good]

    def ready(self, component: Component) -> bool:
        """Whether a component has all it needs: libraries, tools, model files."""
        spec = component.spec
        store = self.base.settings().models.store()
        return not missing(spec.requires) and not store.missing(spec.name, spec.models)

    @cached_property
    def registry(self) -> Registry:
        """What is installed."""
        return Registry(block=self.base.settings().plugins.block)

    @cached_property
    def accepts(self) -> frozenset[str]:
        """Media types some loader reads."""
        good, _ = self.registry.usable("loader")
        return frozenset(media for each in good for media in getattr(each.spec, "accepts", ()))


def _owned(session: Session, user_id: str, job_id: str) -> Job:
    job = session.get(Job, job_id)
    if job is None or job.user_id != user_id or job.state == "receiving":
        raise not_found()
    return job


def base_config(settings: Settings) -> Config:
    """The operator's pipeline, with the service's limits.

    Raises:
        ConfigError: The file is wrong or cannot be read.
    """
    config = Config.from_file(settings.pipeline) if settings.pipeline else Config()
    given = config.values()
    limits: dict[str, Any] = {
        "max-pages": settings.limits.pages,
        "max-input-bytes": settings.limits.file_bytes,
    }
    run = {} if "run.jobs" in given else {"jobs": 1}
    if "run.threads" not in given and settings.workers > 0:
        _, run["threads"] = share_cores(settings.workers, 0)
    layer: dict[str, Any] = {"run": run, "limits": limits}
    if "options.processes.nice" not in given:  # the service answers first, then it converts
        layer["options"] = {"processes": {"nice": _NICE}}
    return config.with_layer("argument service", layer)


def _cursor(job: Job) -> str:
    text = f"{job.created.astimezone(timezone.utc).isoformat()} {job.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created, _, job_id = base64.urlsafe_b64decode(padded).decode().partition(" ")
        moment = datetime.fromisoformat(created)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment, job_id
    except (ValueError, binascii.Error, OverflowError):
        raise Problem(422, "invalid-cursor", "That is not a cursor this service gave.") from None
