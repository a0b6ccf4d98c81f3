"""How many jobs a user may have waiting."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..api.errors import Problem
from ..records.tables import Job, User

UNFINISHED = ("receiving", "queued", "running")


def admit(session: Session, user_id: str, most: int) -> None:
    """Refuse a job if its user has too many unfinished ones.

    Call it in the transaction that adds the job: until that ends, no other can be admitted for this
    user (a lock on their row in PostgreSQL; SQLite has one writer at a time anyway).

    Args:
        session: The writing transaction.
        user_id: Whose job it is.
        most: How many unfinished jobs a user may have.

    Raises:
        Problem: 429 ``queue-full``.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
    mine = (Job.user_id == user_id, Job.state.in_(UNFINISHED))
    if (session.scalar(select(func.count()).select_from(Job).where(*mine)) or 0) >= most:
        raise Problem(
            429,
            "queue-full",
            f"At most {most} of your jobs may be waiting; wait for some to end.",
            headers={"Retry-After": "10"},
        )
