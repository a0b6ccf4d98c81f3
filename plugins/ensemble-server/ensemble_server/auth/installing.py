"""Putting who-is-who and the rates into an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from ..limiting.bodies import BodyLimit
from ..limiting.headers import RateHeaders
from ..limiting.rates import Limiter
from . import sign_in
from .who import Auth

if TYPE_CHECKING:
    from ..records.database import Database
    from ..settings import Settings

_SENT = ["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "Last-Event-ID"]
_READ = [
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
]
"""What scripts of other sites may send and read, besides what they always may."""


def install(app: FastAPI, settings: Settings, database: Database) -> None:
    """Let ``app`` know who asks, count what they ask, and sign people in.

    After it ``app.state.auth`` and ``app.state.limiter`` are what the dependencies of
    :mod:`.principal` use. Call ``app.state.auth.close()`` at the end.
    """
    app.state.auth = Auth(settings, database)
    app.state.limiter = Limiter(settings)
    app.add_middleware(RateHeaders)
    app.add_middleware(BodyLimit, settings=settings)
    if settings.allowed_origins:
        # Without cookies: a page of another site is somebody by what it sends, or nobody.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=False,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=_SENT,
            expose_headers=_READ,
        )
    app.routes.extend(sign_in.router.routes)
