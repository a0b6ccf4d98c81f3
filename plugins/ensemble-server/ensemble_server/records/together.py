"""Small changes in one transaction for all that come at the same time, of one thread or many."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

import attrs
from sqlalchemy import Connection

from ..storage import is_away
from .database import Database

T = TypeVar("T")
R = TypeVar("R")


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
        if error := self.do_all([what])[0]:
            raise error

    def do_all(self, several: Sequence[T]) -> list[Exception | None]:
        """Carry out changes; gives what went wrong with each, None if it is committed."""
        mine = [_Change(what) for what in several]
        self._waiting.extend(mine)
        with self._turn:
            if not all(each.settled for each in mine):
                # Nobody but who has the turn takes from it, so that mine are still there.
                self._settle([self._waiting.popleft() for _ in range(len(self._waiting))])
        return [each.error for each in mine]

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


Change = tuple[Together[Any], Any]
"""What somebody wants to have carried out, and by whom."""
Work = Generator[Change, None, R]
"""Something that comes to a change now and then: it yields it, and goes on when it is committed."""


def side_by_side(works: Sequence[Work[R]]) -> list[R | Exception]:
    """Do works in this thread, the changes that they come to at the same time together.

    Gives what each returns or raises. What goes wrong with a change is raised where it was yielded.
    """
    ended: dict[int, R | Exception] = {}
    failed: dict[int, Exception] = {}
    while len(ended) < len(works):
        wanted: dict[Together[Any], list[tuple[int, Any]]] = defaultdict(list)
        for number, work in enumerate(works):
            if number in ended:
                continue
            error = failed.pop(number, None)
            try:
                together, what = work.throw(error) if error else next(work)
            except StopIteration as stop:
                ended[number] = stop.value
            except Exception as raised:
                ended[number] = raised
            else:
                wanted[together].append((number, what))
        for together, changes in wanted.items():
            errors = together.do_all([what for _, what in changes])
            failed |= {
                number: error for (number, _), error in zip(changes, errors, strict=True) if error
            }
    return [ended[number] for number in range(len(works))]


def by_itself(work: Work[R]) -> R:
    """Do a work; raises what it raises."""
    (ended,) = side_by_side([work])
    if isinstance(ended, Exception):
        raise ended
    return ended
