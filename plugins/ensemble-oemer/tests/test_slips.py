"""Slips of oemer's own that are put right around it."""

from __future__ import annotations

import numpy as np
from ensemble_oemer.engine import load_oemer, masks_stay_masks
from ensemble_oemer.graces import drop_graces


def test_a_mask_bent_by_part_of_a_pixel_keeps_its_thickness() -> None:
    ete = load_oemer()
    mask = np.zeros((40, 60), np.int64)
    mask[10:15] = 1
    ys, xs = np.mgrid[:40, :60].astype(np.float32)
    bent = masks_stay_masks(ete.dewarp)(mask, xs, ys + np.float32(0.3))
    assert set(np.unique(bent)) == {0, 1}
    assert (bent.astype(np.uint8).sum(axis=0) == 5).all()


def test_a_picture_is_bent_as_oemer_does_it() -> None:
    ete = load_oemer()
    picture = np.full((40, 60), 200, np.uint8)
    ys, xs = np.mgrid[:40, :60].astype(np.float32)
    assert np.allclose(masks_stay_masks(ete.dewarp)(picture, xs, ys + np.float32(0.3)), 200)


def test_noteheads_much_smaller_than_the_others_are_left_out() -> None:
    from oemer.notehead_extraction import NoteHead

    ete = load_oemer()
    heads = np.zeros((40, 200), np.int64)
    notes = []
    for x, size in ((10, 14), (40, 13), (70, 9), (100, 14), (130, 12)):
        heads[10 : 10 + size, x : x + size] = 1
        note = NoteHead()
        note.bbox = (x, 10, x + size, 10 + size)
        notes.append(note)
    ete.clear_data()
    try:
        ete.layers.register_layer("notehead_pred", heads)
        ete.layers.register_layer("notes", np.array(notes))
        assert drop_graces(ete.layers) == 1
        assert [note.invalid for note in notes] == [False, False, True, False, False]
        assert drop_graces(ete.layers) == 0
    finally:
        ete.clear_data()
