"""What oemer's rules understood, line by line, which its MusicXML does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs


@attrs.frozen
class Bar:
    """A bar as oemer found it: where its symbols are, and whether it begins with a clef."""

    centres: tuple[float, ...]
    clef: bool


@attrs.define
class Lines:
    """The bars of each line of music, in the order of the measures in oemer's MusicXML.

    Attributes:
        bars: Bars by the number of the line (oemer's *group*), counted from the top.
    """

    bars: dict[int, list[Bar]] = attrs.field(factory=dict)


@contextmanager
def listening(ete: Any) -> Iterator[Lines]:
    """While it is open, what oemer builds (``ete`` is ``oemer.ete``) is written down."""
    lines, builder = Lines(), ete.MusicXMLBuilder

    class Listening(builder):  # type: ignore[misc]
        def build(self) -> None:
            super().build()
            lines.bars = {
                int(group): [
                    Bar(tuple(float(s.x_center) for s in bar.symbols), _begins_with_clef(bar))
                    for bar in measures
                ]
                for group, measures in self.measures.items()
            }

    ete.MusicXMLBuilder = Listening
    try:
        yield lines
    finally:
        ete.MusicXMLBuilder = builder


def _begins_with_clef(bar: Any) -> bool:
    """Whether a clef comes before any note; ``bar`` is oemer's ``Measure``."""
    return bool(bar.clefs) and bar.clefs[0].x_center <= bar.symbols[0].x_center
