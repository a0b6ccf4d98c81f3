"""Where uploads wait that are complete, for the thread that puts them into the queue."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from ..records.together import Work, by_itself, side_by_side

if TYPE_CHECKING:
    from ..records.tables import Job

Taken = tuple["Job", bool]
_MOST = 100
"""How many are taken at once: the first ones are answered while the next ones are written down."""
_TURNS = 3
"""Turns of the event loop in which what has come becomes complete."""


class Reception:
    """Puts into the queue whatever has come, in one thread and one transaction.

    Many uploads that come at once cost a third of what they would if each had a thread: threads
    wait for each other, and a transaction costs more than what is done in it. Nor is that thread
    begun while more become complete, as it and the event loop would take turns at every file and
    every row.

    Belongs to one event loop.

    Args:
        together: Whether to do so. A bucket answers slowly and to many at once: there, each upload
            has a thread.
        quiet: Cleared while there is something to do.
    """

    def __init__(self, together: bool, quiet: threading.Event) -> None:
        self._together, self._quiet = together, quiet
        self._waiting: list[tuple[Work[Taken], asyncio.Future[Taken]]] = []
        self._working: asyncio.Task[None] | None = None

    async def finish(self, work: Work[Taken]) -> Taken:
        """Do the work of :meth:`.multipart.Upload.finishing`; it is done once it is begun.

        Raises:
            Exception: What the work raises.
        """
        if not self._together:
            return await run_in_threadpool(by_itself, work)
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._working is None:
            self._working = asyncio.create_task(self._take())
        return await future

    async def _gather(self) -> None:
        seen = 0
        while seen < len(self._waiting) < _MOST:
            seen = len(self._waiting)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def _take(self) -> None:
        self._quiet.clear()
        try:
            while self._waiting:
                await self._gather()
                taken, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                ended: list[Taken | Exception]
                try:
                    ended = await run_in_threadpool(side_by_side, [work for work, _ in taken])
                except Exception as error:  # there is no thread to be had
                    ended = [error for _ in taken]
                for (_, future), result in zip(taken, ended, strict=True):
                    if future.done():  # whoever sent it is gone
                        continue
                    if isinstance(result, Exception):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._working = None
            self._quiet.set()
