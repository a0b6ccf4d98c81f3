"""What is to be told, put down in the transaction in which it happens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, insert, null, select, union_all
from sqlalchemy.orm import Session

from ..records.tables import Notice, User, Webhook, now, table_of

_TARGETS = union_all(
    select(table_of(Webhook).c.id).where(table_of(Webhook).c.user_id == bindparam("user")),
    select(null()).where(
        table_of(User).c.id == bindparam("user"),
        table_of(User).c.notify_by_mail,
        table_of(User).c.email != "",
    ),
)
"""Where the user wants to be told: their webhooks, and None for their mail."""


def announce(session: Session | Connection, job: Any) -> None:
    """Put down that a job has ended, for each webhook of its user and for their mail.

    Args:
        session: The transaction that ends the job.
        job: The job, in its last state (a row of it will do).
    """
    targets = session.execute(_TARGETS, {"user": job.user_id}).scalars().all()
    if not targets:
        return
    common = {
        "user_id": job.user_id, "job_id": job.id, "event": f"job.{job.state}",
        "payload": _payload(job),
    }  # fmt: skip
    rows = [{**common, "webhook_id": webhook_id} for webhook_id in targets]
    session.execute(insert(table_of(Notice)), rows)


def _payload(job: Any) -> dict[str, Any]:
    return {
        "job": job.id,
        "name": job.name,
        "state": job.state,
        "created": job.created.isoformat(),
        "finished": (job.finished or now()).isoformat(),
        "pages": job.page_count,
        "error": job.error,
    }
