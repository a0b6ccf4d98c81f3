"""One attempt at a job: files in, the core's pipeline, files out, the end written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import structlog
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Connection

from ensemble_core.model import CancelToken, EnsembleError, Score
from ensemble_core.pipeline.wire import pack

from ..live.bus import Bus, job_channel
from ..records.database import Database
from ..records.tables import new_id
from ..storage import INPUT, Store, is_away, start_of
from .asked import Asked
from .ending import Ending
from .engine import Lease, Taken
from .journal import Journal
from .names import stem_of
from .reuse import Reuse
from .slots import Slot

if TYPE_CHECKING:
    from ensemble_core.pipeline import Result

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


@attrs.frozen
class Outcome:
    """What came of an attempt: the state to end in, and what is put down with it."""

    state: str
    error: dict[str, Any] | None = None
    files: Sequence[dict[str, Any]] = ()
    report: dict[str, Any] | None = None
    fingerprint: str | None = None
    cached: bool = False

    def stopped(self, reason: str) -> Outcome:
        """The same failure, told as what it is if the work was stopped."""
        if reason == "cancel":
            return attrs.evolve(self, state="cancelled", error=None)
        error = dict(DEADLINE) if reason == "deadline" else dict(self.error or {})
        error.pop("details", None)
        error.pop("type", None)
        return attrs.evolve(self, error=error)


Also = Callable[[Connection], None]
"""What is done besides in the transaction that ends a job."""


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

    def convert(self, job: Taken, lease: Lease, journal: Journal, slot: Slot, also: Also) -> None:
        """Work on a job and end it; what the work raises becomes the job's error.

        Args:
            job: The job.
            lease: The right to work on it.
            journal: Where it is told how it goes.
            slot: Where it is converted.
            also: Called in the transaction that ends it, if it is ended.

        Raises:
            Exception: The database or the store is away. Nobody knows then whether the job has
                ended, so its files stay; if it has not, its lease runs out and it is tried again.
        """
        start = f"{start_of(job.id)}{lease.attempt}-{lease.token[:8]}-"
        try:
            outcome = self._outcome(job, lease, journal, slot, start)
        except EnsembleError as error:
            outcome = Outcome("failed", error.to_payload())
        except Exception as error:
            if is_away(error) and job.attempt < job.max_attempts:
                raise
            log.exception("job.broke", job=job.id)
            told = {"code": "internal-error", "message": f"{type(error).__name__} in the service"}
            outcome = Outcome("failed", told)
        if outcome.error is not None:
            self._store.remove_all(start)
            if lease.stopper.reason in {"shutdown", "lost"}:
                return
            outcome = outcome.stopped(lease.stopper.reason)
        if not self._end(lease, journal, outcome, also):
            self._store.remove_all(start)

    def _outcome(
        self, job: Taken, lease: Lease, journal: Journal, slot: Slot, start: str
    ) -> Outcome:
        """Convert, and store the files."""
        from ensemble_core.pipeline import Input  # late: the service answers sooner

        if job.attempt > 1:
            self.clear(job.id)
        pipeline = slot.pipeline(Asked.parse(job.options))
        inputs = job.inputs
        with self._store.fetched([each.key for each in inputs]) as paths:
            source = Input(inputs[0].name, paths, tuple(each.name for each in inputs))
            known = self._reuse.plan(pipeline, source, inputs)
            fingerprint = known.fingerprint(inputs)
            earlier = self._reuse.find(job, fingerprint)
            if earlier is not None:
                rows = self._reuse.copy(earlier.id, job.id, start)
                if rows is not None:
                    journal.page_count = earlier.page_count
                    journal.pages = {page["number"] - 1: page for page in earlier.pages}
                    return Outcome(earlier.state, None, rows, earlier.report, fingerprint, True)
            cancel = CancelToken()
            lease.stopper.on_stop(cancel.cancel)
            result = pipeline.run(
                [source], on_event=journal.observe, cancel=cancel, planned=known.planned
            )
            return self._made(job.id, journal, result, start, fingerprint)

    def _made(
        self, job_id: str, journal: Journal, result: Result, start: str, fingerprint: str | None
    ) -> Outcome:
        document = result.documents[0]
        whole = pack(result.report)
        report = whole["documents"][0]
        if document.report.status in {"failed", "cancelled"}:
            error = document.report.error or {"code": "internal-error", "message": "it failed"}
            return Outcome("failed", dict(error), report=report)
        judge(journal, document.score)
        made = list(_files(document.outputs, document.report.name, whole))
        rows = self._keep(job_id, start, made)
        report |= {"versions": whole["versions"]}
        return Outcome(STATES[document.report.status], None, rows, report, fingerprint)

    def _keep(self, job_id: str, start: str, made: Sequence[Made]) -> list[dict[str, Any]]:
        rows = []
        for number, each in enumerate(made):
            key = f"{start}{number}{each.suffix}"
            self._store.put(key, each.data)
            rows.append(
                {
                    "id": new_id(), "job_id": job_id, "kind": each.kind, "name": each.name,
                    "key": key, "media_type": each.media_type, "size": len(each.data),
                    "sha256": hashlib.sha256(each.data).hexdigest(),
                }
            )  # fmt: skip
        return rows

    def _end(self, lease: Lease, journal: Journal, outcome: Outcome, also: Also) -> bool:
        """End the job if the lease is still ours."""
        with self._database.change() as connection:
            ended = self._ending.finish(
                connection, lease, journal, outcome.state, error=outcome.error,
                files=outcome.files, report=outcome.report, fingerprint=outcome.fingerprint,
                cached=outcome.cached,
            )  # fmt: skip
            also(connection)
        if ended:
            self._bus.publish(job_channel(lease.job_id), {"kind": "news"})
            log.info("job.ended", job=lease.job_id, state=outcome.state, cached=outcome.cached)
        return ended

    def clear(self, job_id: str) -> None:
        """Remove what attempts that died have left."""
        self._store.remove_all(start_of(job_id), but=INPUT)


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
    made.append(Made("output", "report.json", "application/json", ".json", _readable(report)))
    return made


def _readable(report: dict[str, Any]) -> bytes:
    """JSON with a line for each value; by Rust, as `json` indents in Python, which is slow."""
    try:
        return to_json(report, indent=1)
    except PydanticSerializationError:  # half a character, in the name of a file
        return json.dumps(report, indent=1).encode()


def _ending(suffix: str) -> str:
    return f".{suffix.rpartition('.')[2]}"
