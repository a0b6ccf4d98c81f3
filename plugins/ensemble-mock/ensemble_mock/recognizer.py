"""The recognizer that reads nothing."""

from __future__ import annotations

from ensemble_core.imaging import open_image
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
        if options.look:
            open_image(page, ctx).close()
        broken = happen(options, page.index, ctx)
        score = compose(options, page)
        ctx.progress(1.0)
        return score if broken is None else Score(musicxml=broken)
