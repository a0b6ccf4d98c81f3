"""What has to be done now and then, whatever else goes on: notices, old jobs, lost files."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from ..notices import loop
from .retention import sweep

if TYPE_CHECKING:
    from ..service import Service

log = structlog.get_logger(__name__)

SWEEP_EVERY = 60.0
"""Seconds between two looks for jobs whose time is over."""
THOROUGH_EVERY = 60
"""Every so many of them the whole store is looked through for files without a job."""


class Chores:
    """Threads that do the chores.

    Args:
        service: Whose chores they are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        self._stop.clear()
        database, settings = self._service.database, self._service.settings
        notices = threading.Thread(
            target=loop, args=(database, settings, self._stop), name="ensemble-notices", daemon=True
        )
        sweeper = threading.Thread(target=self._sweep, name="ensemble-sweeper", daemon=True)
        self._threads = [notices, sweeper]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; waits for what is being done."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5.0)
        self._threads = []

    def _sweep(self) -> None:
        rounds = 0
        while not self._stop.wait(SWEEP_EVERY):
            rounds += 1
            try:
                sweep(self._service, thorough=rounds % THOROUGH_EVERY == 0)
            except Exception:  # the database or the store may be away for a while
                log.exception("sweep.failed")
