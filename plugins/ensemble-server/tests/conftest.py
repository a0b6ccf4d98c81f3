from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stack as stacks
from ensemble_server.app import create_app
from ensemble_server.records import migrate
from ensemble_server.records.database import Database
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from servers import lacking
from serving import LOOPBACK, serving


@pytest.fixture(scope="session")
def stack() -> Iterator[stacks.Stack]:
    """PostgreSQL, Redis and S3; skips where their programs are not installed."""
    reason = lacking()
    if reason:
        pytest.skip(reason)
    with stacks.started() as running:
        yield running


@pytest.fixture(params=["embedded", "cluster"])
def stores(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of the stores: SQLite and files, then PostgreSQL, Redis and S3."""
    if request.param == "embedded":
        return {}
    settings = request.getfixturevalue("stack").settings()
    database = Database(settings["database"])
    migrate.upgrade(database)
    database.close()
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("stack").settings()["database"]
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def settings(tmp_path: Path, stores: dict[str, Any]) -> Settings:
    return Settings(folder=tmp_path / "service", workers=1, **stores)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def server(settings: Settings) -> Iterator[str]:
    """The URL of the service behind a real uvicorn."""
    with serving(settings) as url:
        yield url
