"""The files of a job: single ones, with ranges and ETags, or all in one zip."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from ..auth.principal import Reader
from ..jobs.names import stem_of
from ..records.tables import Job, JobFile
from ..service import Service
from .errors import Problem
from .jobs import JobId, problems, service_of

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()\[\]-]")


@router.get(
    "/{job_id}/artifacts/{name}",
    response_class=Response,
    responses={
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
        206: {"description": "The part asked for", "content": {"application/octet-stream": {}}},
        304: {"description": "It has not changed"},
        **problems(401, 403, 404, 416, 429),
    },
)
def get_artifact(
    request: Request,
    user: Reader,
    job_id: JobId,
    name: Annotated[str, Path(min_length=1, max_length=255)],
    kind: Annotated[Literal["input", "output", "preview"] | None, Query()] = None,
) -> Response:
    """A file of the job, as a download."""
    service = service_of(request)
    return serve(request, service, service.file(user.user_id, job_id, name, kind))


@router.get(
    "/{job_id}/package",
    response_class=Response,
    responses={
        200: {"description": "A zip", "content": {"application/zip": {}}},
        **problems(401, 403, 404, 409, 429),
    },
)
def get_package(request: Request, user: Reader, job_id: JobId) -> Response:
    """All results and the report, in one zip."""
    service = service_of(request)
    job = service.get(user.user_id, job_id)
    files = [each for each in service.files(user.user_id, job_id) if each.kind == "output"]
    if not files:
        raise Problem(409, "no-results", "This job has no results (yet).")
    headers = download_headers(f"{stem_of(job.name)}.zip")
    content = _zip(service, job, files)
    return StreamingResponse(content, headers=headers, media_type="application/zip")


def serve(request: Request, service: Service, file: JobFile, *, inline: bool = False) -> Response:
    """A file as an answer: whole, a range of it, or word that it has not changed.

    Raises:
        Problem: 404 if it is gone; 416 for a range outside it.
    """
    tag = f'"{file.sha256}"'
    headers = download_headers(file.name, inline=inline)
    headers |= {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range", "")
    if asked and request.headers.get("if-range", tag) == tag:
        bounds = _bounds(asked, file.size)
        if bounds is not None:
            start, end = bounds
            headers |= {
                "Content-Range": f"bytes {start}-{end - 1}/{file.size}",
                "Content-Length": str(end - start),
            }
            pieces = service.read(file, start, end - start)
            return StreamingResponse(pieces, 206, headers, media_type=file.media_type)
    headers["Content-Length"] = str(file.size)
    return StreamingResponse(service.read(file), 200, headers, media_type=file.media_type)


def download_headers(name: str, *, inline: bool = False) -> dict[str, str]:
    """What keeps a browser from taking a file for a page of ours."""
    plain = _UNSAFE.sub("_", name)
    kind, encoded = "inline" if inline else "attachment", quote(name, safe="")
    return {
        "Content-Disposition": f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }


def _bounds(text: str, size: int) -> tuple[int, int] | None:
    """Start and end of the one range asked for; None to answer with everything."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if len(first) > 18 or len(last) > 18:
        first, last = "9" * 18, ""
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size:
        raise Problem(
            416, "range-not-satisfiable", f"The file has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )  # fmt: skip
    return start, end


class _Sink(io.RawIOBase):
    """What a zip is written to; gives out what was written since."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _zip(service: Service, job: Job, files: Iterable[JobFile]) -> Iterator[bytes]:
    """A zip in pieces, never whole in memory."""
    moment = (job.finished or job.created).timetuple()[:6]
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            info = zipfile.ZipInfo(each.name, moment)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as entry:
                for piece in service.read(each):
                    entry.write(piece)
                    yield sink.take()
            yield sink.take()
    yield sink.take()
