"""The sender: takes what is due, delivers it, puts down what came of it."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..records.tables import Notice, User, Webhook, now
from .mail import mail
from .outcome import Outcome, wait_after
from .posting import make_client, post

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.orm import Session

    from ..records.database import Database
    from ..settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT = 15.0
"""Seconds one delivery may take, all in all."""

LEASE = timedelta(seconds=60)
"""How long a notice belongs to the sender that took it; longer than any delivery."""

BATCH = 50
"""Notices sent side by side."""

PER_TARGET = 5
"""Of these, to one webhook or one user: a slow receiver holds up nobody else."""

KEEP = timedelta(days=30)
"""How long what was delivered or given up can be looked at."""


def loop(database: Database, settings: Settings, stop: threading.Event, every: float = 2.0) -> None:
    """Send what is due until ``stop`` is set; looks every few seconds."""
    cleaned = now() - KEEP
    while not stop.is_set():
        try:
            full = send_due(database, settings) >= BATCH
            if now() - cleaned > timedelta(hours=1):
                cleaned = now()
                forget(database, cleaned - KEEP)
        except Exception:  # the database may be away for a while
            log.exception("notices.failed")
            full = False
        stop.wait(0.0 if full else every)


def send_due(database: Database, settings: Settings) -> int:
    """Send what is due now.

    Each notice is taken by one sender at a time, whatever number of nodes there are. If that one
    dies, another sends it after :data:`LEASE`; its id is the same, so a receiver can tell.

    Returns:
        How many were tried.
    """
    taken = _take(database, now())
    if taken:
        asyncio.run(_send_all(database, settings, taken))
    return len(taken)


def send_one(database: Database, settings: Settings, notice: Notice) -> Outcome:
    """Send a notice now and once, and put down what came of it."""
    return asyncio.run(_send_all(database, settings, [notice], once=True))[0]


def forget(database: Database, before: datetime) -> None:
    """Remove what was delivered or given up."""
    with database.write() as session:
        session.execute(delete(Notice).where(Notice.state != "waiting", Notice.created < before))


def _take(database: Database, moment: datetime) -> list[Notice]:
    free = (
        Notice.state == "waiting",
        Notice.next_try <= moment,
        or_(Notice.lease_until.is_(None), Notice.lease_until <= moment),
    )
    rank = func.row_number().over(
        partition_by=func.coalesce(Notice.webhook_id, Notice.user_id), order_by=Notice.next_try
    )
    ranked = select(Notice.id, Notice.next_try, rank.label("rank")).where(*free).subquery()
    due = select(ranked.c.id).where(ranked.c.rank <= PER_TARGET).order_by(ranked.c.next_try)
    with database.read() as session:
        ids = session.scalars(due.limit(BATCH)).all()
    if not ids:
        return []
    taken = []
    with database.write() as session:
        for each in ids:
            # Another sender may have been first: then its row no longer fits and is not ours.
            row = session.scalar(
                update(Notice)
                .where(Notice.id == each, *free)
                .values(lease_until=moment + LEASE, attempt=Notice.attempt + 1)
                .returning(Notice)
            )
            if row is not None:
                taken.append(row)
        session.expunge_all()
    return taken


async def _send_all(
    database: Database, settings: Settings, notices: list[Notice], once: bool = False
) -> list[Outcome]:
    async with make_client(TIMEOUT) as client:

        async def send(notice: Notice) -> Outcome:
            try:
                outcome = await asyncio.wait_for(_send(client, database, settings, notice), TIMEOUT)
            except asyncio.TimeoutError:
                outcome = Outcome(False, f"No answer within {TIMEOUT:.0f} s")
            except Exception as error:
                log.exception("notice.failed", notice=notice.id)
                outcome = Outcome(False, type(error).__name__)
            try:
                with database.write() as session:
                    _put_down(session, notice, outcome, once)
            except SQLAlchemyError:  # it is sent again when its lease is over
                log.exception("notice.not-put-down", notice=notice.id)
            return outcome

        return list(await asyncio.gather(*map(send, notices)))


async def _send(
    client: httpx.AsyncClient, database: Database, settings: Settings, notice: Notice
) -> Outcome:
    with database.read() as session:
        webhook = session.get(Webhook, notice.webhook_id) if notice.webhook_id else None
        user = session.get(User, notice.user_id)
    if notice.webhook_id:
        if webhook is None:
            return Outcome(False, "The webhook was removed.", final=True)
        return await post(client, notice, webhook, private=settings.webhooks_to_private)
    if user is None or not user.email or not settings.smtp:
        return Outcome(False, "There is no address, or no mail server.", final=True)
    return await mail(notice, user.email, settings, TIMEOUT)


def _put_down(session: Session, notice: Notice, outcome: Outcome, once: bool) -> None:
    wait = None if outcome.final or once else wait_after(notice.attempt)
    if outcome.delivered:
        state = "delivered"
    else:
        state = "waiting" if wait else "given-up"
        log.info("notice.not-delivered", notice=notice.id, said=outcome.said, state=state)
    moment = now()
    session.execute(
        update(Notice)
        # Only if it is still ours: the attempt counts up with each sender that takes it.
        .where(Notice.id == notice.id, Notice.attempt == notice.attempt)
        .values(
            state=state,
            lease_until=None,
            next_try=moment + wait if wait else moment,
            last_answer=_line(outcome.said),
        )
    )


def _line(said: str) -> str:
    return "".join(each if each.isprintable() else " " for each in said)[:255]
