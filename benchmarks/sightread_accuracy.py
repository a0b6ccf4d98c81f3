"""How well and how fast sightread reads clean engraved pages.

    python benchmarks/sightread_accuracy.py [--per-engraver 4] [--json FILE] [--overlays DIR]

Engraves pages of held-out works by Verovio, MuseScore and LilyPond (see ``engraved.py``),
reads each in this process on one core, and prints pitch F1, note F1 and seconds. A page
that fails counts as 0. Pages are kept in ``--folder``, so a second run only reads.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import engraved
from ensemble_evaluate.notes import agreement

from ensemble_core.model import Context, EnsembleError, Page, Score

MIX = ("piano", "voice", "strings", "piano")
"""What the pages of one engraver are of, in turn."""


@attrs.frozen
class Result:
    """One page's figures."""

    page: str
    engraver: str
    bars: int
    pitch_f1: float
    note_f1: float
    seconds: float
    cpu_seconds: float
    error: str = ""


def pages(folder: Path, per_engraver: int, skip: int) -> Iterator[engraved.EngravedPage]:
    """Pages to read: works in turn, another one for each page."""
    works = list(engraved.works())
    used: set[str] = set()
    step = 17
    for number in range(per_engraver):
        for place, engraver in enumerate(engraved.ENGRAVERS):
            kind = MIX[number % len(MIX)]
            fitting = [w for w in works if (w.label in ("piano", "voice")) == (kind != "strings")]
            fitting = [w for w in fitting if kind == "strings" or w.label == kind]
            first = (skip + number * 3 + place) * step
            for turn in range(len(fitting)):
                work = fitting[(first + turn) % len(fitting)]
                if work.path.name in used:
                    continue
                page = engraved.engrave(work, engraver, folder)
                if page is not None:
                    used.add(work.path.name)
                    yield page
                    break


def read(page: engraved.EngravedPage, workspace: Path) -> tuple[Score, float, float]:
    """Read a page in this process; gives the score and the seconds (wall, CPU) it took."""
    from ensemble_sightread.recognizer import Sightread
    from PIL import Image

    with Image.open(page.picture) as picture:
        size = picture.size
    recognizer = Sightread()
    start, cpu = time.perf_counter(), time.process_time()
    score = recognizer.recognize(Page(0, page.picture, *size), Context(workspace, threads=1))
    return score, time.perf_counter() - start, time.process_time() - cpu


def overlay(page: engraved.EngravedPage, score: Score, out: Path) -> None:
    """Draw what was read over the page."""
    from lxml import etree
    from PIL import Image, ImageDraw

    root = etree.fromstring(score.musicxml)
    named = {node.get("id"): node for node in root.iter() if node.get("id")}
    picture = Image.open(page.picture).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    picture = Image.alpha_composite(paper, picture).convert("RGB")
    draw = ImageDraw.Draw(picture)
    colours = {"note": "red", "rest": "blue", "measure": "orange", "clef": "purple"}
    for element in score.elements:
        box = element.box
        colour = colours.get(element.kind, "green")
        draw.rectangle((box.left, box.top, box.right, box.bottom), outline=colour, width=2)
        node = named[element.id]
        text = node.findtext("pitch/step") or ""
        if text:
            alter = {"1": "#", "-1": "b"}.get(node.findtext("pitch/alter") or "", "")
            text += alter + (node.findtext("pitch/octave") or "")
        text += " " + (node.findtext("type") or "")[:3] if element.kind != "measure" else ""
        draw.text((box.left, box.bottom + 2), text.strip(), fill=colour)
    picture.save(out)


def measure(page: engraved.EngravedPage, workspace: Path, overlays: Path | None) -> Result:
    """Read one page and compare it with the truth."""
    try:
        score, seconds, cpu = read(page, workspace)
    except EnsembleError as error:
        return Result(page.name, page.engraver, page.bars, 0.0, 0.0, 0.0, 0.0, str(error))
    found = agreement(page.truth, score.musicxml)
    if overlays:
        overlay(page, score, overlays / f"{page.name}.png")
        (overlays / f"{page.name}.musicxml").write_bytes(score.musicxml)
    return Result(
        page.name,
        page.engraver,
        page.bars,
        found.pitch_f1,
        found.note_f1,
        round(seconds, 3),
        round(cpu, 3),
    )


def one_core() -> None:
    """Stay on one core, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def summary(results: list[Result]) -> dict[str, Any]:
    """The figures the project is judged by."""
    return {
        "pages": len(results),
        "failed": sum(bool(result.error) for result in results),
        "median_pitch_f1": round(statistics.median(r.pitch_f1 for r in results), 4),
        "median_note_f1": round(statistics.median(r.note_f1 for r in results), 4),
        "mean_note_f1": round(statistics.mean(r.note_f1 for r in results), 4),
        "lowest_note_f1": round(min(r.note_f1 for r in results), 4),
        "median_seconds": round(statistics.median(r.seconds for r in results), 2),
        "median_cpu_seconds": round(statistics.median(r.cpu_seconds for r in results), 2),
        "most_seconds": round(max(r.seconds for r in results), 2),
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--per-engraver", type=int, default=4)
    parser.add_argument("--skip", type=int, default=0, help="start at other works")
    parser.add_argument("--folder", type=Path, help="where the pages are kept")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--overlays", type=Path, help="draw what was read into this folder")
    options = parser.parse_args()
    if not (engraved.data_folder() / "scores").is_dir():
        print("the data folder is not there; set ENSEMBLE_DATA", file=sys.stderr)
        return 3
    folder = options.folder or Path(tempfile.gettempdir()) / "ensemble-engraved"
    folder.mkdir(parents=True, exist_ok=True)
    if options.overlays:
        options.overlays.mkdir(parents=True, exist_ok=True)
    chosen = list(pages(folder, options.per_engraver, options.skip))
    one_core()
    results = []
    with tempfile.TemporaryDirectory() as workspace:
        for page in chosen:
            result = measure(page, Path(workspace), options.overlays)
            results.append(result)
            print(
                f"{result.page:55s} {result.bars:3d} bars  pitch {result.pitch_f1:.3f}  "
                f"note {result.note_f1:.3f}  {result.seconds:5.2f} s  "
                f"(CPU {result.cpu_seconds:5.2f} s)  {result.error}",
                flush=True,
            )
    figures = summary(results)
    print(json.dumps(figures, indent=2))
    if options.json:
        record = {"summary": figures, "pages": [attrs.asdict(result) for result in results]}
        options.json.write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
