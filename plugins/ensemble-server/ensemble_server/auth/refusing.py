"""How credentials are refused."""

from __future__ import annotations

from ..api.errors import Problem


def refused(detail: str) -> Problem:
    """The answer to credentials that do not hold (RFC 6750)."""
    return Problem(
        401, "auth-failed", detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )
