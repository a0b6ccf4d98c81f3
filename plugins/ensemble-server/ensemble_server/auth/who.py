"""Telling who makes a request, by the strongest thing they send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from . import users
from .origin import is_local, is_loopback, require_own_page
from .principal import SCOPES, Principal

if TYPE_CHECKING:
    from ..records.database import Database
    from ..settings import Settings


class Auth:
    """Who is who.

    Args:
        settings: Whose word counts.
        database: Where users, keys and sessions are.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        public = urlsplit(settings.public_url).hostname or "localhost"
        self._has_local_user = settings.local_user and not settings.issuers and is_loopback(public)
        self._local_id = ""

    def identify(self, connection: HTTPConnection, csrf: str = "") -> Principal | None:
        """Whoever makes a request; None if nobody says so.

        Args:
            connection: The request, or a WebSocket's handshake.
            csrf: The token that came with it against forged requests, if any.

        Raises:
            Problem: 401 if what they send does not hold; 403 if another site's page sent them.
        """
        if self._has_local_user and is_local(connection):
            require_own_page(connection, "")
            return Principal(self._local_user(), frozenset(SCOPES), "local")
        return None

    def _local_user(self) -> str:
        if not self._local_id:
            self._local_id = users.user_id_of(self.database, users.LOCAL, users.LOCAL)
        return self._local_id
