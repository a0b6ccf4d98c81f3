"""Removing what is not to be kept: old jobs, broken uploads, files nobody knows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import structlog
from sqlalchemy import select

from ..records.tables import Job, now
from ..storage import JOBS, job_of, start_of

if TYPE_CHECKING:
    from ..service import Service

log = structlog.get_logger(__name__)

UPLOAD_TIME = timedelta(hours=1)
"""An upload that takes longer was cut short by the end of the process that received it."""
BATCH = 200


@attrs.frozen
class Swept:
    """How many were removed.

    Attributes:
        expired: Jobs whose time to live was over.
        broken: Uploads that never ended.
        lost: Folders of files no job knows.
    """

    expired: int = 0
    broken: int = 0
    lost: int = 0


def sweep(service: Service, *, thorough: bool = False) -> Swept:
    """Remove what is not to be kept.

    Args:
        service: Where.
        thorough: Look through the whole store for files without a job, too.
    """
    moment = now()
    expired = _remove(service, Job.expires < moment)
    broken = _remove(service, Job.state == "receiving", Job.created < moment - UPLOAD_TIME)
    lost = _lost(service) if thorough else 0
    swept = Swept(expired, broken, lost)
    if swept != Swept():
        log.info("swept", expired=expired, broken=broken, lost=lost)
    return swept


def _remove(service: Service, *which: object) -> int:
    count = 0
    while True:
        with service.database.read() as session:
            found = session.scalars(
                select(Job.id).where(*which).limit(BATCH)  # type: ignore[arg-type]
            ).all()
        for job_id in found:
            service.remove(job_id)
        count += len(found)
        if len(found) < BATCH:
            return count


def _lost(service: Service) -> int:
    """Remove the files of jobs there are not. The files are listed before the jobs are looked up,
    and a job's row is written before its files: none of a living job is taken.
    """
    count = 0
    for letter in service.store.names(JOBS):
        found = sorted({job_of(key) for key in service.store.keys(f"{JOBS}/{letter}/")})
        for start in range(0, len(found), BATCH):
            some = found[start : start + BATCH]
            with service.database.read() as session:
                known = set(session.scalars(select(Job.id).where(Job.id.in_(some))))
            for job_id in set(some) - known:
                service.store.remove_all(start_of(job_id))
                count += 1
    return count
