"""Putting the pages into an application."""

from __future__ import annotations

from fastapi import FastAPI

from . import assets, jobs, settings, upload
from .errors import ErrorPages
from .rendering import Renderer


def install(app: FastAPI) -> None:
    """Serve the pages; call it last, so that errors of all the rest look like pages too.

    ``app.state`` must have ``settings``, ``service`` and ``auth``.
    """
    app.state.pages = Renderer()
    for name, folder in assets.FOLDERS.items():
        app.mount(f"/static/{name}", assets.Assets(directory=folder), name=f"static-{name}")
    for module in (upload, jobs, settings):
        app.routes.extend(module.router.routes)
    app.add_middleware(ErrorPages, app=app)
