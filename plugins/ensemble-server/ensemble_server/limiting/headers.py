"""Telling clients where they stand: ``RateLimit`` and ``RateLimit-Policy``.

As in draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit: "requests";r=599;t=1`` says that 599 are
left and when there will be more, ``RateLimit-Policy: "requests";q=600;w=60`` what is allowed.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .rates import SCOPE_KEY, WINDOW, Standing


class RateHeaders:
    """Adds the headers to each answer to a request that was counted."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        standings: list[Standing] = []
        scope[SCOPE_KEY] = standings

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start" and standings:
                message["headers"] = [*message.get("headers", []), *_headers(standings)]
            await send(message)

        await self.app(scope, receive, telling)


def _headers(standings: list[Standing]) -> list[tuple[bytes, bytes]]:
    left = ", ".join(f'"{each.policy}";r={each.left};t={each.reset}' for each in standings)
    policy = ", ".join(f'"{each.policy}";q={each.quota};w={WINDOW}' for each in standings)
    return [(b"ratelimit", left.encode()), (b"ratelimit-policy", policy.encode())]
