"""Things in a file system that are no readable files, and names that are hard to say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .bad_documents import ONE
from .bad_pictures import PNG
from .table import FINE, INPUT, USAGE_OR_INPUT, BadFile, content

POSIX = "" if os.name == "posix" else "needs a POSIX system"
ROOT = POSIX or ("root may read everything" if os.geteuid() == 0 else "")
# macOS refuses names that are no UTF-8.
BYTES = POSIX or ("" if sys.platform == "linux" else "names must be UTF-8 here")
NO_UTF8 = os.fsdecode(b"caf\xe9")


def directory(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere.png")


def ring(path: Path) -> None:
    path.symlink_to(path.name)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def fifo(path: Path) -> None:
    os.mkfifo(path)  # type: ignore[attr-defined, unused-ignore]


def forbidden(path: Path) -> None:
    path.write_bytes(PNG)
    path.chmod(0)


def nothing(path: Path) -> None:
    """Is not there at all."""


PATHS = (
    BadFile("folder.png", directory, USAGE_OR_INPUT, "folder"),
    BadFile("missing.png", nothing, USAGE_OR_INPUT, "missing.png"),
    BadFile("dangling.png", dangling, USAGE_OR_INPUT, "dangling.png", POSIX),
    BadFile("ring.png", ring, USAGE_OR_INPUT, "ring.png", POSIX),
    BadFile("endless.png", endless, INPUT, "not a regular file", POSIX),
    BadFile("pipe.png", fifo, INPUT, "not a regular file", POSIX),
    BadFile("forbidden.png", forbidden, INPUT, "permission", ROOT),
    BadFile(NO_UTF8 + ".png", content(b"no picture"), INPUT, "text", BYTES),
    BadFile(NO_UTF8 + ".pdf", content(ONE), FINE, "", BYTES),
    BadFile("two\nlines.png", content(b"no picture"), INPUT, "text", POSIX),
    BadFile("\x1b[31mred.png", content(b"no picture"), INPUT, "text", POSIX),
)
