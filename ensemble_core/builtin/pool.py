"""A pool of worker processes, one thread beside each."""

from __future__ import annotations

import json
import os
import queue
import shutil
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import attrs

from ensemble_core.model import (
    Cancelled,
    EnsembleError,
    LimitExceeded,
    Message,
    Task,
    WorkerCrashed,
)

from .attempt import Attempt
from .calling import as_error
from .killing import memory, sweep
from .process import WorkerDied, WorkerProcess

_WEIGH_EVERY = 1.0  # seconds between two looks at how large an idle worker is
_PATIENCE = 5.0  # seconds close() waits before it kills; a stopped worker may not read its pipe
_WARM_UP = 5  # tasks before a worker's size is taken as normal


@attrs.frozen(eq=False)
class _Job:
    task: Task
    future: Future[Any]


class Pool:
    """Up to ``jobs`` lanes, each a thread with a worker, fed from one queue."""

    def __init__(
        self,
        jobs: int,
        on_message: Callable[[str, Message], None],
        *,
        python: str,
        start_timeout: float,
        tasks_per_worker: int,
        growth: int,
        nice: int = 0,
    ) -> None:
        self.token = uuid.uuid4().hex
        self.python, self.start_timeout = python, start_timeout
        self.tasks_per_worker, self.growth, self.nice = tasks_per_worker, growth, nice
        self.stopping = threading.Event()
        # named like a workspace, so that a later run sweeps it up if this process is killed
        self.temporary = tempfile.mkdtemp(prefix=f"ensemble-{os.getpid()}-")
        """Where workers keep temporary files; libraries leave some behind."""
        self._jobs, self._on_message = jobs, on_message
        self._speaking = threading.RLock()
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._lanes: list[_Lane] = []
        self._idle = 0
        self._closed = False

    def submit(self, task: Task) -> Future[Any]:
        """Queue a task, and start another lane if none is free."""
        json.dumps(task.payload)  # fails here, where the caller can see who did it
        job = _Job(task, Future())
        with self._changed:
            if self._closed:
                raise RuntimeError("the executor is closed")
            if not self.stopping.is_set():
                self._waiting.append(job)
                if self._idle < len(self._waiting) and len(self._lanes) < self._jobs:
                    self._lanes.append(_Lane(self, len(self._lanes)))
                    self._lanes[-1].thread.start()
                self._changed.notify()
                return job.future
        _fail(job.future, Cancelled("cancelled"))
        return job.future

    def next(self) -> _Job | None:
        """The next job for a lane; None when it shall end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._idle -= 1
            return self._waiting.popleft() if self._waiting else None

    def tell(self, task: Task, message: Message) -> None:
        """Pass on what a task says, one at a time."""
        with self._speaking:
            self._on_message(task.id, message)

    def cancel(self) -> None:
        """Fail what waits and have the lanes stop what runs; returns at once."""
        self.stopping.set()
        with self._changed:
            dropped = list(self._waiting)
            self._waiting.clear()
            lanes = list(self._lanes)
        for lane in lanes:
            lane.wake()
        for job in dropped:
            _fail(job.future, Cancelled("cancelled"))

    def close(self) -> None:
        """Cancel what is left, end all lanes and their workers."""
        self.cancel()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for lane in self._lanes:
            if lane.thread is not threading.current_thread():
                lane.end()
        if self._lanes:
            sweep(self.token)
        shutil.rmtree(self.temporary, ignore_errors=True)


class _Lane:
    """Takes jobs one after the other and keeps a worker to do them."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.thread = threading.Thread(
            target=self._run, name=f"ensemble-lane-{number}", daemon=True
        )
        self._pool = pool
        self._number = number
        self._begun = 0
        self._worker: WorkerProcess | None = None
        self._weighed = 0.0

    def _run(self) -> None:
        try:
            while (job := self._pool.next()) is not None:
                if job.future.set_running_or_notify_cancel():
                    self._settle(job)
        finally:
            if self._worker is not None:
                self._worker.close()

    def wake(self) -> None:
        """Have a running attempt look at ``stopping``; from any thread."""
        worker = self._worker
        if worker is not None:
            worker.wake()

    def end(self) -> None:
        """Wait for the thread; a worker that blocks it even so is killed."""
        self.thread.join(_PATIENCE)
        worker = self._worker
        if self.thread.is_alive() and worker is not None:
            worker.kill()
        self.thread.join()

    def _settle(self, job: _Job) -> None:
        try:
            said = self._try(job.task)
            if said["type"] == "failed":
                raise EnsembleError.from_payload(said["error"])
        except EnsembleError as error:
            job.future.set_exception(error)
            self._retire_if(not self._healthy(error))
        except Exception as error:  # the observer's, or ours: never a lost future
            job.future.set_exception(as_error(error))
            self._retire_if(True)
        else:
            job.future.set_result(said["value"])
            self._retire_if(self._worn_out())

    def _try(self, task: Task) -> Message:
        """Attempts until one is not cut short by the death of the process."""
        spent, deaths = 0.0, 0
        while True:
            left = None if task.deadline is None else max(0.01, task.deadline - spent)
            attempt: Attempt | None = None
            try:
                worker = self._ready_worker(task.threads)
                attempt = Attempt(
                    task, worker, lambda said: self._pool.tell(task, said),
                    self._pool.stopping, left,
                )  # fmt: skip
                said = attempt.run()
                worker.tasks_done += 1
                return said
            except WorkerDied:
                if attempt and not attempt.begun and attempt.worker.tasks_done:
                    self._retire_if(True)  # it died before, not of this task
                    continue
                crash = self._crash(attempt)
                if isinstance(crash, LimitExceeded):
                    raise crash from None
                deaths += 1
                spent += attempt.spent if attempt else 0.0
                if deaths > task.retries:
                    raise crash from None

    def _crash(self, attempt: Attempt | None) -> EnsembleError:
        """Clear up after a dead worker; gives what to raise if it was the last attempt."""
        worker, self._worker = self._worker, None
        if worker is None:
            return WorkerCrashed("the worker process is gone")
        if attempt is None:
            return worker.crash(" while it started")
        return worker.crash(component=attempt.component)

    def _ready_worker(self, threads: int) -> WorkerProcess:
        """A worker that can be given a task at once."""
        worker = self._worker
        if worker is not None and (worker.threads != threads or not worker.running):
            self._retire_if(True)
            worker = None
        if worker is not None:
            return worker
        if self._pool.stopping.is_set():
            raise Cancelled("cancelled")
        self._begun += 1
        number = self._begun * 1000 + self._number
        pool = self._pool
        worker = WorkerProcess(
            pool.token, number, threads, pool.python, pool.temporary, nice=pool.nice
        )
        self._worker = worker
        self._await_start(worker)
        return worker

    def _await_start(self, worker: WorkerProcess) -> None:
        end = time.monotonic() + self._pool.start_timeout
        while not self._pool.stopping.is_set():
            try:
                worker.wait_ready(max(0.0, end - time.monotonic()))
                return
            except queue.Empty:
                if time.monotonic() >= end:
                    raise WorkerDied from None
        self._worker = None
        worker.kill()
        raise Cancelled("cancelled")

    def _healthy(self, error: EnsembleError) -> bool:
        """Whether the worker can be used again after ``error``."""
        return self._worker is not None and self._worker.running and error.code != "limit-exceeded"

    def _worn_out(self) -> bool:
        """Whether the worker did its share of tasks or has grown too much."""
        worker = self._worker
        if worker is None or worker.tasks_done >= self._pool.tasks_per_worker:
            return True
        now = time.monotonic()
        if worker.tasks_done < _WARM_UP or now - self._weighed < _WEIGH_EVERY:
            return False
        self._weighed = now
        size = memory(worker.pid, whole_tree=False)
        worker.baseline = worker.baseline or size
        return size > worker.baseline + self._pool.growth

    def _retire_if(self, really: bool) -> None:
        worker = self._worker
        if really and worker is not None:
            self._worker = None
            if worker.running:
                worker.close()
            else:
                worker.kill()


def _fail(future: Future[Any], error: EnsembleError) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
