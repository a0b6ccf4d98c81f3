"""What an engine of jobs does, whatever it is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs


class Stopper:
    """Tells work to stop, and why; the first reason counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Callable[[], None]] = []
        self.reason = ""

    def stop(self, reason: str) -> None:
        """Stop the work: ``cancel``, ``deadline``, ``shutdown`` or ``lost``."""
        with self._lock:
            if self.reason:
                return
            self.reason = reason
            calls = list(self._calls)
        for call in calls:
            call()

    def on_stop(self, call: Callable[[], None]) -> None:
        """Have ``call`` made when the work shall stop; at once if it shall already."""
        with self._lock:
            self._calls.append(call)
            due = bool(self.reason)
        if due:
            call()


@attrs.frozen
class Lease:
    """The right to work on a job, until it ends or is lost.

    Attributes:
        job_id: Which job.
        token: Proof of the right; only its holder may end the job.
        attempt: Which attempt this is, counted from 1.
        stopper: By which the work is told to stop.
    """

    job_id: str
    token: str
    attempt: int
    stopper: Stopper


@attrs.frozen
class Taken:
    """A job as the worker that has taken it needs it; see :class:`~..records.tables.Job`.

    Attributes:
        inputs: The rows of its files, in order.
    """

    id: str
    user_id: str
    options: dict[str, Any]
    deadline: float
    attempt: int
    max_attempts: int
    cancel_requested: bool
    inputs: Sequence[Any] = ()


class Engine(Protocol):
    """Hands each job to one worker at a time, again if that worker dies."""

    def submitted(self, job_id: str) -> None:
        """A job was put into the queue (its row says so): wake somebody."""
        ...

    def cancel(self, job_id: str) -> None:
        """A job shall stop (its row says so): tell whoever works on it."""
        ...

    def start(self, slots: int | None = None) -> None:
        """Begin to work in threads of this process, ``slots`` jobs at a time."""
        ...

    def stop(self) -> None:
        """Take no more jobs, give back those under way, end all processes."""
        ...
