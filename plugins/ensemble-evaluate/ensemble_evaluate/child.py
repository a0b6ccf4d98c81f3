"""Work in a process of its own that can be given up, and answers that are kept whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Ended(Exception):
    """The process ended without an answer; the text is the last line it said."""


def ask(start: str, arguments: Sequence[str], folder: Path, limit: float) -> dict[str, Any]:
    """Run Python code that writes ``answer.json`` in ``folder``; gives what stands there.

    Args:
        start: The code.
        arguments: Its ``sys.argv[1:]``.
        folder: Its working directory.
        limit: Seconds it may take.

    Raises:
        subprocess.TimeoutExpired: It took longer and was killed.
        Ended: It ended without an answer.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", start, *arguments], cwd=folder, capture_output=True,
        text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=limit, check=False,
    )  # fmt: skip
    told = folder / "answer.json"
    if not told.is_file():
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Ended(lines[-1])
    answer: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    return answer


def keep(path: Path, answer: dict[str, Any]) -> None:
    """Write an answer; the file is there whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    temporary.replace(path)
