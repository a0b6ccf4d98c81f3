"""API keys: ``ens_``, twelve characters to find it by, forty nobody can guess."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError

from ..records.tables import ApiKey, now
from .principal import SCOPES, Principal
from .refusing import refused

if TYPE_CHECKING:
    from ..records.database import Database

log = structlog.get_logger(__name__)

START = "ens_"
_PREFIX, _SECRET = 12, 40
_SHAPE = re.compile(rf"{START}[A-Za-z0-9]{{{_PREFIX + _SECRET}}}")
_CHARACTERS = string.ascii_letters + string.digits
_USED_EVERY = timedelta(minutes=1)


def make(
    user_id: str, name: str, scopes: Iterable[str], expires: datetime | None
) -> tuple[ApiKey, str]:
    """A new key: the row to keep, and the key itself, which is kept nowhere."""
    key = START + "".join(secrets.choice(_CHARACTERS) for _ in range(_PREFIX + _SECRET))
    row = ApiKey(
        user_id=user_id,
        name=name,
        prefix=key[: len(START) + _PREFIX],
        digest=digest(key),
        scopes=sorted(scopes),
        expires=expires,
    )
    return row, key


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def check(database: Database, key: str) -> Principal:
    """Whose key it is.

    Raises:
        Problem: 401 if there is no such key, or it is revoked or has expired.
    """
    if not _SHAPE.fullmatch(key):
        raise refused("This is not an API key.")
    with database.read() as session:
        row = session.scalar(select(ApiKey).where(ApiKey.prefix == key[: len(START) + _PREFIX]))
    # The comparison takes as long for an unknown prefix as for a known one.
    if not hmac.compare_digest(digest(key), row.digest if row else digest("")) or row is None:
        raise refused("There is no such API key.")
    moment = now()
    if row.revoked is not None:
        raise refused("This API key was revoked.")
    if row.expires is not None and row.expires <= moment:
        raise refused("This API key has expired.")
    if row.last_used is None or moment - row.last_used >= _USED_EVERY:
        _note_use(database, row.id, moment)
    return Principal(row.user_id, frozenset(row.scopes) & SCOPES.keys(), "key")


def _note_use(database: Database, key_id: str, moment: datetime) -> None:
    stale = or_(ApiKey.last_used.is_(None), ApiKey.last_used <= moment - _USED_EVERY)
    try:
        with database.write() as session:
            session.execute(
                update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used=moment)
            )
    except OperationalError as error:  # a busy database; the request itself may well succeed
        log.warning("key.use-not-noted", key=key_id, error=str(error.orig))
