"""Where a request comes from: this machine or not, one's own pages or a foreign one's.

A browser sends cookies (and, for the local user, simply *is* on this machine) whatever page made
the request. So a request that is known by that alone must come from one's own pages.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from ..api.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host (a name or an address, without port) means this machine.

    A name counts only if no resolver can be made to say otherwise: ``localhost`` itself.
    """
    host = host.strip("[]").lower()
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def host_name(netloc: str) -> str:
    """The host of ``host:port``; empty if it is no such thing."""
    if not re.fullmatch(r"[A-Za-z0-9.\[\]:-]*", netloc):
        return ""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def is_local(connection: HTTPConnection) -> bool:
    """Whether a request was made on this machine, to this machine, by way of nobody.

    The ``Host`` must be a loopback one: a foreign page whose name was made to resolve to
    127.0.0.1 (DNS rebinding) still sends its own name. A proxy on this machine that says so is
    not taken for a local user either.
    """
    client = connection.client
    return (
        client is not None
        and is_loopback(client.host)
        and is_loopback(host_name(connection.headers.get("host", "")))
        and not any(name in connection.headers for name in _FORWARDED)
    )


def require_own_page(connection: HTTPConnection, public_url: str) -> None:
    """Refuse a request that a browser makes for a foreign page.

    Programs send neither ``Origin`` nor ``Sec-Fetch-Site`` and pass; browsers send at least one
    with everything that changes something, and with every WebSocket.

    Raises:
        Problem: 403 ``foreign-origin``.
    """
    headers = connection.headers
    safe = connection.scope["type"] == "http" and connection.scope["method"] in SAFE_METHODS
    origin = headers.get("origin") or ("" if safe else headers.get("referer", ""))
    site = headers.get("sec-fetch-site", "none")
    # To follow a link from elsewhere is fine: the page that made it sees nothing of the answer.
    followed = safe and headers.get("sec-fetch-mode") == "navigate"
    foreign = site not in {"same-origin", "none"} and not followed
    if foreign or (origin and not _own(origin, headers.get("host", ""), public_url)):
        raise Problem(
            403, "foreign-origin", "This request was made by a page of another site; use a key."
        )


def _own(origin: str, host: str, public_url: str) -> bool:
    try:
        given = urlsplit(origin)
        if public_url:
            known = urlsplit(public_url)
            return (given.scheme, given.netloc.lower()) == (known.scheme, known.netloc.lower())
    except ValueError:
        return False
    # Without a stated URL the scheme people see is not known (a proxy may end the TLS).
    return given.scheme in {"http", "https"} and given.netloc.lower() == host.lower()
