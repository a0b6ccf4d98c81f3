"""Reading an issuer's documents: with limits, for an issuer may be down or broken."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

TIMEOUT = 5.0
"""Seconds a document may take."""

LARGEST = 512 * 1024
"""Bytes a document may have."""


class IssuerAway(Exception):
    """An issuer gave no usable answer; the text says which and why."""


def get_json(client: httpx.Client, url: str) -> dict[str, Any]:
    """The JSON object at ``url``.

    Raises:
        IssuerAway: If there is none, or it is too large, late, or elsewhere (redirects).
    """
    return _read(client, client.build_request("GET", url, headers={"Accept": "application/json"}))


def post_form(
    client: httpx.Client, url: str, form: dict[str, str], auth: tuple[str, str] | None
) -> dict[str, Any]:
    """The JSON object answered to a form.

    Raises:
        IssuerAway: As :func:`get_json`.
    """
    request = client.build_request("POST", url, data=form, headers={"Accept": "application/json"})
    if auth:
        import httpx

        request = next(httpx.BasicAuth(*auth).auth_flow(request))
    return _read(client, request)


def _read(client: httpx.Client, request: httpx.Request) -> dict[str, Any]:
    import httpx  # late: it takes a while, and most services have no issuer

    url, latest = str(request.url), time.monotonic() + TIMEOUT
    body = b""
    try:
        response = client.send(request, stream=True, follow_redirects=False)
        try:
            for part in response.iter_bytes():
                body += part
                if len(body) > LARGEST or time.monotonic() > latest:
                    raise IssuerAway(f"{url} answers too much or too slowly")
        finally:
            response.close()
    except httpx.HTTPError as error:
        raise IssuerAway(f"{url} does not answer: {error or type(error).__name__}") from error
    if response.status_code != httpx.codes.OK:
        raise IssuerAway(f"{url} answers {response.status_code}")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise IssuerAway(f"{url} is not JSON") from error
    if not isinstance(found, dict):
        raise IssuerAway(f"{url} is not a JSON object")
    return found
