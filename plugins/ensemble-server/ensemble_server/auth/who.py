"""Telling who makes a request, by the strongest thing they send."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from ..api.errors import Problem
from . import keys, users
from .issuers import Provider, make_client
from .origin import SAFE_METHODS, is_local, is_loopback, require_own_page
from .principal import SCOPES, Principal
from .refusing import refused
from .secret import secret_of
from .sessions import Sessions

if TYPE_CHECKING:
    from ..records.database import Database
    from ..settings import Settings

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}")
"""A plain mail address: one of which no header can be made."""


class Auth:
    """Who is who.

    What a request sends must hold: one with a bad key is refused, whatever else it carries.

    Args:
        settings: Whose word counts.
        database: Where users, keys and sessions are.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.secret = secret_of(settings)
        self.sessions = Sessions(self.secret, database, settings.public_url)
        self._client = make_client() if settings.issuers else None
        self.providers = {
            issuer.url: Provider(issuer, self._client)
            for issuer in settings.issuers
            if self._client is not None
        }
        public = urlsplit(settings.public_url).hostname or "localhost"
        self._has_local_user = settings.local_user and not settings.issuers and is_loopback(public)
        self._local_id = ""

    def waits(self, connection: HTTPConnection) -> bool:
        """Whether it takes a look into the database, or farther, to tell who makes a request.

        It does unless it can be nobody but the local user, who is known.
        """
        sent = ("authorization", "x-api-key", "cookie")
        return not self._local_id or any(name in connection.headers for name in sent)

    def identify(self, connection: HTTPConnection, csrf: str = "") -> Principal | None:
        """Whoever makes a request; None if nobody says so.

        Args:
            connection: The request, or a WebSocket's handshake.
            csrf: The token that came with it against forged requests, if any.

        Raises:
            Problem: 401 if what they send does not hold; 403 if another site's page sent them, or
                the token is missing; 503 if an issuer's keys cannot be had.
        """
        if credentials := _credentials(connection):
            if credentials.startswith(keys.START):
                return keys.check(self.database, credentials)
            return self._by_token(credentials)
        if session := self.sessions.find(connection):
            require_own_page(connection, self.settings.public_url)
            changes = connection.scope.get("method", "GET") not in SAFE_METHODS
            if changes and not _equal(csrf, session.csrf_token):
                raise Problem(
                    403, "csrf-failed", "The page is out of date or not ours; load it again."
                )
            return Principal(session.user_id, frozenset(SCOPES), "session")
        if self._has_local_user and is_local(connection):
            require_own_page(connection, "")
            return Principal(self._local_user(), frozenset(SCOPES), "local")
        return None

    def csrf_token(self, connection: HTTPConnection) -> str:
        """What forms and scripts of one's pages send along; empty if nobody is signed in.

        As the header ``X-CSRF-Token`` or the field ``csrf_token`` of a form.
        """
        session = self.sessions.find(connection)
        return session.csrf_token if session else ""

    def choices(self) -> dict[str, Provider]:
        """The issuers one can sign in at on the pages, by URL."""
        return {url: each for url, each in self.providers.items() if each.issuer.client_id}

    def user_of(self, claims: dict[str, Any]) -> str:
        """The id of the user a verified token speaks of."""
        name = claims.get("name") or claims.get("preferred_username") or ""
        email = claims.get("email") if claims.get("email_verified") is True else ""
        return users.user_id_of(
            self.database,
            claims["iss"],
            claims["sub"],
            name="".join(filter(str.isprintable, name))[:255] if isinstance(name, str) else "",
            email=email if isinstance(email, str) and _ADDRESS.fullmatch(email) else "",
        )

    def close(self) -> None:
        """Close the connections to issuers."""
        if self._client is not None:
            self._client.close()

    def _by_token(self, token: str) -> Principal:
        from . import tokens  # late: cryptography takes a while

        claims = tokens.verify(token, self.providers)
        return Principal(self.user_of(claims), tokens.scopes_of(claims), "token")

    def _local_user(self) -> str:
        if not self._local_id:
            self._local_id = users.user_id_of(self.database, users.LOCAL, users.LOCAL)
        return self._local_id


def database_of(connection: HTTPConnection) -> Database:
    """The database of the application a request is made to."""
    auth: Auth = connection.app.state.auth
    return auth.database


def _credentials(connection: HTTPConnection) -> str:
    """The key or token that is sent; other kinds of ``Authorization`` are a proxy's business."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    key = connection.headers.get("x-api-key", "").strip()
    if key and bearer and key != bearer:
        raise refused("Send one key or token, not two.")
    if scheme.lower() == "bearer" and not bearer:
        raise refused("The token is empty.")
    if key and not key.startswith(keys.START):
        raise refused("This is not an API key.")
    return key or bearer


def _equal(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())
