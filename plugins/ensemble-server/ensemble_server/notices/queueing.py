"""What is to be told, put down in the transaction in which it happens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..records.tables import Job, Notice, User, Webhook, now


def announce(session: Session, job: Job) -> None:
    """Put down that a job has ended, for each webhook of its user and for their mail.

    Args:
        session: The transaction that ends the job.
        job: The job, in its last state.
    """
    payload = _payload(job)
    webhooks = session.scalars(select(Webhook.id).where(Webhook.user_id == job.user_id)).all()
    wants_mail = session.scalar(
        select(User.id).where(User.id == job.user_id, User.notify_by_mail, User.email != "")
    )
    targets: list[str | None] = [*webhooks, *([None] if wants_mail else [])]
    for webhook_id in targets:
        session.add(
            Notice(
                user_id=job.user_id,
                webhook_id=webhook_id,
                job_id=job.id,
                event=f"job.{job.state}",
                payload=payload,
            )
        )


def _payload(job: Job) -> dict[str, Any]:
    return {
        "job": job.id,
        "name": job.name,
        "state": job.state,
        "created": job.created.isoformat(),
        "finished": (job.finished or now()).isoformat(),
        "pages": job.page_count,
        "error": job.error,
    }
