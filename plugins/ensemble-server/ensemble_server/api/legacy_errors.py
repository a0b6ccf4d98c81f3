"""Errors as the product this began as told them: ``{"success": false, "error": …}``."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from .errors import Problem

PREFIX = "/api/sheet-to-digital"

_CODES = {
    401: "AUTH_FAILED",
    403: "AUTH_FAILED",
    404: "JOB_NOT_FOUND",
    413: "FILE_TOO_LARGE",
    415: "UNSUPPORTED_FORMAT",
    429: "RATE_LIMITED",
}


class LegacyProblem(Problem):
    """A problem whose code is one of the old ones already."""


def told(problem: Problem) -> tuple[int, str]:
    """Status and code the old API had for a problem."""
    if isinstance(problem, LegacyProblem):
        return problem.status, problem.code
    if problem.code == "auth-required":
        return 401, "AUTH_REQUIRED"
    if problem.status in _CODES:
        return problem.status, _CODES[problem.status]
    if problem.status >= 500:
        return problem.status, "INTERNAL_ERROR"
    return 400, "INVALID_REQUEST"


def legacy_answer(problem: Problem) -> JSONResponse:
    """The problem as an answer of the old API."""
    status, code = told(problem)
    body = {
        "success": False,
        "error": {"code": code, "message": problem.detail or problem.title},
    }
    return JSONResponse(body, status, headers=problem.headers)
