"""The Python client against a real server process of its own, and against one that misbehaves."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.client import (
    Busy,
    Client,
    Conflict,
    Denied,
    JobFailed,
    NotFound,
    Rejected,
    ServerFault,
    TooLarge,
    Unreachable,
    UnsupportedFile,
)
from ensemble_server.settings import Settings
from serving import picture, serving

from ensemble_core.model import InputError, OutputError

MOCK: dict[str, Any] = {"recognizer": "mock", "export": ["musicxml", "midi"]}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with small limits."""
    limits = {"file_bytes": 200_000, "files": 3}
    folder = tmp_path_factory.mktemp("service")
    with serving(Settings(folder=folder, workers=2, limits=limits)) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, patience=20) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    path.write_bytes(picture())
    return path


def test_from_files_to_files(client: Client, page: Path, tmp_path: Path) -> None:
    job = client.submit(page, **MOCK)
    assert job.state in {"queued", "running"} and job.name == "page.png"
    kinds: list[str] = []
    job.wait(on_event=lambda event: kinds.append(event.kind), timeout=60)
    assert job.raise_for_state().state == "done"
    assert kinds[0] == "queued" and "page" in kinds and kinds[-1] == "done"
    assert {file.name for file in job.outputs} == {"page.musicxml", "page.mid", "report.json"}
    saved = job.download("page.musicxml", f"{tmp_path}/new/")
    assert saved == tmp_path / "new" / "page.musicxml"
    assert saved.read_bytes() == job.read("page.musicxml")
    assert saved.read_bytes().startswith(b"<?xml")
    named = job.download("page.mid", tmp_path / "tune.mid")
    assert named.read_bytes()[:4] == b"MThd"
    packed = job.package(tmp_path)
    with zipfile.ZipFile(packed) as archive:
        assert set(archive.namelist()) == {"page.musicxml", "page.mid", "report.json"}
    assert job.read("page.png", kind="input") == page.read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_several_files_are_one_score_and_bytes_do_as_well(client: Client, page: Path) -> None:
    job = client.submit([page, ("second.png", picture(shade=9))], name="Both", **MOCK).wait()
    assert job.name == "Both" and [each["number"] for each in job.pages] == [1, 2]


def test_events_go_on_after_a_number(client: Client, page: Path) -> None:
    job = client.submit(page, recognizer="mock").wait()
    every = [event for event in job.events() if event.number]
    rest = [event for event in job.events(after=every[1].number or 0) if event.number]
    assert [event.number for event in rest] == [event.number for event in every[2:]]
    assert list(job.events(after=every[-1].number or 0)) == []


def test_a_list_of_jobs_is_fetched_page_by_page(client: Client) -> None:
    sent = [client.submit((f"{n}.png", picture(shade=n)), name=f"listed {n}") for n in range(5)]
    found = [job.id for job in client.jobs(name="listed", page=2)]
    assert found == [job.id for job in reversed(sent)]
    for job in sent:
        client.cancel(job.id)
    states = {job.state for job in client.jobs(states=["queued"], name="listed")}
    assert states <= {"queued"}


def test_cancel_retry_delete(client: Client, page: Path) -> None:
    slow = {"mock": {"fault": "delay", "delay": "60s"}}
    job = client.submit(page, recognizer="mock", options=slow)
    client.cancel(job.id)
    assert job.wait(timeout=30).state == "cancelled"
    with pytest.raises(JobFailed) as failed:
        job.raise_for_state()
    assert failed.value.code == "cancelled" and int(failed.value.cause_error.exit_code) == 130
    assert client.retry(job.id).state in {"queued", "running"}
    with pytest.raises(Conflict):
        client.retry(job.id)
    client.delete(job.id)
    with pytest.raises(NotFound) as gone:
        client.job(job.id)
    assert gone.value.code == "job-not-found" and gone.value.status == 404
    assert gone.value.request_id


def test_a_job_that_fails_says_why_as_if_it_had_failed_here(client: Client, page: Path) -> None:
    job = client.submit(page, recognizer="mock", options={"mock": {"fault": "nothing"}}).wait()
    with pytest.raises(JobFailed) as failed:
        job.raise_for_state()
    assert failed.value.code == "recognition-failed"
    assert int(failed.value.cause_error.exit_code) == 5


def test_refusals_have_types_and_codes(client: Client, page: Path, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as wrong:
        client.submit(page, recognizer="mokc")
    assert wrong.value.status == 422 and "mock" in str(wrong.value)
    with pytest.raises(UnsupportedFile):
        client.submit(("page.html", b"<!doctype html><script>1</script>"))
    with pytest.raises(TooLarge) as large:
        client.submit(("page.png", picture() + bytes(300_000)))
    assert large.value.code == "file-too-large"
    with pytest.raises(TooLarge) as many:
        client.submit([("p.png", picture())] * 4)
    assert many.value.code == "too-many-files"
    with pytest.raises(InputError):
        client.submit(tmp_path / "missing.png")
    with pytest.raises(NotFound):
        client.job("no-such-job")
    with pytest.raises(Conflict) as reused:
        client.submit(page, idempotency_key="once", **MOCK)
        client.submit(page, idempotency_key="once", export=["midi"])
    assert reused.value.code == "idempotency-key-reused"


def test_a_wrong_key_is_denied(url: str) -> None:
    with Client(url, "ens_wrong", patience=1) as client, pytest.raises(Denied) as denied:
        next(client.jobs())
    assert denied.value.status == 401


def test_the_same_key_gives_the_same_job(client: Client, page: Path) -> None:
    first, second = (client.submit(page, idempotency_key="twice", **MOCK) for _ in range(2))
    assert first.id == second.id


def test_nothing_is_overwritten_unless_asked(client: Client, page: Path, tmp_path: Path) -> None:
    job = client.submit(page, **MOCK).wait()
    place = tmp_path / "here.xml"
    place.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        job.download("page.musicxml", place, overwrite=False)
    assert place.read_text() == "mine"
    with pytest.raises(NotFound):
        job.download("no-such-file", place)
    assert place.read_text() == "mine" and not list(tmp_path.glob("*.tmp"))


def test_capabilities_name_what_is_installed(client: Client) -> None:
    told = client.capabilities()
    assert "image/png" in told["accepts"] and told["limits"]["files"] == 3


def test_waiting_too_long_is_a_timeout(client: Client, page: Path) -> None:
    slow = {"mock": {"fault": "delay", "delay": "60s"}}
    job = client.submit(page, recognizer="mock", options=slow)
    with pytest.raises(TimeoutError):
        job.wait(timeout=0.1)
    job.cancel()


def test_no_service_is_one_clear_error() -> None:
    with Client("http://127.0.0.1:1", patience=0.2) as client, pytest.raises(Unreachable) as away:
        client.capabilities()
    assert "http://127.0.0.1:1" in str(away.value) and "\n" not in str(away.value)
    with pytest.raises(Unreachable):
        Client("carrier-pigeon://coop", patience=0).capabilities()


# -- a server that misbehaves ----------------------------------------------------------


@contextmanager
def answering(answer: Callable[[Any, int], None]) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers the nth request as a function says; gives the requests as well."""
    seen: list[Any] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with lock:
                seen.append((self.command, self.path, dict(self.headers), body, time.monotonic()))
                number = len(seen)
            answer(self, number)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(handler: Any, status: int, body: Any, **headers: str) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


JOB = {"id": "j", "name": "page.png", "state": "queued", "created": "2026-01-01T00:00:00Z"}


def test_a_busy_service_is_asked_again_when_it_says(page: Path) -> None:
    def answer(handler: Any, number: int) -> None:
        if number == 1:
            reply(handler, 429, {"code": "too-many-jobs"}, Retry_After="1")
        elif number == 2:
            reply(handler, 503, b"<html>")
        else:
            reply(handler, 202, JOB)

    with answering(answer) as (address, seen), Client(address, patience=30) as client:
        assert client.submit(page).id == "j"
    assert len(seen) == 3 and seen[1][4] - seen[0][4] >= 0.95
    keys = {
        headers.get("idempotency-key") or headers["Idempotency-Key"] for _, _, headers, _, _ in seen
    }
    assert len(keys) == 1, "another key would make another job"
    assert all(page.read_bytes() in body for _, _, _, body, _ in seen), (
        "the file goes along each time"
    )


def test_patience_ends(page: Path) -> None:
    def answer(handler: Any, number: int) -> None:
        reply(handler, 429, {"code": "too-many-jobs", "detail": "slowly"}, Retry_After="60")

    with answering(answer) as (address, seen), Client(address, patience=2) as client:
        began = time.monotonic()
        with pytest.raises(Busy) as busy:
            client.submit(page)
    assert busy.value.retry_after == 60 and busy.value.code == "too-many-jobs"
    assert len(seen) == 1 and time.monotonic() - began < 2


def test_a_fault_is_not_repeated(page: Path) -> None:
    def answer(handler: Any, number: int) -> None:
        reply(handler, 500, {"code": "internal-error", "request_id": "abc"})

    with (
        answering(answer) as (address, seen),
        Client(address, patience=5) as client,
        pytest.raises(ServerFault) as fault,
    ):
        client.capabilities()
    assert fault.value.request_id == "abc" and len(seen) == 1


def test_a_download_that_breaks_off_begins_again_and_is_whole(tmp_path: Path) -> None:
    def answer(handler: Any, number: int) -> None:
        if number == 1:
            handler.send_response(200)
            handler.send_header("Content-Length", "6")
            handler.end_headers()
            handler.wfile.write(b"abc")
            handler.close_connection = True
        else:
            reply(handler, 200, b"abcdef")

    from ensemble_server.client.jobs import Job

    with answering(answer) as (address, seen), Client(address, patience=10) as client:
        saved = Job(client._wire, JOB).download("x", tmp_path / "x")
    assert saved.read_bytes() == b"abcdef" and len(seen) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_download_that_never_arrives_leaves_nothing(tmp_path: Path) -> None:
    def answer(handler: Any, number: int) -> None:
        reply(handler, 200, b"abcdef", ETag=f'"{"0" * 64}"')

    from ensemble_server.client.jobs import Job

    place = tmp_path / "x"
    place.write_text("mine")
    with (
        answering(answer) as (address, _),
        Client(address, patience=1) as client,
        pytest.raises(Unreachable, match="damaged"),
    ):
        Job(client._wire, JOB).download("x", place)
    assert place.read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_name_from_the_service_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    from ensemble_server.client.jobs import Job

    (tmp_path / "folder").mkdir()
    with (
        answering(lambda handler, number: reply(handler, 200, b"x")) as (address, _),
        Client(address, patience=1) as client,
    ):
        saved = Job(client._wire, JOB).download("../../etc/passwd", tmp_path / "folder")
    assert saved == tmp_path / "folder" / "passwd"


def test_events_go_on_when_the_connection_breaks() -> None:
    def answer(handler: Any, number: int) -> None:
        if number == 1:
            text = 'id: 1\nevent: queued\ndata: {"number": 1, "kind": "queued", "data": {}}\n\n'
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(text.encode())
            handler.close_connection = True
        else:
            told = {"number": 2, "kind": "done", "data": {}}
            reply(handler, 200, f": alive\n\ndata: {json.dumps(told)}\n\n".encode())

    from ensemble_server.client.jobs import Job

    with answering(answer) as (address, seen), Client(address, patience=10) as client:
        kinds = [event.kind for event in Job(client._wire, JOB).events()]
    assert kinds == ["queued", "done"]
    assert seen[0][1].endswith("after=0") and seen[1][1].endswith("after=1")
