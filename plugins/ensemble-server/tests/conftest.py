from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ensemble_server.app import create_app
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from serving import LOOPBACK


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path / "service", workers=1)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 50000)) as client:
        yield client
