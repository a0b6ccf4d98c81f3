"""The one stream every observer reads: progress bars, logs, reports, web pages."""

from __future__ import annotations

import attrs

from .diagnostic import Diagnostic

Status = str
"""``ok``, ``partial``, ``skipped``, ``failed`` or ``cancelled``."""


@attrs.frozen(kw_only=True)
class Event:
    """Common to all events.

    Attributes:
        run: Id of the run.
        time: ``time.monotonic()`` when it happened, in the parent process.
        document: Name of the document it is about; empty for the run itself.
    """

    run: str
    time: float
    document: str = ""


@attrs.frozen(kw_only=True)
class RunStarted(Event):
    """A run begins with ``documents`` documents."""

    documents: int


@attrs.frozen(kw_only=True)
class DocumentStarted(Event):
    """Work on a document begins; it has ``pages`` pages to read."""

    pages: int


@attrs.frozen(kw_only=True)
class StageStarted(Event):
    """A component begins: ``kind`` is its kind, ``page`` the 0-based page or None."""

    kind: str
    component: str
    page: int | None = None


@attrs.frozen(kw_only=True)
class Progress(Event):
    """A component is ``done`` of ``total`` ``unit`` s along."""

    component: str
    done: float
    total: float
    unit: str = ""
    page: int | None = None


@attrs.frozen(kw_only=True)
class DiagnosticRaised(Event):
    """Something the user may want to know."""

    diagnostic: Diagnostic


@attrs.frozen(kw_only=True)
class PageDone(Event):
    """A page is finished: ``status``, whether it came from the cache, how long it took."""

    page: int
    status: Status
    cached: bool = False
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class ArtifactWritten(Event):
    """A file stands in its final place."""

    path: str
    media_type: str


@attrs.frozen(kw_only=True)
class DocumentDone(Event):
    """A document is finished."""

    status: Status
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class RunDone(Event):
    """The run is over; ``exit_code`` is what a command would end with."""

    exit_code: int
    seconds: float = 0.0
