"""Private folders for work in progress, and sweeping up after a run that was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "ensemble-"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder only this user can read (0700), removed in the end.

    Its name holds the process id, so that what a killed process left is known for stale.
    """
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove our workspaces whose process is gone; only our own user's."""
    import psutil

    for folder in place.glob(f"{PREFIX}[0-9]*-*"):
        number = folder.name[len(PREFIX) :].partition("-")[0]
        with contextlib.suppress(OSError, ValueError):
            own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if (
                own
                and folder.is_dir()
                and not folder.is_symlink()
                and not psutil.pid_exists(int(number))
            ):
                shutil.rmtree(folder, ignore_errors=True)
