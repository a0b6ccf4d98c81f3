"""Making oemer's MusicXML valid and musically complete.

What oemer read (pitches, onsets, durations) stays as it is but in bars that do not come out
(:mod:`.lengths`, :mod:`.merged`); what it does not write is derived from it: meter, rests,
voices, accidentals, beams. Repairing twice changes nothing more.
"""

from __future__ import annotations

from typing import Any

from ensemble_core.model import Diagnostic
from ensemble_core.musicxml import parse, serialize

from .bars import drop_empty, number_bars
from .header import tidy_header
from .lengths import mend_lengths
from .merged import split_merged
from .meter import infer_meters
from .reading import read_part
from .tally import Tally
from .writing import write_part

__all__ = ["repair"]


def repair(data: bytes, *, mend: bool = True) -> tuple[bytes, tuple[Diagnostic, ...]]:
    """Repair what oemer wrote.

    Args:
        data: A MusicXML document as oemer 0.1.8 writes it.
        mend: Correct lengths and bar lines, too, where one correction makes a bar come out.

    Returns:
        The repaired document, and one diagnostic for each kind of repair with its figures.

    Raises:
        InputError: It is not XML.
    """
    root: Any = parse(data, "oemer's MusicXML")
    tally = Tally()
    elements = root.findall("part")
    parts = [read_part(element, tally) for element in elements]
    tidy_header(root, parts)
    # oemer states no meter; what states one was mended before
    mend = mend and not any(bar.meter for part in parts for bar in part.bars)
    drop_empty(parts, tally)
    meters = infer_meters(parts, tally)
    if mend:
        split_merged(parts, meters)
    number_bars(parts)
    if mend:
        mend_lengths(parts, meters, tally)
    for element, part in zip(elements, parts, strict=True):
        write_part(element, part, meters, tally)
    return serialize(root), tally.diagnostics(max((len(part.bars) for part in parts), default=0))
