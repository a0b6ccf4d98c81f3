"""A worker: slots that convert, and one keeper that looks after leases and deadlines."""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

import attrs
import structlog
from sqlalchemy import Connection

from ensemble_core.config import Config

from ..live.bus import QUEUE, Bus, Message, job_channel
from ..traces import span
from .converting import Converter
from .engine import Lease, Taken
from .journal import Journal
from .leases import Leases
from .slots import Slot

log = structlog.get_logger(__name__)

TICK = 0.25
"""Seconds between two rounds of the keeper."""
IDLE = 1.0
"""Seconds an idle slot waits for word of a job before it looks by itself."""
_QUICK = 1.0
"""Seconds a conversion may take for the next job to be taken ahead of time."""
_COURTESY = 0.5
"""Seconds a job waits at most for a crowd of uploads: they have people waiting for them."""


@attrs.define(eq=False)
class Held:
    """A job this worker has: its lease, its journal, when it must be over, its last heartbeat."""

    job: Taken
    lease: Lease
    journal: Journal
    ends: float | None = None
    beat: float = attrs.field(factory=time.monotonic)


def worker_name() -> str:
    """What this process is called in the records."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}"


class Worker:
    """Takes jobs and converts them until told to stop.

    While a slot converts, the next job is taken and the last one put away by another thread, as
    long as conversions are quick: the worker processes never wait for the database.

    Args:
        leases: The queue.
        converter: What is done with a job.
        bus: On which there is word of new jobs and of cancelled ones.
        base: The operator's configuration of pipelines.
        quiet: Unset while others of this process should come first; no job is begun for a moment.
        slots: Conversions at a time.
        lease_seconds: How long a lease lasts.
    """

    def __init__(
        self,
        leases: Leases,
        converter: Converter,
        bus: Bus,
        base: Config,
        quiet: threading.Event,
        *,
        slots: int,
        lease_seconds: float,
    ) -> None:
        self._leases, self._converter, self._bus, self._quiet = leases, converter, bus, quiet
        self._count, self._lease_seconds = slots, lease_seconds
        # The slot used last comes first: what is not needed starts no process, what is stays warm.
        self._slots: queue.LifoQueue[Slot] = queue.LifoQueue()
        self._all = [Slot(base) for _ in range(slots)]
        for slot in self._all:
            self._slots.put(slot)
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._last_seconds = _QUICK
        self._taking = 0  # threads that may be given a job this very moment

    def start(self) -> None:
        """Begin, in threads of its own."""
        self._leave = self._bus.listen(QUEUE, self._heard)
        for number in range(self._count + 1):
            self._thread(self._work, f"ensemble-slot-{number}")
        self._thread(self._keep, "ensemble-keeper")

    def stop(self) -> None:
        """Take no more jobs, give back those under way, end all processes."""
        self._stopping.set()
        with self._lock:
            held = list(self._held.values())
        for each in held:
            each.lease.stopper.stop("shutdown")
        with self._news:
            self._news.notify_all()
        for thread in self._threads:
            thread.join()
        self._leave()
        for slot in self._all:
            slot.close()

    def wake(self) -> None:
        """There is work."""
        with self._news:
            self._news.notify()

    @property
    def busy(self) -> int:
        """Jobs being worked on now."""
        return len(self._held)

    def _thread(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _heard(self, message: Message) -> None:
        if message.get("kind") == "cancel":
            held = self._held.get(str(message.get("job")))
            if held is not None:
                held.lease.stopper.stop("cancel")
        else:
            self.wake()

    def _work(self) -> None:
        held: Held | None = None
        in_a_row = 0
        while held is not None or not self._stopping.is_set():
            try:
                held = held or self._next(likely=in_a_row > 1)
                if held is None:
                    in_a_row = 0
                    continue
                held = self._one(held)
                in_a_row += 1
            except Exception:
                log.exception("worker.failed")
                self._stopping.wait(1.0)
                held, in_a_row = None, 0

    def _next(self, *, likely: bool) -> Held | None:
        """Take a job; wait a moment if there is none to be had."""
        self._quiet.wait(_COURTESY)
        if not self._may_take():
            self._wait(0.05)
            return None
        try:
            held = self._hold(self._leases.take(likely=likely))
        finally:
            self._taken()
        if held is None:
            self._wait(IDLE)
        return held

    def _may_take(self) -> bool:
        """Whether to take a job now: ahead of time only where that is soon repaid.

        If so, one is counted as being taken until :meth:`_taken`.
        """
        with self._lock:
            busy = len(self._held) + self._taking
            if busy >= self._count and self._last_seconds >= _QUICK:
                return False
            self._taking += 1
            return True

    def _taken(self) -> None:
        with self._lock:
            self._taking -= 1

    def _take_along(self, taken: list[tuple[Taken, Lease]], connection: Connection) -> None:
        """Take the next job in the transaction that ends one: to commit costs as much as to do."""
        if self._stopping.is_set() or not self._quiet.is_set() or not self._may_take():
            return
        try:
            if (found := self._leases.take_in(connection)) is not None:
                taken.append(found)
        finally:
            self._taken()  # the job that ends counts until this one does

    def _hold(self, taken: tuple[Taken, Lease] | None) -> Held | None:
        """Look after a job from now on."""
        if taken is None:
            return None
        job, lease = taken
        held = Held(job, lease, self._converter.journal(lease))
        with self._lock:
            self._held[job.id] = held
            if self._stopping.is_set():
                lease.stopper.stop("shutdown")
        if job.cancel_requested:
            lease.stopper.stop("cancel")
        self._bus.publish(job_channel(job.id), {"kind": "news"})
        return held

    def _wait(self, seconds: float) -> None:
        with self._news:
            if not self._stopping.is_set():
                self._news.wait(seconds)

    def _one(self, held: Held) -> Held | None:
        """Do a job; gives the next one if it was taken along."""
        job, lease = held.job, held.lease
        try:
            slot = self._slots.get(timeout=_QUICK)
        except queue.Empty:
            self._too_soon(job.id, lease)
            return None
        along: list[tuple[Taken, Lease]] = []
        following: Held | None = None
        try:
            began = time.monotonic()
            held.ends = began + job.deadline
            with span("job", id=job.id, attempt=lease.attempt):
                self._converter.convert(
                    job, lease, held.journal, slot, partial(self._take_along, along)
                )
            self._last_seconds = time.monotonic() - began
            following = self._hold(along[0] if along else None)
        except Exception:
            for _, each in along:
                self._leases.give_back(each)
            self._leases.drop(lease)
            raise
        finally:
            self._slots.put(slot)
            with self._lock:
                self._held.pop(job.id, None)
            if lease.stopper.reason == "shutdown":
                self._leases.give_back(lease)
        return following

    def _too_soon(self, job_id: str, lease: Lease) -> None:
        """A job was taken ahead of time, and what runs is not so quick after all: others first."""
        self._last_seconds = float("inf")
        with self._lock:
            self._held.pop(job_id, None)
        self._leases.give_back(lease)

    def _recover(self) -> None:
        """Free the jobs of the dead."""
        for job_id, over in self._leases.recover():
            if over:
                self._converter.clear(job_id)
            else:
                self.wake()

    def _keep(self) -> None:
        """Flush journals, watch deadlines, beat, recover the jobs of the dead."""
        pause = min(self._lease_seconds / 4, 2.0)
        recovered = 0.0
        while not self._stopping.wait(TICK):
            moment = time.monotonic()
            with self._lock:
                held = list(self._held.values())
            try:
                for each in held:
                    if each.ends is not None and moment > each.ends:
                        each.lease.stopper.stop("deadline")
                    each.journal.flush()
                if any(moment - each.beat > pause for each in held):
                    for each in held:
                        each.beat = moment
                    self._leases.beat([each.lease for each in held])
                if moment - recovered > min(self._lease_seconds / 2, 10.0):
                    recovered = moment
                    self._recover()
            except Exception:
                log.exception("worker.keeper-failed")
                self._stopping.wait(1.0)
