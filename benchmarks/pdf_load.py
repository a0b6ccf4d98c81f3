"""Load every PDF of the data folder and hold it against poppler's ``pdfinfo`` and ``pdfimages``.

    python benchmarks/pdf_load.py [folder]

Prints one row a document: pages, size of the first page in pixels, resolution, seconds to
list the pages and to load one. Ends with 1 if anything differs from what poppler says.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ensemble_pdf.loader import PdfLoader
from ensemble_pdf.options import PdfOptions

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, Document
from ensemble_core.sniff import sniff

DATA = Path(os.environ.get("ENSEMBLE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def poppler(path: Path) -> tuple[list[tuple[float, float]], int]:
    """Size of every page in points, and how many images the document holds."""
    shown = subprocess.run(
        ["pdfinfo", "-l", "100000", path], capture_output=True, text=True, check=True
    ).stdout
    sizes = re.findall(r"^Page +\d+ size: +([\d.]+) x ([\d.]+) pts", shown, re.MULTILINE)
    rotations = re.findall(r"^Page +\d+ rot: +(\d+)", shown, re.MULTILINE)
    images = subprocess.run(
        ["pdfimages", "-list", path], capture_output=True, text=True, check=True
    )
    pages = [
        (float(w), float(h)) if int(turn) % 180 == 0 else (float(h), float(w))
        for (w, h), turn in zip(sizes, rotations, strict=True)
    ]
    return pages, max(0, len(images.stdout.splitlines()) - 2)


def row(path: Path) -> list[str]:
    """Load one document; gives what differs from poppler."""
    document = Document(path, path.name, sniff(path), "", path.stat().st_size)
    loader, wrong, seconds = PdfLoader(PdfOptions()), [], []
    sizes, images = poppler(path)
    with tempfile.TemporaryDirectory() as folder:
        ctx = Context(Path(folder))
        began = time.perf_counter()
        infos = loader.inspect(document, ctx)
        listed = time.perf_counter() - began
        if len(infos) != len(sizes):
            wrong.append(f"{path.name}: {len(infos)} pages, poppler says {len(sizes)}")
        for info, (width, height) in zip(infos, sizes, strict=False):
            began = time.perf_counter()
            page = loader.load(document, info.index, ctx)
            seconds.append(time.perf_counter() - began)
            shown = open_image(page, ctx)
            # Pages that are no scans: size in pixels = points / 72 × dpi, rounded up.
            expected = (width / 72 * (info.dpi or 0), height / 72 * (info.dpi or 0))
            for told in ((info.width, info.height), (page.width, page.height), shown.size):
                if any(not 0 <= t - e < 1.02 for t, e in zip(told, expected, strict=True)):
                    wrong.append(f"{path.name}, page {info.index + 1}: {told}, not {expected}")
            if gray(shown).getextrema() == (255, 255):
                wrong.append(f"{path.name}, page {info.index + 1}: nothing on it")
    first = infos[0]
    print(
        f"{path.name:45} {len(infos):3} {len(sizes):4} {images:3}  {first.width} × {first.height}"
        f"  {first.dpi:.0f}  {listed:6.3f}  {statistics.median(seconds):6.3f}  {shown.mode}"
    )
    return wrong


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "pdf"
    print(f"{'document':45} pages pop. img  pixels       dpi    list    load  mode")
    wrong = [each for path in sorted(folder.glob("*.pdf")) for each in row(path)]
    print("\n".join(wrong) or "all as poppler says")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
