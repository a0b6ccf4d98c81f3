"""The web application, put together."""

from __future__ import annotations

from fastapi import FastAPI

from .api import errors
from .settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, ready for uvicorn.

    Args:
        settings: How it is set up; from the environment by default.
    """
    settings = settings or Settings()
    app = FastAPI(title="Ensemble", version="1")
    app.state.settings = settings
    errors.install(app)
    app.add_middleware(errors.RequestIds)
    return app
