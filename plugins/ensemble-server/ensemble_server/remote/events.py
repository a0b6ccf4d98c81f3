"""A job's events as the events of a conversion here, for the same progress bar and lines."""

from __future__ import annotations

import time
from typing import Any

import attrs

from ensemble_core.model import (
    Diagnostic,
    DiagnosticRaised,
    DocumentReport,
    DocumentStarted,
    Event,
    PageDone,
    PageReport,
    Progress,
    StageStarted,
)
from ensemble_core.pipeline.wire import unpack

from ..client import Event as JobEvent
from ..client import Job
from ..client.errors import conversion_error

RUN = "remote"
_STATUS = {"done": "ok", "partial": "partial", "failed": "failed", "cancelled": "cancelled"}


def translated(event: JobEvent, document: str) -> Event | None:
    """The core's event for a job's, or None."""
    common: dict[str, Any] = {"run": RUN, "time": time.monotonic(), "document": document}
    data = dict(event.data)
    page = data["page"] - 1 if data.get("page") else None
    if event.kind == "page":
        return PageDone(
            page=data["number"] - 1, status=data["status"],
            seconds=float(data.get("seconds", 0.0)), **common,
        )  # fmt: skip
    if event.kind == "diagnostic":
        return DiagnosticRaised(diagnostic=finding(data), **common)
    if event.kind != "progress":
        return None
    if data.get("stage") == "started":
        return DocumentStarted(pages=int(data.get("pages") or 1), **common)
    if data.get("stage") == "progress":
        return Progress(
            component=str(data.get("component", "")), done=float(data.get("done", 0)),
            total=float(data.get("total", 0)), unit=str(data.get("unit", "")), page=page, **common,
        )  # fmt: skip
    if data.get("stage"):
        return StageStarted(
            kind=str(data["stage"]), component=str(data.get("component", "")), page=page, **common
        )
    return None


def finding(data: dict[str, Any]) -> Diagnostic:
    """A diagnostic out of an answer; there pages are counted from 1."""
    known = {field.name for field in attrs.fields(Diagnostic)}
    fields = {key: value for key, value in data.items() if key in known}
    if fields.get("page") is not None:
        fields["page"] -= 1
    return Diagnostic(**fields)


def report_of(job: Job, name: str, told: dict[str, Any] | None, seconds: float) -> DocumentReport:
    """What became of a document, as the core reports it.

    Args:
        job: The ended job.
        name: What the document is called here.
        told: The report the service made, if there is one.
        seconds: How long it took from here.
    """
    status = _STATUS[job.state]
    if told and told.get("documents"):
        report: DocumentReport = unpack(told["documents"][0], DocumentReport)
        return attrs.evolve(report, name=name, outputs=(), seconds=round(seconds, 3))
    error = conversion_error(job.error, job.state) if status in {"failed", "cancelled"} else None
    return DocumentReport(
        name=name,
        status=status,
        pages=tuple(
            PageReport(int(page["number"]) - 1, str(page["status"]), job.cached)
            for page in job.pages
        ),
        diagnostics=tuple(finding(found) for found in job.data.get("diagnostics", ())),
        error=error.to_payload() if error else None,
        exit_code=int(error.exit_code) if error else 0,
        seconds=round(seconds, 3),
    )
