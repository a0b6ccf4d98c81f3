"""oemer's lines of music just before it writes them: clefs put right, bars written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from ensemble_core.model import RecognitionError

from .bars import Bar
from .clefs import CClef
from .layout import Layout


@attrs.define
class Lines:
    """The bars of each line of music, in the order of the measures in oemer's MusicXML.

    Attributes:
        bars: Bars by the number of the line (oemer's *group*), counted from the top.
        c_clefs: The C clefs of lines that begin with one; oemer writes treble clefs there,
            with the right notes.
    """

    bars: dict[int, list[Bar]] = attrs.field(factory=dict)
    c_clefs: Mapping[int, CClef] = attrs.field(factory=dict)


@contextmanager
def listening(ete: Any, layout: Layout, c_clefs: Mapping[int, CClef]) -> Iterator[Lines]:
    """While it is open, oemer (``ete`` is ``oemer.ete``) knows C clefs, and what it builds is
    written down.

    A line where it saw no clef gets that of the same staff in the system above; oemer itself
    would take that of the line above, which is another staff.

    Raises:
        RecognitionError: oemer's rules found other lines (code ``oemer-many-staves``).
    """
    lines = Lines(c_clefs=c_clefs)
    builder: Any = ete.MusicXMLBuilder

    class Listening(builder):  # type: ignore[misc]
        def build(self) -> None:
            _check(ete, layout)
            _set_clefs(ete, layout, c_clefs)
            super().build()
            lines.bars = {
                int(line): [Bar(tuple(float(s.x_center) for s in bar.symbols)) for bar in bars]
                for line, bars in self.measures.items()
            }

    ete.MusicXMLBuilder = Listening
    try:
        yield lines
    finally:
        ete.MusicXMLBuilder = builder


def other_staves(count: int) -> RecognitionError:
    """The error for a page whose staves oemer's rules see otherwise."""
    return RecognitionError(
        f"oemer lost its way among the {count} staves of this page",
        hint="it was made for one or two staves a system; try --recognizer sightread",
        code="oemer-many-staves",
    )


def _check(ete: Any, layout: Layout) -> None:
    """Each of our staves must be one of oemer's lines: as many, and one a system."""
    staffs = ete.layers.get_layer("staffs")  # shape (zones, staves)
    if staffs.shape[1] != len(layout.staves) or {s.track for s in staffs.ravel()} != {0}:
        raise other_staves(len(layout.staves))


def _set_clefs(ete: Any, layout: Layout, c_clefs: Mapping[int, CClef]) -> None:
    from oemer.symbol_extraction import Clef as OemersClef
    from oemer.symbol_extraction import ClefType

    def new_clef(line: int, label: Any) -> Any:
        clef = OemersClef()
        left = layout.staves[line].left
        clef.bbox, clef.label, clef.track, clef.group = (left, 0, left + 1, 1), label, 0, line
        return clef

    clefs = sorted(ete.layers.get_layer("clefs"), key=lambda clef: clef.x_center)
    in_force: list[Any] = [None] * layout.size
    for system in layout.systems:
        for part, line in enumerate(system, layout.size - len(system)):
            own = [clef for clef in clefs if clef.group == line]
            ends = layout.staves[line].left + 8 * layout.space
            opening = [clef for clef in own if clef.x_center < ends]
            if line in c_clefs:
                clefs = [clef for clef in clefs if clef not in opening]
                own = [clef for clef in own if clef not in opening]
                opening = [new_clef(line, ClefType.G_CLEF)]
                clefs += opening
                until = own[0].x_center if own else float("inf")
                _lower(ete, line, until, -2 * c_clefs[line].line)
            elif not opening and in_force[part] is not None:
                clefs.append(new_clef(line, in_force[part]))
            last = [*opening, *own][-1:]
            in_force[part] = last[0].label if last and line not in c_clefs else in_force[part]
    _replace(ete, "clefs", clefs)
    sfns = ete.layers.get_layer("sfns")  # in a C clef oemer sees sharps and flats
    _replace(ete, "sfns", [s for s in sfns if not _in_clef(s, c_clefs)])


def _in_clef(sign: Any, c_clefs: Mapping[int, CClef]) -> bool:
    return sign.group in c_clefs and bool(sign.x_center < c_clefs[sign.group].right)


def _lower(ete: Any, line: int, until: float, steps: int) -> None:
    """Move the notes of a line, up to a column, as its clef differs from a treble clef."""
    for note in ete.layers.get_layer("notes"):
        x = (note.bbox[0] + note.bbox[2]) / 2
        if note.group == line and x < until and note.staff_line_pos is not None:
            note.staff_line_pos += steps


def _replace(ete: Any, name: str, values: list[Any]) -> None:
    import numpy as np

    array = np.empty(len(values), object)
    array[:] = values
    ete.layers.delete_layer(name)
    ete.layers.register_layer(name, array)
