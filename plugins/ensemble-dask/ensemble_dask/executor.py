"""The executor ``dask``: tasks go to a scheduler, a bounded number of them at a time."""

from __future__ import annotations

import json
import queue
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ensemble_core.builtin.calling import as_error
from ensemble_core.model import (
    Cancelled,
    EnsembleError,
    ExecutorFailed,
    InputError,
    Message,
    OutputError,
    Task,
)

from .cluster import Cluster
from .flight import AGAIN, Flight
from .luggage import Luggage, unpack
from .options import DaskOptions

OnMessage = Callable[[str, Message], None]

LANDING = 4
"""Threads that fetch results."""


def _errand(order: Any, data: Any) -> Any:
    """What is submitted; see below how it travels."""
    from ensemble_dask.errand import run

    return run(order, data)


# By value: a Dask worker that cannot import what it is to run by name takes itself down,
# where this becomes an error of the task.
_errand.__module__ = "__main__"


class DaskExecutor:
    """Runs tasks on a Dask cluster.

    Each Dask worker has its tasks done by child processes of the core's own machinery, so
    deadlines, memory limits and :meth:`cancel` hold as on one machine. A task whose Dask
    worker dies is done again on another, as often as its ``retries`` say. Unless the
    files are shared, those a task reads go along, and those its result names come back.

    Args:
        options: Where the cluster is.
    """

    def __init__(self, options: DaskOptions | None = None) -> None:
        self._options = options or DaskOptions()
        self._run = uuid.uuid4().hex[:12]
        self._shared = self._options.shared or not self._options.scheduler
        self._changed = threading.Condition()
        self._waiting: deque[Flight] = deque()
        self._aloft: dict[str, Flight] = {}
        self._heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._stopped = self._closed = False
        self._failure: ExecutorFailed | None = None
        self._cluster: Cluster | None = None
        self.slots = 0

    def open(self, jobs: int, on_message: OnMessage) -> None:
        """Connect; ``jobs`` counts for a cluster in this process only.

        Raises:
            ExecutorFailed: The scheduler does not answer, or has no workers.
        """
        self._on_message = on_message
        self._cluster = cluster = Cluster(self._options, jobs)
        self._client = cluster.client
        # the scheduler forgets this topic when the client is gone
        self._topic = str(self._client.id)
        self._client.subscribe_topic(self._topic, lambda event: self._heard.put(event[1]))
        self._luggage = Luggage(self._client, self._run)
        self._landing = ThreadPoolExecutor(LANDING, thread_name_prefix="ensemble-landing")
        self.slots = cluster.threads()
        for work in (self._feed, self._listen):
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()

    def submit(self, task: Task) -> Future[Any]:
        """Queue a task; safe to call from any thread.

        Raises:
            TypeError: The payload is not plain JSON data.
        """
        if self._cluster is None:
            raise RuntimeError("submit() before open(), or after close()")
        json.dumps(task.payload)  # fails here, where the caller can see who did it
        flight = Flight(task, Future())
        flight.future.set_running_or_notify_cancel()
        with self._changed:
            if self._failure is None and not self._stopped:
                self._waiting.append(flight)
                self._changed.notify_all()
                return flight.future
        flight.fail(self._failure or Cancelled("cancelled"))
        return flight.future

    def cancel(self) -> None:
        """Stop everything; returns at once, all is gone within two seconds."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._drop(Cancelled("cancelled"))

    def close(self) -> None:
        """Stop what still runs; waits until nothing of this run is left on the workers."""
        cluster, self._cluster = self._cluster, None
        if cluster is None:
            return
        self.cancel()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._heard.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._landing.shutdown(wait=False, cancel_futures=True)
        cluster.end(self._run)

    # -- on the way there -----------------------------------------------------------

    def _feed(self) -> None:
        """Hand over what waits, while there is room."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._has_room())
                if self._closed:
                    return
                flight = self._waiting.popleft()
                self._aloft[flight.task.id] = flight
            try:
                self._send(flight)
            except OSError as error:
                self._end(flight, InputError(f"cannot be sent to a worker: {error}"))
            except Exception as error:
                alive = self._cluster is not None and self._cluster.alive
                self._end(flight, as_error(error)) if alive else self._lose()

    def _has_room(self) -> bool:
        return bool(self._waiting) and len(self._aloft) < self._room()

    def _room(self) -> int:
        return self._options.in_flight or 2 * self.slots

    def _send(self, flight: Flight) -> None:
        cluster = self._cluster
        if cluster is None:
            return
        if not cluster.alive:
            self._lose()
            return
        self.slots = cluster.threads()
        flight.tries += 1
        if not self._shared:
            flight.packed = self._luggage.pack(flight.task.files)
        order = flight.order(self._run, self._topic, self._shared)
        dask = self._client.submit(
            _errand, order, flight.packed.sent, key=order["key"], pure=False, retries=0
        )
        flight.dask = dask
        dask.add_done_callback(lambda _: self._landed(flight, dask))
        if flight.future.done():  # dropped while it was being sent
            self._client.cancel([dask], force=True)

    # -- meanwhile ------------------------------------------------------------------

    def _listen(self) -> None:
        """Pass on what tasks say, outside of Dask's own threads."""
        while (said := self._heard.get()) is not None:
            flight = self._aloft.get(str(said.get("ensemble")))
            if flight is None:
                continue  # over already, or an event of Dask's own
            try:
                if "message" in said:
                    flight.hear(said["number"], said["message"], self._on_message)
                elif not flight.begun(said["begun"]):
                    self._end(flight, flight.crashed())
            except Exception as error:  # the observer's: never a lost future
                self._end(flight, as_error(error))

    # -- and back -------------------------------------------------------------------

    def _landed(self, flight: Flight, dask: Any) -> None:
        try:
            self._landing.submit(self._land, flight, dask)
        except RuntimeError:
            flight.fail(Cancelled("cancelled"))  # closed meanwhile

    def _land(self, flight: Flight, dask: Any) -> None:
        """The scheduler is done with it, one way or the other."""
        if flight.dask is not dask or flight.future.done():
            return
        try:
            if dask.status == "finished":
                self._deliver(flight, dask.result())
            elif dask.status == "error":
                self._refused(flight, dask.exception())
            else:
                self._lost(flight)
        except Exception as error:
            alive = self._cluster is not None and self._cluster.alive
            self._end(flight, as_error(error)) if alive else self._lose()

    def _deliver(self, flight: Flight, answer: dict[str, Any]) -> None:
        for number, message in answer["messages"]:
            flight.hear(number, message, self._on_message)
        if "failed" in answer:
            error = EnsembleError.from_payload(answer["failed"])
            if isinstance(error, ExecutorFailed):
                self._fail(error)
            self._end(flight, error)
            return
        try:
            unpack(answer["files"], flight.task.workspace)
        except OSError as error:
            text = f"{flight.task.workspace}: {error.strerror or error}"
            self._end(flight, OutputError(text, component="dask"))
            return
        self._end(flight, None, json.loads(answer["value"]))

    def _refused(self, flight: Flight, error: BaseException) -> None:
        """Dask could not have it done."""
        if type(error).__name__ == "KilledWorker":
            # Dask blames whatever a dead worker had, begun or not: once more for the innocent
            self._again(flight, most=1)
        elif isinstance(error, ImportError) and "ensemble" in str(error):
            self._fail(
                ExecutorFailed(
                    f"a worker cannot import ensemble: {error}",
                    hint="install the same versions of ensemble and its plugins on every machine",
                    component="dask",
                    code="versions-differ",
                )
            )
        else:
            self._end(flight, as_error(error))

    def _lost(self, flight: Flight) -> None:
        """It was given up without a result: the scheduler is gone, or files sent along are."""
        if self._cluster is not None and self._cluster.alive:
            self._again(flight)
        else:
            self._lose()

    def _again(self, flight: Flight, most: int = AGAIN) -> None:
        if flight.tries > most or len(flight.workers) > flight.task.retries:
            self._end(flight, flight.crashed())
            return
        with self._changed:
            self._aloft.pop(flight.task.id, None)
            flight.dask = None
            self._waiting.appendleft(flight)
            self._changed.notify_all()

    def _end(self, flight: Flight, error: EnsembleError | None, value: Any = None) -> None:
        with self._changed:
            self._aloft.pop(flight.task.id, None)
            self._changed.notify_all()
        dask, flight.dask = flight.dask, None
        if dask is not None and error is not None and not dask.done():
            self._client.cancel([dask], force=True)
        if error is None:
            flight.succeed(value)
        else:
            flight.fail(error)

    def _lose(self) -> None:
        if self._cluster is not None:
            self._fail(self._cluster.lost())

    def _fail(self, error: ExecutorFailed) -> None:
        """Nothing can be done any more."""
        with self._changed:
            self._failure = self._failure or error
        self._drop(self._failure)

    def _drop(self, error: EnsembleError) -> None:
        with self._changed:
            dropped = [*self._aloft.values(), *self._waiting]
            self._aloft.clear()
            self._waiting.clear()
            self._changed.notify_all()
        asked = [flight.dask for flight in dropped if flight.dask is not None]
        if asked and self._client.status == "running":
            self._client.cancel(asked, force=True)
        for flight in dropped:
            flight.fail(error)
