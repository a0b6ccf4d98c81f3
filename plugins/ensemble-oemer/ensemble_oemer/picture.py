"""The picture of a page as oemer is given it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from ensemble_core.imaging import gray, open_image, save
from ensemble_core.model import Context, Page

A4 = 2**0.5
"""Height over width of the pages oemer's nets were trained on."""

PAGE_SHAPED = (1.2, 1.6)
"""Height over width that is left as it is: letter is 1.29, A4 1.41."""


def prepare(page: Page, ctx: Context) -> Path:
    """Write the page as an 8-bit RGB PNG, on white paper, alone in a folder of its own.

    oemer unpickles a file of the picture's stem if one lies beside it; the random names keep
    anybody from placing one. It scales whatever it gets to one area, so a strip would be
    blown up: what is far from page-shaped is put on a white page of the shape of A4.

    Raises:
        InputError: The page is not a readable picture.
        OutputError: There is no room for it.
    """
    shown = flattened(open_image(page, ctx))
    low, high = PAGE_SHAPED
    if not low <= shown.height / shown.width <= high:
        shown = _on_a4(shown)
    folder = ctx.workspace / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    path = folder / f"{secrets.token_hex(8)}.png"
    save(shown, path)
    return path


def flattened(image: Any) -> Any:
    """The picture in 8-bit RGB: transparency laid on white, 16 bits scaled, colours kept."""
    from PIL import Image

    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        shown = image.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        return Image.alpha_composite(paper, shown).convert("RGB")
    if image.mode.startswith("I") or image.mode == "F":
        return gray(image).convert("RGB")
    return image.convert("RGB")


def _on_a4(shown: Any) -> Any:
    from PIL import Image

    width = max(shown.width, round(shown.height / A4))
    height = max(shown.height, round(width * A4))
    paper = Image.new("RGB", (width, height), "white")
    paper.paste(shown, ((width - shown.width) // 2, 0))
    return paper
