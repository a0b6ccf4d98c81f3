"""How large a request may be: refused by what it says of itself, before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.errors import Problem, answer
from ..api.legacy_errors import PREFIX, legacy_answer

if TYPE_CHECKING:
    from ..settings import Settings

SMALL = 1 << 20
"""Bytes of a request that is no upload."""

UPLOADS = ("/v1/jobs", "/api/")
"""Where files are sent to, besides the forms of the pages."""


class BodyLimit:
    """Answers 413 to what is too large, and stops reading; wherever it is sent.

    Args:
        app: What it guards.
        settings: What is allowed.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._upload = settings.limits.request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        most = self._upload if _is_upload(scope["path"], headers) else SMALL
        said = headers.get(b"content-length", b"0")
        if said.isdigit() and int(said) > most:
            await _refusal(scope, most)(scope, receive, send)
            return
        size, refused, begun = 0, False, False

        async def counting() -> Message:
            nonlocal size, refused
            if refused:
                return {"type": "http.disconnect"}
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def sending(message: Message) -> None:
            nonlocal begun
            if refused and not begun:  # whatever the route makes of the body's sudden end
                return
            begun = True
            await send(message)

        await self.app(scope, counting, sending)
        if refused and not begun:
            await _refusal(scope, most)(scope, receive, send)


def _is_upload(path: str, headers: dict[bytes, bytes]) -> bool:
    form = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
    return (
        path.rstrip("/") == UPLOADS[0]
        or path.startswith(UPLOADS[1])
        or (form and not path.startswith("/v1/"))
    )


def _refusal(scope: Scope, most: int) -> Response:
    # The rest of the body is not read, so this connection cannot be used again.
    problem = Problem(
        413, "file-too-large", f"More than {most:,} bytes.", headers={"Connection": "close"}
    )
    if scope["path"].startswith(PREFIX):
        return legacy_answer(problem)
    return answer(problem, scope.get("request_id", ""))
