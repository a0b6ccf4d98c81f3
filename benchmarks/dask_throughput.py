"""A batch on a Dask scheduler with worker processes: same bytes, and how fast.

The pages are read twice: by one worker process of this machine (`processes`, one job) and by a
scheduler with three workers of one thread each, one of which is killed (-9) on the way.
A page takes `--work` milliseconds of waiting in the recognizer, as one on another machine
would from this one's point of view: the figure is what sending, queueing and fetching leave of
three workers' speed, on however many cores this machine has.

    python benchmarks/dask_throughput.py [--pages 300] [--work 300]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from ensemble_core import Pipeline
from ensemble_core.model import PageDone

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "plugins" / "ensemble-dask" / "tests"))
from dask_cluster import cluster  # noqa: E402

WORKERS = 3


def pipeline(executor: str, work: float, **dask: Any) -> Pipeline:
    """The mock recognizer, waiting a while on each page."""
    return Pipeline.from_config(
        {
            "pipeline": {"recognizer": "mock", "export": ["musicxml"]},
            "run": {"executor": executor, "cache": False, "jobs": 6 if dask else 1},
            "options": {
                "mock": {"measures": 30, "fault": "delay", "delay": work},
                "dask": dask,
            },
        }
    )


def scans(folder: Path, number: int) -> list[Path]:
    """Small pictures, all different."""
    folder.mkdir()
    made = [folder / f"{index:04}.png" for index in range(number)]
    for index, path in enumerate(made):
        Image.new("L", (200 + index % 17, 300), 255 - index % 100).save(path)
    return made


def converted(
    running: Pipeline, pages: list[Path], on_event: Any = None
) -> tuple[list[bytes], float]:
    """All outputs, and the seconds it took."""
    began = time.perf_counter()
    result = running.run(pages, on_event=on_event)
    took = time.perf_counter() - began
    bad = [document.report for document in result.documents if document.report.status != "ok"]
    if bad:
        raise SystemExit(f"{len(bad)} documents failed: {bad[0].error}")
    return [
        output.data or b"" for document in result.documents for output in document.outputs
    ], took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--work", type=float, default=300.0, help="milliseconds a page takes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hidden").mkdir()
        tempfile.tempdir = str(folder / "hidden")
        pages = scans(folder / "hidden" / "scans", given.pages)
        alone, one = converted(pipeline("processes", given.work / 1000), pages)
        with cluster(folder / "cluster", folder / "hidden", WORKERS) as made:
            done = 0

            def watch(event: Any) -> None:
                nonlocal done
                done += isinstance(event, PageDone)
                if done == given.pages // 3 and made.workers[0].poll() is None:
                    os.kill(made.workers[0].pid, signal.SIGKILL)

            warm = pipeline("dask", given.work / 1000, scheduler=made.address)
            _, whole = converted(warm, pages)
            many, hurt = converted(warm, pages, watch)
            killed = made.workers[0].wait()
    same = sum(a == b for a, b in zip(alone, many, strict=True))
    print(f"pages {given.pages}, same bytes as locally: {same}; killed worker ended with {killed}")
    for what, seconds in (
        ("one process of this machine", one),
        (f"{WORKERS} Dask workers", whole),
        (f"{WORKERS} Dask workers, one killed (-9)", hurt),
    ):
        rate = given.pages / seconds
        print(f"{what:34}{seconds:7.1f} s {rate:6.2f} pages/s {one / seconds:5.2f} ×")


if __name__ == "__main__":
    main()
