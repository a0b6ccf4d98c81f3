"""The typed protocols components implement. A component is made with its options:
``Component(options)``; with none declared, ``Component()``. It may have ``close()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import attrs

from .context import Context, Message
from .limits import Limits
from .page import Document, Page, PageInfo
from .score import Artifact, Score


@runtime_checkable
class Loader(Protocol):
    """Turns a document into pages, one at a time."""

    def inspect(self, document: Document, ctx: Context) -> tuple[PageInfo, ...]:
        """List the pages without decoding them.

        Raises:
            InputError: The document is broken, encrypted or empty.
            LimitExceeded: It has too many pages.
        """
        ...

    def load(self, document: Document, index: int, ctx: Context) -> Page:
        """Decode one page into ``ctx.workspace``, upright and at full quality.

        Raises:
            InputError: The page cannot be decoded.
            LimitExceeded: It has too many pixels (checked before decoding).
        """
        ...


@runtime_checkable
class ScoreLoader(Protocol):
    """Reads a document that is a score already (a loader whose spec ``gives="score"``)."""

    def read(self, document: Document, ctx: Context) -> Score:
        """Give the score as MusicXML 4.0 partwise.

        Raises:
            InputError: The document is not a readable score.
        """
        ...


@runtime_checkable
class Preprocessor(Protocol):
    """Changes the picture of a page."""

    def process(self, page: Page, ctx: Context) -> Page:
        """Give a new page; write its picture into ``ctx.workspace``, never change the input.

        Make the result with :func:`ensemble_core.imaging.derive`, which keeps the affine
        map to the source and the history right.
        """
        ...


@runtime_checkable
class Recognizer(Protocol):
    """Reads the music on a page."""

    def recognize(self, page: Page, ctx: Context) -> Score:
        """Read one page.

        Raises:
            RecognitionError: There is no music on it, or it cannot be read.
        """
        ...


@runtime_checkable
class Exporter(Protocol):
    """Turns a score into files."""

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one or more files into ``ctx.workspace``."""
        ...


@attrs.frozen
class Task:
    """A piece of work as plain data, so that it can be done in another process.

    Attributes:
        id: Unique in the run.
        function: ``"package.module:function"``, called with ``(payload, context)``;
            gives plain JSON data.
        payload: Plain JSON data.
        workspace: Private folder of the task; exists already.
        deadline: Seconds it may take; None: as long as it likes.
        max_memory: Bytes it may take; None: no limit.
        threads: Threads it may use.
        retries: How often to try again when its *process dies* (not when it raises).
        limits: For the task's :class:`Context`.
        page: 0-based page, for the task's :class:`Context`.
        files: What it reads, by the paths that ``payload`` names. One that ends in
            ``.json`` may name others of them. An executor whose workers do not see
            this machine's files sends them along, and brings back the files in
            ``workspace`` that the result names.
    """

    id: str
    function: str
    payload: Mapping[str, Any]
    workspace: Path
    deadline: float | None = None
    max_memory: int | None = None
    threads: int = 1
    retries: int = 1
    limits: Limits = attrs.field(factory=Limits)
    page: int | None = None
    files: tuple[Path, ...] = ()


TaskFunction = Callable[[Mapping[str, Any], Context], Any]


@runtime_checkable
class Executor(Protocol):
    """Runs tasks. Made with its options, opened once per run, closed at its end.

    One that has more hands than this machine has cores may have, once open, an attribute
    ``slots``: how many tasks it can do at a time. So many inputs are then worked on,
    unless the user said how many.
    """

    def open(self, jobs: int, on_message: Callable[[str, Message], None]) -> None:
        """Get ready to run ``jobs`` tasks at a time.

        ``on_message(task_id, message)`` is called, from any thread, for what a task
        sends while it runs.

        Raises:
            ExecutorFailed: It cannot do any work.
        """
        ...

    def submit(self, task: Task) -> Future[Any]:
        """Queue a task. The future gives what the function gave, or raises an
        :class:`~ensemble_core.model.EnsembleError`: ``DeadlineExceeded`` when it was
        killed for time, ``LimitExceeded`` for memory, ``WorkerCrashed`` when its process
        died twice, ``Cancelled`` after :meth:`cancel`, ``ExecutorFailed`` when no other
        task has a chance either, else what the function raised.
        """
        ...

    def cancel(self) -> None:
        """Stop everything now: ask, then terminate, then kill whole process trees (2 s)."""
        ...

    def close(self) -> None:
        """Let go of all resources; nothing is left running."""
        ...
