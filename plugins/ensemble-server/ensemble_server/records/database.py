"""The database: its engine, its sessions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

BUSY_SECONDS = 20.0
"""How long SQLite waits for another writer before it gives up."""


class Database:
    """Sessions on SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL; ``postgresql://`` means psycopg.
        pool: Connections kept open at most.
    """

    def __init__(self, url: str, pool: int = 20) -> None:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": pool, "max_overflow": pool}
        if self.sqlite:
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            options["connect_args"] = {"timeout": BUSY_SECONDS, "check_same_thread": False}
        else:
            # A connection the server has dropped (it was restarted) is found before it is used.
            options["pool_pre_ping"] = True
        self.engine: Engine = create_engine(parsed, **options)
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare)
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.sqlite else nullcontext()
        self._writer: Connection | None = None
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        # A single question needs no transaction of its own, which would be two more of them.
        self._looking = (
            self.engine
            if self.sqlite
            else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only looks; nothing is written. It sees the records of one moment."""
        with self._sessions() as session:
            self._begin(session.connection(), "BEGIN")
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A short transaction: committed at the end, rolled back on an exception.

        On SQLite it takes the one place of a writer at once, so that it never fails half-way
        because another writer came in between. Writers of this process wait for each other
        here: SQLite itself has them sleep, longer and longer, and lets latecomers go first.
        """
        with self._turn, self._sessions() as session, session.begin():
            self._begin(session.connection(), "BEGIN IMMEDIATE")
            yield session

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection that only looks: for what is done for each job and each request.

        With statements that are made once this costs a quarter of what a session does. There is no
        transaction: each statement sees what is there when it is carried out.
        """
        with self._looking.connect() as connection:
            yield connection

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """Like :meth:`write`, with a connection rather than a session; see :meth:`look`.

        On SQLite, where there is one writer at a time, it is the same connection each time: to
        fetch one and to put it back costs more than the transaction.
        """
        if not self.sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._turn:
            connection, self._writer = self._writer or self.engine.connect(), None
            try:
                with connection.begin():
                    self._begin(connection, "BEGIN IMMEDIATE")
                    yield connection
            except BaseException:
                connection.close()
                raise
            self._writer = connection

    def close(self) -> None:
        """Close all connections."""
        with self._turn:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self.engine.dispose()

    def _begin(self, connection: Connection, how: str) -> None:
        # Not by a listener: with one that hears of transactions every statement costs more.
        if self.sqlite:
            connection.exec_driver_sql(how)


def _prepare(connection: Any, _: Any) -> None:
    # Transactions are begun by `Database`, not by the driver's guess.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
