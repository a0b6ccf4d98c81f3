"""How many jobs a user may have waiting."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session

from ..api.errors import Problem
from ..records.tables import Job, User, table_of

UNFINISHED = ("receiving", "queued", "running")

_LOCK = (
    select(table_of(User).c.id).where(table_of(User).c.id == bindparam("user")).with_for_update()
)
_COUNT = select(func.count()).where(
    table_of(Job).c.user_id == bindparam("user"), table_of(Job).c.state.in_(UNFINISHED)
)


def admit(session: Session | Connection, user_id: str, most: int, more: int = 1) -> None:
    """Refuse jobs if their user would have too many unfinished ones.

    Call it in the transaction that adds the job: until that ends, no other can be admitted for this
    user (a lock on their row in PostgreSQL; SQLite has one writer at a time anyway).

    Args:
        session: The writing transaction.
        user_id: Whose jobs they are.
        most: How many unfinished jobs a user may have.
        more: How many jobs are added.

    Raises:
        Problem: 429 ``queue-full``.
    """
    if not isinstance(session, Connection) or session.dialect.name != "sqlite":
        session.execute(_LOCK, {"user": user_id})
    if (session.scalar(_COUNT, {"user": user_id}) or 0) + more > most:
        raise Problem(
            429,
            "queue-full",
            f"At most {most} of your jobs may be waiting; wait for some to end.",
            headers={"Retry-After": "10"},
        )
