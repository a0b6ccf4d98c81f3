"""Ending processes together with everything they started.

A process can leave its parent's tree by forking twice and its session by ``setsid``. So
each worker carries a token in its environment, which its children inherit: what still
shows the token after the tree was killed is found and killed too. Only a process that
also cleaned its environment escapes. psutil makes this the same on every platform.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MARK = "WORKER_OF_ENSEMBLE"
"""Environment variable with the token of pool and worker; not a setting, so no ``ENSEMBLE_``."""

_ROUNDS = 5  # a process may fork between being listed and being killed


def descendants(pid: int) -> list[Any]:
    """The ``psutil.Process`` objects below ``pid``, itself left out; empty when it is gone."""
    if not _may_have_children(pid):
        return []
    import psutil

    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def marked(token: str) -> list[Any]:
    """All processes but this one whose token is, or begins with, ``token``."""
    candidates = _proc_mentions(token) if sys.platform == "linux" else None
    if candidates == []:
        return []
    import psutil

    found = []
    for pid in psutil.pids() if candidates is None else candidates:
        try:
            process = psutil.Process(pid)
            value = process.environ().get(MARK, "")
        except (psutil.Error, OSError, ValueError):
            continue  # another user's, or gone, or of a kind that does not tell
        if value.startswith(token) and pid != os.getpid():
            found.append(process)
    return found


def alive(process: Any) -> bool:
    """Whether a process still runs; one that waits to be reaped does not."""
    import psutil

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def kill_all(processes: Iterable[Any], wait: float = 0.3) -> None:
    """Kill processes without asking and wait up to ``wait`` seconds until they are gone."""
    import psutil

    victims = [process for process in processes if alive(process)]
    for process in victims:
        try:
            process.kill()
        except psutil.Error:
            continue  # gone in the meantime
    end = time.monotonic() + wait
    while any(alive(process) for process in victims) and time.monotonic() < end:
        time.sleep(0.005)


def sweep(token: str, pid: int | None = None) -> None:
    """Kill whatever is below ``pid`` or carries ``token``, until nothing is found."""
    for _ in range(_ROUNDS):
        found = marked(token) + (descendants(pid) if pid is not None else [])
        if not [process for process in found if alive(process)]:
            return
        kill_all(found)


def memory(pid: int, whole_tree: bool = True) -> int:
    """Resident bytes of a process, and of its descendants too if ``whole_tree``."""
    import psutil

    total = 0
    try:
        processes = [psutil.Process(pid)]
    except psutil.Error:
        return 0
    if whole_tree:
        processes += descendants(pid)
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _may_have_children(pid: int) -> bool:
    """False if Linux says so at once; psutil looks at every process of the machine."""
    lists = list(Path(f"/proc/{pid}/task").glob("*/children"))
    try:
        return not lists or any(file.read_bytes() for file in lists)
    except OSError:
        return True  # a thread ended meanwhile


def _proc_mentions(token: str) -> list[int]:
    """Processes of this user with the token in their environment, without psutil."""
    wanted = f"{MARK}={token}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            try:
                if wanted in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found
