"""Pages of known music for the stand-in nets: in class colours, or in plain black.

Verovio engraves them at the size oemer scales an A4 page to, so that no pixel is resampled and
a staff space is about 14 pixels.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
from lxml import etree

FONTS = ("Leipzig", "Bravura", "Gootville", "Petaluma", "Leland")
SIZE = (1612, 2280)
"""Width and height in pixels: A4, and the 3.675 megapixels every page is brought to."""

RED, BLUE, CYAN, GREEN, YELLOW = "#ff0000", "#0000ff", "#00ffff", "#00ff00", "#ffff00"
COLOURS = {
    "notehead": BLUE, "stem": CYAN, "barLine": CYAN, "rest": CYAN, "mRest": CYAN,
    "multiRest": CYAN, "clef": GREEN, "keySig": GREEN, "keyAccid": GREEN, "accid": GREEN,
    "flag": "#000000", "dots": "#000000", "beam": "#000000", "ledgerLines": "#000000",
}  # fmt: skip
"""The colour of Verovio's classes; all else (beams, flags, dots, curves, metre) is black."""
UNSEEN = {"label", "labelAbbr", "dir", "dynam", "tempo", "mNum", "verse", "syl", "fing", "harm",
          "grpSym", "reh", "pedal", "hairpin", "placeholder"}  # fmt: skip
"""What oemer's nets take for background: words and marks."""
HOLLOW = re.compile("E0A[0-3]-")
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@attrs.frozen
class EngravedPage:
    """A page and the music on it.

    Attributes:
        picture: The PNG.
        truth: The bars that stand on the page, as MusicXML.
        bars: How many they are.
        pages: How many pages all of the music takes.
    """

    picture: Path
    truth: bytes
    bars: int
    pages: int


def coloured_page(musicxml: bytes | str, picture: Path, font: str = "Leipzig") -> EngravedPage:
    """Engrave the first page in class colours, for ``oemer_standins.colour_nets``.

    Args:
        musicxml: The music.
        picture: Where the PNG goes.
        font: One of :data:`FONTS`.
    """
    return _page(musicxml, picture, font, colours=True)


def print_page(musicxml: bytes | str, picture: Path, font: str = "Leipzig") -> EngravedPage:
    """Engrave the first page in black, for ``oemer_standins.print_nets``."""
    return _page(musicxml, picture, font, colours=False)


def little_score(staves: Sequence[str], fifths: int = 0, beats: int = 4) -> bytes:
    """A piano score of a few bars.

    Args:
        staves: The notes of each staff, like ``"C5/4 F#5/8. r/2 | C5+E5/1"``: step, alteration,
            octave and written value; ``+`` makes a chord, ``r`` a rest, ``|`` ends a bar. The
            lowest of several staves has a bass clef.
        fifths: Sharps (positive) or flats of the key.
        beats: Quarter notes in a bar.
    """
    count = len(staves)
    clefs = "".join(
        f'<clef number="{n}"><sign>{"F" if 1 < n == count else "G"}</sign>'
        f"<line>{4 if 1 < n == count else 2}</line></clef>"
        for n in range(1, count + 1)
    )
    start = (
        f"<attributes><divisions>{DIVISIONS}</divisions><key><fifths>{fifths}</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time><staves>{count}</staves>"
        f"{clefs}</attributes>"
    )
    back = f"<backup><duration>{beats * DIVISIONS}</duration></backup>"
    measures = []
    for number, bars in enumerate(zip(*(text.split("|") for text in staves), strict=True), 1):
        notes = back.join(_notes(bar, staff, fifths) for staff, bar in enumerate(bars, 1))
        first = start if number == 1 else ""
        measures.append(f'<measure number="{number}">{first}{notes}</measure>')
    return (
        '<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Piano</part-name>'
        f'</score-part></part-list><part id="P1">{"".join(measures)}</part></score-partwise>'
    ).encode()


DIVISIONS = 8
TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd"}
SIGNS = {1: "sharp", 0: "natural", -1: "flat"}
EVENT = re.compile(r"(?P<what>[^/]+)/(?P<value>\d+)(?P<dot>\.?)$")
PITCH = re.compile(r"([A-G])([#b]?)(\d)$")


def _notes(bar: str, staff: int, fifths: int) -> str:
    return "".join(_event(word, staff, fifths) for word in bar.split())


def _event(word: str, staff: int, fifths: int) -> str:
    event = EVENT.match(word)
    if event is None:
        raise ValueError(f"not a note: {word}")
    value = int(event["value"])
    length = 4 * DIVISIONS // value * (3 if event["dot"] else 2) // 2
    written = (
        f"<duration>{length}</duration><voice>{4 * staff - 3}</voice><type>{TYPES[value]}</type>"
        f"{'<dot/>' if event['dot'] else ''}"
    )
    end = f"<staff>{staff}</staff></note>"
    if event["what"] == "r":
        return f"<note><rest/>{written}{end}"
    text = []
    for number, name in enumerate(event["what"].split("+")):
        pitch = PITCH.match(name)
        if pitch is None:
            raise ValueError(f"not a pitch: {name}")
        alter = {"#": 1, "b": -1, "": 0}[pitch[2]]
        sign = (
            "" if alter == _in_key(pitch[1], fifths) else f"<accidental>{SIGNS[alter]}</accidental>"
        )
        text.append(
            f"<note>{'<chord/>' if number else ''}<pitch><step>{pitch[1]}</step>"
            f"<alter>{alter}</alter><octave>{pitch[3]}</octave></pitch>{written}{sign}{end}"
        )
    return "".join(text)


def _in_key(step: str, fifths: int) -> int:
    """What the key signature does to a step."""
    sharps = "FCGDAEB"
    if fifths >= 0:
        return int(step in sharps[:fifths])
    return -int(step in sharps[fifths:])


def _page(musicxml: bytes | str, picture: Path, font: str, colours: bool) -> EngravedPage:
    import resvg_py
    from PIL import Image

    document = musicxml.encode() if isinstance(musicxml, str) else musicxml
    svg, pages = _engrave(document, font)
    root = etree.fromstring(svg.encode())
    _leave_out_words(root)
    if colours:
        _colour(root)
    bars = sum(_classes(node)[:1] == ["measure"] for node in root.iter(f"{SVG}g"))
    drawn = resvg_py.svg_to_bytes(
        svg_string=etree.tostring(root).decode(), width=SIZE[0], background="white",
        skip_system_fonts=False,
    )  # fmt: skip
    with Image.open(io.BytesIO(bytes(drawn))) as image:
        paper = Image.new("RGB", SIZE, "white")
        paper.paste(image.convert("RGB"))
    paper.save(picture)
    return EngravedPage(picture, _first_bars(document, bars), bars, pages)


def _engrave(document: bytes, font: str) -> tuple[str, int]:
    """SVG of the first page and the number of pages."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    kit = verovio.toolkit()
    kit.setOptions({
        "pageWidth": 2100, "pageHeight": 2970, "scale": 100, "font": font, "header": "none",
        "footer": "none", "staffLineWidth": 0.2, "stemWidth": 0.25, "mnumInterval": 0,
        "breaks": "auto", "condense": "none",
    })  # fmt: skip
    if not kit.loadData(document.decode()):
        raise ValueError("Verovio cannot read this score")
    return str(kit.renderToSVG(1)), int(kit.getPageCount())


def _first_bars(document: bytes, bars: int) -> bytes:
    root = etree.fromstring(document)
    for part in root.findall("part"):
        for measure in part.findall("measure")[bars:]:
            part.remove(measure)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _classes(node: Any) -> list[str]:
    return str(node.get("class", "")).split()


def _colour(root: Any) -> None:
    """Give each class its colour."""
    root.set("shape-rendering", "crispEdges")
    glyphs = {node.get("id"): node for node in root.iter(f"{SVG}g") if node.get("id")}
    for node in list(root.iter(f"{SVG}g")):
        names = _classes(node)
        if names and names[0] in COLOURS:
            _paint(node, COLOURS[names[0]])
        if names[:1] in (["staff"], ["system"]):
            for line in node.findall(f"{SVG}path"):
                _paint(line, RED if names[0] == "staff" else CYAN)
        if names[:1] == ["notehead"]:
            _fill_hollow(node, glyphs)


def _leave_out_words(root: Any) -> None:
    """Take away what oemer does not look at and the stand-ins would take for music."""
    for node in list(root.iter(f"{SVG}g")):
        if UNSEEN & set(_classes(node)):
            node.getparent().remove(node)


def _paint(node: Any, colour: str) -> None:
    node.set("color", colour)
    node.set("fill", colour)


def _fill_hollow(head: Any, glyphs: dict[str, Any]) -> None:
    """Lay the glyph's outline in yellow beneath a hollow head."""
    for used in list(head.iter(f"{SVG}use")):
        name = used.get(LINK, "").removeprefix("#")
        if not HOLLOW.match(name) or name not in glyphs:
            continue
        path = glyphs[name].find(f"{SVG}path")
        outline = max(("M" + part for part in path.get("d").split("M") if part), key=_extent)
        group = etree.Element(f"{SVG}g", transform=used.get("transform"))
        etree.SubElement(group, f"{SVG}path", transform=path.get("transform"), d=outline)
        _paint(group, YELLOW)
        head.insert(0, group)


def _extent(path: str) -> float:
    """How far a sub-path's relative steps lead, to tell the outline from the hole."""
    return sum(abs(float(number)) for number in re.findall(r"-?\d+\.?\d*", path))
