"""The tables. Times are UTC; ids cannot be guessed (128 random bits)."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also where the database keeps no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database."""
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Out of the database."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=timezone.utc)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


def new_id() -> str:
    """An id nobody can guess: 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


class Record(DeclarativeBase):
    """Common to all tables."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


def table_of(record: type[Record]) -> Table:
    """Its table, for statements that are made once and carried out by a connection alone."""
    return cast("Table", record.__table__)


class User(Record):
    """Somebody (or some program) that owns jobs.

    Attributes:
        issuer: Who vouches for them: the URL of an OpenID Connect issuer, or ``local``.
        subject: Their id there.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    notify_by_mail: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)


class ApiKey(Record):
    """A key of a user's; only its hash is kept.

    Attributes:
        prefix: Its first characters, by which it is found and shown.
        digest: SHA-256 of the whole key, hexadecimal (keys are random, so no slow hash is needed).
        scopes: What it may do: ``jobs:read``, ``jobs:write``, ``keys``, ``webhooks``.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]]
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime | None]
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]


class BrowserSession(Record):
    """Somebody signed in on the pages; only the hash of what their cookie says is kept."""

    __tablename__ = "browser_sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime] = mapped_column(index=True)


class Job(Record):
    """A conversion: what was asked for, how far it is, what came of it.

    Attributes:
        state: ``receiving`` (files are being stored), ``queued``, ``running``, or an end:
            ``done``, ``partial``, ``failed``, ``cancelled``.
        priority: Larger is sooner.
        options: The pipeline asked for: preprocess, recognizer, export, options.
        fingerprint: Of inputs, options and versions; equal ones give equal results.
        cached: Whether the result was taken from an earlier job.
        attempt: How often a worker has begun it.
        lease: Token of the attempt under way; only its holder may end the job.
        lease_until: When the job may be given to another worker.
        deadline: Seconds the whole conversion may take.
        pages: One entry a page: number, status, seconds, confidence.
        progress: The newest progress: stage, component, done, total, page.
        report: The core's report of the document.
        error: Code and message, if it failed.
        expires: When it and its files are removed.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index("jobs_to_do", "state", text("priority DESC"), "created"),
        Index("jobs_by_state_of_user", "user_id", "state"),
        Index("jobs_of_user", "user_id", "created"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16), default="receiving")
    priority: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    expires: Mapped[datetime | None] = mapped_column(index=True)
    options: Mapped[dict[str, Any]]
    fingerprint: Mapped[str | None] = mapped_column(String(64), index=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    request_digest: Mapped[str | None] = mapped_column(String(64))
    cached: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=3)
    lease: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(100))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    deadline: Mapped[float] = mapped_column(Float, default=900.0)
    page_count: Mapped[int | None]
    pages: Mapped[Any] = mapped_column(JSON, default=list)
    progress: Mapped[Any] = mapped_column(JSON, default=None, nullable=True)
    report: Mapped[Any] = mapped_column(JSON, default=None, nullable=True)
    error: Mapped[Any] = mapped_column(JSON, default=None, nullable=True)


class JobFile(Record):
    """A file of a job's: an upload, a result, a picture of a page.

    Attributes:
        kind: ``input``, ``output`` or ``preview``.
        name: What a person sees; unique in the job and kind.
        key: Where it lies in the store.
    """

    __tablename__ = "job_files"
    __table_args__ = (UniqueConstraint("job_id", "kind", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(String(500))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class JobEvent(Record):
    """Something a client that comes back later must learn of; ``number`` counts up within a job."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    time: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]]


class Webhook(Record):
    """Where a user wants to be told of ended jobs; ``secret`` signs what is sent."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(default=now)


class Notice(Record):
    """A message to be delivered, by webhook or mail, until it succeeds or is given up.

    Attributes:
        webhook_id: The webhook it goes to; None: by mail, to the user's address.
        job_id: The job it tells of; kept when the job is removed.
        state: ``waiting``, ``delivered`` or ``given-up``.
        next_try: When it is tried (again).
    """

    __tablename__ = "notices"
    __table_args__ = (Index("notices_to_send", "state", "next_try"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    webhook_id: Mapped[str | None] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(String(32), index=True)
    event: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime | None]
    last_answer: Mapped[str] = mapped_column(String(255), default="")
    created: Mapped[datetime] = mapped_column(default=now)
