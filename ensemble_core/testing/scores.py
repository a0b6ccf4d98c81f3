"""Small scores made in code, for tests: the same arguments, the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ensemble_core.model import PageOfScore, Score
from ensemble_core.musicxml import parse, serialize, title_of

_SCALE = "CDEFGAB"


@attrs.frozen
class SamplePart:
    """One part of a sample score.

    Attributes:
        name: ``part-name``; empty: it has none.
        clefs: One per staff, sign and line (``G2``).
        octave: Of the first note of the scale it plays.
    """

    name: str = "Flute"
    clefs: tuple[str, ...] = ("G2",)
    octave: int = 4


PIANO = SamplePart("Piano", ("G2", "F4"))


def sample_score(
    measures: int = 4,
    parts: Sequence[SamplePart] = (SamplePart(),),
    *,
    title: str = "",
    key: int | None = 0,
    time: tuple[int, int] | None = (4, 4),
    divisions: int = 2,
    page: int = 0,
    system: int = 0,
) -> Score:
    """A valid score of quarter notes that walk up the scale, each note with an ``id``.

    Args:
        measures: How many bars.
        parts: The parts, from the top.
        title: ``work-title``.
        key, time: What the first bar states; None: nothing.
        divisions: Of a quarter note.
        page: 0-based page it says it was read from.
        system: A new system every so many bars; 0: never.
    """
    beats = time[0] * 4 // time[1] if time else 4
    listed = "".join(
        f'<score-part id="P{n}"><part-name>{part.name}</part-name></score-part>'
        for n, part in enumerate(parts, 1)
    )
    bodies = "".join(
        f'<part id="P{n}">'
        + "".join(
            f'<measure number="{bar + 1}">'
            + ('<print new-system="yes"/>' if system and bar and bar % system == 0 else "")
            + (_attributes(part, key, time, divisions) if bar == 0 else "")
            + _notes(part, n, bar, beats, divisions)
            + "</measure>"
            for bar in range(measures)
        )
        + "</part>"
        for n, part in enumerate(parts, 1)
    )
    work = f"<work><work-title>{title}</work-title></work>" if title else ""
    text = f'<score-partwise version="4.0">{work}<part-list>{listed}</part-list>{bodies}'
    root = parse(f"{text}</score-partwise>".encode())
    return Score(
        musicxml=serialize(root),
        title=title_of(root),
        pages=(PageOfScore(page, 0, measures),),
    )


def _attributes(
    part: SamplePart, key: int | None, time: tuple[int, int] | None, divisions: int
) -> str:
    text = f"<attributes><divisions>{divisions}</divisions>"
    if key is not None:
        text += f"<key><fifths>{key}</fifths></key>"
    if time is not None:
        text += f"<time><beats>{time[0]}</beats><beat-type>{time[1]}</beat-type></time>"
    if len(part.clefs) > 1:
        text += f"<staves>{len(part.clefs)}</staves>"
    for staff, clef in enumerate(part.clefs, 1):
        number = f' number="{staff}"' if len(part.clefs) > 1 else ""
        text += f"<clef{number}><sign>{clef[0]}</sign><line>{clef[1]}</line></clef>"
    return text + "</attributes>"


def _notes(part: SamplePart, number: int, bar: int, beats: int, divisions: int) -> str:
    text = ""
    for staff in range(1, len(part.clefs) + 1):
        if staff > 1:
            text += f"<backup><duration>{beats * divisions}</duration></backup>"
        for beat in range(beats):
            place = bar * beats + beat
            octave = part.octave - staff + 1 + place // 7 % 2
            where = f"<staff>{staff}</staff>" if len(part.clefs) > 1 else ""
            text += (
                f'<note id="n{number}-{bar}-{staff}-{beat}"><pitch>'
                f"<step>{_SCALE[place % 7]}</step><octave>{octave}</octave></pitch>"
                f"<duration>{divisions}</duration><voice>{4 * staff - 3}</voice>"
                f"<type>quarter</type>{where}</note>"
            )
    return text
