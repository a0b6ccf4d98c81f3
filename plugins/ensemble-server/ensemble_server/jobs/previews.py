"""Small pictures of the pages, made where pictures are decoded anyway: in a worker process."""

from __future__ import annotations

from ensemble_core.imaging import decoding
from ensemble_core.model import Artifact, Context, InputError, Score

HEIGHT = 400
"""Pixels a preview is high at most."""


class PagePreviews:
    """An exporter: one PNG a page."""

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write the pictures of those pages whose picture there is."""
        from PIL import Image as pillow

        made = []
        for page in score.pages:
            if page.picture is None:
                continue
            ctx.check()
            path = ctx.workspace / f"preview-{page.page + 1}.png"
            try:
                with decoding(f"page {page.page + 1}"), pillow.open(page.picture) as picture:
                    picture.draft("L", (2 * HEIGHT, 2 * HEIGHT))
                    small = picture.convert("L")
                    small.thumbnail((2 * HEIGHT, HEIGHT), reducing_gap=2.0)
                    small.save(path)
            except InputError:
                continue  # a preview is no reason to fail; the page itself was read
            made.append(Artifact(path, "image/png", f"-preview-{page.page + 1}.png"))
        return tuple(made)
