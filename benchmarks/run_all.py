"""Runs every benchmark, one after the other, and keeps what they print.

    python benchmarks/run_all.py [NAME…]        (minutes; output also in build/benchmarks/)

Those that need data or engravers say so and are passed over.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCHMARKS = {
    "startup": "how long --help takes, beside a peer",
    "frame_cost": "what the frame costs a page; memory over 1,000 pages",
    "worker_overhead": "what a worker process costs a task",
    "deskew_angle": "how well the slope of a page is measured",
    "pdf_load": "real PDFs: pages, sizes, resolutions",
    "midi_fidelity": "notes in MIDI against notes in the score",
    "oemer_against_stock": "oemer through Ensemble beside the oemer command, stand-in nets",
    "oemer_many_staves": "oemer on songs and quartets, stand-in nets",
    "sightread_marks": "slurs, ties and articulations sightread writes",
    "sightread_accuracy": "how well and how fast sightread reads clean pages",
    "dask_throughput": "a batch on a Dask cluster beside one process, a worker killed on the way",
    "service_load": "200 clients, a long queue, memory over 10,000 jobs, the cost of a job",
    "service_faults": "30 kills during 300 jobs",
    "service_hostile": "2,000 damaged uploads; schemathesis over the API",
}


def main() -> None:
    """Run those that are named, or all."""
    folder = HERE.parent / "build" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"\n== {name}: {BENCHMARKS[name]}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, HERE / f"{name}.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=HERE.parent, check=False,
        )  # fmt: skip
        (folder / f"{name}.txt").write_text(done.stdout)
        print(done.stdout, end="")
        print(f"-- exit {done.returncode}, {time.monotonic() - began:.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
