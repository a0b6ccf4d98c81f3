"""How long `ensemble --help` takes, beside a peer in the same run.

    python benchmarks/startup.py [PEER COMMAND…]     (by default: ocrmypdf --version)

The two run in turn, nine times each after one warm-up; medians of wall time and their ratio.
Every plugin should be installed when this is measured.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 9


def wall(command: list[str]) -> float:
    """Milliseconds a command takes, start to end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Measure and print medians."""
    peer = sys.argv[1:] or ["ocrmypdf", "--version"]
    ours = [str(Path(sys.executable).parent / "ensemble"), "--help"]
    commands = {"ensemble --help": ours}
    if shutil.which(peer[0]):
        commands[" ".join([Path(peer[0]).name, *peer[1:]])] = peer
    else:
        print(f"{peer[0]} is not installed; no ratio", file=sys.stderr)
    commands["python -c pass"] = [sys.executable, "-c", "pass"]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS + 1):
        for name, command in commands.items():
            times[name].append(wall(command))
    found = {name: round(statistics.median(values[1:]), 1) for name, values in times.items()}
    first, second = list(found.values())[:2]
    print(json.dumps({"median_ms": found, "ratio": round(first / second, 3)}))


if __name__ == "__main__":
    main()
