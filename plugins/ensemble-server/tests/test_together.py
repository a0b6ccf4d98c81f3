"""Small changes of many threads, carried out together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from ensemble_server.records import migrate
from ensemble_server.records.database import Database
from ensemble_server.records.tables import User, table_of
from ensemble_server.records.together import Together, Work, side_by_side
from servers import until
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A database with empty tables."""
    migrate.upgrade(empty_database)
    return empty_database


class Names:
    """Adds users, and notes with how many others each was added."""

    def __init__(self, database: Database) -> None:
        self.together: Together[str] = Together(database, self._add)
        self.sizes: list[int] = []
        self.go = threading.Event()

    def _add(self, connection: Connection, names: Sequence[str]) -> None:
        self.go.wait(20)
        self.sizes.append(len(names))
        rows = [{"issuer": "test", "subject": name} for name in names]
        connection.execute(insert(table_of(User)), rows)

    def add_all(self, names: Sequence[str]) -> list[BaseException | None]:
        """Add them, each in a thread; all but the first wait while that is under way."""
        with ThreadPoolExecutor(len(names)) as threads:
            futures = [threads.submit(self.together.do, name) for name in names]
            until(lambda: len(self.together._waiting) == len(names) - 1, 20, "the others")
            self.go.set()
            return [future.exception() for future in futures]


def count(database: Database) -> int:
    with database.look() as connection:
        return connection.scalar(select(func.count()).select_from(table_of(User))) or 0


def test_what_comes_meanwhile_is_done_in_one_transaction(database: Database) -> None:
    names = Names(database)
    assert names.add_all([str(number) for number in range(20)]) == [None] * 20
    assert names.sizes == [1, 19] and count(database) == 20


def test_what_fails_fails_alone(database: Database) -> None:
    names = Names(database)
    errors = names.add_all(["first", "a", "b", "first", "c"])
    assert [type(error) for error in errors if error] == [IntegrityError]
    assert count(database) == 4


def test_works_share_the_transactions_they_come_to_at_the_same_time(database: Database) -> None:
    names = Names(database)
    names.go.set()

    def work(first: str, second: str) -> Work[str]:
        yield names.together, first
        try:
            yield names.together, second
        except IntegrityError:
            return "taken"
        return second

    ended = side_by_side([work("a", "A"), work("b", "a"), work("c", "C"), work("a", "D")])
    assert ended[:3] == ["A", "taken", "C"] and isinstance(ended[3], IntegrityError)
    assert names.sizes == [4, 1, 1, 1, 1, 3, 1, 1, 1] and count(database) == 5
    assert side_by_side([work("e", "E"), work("f", "F")]) == ["E", "F"]
    assert names.sizes[9:] == [2, 2]
