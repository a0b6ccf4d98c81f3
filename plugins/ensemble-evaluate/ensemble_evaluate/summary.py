"""Many judged documents as a few figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .scoring import Score

Figures = dict[str, Any]


def figures(scores: Sequence[Score]) -> Figures:
    """The figures of a group of documents read by one recognizer.

    A document that failed counts with nothing found: note F1 0, OMR-NED 1. OMR-NED comes
    as mean and median over the documents and, as musicdiff itself adds up a batch, as all
    edits over all symbols (``total``); documents musicdiff gave no answer for are left out
    of it and counted in ``unmeasured``. Seconds are per page, of the pages that were read.
    """
    if not scores:
        return {"documents": 0}
    measured = [s for s in scores if s.distance is not None and s.basic is not None]
    bars = sum(s.notes.bars for s in scores)
    seconds = [value for s in scores for value in s.seconds]
    return {
        "documents": len(scores),
        "failed": sum(s.status == "failed" for s in scores),
        "partial": sum(s.status == "partial" for s in scores),
        "note_f1": _spread([s.notes.note_f1 for s in scores]),
        "pitch_f1": _spread([s.notes.pitch_f1 for s in scores]),
        "omr_ned": _ned(measured, lambda s: s.distance),
        "omr_ned_basic": _ned(measured, lambda s: s.basic),
        "unmeasured": len(scores) - len(measured),
        "exact_bars": _share(sum(s.notes.exact_bars for s in scores), bars),
        "key": _share(sum(s.signs.key for s in scores), sum(s.signs.bars for s in scores)),
        "meter": _share(sum(s.signs.meter for s in scores), sum(s.signs.bars for s in scores)),
        "clef": _share(sum(s.signs.clef for s in scores), sum(s.signs.bars for s in scores)),
        "seconds": _spread(seconds),
        "most_seconds": max(seconds, default=0.0),
        "cpu_seconds": _spread([s.cpu_seconds for s in scores if s.cpu_seconds]),
        "peak_mb": _spread([s.peak_mb for s in scores if s.peak_mb]),
        "most_peak_mb": max((s.peak_mb for s in scores), default=0.0),
    }


def costs(scores: Iterable[Score]) -> list[Figures]:
    """What OMR-NED is made of: kind by kind, as share of all symbols; the dearest first."""
    measured = [s.distance for s in scores if s.distance is not None]
    symbols = sum(d.truth + d.found for d in measured) or 1
    rows: dict[str, Figures] = {}
    for distance in measured:
        for kind, hows in distance.kinds.items():
            row = rows.setdefault(kind, {"kind": kind, "missed": 0, "invented": 0, "changed": 0})
            for how, edits in hows.items():
                row[how] += edits
    for row in rows.values():
        row["edits"] = row["missed"] + row["invented"] + row["changed"]
        row["share"] = round(row["edits"] / symbols, 5)
    return sorted(rows.values(), key=lambda row: -row["edits"])


def _spread(values: Sequence[float]) -> Figures:
    if not values:
        return {"median": 0.0, "mean": 0.0}
    middle, mean = statistics.median(values), statistics.mean(values)
    return {"median": round(middle, 4), "mean": round(mean, 4)}


def _ned(scores: Sequence[Score], of: Callable[[Score], Any]) -> Figures:
    distances = [of(score) for score in scores]
    symbols = sum(d.truth + d.found for d in distances)
    total = sum(d.edits for d in distances) / symbols if symbols else 0.0
    return {**_spread([d.ned for d in distances]), "total": round(total, 4)}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
