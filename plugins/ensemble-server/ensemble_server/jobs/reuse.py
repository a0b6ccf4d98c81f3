"""Same input, same options, same versions: the same result, taken from an earlier job.

Only from a job of the same user: nobody learns what others have converted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from ensemble_core import __version__
from ensemble_core.model import ComponentSpec
from ensemble_core.sniff import sniff

from ..records.database import Database
from ..records.tables import Job, JobFile, new_id, table_of
from ..storage import Store
from .asked import digest
from .engine import Taken

if TYPE_CHECKING:
    from ensemble_core.pipeline import Input, Pipeline

FORMAT = 1
"""Changes when results of an older service must not be used any more."""
_KEPT = 64

_JOBS, _FILES = table_of(Job), table_of(JobFile)
_EARLIER = (
    select(_JOBS.c.id, _JOBS.c.state, _JOBS.c.report, _JOBS.c.pages, _JOBS.c.page_count)
    .where(
        _JOBS.c.fingerprint == bindparam("fingerprint"),
        # As an expression: SQLite would rather go through all jobs of the user, in order already.
        _JOBS.c.user_id.concat("") == bindparam("user"),
        _JOBS.c.id != bindparam("job"),
        _JOBS.c.state == "done",
    )
    .order_by(_JOBS.c.created.desc())
    .limit(1)
)
_RESULTS = select(_FILES).where(_FILES.c.job_id == bindparam("job"), _FILES.c.kind != "input")


class Reuse:
    """Finds and copies results.

    Args:
        database: Where jobs are.
        store: Where files are.
    """

    def __init__(self, database: Database, store: Store) -> None:
        self._database, self._store = database, store
        self._plans: OrderedDict[tuple[int, tuple[str, ...]], tuple[Pipeline, str]] = OrderedDict()

    def fingerprint(self, pipeline: Pipeline, source: Input, inputs: Sequence[Any]) -> str | None:
        """What decides the result, as a hash; None if it is another one each time.

        Raises:
            EnsembleError: There is no plan for this input.
        """
        media = tuple(dict.fromkeys(sniff(path) for path in source.sources))  # type: ignore[arg-type]
        plan = self._plan(pipeline, source, media)
        if not plan:
            return None
        files = [[each.sha256, each.name] for each in inputs]
        return digest([FORMAT, plan, files])

    def find(self, job: Taken, fingerprint: str | None) -> Any:
        """An earlier job of the same user with the same result: its row, or None."""
        if fingerprint is None:
            return None
        values = {"fingerprint": fingerprint, "user": job.user_id, "job": job.id}
        with self._database.look() as connection:
            return connection.execute(_EARLIER, values).one_or_none()

    def copy(self, earlier: str, job_id: str, start: str) -> list[dict[str, Any]] | None:
        """Copy an earlier job's files; the rows for them, or None if one is gone."""
        with self._database.look() as connection:
            files = connection.execute(_RESULTS, {"job": earlier}).all()
        rows: list[dict[str, Any]] = []
        for number, each in enumerate(files):
            key = f"{start}{number}.{each.key.rpartition('.')[2]}"
            try:
                self._store.copy(each.key, key)
            except OSError:  # the earlier job is being removed
                self._store.remove_all(start)
                return None
            rows.append(
                {
                    "id": new_id(), "job_id": job_id, "kind": each.kind, "name": each.name,
                    "key": key, "media_type": each.media_type, "size": each.size,
                    "sha256": each.sha256,
                }
            )  # fmt: skip
        return rows or None

    def _plan(self, pipeline: Pipeline, source: Input, media: tuple[str, ...]) -> str:
        """Hash of everything a pipeline would do with such input; empty if it varies."""
        key = (id(pipeline), media)
        known = self._plans.pop(key, None)
        if known is None:
            planned = pipeline.planned([source])
            plan = planned.plan
            steps: list[Any] = [[kind, plan.reading_key(kind)] for kind in sorted(plan.loaders)]
            steps.append([exporter.fingerprint() for exporter in plan.export])
            varies = any(_varies(spec) for spec in planned.specs.values())
            # The pipeline is kept beside it, so that its id stays its own.
            known = pipeline, "" if varies else digest([__version__, steps])
        self._plans[key] = known
        if len(self._plans) > _KEPT:
            self._plans.popitem(last=False)
        return known[1]


def _varies(spec: ComponentSpec) -> bool:
    return spec.kind != "executor" and not spec.deterministic
