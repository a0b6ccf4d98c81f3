"""Bringing the tables up to date, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from .database import Database
from .tables import Record

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent / "migrations"
_LOCK = 7_240_520
"""The advisory lock under which PostgreSQL is migrated, by one process at a time."""


def head() -> str:
    """The newest version; the files are named after theirs."""
    return max(path.name for path in (HERE / "versions").glob("[0-9]*.py"))[:4]


def current(database: Database) -> str | None:
    """The version the tables have; None if there are none."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return version


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the tables up to a version; nothing happens if they have it.

    Raises:
        CommandError: There is no such version.
    """
    newest = head()
    if to == "head" and current(database) == newest:
        return
    with _alone(database) as connection:
        if to == "head" and not inspect(connection).get_table_names():
            _make(connection, newest)
            return
        from alembic import command  # late: the first start of all is quicker without it

        command.upgrade(_config(connection), to)


def downgrade(database: Database, to: str) -> None:
    """Bring the tables back to a version (``base``: none; ``-1``: the one before).

    Raises:
        CommandError: There is no such version.
    """
    from alembic import command

    with _alone(database) as connection:
        command.downgrade(_config(connection), to)


def _make(connection: Connection, version: str) -> None:
    """Make the tables at once where there are none, as all migrations together would."""
    Record.metadata.create_all(connection)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """One transaction for all steps, during which no other process migrates."""
    with database.change() as connection:
        if database.sqlite:
            # A table that is rebuilt must not take the rows with it that refer to its rows.
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
