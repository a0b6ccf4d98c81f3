"""Where model files may come from: the publisher, or a mirror the user named."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import quote, urlsplit

import attrs

from ..model import ConfigError, ModelFile


@attrs.frozen
class Origin:
    """What of the network may be used, and how patiently.

    Attributes:
        mirror: ``https://host/folder`` (or ``http://`` …, or a local folder) that holds
            ``COMPONENT/FILE`` and is asked in the publisher's place. Empty: the publisher.
        allow_hosts: Further hosts redirects may lead to. A loopback host named here may
            be asked without encryption.
        timeout: Seconds a server may be silent.
        pause: Seconds before the first repetition of what failed; it grows.
    """

    mirror: str = attrs.field(default="")
    allow_hosts: tuple[str, ...] = ()
    timeout: float = 30.0
    pause: float = 0.5

    @mirror.validator
    def _known_kind(self, _: object, value: str) -> None:
        parts = urlsplit(value)
        web = parts.scheme in ("http", "https") and bool(parts.hostname)
        if "://" in value and not web:
            raise ConfigError(
                f"models.mirror: {value!r} is not a mirror",
                hint="write https://host/folder, or a folder's path",
            )

    @property
    def folder(self) -> Path | None:
        """The mirror, if it is a local folder."""
        local = self.mirror and "://" not in self.mirror
        return Path(self.mirror).expanduser() if local else None

    def url(self, component: str, file: ModelFile) -> str:
        """The address a file is asked for."""
        if not self.mirror:
            return file.url
        return f"{self.mirror.rstrip('/')}/{quote(component)}/{quote(file.name)}"

    def source(self, component: str, file: ModelFile) -> str:
        """What messages call the place a file comes from."""
        url = self.url(component, file)
        return url if self.folder else shown(url)

    def objection(self, url: str, file: ModelFile) -> str:
        """Why an address must not be asked for a file; empty: it may be."""
        parts, mirror = urlsplit(url), urlsplit(self.mirror)
        host = (parts.hostname or "").lower()
        allowed = {name.lower() for name in (*file.hosts, *self.allow_hosts)}
        allowed |= {(mirror.hostname or urlsplit(file.url).hostname or "").lower()}
        if parts.scheme not in ("http", "https") or not host:
            return f"{shown(url)} is no web address"
        if host not in allowed:
            return f"{host} is not a host it may come from"
        named = host == mirror.hostname and mirror.scheme == "http"
        named |= _loopback(host) and host in self.allow_hosts
        if parts.scheme == "http" and not named:
            return f"{shown(url)} is not encrypted (https)"
        return ""


def shown(url: str) -> str:
    """An address for people: without credentials, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
