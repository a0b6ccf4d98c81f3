"""Small changes of many threads, in one transaction for all that come at the same time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs
from sqlalchemy import Connection

from ..storage import is_away
from .database import Database

T = TypeVar("T")


@attrs.define(eq=False)
class _Change(Generic[T]):
    what: T
    error: Exception | None = attrs.field(factory=lambda: RuntimeError("it was not carried out"))
    settled: bool = False


class Together(Generic[T]):
    """Has one thread carry out what it and all that wait for it want to change.

    A transaction costs more than what is done in it. While one is under way, the changes of other
    threads gather, and whoever comes next carries them out at once.

    Args:
        database: Where it is changed.
        carry_out: Does it for some of them within a transaction; if it raises, nothing was done.
    """

    def __init__(
        self, database: Database, carry_out: Callable[[Connection, Sequence[T]], None]
    ) -> None:
        self._database, self._carry_out = database, carry_out
        self._waiting: deque[_Change[T]] = deque()
        self._turn = threading.Lock()

    def do(self, what: T) -> None:
        """Carry out a change; returns when it is committed.

        Raises:
            Exception: What ``carry_out`` or the database says of this change alone, or that the
                database is away.
        """
        mine = _Change(what)
        self._waiting.append(mine)
        with self._turn:
            if not mine.settled:
                # Nobody but who has the turn takes from it, so that mine is still there.
                self._settle([self._waiting.popleft() for _ in range(len(self._waiting))])
        if mine.error is not None:
            raise mine.error

    def _settle(self, changes: Sequence[_Change[T]]) -> None:
        error: Exception | None = None
        try:
            with self._database.change() as connection:
                self._carry_out(connection, [each.what for each in changes])
        except Exception as raised:
            if len(changes) > 1 and not is_away(raised):
                for each in changes:  # it is the fault of one: each by itself
                    self._settle([each])
                return
            error = raised
        for each in changes:
            each.error, each.settled = error, True
