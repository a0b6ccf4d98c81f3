"""What a step wants the user to know, without failing."""

from __future__ import annotations

from typing import Literal

import attrs

Severity = Literal["info", "warning", "error"]


@attrs.frozen
class Diagnostic:
    """One finding.

    Attributes:
        severity: ``info``, ``warning`` or ``error``.
        code: Stable slug a program can test for (``preprocessor-skipped``).
        message: One line for people.
        hint: What to do about it; may be empty.
        component: The component it comes from; may be empty.
        page: 0-based page in the document; None when it is about the whole.
    """

    severity: Severity
    code: str
    message: str
    hint: str = ""
    component: str = ""
    page: int | None = None
