"""Running oemer on stand-in nets: as a command, and as a component called directly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from ensemble_oemer.checkpoints import NETS

from ensemble_core.model import Context, Page

TUNE = (
    "C5/4 D5/4 E5/4 F5/4 | G5/8 A5/8 G5/4 E5/2 | C5/2 r/4 E5/4 | C5/1",
    "C3/2 E3/2 | G3/1 | C3/4 D3/4 E3/4 F3/4 | C3/1",
)
"""One system of two staves."""


@attrs.frozen
class Ran:
    """A command that was run: exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def run(
    arguments: list[str], folder: Path, env: Mapping[str, str] | None = None, seconds: float = 900
) -> Ran:
    """Run a command in a folder."""
    done = subprocess.run(
        arguments, cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True,
        timeout=seconds,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def command(*arguments: str | Path, nets: Path) -> list[str]:
    """The command line of one conversion; nothing is cached."""
    return [
        sys.executable, "-m", "ensemble_core", "convert", "--recognizer", "oemer", "--no-cache",
        "-O", f"oemer.checkpoints={nets}", *map(str, arguments),
    ]  # fmt: skip


def context(nets: Path, folder: Path, **changes: Any) -> Context:
    """A context that hands over stand-in nets."""
    work = folder / "work"
    work.mkdir(parents=True)
    return attrs.evolve(Context(work, component="oemer", models=model_files(nets)), **changes)


def model_files(nets: Path) -> dict[str, Path]:
    """The files of stand-in nets by the names the recognizer knows them by."""
    return {net.file: nets / net.folder / "model.onnx" for net in NETS}


def page_of(path: Path) -> Page:
    """A picture as a loader gives it."""
    from PIL import Image

    with Image.open(path) as image:
        return Page(0, path, *image.size)
