"""Options of the ``pdf`` loader."""

from __future__ import annotations

import attrs

from ensemble_core.model import option


@attrs.frozen
class PdfOptions:
    """How PDF pages become pictures."""

    dpi: int | None = option(
        None,
        "Resolution to render at; by default 300, more for tiny pages and less for huge ones",
        minimum=36,
        maximum=2400,
        unit="dpi",
    )
    password: str = option("", "Password of an encrypted document; it is kept in reports")
    password_file: str = option("", "File whose first line is the password; it is not kept")
    scans: bool = option(True, "Take a scan that fills a page as it is, without resampling it")
