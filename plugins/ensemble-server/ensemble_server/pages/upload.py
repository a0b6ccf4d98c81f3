"""The first page: choose files, send them."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from ..api.capabilities import capabilities
from ..api.errors import Problem
from ..api.jobs import service_of
from ..api.multipart import receive
from ..auth.principal import WRITE, Principal, Visitor, visitor
from ..jobs.asked import Asked
from ..service.intake import Wish
from .rendering import render
from .shown import FORMATS, brief

if TYPE_CHECKING:
    from ..auth.who import Auth
    from ..limiting.rates import Limiter

router = APIRouter(include_in_schema=False)

ALWAYS = ("musicxml", "html")
"""Made for every score that is sent from the page: it is shown by the second."""

USUALLY = ("midi", "pdf", "mei")
"""Ticked unless somebody says otherwise: they cost next to nothing."""

_SUFFIXES = {
    "application/pdf": (".pdf", "PDF"),
    "image/png": (".png", "PNG"),
    "image/jpeg": (".jpg", "JPEG"),
    "image/tiff": (".tif", "TIFF"),
    "image/webp": (".webp", "WebP"),
    "application/vnd.recordare.musicxml+xml": (".musicxml", "MusicXML"),
    "application/vnd.recordare.musicxml": (".mxl", "MXL"),
}


@router.get("/")
def new_score(request: Request, user: Visitor) -> Response:
    """Where a score begins; for strangers, where they sign in."""
    if user is None:
        return render(request, "welcome", None)
    service = service_of(request)
    known = capabilities(service)
    recent = service.list(user.user_id, limit=3).jobs
    files = service.files_of([job.id for job in recent])
    return render(
        request,
        "upload",
        user,
        here="new",
        limits=known["limits"],
        accept=",".join([*known["accepts"], *(s for s, _ in _read(known))]),
        formats=", ".join(name for _, name in _read(known)),
        recognizers=_ready_first(known["components"]["recognizers"]),
        preprocessors=known["components"]["preprocessors"],
        exporters=_exporters(known),
        recent=[brief(job, files.get(job.id, ())) for job in recent],
    )


async def _sender(request: Request) -> Principal:
    """Who sends a form with files.

    Its token against forged requests may be a field, which is not read before the files are
    taken; :func:`send` looks at it then. That the form is our own is known by its origin.

    Raises:
        Problem: 401, 403, 429 as everywhere.
    """
    if "x-csrf-token" in request.headers or "authorization" in request.headers:
        user = await visitor(request)
    else:
        user = await run_in_threadpool(_by_form, request)
    if user is None:
        raise Problem(401, "auth-required", "Sign in to convert files.")
    if WRITE not in user.scopes:
        raise Problem(403, "missing-scope", f"This needs the scope {WRITE}.")
    limiter: Limiter = request.app.state.limiter
    await run_in_threadpool(limiter.count_job, request, user.user_id)
    return user


def _by_form(request: Request) -> Principal | None:
    auth: Auth = request.app.state.auth
    limiter: Limiter = request.app.state.limiter
    user = auth.identify(request, auth.csrf_token(request))
    limiter.count_request(request, user.user_id if user else None)
    return user


@router.post("/jobs")
async def send(request: Request, user: Annotated[Principal, Depends(_sender)]) -> Response:
    """Take the form; a browser without JavaScript is led on, a script is told where to go."""
    service = service_of(request)
    auth: Auth = request.app.state.auth
    token = await run_in_threadpool(auth.csrf_token, request)
    given = request.headers.get("x-csrf-token")

    def wish(fields: dict[str, str]) -> Wish:
        sent = fields.get("csrf_token", "") if given is None else given
        if token and not hmac.compare_digest(sent.encode("utf-8", "replace"), token.encode()):
            raise Problem(403, "csrf-failed", "The page is out of date or not ours; load it again.")
        return Wish(asked=asked_for(fields, capabilities(service)))

    job, _ = await receive(
        request, service.receive(user.user_id), wish, service.settings.limits.request_bytes
    )
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"location": f"/jobs/{job.id}"})
    return RedirectResponse(f"/jobs/{job.id}", 303)


def asked_for(fields: dict[str, str], known: dict[str, Any]) -> Asked:
    """The pipeline that the fields of the form stand for."""
    components = known["components"]

    def ticked(kind: str, prefix: str) -> list[str]:
        return [one["name"] for one in components[kind] if fields.get(f"{prefix}-{one['name']}")]

    made = [*ALWAYS, *ticked("exporters", "export")]
    there = {one["name"] for one in components["exporters"] if one["ready"]}
    return Asked(
        recognizer=fields.get("recognizer") or None,
        preprocess=tuple(ticked("preprocessors", "preprocess")) or None,
        export=tuple(name for name in dict.fromkeys(made) if name in there),
    )


def _read(known: dict[str, Any]) -> list[tuple[str, str]]:
    """Suffix and name of what can be sent, as far as people know it by name."""
    return [found for media, found in _SUFFIXES.items() if media in known["accepts"]]


def _ready_first(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(components, key=lambda one: not one["ready"])


def _exporters(known: dict[str, Any]) -> list[dict[str, Any]]:
    ready = [one for one in known["components"]["exporters"] if one["ready"]]
    shown = [
        {
            "name": one["name"],
            "label": FORMATS.get(one["suffix"], (one["name"], ""))[0],
            "summary": FORMATS.get(one["suffix"], ("", one["summary"]))[1],
            "needed": one["name"] in ALWAYS,
            "chosen": one["name"] in (*ALWAYS, *USUALLY),
        }
        for one in ready
    ]
    return sorted(shown, key=lambda one: (not one["needed"], not one["chosen"]))
