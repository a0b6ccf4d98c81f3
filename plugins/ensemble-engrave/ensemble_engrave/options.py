"""The options of the exporters; lengths are millimetres on paper."""

from __future__ import annotations

import attrs

from ensemble_core.model import option

PAPERS: dict[str, tuple[float, float]] = {
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "b4": (250.0, 353.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height of the paper sizes, in millimetres, upright."""

FONTS = ("Leipzig", "Bravura", "Gootville", "Leland", "Petaluma")
"""The music fonts Verovio brings along."""


@attrs.frozen
class Layout:
    """How the music is laid out on the page; common to all that engrave."""

    paper: str = option("a4", "Paper size", choices=tuple(PAPERS))
    landscape: bool = option(False, "Lay the paper on its side")
    margin: float = option(12.0, "White space on each side", minimum=0, maximum=60, unit="mm")
    staff_height: float = option(
        7.2, "From the lowest to the highest line of a staff", minimum=3.6, maximum=9.6, unit="mm"
    )
    font: str = option("Leland", "Music font", choices=FONTS)
    breaks: str = option(
        "auto",
        "Where systems and pages end: as written if the score says, else by space (auto), "
        "as written (encoded), by space (fit), or one endless system (none)",
        choices=("auto", "encoded", "fit", "none"),
    )
    header: bool = option(True, "Print title, composer and page numbers above the music")
    crop: bool = option(False, "End each page below its last system")


@attrs.frozen
class SvgOptions(Layout):
    """Options of ``svg``."""

    embed_text_font: bool = option(
        False, "Put the text font into each file (400 kB), so that words look alike everywhere"
    )


@attrs.frozen
class PdfOptions(Layout):
    """Options of ``pdf``."""


@attrs.frozen
class PngOptions(Layout):
    """Options of ``png``."""

    dpi: int = option(150, "Resolution", minimum=30, maximum=1200, unit="dots per inch")
    transparent: bool = option(False, "No white paper behind the music")


@attrs.frozen
class MeiOptions:
    """Options of ``mei``."""

    basic: bool = option(False, "Write MEI Basic, the common core that every MEI program reads")


@attrs.frozen
class HtmlOptions:
    """Options of ``html``."""

    font: str = option("Leland", "Music font", choices=FONTS)
    picture_width: int = option(
        1500, "Widest an embedded source picture gets", minimum=400, maximum=6000, unit="px"
    )
    picture_quality: int = option(
        72, "Quality of source pictures that are embedded as JPEG", minimum=20, maximum=95
    )
    doubtful_below: float = option(
        0.6, "Symbols read with less confidence are marked doubtful", minimum=0, maximum=1
    )
