"""The tables go up and down with data in them."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from ensemble_server.records import migrate
from ensemble_server.records.database import Database
from ensemble_server.records.tables import Job, JobEvent, JobFile, Record, User
from sqlalchemy import func, inspect, select


@pytest.fixture
def database(empty_database: Database) -> Database:
    return empty_database


def fill(database: Database) -> None:
    with database.write() as session:
        user = User(issuer="local", subject="one", name="Ödön")
        session.add(user)
        session.flush()
        job = Job(user_id=user.id, name="a", options={"recognizer": "mock"}, pages=[{"number": 1}])
        session.add(job)
        session.flush()
        session.add(JobEvent(job_id=job.id, number=1, kind="queued", data={}))
        session.add(
            JobFile(job_id=job.id, kind="input", name="a", key="k", media_type="m", size=2**40,
                    sha256="0" * 64)
        )  # fmt: skip


def counts(database: Database) -> list[Any]:
    with database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(table))
            for table in (User, Job, JobEvent, JobFile)
        ]


def test_up_down_and_up_again_keeps_the_data(database: Database) -> None:
    assert migrate.current(database) is None
    migrate.upgrade(database, "0001")
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    fill(database)
    migrate.downgrade(database, "0001")
    assert migrate.current(database) == "0001"
    assert counts(database) == [1, 1, 1, 1]
    migrate.upgrade(database)
    migrate.upgrade(database)
    assert counts(database) == [1, 1, 1, 1]
    with database.read() as session:
        file, job = session.scalars(select(JobFile)).one(), session.scalars(select(Job)).one()
        assert file.size == 2**40 and job.options == {"recognizer": "mock"}
        assert job.created.tzinfo is not None
    migrate.downgrade(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}


def test_the_migrations_make_what_the_code_expects(database: Database) -> None:
    migrate.upgrade(database, migrate.head())
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        found = compare_metadata(context, Record.metadata)
    # An index by an expression cannot be compared on SQLite.
    assert [each for each in found if "jobs_to_do" not in str(each)] == []


def structure(database: Database) -> dict[str, Any]:
    """All tables: columns, keys, indexes."""
    found = inspect(database.engine)
    return {
        table: [
            sorted(map(str, found.get_columns(table))),
            found.get_pk_constraint(table),
            sorted(map(str, found.get_foreign_keys(table))),
            sorted(map(str, found.get_unique_constraints(table))),
            sorted(map(str, found.get_indexes(table))),
        ]
        for table in found.get_table_names()
    }


def test_tables_made_at_once_are_those_the_migrations_make(database: Database) -> None:
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    at_once = structure(database)
    migrate.downgrade(database, "base")
    migrate.upgrade(database, migrate.head())
    assert structure(database) == at_once


def test_a_version_that_is_none_is_an_error(database: Database) -> None:
    with pytest.raises(CommandError):
        migrate.upgrade(database, "9999")
