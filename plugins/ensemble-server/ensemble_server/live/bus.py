"""Live events: fleeting ones, and word that there is something new in the database.

The database is what counts; the bus only makes it quick. Whoever listens looks into the
database now and then all the same, so a lost message costs a moment and nothing else.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Protocol

Message = dict[str, Any]
Listener = Callable[[Message], None]

QUEUE = "queue"
"""The channel on which workers hear that there is work, or that a job shall stop."""


class Bus(Protocol):
    """Carries small messages between threads and, maybe, nodes."""

    shared: bool
    """Whether other processes hear what is said here."""

    def publish(self, channel: str, message: Message) -> None:
        """Say something; never raises, never blocks for long."""
        ...

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear what is said on a channel, from any thread; call what comes back to stop."""
        ...

    def close(self) -> None:
        """Let go of connections and threads."""
        ...


class LocalBus:
    """A bus within one process."""

    shared = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def publish(self, channel: str, message: Message) -> None:
        """Hand the message to everybody who listens now."""
        with self._lock:
            listeners = list(self._listeners.get(channel, ()))
        for listener in listeners:
            listener(message)

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear a channel."""
        with self._lock:
            self._listeners[channel].append(listener)
        return lambda: self._leave(channel, listener)

    def _leave(self, channel: str, listener: Listener) -> None:
        with self._lock:
            listeners = self._listeners[channel]
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                del self._listeners[channel]

    def close(self) -> None:
        """Nothing to let go of."""


def job_channel(job_id: str) -> str:
    """Where the events of a job are said."""
    return f"job:{job_id}"
