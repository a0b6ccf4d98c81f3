"""Signatures of webhooks: ``Ensemble-Signature: t=<seconds>,v1=<HMAC-SHA256 of "t.body">``."""

from __future__ import annotations

import hashlib
import hmac
import re

HEADER = "Ensemble-Signature"

TOLERANCE = 300
"""Seconds after which a signature no longer counts, so that nobody sends a message again."""

_SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(secret: str, body: bytes, at: int) -> str:
    """The header for a body sent at a time (seconds since 1970)."""
    return f"t={at},v1={_mac(secret, body, at)}"


def is_genuine(secret: str, header: str, body: bytes, now: int, tolerance: int = TOLERANCE) -> bool:
    """Whether a body was signed with ``secret`` not long ago: what a receiver asks."""
    found = _SHAPE.fullmatch(header)
    if found is None or abs(now - int(found[1])) > tolerance:
        return False
    return hmac.compare_digest(found[2], _mac(secret, body, int(found[1])))


def _mac(secret: str, body: bytes, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
