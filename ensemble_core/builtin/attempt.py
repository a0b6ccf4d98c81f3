"""One attempt at a task in one worker: deadline, memory limit and cancellation."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

import attrs

from ensemble_core.model import (
    Cancelled,
    DeadlineExceeded,
    EnsembleError,
    LimitExceeded,
    Message,
    Task,
)

from .calling import MORE_MEMORY
from .killing import memory
from .process import WorkerDied, WorkerProcess

TICK = 0.1
"""Seconds between two looks at the worker's memory."""

ASKING = 0.4
"""Seconds a task has to end once it was asked to, before SIGTERM."""

TERMINATING = 0.3
"""Seconds the processes have between SIGTERM and SIGKILL."""


@attrs.define
class Attempt:
    """Hands ``task`` to ``worker`` and sees it to its end.

    Attributes:
        task: What to do.
        worker: Who does it.
        tell: Gets what the task sends meanwhile.
        stopping: Set when the run is cancelled; the worker is woken then.
        seconds: How long it may take; None: as long as it likes.
        component: The component that was last heard of, for error messages.
        begun: Whether the worker said that it has the task.
        spent: How long it took, counted from that moment.
    """

    task: Task
    worker: WorkerProcess
    tell: Callable[[Message], None]
    stopping: threading.Event
    seconds: float | None
    component: str = ""
    begun: bool = False
    spent: float = 0.0
    _began: float = 0.0
    _looks: int = 0

    def run(self) -> Message:
        """Give the worker's last word, of type ``result`` or ``failed``.

        Raises:
            WorkerDied: The process died.
            DeadlineExceeded, LimitExceeded, Cancelled: It was stopped.
        """
        self._began = time.monotonic()
        try:
            self.worker.send(self._order())
            return self._follow()
        finally:
            self.spent = time.monotonic() - self._began

    def _order(self) -> Message:
        task = self.task
        return {
            "do": "work",
            "id": task.id,
            "function": task.function,
            "payload": task.payload,
            "workspace": str(task.workspace),
            "deadline": self.seconds,
            "max_memory": task.max_memory,
            "threads": task.threads,
            "limits": attrs.asdict(task.limits),
            "page": task.page,
        }

    def _follow(self) -> Message:
        next_look = self._began + TICK
        while True:
            now = time.monotonic()
            if self.stopping.is_set():
                raise self._stop(Cancelled("cancelled"))
            if self.seconds is not None and now >= self._began + self.seconds:
                raise self._stop(self._too_late())
            if now >= next_look:
                self._look()
                next_look = time.monotonic() + TICK
            word = self._listen(self._until(next_look))
            if word is not None:
                return word

    def _until(self, next_look: float) -> float:
        ends = next_look
        if self.seconds is not None:
            ends = min(ends, self._began + self.seconds)
        return max(0.0, ends - time.monotonic())

    def _listen(self, seconds: float) -> Message | None:
        """Wait for the worker's last word on this task; pass on the others."""
        try:
            said = self.worker.receive(seconds)
        except queue.Empty:
            return None
        if said.get("id") != self.task.id:
            return None
        if said["type"] == "message":
            self.component = str(said["body"].get("component") or self.component)
            self.tell(said["body"])
            return None
        if said["type"] == "begun":
            self.begun, self._began = True, time.monotonic()
            return None
        return said

    def _look(self) -> None:
        """See whether the worker lives, and how much memory it has taken."""
        if not self.worker.running:
            raise WorkerDied  # a process that got away may hold its pipe open
        limit = self.task.max_memory
        if limit is None:
            return
        self._looks += 1
        taken = memory(self.worker.pid, whole_tree=self._looks % 4 == 0)
        if taken > limit:
            self.worker.kill()
            raise LimitExceeded(
                f"took {taken / 2**20:,.0f} MiB of memory, the limit is {limit / 2**20:,.0f} MiB",
                hint=MORE_MEMORY,
                component=self.component,
            )

    def _too_late(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"did not end within {self.task.deadline:g} s and was stopped",
            hint="give it more time with a longer deadline",
            component=self.component,
        )

    def _stop(self, reason: EnsembleError) -> EnsembleError:
        """Ask, then terminate, then kill; gives what to raise."""
        try:
            self.worker.send({"do": "cancel", "id": self.task.id})
            end = time.monotonic() + ASKING
            while (left := end - time.monotonic()) > 0:
                word = self._listen(left)
                if word is not None:
                    return self._gave_in(word, reason)
        except WorkerDied:
            pass
        else:
            self.worker.terminate(TERMINATING)
        self.worker.kill()
        return reason

    def _gave_in(self, word: Message, reason: EnsembleError) -> EnsembleError:
        """It ended when asked: the worker may live on, unless it left others behind."""
        if self.worker.has_children():
            self.worker.kill()
        if word["type"] == "failed":
            said = EnsembleError.from_payload(word["error"])
            if isinstance(said, (Cancelled, DeadlineExceeded)):
                reason.component = said.component or reason.component
        return reason
