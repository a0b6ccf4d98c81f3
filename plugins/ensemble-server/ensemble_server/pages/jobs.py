"""One's scores: the list, and each by itself while it is made and afterwards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ..api.jobs import JobId, service_of
from ..auth.principal import Reader, Writer
from ..jobs.ending import ENDS
from ..limiting.rates import JobSender
from .rendering import render
from .shown import brief, shown

router = APIRouter(include_in_schema=False)

FILTERS = {
    "all": ("All", ()),
    "working": ("In the making", ("queued", "running")),
    "done": ("Done", ("done", "partial")),
    "failed": ("Failed", ("failed", "cancelled")),
}
"""Name in the address: what people read, and the states."""

KEYS = (
    ("Space", "play, pause"),
    ("← →", "bar by bar"),
    ("⇧ ← →", "note by note"),
    ("L", "loop some bars"),
    ("+ −", "tempo"),
    ("B", "boxes"),
    ("Home", "to the beginning"),
)
"""What the player hears, for the menu."""

_SHOWN = 24


@router.get("/jobs")
def list_scores(
    request: Request,
    user: Reader,
    show: str = "all",
    name: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """One's scores, newest first."""
    service = service_of(request)
    show = show if show in FILTERS else "all"
    _, states = FILTERS[show]
    page = service.list(user.user_id, states=states, name=name, cursor=cursor, limit=_SHOWN)
    files = service.files_of([job.id for job in page.jobs])
    return render(
        request,
        "jobs",
        user,
        here="jobs",
        jobs=[brief(job, files.get(job.id, ())) for job in page.jobs],
        filters=[(key, says) for key, (says, _) in FILTERS.items()],
        show=show,
        name=name,
        next=page.next,
    )


@router.get("/jobs/{job_id}")
def look_at(request: Request, user: Reader, job_id: JobId) -> Response:
    """A score: how far it is, what came of it, or why nothing did.

    Raises:
        Problem: 404.
    """
    service = service_of(request)
    job = service.get(user.user_id, job_id)
    files = service.files_of([job_id]).get(job_id, ())
    if job.state not in ENDS:
        events = service.events(job_id)
        after = events[-1].number if events else 0
        return render(request, "progress", user, job=shown(job, files), after=after)
    name = "result" if job.state in {"done", "partial"} else "ended"
    return render(request, name, user, job=shown(job, files), keys=KEYS)


@router.post("/jobs/{job_id}/cancel")
def cancel(request: Request, user: Writer, job_id: JobId) -> Response:
    """Stop it."""
    service_of(request).cancel(user.user_id, job_id)
    return RedirectResponse(f"/jobs/{job_id}", 303)


@router.post("/jobs/{job_id}/retry")
def retry(request: Request, user: JobSender, job_id: JobId) -> Response:
    """Do it again."""
    service_of(request).retry(user.user_id, job_id)
    return RedirectResponse(f"/jobs/{job_id}", 303)


@router.post("/jobs/{job_id}/delete")
def delete(
    request: Request, user: Writer, job_id: JobId, sure: Annotated[str, Form()] = ""
) -> Response:
    """Remove it, once they say they are sure."""
    service = service_of(request)
    if sure != "yes":
        job = brief(service.get(user.user_id, job_id), ())
        return render(request, "confirm", user, job=job)
    service.delete(user.user_id, job_id)
    return RedirectResponse("/jobs", 303)
