"""Pages of known music, engraved by three programs, to measure a recognizer with.

A page is the first bars of one part (a voice, a string part, a piano staff pair) or of all
parts (a song, a quartet) of a work that training leaves alone: works whose file name's
SHA-1 is 0 modulo 5 are only ever evaluated on. Needs the data folder, and for two of the
engravers the programs ``musescore3`` and ``lilypond`` (with ``musicxml2ly``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
from lxml import etree

REPOSITORY = Path(__file__).resolve().parent.parent
DPI = 300
A4 = (2480, 3508)
SERIF = "Nimbus Roman"
"""Lyrics and words of Verovio's pages; resvg leaves them out when it has no such font."""


def data_folder() -> Path:
    """The local data: ``ENSEMBLE_DATA``, else ``shared/data`` beside the repository."""
    return Path(os.environ.get("ENSEMBLE_DATA", REPOSITORY.parent / "shared" / "data"))


def held_out(name: str) -> bool:
    """True for works that may be evaluated on and never be trained on."""
    return int(hashlib.sha1(name.encode()).hexdigest(), 16) % 5 == 0


STAVES = {
    "voice": [1], "violin1": [1], "violin2": [1], "viola": [1], "cello": [1], "piano": [2],
    "song": [1, 2], "quartet": [1, 1, 1, 1],
}  # fmt: skip
"""What a page is of → the staves of each of its parts."""


@attrs.frozen
class Work:
    """A part of a work: its file, the 0-based part (None: all parts) and what it is."""

    path: Path
    part: int | None
    label: str

    @property
    def staves(self) -> int:
        """Staves of a system."""
        return sum(STAVES[self.label])


@attrs.frozen
class EngravedPage:
    """One page: the picture and the music on it."""

    name: str
    engraver: str
    picture: Path
    truth: bytes
    bars: int


def works(every: int = 1) -> Iterator[Work]:
    """Held-out parts: piano and voice of songs, then violin, viola and cello of quartets."""
    root = data_folder() / "scores"
    songs = [p for p in sorted((root / "lieder").glob("*.mxl")) if held_out(p.name)]
    quartets = [p for p in sorted((root / "quartets").glob("*.mxl")) if held_out(p.name)]
    for number in range(0, len(songs), every):
        yield Work(songs[number], -1, "piano")
        if number // every < len(quartets):
            part = number // every % 4
            name = ("violin1", "violin2", "viola", "cello")[part]
            yield Work(quartets[number // every], part, name)
        yield Work(songs[number], 0, "voice")


def read_xml(path: Path) -> Any:
    """The root of a (compressed) MusicXML file."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    if path.suffix != ".mxl":
        return etree.parse(str(path), parser).getroot()
    with zipfile.ZipFile(path) as archive:
        container = etree.fromstring(archive.read("META-INF/container.xml"), parser)
        name = container.find(".//{*}rootfile").get("full-path")
        return etree.fromstring(archive.read(name), parser)


def excerpt(work: Work, bars: int) -> bytes | None:
    """The first bars as a document; None if the work is not what the label says."""
    root = read_xml(work.path)
    parts = root.findall("part")
    if len(parts) < 2 or (work.part is not None and not -len(parts) <= work.part < len(parts)):
        return None
    kept = parts if work.part is None else [parts[work.part]]
    staves = [max((int(n.text) for n in part.iter("staves")), default=1) for part in kept]
    if staves != STAVES[work.label]:
        return None
    if work.part is not None:
        names = root.find("part-list")
        for node in list(names):
            if node.tag != "score-part" or node.get("id") != kept[0].get("id"):
                names.remove(node)
    for part in parts:
        if part not in kept:
            root.remove(part)
    for part in kept:
        for measure in part.findall("measure")[bars:]:
            part.remove(measure)
    for node in list(root.iter("credit", "defaults", "print", "measure-style")):
        node.getparent().remove(node)
    document = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return bytes(document)


def printable(document: bytes, engraver: str) -> bytes:
    """The document with what the engraver can print.

    ``musicxml2ly`` trips over words, and in a score that is sung counts grace notes as notes
    to sing, so that all syllables behind them stand at the wrong ones.
    """
    if engraver != "lilypond":
        return document
    root = etree.fromstring(document)
    sung = root.find(".//lyric") is not None
    unfit = [node for node in root.iter("direction") if node.find(".//words") is not None]
    unfit += [node for node in root.iter("note") if sung and node.find("grace") is not None]
    for node in unfit:
        node.getparent().remove(node)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def count_bars(document: bytes) -> int:
    """Bars of the first part."""
    return len(etree.fromstring(document).find("part").findall("measure"))


def verovio(document: bytes, out: Path) -> int:
    """Engrave with Verovio; gives the number of pages, the first one's picture in ``out``."""
    import resvg_py
    import verovio as library

    library.enableLog(library.LOG_OFF)
    kit = library.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "scale": 100})
    kit.loadData(document.decode())
    pages = int(kit.getPageCount())
    png = resvg_py.svg_to_bytes(
        svg_string=kit.renderToSVG(1), width=A4[0], background="white",
        font_family=SERIF, serif_family=SERIF,
    )  # fmt: skip
    out.write_bytes(bytes(png))
    return pages


def prints_words() -> bool:
    """Whether the font for words is there; without it they would silently be left out."""
    import io

    import resvg_py
    from PIL import Image

    text = "<text y='30'>la</text>"
    text = f"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='40'>{text}</svg>"
    png = resvg_py.svg_to_bytes(svg_string=text, background="white", font_family=SERIF)
    return bool(Image.open(io.BytesIO(bytes(png))).convert("L").getextrema()[0] < 128)


def musescore(document: bytes, out: Path) -> int:
    """Engrave with MuseScore 3.

    It draws beams of its own where a whole score has none, so there each chord is told to
    have none.
    """
    source = out.with_suffix(".musicxml")
    source.write_bytes(document)
    if b"<beam" not in document:
        given, source = source, out.with_suffix(".mscx")
        _run(["musescore3", "-o", str(source), str(given)], out.parent)
        text = source.read_text().replace("<Chord>", "<Chord><BeamMode>no</BeamMode>")
        source.write_text(text)
    _run(["musescore3", "-r", str(DPI), "-o", str(out), str(source)], out.parent)
    return _first_of(out, out.stem + "-*.png")


def lilypond(document: bytes, out: Path) -> int:
    """Engrave with LilyPond, by way of ``musicxml2ly``.

    It prints what the score hides, so scores that hide something are refused.
    """
    if b'print-object="no"' in document:
        raise OSError("hidden notes or rests")
    source, ly = out.with_suffix(".musicxml"), out.with_suffix(".ly")
    source.write_bytes(document)
    _run(["musicxml2ly", "--npl", "-o", str(ly), str(source)], out.parent)
    text = ly.read_text()
    ly.write_text(text.replace("\\version", '#(set-default-paper-size "a4")\n\\version', 1))
    _run(["lilypond", "--png", f"-dresolution={DPI}", "-o", str(out.with_suffix("")), str(ly)],
         out.parent)  # fmt: skip
    pages = _first_of(out, out.stem + "-page*.png")
    if _runs_off(out):
        raise OSError("music runs off the paper")
    return pages


def _runs_off(picture: Path) -> bool:
    """Whether there is ink at the right edge: staves that found no place to break."""
    from PIL import Image

    with Image.open(picture) as page:
        gray = page.convert("L")
    return bool(gray.crop((gray.width - 20, 0, gray.width, gray.height)).getextrema()[0] < 128)


ENGRAVERS: dict[str, Callable[[bytes, Path], int]] = {
    "verovio": verovio, "musescore": musescore, "lilypond": lilypond,
}  # fmt: skip


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, env=environment, timeout=300
    )


def _first_of(out: Path, pattern: str) -> int:
    """Put the first of several pages in ``out``; gives how many there are."""
    pages = sorted(out.parent.glob(pattern), key=lambda p: (len(p.name), p.name))
    if pages:
        shutil.copy(pages[0], out)
        for page in pages:
            page.unlink()
        return len(pages)
    return 1


def engrave(work: Work, engraver: str, folder: Path, most: int = 48) -> EngravedPage | None:
    """Engrave as many first bars of a work as fit on one page; None if that fails."""
    name = f"{work.path.stem}-{work.label}-{engraver}"
    out = folder / f"{name}.png"
    truth = folder / f"{name}-truth.musicxml"
    if out.exists() and truth.exists():
        document = truth.read_bytes()
        return EngravedPage(name, engraver, out, document, count_bars(document))
    bars = most
    for _ in range(8):
        given = excerpt(work, bars)
        if given is None or given.count(b"<pitch") < 30:
            return None
        document = printable(given, engraver)
        try:
            pages = ENGRAVERS[engraver](document, out)
        except (subprocess.SubprocessError, OSError):
            out.unlink(missing_ok=True)
            return None
        bars = min(bars, count_bars(document))
        if pages == 1:
            truth.write_bytes(document)
            return EngravedPage(name, engraver, out, document, bars)
        bars = max(4, int(bars / pages * 0.9) if pages > 2 else int(bars * 0.8))
    out.unlink(missing_ok=True)
    return None
