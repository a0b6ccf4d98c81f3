"""``ensemble work``."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from .common import failing, log_level_option, settings_of, settings_options


@click.command("work")
@settings_options
@click.option("--workers", type=click.IntRange(1), help="Conversions at a time.  [default: 1]")
@click.option("--drain", is_flag=True, help="End when there is nothing left to do.")
@log_level_option
@failing
def command(
    config: Path | None, folder: Path | None, workers: int | None, drain: bool, log_level: str
) -> None:
    """Convert jobs of a service whose web part runs elsewhere.

    Give it the same settings: the same database, storage and Redis.
    """
    settings = settings_of(config, folder=folder, workers=workers)
    from .. import logs, traces

    logs.set_up(log_level)
    if settings.traces:
        traces.set_up(settings.traces)
    from ..service import Service
    from .serve import prepare

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    service = Service(settings)
    try:
        prepare(service)
        service.engine.start(max(1, settings.workers))
        service.chores.start()
        while not stop.wait(0.5):
            if drain and service.idle():
                break
    finally:
        service.close()
