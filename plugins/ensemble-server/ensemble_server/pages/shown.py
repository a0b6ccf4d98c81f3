"""A job in the words of its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..api.schemas import file_json, job_json
from ..jobs.names import stem_of
from ..records.tables import Job, JobFile, now

STATES = {
    "queued": "Waiting",
    "running": "In the making",
    "done": "Done",
    "partial": "Partly read",
    "failed": "Failed",
    "cancelled": "Cancelled",
}

FORMATS = {
    ".musicxml": ("MusicXML", "to edit in MuseScore, Dorico, Sibelius …"),
    ".mid": ("MIDI", "to play, for sequencers"),
    ".pdf": ("PDF", "engraved anew, to print"),
    ".html": ("Web page", "this view as one file, also offline"),
    ".mei": ("MEI", "for music scholarship"),
    ".svg": ("SVG", "engraved page, to place in documents"),
    ".png": ("PNG", "engraved page as a picture"),
    ".json": ("Report", "how it was read, step by step"),
}
"""What people call a result, and what it is for; in the order of the list of downloads."""

_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
"""What every browser shows."""


def brief(job: Job, files: Sequence[JobFile]) -> dict[str, Any]:
    """What a list says of a job."""
    return {
        "id": job.id,
        "title": stem_of(job.name),
        "state": job.state,
        "state_says": STATES[job.state],
        "created_iso": job_json(job)["created"],
        "created_says": ago(job.created, now()),
        "page_count": job.page_count,
        "thumbnail": next(iter(pictures(files)), None),
    }


def shown(job: Job, files: Sequence[JobFile]) -> dict[str, Any]:
    """What its own page says of it."""
    told = job_json(job, files)
    outputs = _outputs(files)
    return {
        **brief(job, files),
        "age": round((now() - job.created).total_seconds()),
        "stage": "Waiting for its turn" if job.state == "queued" else "Working",
        "share": None,
        "page_list": _pages(job, files),
        "pictures": pictures(files),
        "error": job.error or {"code": "", "message": "It is not known why."},
        "outputs": outputs,
        "package": f"{told['url']}/package",
        "view": next((one["href"] for one in outputs if one["name"].endswith(".html")), None),
        "facts": " · ".join(_facts(job)),
        "how": _how(job, told),
        "missing": (job.report or {}).get("missing", []),
    }


def pictures(files: Sequence[JobFile]) -> list[str]:
    """Addresses of the pages' pictures: previews, else uploads that a browser shows."""
    previews = [file for file in files if file.kind == "preview"]
    uploads = [file for file in files if file.kind == "input" and file.media_type in _PICTURES]
    return [file_json(file)["url"] for file in previews or uploads]


def ago(moment: datetime, present: datetime) -> str:
    """How long ago something was, as people say it; a date from a week on."""
    minutes = int((present - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    if days < 7:
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{moment.day} {moment:%B %Y}"


def _pages(job: Job, files: Sequence[JobFile]) -> list[dict[str, Any]]:
    done = {page["number"]: page for page in job.pages or ()}
    found = pictures(files)
    count = job.page_count or max([len(found), *done])
    return [
        {
            "number": number,
            "status": done.get(number, {}).get("status", ""),
            "says": f"read in {done[number]['seconds']:.1f} s" if number in done else "",
            "picture": found[number - 1] if len(found) >= max(number, count) else None,
        }
        for number in range(1, min(count, 200) + 1)
    ]


def _outputs(files: Sequence[JobFile]) -> list[dict[str, Any]]:
    order = list(FORMATS)
    found = []
    for file in files:
        if file.kind != "output":
            continue
        ending = next((each for each in order if file.name.endswith(each)), "")
        label, says = FORMATS.get(ending, (file.name, file.media_type))
        stem = stem_of(file.name)
        number = stem.rpartition("-")[2]
        if ending in {".svg", ".png"} and number.isdigit():
            label = f"{label}, page {int(number)}"
        found.append(
            {
                "name": file.name,
                "href": file_json(file)["url"],
                "label": label,
                "says": says,
                "size": file.size,
                "order": (order.index(ending) if ending else len(order), file.name),
            }
        )
    return sorted(found, key=lambda one: one["order"])


def _facts(job: Job) -> list[str]:
    pages = job.pages or ()
    bars = sum(page.get("measures") or 0 for page in pages)
    return [
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in ((len(pages), "page"), (bars, "bar"))
        if count
    ]


def _how(job: Job, told: dict[str, Any]) -> list[tuple[str, str]]:
    """Provenance in a few lines."""
    seconds: dict[str, float] = {}
    for page in (job.report or {}).get("pages", ()):
        for component, spent in (page.get("seconds") or {}).items():
            seconds[component] = seconds.get(component, 0.0) + spent
    lines = [("Converted", ago(job.created, now()))]
    if seconds:
        lines.append(
            ("Steps", ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items()))
        )
    if told["confidence"] is not None:
        lines.append(("Confidence", f"{100 * told['confidence']:.0f} % on average"))
    if job.cached:
        lines.append(("From", "an earlier score with the same input and options"))
    if job.expires is not None:
        lines.append(("Kept until", f"{job.expires.day} {job.expires:%B %Y}"))
    return lines
