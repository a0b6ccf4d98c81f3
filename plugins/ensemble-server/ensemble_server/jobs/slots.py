"""A slot: one conversion at a time, its worker process kept from job to job.

To start a process for each job would cost more than most jobs. So a slot hands the pipeline an
executor whose ``close`` leaves the process running, and keeps one pipeline for each set of options.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ensemble_core import hookimpl
from ensemble_core.config import Config
from ensemble_core.config.options import structure_options
from ensemble_core.model import Executor, ExecutorSpec, ExporterSpec, Message, Task
from ensemble_core.registry import Registry, import_target

from .asked import PREVIEWS, Asked, canonical

if TYPE_CHECKING:
    from ensemble_core.pipeline import Pipeline

_KEPT = 16
NAME = "service-slot"


class KeptExecutor:
    """An executor that outlives the runs it is used by.

    Args:
        make: Makes the executor behind it; called again after a run was cancelled.
    """

    def __init__(self, make: Callable[[], Executor]) -> None:
        self._make = make
        self._inner: Executor | None = None
        self._spoiled = False
        self._on_message: Callable[[str, Message], None] | None = None

    def open(self, jobs: int, on_message: Callable[[str, Message], None]) -> None:
        """Serve another run."""
        self._on_message = on_message
        if self._inner is None:
            self._inner = self._make()
            self._inner.open(jobs, self._tell)

    def submit(self, task: Task) -> Future[Any]:
        """Queue a task."""
        if self._inner is None:
            raise RuntimeError("submit() before open()")
        return self._inner.submit(task)

    def cancel(self) -> None:
        """Stop the run's tasks; the processes are replaced before the next run."""
        if self._inner is not None:
            self._spoiled = True
            self._inner.cancel()

    def close(self) -> None:
        """The run is over; the processes stay, unless they were told to stop."""
        self._on_message = None
        if self._spoiled:
            self.shut()

    def shut(self) -> None:
        """Really close."""
        inner, self._inner, self._spoiled = self._inner, None, False
        if inner is not None:
            inner.close()

    def _tell(self, task: str, message: Message) -> None:
        if self._on_message is not None:
            self._on_message(task, message)


class Slot:
    """Pipelines that share one executor.

    Args:
        base: The operator's configuration.
    """

    def __init__(self, base: Config) -> None:
        self._base = base
        self.executor = KeptExecutor(self._inner)
        self._pipelines: OrderedDict[str, Pipeline] = OrderedDict()
        self._plugin = _SlotPlugin(self.executor)

    def pipeline(self, asked: Asked) -> Pipeline:
        """The pipeline for what was asked.

        Raises:
            ConfigError: A setting is wrong.
        """
        key = canonical(asked.plain())
        found = self._pipelines.pop(key, None)
        if found is None:
            section = asked.section()
            export = [*section["pipeline"]["export"], PREVIEWS]
            section["pipeline"] = {**section["pipeline"], "export": export}
            section["run"] = {"executor": NAME, "cache": False}
            config = self._base.with_layer("argument", section)
            from ensemble_core.pipeline import Pipeline  # late: the service answers sooner

            found = Pipeline(config=config, plugins=[self._plugin])
        self._pipelines[key] = found
        if len(self._pipelines) > _KEPT:
            self._pipelines.popitem(last=False)
        return found

    def close(self) -> None:
        """End the worker process."""
        self.executor.shut()

    def _inner(self) -> Executor:
        settings = self._base.settings()
        spec = Registry().resolve("executor", settings.run.executor).spec
        make = import_target(spec.target, f"executor {spec.name!r}")
        if not spec.options:
            made: Executor = make()
            return made
        options = import_target(spec.options, f"options of {spec.name!r}")
        values = settings.options.get(spec.name, {})
        made = make(structure_options(options, values, f"options.{spec.name}"))
        return made


class _SlotPlugin:
    """The live plugin of a slot."""

    def __init__(self, executor: KeptExecutor) -> None:
        self._executor = executor

    @hookimpl
    def ensemble_executors(self) -> list[ExecutorSpec]:
        """The kept executor."""
        return [
            ExecutorSpec(name=NAME, target=lambda: self._executor, isolation="inline", version="1")
        ]

    @hookimpl
    def ensemble_exporters(self) -> list[ExporterSpec]:
        """The previews of pages."""
        return [
            ExporterSpec(
                name=PREVIEWS,
                target="ensemble_server.jobs.previews:PagePreviews",
                media_type="image/png",
                suffix="-preview.png",
                needs_pictures=True,
                version="1",
            )
        ]
