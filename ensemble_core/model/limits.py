"""Limits on untrusted input, checked before anything is decoded."""

from __future__ import annotations

import attrs

from .errors import LimitExceeded
from .options import ByteSize, option


@attrs.frozen
class Limits:
    """How large an input may be."""

    max_pixels: int = option(200_000_000, "Most pixels a page may have", minimum=1)
    max_pages: int = option(500, "Most pages a document may have", minimum=1)
    max_input_bytes: ByteSize = option(ByteSize(500_000_000), "Largest input file", minimum=1)
    max_memory: ByteSize = option(
        ByteSize(4 * 2**30), "Most memory a worker process may take", minimum=64 * 2**20
    )

    def check_pixels(self, width: int, height: int, what: str) -> None:
        """Refuse a page that is too large.

        Raises:
            LimitExceeded: ``width × height`` is above ``max_pixels``.
        """
        if width * height > self.max_pixels:
            raise LimitExceeded(
                f"{what}: {width} × {height} pixels, the limit is {self.max_pixels:,}",
                hint="raise limits.max-pixels if you trust the file",
            )

    def check_pages(self, pages: int, what: str) -> None:
        """Refuse a document with too many pages.

        Raises:
            LimitExceeded: ``pages`` is above ``max_pages``.
        """
        if pages > self.max_pages:
            raise LimitExceeded(
                f"{what}: {pages} pages, the limit is {self.max_pages}",
                hint="choose some with --pages, or raise limits.max-pages",
            )
