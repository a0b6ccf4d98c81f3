"""Delivering one notice to a webhook."""

from __future__ import annotations

import json
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING

import anyio.to_thread

from .addresses import AddressRefused, look_up
from .outcome import Outcome
from .signing import HEADER, sign

if TYPE_CHECKING:
    import httpx

    from ..records.tables import Notice, Webhook


async def post(
    client: httpx.AsyncClient, notice: Notice, webhook: Webhook, *, private: bool
) -> Outcome:
    """Send a notice once; redirects are not followed, and of the answer only the status counts.

    Args:
        client: From :func:`make_client`.
        notice: What to send.
        webhook: Where to.
        private: Whether it may go to private addresses.
    """
    import httpx  # late: it takes a while, and most services have no webhooks

    try:
        # A look-up cannot be cut short; its thread is left behind when the time is over.
        target = await anyio.to_thread.run_sync(
            lambda: look_up(webhook.url, private=private), abandon_on_cancel=True
        )
    except AddressRefused as error:
        return Outcome(False, str(error))
    body = body_of(notice)
    request = client.build_request(
        "POST",
        target.url,
        content=body,
        headers={
            "Host": target.netloc,
            "Content-Type": "application/json",
            "User-Agent": "Ensemble-Webhook/1",
            "Ensemble-Event": notice.event,
            "Ensemble-Delivery": notice.id,
            HEADER: sign(webhook.secret, body, int(time.time())),
        },
        # The connection goes to the address; the certificate must be of the name.
        extensions={"sni_hostname": target.host},
    )
    try:
        response = await client.send(request, stream=True)
        await response.aclose()
    except httpx.HTTPError as error:
        return Outcome(False, f"{type(error).__name__}: {error}")
    said = f"{response.status_code} {response.reason_phrase}"
    return Outcome(response.is_success, said, final=response.status_code == httpx.codes.GONE)


def make_client(timeout: float) -> httpx.AsyncClient:
    """A client that goes straight to where it is sent: no redirects, no proxies, nothing kept."""
    import httpx

    return httpx.AsyncClient(
        timeout=timeout,
        verify=_trusted(),
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The system's authorities (or those of ``SSL_CERT_FILE``), and those every browser knows."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def body_of(notice: Notice) -> bytes:
    """What is sent."""
    content = {
        "id": notice.id,
        "event": notice.event,
        "created": notice.created.isoformat(),
        "data": notice.payload,
    }
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
