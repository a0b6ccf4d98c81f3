"""Clefs oemer does not know, or did not see, at the start of a line; and what they change."""

from __future__ import annotations

from typing import Any

from .content import Clef, Content
from .layout import Layout

SYMMETRIC = 0.6
"""A C clef and its mirror image overlap by 0.84 to 0.96 in Verovio's five fonts, a G or F
clef by at most 0.31 (intersection over union)."""
HEIGHT = (3.4, 4.7)
"""Of a C clef, in staff spaces; a G clef has about 7, an F clef 3.2 to 3.6."""

SHARPS = "FCGDAEB"
STEPS = "CDEFGAB"


def c_clef(clefs: Any, layout: Layout, number: int) -> Clef | None:
    """The C clef a staff begins with, if it is one.

    Args:
        clefs: 1 where clefs, keys and accidentals were seen, shape (height, width).
        layout: The page.
        number: Index of the staff.
    """
    import cv2
    import numpy as np

    staff, space = layout.staves[number], layout.space
    tops, bottoms = staff.edges(np.array([staff.left]))
    top, bottom = int(tops[0]), int(bottoms[0])
    first, left = max(0, round(top - 3 * space)), max(0, round(staff.left - space / 2))
    part = clefs[first : round(bottom + 3 * space), left : round(staff.left + 6 * space)]
    tall = np.ones((round(space / 2), 3), np.uint8)  # staff lines are missing in it
    part = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_CLOSE, tall)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(part)
    for name in sorted(range(1, count), key=lambda i: int(stats[i][0])):
        x, y, width, height, _ = stats[name]
        if height < 2 * space or width < 1.2 * space:
            continue
        blob = labels[y : y + height, x : x + width] == name
        mirrored = blob[::-1]
        alike = (blob & mirrored).sum() / (blob | mirrored).sum()
        if alike < SYMMETRIC or not HEIGHT[0] * space <= height <= HEIGHT[1] * space:
            return None
        below = (first + y + height / 2 - (top + bottom) / 2) / space
        line = 3 - round(below)
        return ("C", str(line)) if 1 <= line <= 5 else None
    return None


def reclef(line: list[Content], clef: Clef) -> list[Content]:
    """The bars of a line as they read in another clef, up to where the clef changes."""
    if not line or line[0].clef == clef:
        return line
    old = line[0].clef
    found, changed = [], False
    for bar in line:
        changed = changed or bar.clef != old
        if changed:
            found.append(bar)
            continue
        for node in bar.nodes:
            changed = changed or node.find("clef") is not None
            if not changed and node.find("pitch") is not None:
                _transpose(node.find("pitch"), _lowest(clef) - _lowest(old), int(bar.key))
        found.append(Content(bar.nodes, bar.key, clef))
    return found


def _lowest(clef: Clef) -> int:
    """What a note on the lowest line is: 7 times its octave plus its step."""
    sign, line = clef
    on_line = {"G": 32, "F": 24, "C": 28}[sign]
    return on_line - 2 * (int(line) - 1)


def _transpose(pitch: Any, steps: int, fifths: int) -> None:
    """Move a pitch; what the key did to its old step it does to the new one."""
    old = pitch.findtext("step")
    place = 7 * int(pitch.findtext("octave")) + STEPS.index(old) + steps
    new = STEPS[place % 7]
    pitch.find("step").text, pitch.find("octave").text = new, str(place // 7)
    alter = pitch.find("alter")
    if alter is not None and int(alter.text or 0) == _in_key(old, fifths):
        alter.text = str(_in_key(new, fifths))


def _in_key(step: str, fifths: int) -> int:
    if fifths >= 0:
        return int(step in SHARPS[:fifths])
    return -int(step in SHARPS[fifths:])
