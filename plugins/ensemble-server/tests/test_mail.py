"""Mails about ended jobs, to a real mail server."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from ensemble_server.app import create_app
from ensemble_server.auth.users import user_id_of
from ensemble_server.notices import announce, send_due
from ensemble_server.notices.mail import Server, compose
from ensemble_server.records.database import Database
from ensemble_server.records.tables import Job, Notice, User
from ensemble_server.settings import Settings
from sqlalchemy import select


class Box:
    """Takes mail."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        return self.answer


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def settings(tmp_path: Path, box: Box) -> Iterator[Settings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield Settings(
        folder=tmp_path,
        workers=0,
        smtp=f"smtp://127.0.0.1:{port}",
        mail_from="Ensemble <music@example.org>",
        public_url="https://music.example",
    )
    controller.stop()


@pytest.fixture
def database(settings: Settings) -> Database:
    found: Database = create_app(settings).state.auth.database
    return found


def end_job(
    database: Database, name: str = "Sonata", wants: bool = True, **more: Any
) -> Notice | None:
    user = user_id_of(database, "https://x", "anna", email="anna@example.org")
    with database.write() as session:
        session.get_one(User, user).notify_by_mail = wants
        job = Job(user_id=user, name=name, options={}, **{"state": "done", **more})
        session.add(job)
        session.flush()
        announce(session, job)
        return session.scalar(select(Notice))


def test_who_wants_mail_gets_it(database: Database, settings: Settings, box: Box) -> None:
    end_job(database, error={"code": "no-music", "message": "There is no music."}, state="failed")
    assert send_due(database, settings) == 1
    [(to, message)] = box.mails
    assert to == ["anna@example.org"]
    assert message["Subject"] == "Sonata failed"
    assert message["From"] == "Ensemble <music@example.org>"
    assert message.get_content_type() == "text/plain"
    assert "There is no music." in message.get_content()
    assert "https://music.example/jobs/" in message.get_content()
    assert send_due(database, settings) == 0


def test_who_does_not_gets_none(database: Database, settings: Settings, box: Box) -> None:
    end_job(database, wants=False)
    assert send_due(database, settings) == 0
    assert box.mails == []


@pytest.mark.parametrize(
    "name",
    ["a\r\nBcc: eve@example.org", "a\nSubject: b", "\x00\x1b[31m", "é" * 400, "a\u2028b", "."],
)
def test_a_name_makes_no_header(
    database: Database, settings: Settings, box: Box, name: str
) -> None:
    end_job(database, name)
    send_due(database, settings)
    [(to, message)] = box.mails
    assert to == ["anna@example.org"]
    assert message["Bcc"] is None
    assert message.get_all("Subject") == [message["Subject"]]
    assert message["Subject"].endswith(" is done")


def test_a_server_that_is_busy_is_tried_again(
    database: Database, settings: Settings, box: Box
) -> None:
    box.answer = "451 later"
    end_job(database)
    send_due(database, settings)
    with database.read() as session:
        notice = session.scalars(select(Notice)).one()
    assert notice.state == "waiting"
    assert "later" in notice.last_answer


def test_a_server_that_refuses_is_not(database: Database, settings: Settings, box: Box) -> None:
    box.answer = "550 no"
    end_job(database)
    send_due(database, settings)
    with database.read() as session:
        assert session.scalars(select(Notice.state)).one() == "given-up"


def test_an_address_that_is_two_is_refused(database: Database, settings: Settings) -> None:
    notice = end_job(database)
    assert notice is not None
    with pytest.raises(ValueError, match="Header values"):
        compose(notice, "a@example.org\nBcc: b@example.org", settings)


def test_a_password_is_not_sent_in_clear(database: Database, settings: Settings, box: Box) -> None:
    """The server offers no TLS and does not look like this machine (127.0.0.1, as one number)."""
    port = Server.parse(settings.smtp).port
    elsewhere = settings.model_copy(update={"smtp": f"smtp://u:secret@2130706433:{port}"})
    end_job(database)
    send_due(database, elsewhere)
    assert box.mails == []
    with database.read() as session:
        assert "STARTTLS" in session.scalars(select(Notice.last_answer)).one()


def test_the_mail_server_is_read_from_its_url() -> None:
    server = Server.parse("smtp://a%40b:p%3Aw@mail.example")
    assert (server.host, server.port, server.tls) == ("mail.example", 587, False)
    assert (server.user, server.password) == ("a@b", "p:w")
    assert Server.parse("smtps://mail.example").port == 465
    with pytest.raises(ValueError, match="smtp"):
        Server.parse("http://mail.example")
