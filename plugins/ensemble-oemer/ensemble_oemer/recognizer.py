"""The recognizer: oemer on one page, in the worker process the frame gives it."""

from __future__ import annotations

from pathlib import Path

from ensemble_core.model import Context, Page, RecognitionError, Score

from .engine import limit_threads, load_oemer
from .failures import no_staves
from .framing import framed
from .inference import Maps, Nets
from .many_staves import read_page
from .options import OemerOptions
from .picture import prepare
from .repair import repair

NETS_SHARE = 0.88
"""What the nets take of a page's time on a CPU, measured with oemer's own files."""


class OemerRecognizer:
    """Reads a page with oemer; keeps its nets for the next one."""

    def __init__(self, options: OemerOptions) -> None:
        self._options = options
        self._nets = Nets(options)

    def recognize(self, page: Page, ctx: Context) -> Score:
        """Read one page.

        Raises:
            RecognitionError: There are no staves on it, or oemer failed on what it found.
            MissingError: oemer, a model file or the provider is missing.
        """
        load_oemer()  # to fail at once where it is not installed
        limit_threads(ctx.threads)
        picture = prepare(page, ctx)
        maps = self._nets.predict(
            picture, ctx, lambda share: ctx.progress(NETS_SHARE * share, 1.0, "page")
        )
        if maps is None:
            raise no_staves()
        musicxml, repairs = repair(self._read(picture, maps, page, ctx), mend=self._options.mend)
        for diagnostic in repairs:
            ctx.report(diagnostic)
        ctx.progress(1.0, 1.0, "page")
        return Score(musicxml)

    def _read(self, picture: Path, maps: Maps, page: Page, ctx: Context) -> bytes:
        """oemer's rules on what the nets saw; once more in another frame where they fail."""
        reached = NETS_SHARE

        def tell(share: float) -> None:
            nonlocal reached
            reached = max(reached, NETS_SHARE + (1 - NETS_SHARE) * share)
            ctx.progress(reached, 1.0, "page")

        dewarp, mend = self._dewarp(page), self._options.mend
        try:
            return read_page(picture, maps, ctx, tell, dewarp=dewarp, mend=mend)
        except RecognitionError:
            again = framed(picture, maps)
            if again is None:
                raise
        return read_page(*again, ctx, tell, dewarp=dewarp, mend=mend)

    def close(self) -> None:
        """Let go of the nets."""
        self._nets.close()

    def _dewarp(self, page: Page) -> bool:
        """Whether oemer should straighten the staves itself."""
        if self._options.deskew == "auto":
            return all(step.component != "deskew" for step in page.history)
        return self._options.deskew == "on"
