"""``/v1/jobs``: send, list, look, cancel, try again, delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from ..auth.principal import Reader, Writer
from ..jobs.asked import Asked
from ..limiting.rates import JobSender, job_sender
from ..service import Service
from ..service.intake import HIGHEST_PRIORITY, Wish
from .errors import Problem
from .multipart import receive
from .schemas import JobAnswer, JobOut, JobsOut, ProblemOut, State, job_json

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

JobId = Annotated[str, Path(min_length=1, max_length=64, description="Id of the job")]

_LONGEST_KEY = 200

PROBLEM: dict[str, Any] = {"application/problem+json": {"schema": ProblemOut.model_json_schema()}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors an endpoint may answer with, for the OpenAPI document."""
    return {status: {"description": "Problem", "content": PROBLEM} for status in statuses}


UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Pages in order; several files become one score",
                        },
                        "options": {
                            "type": "string",
                            "description": "JSON: `preprocess`, `recognizer`, `fallback`, "
                            "`export`, and `options` by component; see /v1/capabilities",
                        },
                        "name": {"type": "string", "maxLength": 180},
                        "priority": {"type": "integer", "minimum": -10, "maximum": 10},
                        "deadline": {"type": "number", "exclusiveMinimum": 0},
                    },
                }
            }
        },
    }
}


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


class _Upload(APIRoute):
    """:func:`submit`, given what it asks for in its signature by hand.

    To have FastAPI work that out takes more than a quarter of all that the event loop does for an
    upload, and uploads come in crowds.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""

        async def handle(request: Request) -> Response:
            user = await job_sender(request)
            key = request.headers.get("idempotency-key")
            if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
                raise Problem(
                    422, "invalid-request",
                    f"Idempotency-Key: should have 1 to {_LONGEST_KEY} characters",
                )  # fmt: skip
            return await submit(request, user, key)

        return handle


async def submit(
    request: Request,
    user: JobSender,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=_LONGEST_KEY)] = None,
) -> Response:
    """Put a job into the queue. The same `Idempotency-Key` with the same request gives the same
    job again (200); with another request it is refused (409).
    """
    service = service_of(request)

    def wish(fields: dict[str, str]) -> Wish:
        return read_wish(fields, idempotency_key)

    job, before = await receive(
        request, service.receive(user.user_id), wish, service.settings.limits.request_bytes
    )
    headers = {"Location": f"/v1/jobs/{job.id}"}
    if before:
        headers["Idempotent-Replayed"] = "true"
    return JobAnswer(job_json(job), 200 if before else 202, headers=headers)


router.add_api_route(
    "",
    submit,
    methods=["POST"],
    status_code=202,
    response_model=JobOut,
    openapi_extra=UPLOAD,
    responses=problems(400, 401, 403, 409, 413, 415, 422, 429),
    summary="Send files to be converted",
    route_class_override=_Upload,
)


@router.get("", response_model=JobsOut, responses=problems(401, 403, 422, 429))
def list_jobs(  # noqa: PLR0917 - one for each thing that can be asked
    request: Request,
    user: Reader,
    state: Annotated[list[State] | None, Query()] = None,
    name: Annotated[str, Query(max_length=180, description="Part of the name")] = "",
    after: Annotated[datetime | None, Query(description="Made at that time or later")] = None,
    before: Annotated[datetime | None, Query(description="Made before that time")] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """One's own jobs, newest first."""
    page = service_of(request).list(
        user.user_id, states=state or (), name=name, after=_zoned(after), before=_zoned(before),
        cursor=cursor, limit=limit,
    )  # fmt: skip
    return JobAnswer({"jobs": [job_json(job) for job in page.jobs], "next": page.next})


@router.get("/{job_id}", response_model=JobOut, responses=problems(401, 403, 404, 429))
def get_job(request: Request, user: Reader, job_id: JobId) -> Response:
    """State, pages, findings, files."""
    job, files = service_of(request).detail(user.user_id, job_id)
    return JobAnswer(job_json(job, files))


@router.post("/{job_id}/cancel", response_model=JobOut, responses=problems(401, 403, 404, 429))
def cancel_job(request: Request, user: Writer, job_id: JobId) -> Response:
    """Stop a job; one that has ended stays as it is."""
    return JobAnswer(job_json(service_of(request).cancel(user.user_id, job_id)))


@router.post(
    "/{job_id}/retry",
    status_code=202,
    response_model=JobOut,
    responses=problems(401, 403, 404, 409, 429),
)
def retry_job(request: Request, user: JobSender, job_id: JobId) -> Response:
    """Do an ended job again, with the same files and options."""
    return JobAnswer(job_json(service_of(request).retry(user.user_id, job_id)), 202)


@router.delete(
    "/{job_id}", status_code=204, response_class=Response, responses=problems(401, 403, 404, 429)
)
def delete_job(request: Request, user: Writer, job_id: JobId) -> Response:
    """Remove a job and all its files; work on it is stopped."""
    service_of(request).delete(user.user_id, job_id)
    return Response(status_code=204)


def read_wish(fields: dict[str, str], idempotency_key: str | None = None) -> Wish:
    """What the fields of an upload ask for.

    Raises:
        Problem: 422 if a field is unknown or no number where it should be one.
        ConfigError: The options are not laid out as they should be.
    """
    for name in fields:
        if name not in {"options", "name", "priority", "deadline", "csrf_token"}:
            raise Problem(422, "invalid-request", f"There is no field {name[:50]!r}.")
    try:
        options = json.loads(fields.get("options") or "{}")
    except (ValueError, RecursionError):
        raise Problem(422, "invalid-request", "options: is not JSON") from None
    deadline = _number(fields, "deadline", float)
    if deadline is not None and not 0 < deadline < float("inf"):
        raise Problem(422, "invalid-request", "deadline: must be more than 0")
    priority = _number(fields, "priority", int) or 0
    if abs(priority) > HIGHEST_PRIORITY:
        raise Problem(422, "invalid-request", "priority: is not within -10 and 10")
    return Wish(Asked.parse(options), fields.get("name", ""), priority, deadline, idempotency_key)


def _number(fields: dict[str, str], name: str, kind: type[Any]) -> Any:
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Problem(422, "invalid-request", f"{name}: is not a number") from None


def _zoned(moment: datetime | None) -> datetime | None:
    """A time without a zone is taken as UTC."""
    from datetime import timezone

    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=timezone.utc)
