"""Sending work to the executor, or doing it here, and passing on what it says meanwhile."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import attrs

from ..model import (
    Cancelled,
    CancelToken,
    Context,
    ContractError,
    Diagnostic,
    EnsembleError,
    Executor,
    Message,
    Plan,
    PlannedComponent,
    Progress,
    StageStarted,
    Task,
)
from .emitter import Emitter
from .maker import Maker
from .wire import pack

POLL = 0.1
"""Seconds between two looks at the cancel token while work goes on elsewhere."""


@attrs.define
class Job:
    """One piece of work under way: whose it is, its folder, and what it said."""

    name: str
    document: str
    page: int | None
    folder: Path
    future: Future[Any]
    began: float
    diagnostics: list[Diagnostic] = attrs.field(factory=list)

    def discard(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Dispatcher:
    """Runs functions of :mod:`~ensemble_core.pipeline.work` where their components belong.

    Attributes:
        slots: How many pieces of work it can do at a time.
    """

    def __init__(  # noqa: PLR0917
        self,
        plan: Plan,
        executor: Executor,
        maker: Maker,
        emit: Emitter,
        cancel: CancelToken,
        folder: Path,
    ) -> None:
        self._plan, self._executor, self._maker = plan, executor, maker
        self._emit, self._cancel, self._folder = emit, cancel, folder
        self._numbers = itertools.count()
        self._jobs: dict[str, Job] = {}
        self._stopped = False
        executor.open(plan.jobs, self._message)
        self.slots: int = getattr(executor, "slots", 0) or plan.jobs

    def start(
        self,
        function: Callable[..., Any],
        payload: Mapping[str, Any],
        components: Sequence[PlannedComponent],
        document: str,
        *,
        page: int | None = None,
        folder: Path | None = None,
        files: Iterable[Path] = (),
    ) -> Job:
        """Begin one piece of work; inline work is over when this returns.

        It gets a folder of its own unless the caller, who does one thing after the other,
        lends one: making and removing folders is most of what a small page costs.
        ``files`` are what the work reads besides the model files of the components.
        """
        name = f"t{next(self._numbers)}"
        if folder is None:
            folder = self.new_folder(name)
        job = Job(name, document, page, folder, Future(), time.perf_counter())
        self._jobs[name] = job
        if self._cancel.cancelled:
            job.future.set_exception(Cancelled("cancelled"))
        elif all(planned.isolation == "inline" for planned in components) or any(
            not planned.target for planned in components
        ):
            self._inline(name, job, function, payload)
        else:
            models = [Path(m.path) for planned in components for m in planned.models.values()]
            self._submit(name, job, function, payload, (*files, *models))
        return job

    def finish(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs as they end; stops them all when the run is cancelled."""
        waiting = {job.future: job for job in jobs}
        while waiting:
            done, _ = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
            if self._cancel.cancelled and not self._stopped:
                self._stopped = True
                self._executor.cancel()
            for future in done:
                job = waiting.pop(future)
                self._jobs.pop(job.name, None)
                yield job

    def result(self, job: Job) -> Any:
        """What a job gave, once :meth:`finish` has yielded it.

        Raises:
            EnsembleError: Whatever it failed with.
        """
        try:
            return job.future.result()
        except EnsembleError:
            raise
        except Exception as error:
            raise ContractError(
                f"raised {type(error).__name__}: {error}", code="component-raised"
            ) from error

    def new_folder(self, name: str = "") -> Path:
        """A private folder in the run's workspace."""
        folder = self._folder / (name or f"f{next(self._numbers)}")
        folder.mkdir(mode=0o700)
        return folder

    def do(
        self,
        function: Callable[..., Any],
        payload: Mapping[str, Any],
        components: Iterable[PlannedComponent],
        document: str,
        folder: Path,
        *,
        files: Iterable[Path] = (),
    ) -> tuple[Any, Job]:
        """Start a job and wait for it.

        Raises:
            EnsembleError: Whatever it failed with.
        """
        job = self.start(function, payload, list(components), document, folder=folder, files=files)
        for _ in self.finish([job]):
            pass
        return self.result(job), job

    def close(self) -> None:
        """Let go of the executor and of all components."""
        self._executor.close()
        self._maker.close()

    def _inline(
        self, name: str, job: Job, function: Callable[..., Any], payload: Mapping[str, Any]
    ) -> None:
        deadline = self._plan.page_deadline
        ctx = Context(
            workspace=job.folder,
            limits=self._plan.limits,
            threads=self._plan.threads,
            expires=time.monotonic() + deadline if deadline else None,
            cancel=self._cancel,
            page=job.page,
            send=lambda message: self._message(name, message),
        )
        try:
            job.future.set_result(function(payload, ctx, self._maker))
        except Exception as error:
            job.future.set_exception(error)

    def _submit(
        self,
        name: str,
        job: Job,
        function: Callable[..., Any],
        payload: Mapping[str, Any],
        files: tuple[Path, ...],
    ) -> None:
        task = Task(
            id=name,
            function=f"{function.__module__}:{function.__name__}",
            payload=pack(dict(payload)),
            workspace=job.folder,
            limits=self._plan.limits,
            page=job.page,
            deadline=self._plan.page_deadline,
            max_memory=self._plan.limits.max_memory,
            threads=self._plan.threads,
            files=files,
        )
        job.future = self._executor.submit(task)

    def _message(self, name: str, message: Message) -> None:
        job = self._jobs.get(name)
        if job is None:
            return
        page = job.page if message.get("page") is None else message["page"]
        if message["type"] == "stage":
            self._emit(
                StageStarted, document=job.document, page=page,
                kind=message["kind"], component=message["component"],
            )  # fmt: skip
        elif message["type"] == "progress":
            self._emit(
                Progress, document=job.document, page=page, component=message["component"],
                done=message["done"], total=message["total"], unit=message["unit"],
            )  # fmt: skip
        elif message["type"] == "diagnostic":
            fields = {key: value for key, value in message.items() if key != "type"}
            found = Diagnostic(**{**fields, "page": page})
            job.diagnostics.append(found)
            self._emit.diagnostic(job.document, found)


def write_json(path: Path, value: Any) -> str:
    """Write plain data where a worker can read it; gives the path."""
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return str(path)
