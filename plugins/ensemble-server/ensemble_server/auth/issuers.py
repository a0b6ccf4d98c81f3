"""OpenID Connect issuers: their metadata and their keys, fetched when needed and kept."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import structlog

from ..settings import Issuer
from .fetching import TIMEOUT, IssuerAway, get_json

if TYPE_CHECKING:
    import httpx
    import jwt

log = structlog.get_logger(__name__)

KEYS_FRESH = 3600.0
"""Seconds after which keys are fetched anew, so that a withdrawn one stops counting."""

KEYS_STALE = 24 * 3600.0
"""Seconds after which keys no longer count if their issuer cannot be reached."""

FETCH_EVERY = 30.0
"""Seconds between two fetches at least: tokens with made-up key ids must not cause a storm."""

_KINDS = {"RS256": "RSA", "ES256": "EC"}
_RSA_BITS = 2048


class Provider:
    """An issuer.

    Args:
        issuer: As set up.
        client: For fetching; without redirects, with timeouts.
    """

    def __init__(self, issuer: Issuer, client: httpx.Client) -> None:
        self.issuer = issuer
        self.client = client
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] | None = None
        self._keys: list[jwt.PyJWK] = []
        self._fetched = self._tried = float("-inf")

    def metadata(self) -> dict[str, Any]:
        """What the issuer says of itself (OpenID Connect Discovery 1.0).

        Raises:
            IssuerAway: If it cannot be had, or speaks for another issuer.
        """
        if self._metadata is None:
            url = self.issuer.url.rstrip("/") + "/.well-known/openid-configuration"
            found = get_json(self.client, url)
            if found.get("issuer") != self.issuer.url:
                raise IssuerAway(f"{url} is of the issuer {found.get('issuer')!r}")
            self._metadata = found
        return self._metadata

    def endpoint(self, name: str) -> str:
        """A URL out of the metadata.

        Raises:
            IssuerAway: If the metadata cannot be had or has no such URL.
        """
        url = self.metadata().get(name)
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise IssuerAway(f"{self.issuer.url} states no {name}")
        return url

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key that verifies a token; None if the issuer has no such key.

        Args:
            kid: The key's id, as the token says; None only counts if there is just one key.
            algorithm: ``RS256`` or ``ES256``; a key of another kind is no match.

        Raises:
            IssuerAway: If no keys are known and none can be had.
        """
        age = time.monotonic() - self._fetched
        found = self._among_known(kid, algorithm) if age < KEYS_STALE else None
        if found is None or age >= KEYS_FRESH:
            self._refresh()
            found = self._among_known(kid, algorithm)
        return found

    def _among_known(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)

    def _refresh(self) -> None:
        # Whoever finds another fetching waits a little, not as long as a slow issuer takes.
        if not self._lock.acquire(timeout=TIMEOUT if not self._keys else 1.0):
            return
        try:
            if time.monotonic() - self._tried >= FETCH_EVERY:
                try:
                    url = self.issuer.jwks_url or self.endpoint("jwks_uri")
                    self._keys = _usable(get_json(self.client, url))
                    self._fetched = time.monotonic()
                except IssuerAway as error:
                    log.warning("issuer.away", issuer=self.issuer.url, error=str(error))
                finally:
                    self._tried = time.monotonic()
            if time.monotonic() - self._fetched >= KEYS_STALE:
                self._keys = []
                raise IssuerAway(f"The keys of {self.issuer.url} cannot be had at the moment")
        finally:
            self._lock.release()


def make_client() -> httpx.Client:
    """A client for issuers."""
    import httpx

    return httpx.Client(timeout=TIMEOUT, follow_redirects=False)


def _usable(document: dict[str, Any]) -> list[jwt.PyJWK]:
    """The signing keys of a JWKS; what is meant for something else is passed over."""
    import jwt

    keys = []
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        algorithm = next((name for name, kind in _KINDS.items() if kind == entry.get("kty")), "")
        if not algorithm or entry.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK(entry, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        if algorithm == "ES256" or key.key.key_size >= _RSA_BITS:
            keys.append(key)
    return keys
