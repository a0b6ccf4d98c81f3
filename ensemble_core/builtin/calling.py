"""Calling a task's function and putting into words what went wrong in it."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ensemble_core.model import Context, ContractError, EnsembleError, LimitExceeded

MORE_MEMORY = "raise limits.max-memory if you trust the input"

_NO_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate", "Insufficient memory")
"""How ONNX Runtime, OpenCV and C++ say that memory ran out."""


def call(function: str, payload: Mapping[str, Any], ctx: Context) -> Any:
    """Import ``"package.module:function"`` and call it with ``(payload, ctx)``.

    Raises:
        ContractError: There is no such function.
    """
    module, _, name = function.partition(":")
    found = getattr(import_module(module), name, None)
    if not callable(found):
        raise ContractError(f"{function}: there is no such function")
    return found(payload, ctx)


def as_error(error: BaseException) -> EnsembleError:
    """What a task raised, as one of our errors; the traceback goes into ``details``."""
    if isinstance(error, EnsembleError) and not _memory_ran_out(error):
        typed = error
    elif _memory_ran_out(error):
        typed = LimitExceeded(
            "ran out of memory",
            hint=MORE_MEMORY,
            component=getattr(error, "component", ""),
        )
    else:
        lines = str(error).strip().splitlines()
        said = f": {lines[0]}" if lines else ""
        typed = ContractError(f"raised {type(error).__name__}{said}")
    typed.details = typed.details or "".join(
        traceback.format_exception(type(error), error, error.__traceback__)
    )
    return typed


def _memory_ran_out(error: BaseException) -> bool:
    """Whether ``error``, or what it was raised from, is a lack of memory."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, LimitExceeded):
            return False
        if isinstance(link, MemoryError):
            return True
        if isinstance(link, OSError) and link.errno == errno.ENOMEM:
            return True
        if not isinstance(link, EnsembleError) and any(sign in str(link) for sign in _NO_MEMORY):
            return True
        link = link.__cause__ or link.__context__
    return False
