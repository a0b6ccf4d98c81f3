"""``/health/live``, ``/health/ready`` and ``/metrics``: for those who run the service."""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..health import readiness
from ..service import Service
from .errors import Problem
from .jobs import problems, service_of

router = APIRouter(tags=["health"])

_FRESH = 2.0
"""Seconds a look at everything is good for: many who ask must not keep the service busy."""
_lock = threading.Lock()


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/health/ready", response_model=dict[str, Any], responses={503: {"description": "Not"}})
def ready(request: Request) -> Response:
    """Whether everything it needs is there: database, storage, recognizers, memory, disk."""
    found = looked(request, service_of(request))
    return JSONResponse(found, 200 if found["status"] == "ok" else 503)


def looked(request: Request, service: Service) -> dict[str, Any]:
    """Whether everything is well, as of a moment ago."""
    state = request.app.state
    with _lock:
        moment, found = getattr(state, "readiness", (0.0, {}))
        if time.monotonic() - moment > _FRESH or not found:
            found = readiness(service)
            state.readiness = (time.monotonic(), found)
    result: dict[str, Any] = found
    return result


@router.get("/metrics", include_in_schema=False, responses=problems(401, 404))
def metrics(request: Request) -> Response:
    """What Prometheus reads."""
    service = service_of(request)
    if not service.settings.metrics:
        raise Problem(404, "not-found", "Metrics are off.")
    token = service.settings.metrics_token
    if token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
            raise Problem(
                401, "auth-required", "Send the token of the metrics.",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
    elif not _from_inside(request):
        raise Problem(404, "not-found", "Not Found")
    content, kind = service.metrics.text()
    return Response(content, media_type=kind)


def _from_inside(request: Request) -> bool:
    """Whether a request comes from a private net, by way of no proxy."""
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback
