"""Same input, same options, same versions: the same result, taken from an earlier job.

Only from a job of the same user: nobody learns what others have converted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import bindparam, select

from ensemble_core import __version__
from ensemble_core.model import ComponentSpec

from ..records.database import Database
from ..records.tables import Job, JobFile, new_id, table_of
from ..storage import Store
from .asked import digest
from .engine import Taken

if TYPE_CHECKING:
    from ensemble_core.pipeline import Input, Pipeline
    from ensemble_core.pipeline.planner import Planned

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


@attrs.frozen
class Known:
    """A plan that is made once for all jobs like it.

    Attributes:
        pipeline: Whose plan it is; kept beside it, so that its id stays its own.
        planned: The plan; None if it must be made anew each time, as the files of models are
            verified by that.
        result: Hash of everything that would be done by it; empty if the result varies.
    """

    pipeline: Pipeline
    planned: Planned | None
    result: str

    def fingerprint(self, inputs: Sequence[Any]) -> str | None:
        """What decides the result of these files, as a hash; None if it varies."""
        files = [[each.sha256, each.name] for each in inputs]
        return digest([FORMAT, self.result, files]) if self.result else None


class Reuse:
    """Finds and copies results.

    Args:
        database: Where jobs are.
        store: Where files are.
    """

    def __init__(self, database: Database, store: Store) -> None:
        self._database, self._store = database, store
        self._plans: OrderedDict[tuple[int, tuple[str, ...]], Known] = OrderedDict()

    def plan(self, pipeline: Pipeline, source: Input, inputs: Sequence[Any]) -> Known:
        """What a pipeline would do.

        Args:
            pipeline: The pipeline.
            source: The input.
            inputs: The rows of its files.

        Raises:
            EnsembleError: There is no plan for this input.
        """
        key = (id(pipeline), tuple(each.media_type for each in inputs))
        known = self._plans.pop(key, None)
        if known is None:
            planned = pipeline.planned([source])
            plan = planned.plan
            steps: list[Any] = [[kind, plan.reading_key(kind)] for kind in sorted(plan.loaders)]
            steps.append([exporter.fingerprint() for exporter in plan.export])
            varies = any(_varies(spec) for spec in planned.specs.values())
            verifies = any(component.models for component in plan.components())
            known = Known(
                pipeline,
                None if verifies else planned,
                "" if varies else digest([__version__, steps]),
            )
        self._plans[key] = known
        if len(self._plans) > _KEPT:
            self._plans.popitem(last=False)
        return known

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


def _varies(spec: ComponentSpec) -> bool:
    return spec.kind != "executor" and not spec.deterministic
