"""The skeleton of a page: staves, systems, bar lines, stems, beams and curves; no symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from ensemble_core.model import RecognitionError

from .beams import find_beams, gaps_of
from .beside import Beside
from .curves import find_curves
from .leaning import leaned
from .lines import Band, bands, clear_lines
from .mending import SURE, ridge
from .morphology import Mask, without
from .normalise import FINE, Normalised, normalise
from .shapes import Outlines, outlined
from .staves import find_staves
from .stems import find_uprights, stems_on
from .symbols import Curve, Seen
from .systems import find_systems
from .tablature import without_tablature


@attrs.frozen(eq=False)
class Skeleton:
    """What stands on a page besides its symbols.

    Attributes:
        seen: Without the bows.
        cleared: The fine picture without staff lines.
        wordless: The same without what the net is sure is text.
        straight: Each staff straightened, without its lines.
        curves: Waits for the bows.
        outlines: Waits for the outlines of ``cleared``.
    """

    seen: Seen
    cleared: Mask
    wordless: Mask
    straight: list[Band]
    curves: Callable[[], tuple[Curve, ...]]
    outlines: Callable[[], Outlines]

    def complete(self) -> Seen:
        """With the bows."""
        return attrs.evolve(self.seen, curves=self.curves())


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
    return analyse(page).complete()


def analyse(
    page: Normalised,
    masks: Mapping[str, NDArray[np.uint8]] | None = None,
    beside: Beside | None = None,
) -> Skeleton:
    """The same, step by step.

    Args:
        page: The page.
        masks: What the net is sure of (``Glance.masks``): broken lines are drawn again by it.
        beside: Where what does not hang on one another is looked for at the same time.
    """
    masks, beside = masks or {}, beside or Beside()
    shape = page.ink.shape

    def again(name: str, upright: bool = False) -> Mask | None:
        return ridge(masks[name], shape, upright) if name in masks else None

    uprights = beside.start(partial(again, "barline", True))
    bows = beside.start(partial(again, "curve"))
    gaps = beside.start(partial(gaps_of, page.fine))
    text = beside.start(partial(_sure_text, masks.get("text"), shape))
    page = _with(page, again("staff"))
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
    page = _with(page, uprights())
    cleared = clear_lines(page, staves)
    bow = bows()
    if bow is not None:
        cleared |= bow
    strokes = beside.start(lambda: find_uprights(cleared, masks.get("stem")))
    both = bands(page.ink, cleared, staves)
    systems = find_systems(page, both, staves, masks.get("barline"))
    stems = stems_on(staves, systems, strokes())
    outlines = beside.start(lambda: outlined(cleared))
    beams = find_beams(cleared, gaps(), stems, masks.get("beam"))
    seen = Seen(
        width=page.image.shape[1],
        height=page.image.shape[0],
        scale=page.scale,
        staves=staves,
        tablature=len(found) - len(staves),
        systems=systems,
        stems=stems,
        beams=beams,
    )
    wordless = without(cleared, text())
    curves = beside.start(
        lambda: find_curves(wordless, stems, beams, page.line, masks.get("curve"))
    )
    return Skeleton(seen, cleared, wordless, [straight for _, straight in both], curves, outlines)


def _with(page: Normalised, more: Mask | None) -> Normalised:
    """The page with more ink."""
    return page if more is None else attrs.evolve(page, ink=page.ink | more)


def _sure_text(text: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> Mask:
    """Where on the fine picture the net is sure of text."""
    if text is None:
        return np.zeros(shape, np.uint8)
    sure = (text >= SURE).astype(np.uint8)
    large = cv2.resize(sure, None, fx=2 * FINE, fy=2 * FINE, interpolation=cv2.INTER_NEAREST)
    return np.asarray(large[: shape[0], : shape[1]], dtype=np.uint8)
