"""A task on its way, and what may become of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import attrs

from ensemble_core.model import EnsembleError, Message, Task, WorkerCrashed

from .luggage import Packed
from .versions import needed

AGAIN = 10
"""How often a task is handed in again when what it needs got lost on the cluster."""


@attrs.define(eq=False)
class Flight:
    """A task from `submit` until its future is done.

    Attributes:
        task: What to do.
        future: What the caller waits for.
        dask: The Dask future, while it is with the scheduler.
        packed: The files that went along.
        workers: Workers that began it, in order.
        tries: How often it was handed to the scheduler.
    """

    task: Task
    future: Future[Any]
    dask: Any = None
    packed: Packed = attrs.field(factory=Packed)
    workers: list[str] = attrs.field(factory=list)
    tries: int = 0
    _heard: int = 0
    _guard: Any = attrs.field(factory=threading.RLock)

    def order(self, run: str, topic: str, shared: bool) -> dict[str, Any]:
        """What the worker is told."""
        task = self.task
        return {
            "run": run,
            "key": self.key(run),
            "topic": topic,
            "shared": shared,
            "versions": needed(task.payload),
            "digests": self.packed.digests,
            "inline": self.packed.inline,
            "task": {
                "id": task.id,
                "function": task.function,
                "payload": json.dumps(task.payload),
                "workspace": str(task.workspace),
                "deadline": task.deadline,
                "max_memory": task.max_memory,
                "threads": task.threads,
                "retries": task.retries,
                "limits": attrs.asdict(task.limits),
                "page": task.page,
            },
        }

    def key(self, run: str) -> str:
        """Name of this attempt on the cluster."""
        return f"ensemble-{run}-{self.task.id}-{self.tries}"

    def hear(self, number: int, message: Message, tell: Callable[[str, Message], None]) -> None:
        """Pass on what the task said, unless that was done, or something later was."""
        with self._guard:
            late = number <= self._heard and message.get("type") != "diagnostic"
            if self.future.done() or late:
                return
            self._heard = max(self._heard, number)
            tell(self.task.id, message)

    def begun(self, worker: str) -> bool:
        """A worker has begun it; False when that is once more than it may be tried."""
        with self._guard:
            self._heard = 0
            self.workers.append(worker)
            return len(self.workers) <= self.task.retries + 1

    def crashed(self) -> WorkerCrashed:
        """The error when too many workers died of it."""
        gone = ", ".join(dict.fromkeys(self.workers[: self.task.retries + 1])) or "unknown"
        return WorkerCrashed(
            f"the Dask worker died while it worked on it, {max(1, self.task.retries + 1)} times "
            f"({gone})",
            hint="perhaps the machines run out of memory; look at the workers' logs",
        )

    def succeed(self, value: Any) -> None:
        """Give the result, unless it has failed meanwhile."""
        with self._guard:
            if not self.future.done():
                self.future.set_result(value)

    def fail(self, error: EnsembleError) -> None:
        """Give the error, once."""
        with self._guard:
            if not self.future.done():
                self.future.set_exception(error)
