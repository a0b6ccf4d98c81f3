"""The oemer recognizer beside the stock ``oemer`` command: same pages, same nets, same run.

The pages are the piano staves of the first held-out songs by name, one of Verovio's fonts
after the other, engraved in class colours; the nets are the stand-ins that read those colours
(plugins/ensemble-oemer/tests). So the notes differ by what comes behind the nets, and times
are those of everything but the weights: oemer's own nets take minutes on top, of both.
Needs the data folder, and ensemble-oemer with its test requirements (OpenCV 4 for stock)::

    python benchmarks/oemer_against_stock.py [--pages 8] [--pairs 5] [--folder F] [--json F]
    python benchmarks/oemer_against_stock.py --little       (two systems; needs no data)

``--folder`` keeps pages and readings; a reading that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
from engraved import REPOSITORY, excerpt, works
from ensemble_evaluate.notes import agreement, staves

from ensemble_core.musicxml import find_schema, validate

sys.path.insert(0, str(REPOSITORY / "plugins" / "ensemble-oemer" / "tests"))

MOST_BARS = 60
"""More than fit on a page; what stands on the first page is the truth."""
LARGE_STEP = 192
LITTLE = (
    ("C5/4 D5/4 E5/4 F#5/4 | G5/2 E5/2 | C5/8 D5/8 E5/8 F5/8 G5/4 r/4 | C5+E5+G5/1",
     "C3/2 G3/2 | C3+E3/4 r/4 G3/2 | C3/1 | F3/4 E3/4 D3/4 C3/4"),
    ("A4/4. B4/8 C5/2 | F5/16 E5/16 D5/16 C5/16 B4/4 A4/4 r/4 | D5/2 D5/4 r/4 | C5/8 B4/8 A4/8 "
     "G4/8 F4/2 | E4+G4/4 F4+A4/4 E4/2",
     "A3/2 E3/2 | D3/4 r/4 C3/2 | B2/4 C3/4 D3/2 | A2/2 D3/2 | C3/1"),
)  # fmt: skip
"""Upper and lower staff of pages that need no data; the first in G major."""


@attrs.frozen
class Bench:
    """Where things lie, and how both are run."""

    folder: Path
    nets: Path
    stock: Path
    flat: bool

    def stock_command(self, picture: Path, out: Path) -> list[str]:
        """The stock command as its users type it."""
        flat = ["--without-deskew"] if self.flat else []
        return [sys.executable, "-m", "oemer.ete", str(picture), *flat, "-o", str(out)]

    def our_command(self, pictures: list[Path], out: Path, *options: str) -> list[str]:
        """The same by ``ensemble convert``, with the defaults but for the nets."""
        options = (*options, f"oemer.checkpoints={self.nets}")
        flat = "off" if self.flat else "auto"
        return [
            sys.executable, "-m", "ensemble_core", "convert", *map(str, pictures), "--recognizer",
            "oemer", "--no-cache", "--overwrite", "--quiet", "-O", f"oemer.deskew={flat}",
            *(word for option in options for word in ("-O", option)), "-o", str(out),
        ]  # fmt: skip

    def run(self, command: list[str]) -> tuple[float, str]:
        """Run it; gives wall time in seconds, and the last line it said if it failed."""
        environment = dict(os.environ)
        if "oemer.ete" in command:
            environment["PYTHONPATH"] = str(self.stock)
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        lines = done.stderr.strip().splitlines() or ["no message"]
        traceback = "Traceback" in done.stderr
        said = f"{'traceback: ' if traceback else ''}{lines[-1]}"
        return seconds, "" if done.returncode == 0 else said


def pages(count: int, folder: Path) -> Iterator[tuple[str, Path, bytes]]:
    """Name, picture and truth of each page; ``count`` 0 gives the little ones."""
    from oemer_pages import FONTS, coloured_page, little_score

    songs = (
        (work.path.stem, document)
        for work in works()
        if work.label == "piano" and (document := excerpt(work, MOST_BARS)) is not None
    )
    little = (("little", little_score(staves, 1 - n)) for n, staves in enumerate(LITTLE))
    for number, (stem, document) in enumerate(islice(songs, count) if count else little):
        name = f"{number:02d}-{stem}-{FONTS[number % len(FONTS)]}"
        picture = folder / f"{name}.png"
        page = coloured_page(document, picture, FONTS[number % len(FONTS)])
        (folder / f"{name}.truth.musicxml").write_bytes(page.truth)
        yield name, picture, page.truth


def read(bench: Bench, command: list[str], out: Path, truth: bytes) -> dict[str, Any]:
    """Run one reader on one page; the figures of what it wrote, or why it wrote nothing."""
    if not out.exists():
        _, error = bench.run(command)
        if error:
            return {"note_f1": 0.0, "pitch_f1": 0.0, "valid": None, "error": error}
    data = out.read_bytes()
    found = agreement(truth, data)
    return {
        "note_f1": found.note_f1, "pitch_f1": found.pitch_f1, "error": "",
        "valid": not validate(data) if find_schema() else None,
    }  # fmt: skip


def measure(bench: Bench, name: str, picture: Path, truth: bytes) -> dict[str, Any]:
    """Both on one page, and whether without mending our notes are stock's."""
    theirs, mine = bench.folder / f"{name}.stock.musicxml", bench.folder / f"{name}.musicxml"
    plain = bench.folder / f"{name}.plain.musicxml"
    stock = read(bench, bench.stock_command(picture, theirs), theirs, truth)
    ours = read(bench, bench.our_command([picture], mine), mine, truth)
    read(bench, bench.our_command([picture], plain, "oemer.mend=false"), plain, truth)
    same = None
    if theirs.exists() and plain.exists():
        same = agreement(theirs.read_bytes(), plain.read_bytes()).note_f1 == 1.0
    return {"name": name, "stock": stock, "ours": ours, "same_notes": same}


def windows(picture: Path) -> dict[str, int]:
    """How many windows both nets look at: stock, ours, and ours at the large step."""
    from ensemble_oemer.checkpoints import NETS
    from ensemble_oemer.inference import corners, scaled

    height, width = scaled(picture).shape[:2]
    usual = [corners(height, width, net.window, 128) for net in NETS]
    large = [corners(height, width, net.window, LARGE_STEP) for net in NETS]
    return {
        "stock": sum(map(len, usual)),
        "ours": sum(len(set(some)) for some in usual),
        "large_step": sum(len(set(some)) for some in large),
    }


def at_large_step(bench: Bench, name: str, picture: Path) -> bool:
    """Whether the large step gives the same notes."""
    out = bench.folder / f"{name}.step.musicxml"
    if not out.exists():
        _, error = bench.run(bench.our_command([picture], out, f"oemer.step={LARGE_STEP}"))
        if error:
            raise SystemExit(f"{name}: {error}")
    return staves(out.read_bytes()) == staves((bench.folder / f"{name}.musicxml").read_bytes())


def two_in_one(bench: Bench, pictures: list[Path]) -> bool:
    """Whether two pages read by one process give what two processes gave."""
    out = bench.folder / "together"
    out.mkdir(exist_ok=True)
    _, error = bench.run(bench.our_command(pictures, out, "run.jobs=1"))
    if error:
        raise SystemExit(error)
    return all(
        staves((out / f"{picture.stem}.musicxml").read_bytes())
        == staves(picture.with_suffix(".musicxml").read_bytes())
        for picture in pictures
    )


def paired(bench: Bench, picture: Path, pairs: int) -> dict[str, Any]:
    """Wall and CPU times in turn, stock and ours, each a fresh process."""
    commands = {
        "stock": bench.stock_command(picture, bench.folder / "timed.musicxml"),
        "ours": bench.our_command([picture], bench.folder / "timed2.musicxml"),
    }
    wall: dict[str, list[float]] = {"stock": [], "ours": []}
    cpu: dict[str, list[float]] = {"stock": [], "ours": []}
    for _ in range(pairs):
        for who, command in commands.items():
            before = _cpu_of_children()
            wall[who].append(bench.run(command)[0])
            cpu[who].append(_cpu_of_children() - before)
    return {
        "page": picture.stem, "load": os.getloadavg()[0], "wall": wall, "cpu": cpu,
        "median_wall_ratio": _ratio(wall), "median_cpu_ratio": _ratio(cpu),
    }  # fmt: skip


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ratio(times: dict[str, list[float]]) -> float:
    return statistics.median(b / a for a, b in zip(times["stock"], times["ours"], strict=True))


def line(row: dict[str, Any]) -> str:
    """One page in the table."""
    stock, ours = row["stock"], row["ours"]
    figures = " ".join(f"{r[f]:8.3f}" for f in ("note_f1", "pitch_f1") for r in (stock, ours))
    why = f"  stock: {stock['error']}" if stock["error"] else ""
    why += f"  ours: {ours['error']}" if ours["error"] else ""
    return f"{row['name']:44} {figures}   {ours['valid']!s:6} {row['same_notes']!s:5}{why}"


def main() -> None:
    """Print a line a page, then what was counted and timed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=5, help="timed pairs on the second page")
    parser.add_argument("--little", action="store_true", help="two little scores of our own")
    parser.add_argument("--flat", action="store_true", help="both without oemer's dewarping")
    parser.add_argument("--folder", type=Path, help="keep pages and readings here")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = _measured(arguments, Path(name))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))


def _measured(arguments: argparse.Namespace, work: Path) -> dict[str, Any]:
    from oemer_standins import colour_nets, stock_oemer

    folder = (arguments.folder or work / "pages").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    nets = colour_nets(work / "nets")
    bench = Bench(folder, nets, stock_oemer(work / "stock", nets), arguments.flat)
    print(f"{'':44} {'note F1':>17} {'pitch F1':>17}\n{'page':44} "
          + f"{'stock':>8} {'ours':>8} " * 2 + "  valid  same", flush=True)  # fmt: skip
    rows, pictures = [], []
    for name, picture, truth in pages(0 if arguments.little else arguments.pages, folder):
        rows.append(measure(bench, name, picture, truth))
        print(line(rows[-1]), flush=True)
        if not rows[-1]["ours"]["error"]:
            pictures.append(picture)
    report: dict[str, Any] = {"pages": rows, "windows": windows(pictures[0])}
    print("windows", report["windows"], flush=True)
    report["same_notes_at_large_step"] = at_large_step(bench, pictures[0].stem, pictures[0])
    print(f"same notes at step {LARGE_STEP}:", report["same_notes_at_large_step"], flush=True)
    report["two_in_one_process"] = two_in_one(bench, pictures[:2])
    print("two pages in one process as in two:", report["two_in_one_process"], flush=True)
    if arguments.pairs:
        report["times"] = paired(bench, pictures[1], arguments.pairs)
        print("times", report["times"], flush=True)
    return report


if __name__ == "__main__":
    main()
