"""From MusicXML as it comes to what can be heard of it, made fit for music21.

Scanned scores have bars that do not add up, notes without a duration, hairpins that never
begin. Everything inaudible is left out (music21 reads the rest several times faster), the
rest is put right, and what music21 would drop is kept in a table beside it: cue notes,
unpitched keys, the voice that is alone in its bar, the sounds and transpositions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from .bars import Extent, Meter, lay_out
from .instruments import read_instruments
from .measure import MeasureWriter, PartState
from .signs import BarSigns, read_signs
from .source import parse
from .written import Bar, PartTable


@attrs.define
class Prepared:
    """A score made ready.

    Attributes:
        parts: Table and reduced one-part MusicXML document, part by part.
        bars: The bars of all parts together.
        signs: Their road signs.
        title: The work's title; may be empty.
    """

    parts: list[tuple[PartTable, str]]
    bars: list[Bar]
    signs: list[BarSigns]
    title: str


def prepare(musicxml: bytes) -> Prepared:
    """Read MusicXML and reduce it to what is heard.

    Raises:
        InputError: It is not partwise MusicXML, or declares entities.
    """
    root = parse(musicxml)
    signs = read_signs(root)
    described = {p.get("id"): p for p in root.iterfind("part-list/score-part")}
    concert = root.find("defaults/concert-score") is not None
    bars = [Bar(number=sign.number) for sign in signs]
    meters: dict[int, Meter] = {}
    extents: list[Extent] = [Extent() for _ in signs]
    parts = []
    for index, part in enumerate(root.iterfind("part")):
        names, instruments = read_instruments(described.get(part.get("id")), part)
        table = PartTable(names[0], tuple(instruments.values()))
        state = PartState(
            table=table, instruments={key: i for i, key in enumerate(instruments)},
            separate=_voices_collide(part), concert=concert,
        )  # fmt: skip
        measures = []
        for bar_index, measure in enumerate(part.iterfind("measure")):
            writer = MeasureWriter(state, measure, bar_index)
            measures.append(writer.write())
            _gather(writer, index, bars[bar_index], extents[bar_index], meters)
        parts.append((table, _document(measures)))
    lay_out(bars, signs, extents, meters)
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    return Prepared(parts, bars, signs, " ".join(title.split()))


def _gather(
    writer: MeasureWriter, part: int, bar: Bar, extent: Extent, meters: dict[int, Meter]
) -> None:
    """Add what one part says about a bar to what is known of it."""
    extent.longest = max(extent.longest, writer.longest)
    for staff, end in writer.ends.items():
        extent.staves[(part, staff)] = end
    if writer.meter is not None:
        held = meters.get(writer.bar)
        if held is None or (held.nominal or 0) < (writer.meter.nominal or 0):
            meters[writer.bar] = writer.meter
            bar.meter = writer.meter.signature
    if writer.fifths is not None and bar.fifths is None and not writer.state.transposed:
        bar.fifths, bar.minor = writer.fifths, writer.minor


def _voices_collide(part: Any) -> bool:
    """Whether one voice number is used on two staves at the same time.

    MusicXML numbers voices per part, so that a voice may change staves; some writers
    number them per staff.
    """
    for measure in part.iterfind("measure"):
        reached: dict[str, tuple[Fraction, str]] = {}
        cursor = Fraction(0)
        for element in measure:
            length = _raw(element)
            if element.tag == "backup":
                cursor -= length
            elif element.tag == "forward":
                cursor += length
            elif element.tag == "note" and element.find("chord") is None:
                voice = (element.findtext("voice") or "1").strip()
                staff = (element.findtext("staff") or "1").strip()
                end, before = reached.get(voice, (Fraction(0), staff))
                if staff != before and cursor < end:
                    return True
                cursor += length
                reached[voice] = (max(end, cursor), staff)
    return False


def _raw(element: Any) -> Fraction:
    from .source import number

    return number(element.findtext("duration")) or Fraction(0)


def _document(measures: list[str]) -> str:
    return (
        '<score-partwise version="4.0"><part-list><score-part id="P1"><part-name/>'
        '</score-part></part-list><part id="P1">' + "".join(measures) + "</part></score-partwise>"
    )
