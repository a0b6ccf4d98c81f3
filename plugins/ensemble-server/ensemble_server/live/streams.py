"""Open streams of events: how many a user may have, and for how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from ..api.errors import Problem

if TYPE_CHECKING:
    from ..auth.principal import Principal
    from ..auth.who import Auth


class Streams:
    """Counts the streams each user has open on this node; used on the event loop alone.

    Args:
        most: How many a user may have.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, user_id: str) -> Iterator[None]:
        """One of a user's streams, for as long as it is open.

        Raises:
            Problem: 429 if it is one too many.
        """
        if self._open[user_id] >= self._most:
            raise Problem(
                429,
                "too-many-streams",
                f"At most {self._most} streams of events may be open at a time; close one.",
                headers={"Retry-After": "2"},
            )
        self._open[user_id] += 1
        try:
            yield
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]


def still(connection: HTTPConnection, user: Principal) -> Callable[[], bool]:
    """Asks whether whoever opened a stream may still do so; to be called in a thread."""
    auth: Auth = connection.app.state.auth

    def ask() -> bool:
        try:
            return auth.identify(connection) == user
        except Problem as problem:
            return problem.status >= 500  # the issuer is away: it has not said no

    return ask
