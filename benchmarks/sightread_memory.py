"""Whether memory stays flat while sightread converts long documents in one command.

    python benchmarks/sightread_memory.py PDF…

Converts all documents in one run with one worker process (nothing is taken from a cache) and
prints, after every page, what the worker and this process hold and the most the worker ever
held (Linux only), in MiB; at the end how much more the second half of the pages needed at its
peak than the first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psutil

from ensemble_core import Pipeline
from ensemble_core.config import Config
from ensemble_core.model import Event, PageDone


def peak(process: psutil.Process) -> float:
    """The most a process ever held, in MiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Convert and print."""
    documents = [Path(name) for name in sys.argv[1:]]
    peaks: list[float] = []
    print("page  document                                       worker  its peak  parent")

    def watch(event: Event) -> None:
        if not isinstance(event, PageDone):
            return
        own = psutil.Process()
        workers = own.children(recursive=True)
        held = [worker.memory_info().rss / 2**20 for worker in workers]
        peaks.append(max(map(peak, workers), default=0.0))
        print(
            f"{len(peaks):4d}  {event.document:45s} {max(held, default=0.0):7.0f} {peaks[-1]:9.0f} "
            f"{own.memory_info().rss / 2**20:7.0f}",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        config = Config.from_mapping(
            {
                "pipeline": {"recognizer": "sightread", "export": ["musicxml"]},
                "run": {"executor": "processes", "jobs": 1, "cache-dir": f"{folder}/cache"},
            }
        )
        Pipeline.from_config(config).run(documents, output=f"{folder}/out/", on_event=watch)
    half = len(peaks) // 2
    if half:
        print(f"peak of the first half {peaks[half - 1]:.0f} MiB, of all {peaks[-1]:.0f} MiB")


if __name__ == "__main__":
    main()
