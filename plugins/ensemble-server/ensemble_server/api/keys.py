"""One's API keys: ``/v1/keys``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func, select, update

from ..auth import keys
from ..auth.principal import Keyholder, Principal
from ..auth.who import database_of
from ..records.tables import ApiKey, User, now
from .errors import Problem, not_found
from .jobs import problems

router = APIRouter(prefix="/v1/keys", tags=["keys"])

MOST = 100
"""Keys a user may have that are neither revoked nor expired."""

Ident = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Scope = Literal["jobs:read", "jobs:write", "keys", "webhooks"]
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


class NewKey(BaseModel):
    """What a key is to be."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(description="What it is for")
    scopes: list[Scope] = Field(
        default=["jobs:read", "jobs:write"],
        min_length=1,
        max_length=10,
        description="What it may do",
    )
    days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; null: never"
    )


class Key(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    prefix: str = Field(description="Its first characters, to recognize it by")
    scopes: list[str]
    created: datetime
    expires: datetime | None
    last_used: datetime | None = Field(description="To within a minute")
    revoked: datetime | None


class MadeKey(Key):
    """A key just made."""

    key: str = Field(description="The key itself; shown this once")


class Keys(BaseModel):
    """All keys, the newest first."""

    keys: list[Key]


@router.get("", responses=problems(401, 403, 429), summary="List one's keys")
def list_keys(request: Request, user: Keyholder) -> Keys:
    """All of one's keys, also those revoked or expired, the newest first."""
    with database_of(request).read() as session:
        rows = session.scalars(
            select(ApiKey).where(ApiKey.user_id == user.user_id).order_by(ApiKey.created.desc())
        )
        return Keys(keys=[Key.model_validate(row) for row in rows])


@router.post(
    "", status_code=201, responses=problems(400, 401, 403, 409, 413, 422, 429), summary="Make a key"
)
def make_key(request: Request, response: Response, user: Keyholder, asked: NewKey) -> MadeKey:
    """Make a key. The answer has the key itself; it is not to be had again.

    Raises:
        Problem: 403 if it is to do what this request itself may not; 409 if there are too many.
    """
    _within(user, asked.scopes)
    expires = None if asked.days is None else now() + timedelta(days=asked.days)
    row, key = keys.make(user.user_id, asked.name, set(asked.scopes), expires)
    with database_of(request).write() as session:
        session.execute(select(User.id).where(User.id == user.user_id).with_for_update())
        valid = (ApiKey.expires.is_(None)) | (ApiKey.expires > now())
        count = select(func.count()).where(
            ApiKey.user_id == user.user_id, ApiKey.revoked.is_(None), valid
        )
        if (session.scalar(count) or 0) >= MOST:
            raise Problem(409, "too-many-keys", f"There are {MOST} already; revoke some first.")
        session.add(row)
    response.headers["Cache-Control"] = "no-store"
    return MadeKey(**Key.model_validate(row).model_dump(), key=key)


@router.delete(
    "/{key_id}",
    status_code=204,
    responses=problems(401, 403, 404, 422, 429),
    summary="Revoke a key",
)
def revoke_key(request: Request, user: Keyholder, key_id: Ident) -> None:
    """Revoke a key at once and for ever; to do so twice changes nothing.

    Raises:
        Problem: 404 if one has no such key.
    """
    mine = (ApiKey.id == key_id, ApiKey.user_id == user.user_id)
    with database_of(request).write() as session:
        if session.scalar(select(ApiKey.id).where(*mine)) is None:
            raise not_found("key")
        session.execute(update(ApiKey).where(*mine, ApiKey.revoked.is_(None)).values(revoked=now()))


def _within(user: Principal, scopes: list[Scope]) -> None:
    if beyond := sorted(set(scopes) - user.scopes):
        raise Problem(
            403, "missing-scope", f"A key cannot allow what you may not: {', '.join(beyond)}."
        )
