"""Bars in a short notation, written as MusicXML just as oemer 0.1.8 writes it."""

from __future__ import annotations

import re

TYPES = {64: "whole", 32: "half", 16: "quarter", 8: "eighth", 4: "16th", 2: "32nd", 1: "64th"}

NOTE = re.compile(r"(?:(\d):)?(\+?)(r|[A-G][#b]?\d)/(\d+)(v2)?(d)?")


def oemer_page(bars: str, staves: int = 1, fifths: int = 0) -> bytes:
    """A page of bars parted by ``|``.

    Args:
        bars: Words of ``C#4/16`` (pitch and duration in sixteenths of a quarter), ``r/16`` (rest),
            ``+E4/16`` (in the chord of the note before), ``2:C3/16`` (in staff 2), ``C4/16v2``
            (in voice 2), ``C4/8d`` (stem down), ``<16`` and ``>16`` (backup, forward), ``key:-1``, ``clef2:G``,
            ``system``.
        staves: Of the part.
        fifths: Its key at the beginning.
    """
    clefs = "".join(_clef(staff, "GF"[(staff - 1) % 2]) for staff in range(1, staves + 1))
    opening = (
        f"<attributes><divisions>16</divisions><key><fifths>{fifths}</fifths></key>"
        f"<staves>{staves}</staves>{clefs}</attributes>"
    )
    measures = ""
    for number, bar in enumerate(bars.split("|"), 1):
        body = "\n".join(_word(word) for word in bar.split())
        measures += f'<measure number="{number}">{opening}{body}</measure>\n'
        opening = ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
        '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
        '"http://www.musicxml.org/dtds/partwise.dtd">\n<score-partwise version="4.0">\n'
        "<work><work-title>1f8c</work-title></work><identification>"
        '<creator type="composer">Transcribed by Oemer</creator></identification>\n'
        '<part-list><score-part id="P1"><part-name>Piano</part-name>'
        '<score-instrument id="P1-I1"><instrument-name>Piano</instrument-name>'
        "<instrument-sound>keyboard.piano</instrument-sound></score-instrument>"
        '<midi-instrument id="P1-I1"><midi-channel>1</midi-channel><midi-program>1</midi-program>'
        "<volume>80</volume><pan>0</pan></midi-instrument></score-part></part-list>\n"
        f'<part id="P1"><sound tempo="90"/>{measures}</part></score-partwise>'
    ).encode()


def _word(word: str) -> str:
    if word[0] in "<>":
        tag = "backup" if word[0] == "<" else "forward"
        return f"<{tag}><duration>{word[1:]}</duration></{tag}>"
    if word == "system":
        return '<print new-system="yes"/>'
    if word.startswith("key:"):
        return f"<attributes><key><fifths>{word[4:]}</fifths></key></attributes>"
    if word.startswith("clef"):
        return f"<attributes>{_clef(int(word[4]), word[6])}</attributes>"
    return _note(word)


def _clef(staff: int, sign: str) -> str:
    line = "2" if sign == "G" else "4"
    return f'<clef number="{staff}"><sign>{sign}</sign><line>{line}</line></clef>'


def _note(word: str) -> str:
    found = NOTE.fullmatch(word)
    assert found, word
    staff, chord, name, duration, second, down = found.groups()
    length = int(duration)
    dotted = length not in TYPES
    kind = TYPES[round(length / 1.5) if dotted else length]
    dot = "<dot/>" if dotted else ""
    if name == "r":
        return (
            f'<note><rest measure="yes"/><duration>{length}</duration>{dot}'
            f"<staff>{staff or 1}</staff></note>"
        )
    stem = "down" if down else "up"
    alter = {"#": 1, "b": -1}.get(name[1], 0)
    return (
        f"<note>{'<chord/>' if chord else ''}<pitch><step>{name[0]}</step><alter>{alter}</alter>"
        f"<octave>{name[-1]}</octave></pitch><duration>{length}</duration><type>{kind}</type>{dot}"
        f"<stem>{stem}</stem><staff>{staff or 1}</staff><voice>{2 if second else 1}</voice></note>"
    )
