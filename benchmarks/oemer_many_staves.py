"""Songs and quartets through oemer's rules: as oemer reads them, and as ensemble-oemer does.

The pages are engraved in class colours and seen by stand-in nets that make no mistakes, so
the figures are those of the rules alone. Songs have three staves a system, quartets four.
Needs the data folder, and ensemble-oemer with its test requirements::

    python benchmarks/oemer_many_staves.py [--pages 3] [--report FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engraved import REPOSITORY, data_folder, held_out, read_xml
from ensemble_evaluate.notes import agreement
from lxml import etree

sys.path.insert(0, str(REPOSITORY / "plugins" / "ensemble-oemer" / "tests"))

FONTS = ("Leipzig", "Bravura", "Gootville", "Petaluma", "Leland")
BARS = 24
"""More than fit on a page; what stands on the first page is the truth."""


def main() -> None:
    """Print one line a page and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=3, help="pages of each kind")
    parser.add_argument("--report", type=Path, help="also write the figures as JSON")
    arguments = parser.parse_args()
    rows = list(measured(arguments.pages))
    for way in ("stock", "joined"):
        for figure in ("note_f1", "pitch_f1", "seconds"):
            values = [row[way].get(figure, 0.0) for row in rows]
            print(f"mean {way} {figure}: {sum(values) / len(values):.3f}")
    if arguments.report:
        arguments.report.write_text(json.dumps(rows, indent=1))


def measured(pages: int) -> Iterator[dict[str, Any]]:
    """The figures of each page."""
    from ensemble_oemer.inference import Nets
    from ensemble_oemer.many_staves import read_page
    from ensemble_oemer.options import OemerOptions
    from ensemble_oemer.rules import read_maps
    from oemer_pages import coloured_page
    from oemer_running import context
    from oemer_standins import colour_nets

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, nets = colour_nets(folder / "nets"), Nets(OemerOptions())
        for number, path in enumerate(works(pages)):
            font = FONTS[number % len(FONTS)]
            page = coloured_page(first_bars(path), folder / f"{number}.png", font)
            ctx = context(files, folder / str(number))
            maps = nets.predict(page.picture, ctx, lambda share: None)

            def through(read: Callable[..., bytes], page: Any = page, seen: Any = maps,
                        ctx: Any = ctx) -> dict[str, Any]:  # fmt: skip
                start = time.perf_counter()
                try:
                    data = read(page.picture, seen, ctx, lambda share: None, dewarp=False)
                except Exception as error:
                    return {"error": f"{type(error).__name__}: {error}"}
                seconds = time.perf_counter() - start
                found = agreement(page.truth, data)
                return {"note_f1": found.note_f1, "pitch_f1": found.pitch_f1, "seconds": seconds,
                        "staves": each_staff(page.truth, data)}  # fmt: skip

            row = {"work": path.stem, "font": font, "bars": page.bars,
                   "stock": through(read_maps), "joined": through(read_page)}  # fmt: skip
            print(line(row), flush=True)
            yield row


def works(count: int) -> Iterator[Path]:
    """Held-out songs and quartets in turn, far apart in the alphabet."""
    root = data_folder() / "scores"
    kinds = [
        [p for p in sorted((root / kind).glob("*.mxl")) if held_out(p.name)]
        for kind in ("lieder", "quartets")
    ]
    for number in range(count):
        for paths, staves in zip(kinds, (3, 4), strict=True):
            fitting = [p for p in paths[number * len(paths) // count :] if staves_of(p) == staves]
            yield fitting[0]


def staves_of(path: Path) -> int:
    """How many staves a system of the work has."""
    root = read_xml(path)
    return sum(
        max((int(node.text) for node in part.iter("staves")), default=1)
        for part in root.findall("part")
    )


def first_bars(path: Path) -> bytes:
    """The first bars of a work, without its layout."""
    root = read_xml(path)
    for part in root.findall("part"):
        for measure in part.findall("measure")[BARS:]:
            part.remove(measure)
        for node in [*part.iter("print"), *part.iter("measure-style")]:
            node.getparent().remove(node)
    for tag in ("credit", "defaults"):
        for node in root.findall(tag):
            root.remove(node)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def each_staff(truth: bytes, found: bytes) -> list[str]:
    """Note F1 and pitch F1 of the staves."""
    from ensemble_evaluate.notes import compare, staves

    pairs = zip(staves(truth), staves(found), strict=False)
    results = [compare([ours], [theirs]) for ours, theirs in pairs]
    return [f"{r.note_f1:.2f}/{r.pitch_f1:.2f}" for r in results]


def line(row: dict[str, Any]) -> str:
    """A page in one line."""
    ways = []
    for way in ("stock", "joined"):
        got = row[way]
        ways.append(
            f"{way} {got['error']}"
            if "error" in got
            else f"{way} note {got['note_f1']:.3f} pitch {got['pitch_f1']:.3f} "
            f"in {got['seconds']:.0f} s {' '.join(got['staves'])}"
        )
    return f"{row['work']} {row['font']} {row['bars']} bars: " + "; ".join(ways)


if __name__ == "__main__":
    main()
