"""The database goes away for a while, and comes back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stack as stacks
from ensemble_server.records import migrate
from ensemble_server.records.database import Database
from ensemble_server.settings import Settings
from serving import ended, send, serving

pytestmark = pytest.mark.skipif(bool(stacks.lacking()), reason=stacks.lacking() or "-")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder another user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="ensemble-stack-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_it_says_so_and_goes_on_afterwards(place: Path, tmp_path: Path) -> None:
    port = stacks.free_port()
    settings = Settings(
        folder=tmp_path, workers=1, database=f"postgresql://test@127.0.0.1:{port}/postgres"
    )
    with stacks.postgres(place, port):
        database = Database(settings.database)
        migrate.upgrade(database)
        database.close()
    with httpx.Client(timeout=60) as client:
        with stacks.postgres(place, port):
            running = serving(settings)
            client.base_url = running.__enter__()
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
            with stacks.postgres(place, port):
                assert client.get(f"/v1/jobs/{first}").json()["state"] == "done"
                again = send(client, headers={"Idempotency-Key": "x"}).json()["id"]
                assert ended(client, again)["state"] == "done"
                running.__exit__(None, None, None)
        except BaseException:
            running.__exit__(None, None, None)
            raise
