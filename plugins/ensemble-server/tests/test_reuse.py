"""An earlier result is found without a look at every job of its user."""

from __future__ import annotations

from pathlib import Path

from ensemble_server.jobs.reuse import _EARLIER
from ensemble_server.records import migrate
from ensemble_server.records.database import Database


def test_an_earlier_result_is_found_by_its_fingerprint(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    migrate.upgrade(database)
    values = {"fingerprint": "f", "user": "u", "job": "j"}
    text = str(_EARLIER.compile(database.engine))
    with database.look() as connection:
        assert connection.execute(_EARLIER, values).one_or_none() is None
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {text}", tuple("x" * text.count("?"))
        )
        plan = " ".join(row[3] for row in rows)
    database.close()
    assert "ix_jobs_fingerprint" in plan
