"""``ensemble serve``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ensemble_core.model import ConfigError

from .common import failing, log_level_option, settings_of, settings_options, starting

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..service import Service
    from ..settings import Settings

_GRACE = 3
"""Seconds connections have to end by themselves when the service stops."""


@click.command("serve")
@settings_options
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 8000]")
@click.option(
    "--workers",
    type=click.IntRange(0),
    help="Conversions at a time in this process; 0: only the web part.  [default: 1]",
)
@log_level_option
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@failing
def command(  # noqa: PLR0917 - one for each option
    config: Path | None,
    folder: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    log_level: str,
    open_page: bool,
) -> None:
    """Serve Ensemble: pages for people, an API for programs.

    Without anything given it is for you alone, on this machine: http://127.0.0.1:8000
    """
    with starting():
        settings = settings_of(config, folder=folder, host=host, port=port, workers=workers)
        from .. import logs, traces

        logs.set_up(log_level)
        if settings.traces:
            traces.set_up(settings.traces)
        from ..app import create_app
        from ..service import Service

    # uvicorn raises the signal again when it has stopped: what comes then is to be cleared up.
    signal.signal(signal.SIGTERM, _leave)
    service = Service(settings)
    try:
        with starting():
            prepare(service)
            refuse_open_house(settings, service)
            app = create_app(settings, service)
        service.start()
        _serve(app, settings, log_level, open_page)
    finally:
        service.close()


def _leave(*_: object) -> None:
    raise SystemExit(0)


def prepare(service: Service) -> None:
    """See to it that the tables are there and new enough.

    Raises:
        ConfigError: They are not, and are not ours to change unasked.
    """
    from ..records import migrate

    if service.database.sqlite:
        migrate.upgrade(service.database)
    elif migrate.current(service.database) != migrate.head():
        raise ConfigError(
            "the database is not up to date", hint="`ensemble admin migrate` brings it up to date"
        )


def refuse_open_house(settings: Settings, service: Service) -> None:
    """Do not listen to the world if nobody could say who they are.

    Raises:
        ConfigError: Others could reach the service, and there is no way to sign in.
    """
    from sqlalchemy import select

    from ..auth.origin import is_loopback
    from ..records.tables import ApiKey

    if is_loopback(settings.host) or settings.issuers:
        return
    with service.database.read() as session:
        if session.scalar(select(ApiKey.id).where(ApiKey.revoked.is_(None)).limit(1)):
            return
    raise ConfigError(
        f"{settings.host} can be reached by others, and nobody could sign in",
        hint="set `issuers`, or make a key with `ensemble admin keys create`",
    )


def _serve(app: FastAPI, settings: Settings, log_level: str, open_page: bool) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        """Ends streams at once when it is told to stop, which uvicorn itself would wait for."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.stopping.set()
            super().handle_exit(sig, frame)

        def _log_started_message(self, listeners: Any) -> None:
            address = listeners[0].getsockname() if listeners else (settings.host, settings.port)
            url = settings.public_url or f"http://{address[0]}:{address[1]}"
            click.echo(f"Ensemble is at {url}", file=sys.stderr)
            if open_page:
                click.launch(url)

    uvicorn_config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level=log_level if log_level == "debug" else "warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=_GRACE,
        backlog=2048,
        # Longer than proxies and browsers keep a connection: whoever closes first should not be us.
        timeout_keep_alive=75,
    )
    Server(uvicorn_config).run()
