"""What the frame itself costs a page, and whether memory stays flat.

Converts 1,000 small PNGs (one document each) with the mock recognizer and takes out the time the
components say they spent: in the calling process with results as bytes (`serial`) and as files
(`serial-files`: every file is flushed to the disk, which is most of it), and through a worker
with files (`processes`).

    python benchmarks/frame_cost.py [PAGES]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import psutil
from PIL import Image

from ensemble_core import Pipeline
from ensemble_core.config import Config
from ensemble_core.model import DocumentDone, Event, RunStarted


def make_pages(folder: Path, count: int) -> list[Path]:
    """Small pictures that differ, so that no page is in the cache."""
    paths = []
    for number in range(count):
        path = folder / f"{number:04d}.png"
        Image.new("L", (64, 64), number % 256).save(path)
        paths.append(path)
    return paths


def measure(way: str, pages: list[Path], folder: Path) -> dict[str, float]:
    """Convert all pages; median milliseconds of frame a page, and memory on the way."""
    executor, _, files = way.partition("-")
    output = f"{folder}/{way}/" if files or executor == "processes" else None
    config = Config.from_mapping(
        {
            "pipeline": {"recognizer": "mock", "export": ["musicxml"]},
            "run": {
                "executor": executor,
                "jobs": 1,
                "cache-dir": str(folder / f"cache-{executor}"),
            },
            "options": {"mock": {"measures": 8}},
        }
    )
    ends: list[float] = []
    memory: list[int] = []
    looks = {min(100, len(pages)), len(pages)}

    def watch(event: Event) -> None:
        if isinstance(event, RunStarted | DocumentDone):
            ends.append(event.time)
            if len(ends) - 1 in looks:
                memory.append(resident())

    result = Pipeline.from_config(config).run(pages, output=output, on_event=watch)
    if not result.ok:
        sys.exit(f"{way}: {result.report.documents[0].error}")
    own = [sum(d.report.pages[0].seconds.values()) for d in result.documents]
    gaps = [after - before for before, after in pairwise(ends)]
    frame = [1000 * max(0.0, gap - spent) for gap, spent in zip(gaps, own, strict=True)]
    return {
        "median_ms": round(statistics.median(frame), 2),
        "p95_ms": round(sorted(frame)[int(len(frame) * 0.95)], 2),
        "components_median_ms": round(1000 * statistics.median(own), 2),
        "memory_at_page_100_mb": round(memory[0] / 1e6, 1),
        "memory_at_the_end_mb": round(memory[-1] / 1e6, 1),
    }


def resident() -> int:
    """Memory of this process and its workers."""
    own = psutil.Process()
    total: int = own.memory_info().rss
    for child in own.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    """Measure both ways and print a table (and the numbers as JSON)."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        pages = make_pages(Path(name), count)
        ways = ("serial", "serial-files", "processes")
        found = {way: measure(way, pages, Path(name)) for way in ways}
    for way, numbers in found.items():
        print(f"{way}: {numbers}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
