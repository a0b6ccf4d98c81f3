"""What sending a task through a worker process costs, and whether the worker grows.

Measures with a task that does nothing: the start of a worker until its first task is done,
the way there and back in steady state for small and large payloads, what stopping at a
deadline takes beyond the deadline, and the resident memory of worker and parent along
1,000 tasks.

    python benchmarks/worker_overhead.py [TASKS]
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ensemble_core.builtin.executors import ProcessExecutor
from ensemble_core.builtin.killing import memory
from ensemble_core.model import Context, DeadlineExceeded, Task

HERE = Path(__file__).resolve().parent
STARTS = 9
STOPS = 5


def nothing(payload: Mapping[str, Any], ctx: Context) -> int:
    """The task: give the number of the process it ran in."""
    return os.getpid()


def sleep(payload: Mapping[str, Any], ctx: Context) -> None:
    """A task that never looks at its context."""
    time.sleep(3600)


def timed(executor: ProcessExecutor, folder: Path, size: int = 10, **options: Any) -> float:
    """Milliseconds from submitting a task to having its result."""
    task = Task(
        id="t",
        function=options.pop("function", "worker_overhead:nothing"),
        payload={"text": "x" * size},
        workspace=folder,
        max_memory=4 * 2**30,
        **options,
    )
    began = time.perf_counter()
    future = executor.submit(task)
    if future.exception() and not isinstance(future.exception(), DeadlineExceeded):
        raise SystemExit(str(future.exception()))
    return (time.perf_counter() - began) * 1000


def fresh() -> ProcessExecutor:
    """An open executor with no worker yet."""
    executor = ProcessExecutor()
    executor.open(1, lambda name, message: None)
    return executor


def starts(folder: Path) -> list[float]:
    """First tasks of new workers."""
    times = []
    for _ in range(STARTS):
        executor = fresh()
        times.append(timed(executor, folder, deadline=60.0))
        executor.close()
    return times


def steady(folder: Path, count: int) -> dict[str, Any]:
    """Tasks one after the other on one executor."""
    executor = fresh()
    times, sizes = [], []
    for number in range(count):
        times.append(timed(executor, folder, deadline=60.0))
        if number + 1 in (min(100, count), count):
            worker = executor.submit(Task("pid", "worker_overhead:nothing", {}, folder)).result()
            sizes.append((memory(worker) / 2**20, memory(os.getpid(), False) / 2**20))
    large = [timed(executor, folder, size=1_000_000, deadline=60.0) for _ in range(20)]
    executor.close()
    return {
        "median_ms": round(statistics.median(times), 2),
        "p99_ms": round(sorted(times)[int(len(times) * 0.99)], 2),
        "median_1MB_payload_ms": round(statistics.median(large), 2),
        "worker_mib_at_100_and_end": [round(worker, 1) for worker, _ in sizes],
        "parent_mib_at_100_and_end": [round(parent, 1) for _, parent in sizes],
    }


def stops(folder: Path) -> list[float]:
    """Time beyond the deadline until a deaf task is gone."""
    executor = fresh()
    over = []
    for _ in range(STOPS):
        timed(executor, folder)
        took = timed(executor, folder, function="worker_overhead:sleep", deadline=0.2)
        over.append(took - 200)
    executor.close()
    return over


def main() -> None:
    """Print the figures as JSON."""
    sys.path.insert(0, str(HERE))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started, stopped = starts(folder), stops(folder)
        figures = {
            "start_and_first_task_median_ms": round(statistics.median(started), 1),
            "start_and_first_task_best_ms": round(min(started), 1),
            "beyond_the_deadline_ms": [round(value) for value in stopped],
            "steady": steady(folder, count),
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
