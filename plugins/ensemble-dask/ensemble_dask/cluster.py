"""The connection to a Dask scheduler, or a small one of our own."""

from __future__ import annotations

import contextlib
import logging
import platform
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ensemble_core.model import ExecutorFailed

from . import bench
from .options import DaskOptions

_LOOK = 5.0
"""Seconds between two looks at how many threads the workers have."""

_GOODBYE = 5.0
"""Seconds workers have to end what is left of a run."""


class Cluster:
    """A connected client.

    Args:
        options: Where the scheduler is.
        jobs: Threads of a cluster in this process, if there is no scheduler.

    Raises:
        ExecutorFailed: The scheduler does not answer, or has no workers.
    """

    def __init__(self, options: DaskOptions, jobs: int) -> None:
        distributed: Any = import_module("distributed")  # half typed
        self._options = options
        self._own: Any = None
        self._threads, self._looked = 0, 0.0
        if not options.scheduler:
            # its page of statistics cannot be left out; nobody else shall see it
            alone = {"dashboard_address": "127.0.0.1:0", "worker_dashboard_address": "127.0.0.1:0"}
            self._own = distributed.LocalCluster(
                processes=False,
                n_workers=1,
                threads_per_worker=max(1, jobs),
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"dashboard": False},
                **alone,
            )
        self.address = options.scheduler or "the cluster of this process"
        with _quiet():
            try:
                self.client: Any = distributed.Client(
                    self._own or options.scheduler, timeout=options.connect_timeout,
                    set_as_default=False, name="ensemble",
                )  # fmt: skip
            except (OSError, ValueError, TypeError) as error:
                raise self._unreachable(error) from error
        try:
            self._await_workers()
            self._same_python()
        except BaseException:
            self.client.close(timeout=_GOODBYE)
            raise

    def threads(self) -> int:
        """How many tasks its workers can do at a time; looked up now and then."""
        now = time.monotonic()
        if now >= self._looked + _LOOK:
            with contextlib.suppress(Exception):
                self._threads = max(1, sum(self.client.nthreads().values()))
            self._looked = now
        return self._threads

    @property
    def alive(self) -> bool:
        """Whether the scheduler is connected."""
        return bool(self.client.status == "running")

    def lost(self) -> ExecutorFailed:
        """The error to give when it is not."""
        return ExecutorFailed(
            f"the connection to the scheduler {self.address} is lost",
            hint="run again with --resume when it is back: what was read is kept",
            component="dask",
            code="scheduler-lost",
        )

    def end(self, run: str) -> None:
        """Have every worker end what it has of a run, and let go of the connection."""
        with _quiet(), contextlib.suppress(Exception):
            if self._own is not None:
                bench.end(run)
            elif self.alive:
                _within(_GOODBYE, lambda: self.client.run(bench.end, run, on_error="ignore"))
        with _quiet(), contextlib.suppress(Exception):
            self.client.close(timeout=_GOODBYE)
        if self._own is not None:
            with _quiet():
                self._own.close(timeout=_GOODBYE)

    def _await_workers(self) -> None:
        if not self.client.nthreads():
            try:
                self.client.wait_for_workers(1, timeout=self._options.worker_timeout)
            except (TimeoutError, OSError) as error:
                raise ExecutorFailed(
                    f"the scheduler {self.address} has no workers "
                    f"(waited {self._options.worker_timeout:g} s)",
                    hint="start some with `dask worker`, or raise options.dask.worker-timeout",
                    component="dask",
                    code="executor-failed",
                ) from error
        self.threads()

    def _same_python(self) -> None:
        """Another minor version cannot run what is sent."""
        here = platform.python_version()
        for worker, there in self.client.run(platform.python_version).items():
            if there.split(".")[:2] != here.split(".")[:2]:
                raise ExecutorFailed(
                    f"worker {worker} runs Python {there}, this machine {here}",
                    hint="use the same version of Python on every machine",
                    component="dask",
                    code="versions-differ",
                )

    def _unreachable(self, error: Exception) -> ExecutorFailed:
        lines = str(error).splitlines() or [type(error).__name__]
        return ExecutorFailed(
            f"no scheduler answers at {self.address}: {lines[0]}",
            hint="see options.dask.scheduler",
            component="dask",
            code="scheduler-unreachable",
        )


def _within(seconds: float, call: Callable[[], Any]) -> None:
    """Call, but do not wait for longer than that."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)


@contextlib.contextmanager
def _quiet() -> Any:
    """Dask logs what it is about to raise, and every goodbye: we say it once, in our words."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
