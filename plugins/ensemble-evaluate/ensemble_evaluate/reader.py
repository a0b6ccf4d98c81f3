"""Runs as a process of its own: reads one document by the normal pipeline, and measures.

    python -c "from ensemble_evaluate.reader import main; main()" JOB ANSWER

The recognizer works in the pipeline's own worker process, below this one. After it ended,
the kernel tells what it used (``getrusage(RUSAGE_CHILDREN)``): processor seconds of the
worker and all it waited for, and the largest resident set of any one of them. Both hold
the start of Python and the imports, because a user pays for them too. This process is
small and starts nothing else, so nothing else is counted. Windows has no such call;
there a thread looks at the worker every 50 ms instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

Usage = dict[str, float]
MEGABYTE = 1_000_000


def main() -> None:
    """Read ``JOB`` and write ``ANSWER``; the score goes where the job says."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _stay_on(job["threads"])
    usage: Usage = {}
    began = time.perf_counter()
    with measured(usage):
        answer = read(job)
    answer["wall_seconds"] = round(time.perf_counter() - began, 3)
    Path(sys.argv[2]).write_text(json.dumps({**answer, **usage}), encoding="utf-8")


def read(job: dict[str, Any]) -> dict[str, Any]:
    """Read the pictures as one score; what goes wrong is in the answer, not raised."""
    from ensemble_core.model import EnsembleError
    from ensemble_core.pipeline import Pipeline, joined

    try:
        pipeline = Pipeline(config=config(job))
        result = pipeline.run([joined([Path(name) for name in job["pictures"]])])
    except EnsembleError as error:
        return {"status": "failed", "error": error.to_payload(), "version": ""}
    document = result.documents[0]
    planned = result.report.plan.get("recognizer") or {}
    answer: dict[str, Any] = {
        "status": document.report.status,
        "error": document.report.error,
        "version": str(planned.get("version", "")),
        "pages": [_page(page) for page in document.report.pages],
    }
    if document.score is not None:
        Path(job["score"]).write_bytes(document.score.musicxml)
        answer["bars"] = _bars(document.score)
    return answer


def _page(page: Any) -> dict[str, Any]:
    return {"status": page.status, "seconds": sum(page.seconds.values()), "error": page.error}


def _bars(score: Any) -> dict[str, list[float]]:
    """Where each bar is: id → page and box in pixels of the source page."""
    return {
        element.id: [element.page, *attrs.astuple(element.box)]
        for element in score.elements
        if element.kind == "measure"
    }


def config(job: dict[str, Any]) -> Any:
    """The configuration of the pipeline that reads.

    Raises:
        ConfigError: An option is wrong.
    """
    from ensemble_core.config import Config, Layer
    from ensemble_core.config.discover import option_layer

    run = {
        "jobs": 1, "threads": job["threads"], "cache": False, "page-deadline": job["deadline"],
    }  # fmt: skip
    steps = {"recognizer": job["recognizer"], "preprocess": job["preprocess"], "export": []}
    layers = [Layer("evaluate", {"pipeline": steps, "run": run})]
    return Config([*layers, *(option_layer(text) for text in job["options"])])


def _stay_on(cores: int) -> None:
    """Keep this process and all below it on so many cores, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, set(allowed[-cores:]))


@contextlib.contextmanager
def measured(usage: Usage) -> Iterator[None]:
    """Fill in ``cpu_seconds`` and ``peak_mb`` (10^6 bytes) of the processes below this one."""
    if sys.platform == "win32":
        with _watched(usage):
            yield
        return
    import resource

    yield
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    usage["cpu_seconds"] = round(used.ru_utime + used.ru_stime, 3)
    usage["peak_mb"] = round(used.ru_maxrss * unit / MEGABYTE, 1)


@contextlib.contextmanager
def _watched(usage: Usage) -> Iterator[None]:
    import psutil

    stop, seconds, peaks = threading.Event(), dict[int, float](), [0]

    def look() -> None:
        while not stop.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    times, memory = process.cpu_times(), process.memory_info()
                    seconds[process.pid] = times.user + times.system
                    peaks.append(max(memory.rss, getattr(memory, "peak_wset", 0)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        usage["cpu_seconds"] = round(sum(seconds.values()), 3)
        usage["peak_mb"] = round(max(peaks) / MEGABYTE, 1)


if __name__ == "__main__":
    main()
