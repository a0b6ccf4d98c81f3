"""Errors as pages, for people; programs get problem+json."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.errors import Problem
from .rendering import render

_PROGRAMS = ("/v1/", "/api/", "/health", "/metrics", "/static/", "/openapi.json")
_CHANGED = {b"content-type", b"content-length"}

TITLES = {
    401: "Sign in to see this",
    403: "This is not allowed",
    404: "There is nothing here",
    413: "That is too much at once",
    415: "This cannot be read here",
    422: "That does not fit",
    429: "A little slower, please",
    500: "Something went wrong on our side",
    503: "Away for a moment",
}


class ErrorPages:
    """Turns problem+json into a page where a browser asked for one.

    Args:
        inner: What it stands around.
        app: The application, for its templates.
    """

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        self.inner, self.app = inner, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not _for_people(scope):
            await self.inner(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def watched(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                page = await self._page(scope, start, bytes(body))
                await page(scope, receive, send)

        await self.inner(scope, receive, watched)

    async def _page(self, scope: Scope, start: Message, body: bytes) -> HTMLResponse:
        problem: dict[str, Any] = json.loads(body)
        request = Request({**scope, "app": self.app})
        page = await run_in_threadpool(_render, request, start["status"], problem)
        for key, value in start["headers"]:
            if key.lower() not in _CHANGED:
                page.headers[key.decode("latin-1")] = value.decode("latin-1")
        return page


def _render(request: Request, status: int, problem: dict[str, Any]) -> HTMLResponse:
    auth = request.app.state.auth
    user = None
    with contextlib.suppress(Problem, SQLAlchemyError):
        # Who they are is for the menu alone; nothing is done in their name here.
        user = auth.identify(request, auth.csrf_token(request))
    return render(
        request,
        "error",
        user,
        status,
        status=status,
        title=TITLES.get(status, problem.get("title", "Error")),
        detail=_detail(status, problem),
        request_id=problem.get("request_id", ""),
        sign_in=status == 401 and bool(auth.choices()),
    )


def _detail(status: int, problem: dict[str, Any]) -> str:
    """What the problem says; where it says no more than its status, what to do."""
    said = str(problem.get("detail") or "")
    if status == 404 and said in {"", "Not Found"}:
        return "The address may be mistyped, or what was here has been deleted."
    return said or str(problem.get("title", ""))


def _for_people(scope: Scope) -> bool:
    accept = dict(scope["headers"]).get(b"accept", b"")
    return b"text/html" in accept and not scope["path"].startswith(_PROGRAMS)


def _is_problem(message: Message) -> bool:
    kind = dict(message.get("headers", [])).get(b"content-type", b"")
    return bool(kind.startswith(b"application/problem+json"))
