"""The executors the core ships: ``serial`` (here, now) and ``processes`` (workers)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import attrs

from ensemble_core.model import (
    ByteSize,
    Cancelled,
    CancelToken,
    Context,
    DeadlineExceeded,
    Duration,
    Message,
    Task,
    option,
)

from .calling import as_error, call
from .pool import Pool

OnMessage = Callable[[str, Message], None]


class SerialExecutor:
    """Runs each task in the calling thread while :meth:`submit` waits.

    For debugging and for components that cannot hang or crash. It cannot promise what
    only a process of its own can: work that never looks at its context is not stopped at
    the deadline or by :meth:`cancel`, memory is not limited, a crash takes the program
    along, and what a component prints goes to the program's standard output.
    """

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._guard = threading.Lock()
        self._tokens: set[CancelToken] = set()
        self._stopped = False
        self._on_message: OnMessage | None = None

    def open(self, jobs: int, on_message: OnMessage) -> None:
        """Get ready; ``jobs`` has no effect, there is one task at a time."""
        self._on_message = on_message

    def submit(self, task: Task) -> Future[Any]:
        """Run the task; the future is done when this returns."""
        if self._on_message is None:
            raise RuntimeError("submit() before open(), or after close()")
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        with self._turn:
            token = CancelToken()
            with self._guard:
                self._tokens.add(token)
                if self._stopped:
                    token.cancel()
            try:
                future.set_result(self._run(task, token))
            except (Exception, SystemExit) as error:
                future.set_exception(as_error(error))
            finally:
                with self._guard:
                    self._tokens.discard(token)
        return future

    def _run(self, task: Task, token: CancelToken) -> Any:
        on_message = self._on_message or (lambda name, message: None)
        expires = None if task.deadline is None else time.monotonic() + task.deadline
        ctx = Context(
            workspace=task.workspace,
            limits=task.limits,
            threads=task.threads,
            expires=expires,
            cancel=token,
            page=task.page,
            send=lambda message: on_message(task.id, message),
        )
        if token.cancelled:
            raise Cancelled("cancelled")
        value = call(task.function, task.payload, ctx)
        if expires is not None and time.monotonic() > expires:
            raise DeadlineExceeded(f"did not end within {task.deadline:g} s")
        return value

    def cancel(self) -> None:
        """Ask the running task to stop; those submitted later do not start."""
        with self._guard:
            self._stopped = True
            for token in self._tokens:
                token.cancel()

    def close(self) -> None:
        """Nothing to let go of."""
        self.cancel()
        self._on_message = None


@attrs.frozen
class ProcessOptions:
    """Options of the executor ``processes``."""

    python: str = option("", "Python interpreter of the workers; empty: the one running")
    start_timeout: Duration = option(Duration(60.0), "How long a worker may take to start")
    tasks_per_worker: int = option(5000, "A worker is replaced after so many tasks", minimum=1)
    growth: ByteSize = option(
        ByteSize(512 * 2**20), "A worker is replaced when it has grown by so much", minimum=2**20
    )
    nice: int = option(
        0, "How far workers step back where others want the processor too", minimum=0, maximum=19
    )


class ProcessExecutor:
    """Runs tasks in persistent worker processes that can be killed.

    Each worker is a process of its own session. A task past its deadline is asked to
    stop, then terminated, then killed with everything it started, about a second later.
    On Linux a task cannot allocate far beyond its memory limit; everywhere the parent
    looks at the resident memory of the worker every 0.1 s and of its tree every 0.4 s,
    so elsewhere a task may exceed the limit for as long. Without POSIX sessions
    (Windows), a process that left the tree is found by its environment only.

    Args:
        options: Set-up of the workers.
    """

    def __init__(self, options: ProcessOptions | None = None) -> None:
        self._options = options or ProcessOptions()
        self._pool: Pool | None = None

    def open(self, jobs: int, on_message: OnMessage) -> None:
        """Get ready to run ``jobs`` tasks at a time; workers start with the first tasks."""
        chosen = self._options
        self._pool = Pool(
            max(1, jobs),
            on_message,
            python=chosen.python,
            start_timeout=chosen.start_timeout,
            tasks_per_worker=chosen.tasks_per_worker,
            growth=chosen.growth,
            nice=chosen.nice,
        )

    def submit(self, task: Task) -> Future[Any]:
        """Queue a task; safe to call from any thread.

        Raises:
            TypeError: The payload is not plain JSON data.
        """
        if self._pool is None:
            raise RuntimeError("submit() before open(), or after close()")
        return self._pool.submit(task)

    def cancel(self) -> None:
        """Stop everything; returns at once, all is gone within two seconds."""
        if self._pool is not None:
            self._pool.cancel()

    def close(self) -> None:
        """Stop what still runs and wait until no process is left."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
