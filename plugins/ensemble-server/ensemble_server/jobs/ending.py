"""How a job ends, whoever ends it: its state, its last event, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..records.tables import Job, now
from .journal import add_events

ENDS = ("done", "partial", "failed", "cancelled")
"""The states a job stays in."""

Hook = Callable[[Session, Job], None]
"""Called in the transaction that ends a job."""


class Ending:
    """Ends jobs.

    Args:
        time_to_live: Seconds an ended job is kept.
    """

    def __init__(self, time_to_live: float) -> None:
        self._keep = timedelta(seconds=time_to_live)
        self.hooks: list[Hook] = []

    def end(
        self, session: Session, job: Job, state: str, error: dict[str, Any] | None = None
    ) -> None:
        """End a job whose row this transaction holds."""
        moment = now()
        job.state, job.error, job.finished = state, error, moment
        job.expires = moment + self._keep
        job.lease = job.lease_until = job.progress = None
        session.flush()
        data: dict[str, Any] = {"state": state}
        if error:
            data["error"] = error
        if job.cached:
            data["cached"] = True
        add_events(session, job.id, [(state, data)])
        for hook in self.hooks:
            hook(session, job)
