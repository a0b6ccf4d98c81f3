"""Grace notes, which oemer would read as notes that take time."""

from __future__ import annotations

from typing import Any

SMALL = 0.7
"""Of the usual notehead's area: engravers print grace notes at 0.6 to 0.75 of the size, which
is 0.36 to 0.56 of the area."""


def drop_graces(layers: Any) -> int:
    """Take notes with small heads out of what oemer (``layers`` is ``oemer.layers``) found.

    MusicXML as oemer writes it has no place for them, and read as notes of a length they push
    everything after them along.

    Returns:
        How many there were.
    """
    import numpy as np

    notes = [note for note in layers.get_layer("notes") if not note.invalid]
    heads = layers.get_layer("notehead_pred")
    if not notes:
        return 0
    areas = np.array([heads[b[1] : b[3], b[0] : b[2]].sum() for b in (n.bbox for n in notes)])
    small = areas < SMALL * np.median(areas)
    for note, is_small in zip(notes, small, strict=True):
        note.invalid = note.invalid or bool(is_small)
    return int(small.sum())
