"""The engine on leases in the records database; it works in threads of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..live.bus import QUEUE
from .converting import Converter
from .leases import Leases
from .worker import Worker, worker_name

if TYPE_CHECKING:
    from ..service import Service


class LocalEngine:
    """Hands out jobs and, where the settings say so, works on them.

    Args:
        service: Whose jobs they are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.worker: Worker | None = None
        self._lock = threading.Lock()

    def start(self, slots: int | None = None) -> None:
        """Begin to work, ``slots`` jobs at a time (by default as the settings say)."""
        service, settings = self._service, self._service.settings
        slots = settings.workers if slots is None else slots
        if slots <= 0 or self.worker is not None:
            return
        leases = Leases(
            service.database, worker_name(), settings.lease, service.ending,
            settings.limits.running_jobs,
        )  # fmt: skip
        converter = Converter(service.database, service.store, service.bus, service.ending)
        self.worker = Worker(
            leases, converter, service.bus, service.base, service.quiet,
            slots=slots, lease_seconds=settings.lease,
        )  # fmt: skip
        self.worker.start()

    def stop(self) -> None:
        """Give back what is under way and end all processes."""
        with self._lock:
            worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()

    def submitted(self, job_id: str) -> None:
        """Wake a worker."""
        self._service.bus.publish(QUEUE, {"kind": "job"})

    def cancel(self, job_id: str) -> None:
        """Tell whoever works on the job to stop."""
        self._service.bus.publish(QUEUE, {"kind": "cancel", "job": job_id})
