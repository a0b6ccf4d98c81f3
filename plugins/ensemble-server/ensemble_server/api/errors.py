"""Errors as problem+json (RFC 9457), each with a stable code and the id of the request."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ensemble_core.model import EnsembleError, ExitCode

from ..storage import is_away

log = structlog.get_logger(__name__)

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_STATUS = {
    ExitCode.USAGE: 422,
    ExitCode.INPUT: 422,
    ExitCode.MISSING: 422,
    ExitCode.LIMIT: 413,
    ExitCode.DEADLINE: 422,
    ExitCode.RECOGNITION: 422,
}
_BY_CODE = {"input-unsupported": 415, "config-invalid": 422}


class Problem(Exception):
    """An error a client is told of.

    Args:
        status: HTTP status.
        code: Stable slug, by which programs tell errors apart.
        detail: One sentence: what is wrong with this request, and what to do.
        title: What kind of problem it is; the status's own phrase by default.
        headers: Further headers (``Retry-After``, ``WWW-Authenticate`` …).
        extra: Further members of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        title: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or title or code)
        self.status = status
        self.code = code
        self.title = title or _phrase(status)
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def of(cls, error: EnsembleError) -> Problem:
        """The core's error, with its code, message and hint."""
        status = _BY_CODE.get(error.code) or _STATUS.get(error.exit_code, 500)
        detail = f"{error.message} ({error.hint})" if error.hint else error.message
        return cls(status, error.code, detail)


def not_found(what: str = "job") -> Problem:
    """The one answer for what is not there and what belongs to somebody else."""
    return Problem(404, f"{what}-not-found", f"There is no such {what}.")


def answer(problem: Problem, request_id: str) -> JSONResponse:
    """The problem as an HTTP answer."""
    body = {
        **problem.extra,
        "type": f"urn:ensemble:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    return JSONResponse(
        body, problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def request_id(request: Request) -> str:
    """The id of a request; made by :class:`RequestIds`."""
    return str(request.scope.get("request_id", ""))


class RequestIds:
    """Gives each request an id (the proxy's, if it sends a sensible one) and answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI; besides, an error nobody foresaw becomes a 500 with the id in it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        ident = given if _SAFE_ID.fullmatch(given) else secrets.token_urlsafe(12)
        scope["request_id"] = ident
        begun = False

        async def named(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", ident.encode()),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=ident):
            try:
                await self.app(scope, receive, named)
            except Exception as error:
                problem = _unforeseen(error)
                tell = log.exception if problem is _INTERNAL else log.error
                tell(
                    "request.failed", path=scope["path"], method=scope.get("method", ""),
                    error=type(error).__name__,
                )  # fmt: skip
                if begun or scope["type"] == "websocket":
                    raise
                await answer(problem, ident)(scope, receive, named)


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error as problem+json."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> JSONResponse:
        return answer(error, request_id(request))

    @app.exception_handler(EnsembleError)
    def _ensemble(request: Request, error: EnsembleError) -> JSONResponse:
        problem = Problem.of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request.failed", error=str(error), details=error.details)
        return answer(problem, request_id(request))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"at": ".".join(str(part) for part in each["loc"]), "message": str(each["msg"])}
            for each in error.errors()
        ]
        detail = "; ".join(f"{each['at']}: {each['message']}" for each in found[:5])
        problem = Problem(422, "invalid-request", detail, extra={"errors": found})
        return answer(problem, request_id(request))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = _phrase(error.status_code).lower().replace(" ", "-")
        problem = Problem(error.status_code, code, str(error.detail), headers=error.headers)
        return answer(problem, request_id(request))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _unforeseen(error: Exception) -> Problem:
    """What a client is told of an error nobody handles."""
    return _AWAY if is_away(error) else _INTERNAL


_AWAY = Problem(
    503,
    "unavailable",
    "The database or the store cannot be reached at the moment; try again soon.",
    headers={"Retry-After": "5"},
)
_INTERNAL = Problem(
    500, "internal-error", "Something went wrong on our side; tell us the request id."
)
