"""The figures as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from .groups import Row
from .summary import Figures

HEADS = ("recognizer", "pages", "docs", "fail", "note F1", "mean", "pitch F1", "NED", "median",
         "total", "NED basic", "bars", "key", "meter", "clef", "s", "cpu s", "MB")  # fmt: skip
"""Column heads: note F1 median and mean, pitch F1 median, OMR-NED mean, median and total …"""


def cells(row: Row) -> list[str]:
    """One row as text."""
    f = row.figures
    percent = [
        f["omr_ned"]["mean"], f["omr_ned"]["median"], f["omr_ned"]["total"],
        f["omr_ned_basic"]["mean"], f["exact_bars"], f["key"], f["meter"], f["clef"],
    ]  # fmt: skip
    return [
        row.recognizer, row.group, str(f["documents"]), str(f["failed"]),
        f"{f['note_f1']['median']:.3f}", f"{f['note_f1']['mean']:.3f}",
        f"{f['pitch_f1']['median']:.3f}", *(f"{100 * value:.1f}%" for value in percent),
        f"{f['seconds']['median']:.2f}", f"{f['cpu_seconds']['median']:.2f}",
        f"{f['peak_mb']['median']:.0f}",
    ]  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """The rows below their heads, in columns."""
    lines = [list(HEADS), *(cells(row) for row in rows)]
    return _columns(lines, left=2)


def cost_table(costs: Sequence[Figures], most: int = 20) -> str:
    """What OMR-NED is made of; a share is in percent of all symbols of both scores."""
    lines = [["what", "share", "missed", "invented", "changed"]]
    for row in costs[:most]:
        words = [str(row[key]) for key in ("missed", "invented", "changed")]
        lines.append([row["kind"], f"{100 * row['share']:.2f}%", *words])
    return _columns(lines, left=1)


def _columns(lines: Sequence[Sequence[str]], left: int) -> str:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
