"""``/v1/capabilities``: what can be sent, what can be asked for, how much of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ensemble_core import __version__
from ensemble_core.config.schema import schema_of
from ensemble_core.model import EnsembleError
from ensemble_core.registry import Component, import_target

from ..auth.principal import Visitor
from ..jobs.asked import KINDS, default_export
from ..service import Service
from .jobs import problems, service_of

router = APIRouter(prefix="/v1", tags=["capabilities"])


@router.get("/capabilities", response_model=dict[str, Any], responses=problems(401, 429))
def get_capabilities(request: Request, user: Visitor) -> Response:
    """Formats, components with the schemas of their options, limits."""
    service = service_of(request)
    text: bytes | None = service.__dict__.get("_capabilities_text")
    if text is None:
        text = JSONResponse(capabilities(service)).body  # type: ignore[assignment]
        service.__dict__["_capabilities_text"] = text
    return Response(text, media_type="application/json")


def capabilities(service: Service) -> dict[str, Any]:
    """All a client can know before it sends anything; made once."""
    known: dict[str, Any] | None = service.__dict__.get("_capabilities")
    if known is None:
        limits = service.settings.limits.model_dump()
        known = {
            "version": __version__,
            "accepts": sorted(service.accepts),
            "default_export": default_export(),
            "components": {f"{kind}s": _components(service, kind) for kind in KINDS},
            "limits": {
                **limits,
                "deadline": service.settings.deadline,
                "time_to_live": service.settings.time_to_live,
            },
        }
        service.__dict__["_capabilities"] = known
    return known


def _components(service: Service, kind: str) -> list[dict[str, Any]]:
    good, _ = service.registry.usable(kind)
    return [_told(service, each) for each in sorted(good, key=lambda each: each.spec.name)]


def _told(service: Service, component: Component) -> dict[str, Any]:
    spec = component.spec
    told: dict[str, Any] = {
        "name": spec.name,
        "summary": spec.summary,
        "version": component.version,
        "distribution": component.entry.distribution,
        "ready": service.ready(component),
    }
    for field in ("accepts", "gives", "media_type", "suffix"):
        if hasattr(spec, field):
            value = getattr(spec, field)
            told[field] = list(value) if isinstance(value, tuple) else value
    try:
        options = import_target(spec.options, spec.name) if spec.options else None
        told["options"] = schema_of(options) if options else None
    except EnsembleError:
        told["options"], told["ready"] = None, False
    return told
