"""Who makes a request, as the routes ask for it: ``def get_job(user: Reader)``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request

from ..api.errors import Problem

if TYPE_CHECKING:
    from ..limiting.rates import Limiter
    from .who import Auth

READ, WRITE, KEYS, WEBHOOKS = "jobs:read", "jobs:write", "keys", "webhooks"

SCOPES = {
    READ: "Look at one's jobs and their results",
    WRITE: "Send, cancel, try again and delete jobs",
    KEYS: "Look at, make and revoke one's API keys",
    WEBHOOKS: "Look at, add and remove one's webhooks",
}
"""What a key or a token may be allowed to do, and what that means to a person."""

_FORM = "application/x-www-form-urlencoded"
_LARGEST_FORM = 64 * 1024

Via = Literal["local", "key", "token", "session"]


@attrs.frozen
class Principal:
    """Whoever makes a request.

    Attributes:
        user_id: The row in ``users``; everything a request touches must belong to it.
        scopes: What this request may do, out of :data:`SCOPES`.
        via: How it was told who they are: the one local user, an API key, a token of an OpenID
            Connect issuer, or the session of somebody signed in on the pages.
    """

    user_id: str
    scopes: frozenset[str]
    via: Via


class _Scheme(SecurityBase):
    """How to say who one is, for the OpenAPI document alone: nothing is read here."""

    def __init__(self, scheme: SecurityBase) -> None:
        self.model, self.scheme_name = scheme.model, scheme.scheme_name

    async def __call__(self) -> None:
        """Leave it to :func:`visitor`, which WebSockets go through as well."""


_BEARER = Depends(
    _Scheme(HTTPBearer(scheme_name="bearer", description="An API key, or a token of an issuer"))
)
_KEY = Depends(_Scheme(APIKeyHeader(name="X-API-Key", scheme_name="key", description="An API key")))


async def visitor(
    connection: HTTPConnection, _: None = _BEARER, __: None = _KEY
) -> Principal | None:
    """Whoever makes the request, None if nobody says so; for what anybody may see.

    Raises:
        Problem: 401 if credentials are sent and do not hold; 429 if too much is asked.
    """
    csrf = await _csrf_token(connection)
    limiter: Limiter = connection.app.state.limiter
    auth: Auth = connection.app.state.auth
    if limiter.waits or auth.waits(connection):
        return await run_in_threadpool(_identify, connection, csrf)
    return _identify(connection, csrf)


def _identify(connection: HTTPConnection, csrf: str) -> Principal | None:
    auth: Auth = connection.app.state.auth
    limiter: Limiter = connection.app.state.limiter
    try:
        principal = auth.identify(connection, csrf)
    except Problem:
        limiter.count_request(connection, None)
        raise
    limiter.count_request(connection, principal.user_id if principal else None)
    return principal


async def _csrf_token(connection: HTTPConnection) -> str:
    """The token against forged requests: from the header, or from a small form."""
    header = connection.headers.get("x-csrf-token", "")
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if header or not isinstance(connection, Request) or kind != _FORM:
        return header
    if int(connection.headers.get("content-length", _LARGEST_FORM + 1)) > _LARGEST_FORM:
        return ""
    field = (await connection.form()).get("csrf_token", "")
    return field if isinstance(field, str) else ""


Visitor = Annotated[Principal | None, Depends(visitor)]


def _needs(scope: str) -> Callable[..., Awaitable[Principal]]:
    async def dependency(principal: Visitor) -> Principal:
        if principal is None:
            raise Problem(
                401,
                "auth-required",
                "Send an API key or a token as `Authorization: Bearer …`, or sign in.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if scope not in principal.scopes:
            raise Problem(
                403,
                "missing-scope",
                f"This needs the scope {scope}.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            )
        return principal

    dependency.__doc__ = f"""The user, who may do what ``{scope}`` stands for.

    Raises:
        Problem: 401 if nobody says who they are or it does not hold; 403 without the scope; 429.
    """
    return dependency


reader = _needs(READ)
writer = _needs(WRITE)
keyholder = _needs(KEYS)
webhook_owner = _needs(WEBHOOKS)

Reader = Annotated[Principal, Depends(reader)]
Writer = Annotated[Principal, Depends(writer)]
Keyholder = Annotated[Principal, Depends(keyholder)]
WebhookOwner = Annotated[Principal, Depends(webhook_owner)]
"""For routes: ``def get_job(job_id: str, user: Reader) -> …``."""
