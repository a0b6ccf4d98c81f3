"""The recognizer that reads nothing."""

from __future__ import annotations

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, Page, Score

from .faults import happen
from .music import compose
from .options import MockOptions


class MockRecognizer:
    """Makes up a score that depends on its options and the page's index alone."""

    def __init__(self, options: MockOptions | None = None) -> None:
        self._options = options or MockOptions()

    def recognize(self, page: Page, ctx: Context) -> Score:
        """Give the made-up score of a page, after whatever fault is switched on.

        Raises:
            InputError: The picture cannot be decoded (with the option ``look``).
            RecognitionError: By the fault ``nothing``.
        """
        options = self._options
        ctx.check()
        dark = False
        if options.look:
            with open_image(page, ctx) as picture:
                dark = gray(picture.crop((0, 0, 1, 1))).getpixel((0, 0)) == 0
        turn = not options.fault_pages or page.index in options.fault_pages
        turn = turn and (dark or not options.fault_corner)
        broken = happen(options, ctx) if turn else None
        score = compose(options, page)
        ctx.progress(1.0)
        return score if broken is None else Score(musicxml=broken)
