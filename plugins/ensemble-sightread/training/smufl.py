"""Which SMuFL code point is which of our kinds, and what a MuseScore class may hold.

Code points: https://w3c.github.io/smufl/latest/tables/
"""

from __future__ import annotations

IGNORE = "?"
"""Kind of a box in which nothing is learnt: drawn, but outside the vocabulary."""

GLYPHS: dict[int, str] = {
    0xE0A0: "head-breve", 0xE0A1: "head-breve", 0xE0A2: "head-whole", 0xE0A3: "head-half",
    0xE0A4: "head-black", 0xE0A7: "head-x", 0xE0A8: "head-x", 0xE0A9: "head-x",
    0xE4E3: "rest-whole", 0xE4E4: "rest-half", 0xE4E5: "rest-quarter", 0xE4E6: "rest-8",
    0xE4E7: "rest-16", 0xE4E8: "rest-32", 0xE4E9: "rest-64",
    0xE4F4: "rest-whole", 0xE4F5: "rest-half",
    0xE240: "flag-1-up", 0xE241: "flag-1-down", 0xE242: "flag-2-up", 0xE243: "flag-2-down",
    0xE244: "flag-3-up", 0xE245: "flag-3-down", 0xE246: "flag-4-up", 0xE247: "flag-4-down",
    0xE260: "flat", 0xE261: "natural", 0xE262: "sharp", 0xE263: "double-sharp",
    0xE264: "double-flat", 0xE050: "clef-g", 0xE051: "clef-g", 0xE052: "clef-g",
    0xE053: "clef-g", 0xE054: "clef-g", 0xE056: "clef-g", 0xE057: "clef-g",
    0xE062: "clef-f", 0xE063: "clef-f", 0xE064: "clef-f", 0xE065: "clef-f", 0xE066: "clef-f",
    0xE05C: "clef-c", 0xE05D: "clef-c", 0xE07A: "clef-g", 0xE07B: "clef-c", 0xE07C: "clef-f",
    0xE069: "clef-percussion", 0xE06A: "clef-percussion", 0xE07D: "clef-8",
    0xE08A: "time-common", 0xE08B: "time-cut", 0xE4C0: "fermata", 0xE4C1: "fermata",
    0xE1E7: "dot", 0xE044: "dot", 0xE4A2: "dot", 0xE4A3: "dot",
    0xE4A0: "accent", 0xE4A1: "accent", 0xE4A4: "tenuto", 0xE4A5: "tenuto",
    0xE4AC: "marcato", 0xE4AD: "marcato", 0xE047: "segno", 0xE048: "coda",
    0xE566: "trill", 0xE567: "turn", 0xE568: "inverted-turn", 0xE56C: "inverted-mordent",
    0xE56D: "mordent", 0xE610: "down-bow", 0xE612: "up-bow", 0xE611: "down-bow",
    0xE613: "up-bow", 0xE220: "tremolo-1", 0xE221: "tremolo-2", 0xE222: "tremolo-3",
    0xE4CE: "breath", 0xE4CF: "breath", 0xE4D1: "caesura", 0xE4D2: "caesura", 0xE4D3: "caesura",
    0xE650: "pedal", 0xE655: "pedal-star", 0xE4E1: "longa-rest", 0xE4E2: "breve-rest",
    0xE520: "dynamic-p", 0xE521: "dynamic-m", 0xE522: "dynamic-f", 0xE523: "dynamic-r",
    0xE524: "dynamic-s", 0xE525: "dynamic-z", 0xE526: "dynamic-n",
    **dict.fromkeys(range(0xE510, 0xE520), "ottava"),
    **dict.fromkeys(range(0xE4A6, 0xE4AC), "staccatissimo"),
    **{0xE080 + digit: f"time-{digit}" for digit in range(10)},
    **{0xE880 + digit: f"tuplet-{digit}" for digit in range(2, 10)},
}  # fmt: skip
OCTAVE_CLEFS = {0xE052: "below", 0xE064: "below", 0xE053: "above", 0xE065: "above",
                0xE056: "below", 0xE057: "below", 0xE05D: "below"}  # fmt: skip
# Drawn near or like ours, but not ours: heads of other shapes, shorter rests, two-sign marks.
OUTSIDE = {0xE0D8, 0xE0D9, 0xE0DB, 0xE0DC, 0xE0B3, 0xE0F5, 0xE0F6, 0xE4EA,
           0xE881, 0xE248, 0xE249, 0xE223, 0xE224, 0xE56E, 0xE51A, 0xE51B}  # fmt: skip
LETTERS = {letter: 0xE520 + place for place, letter in enumerate("pmfrszn")}
DYNAMICS: dict[int, str] = {
    0xE527: "pppppp", 0xE528: "ppppp", 0xE529: "pppp", 0xE52A: "ppp", 0xE52B: "pp",
    0xE52C: "mp", 0xE52D: "mf", 0xE52E: "pf", 0xE52F: "ff", 0xE530: "fff", 0xE531: "ffff",
    0xE532: "fffff", 0xE533: "ffffff", 0xE534: "fp", 0xE535: "fz", 0xE536: "sf", 0xE537: "sfp",
    0xE538: "sfpp", 0xE539: "sfz", 0xE53A: "sfzp", 0xE53B: "sffz", 0xE53C: "rf", 0xE53D: "rfz",
}  # fmt: skip
"""Signs of several letters in one glyph."""

SMALL = 0.87
"""A head below this part of the usual size is a small one."""

DIGITS = range(10)
TIME_DIGITS = tuple(range(0xE080, 0xE08A))
BY_CLASS: dict[str, tuple[int, ...]] = {
    "Note": (0xE0A0, 0xE0A1, 0xE0A2, 0xE0A3, 0xE0A4, 0xE0A7, 0xE0A8, 0xE0A9, 0xE0D8, 0xE0D9,
             0xE0DB),
    "Rest": (*range(0xE4E1, 0xE4EB), 0xE4F4, 0xE4F5),
    "Accidental": (0xE260, 0xE261, 0xE262, 0xE263, 0xE264),
    "KeySig": (0xE260, 0xE261, 0xE262),
    "Clef": (0xE050, 0xE051, 0xE052, 0xE053, 0xE054, 0xE05C, 0xE05D, 0xE062, 0xE063, 0xE064,
             0xE065, 0xE066, 0xE069, 0xE06A, 0xE07A, 0xE07B, 0xE07C, 0xE07D),
    "TimeSig": tuple(range(0xE080, 0xE08C)),
    "Hook": tuple(range(0xE240, 0xE24A)),
    "NoteDot": (0xE1E7,), "BarLine": (0xE044,),
    "Articulation": (*range(0xE4A0, 0xE4BC), 0xE566, 0xE567, 0xE568, 0xE56C, 0xE56D, 0xE56E,
                     0xE610, 0xE612, 0xE4C0, 0xE4C1),
    "Fermata": (0xE4C0, 0xE4C1), "Trill": (0xE566, 0xEAA4, 0xEAA0), "Ornament": (0xE566,),
    "TrillSegment": (0xE566, 0xEAA4, 0xEAA0, 0xE59D, 0xE59E), "Marker": (0xE047, 0xE048),
    "Tuplet": tuple(range(0xE880, 0xE88A)),
    "Dynamic": (*range(0xE520, 0xE53E),), "Breath": (0xE4CE, 0xE4CF, 0xE4D1, 0xE4D2, 0xE4D3),
    "PedalSegment": (0xE650, 0xE655), "OttavaSegment": tuple(range(0xE510, 0xE51A)),
    "Symbol": (0xE650, 0xE655), "Pedal": (0xE650, 0xE655),
}  # fmt: skip
"""Code points that an outline of a MuseScore class is compared with."""
