"""The JSON of the API, for the OpenAPI document and for whoever reads the answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import inspect

from ..records.tables import Job, JobEvent, JobFile

_AS_THEY_ARE = (
    "id", "name", "state", "priority", "cached", "cancel_requested", "attempt", "deadline",
    "options", "page_count", "progress", "error",
)  # fmt: skip
_TIMES = ("created", "started", "finished", "expires")

State = Literal["queued", "running", "done", "partial", "failed", "cancelled"]


class ProblemOut(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; what programs should look at")
    request_id: str


class FileOut(BaseModel):
    """A file of a job."""

    name: str
    kind: Literal["input", "output", "preview"]
    media_type: str
    size: int
    sha256: str
    url: str


class PageOut(BaseModel):
    """A page of the job's document."""

    number: int = Field(description="Counted from 1")
    status: str
    seconds: float = 0.0
    measures: int | None = None
    confidence: float | None = Field(default=None, description="Mean over its symbols, 0 to 1")


class ErrorOut(BaseModel):
    """Why a job failed."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    hint: str = ""
    component: str = ""


class JobOut(BaseModel):
    """A conversion."""

    id: str
    name: str
    state: State
    priority: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None
    cached: bool = Field(description="Whether the result was taken from an earlier job")
    cancel_requested: bool
    attempt: int
    deadline: float
    options: dict[str, Any]
    page_count: int | None
    pages: list[PageOut]
    confidence: float | None = Field(description="Mean over the pages, 0 to 1")
    progress: dict[str, Any] | None
    error: ErrorOut | None
    files: list[FileOut] = Field(description="In lists: left out")
    diagnostics: list[dict[str, Any]]
    versions: dict[str, str] = Field(description="Of what took part")
    url: str


class JobsOut(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="Pass it as `cursor` for the next page")


class EventOut(BaseModel):
    """Something that happened to a job."""

    number: int | None
    kind: str
    data: dict[str, Any]


def job_json(job: Job, files: Sequence[JobFile] = ()) -> dict[str, Any]:
    """A job as JSON data."""
    row = inspect(job).dict.get  # what is loaded or set; None otherwise
    report: dict[str, Any] = row("report") or {}
    pages: list[dict[str, Any]] = row("pages") or []
    sure = [page["confidence"] for page in pages if page.get("confidence") is not None]
    return {
        **{name: row(name) for name in _AS_THEY_ARE},
        **{name: _time(row(name)) for name in _TIMES},
        "pages": pages,
        "confidence": round(sum(sure) / len(sure), 4) if sure else None,
        "files": [file_json(each) for each in files],
        "diagnostics": [_from_one(found) for found in report.get("diagnostics", ())],
        "versions": report.get("versions", {}),
        "url": f"/v1/jobs/{row('id')}",
    }


class JobAnswer(JSONResponse):
    """Jobs as an answer, written by pydantic: there are many of them, and long lists."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return to_json(content)


def file_json(file: JobFile) -> dict[str, Any]:
    """A file as JSON data."""
    from urllib.parse import quote

    return {
        "name": file.name,
        "kind": file.kind,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
        "url": f"/v1/jobs/{file.job_id}/artifacts/{quote(file.name, safe='')}"
        + ("?kind=input" if file.kind == "input" else ""),
    }


def event_json(event: JobEvent) -> dict[str, Any]:
    """An event as JSON data."""
    return {"number": event.number, "kind": event.kind, "data": event.data}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _from_one(found: dict[str, Any]) -> dict[str, Any]:
    """A diagnostic whose page is counted from 1, as everywhere in the API."""
    page = found.get("page")
    return {**found, "page": page + 1 if page is not None else None}
