"""One attempt at a job: files in, the core's pipeline, files out, the end written down."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import structlog
from sqlalchemy import insert, select, update

from ensemble_core.model import CancelToken, EnsembleError, Score
from ensemble_core.pipeline import Input, Result
from ensemble_core.pipeline.wire import pack

from ..live.bus import Bus, job_channel
from ..records.database import Database
from ..records.tables import Job, JobFile, new_id
from ..storage import Store
from .asked import Asked
from .ending import Ending
from .engine import Lease
from .journal import Journal
from .names import stem_of
from .reuse import Reuse
from .slots import Slot

log = structlog.get_logger(__name__)

STATES = {"ok": "done", "partial": "partial", "skipped": "done"}
DEADLINE = {
    "code": "deadline-exceeded",
    "message": "The conversion did not end within its deadline and was stopped.",
    "hint": "Send fewer pages, or ask for a later deadline.",
}


@attrs.frozen
class Made:
    """A file that is to be kept: its name for people, its kind, its bytes or where they lie."""

    kind: str
    name: str
    media_type: str
    suffix: str
    data: bytes


class Converter:
    """Carries out attempts.

    Args:
        database: Where jobs are.
        store: Where files are.
        bus: Where word of events goes.
        ending: How a job ends.
    """

    def __init__(self, database: Database, store: Store, bus: Bus, ending: Ending) -> None:
        self._database, self._store, self._bus, self._ending = database, store, bus, ending
        self._reuse = Reuse(database, store)

    def journal(self, lease: Lease) -> Journal:
        """Where an attempt tells how it goes."""
        return Journal(self._database, self._bus, lease)

    def convert(self, job: Job, lease: Lease, journal: Journal, slot: Slot) -> None:
        """Work on a job and end it; what the work raises becomes the job's error."""
        place = f"jobs/{job.id}/{lease.attempt}-{lease.token[:8]}"
        try:
            self._convert(job, lease, journal, slot, place)
        except EnsembleError as error:
            self._fail(lease, journal, place, error.to_payload())
        except Exception as error:
            log.exception("job.broke", job=job.id)
            told = {"code": "internal-error", "message": f"{type(error).__name__} in the service"}
            self._fail(lease, journal, place, told)

    def _convert(self, job: Job, lease: Lease, journal: Journal, slot: Slot, place: str) -> None:
        if job.attempt > 1:
            self._clear_attempts(job.id, place)
        pipeline = slot.pipeline(Asked.parse(job.options))
        with self._database.read() as session:
            inputs = session.scalars(
                select(JobFile)
                .where(JobFile.job_id == job.id, JobFile.kind == "input")
                .order_by(JobFile.key)
            ).all()
        folder = Path(tempfile.mkdtemp(prefix="ensemble-job-"))
        try:
            source = self._source(inputs, folder)
            fingerprint = self._reuse.fingerprint(pipeline, source, inputs)
            earlier = self._reuse.find(job, fingerprint)
            if earlier is not None and self._copy(earlier, lease, place, fingerprint):
                return
            cancel = CancelToken()
            lease.stopper.on_stop(cancel.cancel)
            result = pipeline.run([source], on_event=journal.observe, cancel=cancel)
            self._deliver(lease, journal, result, place, fingerprint)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _source(self, inputs: Sequence[JobFile], folder: Path) -> Input:
        """The files as one input of the core's: several become one score."""
        paths = tuple(self._store.fetch(each.key, folder) for each in inputs)
        return Input(inputs[0].name, paths, tuple(each.name for each in inputs))

    def _deliver(
        self,
        lease: Lease,
        journal: Journal,
        result: Result,
        place: str,
        fingerprint: str | None,
    ) -> None:
        document = result.documents[0]
        if document.report.status in {"failed", "cancelled"}:
            error = document.report.error or {"code": "internal-error", "message": "it failed"}
            self._fail(lease, journal, place, dict(error), pack(document.report))
            return
        judge(journal, document.score)
        made = list(_files(document.outputs, document.report.name, pack(result.report)))
        rows = self._keep(lease.job_id, place, made)
        report = {**pack(document.report), "versions": dict(result.report.versions)}
        ended = self._end(
            lease, journal, STATES[document.report.status], rows=rows, report=report,
            fingerprint=fingerprint,
        )  # fmt: skip
        if not ended:
            self._store.remove(place)

    def _keep(self, job_id: str, place: str, made: Sequence[Made]) -> list[dict[str, Any]]:
        rows = []
        for number, each in enumerate(made):
            key = f"{place}/{number}{each.suffix}"
            self._store.put(key, each.data)
            rows.append(
                {
                    "id": new_id(), "job_id": job_id, "kind": each.kind, "name": each.name,
                    "key": key, "media_type": each.media_type, "size": len(each.data),
                    "sha256": hashlib.sha256(each.data).hexdigest(),
                }
            )  # fmt: skip
        return rows

    def _copy(self, earlier: Job, lease: Lease, place: str, fingerprint: str | None) -> bool:
        """Answer with the files of an earlier job; False if they are not there any more."""
        rows = self._reuse.copy(earlier, lease.job_id, place)
        if rows is None:
            return False
        journal = self.journal(lease)
        journal.page_count = earlier.page_count
        journal.pages = {page["number"] - 1: page for page in earlier.pages}
        if not self._end(
            lease, journal, earlier.state, rows=rows, report=earlier.report,
            fingerprint=fingerprint, cached=True,
        ):  # fmt: skip
            self._store.remove(place)
        return True

    def _fail(
        self,
        lease: Lease,
        journal: Journal,
        place: str,
        error: dict[str, Any],
        report: dict[str, Any] | None = None,
    ) -> None:
        """End as failed, unless the work was stopped for another reason."""
        self._store.remove(place)
        error.pop("details", None)
        error.pop("type", None)
        reason = lease.stopper.reason
        if reason in {"shutdown", "lost"}:
            return
        if reason == "cancel":
            self._end(lease, journal, "cancelled", report=report)
        elif reason == "deadline":
            self._end(lease, journal, "failed", error=dict(DEADLINE), report=report)
        else:
            self._end(lease, journal, "failed", error=error, report=report)

    def _end(
        self,
        lease: Lease,
        journal: Journal,
        state: str,
        *,
        error: dict[str, Any] | None = None,
        rows: Sequence[dict[str, Any]] = (),
        report: dict[str, Any] | None = None,
        fingerprint: str | None = None,
        cached: bool = False,
    ) -> bool:
        """End the job if the lease is still ours."""
        with self._database.write() as session:
            job = session.scalar(
                update(Job)
                .where(Job.id == lease.job_id, Job.lease == lease.token)
                .values(report=report, fingerprint=fingerprint, cached=cached)
                .returning(Job)
            )
            if job is None:
                return False
            if rows:
                session.execute(insert(JobFile), list(rows))
            journal.finish(session, job)
            self._ending.end(session, job, state, error)
        self._bus.publish(job_channel(lease.job_id), {"kind": "news"})
        log.info("job.ended", job=lease.job_id, state=state, cached=cached)
        return True

    def _clear_attempts(self, job_id: str, place: str) -> None:
        """Remove what attempts that died have left."""
        own = place.rpartition("/")[2]
        for name in self._store.folders(f"jobs/{job_id}"):
            if name not in {"input", own}:
                with contextlib.suppress(OSError):
                    self._store.remove(f"jobs/{job_id}/{name}")


def judge(journal: Journal, score: Score | None) -> None:
    """Note how sure the reader was of each page: the mean over its symbols."""
    if score is None:
        return
    sums: dict[int, tuple[float, int]] = {}
    for element in score.elements:
        if element.confidence is not None:
            total, count = sums.get(element.page, (0.0, 0))
            sums[element.page] = (total + element.confidence, count + 1)
    for page in score.pages:
        entry = journal.pages.get(page.page)
        if entry is not None:
            entry["measures"] = page.measures
            total, count = sums.get(page.page, (0.0, 0))
            entry["confidence"] = round(total / count, 4) if count else None


def _files(outputs: Sequence[Any], name: str, report: dict[str, Any]) -> list[Made]:
    stem = stem_of(name)
    made = []
    for output in outputs:
        data = output.data if output.data is not None else output.path.read_bytes()
        if output.suffix.startswith("-preview-"):
            number = output.suffix.removeprefix("-preview-")
            made.append(Made("preview", f"page-{number}", output.media_type, ".png", data))
        else:
            title = f"{stem}{output.suffix}"
            made.append(Made("output", title, output.media_type, _ending(output.suffix), data))
    text = json.dumps(report, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    made.append(Made("output", "report.json", "application/json", ".json", text))
    return made


def _ending(suffix: str) -> str:
    return f".{suffix.rpartition('.')[2]}"
