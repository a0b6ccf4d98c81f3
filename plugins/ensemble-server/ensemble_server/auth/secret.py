"""The secret that signs cookies."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import structlog

from ..settings import Settings

log = structlog.get_logger(__name__)


def secret_of(settings: Settings) -> bytes:
    """The secret as set, or made once and kept, readable by nobody else.

    Several nodes need the same one, set; otherwise a session holds on one of them alone.
    """
    if settings.secret:
        return settings.secret.encode()
    if settings.database:
        log.warning("secret.not-set", hint="nodes that share a database need the same `secret`")
    path = settings.folder / "secret"
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written beside and linked: another process that starts now sees the whole secret or none.
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            _place(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    return path.read_bytes()


def _place(beside: Path, path: Path) -> None:
    with suppress(FileExistsError):
        os.link(beside, path)
