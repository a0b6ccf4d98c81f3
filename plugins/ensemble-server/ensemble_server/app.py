"""The web application, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from . import pages
from .api import (
    artifacts,
    capabilities,
    errors,
    events,
    health,
    jobs,
    keys,
    legacy,
    webhooks,
)
from .api.reception import Reception
from .auth import installing
from .live.streams import Streams
from .metrics import Measuring
from .records.migrate import upgrade
from .service import Service
from .settings import Settings


def create_app(settings: Settings | None = None, service: Service | None = None) -> FastAPI:
    """The application, ready for uvicorn.

    It begins to work on jobs (if the settings say so) when it is started, and gives back what is
    under way when it is stopped.

    Args:
        settings: How it is set up; from the environment by default.
        service: A service made before; then its owner starts and closes it.
    """
    settings = settings or Settings()
    own = service is None
    if service is None:
        service = Service(settings)
        if service.database.sqlite:
            upgrade(service.database)
    app = FastAPI(
        title="Ensemble", version="1", lifespan=_lifespan(service, own),
        docs_url=None, redoc_url=None,  # they load scripts from elsewhere
    )  # fmt: skip
    app.state.settings = settings
    app.state.service = service
    app.state.stopping = asyncio.Event()
    app.state.streams = Streams(settings.limits.streams)
    app.state.reception = Reception(service.store.local, service.quiet)
    for module in (jobs, artifacts, events, capabilities, health, keys, webhooks, legacy):
        # Taken over as they are: routers that are included are put together once more for each
        # application, and gone through one after the other at each request.
        app.routes.extend(module.router.routes)
    errors.install(app)
    installing.install(app, settings, service.database)
    if settings.metrics:
        app.add_middleware(Measuring, metrics=service.metrics)
    app.add_middleware(errors.RequestIds)
    pages.install(app)
    return app


def _lifespan(
    service: Service, own: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.stopping = asyncio.Event()
        if own:
            await run_in_threadpool(service.start)
        try:
            yield
        finally:
            app.state.stopping.set()
            app.state.auth.close()
            if own:
                await run_in_threadpool(service.close)

    return lifespan
