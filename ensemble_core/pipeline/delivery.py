"""From a score to files in their places."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from ..model import (
    Artifact,
    ArtifactWritten,
    Diagnostic,
    EnsembleError,
    ExporterSpec,
    OutputError,
    Page,
    Score,
)
from . import work
from .dispatch import Job, write_json
from .outputs import Destination, exists_already
from .services import Services, SourcePage
from .wire import pack, unpack


@attrs.frozen
class Output:
    """A finished file: where it is, or its bytes when no place was asked for."""

    suffix: str
    media_type: str
    path: Path | None = None
    data: bytes | None = None


class Delivery:
    """Exports one score and puts the files in their places.

    Args:
        services: What the run shares.
        name: Name of the document.
        target: Where its files go; None: they are given back as bytes.
        folder: The conversion's own folder.

    Attributes:
        written: The finished files.
        seconds: Time spent, by exporter.
        diagnostics: What exporters reported.
    """

    def __init__(
        self, services: Services, name: str, target: Destination | None, folder: Path
    ) -> None:
        self._run, self._plan = services, services.planned.plan
        self._name, self._target, self._folder = name, target, folder
        self.written: list[Output] = []
        self.seconds: dict[str, float] = {}
        self.diagnostics: list[Diagnostic] = []

    def done_before(self, key: str) -> bool:
        """A resumed run finds this conversion finished, its files unchanged."""
        if self._target is None or self._run.placer.policy != "resume":
            return False
        done = self._run.placer.done(key)
        self.written = [Output("", "", path) for path in done or ()]
        return done is not None

    def skipped(self) -> bool:
        """Existing outputs are to be left alone, and there are some."""
        return self._run.placer.policy == "skip" and bool(self.existing())

    def export(self, key: str, score: Score, pages: Sequence[SourcePage], complete: bool) -> None:
        """Make all files and put them in their places.

        Args:
            key: What the journal knows this conversion by.
            score: The score.
            pages: The pages it was read from, for exporters that show them.
            complete: No page is missing; otherwise a resumed run tries again.

        Raises:
            EnsembleError: An exporter failed, or a file cannot be put in its place.
        """
        score, loaded = self._with_pictures(score, pages)
        shared = self._folder / "score.json"
        pictures = tuple(page.picture for page in score.pages if page.picture)
        if any(exporter.isolation == "worker" for exporter in self._plan.export):
            write_json(shared, pack(score))
        jobs = [
            self._run.dispatcher.start(
                work.export,
                {
                    "exporter": exporter,
                    "score": str(shared) if exporter.isolation == "worker" else score,
                },
                [exporter],
                self._name,
                folder=self._folder if len(self._plan.export) == 1 else None,
                files=(shared, *pictures),
            )
            for exporter in self._plan.export
        ]
        try:
            list(self._run.dispatcher.finish(jobs))
            artifacts: list[Artifact] = []
            for job in jobs:
                self.diagnostics += job.diagnostics
                result = self._run.dispatcher.result(job)
                artifacts += unpack(result["artifacts"], list[Artifact])
                self.seconds.update(result["seconds"])
            self._place(key, artifacts, complete)
        finally:
            for job in [*jobs, *loaded]:
                if job.folder != self._folder:
                    job.discard()

    def _place(self, key: str, artifacts: Sequence[Artifact], complete: bool) -> None:
        if self._target is None:
            self.written = [
                Output(a.suffix, a.media_type, None, a.path.read_bytes()) for a in artifacts
            ]
            return
        files = {artifact.path: self._target.path(artifact.suffix) for artifact in artifacts}
        if len(set(files.values())) < len(files):
            raise OutputError(f"{self._target.stem}: two exporters write the same file")
        self._run.placer.place(key, files, complete)
        for artifact in artifacts:
            final = files[artifact.path]
            self.written.append(Output(artifact.suffix, artifact.media_type, final))
            self._run.emit(
                ArtifactWritten, document=self._name, path=str(final),
                media_type=artifact.media_type,
            )  # fmt: skip

    def _with_pictures(self, score: Score, pages: Sequence[SourcePage]) -> tuple[Score, list[Job]]:
        """The score with its source pages' pictures, if an exporter asks for them.

        Also gives the jobs whose folders hold the pictures.
        """
        if not pages or not any(spec.needs_pictures for spec in self._exporter_specs()):
            return score, []
        jobs: list[Job] = []
        pictures: dict[int, Page] = {}
        for page in pages:
            loader = self._plan.loaders[page.document.media_type]
            payload = {"document": page.document, "loader": loader, "index": page.info.index}
            job = self._run.dispatcher.start(
                work.load_page, payload, [loader], self._name, page=page.info.index,
                files=(page.document.path,),
            )  # fmt: skip
            jobs.append(job)
            list(self._run.dispatcher.finish([job]))
            try:
                pictures[page.number] = unpack(self._run.dispatcher.result(job), Page)
            except EnsembleError:
                continue  # the page is among the failed ones and reported as such
        shown = tuple(
            attrs.evolve(page, picture=pictures[page.page].image) if page.page in pictures else page
            for page in score.pages
        )
        return attrs.evolve(score, pages=shown), jobs

    def refuse_existing(self) -> None:
        """Stop early when a file is in the way.

        Raises:
            OutputError: One of the files exists and may not be replaced.
        """
        existing = self.existing() if self._run.placer.policy == "error" else []
        if existing:
            raise exists_already(existing[0])

    def existing(self) -> list[Path]:
        """Which of the files to be written are there already."""
        if self._target is None:
            return []
        paths = [self._target.path(spec.suffix) for spec in self._exporter_specs()]
        return [path for path in paths if path.exists()]

    def _exporter_specs(self) -> list[ExporterSpec]:
        specs = [self._run.planned.specs[(e.kind, e.name)] for e in self._plan.export]
        return [spec for spec in specs if isinstance(spec, ExporterSpec)]
