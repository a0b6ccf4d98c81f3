"""What goes by itself, and what is looked after from the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from ensemble_server.commands.admin import command as admin
from ensemble_server.jobs.retention import sweep
from ensemble_server.records.tables import Job, now
from ensemble_server.service import Service
from ensemble_server.storage import job_of, start_of
from fastapi.testclient import TestClient
from serving import ended, send
from sqlalchemy import select, update


def set_back(service: Service, job_id: str, **values: object) -> None:
    with service.database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))


def test_old_jobs_broken_uploads_and_lost_files_go(client: TestClient) -> None:
    service: Service = client.app.state.service
    old = ended(client, send(client).json()["id"])["id"]
    young = ended(client, send(client).json()["id"])["id"]
    broken = service.receive(client.app.state.auth._local_id)
    broken.begin_file("a.png")
    broken.write(b"x")
    broken.end_file()
    service.store.put(f"{start_of('nobody-knows')}1-0.midi", b"x")
    set_back(service, old, expires=now() - timedelta(seconds=1))
    set_back(service, broken.job_id, created=now() - timedelta(hours=2))
    swept = sweep(service, thorough=True)
    assert (swept.expired, swept.broken, swept.lost) == (1, 1, 1)
    assert client.get(f"/v1/jobs/{old}").status_code == 404
    assert client.get(f"/v1/jobs/{young}").status_code == 200
    assert {job_of(key) for key in service.store.files("jobs")} == {young}
    with service.database.read() as session:
        assert session.scalars(select(Job.id)).all() == [young]


def test_keys_by_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    key = run(admin, ["--folder", str(tmp_path), "keys", "create", "ci", "--scope", "jobs:read"])
    assert key.exit_code == 0 and key.output.startswith("ens_"), key.output
    listed = run(admin, ["--folder", str(tmp_path), "keys", "list"]).output
    assert key.output.strip() not in listed and "jobs:read" in listed
    gone = run(admin, ["--folder", str(tmp_path), "keys", "revoke", key.output[:16]])
    assert gone.exit_code == 0
    assert "revoked" in run(admin, ["--folder", str(tmp_path), "keys", "list"]).output
    assert run(admin, ["--folder", str(tmp_path), "migrate", "--current"]).output.startswith("0")
    assert run(admin, ["--folder", str(tmp_path), "jobs"]).exit_code == 0
    assert "local" in run(admin, ["--folder", str(tmp_path), "users"]).output
