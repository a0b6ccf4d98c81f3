"""One worker process, as its parent sees it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from ensemble_core.model import LimitExceeded, Message, MissingError, WorkerCrashed

from .calling import MORE_MEMORY
from .killing import MARK, descendants, kill_all, sweep

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
"""What OpenMP, the BLAS libraries and numexpr read once, when they are loaded."""

_SEARCH_PATH = "PATH_OF_ENSEMBLE_WORKER"

# Not `-m`: that would put the current folder, where anybody's json.py may lie, in front.
_START = (
    f"import os, sys; sys.path[:] = os.environ.pop({_SEARCH_PATH!r}).split(os.pathsep); "
    "from ensemble_core.builtin.worker import main; main({nice})"
)

_DEBUG = "--debug shows what it printed"
_NO_MEMORY = "perhaps the machine ran out of memory; try fewer jobs"

_KEPT_LINES = 200
_KEPT_WIDTH = 1000


class WorkerDied(Exception):
    """The process ended, or broke the line, while something was expected of it."""


class WorkerProcess:
    """A started worker. Used by one thread; :meth:`wake` may be called from any.

    Args:
        token: Prefix of the token its processes carry; unique to the pool.
        number: Which worker of the pool it is.
        threads: How many threads numeric libraries in it may use.
        python: The interpreter that runs it.
        temporary: Folder of its temporary files.
        nice: How far it steps back for others that want the processor, 0 to 19.

    Raises:
        MissingError: There is no such interpreter.
    """

    def __init__(
        self,
        token: str,
        number: int,
        threads: int,
        python: str,
        temporary: str,
        *,
        nice: int = 0,
    ) -> None:
        self.threads = threads
        self.tasks_done = 0
        self.baseline = 0
        self._token = f"{token}:{number}."
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=_KEPT_LINES)
        command = [python or sys.executable, "-c", _START.format(nice=nice)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(self._token, threads, temporary),
                **_own_session(nice),
            )
        except OSError as error:
            raise MissingError(
                f"cannot start Python for a worker process: {error}",
                hint="set options.processes.python",
                component="processes",
            ) from error
        self.pid = self._process.pid
        self._readers = [
            threading.Thread(target=read, name=f"ensemble-worker-{number}", daemon=True)
            for read in (self._read_answers, self._read_output)
        ]
        for reader in self._readers:
            reader.start()

    def wait_ready(self, seconds: float) -> None:
        """Wait until it can take a task.

        Raises:
            WorkerDied: It did not start.
            queue.Empty: It needs longer than ``seconds``, or was woken.
        """
        if self.receive(seconds).get("type") != "ready":
            raise queue.Empty

    def send(self, order: Message) -> None:
        """Give it an order.

        Raises:
            WorkerDied: It is gone.
        """
        stdin = self._process.stdin
        try:
            if stdin is None:
                raise WorkerDied
            stdin.write(json.dumps(order, separators=(",", ":")).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError) as error:
            raise WorkerDied from error

    def receive(self, seconds: float | None) -> Message:
        """The next thing it says.

        Raises:
            queue.Empty: It said nothing for ``seconds``.
            WorkerDied: It is gone, or talks nonsense.
        """
        message = self._inbox.get(timeout=seconds)
        if message is None:
            raise WorkerDied
        return message

    def wake(self) -> None:
        """Make :meth:`receive` return at once, so that its caller looks around."""
        self._inbox.put({"type": "wake"})

    @property
    def running(self) -> bool:
        """Whether it can be given an order."""
        return self._process.poll() is None

    def has_children(self) -> bool:
        """Whether processes it started are still there."""
        return bool(descendants(self.pid))

    def terminate(self, seconds: float) -> bool:
        """Ask the whole tree to end (SIGTERM); True if the worker did within ``seconds``."""
        for process in descendants(self.pid):
            with contextlib.suppress(Exception):
                process.terminate()
        self._process.terminate()
        return self._ended(seconds)

    def kill(self) -> None:
        """End it and everything it started, without asking; returns when they are gone."""
        below = descendants(self.pid)
        if self._process.returncode is None and hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._ended(1.0)
        kill_all(below)
        sweep(self._token)
        self._let_go()

    def close(self, seconds: float = 1.0) -> None:
        """Say goodbye to an idle worker; kills what is left after ``seconds``."""
        below = descendants(self.pid)
        with contextlib.suppress(WorkerDied):
            self.send({"do": "bye"})
        if self._ended(seconds):
            kill_all(below)
            self._let_go()
        else:
            self.kill()

    def crash(self, when: str = "", component: str = "") -> WorkerCrashed | LimitExceeded:
        """The error to give after :class:`WorkerDied`; clears up what the process left."""
        self._ended(1.0)
        how = self._how_it_ended()
        self.kill()
        lines = list(self._tail)
        last = _telling_line(lines)
        error: WorkerCrashed | LimitExceeded
        if any("std::bad_alloc" in line for line in lines):
            error = LimitExceeded("ran out of memory", hint=MORE_MEMORY, component=component)
            error.details = "\n".join(lines)
            return error
        error = WorkerCrashed(
            f"the worker process {how}{when}" + (f": {last}" if last else ""),
            hint=_NO_MEMORY if how.endswith("SIGKILL") else _DEBUG,
            component=component,
        )
        error.details = "\n".join(lines)
        return error

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        if code is None:
            return "stopped answering"
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"signal {-code}"
            return f"was killed by {name}"
        return f"exited with status {code}"

    def _ended(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        for reader in self._readers:  # a straggler may hold the pipes open: not for ever
            reader.join(max(0.0, min(0.2, end - time.monotonic())))
        return True

    def _let_go(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None and not any(r.is_alive() for r in self._readers):
                    stream.close()

    def _read_answers(self) -> None:
        stream = self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            for line in stream or ():
                self._inbox.put(json.loads(line))
        self._inbox.put(None)

    def _read_output(self) -> None:
        stream = self._process.stderr
        with contextlib.suppress(OSError, ValueError):
            while stream and (line := stream.readline(_KEPT_WIDTH)):
                self._tail.append(line.decode(errors="replace").rstrip())


def _environment(token: str, threads: int, temporary: str) -> dict[str, str]:
    path = [
        entry if Path(entry).is_absolute() else str(Path(entry).absolute()) for entry in sys.path
    ]
    limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
    folders = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
    known = {MARK: token, _SEARCH_PATH: os.pathsep.join(path)}
    return {**os.environ, **limits, **folders, **known}


def _own_session(nice: int) -> dict[str, Any]:
    """Keeps Ctrl-C in the terminal from reaching workers: the parent decides."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags | (subprocess.BELOW_NORMAL_PRIORITY_CLASS if nice else 0)}
    return {"start_new_session": True}


def _telling_line(lines: list[str]) -> str:
    """The last line a person can use: faulthandler's first, else simply the last."""
    for line in lines:
        if line.startswith("Fatal Python error"):
            return line
    told = [line for line in lines if line.strip()]
    return told[-1] if told else ""
