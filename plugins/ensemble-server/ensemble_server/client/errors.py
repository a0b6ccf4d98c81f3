"""What goes wrong between a client and the service, as exceptions with exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ensemble_core.model import (
    Cancelled,
    ConfigError,
    DeadlineExceeded,
    EnsembleError,
    ExitCode,
    InputError,
    LimitExceeded,
    MissingError,
    OutputError,
    RecognitionError,
    WorkerCrashed,
)


class ApiError(EnsembleError):
    """The service did not do what it was asked.

    Attributes:
        status: HTTP status; 0 if there was no answer.
        code: The problem's stable code.
        request_id: What the operator finds the request by in the log.
        problem: The whole answer.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        component: str = "",
        code: str = "",
        status: int = 0,
        request_id: str = "",
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, component=component, code=code)
        self.status = status
        self.request_id = request_id
        self.problem = dict(problem or {})


class Denied(ApiError):
    """401 or 403: no key, a wrong one, or one that may not do this."""

    exit_code = ExitCode.USAGE
    default_code = "auth-required"


class NotFound(ApiError):
    """404: there is no such job or file, or it is not yours."""

    exit_code = ExitCode.INPUT
    default_code = "not-found"


class Conflict(ApiError):
    """409: not in this state, or an idempotency key that was used for something else."""

    exit_code = ExitCode.USAGE
    default_code = "conflict"


class TooLarge(ApiError):
    """413: a file, a request, or the number of files is above the service's limit."""

    exit_code = ExitCode.LIMIT
    default_code = "file-too-large"


class UnsupportedFile(ApiError):
    """415: the service has no loader for such a file."""

    exit_code = ExitCode.INPUT
    default_code = "input-unsupported"


class Rejected(ApiError):
    """400 or 422: the request or its options are wrong."""

    exit_code = ExitCode.USAGE
    default_code = "invalid-request"


class Busy(ApiError):
    """429 or 503, still, after all patience.

    Attributes:
        retry_after: Seconds after which to try again, as far as the service said.
    """

    exit_code = ExitCode.LIMIT
    default_code = "too-many-requests"
    retry_after: float | None = None


class ServerFault(ApiError):
    """5xx: something went wrong on the service's side."""

    exit_code = ExitCode.INTERNAL
    default_code = "internal-error"


class Unreachable(ApiError):
    """No answer: no connection, a broken one, or silence."""

    exit_code = ExitCode.MISSING
    default_code = "server-unreachable"


class JobFailed(ApiError):
    """A job ended without a result; ``cause_error`` is what the conversion said.

    Attributes:
        cause_error: The error as if it had been raised here.
    """

    exit_code = ExitCode.RECOGNITION
    default_code = "recognition-failed"

    def __init__(self, job_id: str, error: Mapping[str, Any] | None, state: str) -> None:
        self.cause_error = conversion_error(error, state)
        super().__init__(
            self.cause_error.message, hint=self.cause_error.hint,
            component=self.cause_error.component, code=self.cause_error.code,
        )  # fmt: skip
        self.job_id = job_id


_BY_STATUS: dict[int, type[ApiError]] = {
    400: Rejected,
    401: Denied,
    403: Denied,
    404: NotFound,
    405: Rejected,
    409: Conflict,
    413: TooLarge,
    415: UnsupportedFile,
    422: Rejected,
    429: Busy,
    503: Busy,
}

_CODES: Mapping[str, type[EnsembleError]] = {
    cls.default_code: cls
    for cls in (
        Cancelled, ConfigError, DeadlineExceeded, InputError, LimitExceeded, MissingError,
        OutputError, RecognitionError, WorkerCrashed,
    )
} | {"input-unsupported": InputError}  # fmt: skip


def of_answer(status: int, body: Any, request_id: str = "") -> ApiError:
    """The exception for an answer of 400 or more."""
    problem = body if isinstance(body, Mapping) else {}
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else ApiError)
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
    return kind(
        detail, code=str(problem.get("code") or ""), status=status,
        request_id=str(problem.get("request_id") or request_id), problem=problem,
    )  # fmt: skip


def conversion_error(error: Mapping[str, Any] | None, state: str) -> EnsembleError:
    """A job's error as the exception it was on the other machine."""
    told = error or {"code": "cancelled", "message": "cancelled"} if state == "cancelled" else error
    told = told or {"code": "recognition-failed", "message": f"the job is {state}"}
    code = str(told.get("code", ""))
    kind = _CODES.get(code, MissingError if code.endswith("-missing") else RecognitionError)
    return kind(
        str(told.get("message", "")), hint=str(told.get("hint", "")),
        component=str(told.get("component", "")), code=code,
    )  # fmt: skip
