"""Signing in on the pages: OpenID Connect, authorization code with PKCE (RFC 9700)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ..api.errors import Problem
from .fetching import IssuerAway, post_form
from .issuers import Provider
from .principal import Visitor
from .who import Auth

log = structlog.get_logger(__name__)

router = APIRouter(include_in_schema=False)

PATIENCE = 600
"""Seconds one may take at the issuer's."""

_COOKIE = "ensemble_sign_in"
_PATH = "/sign-in"


@router.get("/sign-in")
def sign_in(
    request: Request, _: Visitor, issuer: str = "", then: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Send somebody to their issuer, or let them choose among several.

    Args:
        request: The request.
        issuer: URL of the issuer; needed if there are several.
        then: Path of the page to come back to.

    Raises:
        Problem: 404 if there is nowhere to sign in; 503 if the issuer is away.
    """
    auth: Auth = request.app.state.auth
    choices = auth.choices()
    if not choices:
        raise Problem(404, "no-sign-in", "This service knows no issuer to sign in at.")
    only = next(iter(choices.values())) if len(choices) == 1 else None
    provider = choices.get(issuer) or only
    if provider is None:
        return _choice(request, choices, local_path(then))
    begun = {
        "issuer": provider.issuer.url,
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "next": local_path(then),
    }
    challenge = hashlib.sha256(begun["verifier"].encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": provider.issuer.client_id,
        "redirect_uri": _back(request, auth),
        "scope": "openid profile email",
        "state": begun["state"],
        "nonce": begun["nonce"],
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    target = _endpoint(provider, "authorization_endpoint")
    response = RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(asked)}", 303)
    response.set_cookie(
        _COOKIE,
        _serializer(auth).dumps(begun),
        max_age=PATIENCE,
        path=_PATH,
        httponly=True,
        samesite="lax",  # strict would not come back with the issuer's redirect
        secure=auth.sessions.secure(request),
    )
    return response


@router.get("/sign-in/back")
def back(
    request: Request,
    _: Visitor,
    code: Annotated[str, Query(max_length=4096)] = "",
    state: Annotated[str, Query(max_length=256)] = "",
    error: Annotated[str, Query(max_length=256)] = "",
    iss: Annotated[str, Query(max_length=512)] = "",
) -> Response:
    """Take what the issuer sends back, and begin a session.

    Raises:
        Problem: 400 ``sign-in-failed`` if it does not belong to a sign-in begun by this browser or
            the issuer refused; 401 if the issuer's token does not hold; 503 if it is away.
    """
    auth: Auth = request.app.state.auth
    try:
        begun = _serializer(auth).loads(request.cookies.get(_COOKIE, ""), max_age=PATIENCE)
    except BadSignature:
        raise _failed("It took too long, or was begun in another browser.") from None
    provider = auth.choices().get(begun["issuer"])
    known = hmac.compare_digest(state.encode("utf-8", "replace"), begun["state"].encode())
    if not known or provider is None or (iss and iss != begun["issuer"]):
        raise _failed("The answer belongs to another sign-in.")
    if error or not code:
        log.info("sign-in.refused", issuer=begun["issuer"], error=error)
        raise _failed("You were not signed in there.")
    token = _exchange(provider, code, begun["verifier"], _back(request, auth))
    from .tokens import verify

    claims = verify(token, {begun["issuer"]: provider}, provider.issuer.client_id, begun["nonce"])
    response = RedirectResponse(local_path(begun["next"]), 303)
    auth.sessions.begin(request, response, auth.user_of(claims))
    response.delete_cookie(_COOKIE, path=_PATH)
    return response


@router.post("/sign-out")
def sign_out(request: Request, _: Visitor) -> Response:
    """End the session (a forged request cannot: the token is asked for as everywhere)."""
    auth: Auth = request.app.state.auth
    response = RedirectResponse("/", 303)
    auth.sessions.end(request, response)
    return response


def local_path(path: str) -> str:
    """A path on this service, or ``/``: nobody is sent elsewhere after signing in."""
    # Browsers drop control characters and take \\ for /.
    local = re.fullmatch(r"/(?!/)[\x21-\x5b\x5d-\x7e]*", path)
    return path if local else "/"


def _exchange(provider: Provider, code: str, verifier: str, redirect_uri: str) -> str:
    issuer = provider.issuer
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    auth = (issuer.client_id, issuer.client_secret) if issuer.client_secret else None
    if auth is None:
        form["client_id"] = issuer.client_id
    try:
        answer = post_form(provider.client, _endpoint(provider, "token_endpoint"), form, auth)
    except IssuerAway as error:
        log.info("sign-in.no-token", issuer=issuer.url, error=str(error))
        raise _failed("The issuer gave no token.") from error
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise _failed("The issuer gave no token.")
    return token


def _endpoint(provider: Provider, name: str) -> str:
    try:
        return provider.endpoint(name)
    except IssuerAway as error:
        raise Problem(503, "issuer-away", str(error), headers={"Retry-After": "30"}) from error


def _back(request: Request, auth: Auth) -> str:
    return (auth.settings.public_url or str(request.base_url)).rstrip("/") + "/sign-in/back"


def _serializer(auth: Auth) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(auth.secret, salt="ensemble-sign-in")


def _failed(why: str) -> Problem:
    return Problem(400, "sign-in-failed", f"{why} Try to sign in again.")


def _choice(request: Request, issuers: Iterable[str], path: str) -> Response:
    from ..pages.rendering import render  # the pages know us, so we look at them only here

    choices = [{"url": url, "name": urlsplit(url).hostname or url} for url in issuers]
    return render(request, "choose", None, choices=choices, back=path)
