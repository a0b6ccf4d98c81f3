"""Makes the pages the symbol net learns from: engraved scores with the box of every sign.

    python training/make_pages.py --scores FOLDER --out FOLDER --jobs 2 --count 600

Each job is a number: it decides (by a seeded generator) the work, the engraver and its
settings, so a run that was stopped goes on where it was. Works whose file name hashes to 0
modulo 5 are only used with ``--held-out``, for measuring.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import boxes
import musescore
import outlines
from masks import FONTS, masks
from salad import Salad

PER_SPACE = 16.0
"""Pixels of a staff space in the stored pages; training scales them down to about 10."""

SERIFS = (
    "Nimbus Roman", "C059", "P052", "URW Bookman", "FreeSerif", "DejaVu Serif", "EB Garamond",
    "Linux Libertine O", "TeX Gyre Schola", "Gentium", "Nimbus Sans", "Liberation Serif",
)  # fmt: skip
REAL = (
    "beach-sq14387632", "haydn-sq8461409", "haydn-sq8556926", "haydn-sq8806134",
    "hoffmeister-sq12701461", "mayer-sq7070319", "mozart-sq7070781", "schubert-sq7648382",
)  # fmt: skip
"""Works whose printed parts readers are judged by."""
MUSESCORE = {
    "Emmentaler": "MScore for scores", "Gonville": "Gootville", "Bravura": "Bravura",
    "MuseJazz": "MuseJazz",
}  # fmt: skip


def held_out(name: str) -> bool:
    """Whether a work or composer is kept for evaluation."""
    return int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % 5 == 0


def composer(work: Path) -> str:
    """The composer a work's file is named after."""
    return unicodedata.normalize("NFC", work.name.split("-")[0])


def works(folder: Path, evaluation: bool) -> list[Path]:
    """The works to draw from: songs, and quartets several times as they are few.

    For training only works that are not held out, by composers that are not.
    """
    songs = sorted((folder / "lieder").glob("*.mxl"))
    quartets = sorted((folder / "quartets").glob("*.mxl"))
    found = songs + 4 * quartets
    if evaluation:
        return [w for w in found if held_out(w.name)]
    return [
        w for w in found
        if not (held_out(w.name) or held_out(composer(w)) or w.stem in REAL)
    ]  # fmt: skip


def musicxml(path: Path) -> str:
    """The score inside a compressed MusicXML file."""
    with zipfile.ZipFile(path) as archive:
        name = next(
            n for n in archive.namelist() if n.endswith(("xml", "musicxml")) and "META" not in n
        )
        return archive.read(name).decode()


def raster(svg: str, width: float, serif: str) -> np.ndarray:
    """Draw an SVG as gray pixels, ``width`` pixels wide, its words in the typeface ``serif``."""
    import cv2
    import resvg_py

    data = bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=round(width), background="white",
            serif_family=serif, font_family=serif,
        )
    )  # fmt: skip
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)


def jitter_glyphs(svg: str, r: random.Random) -> str:
    """Stretch, lean and fatten the glyphs of a Verovio page a little: another cut of type."""
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.svgLib.path import parse_path

    if r.random() < 0.6:
        wide, high, lean = r.uniform(0.93, 1.07), r.uniform(0.95, 1.05), r.uniform(-0.05, 0.05)

        def cut(found: re.Match[str]) -> str:
            pen = SVGPathPen(None, ntos=lambda n: f"{n:.0f}")
            own = r.uniform(0.98, 1.02)
            parse_path(found[2], TransformPen(pen, (wide * own, 0, lean, high * own, 0, 0)))
            return f'{found[1]}"{pen.getCommands()}"'

        svg = re.sub(r'(<path transform="scale\(1,-1\)" d=)"([^"]*)"', cut, svg)
    if r.random() < 0.5:
        fat = f'stroke="black" stroke-width="{r.uniform(2, 16):.0f}"'
        svg = svg.replace(
            '<path transform="scale(1,-1)" d', f'<path transform="scale(1,-1)" {fat} d'
        )
    return svg


def verovio_pages(xml: str, r: random.Random, many: int) -> list[tuple[str, boxes.Boxes]]:
    """Engrave with random settings; a few random pages with their boxes."""
    import verovio

    font = r.choice(FONTS)

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    unit = r.choice((6, 7, 8, 9, 9, 10, 11))
    toolkit.setOptions({
        "font": font, "unit": unit, "svgViewBox": True, "breaks": "auto",
        "pageWidth": r.choice((1500, 1800, 2100)), "pageHeight": r.choice((2000, 2500, 2970)),
        "footer": "none", "header": r.choice(("none", "auto")),
        "spacingLinear": r.uniform(0.15, 0.4), "spacingNonLinear": r.uniform(0.4, 0.7),
        "staffLineWidth": r.uniform(0.1, 0.28), "stemWidth": r.uniform(0.12, 0.34),
        "ledgerLineThickness": r.uniform(0.15, 0.4), "barLineWidth": r.uniform(0.2, 0.45),
        "spacingStaff": r.randint(6, 14), "spacingSystem": r.randint(2, 12),
        "lyricSize": r.uniform(3, 6), "graceFactor": r.uniform(0.6, 0.8),
        "beamMaxSlope": r.randint(2, 20), "slurMidpointThickness": r.uniform(0.3, 0.9),
        "slurEndpointThickness": r.uniform(0.05, 0.25),
        "tieMidpointThickness": r.uniform(0.3, 0.8), "tieEndpointThickness": r.uniform(0.05, 0.25),
        "hairpinThickness": r.uniform(0.1, 0.4), "hairpinSize": r.uniform(1.5, 4),
        "tupletBracketThickness": r.uniform(0.1, 0.4), "octaveLineThickness": r.uniform(0.1, 0.4),
        "repeatEndingLineThickness": r.uniform(0.1, 0.3), "pedalLineThickness": r.uniform(0.1, 0.4),
        "thickBarlineThickness": r.uniform(0.6, 1.4), "slurCurveFactor": r.uniform(0.5, 1.8),
        "ledgerLineExtension": r.uniform(0.3, 0.8), "bracketThickness": r.uniform(0.6, 1.4),
        "multiRestStyle": r.choice(("auto", "block", "symbols")),
        "multiRestThickness": r.uniform(1, 3), "tupletNumHead": r.random() < 0.5,
        "useBraceGlyph": False, "dynamSingleGlyphs": r.random() < 0.3,
        "octaveAlternativeSymbols": r.random() < 0.4, "beamFrenchStyle": r.random() < 0.1,
        "xmlIdSeed": r.randint(1, 10**6),
    })  # fmt: skip
    if not toolkit.loadData(xml):
        return []
    pages = r.sample(range(1, toolkit.getPageCount() + 1), min(many, toolkit.getPageCount()))
    out = []
    for page in pages:
        svg = jitter_glyphs(toolkit.renderToSVG(page), r)
        out.append((svg, boxes.verovio(svg, font)))
    return out


@lru_cache(maxsize=8)
def shapes(font: str) -> outlines.FontShapes:
    """The outlines of a font that MuseScore carries inside its program file."""
    from fontTools.ttLib import TTFont

    program = Path(os.path.realpath("/usr/bin/musescore3")).read_bytes()
    text = tuple(Path("/usr/share/fonts/truetype/freefont").glob("FreeSerif*.ttf"))
    for magic in (b"OTTO\x00", b"\x00\x01\x00\x00\x00"):
        start = program.find(magic)
        while start >= 0:
            try:
                found = TTFont(io.BytesIO(program[start : start + 2_000_000]))
                if found["name"].getDebugName(4) == MUSESCORE[font]:
                    with tempfile.NamedTemporaryFile(suffix=".otf") as file:
                        file.write(program[start : start + 2_000_000])
                        file.flush()
                        return outlines.FontShapes(Path(file.name), text)
            except Exception as error:  # not every such byte sequence is a font
                del error
            start = program.find(magic, start + 1)
    raise SystemExit(f"musescore3 carries no font {font}")


def musescore_pages(xml: str, r: random.Random, many: int) -> list[tuple[str, boxes.Boxes]]:
    """Engrave with MuseScore 3 in a random font and style."""
    font = r.choice(("Emmentaler", "Emmentaler", "Gonville", "Bravura", "MuseJazz"))
    style = {
        "musicalSymbolFont": font, "musicalTextFont": f"{font} Text",
        "Spatium": f"{r.uniform(1.3, 2.1):.3f}", "staffLineWidth": f"{r.uniform(0.05, 0.14):.3f}",
        "stemWidth": f"{r.uniform(0.08, 0.18):.3f}", "barWidth": f"{r.uniform(0.12, 0.24):.3f}",
        "ledgerLineWidth": f"{r.uniform(0.09, 0.2):.3f}",
        "beamWidth": f"{r.uniform(0.4, 0.6):.3f}", "minNoteDistance": f"{r.uniform(0.1, 0.5):.3f}",
        "graceNoteMag": f"{r.uniform(0.6, 0.8):.3f}",
        "hairpinLineWidth": f"{r.uniform(0.08, 0.2):.3f}",
        "hairpinHeight": f"{r.uniform(0.9, 1.5):.3f}",
        "SlurMidWidth": f"{r.uniform(0.12, 0.3):.3f}",
        "SlurEndWidth": f"{r.uniform(0.04, 0.1):.3f}",
        "voltaLineWidth": f"{r.uniform(0.06, 0.16):.3f}",
        "ottavaLineWidth": f"{r.uniform(0.06, 0.16):.3f}",
        "pedalLineWidth": f"{r.uniform(0.06, 0.16):.3f}",
        "tupletBracketWidth": f"{r.uniform(0.06, 0.16):.3f}",
        "stemSlashThickness": f"{r.uniform(0.08, 0.16):.3f}",
        "createMultiMeasureRests": str(r.randint(0, 1)),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.musicxml").write_text(xml)
        _musescore(folder / "b.mscx", folder / "a.musicxml")
        text = (folder / "b.mscx").read_text()
        fields = "".join(f"<{key}>{value}</{key}>" for key, value in style.items())
        text = re.sub(r"<Spatium>.*?</Spatium>", "", text, count=1)
        text = text.replace("<Style>", f"<Style>{fields}", 1)
        (folder / "b.mscx").write_text(text)
        _musescore(folder / "c.svg", folder / "b.mscx")
        svgs = sorted(folder.glob("c*.svg"))
        picked = r.sample(svgs, min(many, len(svgs)))
        return [(p.read_text(), musescore.musescore(p.read_text(), shapes(font))) for p in picked]


def _musescore(out: Path, source: Path) -> None:
    subprocess.run(
        ["musescore3", "-o", str(out), str(source)], check=True, timeout=120,
        capture_output=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip


def make(job: int, scores: Path, out: Path, evaluation: bool) -> int:
    """Make the pages of one job; returns how many."""
    r = random.Random(job * 7919 + (1 if evaluation else 0))
    random.seed(job)
    engraver = r.choice(("verovio", "verovio", "musescore"))
    if r.random() < 0.28:
        xml = Salad(job * 2 + evaluation).xml()
    else:
        xml = musicxml(r.choice(works(scores, evaluation)))
        if r.random() < 0.35:
            xml = re.sub(r"<lyric\b.*?</lyric>", "", xml, flags=re.DOTALL)
    pages = (verovio_pages if engraver == "verovio" else musescore_pages)(xml, r, 2)
    made = 0
    for number, (svg, found) in enumerate(pages):
        view = boxes.numbers(re.search(r'viewBox="([^"]*)"', svg).group(1))  # type: ignore[union-attr]
        scale = PER_SPACE / found.space
        if len(found.boxes) < 20 or view[2] * scale * view[3] * scale > 30e6:
            continue
        store(out / f"{job:05d}-{number}-{engraver}", svg, found, view[2], engraver)
        made += 1
    (out / f"{job:05d}.done").write_text(str(made))
    return made


def store(base: Path, svg: str, found: boxes.Boxes, width: float, engraver: str) -> None:
    """Write a page: picture, masks at half its size, and last its boxes."""
    import cv2

    serif = random.choice(SERIFS)
    image = raster(svg, width * PER_SPACE / found.space, serif)
    scale = image.shape[1] / width
    mask = masks(svg, engraver, found.space, image.shape[1] // 2, serif)
    rows = [(b.left * scale, b.top * scale, b.right * scale, b.bottom * scale) for b in found.boxes]
    eighths = np.round(image / 255.0 * 7) * 255 / 7  # as good at the edges, a third of the size
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101]
    cv2.imwrite(str(base.with_suffix(".webp")), np.round(eighths).astype(np.uint8), lossless)
    cv2.imwrite(str(base.with_suffix(".mask.webp")), mask, lossless)
    np.savez_compressed(
        base.with_suffix(".tmp.npz"), kind=np.array([b.kind for b in found.boxes]),
        box=np.array(rows, np.float32), space=found.space * scale,
    )  # fmt: skip
    base.with_suffix(".tmp.npz").replace(base.with_suffix(".npz"))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    todo = [
        n for n in range(args.first, args.first + args.count)
        if not (args.out / f"{n:05d}.done").exists()
    ]  # fmt: skip
    made = failed = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        runs = {pool.submit(make, n, args.scores, args.out, args.held_out): n for n in todo}
        for done in as_completed(runs):
            try:
                made += done.result()
            except Exception as error:
                failed += 1
                print(runs[done], type(error).__name__, str(error)[:100], file=sys.stderr)
    print(f"{made} pages, {failed} jobs failed")


if __name__ == "__main__":
    main()
