"""The recognizer component: a page in, its score out."""

from __future__ import annotations

from importlib.metadata import version

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, Page, PageOfScore, Score

from .options import SightreadOptions


class Sightread:
    """Reads printed music in common notation."""

    def __init__(self, options: SightreadOptions | None = None) -> None:
        self.options = options or SightreadOptions()

    def recognize(self, page: Page, ctx: Context) -> Score:
        """Read one page.

        Raises:
            RecognitionError: There are no staves, or no notes, on the page.
            InputError: The picture cannot be decoded.
            LimitExceeded: The picture is larger than allowed.
        """
        import cv2
        import numpy as np

        from .musicxml import write
        from .reader import read_page

        ctx.progress(0.0)
        image = gray(open_image(page, ctx))
        ctx.progress(0.05)
        before = cv2.getNumThreads()
        cv2.setNumThreads(1)  # its pool costs more than it saves on what is as small as a page
        try:
            pixels = np.asarray(image, dtype=np.uint8)
            reading = read_page(pixels, self.options, ctx.threads, ctx.progress)
        finally:
            cv2.setNumThreads(before)  # one setting for the process, which may not be ours
        software = f"ensemble-sightread {version('ensemble-sightread')}"
        written = write(reading, page.index, software)
        ctx.progress(1.0)
        return Score(
            musicxml=written.musicxml,
            pages=(
                PageOfScore(
                    page=page.index, first_measure=0, measures=len(reading.bars),
                    width=page.width, height=page.height,
                ),
            ),
            elements=written.elements,
            diagnostics=written.diagnostics,
        )  # fmt: skip
