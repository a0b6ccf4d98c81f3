"""Taking notices to be sent, so that no two senders have the same one, and putting down results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import bindparam, delete, func, or_, select, update

from ..records.tables import Notice, now, table_of
from .outcome import Outcome, wait_after

if TYPE_CHECKING:
    from ..records.database import Database

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""How long a notice belongs to the sender that took it; longer than any delivery."""

PER_USER = 5
"""Notices of one user taken at a time: slow receivers of theirs hold up nobody else."""

# Made once: it is asked every few seconds, and mostly there is nothing.
_ROWS = table_of(Notice)
_DUE = (
    select(_ROWS.c.id)
    .where(_ROWS.c.state == "waiting", _ROWS.c.next_try <= bindparam("moment"))
    .limit(1)
)


def take(
    database: Database, moment: datetime, most: int, busy: Collection[str] = ()
) -> list[Notice]:
    """Take what is due.

    Args:
        database: Where notices are.
        moment: Now.
        most: How many to take at most.
        busy: Users of whom enough is being sent.
    """
    free = (
        Notice.state == "waiting",
        Notice.next_try <= moment,
        or_(Notice.lease_until.is_(None), Notice.lease_until <= moment),
    )
    rank = func.row_number().over(partition_by=Notice.user_id, order_by=Notice.next_try)
    ranked = (
        select(Notice.id, Notice.next_try, rank.label("rank"))
        .where(*free, Notice.user_id.not_in(busy))
        .subquery()
    )
    due = select(ranked.c.id).where(ranked.c.rank <= PER_USER).order_by(ranked.c.next_try)
    with database.look() as connection:
        if connection.scalar(_DUE, {"moment": moment}) is None:
            return []
    with database.read() as session:
        ids = session.scalars(due.limit(most)).all()
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


def put_down(database: Database, notice: Notice, outcome: Outcome, once: bool = False) -> None:
    """Put down what came of an attempt, and when the next one is due.

    Args:
        database: Where notices are.
        notice: As it was taken.
        outcome: What came of it.
        once: Whether there is to be no other attempt.
    """
    wait = None if outcome.final or once else wait_after(notice.attempt)
    if outcome.delivered:
        state = "delivered"
    else:
        state = "waiting" if wait else "given-up"
        log.info("notice.not-delivered", notice=notice.id, said=outcome.said, state=state)
    moment = now()
    with database.write() as session:
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


def forget(database: Database, before: datetime) -> None:
    """Remove what was delivered or given up."""
    with database.write() as session:
        session.execute(delete(Notice).where(Notice.state != "waiting", Notice.created < before))


def _line(said: str) -> str:
    return "".join(each if each.isprintable() else " " for each in said)[:255]
