"""The exception tree and the exit code each branch ends in.

Every error a user can cause is one of these. Its text is one line that says what is
wrong and where; ``hint`` says what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar

_UNSAYABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class ExitCode(IntEnum):
    """Exit codes of the ``ensemble`` command: stable, and documented in the reference."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    MISSING = 4
    RECOGNITION = 5
    OUTPUT = 6
    PARTIAL = 7
    DEADLINE = 8
    CONTRACT = 9
    LIMIT = 10
    CANCELLED = 130


class EnsembleError(Exception):
    """Root of all errors Ensemble raises on purpose.

    Args:
        message: One line: what is wrong, and where.
        hint: What the user can do about it; may be empty.
        component: Name of the component it happened in; may be empty.
        code: Stable slug of the cause; the class's own slug by default.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    default_code: ClassVar[str] = "internal-error"

    def __init__(
        self, message: str, *, hint: str = "", component: str = "", code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = one_line(message)
        self.hint = one_line(hint)
        self.component = component
        self.code = code or self.default_code
        self.details = ""
        """A traceback or the last output of another process, for ``--debug``."""

    def __str__(self) -> str:
        where = f"{self.component}: " if self.component else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"

    def to_payload(self) -> dict[str, str]:
        """The error as plain data, to cross a process boundary."""
        payload = {
            "type": type(self).__name__,
            "message": self.message,
            "hint": self.hint,
            "component": self.component,
            "code": self.code,
        }
        return {**payload, "details": self.details} if self.details else payload

    @staticmethod
    def from_payload(payload: Mapping[str, Any]) -> EnsembleError:
        """Rebuild what :meth:`to_payload` wrote; an unknown type becomes the root class."""
        kind = _by_name().get(str(payload.get("type")), EnsembleError)
        error = kind(
            str(payload.get("message", "")),
            hint=str(payload.get("hint", "")),
            component=str(payload.get("component", "")),
            code=str(payload.get("code", "")),
        )
        error.details = str(payload.get("details", ""))
        return error


class ConfigError(EnsembleError):
    """The configuration, an option or the command line is wrong."""

    exit_code = ExitCode.USAGE
    default_code = "config-invalid"


class InputError(EnsembleError):
    """The input cannot be read: missing, truncated, encrypted, not what it claims to be."""

    exit_code = ExitCode.INPUT
    default_code = "input-unreadable"


class UnsupportedInput(InputError):
    """No installed loader reads this kind of input."""

    default_code = "input-unsupported"


class MissingError(EnsembleError):
    """A plugin, an external tool or a model file that is needed is not there, or does not load."""

    exit_code = ExitCode.MISSING
    default_code = "plugin-missing"


class ExecutorFailed(EnsembleError):
    """The executor can do no work at all: its cluster is gone, or not set up as this machine is.

    It ends the run, and not only a page or a document.
    """

    exit_code = ExitCode.MISSING
    default_code = "executor-failed"


class RecognitionError(EnsembleError):
    """The recognizer found no music it could read, or failed while reading."""

    exit_code = ExitCode.RECOGNITION
    default_code = "recognition-failed"


class WorkerCrashed(RecognitionError):
    """The worker process died while it worked on a page."""

    default_code = "worker-crashed"


class OutputError(EnsembleError):
    """The output exists already, cannot be written, or two inputs would write it."""

    exit_code = ExitCode.OUTPUT
    default_code = "output-not-writable"


class DeadlineExceeded(EnsembleError):
    """The work did not end within its deadline and was stopped."""

    exit_code = ExitCode.DEADLINE
    default_code = "deadline-exceeded"


class ContractError(EnsembleError):
    """A plugin does not keep its contract: wrong hook, API version, name, or result."""

    exit_code = ExitCode.CONTRACT
    default_code = "contract-broken"


class LimitExceeded(EnsembleError):
    """The input is larger than a configured limit (pixels, pages, bytes, memory)."""

    exit_code = ExitCode.LIMIT
    default_code = "limit-exceeded"


class Cancelled(EnsembleError):
    """The user or the embedding program asked to stop."""

    exit_code = ExitCode.CANCELLED
    default_code = "cancelled"


def one_line(text: str) -> str:
    """Text fit for a terminal: file names may hold line breaks and escape codes."""
    return _UNSAYABLE.sub("\ufffd", " ".join(text.splitlines()))


def _by_name() -> dict[str, type[EnsembleError]]:
    found: dict[str, type[EnsembleError]] = {}
    waiting = [EnsembleError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting.extend(kind.__subclasses__())
    return found
