"""Putting who-is-who and the rates into an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from ..limiting.bodies import BodyLimit
from ..limiting.headers import RateHeaders
from ..limiting.rates import Limiter
from . import sign_in
from .who import Auth

if TYPE_CHECKING:
    from ..records.database import Database
    from ..settings import Settings


def install(app: FastAPI, settings: Settings, database: Database) -> None:
    """Let ``app`` know who asks, count what they ask, and sign people in.

    After it ``app.state.auth`` and ``app.state.limiter`` are what the dependencies of
    :mod:`.principal` use. Call ``app.state.auth.close()`` at the end.
    """
    app.state.auth = Auth(settings, database)
    app.state.limiter = Limiter(settings)
    app.add_middleware(RateHeaders)
    app.add_middleware(BodyLimit, settings=settings)
    app.include_router(sign_in.router)
