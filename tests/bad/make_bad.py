"""Makes files nobody should have to read, and says what must come of each.

    python tests/bad/make_bad.py FOLDER

:data:`BAD` is the table the tests read: each entry makes one file and names the exit codes
the command may end with and a phrase its one line must hold. Entries that are merely
unusual end with 0, or with 5 where a recognizer finds no music on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # run as a script
    sys.path.insert(0, str(Path(__file__).parents[1]))
    __package__ = "bad"

from .bad_documents import DOCUMENTS
from .bad_paths import PATHS
from .bad_pictures import PICTURES
from .bad_scores import SCORES
from .table import FINE, INPUT, LIMIT, USAGE_OR_INPUT, BadFile

__all__ = ["BAD", "FINE", "INPUT", "LIMIT", "USAGE_OR_INPUT", "BadFile", "make_all"]

BAD: tuple[BadFile, ...] = (*PICTURES, *DOCUMENTS, *SCORES, *PATHS)


def make_all(folder: Path) -> list[tuple[BadFile, Path]]:
    """Make every file of the table that this system can hold; gives each with its path."""
    made = []
    for bad in BAD:
        if bad.impossible:
            continue
        path = folder / bad.name
        bad.make(path)
        made.append((bad, path))
    return made


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "bad-files")
    target.mkdir(parents=True, exist_ok=True)
    for bad, path in make_all(target):
        exits = " or ".join(str(code) for code in bad.expected_exit)
        shown = ascii(path.name)[1:-1]
        print(f"{shown:34} exit {exits:8} {bad.phrase}")
