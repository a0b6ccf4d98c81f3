"""Delivering one notice by mail: plain text, to the address the issuer has verified."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import attrs

from ..auth.origin import is_loopback
from .outcome import Outcome

if TYPE_CHECKING:
    from ..records.tables import Notice
    from ..settings import Settings

_STATES = {
    "done": "is done",
    "partial": "is done in part",
    "failed": "failed",
    "cancelled": "was cancelled",
}
_PERMANENT = 500


@attrs.frozen
class Server:
    """A mail server, from ``smtp://user:password@host:587`` (or ``smtps://``)."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> Server:
        """Read the URL.

        Raises:
            ValueError: If it is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("smtp must look like smtp://user:password@host:587")
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            parts.port or (465 if tls else 587),
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


async def mail(notice: Notice, address: str, settings: Settings, timeout: float) -> Outcome:
    """Send a notice once.

    A password is never sent in clear, except to this machine.
    """
    server = Server.parse(settings.smtp)
    must_encrypt = server.user is not None and not is_loopback(server.host)
    import aiosmtplib  # late: most services send no mail

    try:
        message = compose(notice, address, settings)
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=None if server.tls or not must_encrypt else True,
            tls_context=ssl.create_default_context(),
            timeout=timeout,
        )
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
        code = getattr(error, "code", 0)
        return Outcome(False, str(error), final=code >= _PERMANENT)
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return Outcome(False, f"{type(error).__name__}: {error}")
    return Outcome(True, "sent")


def compose(notice: Notice, address: str, settings: Settings) -> EmailMessage:
    """The mail.

    Raises:
        ValueError: If an address could be taken for something else.
    """
    state = str(notice.payload.get("state", ""))
    # A job is called as its user likes; in a header it stays on one line.
    name = " ".join(str(notice.payload.get("name", "")).split())
    name = "".join(each for each in name if each.isprintable())[:120] or "Your music"
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = address
    message["Subject"] = f"{name} {_STATES.get(state, state)}"
    message["Auto-Submitted"] = "auto-generated"
    message["Message-ID"] = f"<{notice.id}@{settings.mail_from.rpartition('@')[2].strip('> ')}>"
    lines = [f"{name} {_STATES.get(state, state)}."]
    if isinstance(error := notice.payload.get("error"), dict):
        lines.append(str(error.get("message", "")))
    if settings.public_url:
        lines.append(f"{settings.public_url.rstrip('/')}/jobs/{notice.job_id}")
    message.set_content("\n\n".join(line for line in lines if line) + "\n")
    return message
