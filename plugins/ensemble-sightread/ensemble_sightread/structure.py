"""The skeleton of a page: staves, systems, bar lines, stems, beams and curves; no symbols."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from ensemble_core.model import RecognitionError

from .curves import find_curves
from .leaning import leaned
from .lines import Band, bands, clear_lines
from .mending import SURE, ridge
from .morphology import Mask, without
from .normalise import FINE, Normalised, normalise
from .staves import find_staves
from .strokes import find_beams, find_stems
from .symbols import Seen
from .systems import find_systems
from .tablature import without_tablature


def structure(gray: NDArray[np.uint8]) -> Seen:
    """What stands on a page besides its symbols.

    Args:
        gray: The page, shape (height, width), 255 is paper.

    Raises:
        RecognitionError: There is no staff on it, or tablature alone.
    """
    return structure_of(normalise(gray))


def structure_of(page: Normalised) -> Seen:
    """The same for a page that is normalised already."""
    return analyse(page)[0]


def analyse(
    page: Normalised, masks: Mapping[str, NDArray[np.uint8]] | None = None
) -> tuple[Seen, Mask, list[Band]]:
    """The same, with the fine picture and the straightened staves without staff lines.

    Args:
        page: The page.
        masks: What the net is sure of (``Glance.masks``): broken lines are drawn again by it.
    """
    masks = masks or {}
    if "staff" in masks:
        page = attrs.evolve(page, ink=page.ink | ridge(masks["staff"], page.ink.shape, False))
    found = find_staves(page)
    staves = without_tablature(found, page.ink)
    if not staves:
        raise RecognitionError(
            "there is nothing but tablature on the page",
            hint="sightread reads staves of five lines",
            code="tablature",
        )
    if "barline" in masks:
        staves = leaned(staves, masks["barline"])
        page = attrs.evolve(page, ink=page.ink | ridge(masks["barline"], page.ink.shape, True))
    cleared = clear_lines(page, staves)
    if "curve" in masks:
        cleared |= ridge(masks["curve"], cleared.shape, False)
    both = bands(page.ink, cleared, staves)
    systems = find_systems(page, both, staves, masks.get("barline"))
    stems = find_stems(cleared, staves, systems, masks.get("stem"))
    beams = find_beams(cleared, page.fine, stems, masks.get("beam"))
    bows = without_known(cleared, masks, "text")
    seen = Seen(
        width=page.image.shape[1],
        height=page.image.shape[0],
        scale=page.scale,
        staves=staves,
        tablature=len(found) - len(staves),
        systems=systems,
        stems=stems,
        beams=beams,
        curves=find_curves(bows, stems, beams, page.line, masks.get("curve")),
    )
    return seen, cleared, [straight for _, straight in both]


def without_known(ink: Mask, masks: Mapping[str, NDArray[np.uint8]], *names: str) -> Mask:
    """The fine picture without what the net is sure is one of some things."""
    sure = [masks[name] for name in names if name in masks]
    if not sure:
        return ink
    words = (np.maximum.reduce(sure) >= SURE).astype(np.uint8)
    large = cv2.resize(words, None, fx=2 * FINE, fy=2 * FINE, interpolation=cv2.INTER_NEAREST)
    return without(ink, np.asarray(large[: ink.shape[0], : ink.shape[1]], dtype=np.uint8))
