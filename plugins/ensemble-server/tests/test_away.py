"""The database goes away for a while, and comes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ensemble_server.records import migrate
from ensemble_server.records.database import Database
from ensemble_server.settings import Settings
from servers import Postgres, lacking, running
from serving import ended, send, serving

pytestmark = pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder another user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ensemble-stack-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_it_says_so_and_goes_on_afterwards(place: Path, tmp_path: Path) -> None:
    postgres = Postgres(place / "postgres", durable=False)
    settings = Settings(folder=tmp_path, workers=1, database=postgres.url())
    with running(postgres):
        database = Database(settings.database)
        migrate.upgrade(database)
        database.close()
    with httpx.Client(timeout=60) as client:
        with running(postgres):
            service = serving(settings)
            client.base_url = service.__enter__()
            first = send(client).json()["id"]
            assert ended(client, first)["state"] == "done"
        try:
            for answer in (client.get("/v1/jobs"), send(client)):
                assert answer.status_code == 503, answer.text
                assert answer.json()["code"] == "unavailable" and answer.headers["retry-after"]
            ready = client.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json()["checks"]["database"]["status"] == "unavailable"
            assert client.get("/health/live").status_code == 200
            with running(postgres):
                assert client.get(f"/v1/jobs/{first}").json()["state"] == "done"
                again = send(client, headers={"Idempotency-Key": "x"}).json()["id"]
                assert ended(client, again)["state"] == "done"
                service.__exit__(None, None, None)
        except BaseException:
            service.__exit__(None, None, None)
            raise
