"""Where webhooks may go: to public addresses, unless the service is set up otherwise.

A webhook's URL is a user's; without care the service would fetch for them what only it can reach
(server-side request forgery): this machine, its network, the metadata of its cloud.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import attrs

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[..., list[Any]]
"""Like :func:`socket.getaddrinfo`."""

LONGEST = 2000
"""Characters of a URL."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = [
    ipaddress.ip_network(each)
    for each in (
        "168.63.129.16/32",  # Azure's own services: a public address that is not
        "192.0.0.0/24",  # IETF protocols; older Pythons take half of it for public
        "2001::/23",  # the same of IPv6, Teredo included
        "3fff::/20",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "64:ff9b:1::/48",  # NAT64 within a network
        "fec0::/10",  # once site-local
        "::/96",  # IPv4-compatible
    )
]


class AddressRefused(Exception):
    """A webhook cannot go there; the text says why."""


@attrs.frozen
class Target:
    """Where to connect to, looked up once.

    Attributes:
        scheme: ``https`` or ``http``.
        host: As the URL names it; what a certificate must be of.
        port: The port.
        address: The one address to connect to.
        path: Path and query.
    """

    scheme: str
    host: str
    port: int
    address: Address
    path: str

    @property
    def url(self) -> str:
        """The URL with the address in place of the name."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def netloc(self) -> str:
        """What ``Host`` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme] == self.port
        return host if usual else f"{host}:{self.port}"


def look_up(url: str, *, private: bool = False, resolver: Resolver | None = None) -> Target:
    """Where a URL leads, by one look-up.

    The address found is the one to connect to: a second look-up could find another.

    Args:
        url: The URL.
        private: Whether addresses of private networks will do, and ``http``.
        resolver: What looks names up; the system's by default.

    Raises:
        AddressRefused: If the URL cannot be used, or any address of its host is not public.
    """
    scheme, host, port, path = _parts(url, private)
    try:
        found = (resolver or socket.getaddrinfo)(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"There is no host {host}.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise AddressRefused(f"There is no host {host}.")
    if not private and not all(is_public(each) for each in addresses):
        raise AddressRefused(f"{host} is not on the public internet.")
    return Target(scheme, host, port, addresses[0], path)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet; what wraps another counts as that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    never = any(address.version == net.version and address in net for net in _NEVER)
    return address.is_global and not (never or address.is_multicast or address.is_reserved)


def _parts(url: str, private: bool) -> tuple[str, str, int, str]:
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("A webhook's URL is plain ASCII, without spaces, and not overlong.")
    if "\\" in url:
        raise AddressRefused("A webhook's URL has no backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"This is no URL: {error}.") from error
    if parts.scheme not in ({"https", "http"} if private else {"https"}):
        raise AddressRefused("A webhook's URL begins with https://.")
    if not parts.hostname:
        raise AddressRefused("A webhook's URL names a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("A webhook's URL has no user name or password.")
    if port == 0:
        raise AddressRefused("There is no port 0.")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return parts.scheme, parts.hostname, port or {"https": 443, "http": 80}[parts.scheme], path
