"""Everything that can go wrong in a recognizer, on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from ensemble_core.model import Context, RecognitionError

from .options import MockOptions

_HANGING_CHILD = (
    "import signal, time\n"
    "for name in ('SIGTERM', 'SIGINT', 'SIGHUP'):\n"
    "    hasattr(signal, name) and signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
    "while True: time.sleep(3600)\n"
)
_PAGE = 4096
_BLOCK = 64 * 2**20


def happen(options: MockOptions, ctx: Context) -> bytes | None:
    """Let the fault of the options happen.

    Returns:
        What the recognizer gives instead of a score, by the fault ``garbage``.
    """
    if options.fault == "none":
        return None
    if options.fault_marker is not None and not _first_time(options.fault_marker):
        return None
    if options.fault == "garbage":
        return b"\x00\xff this is not MusicXML \xfe" * 7
    if options.fault == "delay":
        _delay(options.delay, ctx)
    elif options.fault == "hang":
        hang()
    elif options.fault == "crash":
        os.abort()
    elif options.fault == "memory":
        fill(options.allocate)
    elif options.fault == "stdout":
        print_to_stdout()
    elif options.fault == "nothing":
        raise RecognitionError("no music on this page")
    elif options.fault == "raise":
        raise RuntimeError("the mock recognizer was told to raise")
    return None


def _first_time(marker: Path) -> bool:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _delay(seconds: float, ctx: Context) -> None:
    """Take a while, and look at the context as work should."""
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        ctx.progress(spent, seconds, "s")
        ctx.cancel.wait(min(0.05, seconds - spent))


def hang() -> None:
    """Never come back: deaf to signals, with a child in another session that is as deaf."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    subprocess.Popen(
        [sys.executable, "-c", _HANGING_CHILD],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )
    while True:
        time.sleep(3600)


def fill(size: int) -> None:
    """Take memory and write into each page of it, so that it is really there."""
    held = bytearray(size)
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        held[start:stop:_PAGE] = b"\x01" * len(range(start, stop, _PAGE))


def print_to_stdout() -> None:
    """Write to standard output as Python, and as C code would."""
    print('{"type":"result","id":"t0","value":"forged"}', flush=True)  # noqa: T201
    os.write(1, b"\x00\xffnoise from C\n" * 1000)
