"""Masks of the thin things on an engraved page: one bit of a byte per class.

Of each class the SVG's elements are drawn alone, lines at least as thick as a pixel of the
mask can show.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from boxes import HREF, SVG, bounds, css_class, numbers, parsed
from ensemble_sightread.symbols import MASKS
from lxml import etree
from numpy.typing import NDArray

DRAWN = {f"{SVG}{tag}" for tag in ("path", "polygon", "polyline", "rect", "use", "text")}
FONTS = ("Leipzig", "Bravura", "Gootville", "Petaluma", "Leland")
"""Music fonts that Verovio sets single glyphs of in texts."""
THIN = 0.15
"""Lines are drawn at least this many staff spaces thick."""

VEROVIO = {
    "staff": "staff", "stem": "stem", "beam": "beam", "beamSpan": "beam", "fTrem": "beam",
    "barLine": "barline", "system": "barline", "slur": "curve", "tie": "curve", "lv": "curve",
    "hairpin": "hairpin", "octave": "line", "tupletBracket": "line",
    "voltaBracket": "line", "ending": "line", "pedal": "line", "trill": "line", "gliss": "line",
    "arpeg": "line", "grpSym": "line", "bracketSpan": "line",
}  # fmt: skip
MUSESCORE = {
    "StaffLines": "staff", "Stem": "stem", "Beam": "beam", "BarLine": "barline",
    "SlurSegment": "curve", "TieSegment": "curve",
    "HairpinSegment": "hairpin", "VoltaSegment": "line", "OttavaSegment": "line",
    "PedalSegment": "line", "TrillSegment": "line", "Tuplet": "line", "Arpeggio": "line",
    "GlissandoSegment": "line", "Glissando": "line", "Bracket": "line", "TextLineSegment": "line",
    "Tremolo": "beam", "Lyrics": "text", "StaffText": "text", "SystemText": "text", "Text": "text",
    "Tempo": "text", "InstrumentName": "text", "MeasureNumber": "text", "Fingering": "text",
    "RehearsalMark": "text", "Harmony": "text", "Jump": "text", "Marker": "text", "Page": "text",
}  # fmt: skip
LETTERED = {"VoltaSegment", "HairpinSegment", "TextLineSegment"}
"""Lines whose paths are words along them."""
OUTLINED = {"curve", "beam", "text"}
"""Classes drawn as closed outlines; of the others, in MuseScore, paths are letters and glyphs."""
WAVES = {"Arpeggio", "TrillSegment", "Bracket"}


def layers(svg: str, engraver: str, space: float) -> list[str | None]:
    """For each class an SVG with its elements alone; None where there are none.

    Args:
        svg: The page.
        engraver: ``verovio`` or ``musescore``.
        space: Its staff space, in units of the outer picture.
    """
    root = parsed(svg)
    for text in list(root.iter(f"{SVG}text")):
        if not _words(text):
            text.getparent().remove(text)
    if engraver == "verovio":
        page = next(n for n in root.iter(f"{SVG}g") if n.get("class") == "page-margin")
        inner = next(n for n in root.iter(f"{SVG}svg") if n.get("class") == "definition-scale")
        ratio = numbers(root.get("viewBox"))[2] / numbers(inner.get("viewBox"))[2]
        kind = _verovio_class
    else:
        page, ratio, kind = root, 1.0, _musescore_class
    chosen: dict[str, list[Any]] = {name: [] for name in MASKS}
    for node in page.iter(*DRAWN):
        name = kind(node, space / ratio)
        if name:
            chosen[name].append(_thick(node, THIN * space / ratio, engraver))
    for child in list(page):
        page.remove(child)
    found: list[str | None] = []
    for name in MASKS:
        page[:] = chosen[name]
        found.append(etree.tostring(root).decode() if chosen[name] else None)
    return found


def _thick(node: Any, least: float, engraver: str) -> Any:
    """A copy of an element to stand alone, its stroke thick enough to be seen."""
    node_copy = copy.deepcopy(node)
    group = node.getparent()
    if "stroke-width" in node.attrib:
        width = max(float(node.get("stroke-width")), least)
        node_copy.set("stroke-width", f"{width:.2f}")
    if engraver == "verovio" and group.get("transform") and css_class(group) != "page-margin":
        outer = etree.Element(f"{SVG}g", transform=group.get("transform"))
        outer.append(node_copy)
        return outer
    return node_copy


def _words(text: Any) -> bool:
    """Takes the music glyphs out of a text of Verovio's; whether words are left."""
    for span in list(text.iter(f"{SVG}tspan")):
        if span.get("font-family") in FONTS:
            span.getparent().remove(span)
    return bool("".join(text.itertext()).strip())


def _verovio_class(node: Any, space: float) -> str | None:
    if node.tag == f"{SVG}text":
        return "text"
    group = node.getparent()
    parent = css_class(group)
    name = VEROVIO.get(parent)
    tag = node.tag.removeprefix(SVG)
    if name is None:
        return None
    if tag == "use":
        code = int(node.get(HREF)[1:5], 16)
        wave = parent in ("trill", "arpeg") and code != 0xE566
        return name if wave or code in (0xE003, 0xE004) else None
    if parent == "stem" and tag != "path":
        return None  # a mark on the stem
    if parent == "stem":
        x1, _, x2, _ = numbers(node.get("d"))[:4]
        return name if abs(x1 - x2) < 0.2 * space else None
    if parent == "grpSym" and tag == "path" and "C" in node.get("d").upper():
        return None  # a brace
    return name


def _musescore_class(node: Any, space: float) -> str | None:
    parent = node.get("class", "")
    name = MUSESCORE.get(parent)
    tag = node.tag.removeprefix(SVG)
    if tag == "path" and parent in LETTERED:
        return "text"
    if name is None or (tag == "path" and name not in OUTLINED and parent not in WAVES):
        return None
    if tag == "path" and parent in ("Tremolo", "Bracket", "TrillSegment"):
        box = bounds(node.get("d"))
        if box is None:
            return None
        wide, high = box[2] - box[0], box[3] - box[1]
        if parent == "Tremolo":
            return name if wide > 2.2 * space else None  # short ones cross one stem
        if parent == "Bracket":
            return None if high > 5 * space and wide > 0.4 * space else name
        return name if high < 1.3 * space else None  # the sign itself is taller than its wave
    return name


def masks(
    svg: str, engraver: str, space: float, width: int, serif: str = "serif"
) -> NDArray[np.uint8]:
    """Draw the masks of a page, ``width`` pixels wide: bit ``i`` is ``MASKS[i]``.

    Args:
        svg: The page.
        engraver: ``verovio`` or ``musescore``.
        space: Its staff space, in units of the outer picture.
        width: Pixels of the masks.
        serif: The typeface that words are set in.
    """
    import cv2
    import resvg_py

    found: NDArray[np.uint8] | None = None
    for bit, layer in enumerate(layers(svg, engraver, space)):
        if layer is None:
            continue
        data = bytes(
            resvg_py.svg_to_bytes(
                svg_string=layer, width=width, background="white",
                serif_family=serif, font_family=serif,
            )
        )  # fmt: skip
        drawn = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        ink = (drawn < 128).astype(np.uint8)
        if MASKS[bit] == "text":
            scale = width / numbers(parsed(svg).get("viewBox"))[2] * space
            grown = np.ones((max(round(0.4 * scale), 1), max(round(0.9 * scale), 1)), np.uint8)
            ink = cv2.morphologyEx((drawn < 180).astype(np.uint8), cv2.MORPH_CLOSE, grown)
        ink = (ink << bit).astype(np.uint8)
        found = ink if found is None else found | ink
    if found is None:
        raise ValueError("nothing thin on the page")
    return found
