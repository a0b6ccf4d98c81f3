"""Pictures for the report: a bar cut out of its page, and bars engraved by Verovio."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from .cases import Case
from .reading import Reading

_MARGIN = 0.35
"""Of the bar's height, left around it."""

_WIDEST = 560


def crop(case: Case, reading: Reading, ids: Sequence[str]) -> str:
    """A bar of the page as data URL; empty when the recognizer told no boxes, or it is a PDF."""
    from PIL import Image

    boxes = [reading.bars[name] for name in ids if name in reading.bars]
    if not boxes:
        return ""
    page = int(boxes[0][0])
    path = case.pictures[page] if page < len(case.pictures) else case.pictures[0]
    if path.suffix.lower() == ".pdf":
        return ""
    left, top = min(box[1] for box in boxes), min(box[2] for box in boxes)
    right, bottom = max(box[3] for box in boxes), max(box[4] for box in boxes)
    around = _MARGIN * (bottom - top)
    with Image.open(path) as picture:
        flat = _on_paper(picture)
    cut = flat.crop(
        (
            max(0, round(left - around / 2)), max(0, round(top - around)),
            min(flat.width, round(right + around / 2)), min(flat.height, round(bottom + around)),
        )
    )  # fmt: skip
    cut.thumbnail((_WIDEST, _WIDEST))
    return _data_url(cut)


def _on_paper(picture: Any) -> Any:
    from PIL import Image

    colours = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours).convert("RGB")


def _data_url(picture: Any) -> str:
    data = io.BytesIO()
    picture.save(data, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


class Engraver:
    """Engraves a bar as SVG, where Verovio is installed."""

    def __init__(self) -> None:
        try:
            import verovio
        except ImportError:
            self._kit: Any = None
            return
        verovio.enableLog(verovio.LOG_OFF)
        self._kit = verovio.toolkit()
        self._kit.setOptions(
            {
                "adjustPageHeight": True, "adjustPageWidth": True, "breaks": "none",
                "header": "none", "footer": "none", "scale": 40, "svgViewBox": True,
                "pageMarginTop": 20, "pageMarginBottom": 20, "svgRemoveXlink": True,
            }
        )  # fmt: skip

    def __call__(self, document: bytes) -> str:
        """The music as SVG; empty when it cannot be engraved."""
        if self._kit is None or not self._kit.loadData(document.decode()):
            return ""
        return str(self._kit.renderToSVG(1))
