"""Inputs sent to a service, several at a time, and their files put in their places."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.model import (
    ArtifactWritten,
    Cancelled,
    CancelToken,
    ConfigError,
    DocumentDone,
    DocumentReport,
    DocumentStarted,
    EnsembleError,
    Event,
    OutputError,
    Report,
    RunDone,
    RunStarted,
)
from ensemble_core.pipeline.outputs import (
    Destination,
    Placer,
    Policy,
    check_folder,
    destination,
    exists_already,
)

from ..client import Client, Job
from .events import RUN, report_of, translated

POLL = 0.1
"""Seconds between two looks at the cancel token."""

Content = Path | tuple[str, bytes]


@attrs.frozen
class Parcel:
    """What becomes one score: a name, the folder it lies in, its files in order."""

    name: str
    folder: Path
    files: Sequence[Content]


@attrs.frozen
class Where:
    """Where results go.

    Attributes:
        output: Template, as of ``ensemble convert``; None: standard output.
        policy: What to do with files that exist.
        suffixes: Of the files that will be made.
    """

    output: str | None
    policy: Policy
    suffixes: Sequence[str]


class Batch:
    """Converts parcels on a service; the twin of the core's run.

    Args:
        client: The service.
        asked: Arguments of ``submit`` for each.
        where: Where results go.
        emit: Gets the events.
        cancel: Stops it all.
    """

    def __init__(
        self,
        client: Client,
        asked: Mapping[str, Any],
        where: Where,
        emit: Callable[[Event], None],
        cancel: CancelToken,
    ) -> None:
        self._client, self._asked, self._where, self._cancel = client, asked, where, cancel
        self._observer, self._speaking = emit, threading.RLock()
        self._placer = Placer(where.policy, None)
        self._jobs: dict[str, Job] = {}
        self._versions: dict[str, str] = {}

    def run(self, parcels: Sequence[Parcel], at_once: int) -> Report:
        """Send them all and wait for them all.

        Raises:
            ConfigError: Two of them would write the same file.
            OutputError: A folder cannot be written to.
        """
        began = time.monotonic()
        targets = self._targets(parcels)
        self._emit(RunStarted, documents=len(parcels))
        with ThreadPoolExecutor(at_once, thread_name_prefix="ensemble-remote") as threads:
            futures = [
                threads.submit(self._convert, parcel, target)
                for parcel, target in zip(parcels, targets, strict=True)
            ]
            self._watch(futures)
        report = Report(
            plan={"service": dict(self._asked)},
            versions=self._versions,
            documents=tuple(future.result() for future in futures),
            seconds=round(time.monotonic() - began, 3),
        )
        self._emit(RunDone, exit_code=int(report.exit_code), seconds=report.seconds)
        return report

    def _watch(self, futures: Sequence[Future[DocumentReport]]) -> None:
        """Until all have ended; cancels the jobs once when the token is thrown."""
        waiting, told = set(futures), False
        while waiting:
            _, waiting = wait(waiting, timeout=POLL, return_when=FIRST_COMPLETED)
            if self._cancel.cancelled and not told:
                told = True
                for job in list(self._jobs.values()):
                    with suppress(EnsembleError):
                        self._client.cancel(job.id)

    def _convert(self, parcel: Parcel, target: Destination | None) -> DocumentReport:
        began = time.monotonic()
        try:
            report = self._through(parcel, target, began)
        except EnsembleError as error:
            status = "cancelled" if isinstance(error, Cancelled) else "failed"
            report = DocumentReport(
                parcel.name, status, error=error.to_payload(), exit_code=int(error.exit_code),
                seconds=round(time.monotonic() - began, 3),
            )  # fmt: skip
        self._emit(DocumentDone, parcel.name, status=report.status, seconds=report.seconds)
        return report

    def _through(self, parcel: Parcel, target: Destination | None, began: float) -> DocumentReport:
        self._go_on()
        there = self._existing(target)
        if there and self._where.policy == "skip":
            return DocumentReport(parcel.name, "skipped")
        if there and self._where.policy == "error":
            raise exists_already(there[0])
        job = self._client.submit(parcel.files, name=parcel.name, **self._asked)
        self._emit(DocumentStarted, parcel.name, pages=1)
        self._jobs[job.id] = job
        try:
            if self._cancel.cancelled:
                job.cancel()
            job.wait(lambda event: self._pass_on(translated(event, parcel.name)))
        finally:
            self._jobs.pop(job.id, None)
        outputs = {file.name for file in job.outputs}
        told = json.loads(job.read("report.json")) if "report.json" in outputs else None
        self._versions.update(job.data.get("versions") or {})
        report = report_of(job, parcel.name, told, time.monotonic() - began)
        if job.state in {"done", "partial"}:
            written = self._fetch(job, target, parcel.name)
            report = attrs.evolve(report, outputs=tuple(str(path) for path in written))
        return report

    def _fetch(self, job: Job, target: Destination | None, name: str) -> list[Path]:
        """Bring the files, then put them all in their places."""
        from ..jobs.names import stem_of

        made = [file for file in job.outputs if file.name != "report.json"]
        if target is None:
            if len(made) != 1:
                text = f"--output -: {len(made)} files cannot go to one stream"
                raise ConfigError(text)
            sys.stdout.buffer.write(job.read(made[0].name))
            sys.stdout.buffer.flush()
            return []
        stem = stem_of(job.name)
        with tempfile.TemporaryDirectory(prefix="ensemble-remote-") as folder:
            files: dict[Path, Path] = {}
            for number, file in enumerate(made):
                local = job.download(file.name, Path(folder) / str(number), kind="output")
                files[local] = target.path(file.name.removeprefix(stem))
            if len(set(files.values())) < len(files):
                raise OutputError(f"{target.stem}: two exporters write the same file")
            written = self._placer.place(job.id, files)
        for path, file in zip(written, made, strict=True):
            self._emit(ArtifactWritten, name, path=str(path), media_type=file.media_type)
        return written

    def _go_on(self) -> None:
        if self._cancel.cancelled:
            raise Cancelled("cancelled")

    def _existing(self, target: Destination | None) -> list[Path]:
        if target is None:
            return []
        paths = [target.path(suffix) for suffix in self._where.suffixes]
        return [path for path in paths if path.exists()]

    def _targets(self, parcels: Sequence[Parcel]) -> list[Destination | None]:
        output = self._where.output
        if output is None:
            return [None] * len(parcels)
        targets: list[Destination | None] = []
        taken: dict[Path, str] = {}
        for number, parcel in enumerate(parcels, 1):
            target = destination(output, parcel.name, parcel.folder, number, self._where.suffixes)
            place = target.path("").absolute()
            if place in taken:
                raise ConfigError(
                    f"{taken[place]} and {parcel.name} would both write {place}",
                    hint="give --output a template with {name} or {index}",
                    code="output-collision",
                )
            taken[place] = parcel.name
            targets.append(target)
            check_folder(target.folder)
        return targets

    def _emit(self, kind: type[Any], document: str = "", **fields: Any) -> None:
        self._pass_on(kind(run=RUN, time=time.monotonic(), document=document, **fields))

    def _pass_on(self, event: Event | None) -> None:
        if event is not None:
            with self._speaking:
                self._observer(event)
