"""What a run shows: a live bar on a terminal, plain lines elsewhere. One observer among many."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

import click

from ..model import (
    ArtifactWritten,
    DiagnosticRaised,
    DocumentDone,
    DocumentReport,
    DocumentStarted,
    Event,
    PageDone,
    Progress,
    Report,
    RunStarted,
    StageStarted,
)
from ..model.errors import one_line
from .failing import error_line

MARKS = {"info": "note", "warning": "warning", "error": "error"}


class FetchBar:
    """Shows a download: a bar on a terminal, a line at its start elsewhere.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._live = quiet, not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def show(self, component: str, done: float, total: float) -> None:
        """Say how far the files of a component are, in bytes."""
        if component not in self._tasks:
            self._tasks[component] = self._begin(component, total)
        if self._bar is not None:
            self._bar.update(self._tasks[component], completed=done)

    def _begin(self, component: str, total: float) -> Any:
        from ..modelfiles import readable

        label = f"fetching the model files of {component}"
        if not self._live:
            if not self._quiet:
                click.echo(f"{label} ({readable(int(total))})", err=True)
            return None
        if self._bar is None:
            self._bar = _download_bar()
            self._bar.start()
        return self._bar.add_task(label, total=total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = None

    def __enter__(self) -> FetchBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Show:
    """Prints events: findings and file names as lines, progress as a bar on a terminal.

    Args:
        quiet: Errors only.
        verbose: Every step.
        paths: Print the path of each file written, one a line, to standard output.
    """

    def __init__(self, quiet: bool, verbose: bool, paths: bool) -> None:
        self._quiet, self._verbose, self._paths = quiet, verbose, paths
        self._live = not quiet and not verbose and sys.stderr.isatty()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        self._documents: Any = None
        self._pages: dict[str, int] = {}
        self._done: dict[str, float] = {}
        self._fetching = FetchBar(quiet)

    def __enter__(self) -> Show:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._fetching.stop()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Progress) and event.unit == "bytes" and not event.document:
            self._fetching.show(event.component, event.done, event.total)
        elif isinstance(event, RunStarted):
            self._fetching.stop()
        if isinstance(event, DiagnosticRaised):
            self._diagnostic(event)
        elif isinstance(event, ArtifactWritten):
            if self._paths and not self._quiet:
                self._print(event.path, err=False)
        elif self._live:
            self._advance(event)
        elif self._verbose:
            self._step(event)

    def summary(self, report: Report, debug: bool) -> None:
        """Say what became of each document that is not simply well, and how much was done."""
        for document in report.documents:
            for line in _lines(document):
                click.echo(one_line(line), err=True)
            errors = [document.error, *(page.error for page in document.pages)]
            details = [error["details"] for error in errors if error and error.get("details")]
            for text in dict.fromkeys(details) if debug else ():
                click.echo(text, err=True)
        if len(report.documents) > 1 and not self._quiet:
            counts: dict[str, int] = {}
            for document in report.documents:
                counts[document.status] = counts.get(document.status, 0) + 1
            text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            click.echo(f"{len(report.documents)} inputs: {text} ({report.seconds:.1f} s)", err=True)

    def _diagnostic(self, event: DiagnosticRaised) -> None:
        found = event.diagnostic
        if self._quiet or (found.severity == "info" and not self._verbose):
            return
        page = f", page {found.page + 1}" if found.page is not None else ""
        where = f"{event.document}{page}: " if event.document else ""
        who = f"{found.component}: " if found.component else ""
        hint = f" ({found.hint})" if found.hint else ""
        self._print(one_line(f"{MARKS[found.severity]}: {where}{who}{found.message}{hint}"))

    def _print(self, text: str, err: bool = True) -> None:
        if self._bar is not None and (err or sys.stdout.isatty()):
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(text, err=err)

    def _step(self, event: Event) -> None:
        page = getattr(event, "page", None)
        where = one_line(event.document) + (f", page {page + 1}" if page is not None else "")
        if isinstance(event, StageStarted):
            self._print(f"{where}: {event.component}")
        elif isinstance(event, PageDone):
            how = "from the cache" if event.cached else f"{event.seconds:.2f} s"
            self._print(f"{where}: {event.status} ({how})")
        elif isinstance(event, DocumentDone):
            self._print(f"{one_line(event.document)}: {event.status} ({event.seconds:.2f} s)")

    def _advance(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._start(event.documents)
        elif isinstance(event, DocumentStarted):
            self._pages[event.document] = max(1, event.pages)
            if event.document not in self._tasks:
                self._tasks[event.document] = self._bar.add_task(event.document, total=1.0)
        elif isinstance(event, Progress) and event.document in self._tasks:
            share = event.done / event.total if event.total else 0.0
            self._move(event.document, 0.0, share, event.component)
        elif isinstance(event, PageDone) and event.document in self._tasks:
            self._move(event.document, 1.0, 0.0, "")
        elif isinstance(event, DocumentDone):
            task = self._tasks.pop(event.document, None)
            if task is not None:
                self._bar.remove_task(task)
            self._bar.advance(self._documents)

    def _move(self, document: str, pages: float, share: float, component: str) -> None:
        self._done[document] = self._done.get(document, 0.0) + pages
        done = (self._done[document] + min(share, 1.0)) / self._pages[document]
        label = f"{document}  {component}" if component else document
        self._bar.update(self._tasks[document], completed=min(done, 1.0), description=label)

    def _start(self, documents: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        label = "reading" if documents == 1 else f"{documents} inputs"
        self._documents = self._bar.add_task(label, total=documents, visible=documents > 1)


def _download_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _lines(document: DocumentReport) -> list[str]:
    """One line for a failed or skipped document, one for each failed page of a partial one."""
    if document.error:
        text = error_line(document.error)
        text = text.removeprefix(f"{one_line(document.name)}: ")
        return [f"{document.status}: {document.name}: {text}"]
    if document.status == "skipped":
        return [f"skipped: {document.name}: its output is there already"]
    if document.status != "partial":
        return []
    failed = [page for page in document.pages if page.error]
    lines = [f"partial: {document.name}: {len(failed)} of {len(document.pages)} pages failed"]
    lines += [f"  page {page.index + 1}: {error_line(page.error or {})}" for page in failed]
    return lines + [f"  {text}" for text in document.missing]
