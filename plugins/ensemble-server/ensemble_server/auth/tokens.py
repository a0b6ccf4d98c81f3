"""Bearer tokens of OpenID Connect issuers: JSON Web Tokens (RFC 7519, RFC 8725)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import jwt
import structlog

from ..api.errors import Problem
from .fetching import IssuerAway
from .issuers import Provider
from .principal import SCOPES
from .refusing import refused

log = structlog.get_logger(__name__)

ALGORITHMS = ("RS256", "ES256")
"""Public-key algorithms alone: with those that take a secret, a public key could pass as one."""

SKEW = 60
"""Seconds the clocks of issuer and service may differ."""

LARGEST = 16 * 1024
_TYPES = {None, "jwt", "at+jwt", "application/at+jwt"}


def verify(
    token: str, providers: Mapping[str, Provider], audience: str | None = None, nonce: str = ""
) -> dict[str, Any]:
    """The claims of a token, all checked.

    Args:
        token: What was sent.
        providers: The issuers whose tokens count, by URL.
        audience: Whom it must be meant for; as set up for its issuer by default.
        nonce: What it must carry, if it comes from a sign-in.

    Raises:
        Problem: 401 if it does not hold, 503 if its issuer's keys cannot be had.
    """
    if len(token) > LARGEST:
        raise refused("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
        claimed = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise refused("This is not a token.") from None
    if header.get("alg") not in ALGORITHMS or "crit" in header:
        raise refused("The token must be signed by RS256 or ES256, without extensions.")
    if _lower(header.get("typ")) not in _TYPES:
        raise refused("The token is of another type.")
    provider = providers.get(claimed) if isinstance(claimed, str) else None
    if provider is None:
        raise refused("The token is of an issuer that does not count here.")
    claims = _decode(token, header, provider)
    _check_audience(claims, audience or provider.issuer.audience)
    if nonce and not hmac.compare_digest(
        str(claims.get("nonce", "")).encode("utf-8", "replace"), nonce.encode()
    ):
        raise refused("The token belongs to another sign-in.")
    return claims


def _decode(token: str, header: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    try:
        key = provider.key(header.get("kid"), header["alg"])
    except IssuerAway as error:
        raise Problem(503, "issuer-away", str(error), headers={"Retry-After": "30"}) from error
    if key is None:
        raise refused("The token is signed by a key its issuer does not have.")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[header["alg"]],
            issuer=provider.issuer.url,
            leeway=SKEW,
            options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError:
        raise refused("The token has expired.") from None
    except jwt.ImmatureSignatureError:
        raise refused("The token is not valid yet.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        log.info("token.refused", issuer=provider.issuer.url, error=str(error))
        raise refused("The token does not hold.") from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise refused("The token names nobody.")
    if claims.get("sts") == "pending":  # Clerk: signed in, but a step is still to be done
        raise refused("The sign-in at the issuer is not complete.")
    return claims


def _check_audience(claims: Mapping[str, Any], wanted: str) -> None:
    """A token for somebody else does not count; Clerk's say in ``azp`` alone whom they are for."""
    given = claims.get("aud")
    if given is None:
        given = claims.get("azp")
    named = given if isinstance(given, list) else [given]
    if wanted not in named:
        raise refused("The token is meant for another service.")


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """What a token allows: those of our scopes it names, or all if it names none of them.

    Most issuers know nothing of our scopes; their users may do with their own jobs what they like.
    """
    given = claims.get("scope", claims.get("scp", ""))
    words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    named = frozenset(word for word in words if isinstance(word, str)) & SCOPES.keys()
    return named or frozenset(SCOPES)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
