"""The events of a job as they happen: server-sent events, and a WebSocket with the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from ..auth.principal import Reader
from ..jobs.ending import ENDS
from ..live.bus import Message, job_channel
from ..live.streams import Streams, still
from ..service import Service
from .jobs import JobId, problems, service_of
from .schemas import event_json

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

LOOK_EVERY = 2.0
"""Seconds after which the database is looked into without having been told to."""
ALIVE_EVERY = 15.0
"""Seconds after which a silent connection is shown to be alive."""
CHECK_EVERY = 10.0
"""Seconds after which it is asked again whether the user may see this."""
_WAITING = 200

After = Annotated[int, Query(ge=0, le=2**31 - 1, description="Only events after this number")]


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events until the job has ended",
            "content": {"text/event-stream": {}},
        },
        **problems(401, 403, 404, 422, 429),
    },
)
async def stream_events(
    request: Request,
    user: Reader,
    job_id: JobId,
    after: After = 0,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """What happens to the job, from the beginning (or `Last-Event-ID`, or `after`) to its end."""
    service = service_of(request)
    await run_in_threadpool(service.get, user.user_id, job_id)
    if last_event_id and last_event_id.isdigit():
        after = min(max(after, int(last_event_id)), 2**31 - 1)
    stopping: asyncio.Event = request.app.state.stopping
    streams: Streams = request.app.state.streams
    with ExitStack() as until:
        until.enter_context(streams.opened(user.user_id))
        return _Stream(
            _sse(watch(service, job_id, after, stopping, still(request, user))), until.pop_all()
        )


class _Stream(StreamingResponse):
    """Server-sent events; counted until they end, however they do."""

    def __init__(self, events: AsyncIterator[str], until: ExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._until = until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._until:
            await super().__call__(scope, receive, send)


@router.websocket("/{job_id}/ws")
async def socket_events(socket: WebSocket, user: Reader, job_id: str, after: int = 0) -> None:
    """The same over a WebSocket: one JSON text an event; closed with 1000 when the job ended,
    with 1008 when the user may no longer see it.
    """
    service: Service = socket.app.state.service
    await run_in_threadpool(service.get, user.user_id, job_id)
    streams: Streams = socket.app.state.streams
    stopping: asyncio.Event = socket.app.state.stopping
    allowed = still(socket, user)
    with streams.opened(user.user_id):
        await socket.accept()
        listening = asyncio.ensure_future(_until_gone(socket))
        try:
            async for event in watch(service, job_id, max(0, after), stopping, allowed):
                if listening.done():
                    return
                if event is not None:
                    await socket.send_text(json.dumps(event, ensure_ascii=False))
            ended = 1000 if await run_in_threadpool(allowed) else 1008
            await socket.close(1001 if stopping.is_set() else ended)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            listening.cancel()


async def watch(
    service: Service, job_id: str, after: int, stopping: asyncio.Event, allowed: Callable[[], bool]
) -> AsyncIterator[dict[str, Any] | None]:
    """Events of a job; None: still alive.

    Until it has ended or is removed, the service stops, or the user may no longer see it.

    Args:
        service: Where the job is.
        job_id: A job whose owner was checked.
        after: Number of the last event known already.
        stopping: Set when this process ends.
        allowed: Whether the user may still see it; called in a thread.
    """
    heard: asyncio.Queue[Message] = asyncio.Queue(_WAITING)
    loop = asyncio.get_running_loop()

    def take(message: Message) -> None:
        if not heard.full():  # what is lost here is fleeting, or found in the database
            heard.put_nowait(message)

    leave = service.bus.listen(job_channel(job_id), lambda message: _call(loop, take, message))
    stop = asyncio.ensure_future(stopping.wait())
    silent, check = 0.0, loop.time() + CHECK_EVERY
    try:
        while True:
            if loop.time() >= check:
                check = loop.time() + CHECK_EVERY
                if not await run_in_threadpool(allowed):
                    return
            events = await run_in_threadpool(service.events, job_id, after)
            for event in events:
                after = event.number
                yield event_json(event)
            if events and events[-1].kind in ENDS and heard.empty():
                return
            if not events and await run_in_threadpool(_is_over, service, job_id):
                return
            async for message in _heard(heard, stop):
                silent = 0.0
                if message.get("kind") == "gone":
                    return
                yield message
            if stopping.is_set():
                return
            silent += LOOK_EVERY
            if silent >= ALIVE_EVERY:
                silent = 0.0
                yield None
    finally:
        leave()
        stop.cancel()


async def _heard(
    heard: asyncio.Queue[Message], stop: asyncio.Future[Any]
) -> AsyncIterator[Message]:
    """Fleeting events, until there is news in the database or it is time to look there."""
    end = asyncio.get_running_loop().time() + LOOK_EVERY
    while not stop.done():
        left = end - asyncio.get_running_loop().time()
        getting = asyncio.ensure_future(heard.get())
        done, _ = await asyncio.wait(
            {getting, stop}, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED
        )
        if getting not in done:
            getting.cancel()
            return
        message = getting.result()
        if message.get("kind") == "news":
            return
        yield message


def _is_over(service: Service, job_id: str) -> bool:
    from ..records.tables import Job

    with service.database.read() as session:
        job = session.get(Job, job_id)
        return job is None or job.state in ENDS


def _call(loop: asyncio.AbstractEventLoop, take: Any, message: Message) -> None:
    try:
        loop.call_soon_threadsafe(take, message)
    except RuntimeError:  # the loop is closed; nobody listens any more
        return


async def _sse(events: AsyncIterator[dict[str, Any] | None]) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for event in events:
        if event is None:
            yield ": alive\n\n"
            continue
        number = f"id: {event['number']}\n" if event["number"] is not None else ""
        text = json.dumps(event, ensure_ascii=False)
        yield f"{number}event: {event['kind']}\ndata: {text}\n\n"


async def _until_gone(socket: WebSocket) -> None:
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
    except RuntimeError:
        return
