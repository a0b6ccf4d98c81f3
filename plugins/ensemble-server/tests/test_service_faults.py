"""Killed servers, workers, databases; answers that got lost: each job ends once, and right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ensemble_server.auth.users import LOCAL, user_id_of
from ensemble_server.jobs.asked import Asked
from ensemble_server.records.migrate import upgrade
from ensemble_server.records.tables import Job, JobFile, now
from ensemble_server.service import Service
from ensemble_server.service.intake import Wish
from ensemble_server.settings import Settings
from ensemble_server.storage import start_of
from servers import lacking, until
from service_killing import Faults, left_processes
from service_nodes import Setting
from serving import MOCK, picture
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

pytestmark = pytest.mark.long


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL, which is another user than root, can enter."""
    with TemporaryDirectory(prefix="ensemble-faults-") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["embedded", "cluster"])
def test_each_job_ends_once_and_right_whatever_is_killed(open_folder: Path, shared: bool) -> None:
    if shared and (reason := lacking()):
        pytest.skip(reason)
    setting = Setting(
        open_folder, shared=shared, workers=1, work_nodes=int(shared), more={"LEASE": "4"}
    )
    setting.start()
    try:
        found = Faults(setting, jobs=24, kills=4 if shared else 5).run(120)
    finally:
        setting.stop()
    assert found.wrong == []
    assert found.states["done"] + found.states["failed"] == 24
    until(lambda: not left_processes(setting), 20, "the end of all processes")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(Settings(folder=tmp_path / "service", workers=1, lease=1.0))
    upgrade(made.database)
    yield made
    made.close()


def submit(service: Service) -> str:
    user = user_id_of(service.database, LOCAL, LOCAL)
    job, _ = service.submit(user, [("page.png", picture())], Wish(asked=Asked.parse(MOCK)))
    return job.id


def job_of(service: Service) -> Job:
    with service.database.read() as session:
        return session.scalars(select(Job)).one()


def ended(service: Service) -> Job:
    until(lambda: job_of(service).state not in {"queued", "running"}, 60, "the end")
    return job_of(service)


def break_once(
    service: Service, when: Callable[[Connection], bool], *, after: bool
) -> Callable[[], int]:
    """Have the database go away once, before or after the commit of the transaction meant.

    Gives how often that has happened.
    """
    change, broken = service.database.change, 0

    @contextmanager
    def breaking() -> Iterator[Connection]:
        nonlocal broken
        due = False
        with change() as connection:
            yield connection
            due = broken == 0 and when(connection)
            broken += due
            if due and not after:
                raise gone()
        if due:
            raise gone()

    service.database.change = breaking  # type: ignore[method-assign]
    return lambda: broken


def gone() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("the server closed the connection"))


def in_state(state: str) -> Callable[[Connection], bool]:
    return lambda connection: connection.scalar(select(Job.state)) == state


def files_are_right(service: Service) -> None:
    """Each file has its row, each row its file."""
    with service.database.read() as session:
        known = sorted(session.scalars(select(JobFile.key)))
    assert service.store.files("jobs") == known


@pytest.mark.parametrize("after", [True, False], ids=["commit done", "commit lost"])
def test_an_end_of_which_no_word_comes_back(service: Service, after: bool) -> None:
    broken = break_once(service, in_state("done"), after=after)
    submit(service)
    service.start()
    until(broken, 60, "the broken commit")
    job = ended(service)
    assert (job.state, job.attempt) == ("done", 1 if after else 2)
    service.stop()
    files_are_right(service)
    with service.database.read() as session:
        kinds = set(session.scalars(select(JobFile.kind)))
    assert kinds == {"input", "output", "preview"}


@pytest.mark.parametrize("after", [True, False], ids=["commit done", "commit lost"])
def test_an_upload_of_which_no_word_comes_back(service: Service, after: bool) -> None:
    broken = break_once(service, in_state("queued"), after=after)
    with pytest.raises(OperationalError):
        submit(service)
    assert broken()
    if not after:
        assert service.store.files("jobs") == []
        with service.database.read() as session:
            assert session.scalars(select(Job)).all() == []
        return
    service.start()
    assert ended(service).state == "done"
    files_are_right(service)


def test_what_attempts_in_vain_have_left_is_removed(service: Service) -> None:
    job_id = submit(service)
    service.store.put(f"{start_of(job_id)}3-abcdef-0.musicxml", b"half")
    with service.database.write() as session:
        session.execute(
            update(Job).values(
                state="running", lease="dead", attempt=3, lease_until=now() - timedelta(seconds=1)
            )
        )
    service.start()
    job = ended(service)
    assert job.state == "failed" and job.error["code"] == "worker-lost"
    until(lambda: len(service.store.files("jobs")) == 1, 10, "the cleaning")
    files_are_right(service)


def test_deleting_leaves_nothing_in_any_store(settings: Settings) -> None:
    service = Service(settings.model_copy(update={"workers": 1}))
    if service.database.sqlite:
        upgrade(service.database)
    try:
        job_id = submit(service)
        service.start()
        user = ended(service).user_id
        service.delete(user, job_id)
        service.stop()
        assert service.store.files("jobs") == []
        assert_no_rows(service)
        if settings.redis:
            import redis

            keys = redis.Redis.from_url(settings.redis).keys("*")
            assert not [key for key in keys if job_id.encode() in key]
    finally:
        service.close()


def assert_no_rows(service: Service) -> None:
    from ensemble_server.records.tables import Record

    with service.database.read() as session:
        for table in Record.metadata.sorted_tables:
            if table.name != "users":
                rows: list[Any] = list(session.execute(select(table)))
                assert rows == [], table.name
