"""The service as a real server on a free port, for tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from ensemble_server.api import keys, webhooks
from ensemble_server.app import create_app
from ensemble_server.auth.installing import install
from ensemble_server.records.database import Database
from ensemble_server.records.tables import Record
from ensemble_server.settings import Settings
from fastapi import FastAPI


@contextmanager
def running(app: FastAPI, **options: object) -> Iterator[str]:
    """The application behind uvicorn on this machine; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", **options)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds; fail if it does not in time."""
    latest = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < latest, "it did not happen in time"
        time.sleep(0.02)


def application(settings: Settings) -> FastAPI:
    """The application, with its database made."""
    app = create_app(settings)
    if not hasattr(app.state, "auth"):
        database = Database(settings.database_url)
        Record.metadata.create_all(database.engine)
        install(app, settings, database)
        app.include_router(keys.router)
        app.include_router(webhooks.router)
    return app
