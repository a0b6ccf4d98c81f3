"""The code on the tutorial page is run as it stands there, block after block.

A block is marked by a comment above it: with ``<!-- file -->`` it is written to the file
named there, with ``<!-- excerpt -->`` it must stand in that file, and a ``bash`` block is
carried out, with ``pip install -e`` replaced by what it amounts to.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from installing import develop, run

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial" / "write-a-recognizer.md"
BLOCK = re.compile(
    r"^(?:`([^`\n]+)`[^\n]*:\n<!-- (file|excerpt) -->\n\n)?```(\w+)\n(.*?)^```$", re.M | re.S
)
ENSEMBLE = "from ensemble_core.cli.main import run; run()"


@attrs.frozen
class Block:
    """A fenced block of the page."""

    path: str
    use: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*match) for match in BLOCK.findall(page.read_text(encoding="utf-8"))]


@attrs.define
class Reader:
    """Does what the page says, in a folder of its own."""

    folder: Path
    site: Path

    def do(self, block: Block) -> None:
        if block.use == "file":
            path = self.folder / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.use == "excerpt":
            assert block.text in (self.folder / block.path).read_text(encoding="utf-8"), block.path
        else:
            assert block.language == "bash", f"what is this block for? {block.text}"
            for line in block.text.splitlines():
                self.command(line)

    def command(self, line: str) -> None:
        word, *rest = shlex.split(line)
        if word == "cd":
            self.folder = self.folder / rest[0]
        elif (word, *rest[:2]) == ("pip", "install", "-e"):
            develop(self.folder, self.site)
        else:
            words = {
                "ensemble": ["-c", ENSEMBLE],
                "pytest": ["-m", "pytest", "-p", "no:cacheprovider"],
                "python": [],
            }[word]
            done = self.python([*words, *rest])
            assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"

    def python(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return run(words, self.folder, self.site, [self.folder])


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    reader = Reader(tmp_path, tmp_path / "site")
    found = blocks(TUTORIAL)
    assert sum(block.use == "file" for block in found) == 5
    for block in found:
        reader.do(block)
    score = (reader.folder / "melody.musicxml").read_text(encoding="utf-8")
    assert score.count("<pitch>") == 64


def test_no_block_of_the_tutorial_is_left_out() -> None:
    fences = TUTORIAL.read_text(encoding="utf-8").count("\n```") // 2
    assert len(blocks(TUTORIAL)) == fences
