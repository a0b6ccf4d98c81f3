"""Judging seconds on a machine that is busy with other things."""

from __future__ import annotations

import time
from pathlib import Path


class Stopwatch:
    """Measures how long something takes, without the time it stood in line for a core.

    Linux tells how long each thread was ready and had to wait (``/proc/…/schedstat``,
    second number, nanoseconds); elsewhere all time counts.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = _delays()

    def seconds(self) -> float:
        """Seconds since the stopwatch was made."""
        took = time.monotonic() - self._began
        waits = [delay - self._before.get(task, 0) for task, delay in _delays().items()]
        return max(0.0, took - max(waits, default=0) / 1e9)


def _delays() -> dict[str, int]:
    found = {}
    for path in Path("/proc/self/task").glob("*/schedstat"):
        try:
            found[path.parent.name] = int(path.read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            continue  # the thread ended meanwhile, or the kernel does not tell
    return found
