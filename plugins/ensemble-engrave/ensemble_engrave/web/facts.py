"""What the page says about each note: its name, where it stands, how it sounds."""

from __future__ import annotations

from typing import Any

import attrs

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {-2: "𝄫", -1: "♭", 0: "", 1: "♯", 2: "𝄪"}
_TYPES = {"16th": "sixteenth", "32nd": "thirty-second", "64th": "sixty-fourth"}


@attrs.frozen
class Fact:
    """One note or rest of the score.

    Attributes:
        label: ``F♯5 dotted quarter``.
        part: 0-based part.
        measure: 0-based position of its measure.
        midi: Sounding pitch, 60 is middle C; 0 for rests, -1 for percussion.
        tied: It goes on sounding from the note before.
    """

    label: str
    part: int
    measure: int
    midi: int = 0
    tied: bool = False


@attrs.frozen
class Facts:
    """What is known of a whole score.

    Attributes:
        parts: Names of the parts.
        measures: For each position the measure's number and, part by part, its id.
        notes: Notes and rests by id.
        places: For every other element with an id, the position of its measure.
    """

    parts: tuple[str, ...]
    measures: tuple[tuple[str, tuple[str, ...]], ...]
    notes: dict[str, Fact]
    places: dict[str, int]

    @property
    def positions(self) -> dict[str, int]:
        """For everything with an id, the position of its measure."""
        return {**self.places, **{name: fact.measure for name, fact in self.notes.items()}}


def gather(root: Any) -> Facts:
    """Collect the facts of a partwise MusicXML tree whose notes and measures have ids."""
    parts = root.findall("part")
    notes: dict[str, Fact] = {}
    places: dict[str, int] = {}
    for number, part in enumerate(parts):
        staves = max((int(text) for text in part.itertext("staves") if text.isdigit()), default=1)
        shift: dict[str, int] = {}
        for position, measure in enumerate(part.findall("measure")):
            places[measure.get("id")] = position
            for element in measure.iter():
                if element.tag == "transpose":
                    shift[element.get("number", "")] = _shift(element)
                elif element.tag == "note":
                    staff = element.findtext("staff", "1")
                    moved = shift.get(staff, shift.get("", 0))
                    label = _label(element, staff if staves > 1 else "", staves)
                    tied = any(tie.get("type") == "stop" for tie in element.findall("tie"))
                    notes[element.get("id")] = Fact(
                        label, number, position, _midi(element, moved), tied
                    )
                elif element.get("id"):
                    places.setdefault(element.get("id"), position)
    columns = zip(*(part.findall("measure") for part in parts), strict=True)
    measures = tuple(
        (str(column[0].get("number")), tuple(one.get("id") for one in column)) for column in columns
    )
    return Facts(_names(root, parts), measures, notes, places)


def _names(root: Any, parts: list[Any]) -> tuple[str, ...]:
    listed = {entry.get("id"): entry for entry in root.iterfind("part-list/score-part")}
    names = []
    for number, part in enumerate(parts, 1):
        entry = listed.get(part.get("id"))
        name = (entry.findtext("part-name") or "") if entry is not None else ""
        names.append(" ".join(name.split()) or f"Part {number}")
    return tuple(names)


def _shift(transpose: Any) -> int:
    octaves = _whole(transpose.findtext("octave-change"))
    return _whole(transpose.findtext("chromatic")) + 12 * octaves


def _midi(note: Any, shift: int) -> int:
    pitch = note.find("pitch")
    if pitch is None:
        return 0 if note.find("rest") is not None else -1
    step = _STEPS[pitch.findtext("step").strip()]
    return (
        12 * (_whole(pitch.findtext("octave")) + 1) + step + _whole(pitch.findtext("alter")) + shift
    )


def _label(note: Any, staff: str, staves: int) -> str:
    kind = note.findtext("type", "").strip()
    words = [_TYPES.get(kind, kind)]
    dots = len(note.findall("dot"))
    if dots:
        words.insert(0, "dotted" if dots == 1 else f"{dots} dots,")
    if note.find("grace") is not None:
        words.insert(0, "grace")
    pitch = note.find("pitch")
    if pitch is not None:
        sign = _SIGNS.get(_whole(pitch.findtext("alter")), "")
        words.insert(0, f"{pitch.findtext('step').strip()}{sign}{pitch.findtext('octave').strip()}")
    elif note.find("rest") is not None:
        whole = note.find("rest").get("measure") == "yes"
        words = ["rest of a bar"] if whole else [*words, "rest"]
    else:
        words.insert(0, "stroke")
    if staff:
        names = {"1": "upper staff", "2": "lower staff"} if staves == 2 else {}
        words.append(f"· {names.get(staff, 'staff ' + staff)}")
    return " ".join(word for word in words if word)


def _whole(text: str | None) -> int:
    try:
        return round(float(text or 0))
    except ValueError:
        return 0
