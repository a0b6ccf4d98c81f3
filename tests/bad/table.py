"""The row type of the table of bad files, and the exit codes its entries share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path], None]

FINE = (0, 5)
"""Readable, if odd: a recognizer may find no music on it."""
INPUT = (3,)
LIMIT = (10,)
USAGE_OR_INPUT = (2, 3)


@dataclass(frozen=True)
class BadFile:
    """One file.

    Attributes:
        name: What it is called.
        make: Writes it to the path it is given.
        expected_exit: The exit codes allowed.
        phrase: What the error message must hold; empty when it may end well.
        impossible: Why it cannot be made here (as root, on Windows); empty: it can.
    """

    name: str
    make: Make
    expected_exit: tuple[int, ...]
    phrase: str = ""
    impossible: str = ""


def content(data: bytes | Callable[[], bytes]) -> Make:
    """A file of these bytes; what takes long to make is made when it is wanted."""

    def make(path: Path) -> None:
        path.write_bytes(data if isinstance(data, bytes) else data())

    return make
