"""On a worker: the child processes that do a run's tasks, kept from task to task.

A thread of a Dask worker cannot be stopped, a process can. So each task runs in a child
process of the core's own executor ``processes``, with its deadlines and memory limits.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ensemble_core.builtin.executors import ProcessExecutor
from ensemble_core.model import Message

from .held import Held

IDLE = 120.0
"""Seconds after which what a run left is cleared away, if nobody said that it ended."""

_LOOK = 5.0

_guard = threading.RLock()
_benches: dict[str, Bench] = {}


class Slot:
    """One child process at most, for one task at a time."""

    def __init__(self) -> None:
        self.listener: Callable[[Message], None] = lambda message: None
        self.executor = ProcessExecutor()
        self.executor.open(1, lambda _, message: self.listener(message))
        self.spoilt = False

    def stop(self) -> None:
        """Kill what it does; it cannot be used again."""
        self.spoilt = True
        self.executor.cancel()


class Bench:
    """What one run has on one worker: child processes, files, folders to work in.

    Args:
        place: Folder of the Dask worker's own.
    """

    def __init__(self, place: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ensemble-", dir=place))
        self.held = Held(self.folder / "held")
        self._guard = threading.Lock()
        self._free: list[Slot] = []
        self._busy: set[Slot] = set()
        self._closed = False
        self._left = time.monotonic()

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """A child process for one task."""
        with self._guard:
            slot = self._free.pop() if self._free else Slot()
            self._busy.add(slot)
        try:
            yield slot
        finally:
            slot.listener = lambda message: None
            with self._guard:
                self._busy.discard(slot)
                self._left = time.monotonic()
                keep = not (slot.spoilt or self._closed)
                if keep:
                    self._free.append(slot)
            if not keep:
                slot.executor.close()

    def idle(self) -> float:
        """Seconds since it last did anything."""
        with self._guard:
            return 0.0 if self._busy else time.monotonic() - self._left

    def close(self) -> None:
        """End all child processes and remove the files; returns when they are gone."""
        with self._guard:
            self._closed = True
            free, self._free = self._free, []
            busy = list(self._busy)
        for slot in busy:
            slot.stop()
        for slot in (*free, *busy):
            slot.executor.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def bench(run: str, place: str) -> Bench:
    """The bench of a run on this worker; made with its first task."""
    with _guard:
        if run not in _benches:
            if not _benches:
                threading.Thread(target=_clear_away, name="ensemble-bench", daemon=True).start()
            _benches[run] = Bench(place)
        return _benches[run]


def end(run: str) -> None:
    """A run is over: nothing of it is left when this returns."""
    with _guard:
        found = _benches.pop(run, None)
    if found is not None:
        found.close()


def _clear_away() -> None:
    """Clear up after clients that went without a word, while there are benches at all."""
    while True:
        time.sleep(_LOOK)
        with _guard:
            stale = [run for run, each in _benches.items() if each.idle() > IDLE]
            closing = [_benches.pop(run) for run in stale]
            last = not _benches
        for each in closing:
            each.close()
        if last:
            return
