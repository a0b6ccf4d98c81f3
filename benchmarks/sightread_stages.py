"""What each stage of sightread costs: CPU milliseconds, on one core; and a page on one and on two.

    python benchmarks/sightread_stages.py [--runs 5] [--save FOLDER] PICTURE…

Wall times on one thread and on two come first, in turn. Then every picture is read ``--runs``
times in this process after a warm-up; the medians are printed, a column a picture. A stage is a
function of the package whose time is taken; what is called inside of another stage counts for
itself only. With ``--save`` the MusicXML is kept, to compare two versions byte by byte.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemble_core.model import Score

STAGES = (
    "recognizer:open_image", "recognizer:gray", "normalise:flatten", "normalise:binarise",
    "normalise:measure", "normalise:normalise", "structure:find_staves", "structure:clear_lines",
    "structure:find_systems", "structure:find_uprights", "structure:find_beams",
    "structure:find_curves", "structure:outlined", "glyphs:look", "multirests:find_multirests",
    "hairpins:find_hairpins", "words:find_words", "meaning.reading:lay_out",
    "meaning.reading:supplemented", "meaning.reading:read_bars", "meaning.reading:tie",
    "meaning:read", "musicxml:write",
)  # fmt: skip
"""Module and function, as the caller finds it."""


class Clock:
    """Takes the CPU time of nested stages, each without what is inside of it."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = defaultdict(float)
        self._stack: list[str] = []
        self._since = 0.0

    def _switch(self) -> None:
        now = time.process_time()
        if self._stack:
            self.taken[self._stack[-1]] += now - self._since
        self._since = now

    def timed(self, name: str, function: Any) -> Any:
        """The function, with its time taken."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._stack.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._stack.pop()

        return wrapper


def watch(clock: Clock) -> None:
    """Put the clock around every stage there is."""
    for stage in STAGES:
        place, name = stage.split(":")
        module = import_module(f"ensemble_sightread.{place}")
        if hasattr(module, name):
            setattr(module, name, clock.timed(name, getattr(module, name)))


def read(picture: Path, threads: int) -> Score:
    """Read a page, as a worker of the pipeline does."""
    from ensemble_sightread.recognizer import Sightread
    from PIL import Image

    from ensemble_core.model import Context, Page

    with Image.open(picture) as opened:
        size = opened.size
    with tempfile.TemporaryDirectory() as folder:
        recognize = CLOCK.timed("the rest", Sightread().recognize)
        score: Score = recognize(Page(0, picture, *size), Context(Path(folder), threads=threads))
    return score


def walls(pictures: list[Path], runs: int) -> None:
    """Print the seconds a page takes on one thread and on two, in turn: medians of all runs."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    for picture in pictures:
        for _ in range(runs):
            for threads, seconds in taken.items():
                began = time.perf_counter()
                read(picture, threads)
                seconds.append(time.perf_counter() - began)
    one, two = (statistics.median(seconds) for seconds in taken.values())
    print(f"wall: {one:.2f} s on one thread, {two:.2f} s on two ({two / one:.2f})")


def measure(picture: Path, runs: int, save: Path | None) -> dict[str, float]:
    """Median CPU milliseconds of each stage, and of all together."""
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        CLOCK.taken.clear()
        began = time.process_time()
        score = read(picture, 1)
        CLOCK.taken["all"] = time.process_time() - began
        for name, seconds in CLOCK.taken.items():
            taken[name].append(1000 * seconds)
    if save:
        save.mkdir(parents=True, exist_ok=True)
        (save / f"{picture.stem}.musicxml").write_bytes(score.musicxml)
    return {name: statistics.median(values) for name, values in taken.items()}


CLOCK = Clock()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--save", type=Path, help="keep the MusicXML in this folder")
    options = parser.parse_args()
    for threads in (1, 2):
        read(options.pictures[0], threads)
    walls(options.pictures, options.runs)
    watch(CLOCK)
    measure(options.pictures[0], 1, None)
    columns = [measure(picture, options.runs, options.save) for picture in options.pictures]
    for number, picture in enumerate(options.pictures, 1):
        print(f"{number:2d}  {picture.name}")
    for name in dict.fromkeys(name for column in columns for name in column):
        print(f"{name:16s}" + "".join(f"{column.get(name, 0):7.0f}" for column in columns))
    print(f"median of all: {statistics.median(column['all'] for column in columns):.0f} ms")


if __name__ == "__main__":
    main()
