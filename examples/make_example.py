"""Make the example page from a score of the OpenScore Lieder corpus (CC0).

The song's piano part is taken out, MuseScore 3 engraves it on one A4 page at 300 dpi, and
the part itself is kept beside the picture as the truth to compare a reading with::

    python examples/make_example.py brahms-lc5098632.mxl

Needs lxml, Pillow and MuseScore 3 (``musescore3`` or ``mscore3`` on the PATH).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lxml import etree
from PIL import Image

from ensemble_core.musicxml import parse, read_mxl, serialize

HERE = Path(__file__).parent
NAME = "brahms-volkslied"
DPI = 300

STYLE = """<?xml version="1.0" encoding="UTF-8"?>
<museScore version="3.02"><Style>
<pageWidth>8.27</pageWidth>
<pageHeight>11.69</pageHeight>
<pagePrintableWidth>7.27</pagePrintableWidth>
<pageOddLeftMargin>0.5</pageOddLeftMargin>
<pageOddTopMargin>0.5</pageOddTopMargin>
<pageOddBottomMargin>0.5</pageOddBottomMargin>
<staffLowerBorder>4</staffLowerBorder>
<staffUpperBorder>4</staffUpperBorder>
<akkoladeDistance>5.5</akkoladeDistance>
<minSystemDistance>6.5</minSystemDistance>
<maxSystemDistance>14</maxSystemDistance>
<measureSpacing>1.1</measureSpacing>
<Spatium>1.5</Spatium>
</Style></museScore>
"""
"""A4 with staves 6 mm high, as piano music is printed; lengths without a unit are staff
spaces, the page's are inches."""


def piano_part(root: Any) -> Any:
    """Leave only the last part; lay-out, names of the singer and lyricist go."""
    parts = root.findall("part")
    listed = root.find("part-list")
    for part, entry in list(zip(parts, listed.findall("score-part"), strict=True))[:-1]:
        root.remove(part)
        listed.remove(entry)
    for group in listed.findall("part-group"):
        listed.remove(group)
    for tag in ("credit", "defaults"):
        for element in root.findall(tag):
            root.remove(element)
    for element in list(root.iter("print")):
        element.getparent().remove(element)
    for name in ("default-x", "default-y", "relative-x", "relative-y", "width"):
        for element in root.iter():
            element.attrib.pop(name, None)
    for creator in root.findall("identification/creator"):
        if creator.get("type") != "composer":
            creator.getparent().remove(creator)
    return root


def engrave(musicxml: Path, png: Path) -> None:
    """Let MuseScore draw the page; fails if it takes more than one."""
    program = shutil.which("musescore3") or shutil.which("mscore3")
    if program is None:
        sys.exit("MuseScore 3 is not installed")
    with tempfile.TemporaryDirectory() as folder:
        style = Path(folder) / "page.mss"
        style.write_text(STYLE, encoding="utf-8")
        subprocess.run(
            [program, "-S", style, "-r", str(DPI), "-o", Path(folder) / "page.png", musicxml],
            check=True,
            capture_output=True,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        )
        pages = sorted(Path(folder).glob("page-*.png"))
        if len(pages) != 1:
            sys.exit(f"the music takes {len(pages)} pages")
        with Image.open(pages[0]) as drawn:
            paper = Image.new("RGBA", drawn.size, "white")
            gray = Image.alpha_composite(paper, drawn.convert("RGBA")).convert("L")
        # Sixteen grays keep every edge and halve the file.
        gray.quantize(16).save(png, dpi=(DPI, DPI), optimize=True)


def main() -> None:
    """Write the picture and the truth."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = piano_part(parse(read_mxl(Path(sys.argv[1]))))
    etree.indent(root, " ")
    truth = HERE / f"{NAME}.musicxml"
    truth.write_bytes(serialize(root))
    engrave(truth, HERE / f"{NAME}.png")
    print(f"{truth.name}, {NAME}.png: {(HERE / f'{NAME}.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
