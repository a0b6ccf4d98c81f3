"""One run of a plan over its inputs."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from .. import __version__
from ..model import (
    CancelToken,
    ConfigError,
    Diagnostic,
    EnsembleError,
    ExporterSpec,
    MissingError,
    Report,
    RunDone,
    RunStarted,
)
from ..places import cache_folder
from ..registry import Plugin
from .cache import Cache
from .convert import Conversion, Converted
from .dispatch import Dispatcher
from .emitter import Emitter
from .inputs import Input
from .maker import Maker
from .outputs import Destination, Placer, Policy, check_folder, destination
from .planner import Planned
from .services import Services
from .wire import pack

if TYPE_CHECKING:
    from .pipeline import Pipeline


@attrs.frozen
class Result:
    """What a run gave: the report and, document by document, scores and files."""

    report: Report
    documents: tuple[Converted, ...]

    @property
    def ok(self) -> bool:
        """All is well."""
        return self.report.exit_code == 0


class Run:
    """Carries out a plan once.

    Args:
        pipeline: Whose settings and plugins it uses.
        planned: The plan.
        folder: A private workspace, emptied by whoever made it.
        cancel: Stops the run when thrown.
    """

    def __init__(
        self, pipeline: Pipeline, planned: Planned, folder: Path, cancel: CancelToken
    ) -> None:
        self._pipeline, self._planned = pipeline, planned
        self._plan, self._folder, self._cancel = planned.plan, folder, cancel

    def convert(
        self,
        inputs: Sequence[Input],
        output: str | Path | None,
        policy: Policy,
        emit: Emitter,
    ) -> Result:
        """Convert the inputs, several at a time where the executor allows it.

        Raises:
            ConfigError: Two inputs would write the same files, or a check refuses the plan.
            OutputError: The output folder cannot be written to.
            ExecutorFailed: The executor can do no work (any more).
        """
        began = time.monotonic()
        observers, diagnostics = self._pipeline.registry.observers()
        emit.add(observers)
        diagnostics = [*self._planned.diagnostics, *diagnostics, *self._checks(observers)]
        targets = self._targets(inputs, output)
        emit(RunStarted, documents=len(inputs))
        for found in diagnostics:
            emit.diagnostic("", found)
        refuse(diagnostics)
        with closing(self._dispatcher(emit)) as dispatcher:
            services = self._services(dispatcher, emit, policy)
            work = [
                Conversion(services, each, target)
                for each, target in zip(inputs, targets, strict=True)
            ]
            at_once = (self._pipeline.settings.run.jobs or dispatcher.slots) + 1
            documents = tuple(self._all(work, at_once, keep_scores=output is None))
        report = Report(
            plan=pack(self._plan),
            versions=self._versions(),
            documents=tuple(document.report for document in documents),
            seconds=round(time.monotonic() - began, 3),
        )
        emit(RunDone, exit_code=int(report.exit_code), seconds=report.seconds)
        return Result(report, documents)

    def _all(
        self, work: Sequence[Conversion], at_once: int, keep_scores: bool
    ) -> Iterator[Converted]:
        """Run the conversions, in threads that wait for the executor; results in order."""
        spec = self._planned.specs[("executor", self._plan.executor.name)]
        if getattr(spec, "blocking", False) or self._planned.live or len(work) == 1:
            for conversion in work:
                yield conversion.run(keep_scores)
            return
        waiting: deque[Future[Converted]] = deque()
        with ThreadPoolExecutor(at_once, thread_name_prefix="ensemble") as threads:
            try:
                for conversion in work:
                    waiting.append(threads.submit(conversion.run, keep_scores))
                    if len(waiting) > 2 * at_once:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BaseException:
                self._cancel.cancel()
                raise

    def _dispatcher(self, emit: Emitter) -> Dispatcher:
        planned = self._plan.executor
        maker = Maker(self._planned.live)
        executor = maker(planned)
        return Dispatcher(self._plan, executor, maker, emit, self._cancel, self._folder)

    def _services(self, dispatcher: Dispatcher, emit: Emitter, policy: Policy) -> Services:
        run = self._pipeline.settings.run
        folder = run.cache_dir or cache_folder()
        return Services(
            planned=self._planned,
            dispatcher=dispatcher,
            emit=emit,
            cache=Cache(folder, run.cache_size) if run.cache else None,
            placer=Placer(policy, folder / "written" if run.cache else None),
            version=__version__,
        )

    def _targets(
        self, inputs: Sequence[Input], output: str | Path | None
    ) -> list[Destination | None]:
        if output is None:
            return [None] * len(inputs)
        template = str(output) + ("/" if isinstance(output, Path) and output.is_dir() else "")
        specs = [self._planned.specs[(e.kind, e.name)] for e in self._plan.export]
        suffixes = [spec.suffix for spec in specs if isinstance(spec, ExporterSpec)]
        targets: list[Destination | None] = []
        taken: dict[Path, str] = {}
        for number, each in enumerate(inputs, 1):
            folder = each.folder or Path()
            target = destination(template, each.name, folder, number, suffixes)
            place = target.path("").absolute()
            if place in taken:
                raise ConfigError(
                    f"{taken[place]} and {each.name} would both write {place}",
                    hint="give --output a template with {name} or {index}",
                    code="output-collision",
                )
            taken[place] = each.name
            targets.append(target)
        for folder in {target.folder for target in targets if target}:
            check_folder(folder)
        return targets

    def _checks(self, plugins: Sequence[Plugin]) -> list[Diagnostic]:
        """What plugins say of the plan."""
        found: list[Diagnostic] = []
        for plugin in plugins:
            try:
                for answers in plugin.manager.hook.ensemble_check(plan=self._plan):
                    found += list(answers or ())
            except Exception as error:
                text = (
                    f"plugin {plugin.name}: ensemble_check raised {type(error).__name__}: {error}"
                )
                found.append(Diagnostic("warning", "plugin-hook-raised", text))
        return found

    def _versions(self) -> dict[str, str]:
        versions = {"python": platform.python_version(), "platform": platform.platform()}
        versions["ensemble-core"] = __version__
        entries = self._pipeline.registry.entries
        used = {c.distribution for c in self._plan.components() if c.distribution}
        versions.update({e.distribution: e.version for e in entries if e.distribution in used})
        return versions


def refuse(diagnostics: Sequence[Diagnostic]) -> None:
    """Stop before the start when a check found an error.

    Raises:
        MissingError: Something that is needed is missing.
        ConfigError: Anything else.
    """
    for found in diagnostics:
        if found.severity == "error":
            kind: type[EnsembleError] = (
                MissingError if found.code.endswith("-missing") else ConfigError
            )
            raise kind(found.message, hint=found.hint, component=found.component, code=found.code)
