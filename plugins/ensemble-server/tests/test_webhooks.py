"""Webhooks: what is sent, signed and tried again; by one sender at a time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ensemble_server.app import create_app
from ensemble_server.auth.users import user_id_of
from ensemble_server.notices import announce, loop, send_due, sending, taking
from ensemble_server.notices.outcome import WAITS, wait_after
from ensemble_server.notices.signing import is_genuine, sign
from ensemble_server.notices.taking import forget, take
from ensemble_server.records.database import Database
from ensemble_server.records.tables import Job, Notice, Webhook, now
from ensemble_server.settings import Settings
from fastapi.testclient import TestClient
from service_receiving import Receiver, make_certificates
from serving import LOOPBACK, send, wait_for
from sqlalchemy import select, update

pytestmark = pytest.mark.long


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def settings(tmp_path: Path, stores: dict[str, Any]) -> Settings:
    return Settings(folder=tmp_path, workers=0, webhooks_to_private=True, **stores)


@pytest.fixture
def client(settings: Settings) -> TestClient:
    app = create_app(settings)
    return TestClient(app, base_url=LOOPBACK, client=("127.0.0.1", 5))


@pytest.fixture
def database(client: TestClient) -> Database:
    found: Database = client.app.state.auth.database  # type: ignore[attr-defined]
    return found


def add(client: TestClient, url: str) -> dict[str, Any]:
    made = client.post("/v1/webhooks", json={"url": url})
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    found: dict[str, Any] = made.json()
    return found


def end_jobs(database: Database, number: int = 1) -> list[str]:
    """Jobs of the local user that end now, and are announced."""
    user = user_id_of(database, "local", "local")
    with database.write() as session:
        jobs = [Job(user_id=user, name="Sonata", state="done", options={}) for _ in range(number)]
        session.add_all(jobs)
        session.flush()
        for job in jobs:
            announce(session, job)
        return [job.id for job in jobs]


def deliveries(client: TestClient, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/webhooks/{hook['id']}/deliveries").json()[
        "deliveries"
    ]
    return found


def make_due(database: Database) -> None:
    with database.write() as session:
        session.execute(
            update(Notice).where(Notice.state == "waiting").values(next_try=now() - timedelta(1))
        )


def test_the_end_of_a_job_is_told_and_signed(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, f"{receiver.url}/hook?a=b")
    assert hook["secret"] not in client.get("/v1/webhooks").text
    [job] = end_jobs(database)
    assert send_due(database, settings) == 1
    [message] = receiver.messages
    assert message.path == "/hook?a=b"
    content = json.loads(message.body)
    assert content["event"] == message.headers["ensemble-event"] == "job.done"
    assert content["id"] == message.headers["ensemble-delivery"]
    assert content["data"]["job"] == job
    assert content["data"]["name"] == "Sonata"
    signature = message.headers["ensemble-signature"]
    assert is_genuine(hook["secret"], signature, message.body, int(time.time()))
    [delivery] = deliveries(client, hook)
    assert (delivery["state"], delivery["attempt"]) == ("delivered", 1)
    assert delivery["last_answer"].startswith("204")
    assert send_due(database, settings) == 0


def test_a_real_job_is_told_of(tmp_path: Path, receiver: Receiver) -> None:
    settings = Settings(folder=tmp_path, workers=1, webhooks_to_private=True)
    with TestClient(create_app(settings), base_url=LOOPBACK, client=("127.0.0.1", 5)) as client:
        add(client, receiver.url)
        job = send(client).json()["id"]
        wait_for(lambda: receiver.messages)
        assert json.loads(receiver.messages[0].body)["data"]["job"] == job


def test_signatures_hold_for_this_body_this_secret_and_a_while() -> None:
    signature = sign("secret", b"body", 1000)
    assert is_genuine("secret", signature, b"body", 1000)
    assert is_genuine("secret", signature, b"body", 1299)
    assert not is_genuine("secret", signature, b"body", 1301)
    assert not is_genuine("secret", signature, b"bodY", 1000)
    assert not is_genuine("Secret", signature, b"body", 1000)
    assert not is_genuine("secret", signature.replace("t=1000", "t=1001"), b"body", 1000)
    for rubbish in ("", "t=,v1=", "v1=" + "0" * 64, f"{signature},v1=x"):
        assert not is_genuine("secret", rubbish, b"body", 1000)


def test_what_the_documentation_tells_receivers_to_do_works() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "service-access.md"
    if not page.exists():
        pytest.skip("the documentation is not here")
    code = page.read_text().partition("```python\n")[2].partition("```")[0]
    told: dict[str, Any] = {}
    exec(code, told)
    present = int(time.time())
    assert told["is_genuine"]("secret", sign("secret", b"body", present), b"body")
    assert not told["is_genuine"]("secret", sign("secret", b"body", present - 301), b"body")
    assert not told["is_genuine"]("other", sign("secret", b"body", present), b"body")


def test_what_fails_is_tried_again_with_growing_waits(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, f"{receiver.url}/down")
    receiver.answers["/down"] = 503
    end_jobs(database)
    waits = []
    for attempt in range(1, len(WAITS) + 2):
        assert send_due(database, settings) == 1
        assert send_due(database, settings) == 0  # not before its time
        [delivery] = deliveries(client, hook)
        assert delivery["attempt"] == attempt
        with database.read() as session:
            row = session.scalars(select(Notice)).one()
        waits.append((row.next_try - now()).total_seconds())
        make_due(database)
    assert delivery["state"] == "given-up"
    assert delivery["last_answer"].startswith("503")
    assert waits[:-1] == sorted(waits[:-1]) and waits[0] > 5
    assert len({message.headers["ensemble-delivery"] for message in receiver.messages}) == 1
    assert send_due(database, settings) == 0


def test_waits_vary_and_end() -> None:
    assert len({wait_after(1) for _ in range(10)}) > 1
    assert wait_after(len(WAITS)) is not None
    assert wait_after(len(WAITS) + 1) is None


def test_a_receiver_that_comes_back_gets_it(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, f"{receiver.url}/flaky")
    receiver.answers["/flaky"] = 500
    end_jobs(database)
    send_due(database, settings)
    receiver.answers.clear()
    make_due(database)
    send_due(database, settings)
    assert [each["state"] for each in deliveries(client, hook)] == ["delivered"]


def test_gone_is_gone(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, f"{receiver.url}/gone")
    receiver.answers["/gone"] = 410
    end_jobs(database)
    send_due(database, settings)
    assert [each["state"] for each in deliveries(client, hook)] == ["given-up"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver, status: int
) -> None:
    hook = add(client, f"{receiver.url}/moved")
    receiver.answers["/moved"] = status
    receiver.location = f"{receiver.url}/elsewhere"
    end_jobs(database)
    send_due(database, settings)
    assert [message.path for message in receiver.messages] == ["/moved"]
    assert [each["state"] for each in deliveries(client, hook)] == ["waiting"]


def test_many_senders_send_each_notice_once(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    for number in range(10):
        add(client, f"{receiver.url}/{number}")
    end_jobs(database, 20)
    others = [Database(settings.database_url) for _ in range(4)]  # as four nodes

    def drain(node: Database) -> int:
        sent = 0
        while count := send_due(node, settings):
            sent += count
        return sent

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(drain, others)) == 200
    counts = Counter(message.headers["ensemble-delivery"] for message in receiver.messages)
    assert len(counts) == 200 and set(counts.values()) == {1}


def test_what_a_dead_sender_took_is_sent_by_another(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, receiver.url)
    end_jobs(database)
    assert len(take(database, now(), 50)) == 1  # and then it died
    assert send_due(database, settings) == 0
    with database.write() as session:
        session.execute(update(Notice).values(lease_until=now() - timedelta(seconds=1)))
    assert send_due(database, settings) == 1
    assert [each["attempt"] for each in deliveries(client, hook)] == [2]


def test_a_slow_receiver_is_not_waited_for_forever(
    client: TestClient,
    database: Database,
    settings: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 1.0)
    hook = add(client, f"{receiver.url}/slow")
    end_jobs(database)
    begun = time.monotonic()
    assert send_due(database, settings) == 1
    assert time.monotonic() - begun < 10
    assert "No answer" in deliveries(client, hook)[0]["last_answer"]


def test_a_slow_receiver_holds_up_nobody_else(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    """Sixty messages to one that never answers, and twenty of another user behind them."""
    add(client, f"{receiver.url}/slow")
    end_jobs(database, 60)
    other = user_id_of(database, "https://x", "other")
    with database.write() as session:
        session.add(Webhook(user_id=other, url=f"{receiver.url}/quick", secret="s"))
        session.flush()
        for _ in range(20):
            job = Job(user_id=other, name="a", state="done", options={})
            session.add(job)
            session.flush()
            announce(session, job)
    stop = threading.Event()
    thread = threading.Thread(target=loop, args=(database, settings, stop, 0.1))
    begun = time.monotonic()
    thread.start()
    try:
        wait_for(lambda: Counter(each.path for each in receiver.messages)["/quick"] == 20)
        assert time.monotonic() - begun < sending.TIMEOUT
        assert Counter(each.path for each in receiver.messages)["/slow"] <= 2 * taking.PER_USER
    finally:
        receiver.hold.set()
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_a_name_that_changes_its_address_leads_nowhere(
    client: TestClient,
    database: Database,
    settings: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: what was public when it was registered is private when it is sent."""
    answers = ["1.1.1.1"]
    asked = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "rebound.example":
            return real(host, port, *args, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[0], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    strict = settings.model_copy(update={"webhooks_to_private": False})
    client.app.state.settings = strict  # type: ignore[attr-defined]
    port = receiver.url.rpartition(":")[2]
    hook = add(client, f"https://rebound.example:{port}/")
    answers[0] = "127.0.0.1"
    end_jobs(database)
    send_due(database, strict)
    assert receiver.messages == []
    assert "not on the public internet" in deliveries(client, hook)[0]["last_answer"]
    # And where private addresses are allowed, there is one look-up, and Host is the name.
    asked.clear()
    with database.write() as session:
        session.execute(update(Webhook).values(url=f"http://rebound.example:{port}/"))
    make_due(database)
    send_due(database, settings)
    assert asked == ["rebound.example"]
    assert receiver.messages[0].headers["host"] == f"rebound.example:{port}"


def test_a_webhook_can_be_tried(
    client: TestClient, settings: Settings, receiver: Receiver, database: Database
) -> None:
    hook = add(client, f"{receiver.url}/try")
    tried = client.post(f"/v1/webhooks/{hook['id']}/test").json()
    assert (tried["event"], tried["state"], tried["attempt"]) == ("ping", "delivered", 1)
    receiver.answers["/try"] = 404
    tried = client.post(f"/v1/webhooks/{hook['id']}/test").json()
    assert (tried["state"], tried["last_answer"]) == ("given-up", "404 Not Found")
    assert send_due(database, settings) == 0
    assert [message.headers["ensemble-event"] for message in receiver.messages] == ["ping"] * 2


def test_a_removed_webhook_gets_nothing(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, receiver.url)
    end_jobs(database)
    assert client.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    assert send_due(database, settings) == 0
    assert receiver.messages == []
    for path in ("", "/deliveries"):
        assert (
            client.request(
                "DELETE" if not path else "GET", f"/v1/webhooks/{hook['id']}{path}"
            ).status_code
            == 404
        )
    assert client.post(f"/v1/webhooks/{hook['id']}/test").status_code == 404


def test_there_are_not_too_many_webhooks(client: TestClient, receiver: Receiver) -> None:
    for _ in range(20):
        add(client, receiver.url)
    answer = client.post("/v1/webhooks", json={"url": receiver.url})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-webhooks")


def test_the_loop_sends_by_itself_and_stops(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    add(client, receiver.url)
    stop = threading.Event()
    thread = threading.Thread(target=loop, args=(database, settings, stop, 0.1))
    thread.start()
    try:
        end_jobs(database, 3)
        wait_for(lambda: len(receiver.messages) == 3)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_old_deliveries_are_forgotten(
    client: TestClient, database: Database, settings: Settings, receiver: Receiver
) -> None:
    hook = add(client, receiver.url)
    end_jobs(database)
    send_due(database, settings)
    forget(database, now() - timedelta(days=30))
    assert len(deliveries(client, hook)) == 1
    forget(database, now() + timedelta(days=1))
    assert deliveries(client, hook) == []


def test_with_tls_the_certificate_must_be_of_the_name(
    database: Database,
    client: TestClient,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection goes to the address that was looked up, the certificate is of the name."""
    from ensemble_server.notices import posting

    authority, certificate = tmp_path / "ca.pem", tmp_path / "server.pem"
    make_certificates(authority, certificate, "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    posting._trusted.cache_clear()
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        there = "127.0.0.1" if str(host).endswith(".example") else host
        return real(there, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    receiver = Receiver(certificate)
    try:
        port = receiver.url.rpartition(":")[2]
        good = add(client, f"https://hooks.example:{port}/")
        wrong = add(client, f"https://other.example:{port}/")
        end_jobs(database)
        send_due(database, settings)
        assert deliveries(client, good)[0]["state"] == "delivered"
        assert "CERTIFICATE_VERIFY_FAILED" in deliveries(client, wrong)[0]["last_answer"]
        assert [each.headers["host"] for each in receiver.messages] == [f"hooks.example:{port}"]
    finally:
        receiver.close()
        posting._trusted.cache_clear()
