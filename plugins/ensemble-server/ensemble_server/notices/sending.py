"""The sender: takes what is due, delivers it, puts down what came of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ..records.tables import Notice, User, Webhook, now
from .mail import mail
from .outcome import Outcome
from .posting import make_client, post
from .taking import PER_USER, forget, put_down, take

if TYPE_CHECKING:
    import httpx

    from ..records.database import Database
    from ..settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT = 15.0
"""Seconds one delivery may take, all in all."""

AT_ONCE = 50
"""Notices being sent at a time."""

KEEP = timedelta(days=30)
"""How long what was delivered or given up can be looked at."""

_LAST_SECONDS = 4.0


def loop(database: Database, settings: Settings, stop: threading.Event, every: float = 2.0) -> None:
    """Send what is due until ``stop`` is set; looks every few seconds at least.

    Each notice is taken by one sender at a time, whatever number of nodes there are. If that one
    dies, another sends it when its lease is over; its id is the same, so a receiver can tell.
    """
    while not stop.is_set():
        try:
            asyncio.run(Sender(database, settings).run(stop, every))
        except Exception:  # the database may be away for a while
            log.exception("notices.failed")
            stop.wait(every)


def send_due(database: Database, settings: Settings) -> int:
    """Send what is due now, as far as it is sent at a time.

    Returns:
        How many were tried.
    """
    taken = take(database, now(), AT_ONCE)
    if taken:
        asyncio.run(Sender(database, settings).send_all(taken))
    return len(taken)


def send_one(database: Database, settings: Settings, notice: Notice) -> Outcome:
    """Send a notice now and once, and put down what came of it."""
    return asyncio.run(Sender(database, settings, once=True).send_all([notice]))[0]


class Sender:
    """Delivers notices side by side, within one event loop.

    Args:
        database: Where they are.
        settings: The mail server, and whether webhooks may go to private addresses.
        once: Whether what fails is given up.
    """

    def __init__(self, database: Database, settings: Settings, once: bool = False) -> None:
        self._database, self._settings, self._once = database, settings, once
        self._busy: Counter[str] = Counter()

    async def send_all(self, notices: list[Notice]) -> list[Outcome]:
        """Deliver what was taken."""
        async with make_client(TIMEOUT) as client:
            return list(await asyncio.gather(*(self._send(client, each) for each in notices)))

    async def run(self, stop: threading.Event, every: float) -> None:
        """Take and deliver until ``stop`` is set; what is under way then has a few seconds."""
        under_way: set[asyncio.Task[Outcome]] = set()
        cleaned = float("-inf")
        client: httpx.AsyncClient | None = None
        async with AsyncExitStack() as stack:
            while not stop.is_set():
                taken = await self._take(AT_ONCE - len(under_way))
                if taken and client is None:  # not before: most services have no webhooks
                    client = await stack.enter_async_context(make_client(TIMEOUT))
                if client is not None:
                    under_way |= {asyncio.create_task(self._send(client, each)) for each in taken}
                if time.monotonic() - cleaned > 3600:
                    cleaned = time.monotonic()
                    await asyncio.to_thread(forget, self._database, now() - KEEP)
                if not taken:
                    await _pause(stop, every, under_way)
                under_way = {task for task in under_way if not task.done()}
            if under_way:
                _, late = await asyncio.wait(under_way, timeout=_LAST_SECONDS)
                for task in late:
                    task.cancel()

    async def _take(self, most: int) -> list[Notice]:
        if most <= 0:
            return []
        busy = [user for user, count in self._busy.items() if count >= PER_USER]
        taken = await asyncio.to_thread(take, self._database, now(), most, busy)
        self._busy.update(notice.user_id for notice in taken)
        return taken

    async def _send(self, client: httpx.AsyncClient, notice: Notice) -> Outcome:
        try:
            outcome = await asyncio.wait_for(self._deliver(client, notice), TIMEOUT)
        except asyncio.TimeoutError:
            outcome = Outcome(False, f"No answer within {TIMEOUT:.0f} s")
        except Exception as error:
            log.exception("notice.failed", notice=notice.id)
            outcome = Outcome(False, type(error).__name__)
        try:
            await asyncio.to_thread(put_down, self._database, notice, outcome, self._once)
        except SQLAlchemyError:  # it is sent again when its lease is over
            log.exception("notice.not-put-down", notice=notice.id)
        finally:
            self._busy.subtract([notice.user_id])
            self._busy += Counter()  # forgets those of whom nothing is being sent
        return outcome

    async def _deliver(self, client: httpx.AsyncClient, notice: Notice) -> Outcome:
        webhook, user = await asyncio.to_thread(self._target, notice)
        if notice.webhook_id:
            if webhook is None:
                return Outcome(False, "The webhook was removed.", final=True)
            private = self._settings.webhooks_to_private
            return await post(client, notice, webhook, private=private)
        if user is None or not user.email or not self._settings.smtp:
            return Outcome(False, "There is no address, or no mail server.", final=True)
        return await mail(notice, user.email, self._settings, TIMEOUT)

    def _target(self, notice: Notice) -> tuple[Webhook | None, User | None]:
        with self._database.read() as session:
            webhook = session.get(Webhook, notice.webhook_id) if notice.webhook_id else None
            return webhook, session.get(User, notice.user_id)


async def _pause(
    stop: threading.Event, every: float, under_way: set[asyncio.Task[Outcome]]
) -> None:
    """Wait a while; less if something ends, so that its place is taken soon."""
    count = sum(not task.done() for task in under_way)
    if not count:  # nothing can end: asleep until then
        await asyncio.to_thread(stop.wait, every)
        return
    latest = time.monotonic() + every
    while not stop.is_set() and (left := latest - time.monotonic()) > 0:
        if sum(not task.done() for task in under_way) < count:
            return
        await asyncio.sleep(min(left, 0.1))
