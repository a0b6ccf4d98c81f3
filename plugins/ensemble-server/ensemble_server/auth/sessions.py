"""Sessions of people signed in on the pages: a cookie, and a token against forged requests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from itsdangerous import BadSignature, Signer
from sqlalchemy import delete, select
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ..records.tables import BrowserSession, now

if TYPE_CHECKING:
    from ..records.database import Database

LIFE = timedelta(days=7)
"""How long one stays signed in."""


@attrs.frozen
class Session:
    """Somebody signed in.

    Attributes:
        user_id: Who.
        csrf_token: What each request that changes something must carry besides the cookie.
    """

    user_id: str
    csrf_token: str


class Sessions:
    """The sessions of the service.

    Args:
        secret: Signs the cookie and makes the tokens.
        database: Where sessions are.
        public_url: Where people reach the service; empty: as the request says.
    """

    def __init__(self, secret: bytes, database: Database, public_url: str) -> None:
        self._secret = secret
        self._signer = Signer(secret, salt="ensemble-session", digest_method=hashlib.sha256)
        self._database = database
        self._public_url = public_url

    def secure(self, connection: HTTPConnection) -> bool:
        """Whether people reach the service by TLS."""
        return (self._public_url or str(connection.url)).startswith(("https:", "wss:"))

    def cookie(self, connection: HTTPConnection) -> str:
        """The cookie's name; with TLS one that no neighbouring host can set."""
        return "__Host-ensemble_session" if self.secure(connection) else "ensemble_session"

    def begin(self, connection: HTTPConnection, response: Response, user_id: str) -> None:
        """Sign somebody in."""
        token = secrets.token_urlsafe(32)
        moment = now()
        with self._database.write() as session:
            session.execute(delete(BrowserSession).where(BrowserSession.expires <= moment))
            session.add(
                BrowserSession(digest=_digest(token), user_id=user_id, expires=moment + LIFE)
            )
        response.set_cookie(
            self.cookie(connection),
            self._signer.sign(token.encode()).decode(),
            max_age=int(LIFE.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self.secure(connection),
        )

    def find(self, connection: HTTPConnection) -> Session | None:
        """Whoever is signed in; None if nobody is."""
        token = self._token(connection)
        if not token:
            return None
        with self._database.read() as session:
            row = session.scalar(
                select(BrowserSession).where(BrowserSession.digest == _digest(token))
            )
        if row is None or row.expires <= now():
            return None
        return Session(row.user_id, self._csrf(token))

    def end(self, connection: HTTPConnection, response: Response) -> None:
        """Sign them out: the cookie is worth nothing from now on, even where it was copied."""
        if token := self._token(connection):
            with self._database.write() as session:
                session.execute(
                    delete(BrowserSession).where(BrowserSession.digest == _digest(token))
                )
        response.delete_cookie(
            self.cookie(connection),
            httponly=True,
            samesite="lax",
            secure=self.secure(connection),
        )

    def _token(self, connection: HTTPConnection) -> str:
        if not connection.cookies:
            return ""
        value = connection.cookies.get(self.cookie(connection), "")
        try:
            return self._signer.unsign(value.encode("utf-8", "replace")).decode()
        except BadSignature:
            return ""

    def _csrf(self, token: str) -> str:
        return hmac.new(self._secret, f"csrf:{token}".encode(), hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
