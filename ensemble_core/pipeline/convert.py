"""One input from file to files: pages read, joined, exported, put in their place."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from ..model import (
    Cancelled,
    Diagnostic,
    Document,
    DocumentDone,
    DocumentReport,
    DocumentStarted,
    Element,
    EnsembleError,
    ExecutorFailed,
    ExitCode,
    InputError,
    OutputError,
    PageDone,
    PageInfo,
    PageOfScore,
    PageReport,
    PlannedComponent,
    Score,
    UnsupportedInput,
)
from ..model.plan import digest
from ..musicxml import MissingPage, join, missing_pages, stamp
from . import work
from .delivery import Delivery, Output
from .dispatch import Job
from .inputs import Input, open_document
from .outputs import Destination
from .services import Services, SourcePage
from .wire import pack, unpack

WIRE = 2
"""Changes when cached results of an older Ensemble must not be used any more."""


@attrs.frozen
class Converted:
    """What became of one input.

    Attributes:
        report: Statuses, timings, diagnostics.
        score: The score, when the run was asked to keep it.
        outputs: The files.
    """

    report: DocumentReport
    score: Score | None = None
    outputs: tuple[Output, ...] = ()


class Conversion:
    """The work on one input.

    Args:
        services: What the run shares.
        source: The input.
        target: Where its files go; None: they are given back as bytes.
    """

    def __init__(self, services: Services, source: Input, target: Destination | None) -> None:
        self._run, self._source, self._target = services, source, target
        self._plan = services.planned.plan
        self._diagnostics: list[Diagnostic] = []
        self._pages: dict[int, PageReport] = {}
        self._documents: list[Document] = []
        self._folder: Path  # made when the work begins, and so is what delivers
        self._delivery: Delivery

    def run(self, keep_score: bool) -> Converted:
        """Do it all; what goes wrong with the input is in the report.

        Raises:
            ExecutorFailed: Nothing else can be done either.
        """
        began = time.monotonic()
        score, error, status = None, None, "ok"
        self._folder = self._run.dispatcher.new_folder()
        self._delivery = Delivery(self._run, self._source.name, self._target, self._folder)
        try:
            score = self._convert()
            status = "skipped" if score is None else self._status()
        except ExecutorFailed:
            raise
        except EnsembleError as caught:
            error = caught
            status = "cancelled" if isinstance(caught, Cancelled) else "failed"
        except OSError as caught:
            error = OutputError(f"{self._source.name}: {caught.strerror or caught}")
            status = "failed"
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        seconds, written = time.monotonic() - began, self._delivery.written
        report = DocumentReport(
            name=self._source.name,
            status=status,
            sha256=self._documents[0].sha256 if self._documents else "",
            exports=dict(self._delivery.seconds),
            pages=tuple(page for _, page in sorted(self._pages.items())),
            outputs=tuple(str(o.path) for o in written if o.path),
            missing=missing_pages(score) if score and status == "partial" else (),
            diagnostics=(*self._diagnostics, *self._delivery.diagnostics),
            error=error.to_payload() if error else None,
            exit_code=_exit_code(status, error),
            seconds=round(seconds, 3),
        )
        self._run.emit(DocumentDone, document=report.name, status=status, seconds=seconds)
        return Converted(report, score if keep_score else None, tuple(written))

    def _convert(self) -> Score | None:
        if self._delivery.skipped():
            return None
        for source, name in zip(self._source.sources, self._source.names, strict=True):
            self._documents.append(open_document(source, name, self._plan.limits))
        for document in self._documents:
            self._loader(document)
        key = self._key()
        if self._delivery.done_before(key):
            return None
        self._delivery.refuse_existing()
        pages, scores = self._list_pages()
        self._run.emit(DocumentStarted, document=self._source.name, pages=len(pages))
        score = self._join(pages, self._read(pages), scores)
        score = stamp(score, self._provenance(bool(pages)))
        if not score.title:
            score = attrs.evolve(score, title=Path(self._source.name).stem)
        self._delivery.export(key, score, pages, complete=self._status() == "ok")
        return score

    def _list_pages(self) -> tuple[list[SourcePage], list[Score]]:
        """All pages of all documents; scores for documents that are scores already."""
        pages: list[SourcePage] = []
        scores: list[Score] = []
        for document in self._documents:
            loader = self._loader(document)
            payload: dict[str, Any] = {"document": document, "loader": loader}
            spec = self._run.planned.specs[(loader.kind, loader.name)]
            if getattr(spec, "gives", "pages") == "score":
                scores.append(unpack(self._do(work.read_score, payload, loader)["score"], Score))
                continue
            infos = unpack(self._do(work.inspect, payload, loader), list[PageInfo])
            chosen = [info for info in infos if self._wanted(info)]
            if not chosen:
                raise InputError(
                    f"{document.name}: has {len(infos)} pages, none of those asked for"
                )
            pages += [SourcePage(document, info, 0) for info in chosen]
            self._plan.limits.check_pages(len(pages), document.name)
        if pages and scores:
            raise InputError(
                f"{self._source.name}: pictures and scores cannot be joined into one score"
            )
        alone = len(self._documents) == 1
        numbered = [
            attrs.evolve(page, number=page.info.index if alone else number)
            for number, page in enumerate(pages)
        ]
        return numbered, scores

    def _wanted(self, info: PageInfo) -> bool:
        return self._plan.pages is None or info.index in self._plan.pages

    def _read(self, pages: Sequence[SourcePage]) -> dict[int, Score | EnsembleError]:
        """Read every page, from the cache where it is known."""
        results: dict[int, Score | EnsembleError] = {}
        jobs: dict[str, tuple[Job, SourcePage, str]] = {}
        for page in pages:
            key = digest(
                [WIRE, page.document.sha256, page.info.index,
                 self._plan.reading_key(page.document.media_type)]
            )  # fmt: skip
            known = self._run.cache.get(key) if self._run.cache else None
            if known is not None:
                results[page.number] = self._page_read(page, known, cached=True)
                continue
            job = self._run.dispatcher.start(
                work.read_page, self._payload(page), self._reading_steps(page),
                self._source.name, page=page.info.index,
                folder=self._folder if len(pages) == 1 else None,
                files=(page.document.path,),
            )  # fmt: skip
            jobs[job.name] = (job, page, key)
        for job in self._run.dispatcher.finish([job for job, _, _ in jobs.values()]):
            _, page, key = jobs.pop(job.name)
            results[page.number] = self._page_done(job, page, key)
        return results

    def _payload(self, page: SourcePage) -> dict[str, Any]:
        readers = (self._plan.recognizer, *self._plan.fallbacks)
        return {
            "document": page.document,
            "loader": self._loader(page.document),
            "index": page.info.index,
            "preprocess": list(self._plan.preprocess),
            "recognizers": [reader for reader in readers if reader],
        }

    def _reading_steps(self, page: SourcePage) -> list[PlannedComponent]:
        payload = self._payload(page)
        return [payload["loader"], *payload["preprocess"], *payload["recognizers"]]

    def _page_done(self, job: Job, page: SourcePage, key: str) -> Score | EnsembleError:
        self._diagnostics += job.diagnostics
        try:
            result = self._run.dispatcher.result(job)
            result["diagnostics"] = pack(job.diagnostics)
            if self._run.cache:
                self._run.cache.put(key, result)
            return self._page_read(page, result, cached=False)
        except ExecutorFailed:
            raise
        except EnsembleError as error:
            status = "cancelled" if isinstance(error, Cancelled) else "failed"
            self._report_page(PageReport(page.number, status, error=error.to_payload()))
            return error
        finally:
            if job.folder != self._folder:
                job.discard()

    def _page_read(self, page: SourcePage, result: dict[str, Any], cached: bool) -> Score:
        score = unpack(result["score"], Score)
        if cached:
            self._diagnostics += unpack(result.get("diagnostics", []), list[Diagnostic])
        own_findings = tuple(attrs.evolve(d, page=page.number) for d in score.diagnostics)
        self._diagnostics += own_findings
        self._report_page(PageReport(page.number, "ok", cached, dict(result["seconds"])))
        width, height = result["size"]
        own = PageOfScore(page.number, 0, result["measures"], width, height)
        elements = score.elements
        if page.number != page.info.index:
            elements = tuple(
                Element(e.id, e.kind, page.number, e.box, e.confidence) for e in elements
            )
        return attrs.evolve(score, pages=(own,), elements=elements, diagnostics=own_findings)

    def _report_page(self, report: PageReport) -> None:
        self._pages[report.index] = report
        self._run.emit(
            PageDone, document=self._source.name, page=report.index, status=report.status,
            cached=report.cached, seconds=sum(report.seconds.values()),
        )  # fmt: skip

    def _join(
        self,
        pages: Sequence[SourcePage],
        read: dict[int, Score | EnsembleError],
        scores: Sequence[Score],
    ) -> Score:
        if not pages:
            return join(scores)
        results = [read[page.number] for page in pages]
        errors = [result for result in results if isinstance(result, EnsembleError)]
        stopped = [error for error in errors if isinstance(error, Cancelled)]
        if stopped or len(errors) == len(results):
            raise (stopped or errors)[0]
        score = join(
            [
                MissingPage(page.number, result.message)
                if isinstance(result, EnsembleError)
                else result
                for page, result in zip(pages, results, strict=True)
            ]
        )
        known = set(self._diagnostics)
        self._diagnostics += [found for found in score.diagnostics if found not in known]
        return score

    def _loader(self, document: Document) -> PlannedComponent:
        if document.media_type not in self._plan.loaders:
            raise UnsupportedInput(
                f"{document.name}: no installed loader reads {document.media_type}",
                hint="`ensemble plugins list` shows what is installed",
            )
        return self._plan.loaders[document.media_type]

    def _do(self, function: Any, payload: dict[str, Any], loader: PlannedComponent) -> Any:
        result, job = self._run.dispatcher.do(
            function, payload, [loader], self._source.name, self._folder,
            files=(payload["document"].path,),
        )  # fmt: skip
        self._diagnostics += job.diagnostics
        return result

    def _key(self) -> str:
        reading = [
            [document.sha256, self._plan.reading_key(document.media_type)]
            for document in self._documents
        ]
        exporters = [exporter.fingerprint() for exporter in self._plan.export]
        place = str(self._target.path("").absolute()) if self._target else ""
        return digest([WIRE, reading, exporters, self._plan.pages, place])

    def _status(self) -> str:
        bad = [page for page in self._pages.values() if page.status != "ok"]
        return "partial" if bad else "ok"

    def _provenance(self, was_read: bool) -> dict[str, str]:
        told = {"ensemble": self._run.version}
        reader = self._plan.recognizer
        if was_read and reader:
            told["recognizer"] = f"{reader.name} {reader.version}".strip()
            if self._plan.preprocess:
                told["preprocess"] = ", ".join(step.name for step in self._plan.preprocess)
            told["source-sha256"] = self._documents[0].sha256
        return told


def _exit_code(status: str, error: EnsembleError | None) -> int:
    if error is not None:
        return int(error.exit_code)
    return int(ExitCode.PARTIAL if status == "partial" else ExitCode.OK)
