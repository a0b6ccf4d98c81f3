"""The API of the product this began as: ``/api/sheet-to-digital/…``.

Its clients send one picture as base64 in JSON, ask for the status until it is done, and fetch
MusicXML and MIDI. Everything is a job like any other: ids are those of ``/v1/jobs``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from ensemble_core.model import EnsembleError, ExporterSpec

from ..auth.principal import Reader, Visitor
from ..jobs.asked import Asked
from ..jobs.ending import ENDS
from ..limiting.rates import JobSender
from ..records.tables import Job, JobFile
from ..service import Service
from ..service.intake import Wish, too_large
from .artifacts import serve
from .errors import Problem
from .health import looked
from .jobs import JobId, service_of
from .legacy_errors import PREFIX, LegacyProblem, legacy_answer

log = structlog.get_logger(__name__)

ENHANCERS = ("enhance",)
"""What ``enhance_image`` means, where it is installed."""

STATES = {
    "queued": "pending",
    "running": "processing",
    "done": "completed",
    "partial": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
FORMATS = {"xml": "musicxml", "mid": "midi"}
"""Other names of formats."""

_DATA_URL = re.compile(r"data:[\w.+/-]*(?:;[\w=.-]+)*;base64,", re.ASCII)
_AROUND = 64 * 1024
"""Bytes of a request beside its base64."""


class ConvertOptions(BaseModel):
    """What may be asked for; what is unknown is left alone."""

    model_config = ConfigDict(strict=True)

    convert_to_midi: bool = Field(default=False, description="Make MIDI as well as MusicXML")
    enhance_image: bool = Field(default=False, description="Make it brighter and crisper first")
    timeout: int | float | None = Field(
        default=None, gt=0, le=86_400, allow_inf_nan=False, description="Seconds it may take"
    )


class ConvertRequest(BaseModel):
    """One picture or PDF."""

    model_config = ConfigDict(strict=True)

    image: str | None = Field(default=None, description="Base64, or a data: URL")
    file: str | None = Field(default=None, description="The same, for those who send this")
    filename: str = Field(default="", max_length=1000)
    options: ConvertOptions = ConvertOptions()


class ErrorBody(BaseModel):
    """The inside of an error."""

    code: str
    message: str


class LegacyError(BaseModel):
    """Every error of this API."""

    success: Literal[False]
    error: ErrorBody


class Accepted(BaseModel):
    """A job was made."""

    success: Literal[True]
    job_id: str
    status: str


class _Route(APIRoute):
    """Tells every error in the old words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                return legacy_answer(problem)
            except EnsembleError as error:
                return legacy_answer(Problem.of(error))
            except RequestValidationError as error:
                return legacy_answer(Problem(400, "invalid-request", _first(error.errors())))
            except HTTPException as error:
                return legacy_answer(Problem(error.status_code, "", str(error.detail)))
            except Exception:
                log.exception("request.failed", path=request.url.path, method=request.method)
                text = "Something went wrong on our side."
                return legacy_answer(Problem(500, "internal-error", text))

        return handled


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {each: {"model": LegacyError, "description": "Error"} for each in statuses}


def _request_schema() -> dict[str, Any]:
    """In one piece: what is beside a schema cannot be referred to from the middle of a document."""
    schema = ConvertRequest.model_json_schema()
    schema["properties"]["options"] = schema.pop("$defs")["ConvertOptions"]
    return schema


router = APIRouter(tags=["sheet-to-digital"], route_class=_Route)


@router.post(
    f"{PREFIX}/convert",
    status_code=202,
    response_model=Accepted,
    responses=_problems(400, 401, 403, 413, 415, 429),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _request_schema()}},
        }
    },
)
async def convert(request: Request, user: JobSender) -> Response:
    """Send a picture or a PDF as base64."""
    service = service_of(request)
    body = await _body(request, service)
    job = await run_in_threadpool(_submit, service, user.user_id, body)
    told = {"success": True, "job_id": job.id, "status": STATES[job.state]}
    return JSONResponse(told, 202, headers={"Location": f"{PREFIX}/status/{job.id}"})


@router.get(
    f"{PREFIX}/status/{{job_id}}",
    response_model=dict[str, Any],
    responses=_problems(400, 401, 403, 404, 429),
)
def status(request: Request, user: Reader, job_id: JobId) -> Response:
    """How a job is: pending, processing, completed, failed or cancelled."""
    service = service_of(request)
    job = service.get(user.user_id, job_id)
    made = service.files_of([job_id]).get(job_id, []) if job.state in ENDS else []
    return JSONResponse(_status(service, job, made))


@router.get(
    f"{PREFIX}/download/{{job_id}}/{{format}}",
    response_class=Response,
    responses={
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
        **_problems(400, 401, 403, 404, 415, 429, 500),
    },
)
def download(
    request: Request,
    user: Reader,
    job_id: JobId,
    format: Annotated[str, Path(max_length=40)],
) -> Response:
    """A result of a job that is completed: `musicxml`, `midi`."""
    service = service_of(request)
    job = service.get(user.user_id, job_id)
    suffixes = _suffixes(service)
    suffix = suffixes.get(FORMATS.get(format.lower(), format.lower()))
    if suffix is None:
        known = ", ".join(sorted(suffixes))
        raise Problem(415, "", f"There is no format {format!r}; there are: {known}.")
    if job.state in {"failed", "cancelled"}:
        raise _failure(job)
    if job.state not in ENDS:
        raise Problem(400, "", f"The job is {STATES[job.state]}; ask for its status first.")
    for file in service.files_of([job_id]).get(job_id, []):
        if file.kind == "output" and file.name.endswith(suffix):
            return serve(request, service, file)
    raise Problem(415, "", f"The job was not asked for {format}.")


@router.get(f"{PREFIX}/formats", response_model=dict[str, Any], responses=_problems(401, 429))
def formats(request: Request, user: Visitor) -> Response:
    """What is read and what is made."""
    service = service_of(request)
    good, _ = service.registry.usable("exporter")
    made = [
        {
            "format": each.spec.name,
            "extension": each.spec.suffix,
            "mime_type": each.spec.media_type,
            "description": each.spec.summary,
        }
        for each in sorted(good, key=lambda each: each.spec.name)
        if isinstance(each.spec, ExporterSpec) and each.spec.name in ("musicxml", "midi")
    ]
    return JSONResponse(
        {
            "success": True,
            "input_formats": sorted(service.accepts),
            "output_formats": made,
            "max_file_size": service.settings.limits.file_bytes,
        }
    )


@router.get("/health", response_model=dict[str, Any], responses={503: {"description": "Not well"}})
@router.get(
    f"{PREFIX}/health", response_model=dict[str, Any], responses={503: {"description": "Not well"}}
)
def health(request: Request) -> Response:
    """Whether the service can do its work."""
    from ensemble_core import __version__

    found = looked(request, service_of(request))
    fine = found["status"] == "ok"
    body = {
        "success": fine,
        "status": "healthy" if fine else "unhealthy",
        "version": __version__,
        "checks": {name: each["status"] for name, each in found["checks"].items()},
    }
    return JSONResponse(body, 200 if fine else 503)


async def _body(request: Request, service: Service) -> ConvertRequest:
    """The request, read no further than its limit.

    Raises:
        Problem: 413 if it is too large, 400 if it is not what it must be.
    """
    most = service.settings.limits.file_bytes * 4 // 3 + _AROUND
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > most:
        raise too_large(service.settings.limits.file_bytes)
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise too_large(service.settings.limits.file_bytes)
    try:
        return await run_in_threadpool(_parsed, data)
    except ValidationError as error:
        raise Problem(400, "invalid-request", _first(error.errors())) from None


def _parsed(data: bytearray) -> ConvertRequest:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Problem(400, "invalid-request", "The request is not JSON.") from None
    return ConvertRequest.model_validate(found)


def _submit(service: Service, user_id: str, body: ConvertRequest) -> Job:
    content = _decoded(body.image if body.image is not None else body.file)
    export = ["musicxml", "midi"] if body.options.convert_to_midi else ["musicxml"]
    steps = None
    if body.options.enhance_image:
        there = {each.name for each in service.registry.of_kind("preprocessor")}
        steps = [name for name in ENHANCERS if name in there]
    asked = Asked.parse({"export": export, "preprocess": steps})
    wish = Wish(asked, deadline=body.options.timeout)
    job, _ = service.submit(user_id, [(body.filename or "sheet", content)], wish)
    return job


def _decoded(text: str | None) -> bytes:
    """The content of the file.

    Raises:
        Problem: 400 if there is none, or it is no base64.
    """
    if not text:
        raise Problem(400, "invalid-request", "Send the picture as base64 in `image`.")
    found = _DATA_URL.match(text[:200])
    encoded = text[found.end() :] if found else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, "invalid-request", "image: is not base64") from None


def _status(service: Service, job: Job, made: list[JobFile]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "success": True,
        "job_id": job.id,
        "status": STATES[job.state],
        "progress": _percent(job),
        "created_at": job.created.isoformat(),
        "completed_at": job.finished.isoformat() if job.finished else None,
    }
    if job.state in {"done", "partial"}:
        names = [file.name for file in made if file.kind == "output"]
        told["downloads"] = {
            name: f"{PREFIX}/download/{job.id}/{name}"
            for name, suffix in sorted(_suffixes(service).items())
            if any(each.endswith(suffix) for each in names)
        }
        told["partial"] = job.state == "partial"
    elif job.state == "failed":
        failure = _failure(job)
        told["error"] = {"code": failure.code, "message": failure.detail}
    return told


def _percent(job: Job) -> int:
    """How far a job is, 0 to 100."""
    if job.state in ENDS:
        return 100
    pages = len(job.pages or ())
    share = float((job.progress or {}).get("share") or 0.0)
    whole = max(1, job.page_count or 1)
    return int(max(0.0, min(99.0, 100.0 * (pages + min(1.0, share)) / whole)))


def _failure(job: Job) -> LegacyProblem:
    """Why a job has no results, with the code the old API had for that."""
    if job.state == "cancelled":
        return LegacyProblem(500, "PROCESSING_FAILED", "The job was cancelled.")
    error = job.error or {}
    message = str(error.get("message") or "The conversion failed.")
    code = "PROCESSING_FAILED"
    if error.get("component") == "oemer":
        code = "OEMER_ERROR"
    elif error.get("code") == "internal-error":
        code = "INTERNAL_ERROR"
    return LegacyProblem(500, code, message)


def _suffixes(service: Service) -> dict[str, str]:
    """Of the files of each exporter, by its name."""
    good, _ = service.registry.usable("exporter")
    return {
        each.spec.name: each.spec.suffix for each in good if isinstance(each.spec, ExporterSpec)
    }


def _first(errors: Any) -> str:
    """The first thing that is wrong with a request, in one line."""
    found = errors[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}" if where else str(found["msg"])
