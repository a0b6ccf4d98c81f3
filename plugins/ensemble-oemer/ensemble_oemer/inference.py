"""oemer's nets run by us: sessions kept, threads bounded, progress told, cancellation heard.

Stands in for ``oemer.inference.inference`` of oemer 0.1.8: the same windows, merged the same
way (mean of overlapping windows, then the most probable class), so that the same classes come
out bit for bit. oemer looks at the windows along the right and lower edge twice, which gives
them a double weight in the mean; here they are looked at once and counted as often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.model import Context

from .checkpoints import STAVES, SYMBOLS, Net
from .options import OemerOptions
from .providers import open_session

Tell = Callable[[float], None]
"""Gets the share of a piece of work that is done, 0 to 1; may raise ``Cancelled``."""

_FIRST_SHARE = 1 / 3
"""What the first net takes of both nets' time: 54 of 180 GFLOP a window, 30 of 88 % measured."""


@attrs.frozen
class Maps:
    """What the nets see, one class for each pixel of the scaled page.

    Attributes:
        staves: uint8, shape (height, width): 0 background, 1 staff line, 2 symbol.
        symbols: uint8, same shape: 0 background, 1 stem, rest or bar line, 2 notehead,
            3 clef, key or accidental.
    """

    staves: Any
    symbols: Any


class Nets:
    """Both nets, loaded when first needed and kept for the next page."""

    def __init__(self, options: OemerOptions) -> None:
        self._options = options
        self._sessions: dict[tuple[str, int], tuple[Any, str]] = {}

    def predict(self, picture: Path, ctx: Context, tell: Tell) -> Maps | None:
        """Look at a page.

        Args:
            picture: The page, an 8-bit RGB picture that OpenCV can read.
            ctx: Of the call.
            tell: Gets the share of windows done.

        Returns:
            What is where; None if there is not one pixel of a staff line, which spares the
            second net's time.

        Raises:
            MissingError: A model file or the provider is missing, or does not work.
        """
        pixels = scaled(picture)
        staves = self._classes(STAVES, pixels, ctx, lambda share: tell(_FIRST_SHARE * share))
        if not (staves == 1).any():
            return None
        symbols = self._classes(
            SYMBOLS, pixels, ctx, lambda share: tell(_FIRST_SHARE + (1 - _FIRST_SHARE) * share)
        )
        if not self._options.keep_sessions or _short_of_memory(ctx.limits.max_memory):
            self.close()  # before oemer's rules want memory of their own
        return Maps(staves, symbols)

    def close(self) -> None:
        """Let go of the nets; they are loaded again when needed."""
        self._sessions.clear()

    def _session(self, net: Net, ctx: Context) -> tuple[Any, str]:
        threads = self._options.threads or ctx.threads
        key = (net.file, threads)
        if key not in self._sessions:
            path = ctx.model(net.file)
            self._sessions[key] = open_session(path, net, self._options.provider, threads)
        return self._sessions[key]

    def _classes(self, net: Net, pixels: Any, ctx: Context, tell: Tell) -> Any:
        """The most probable class of each pixel, uint8 of shape (height, width)."""
        import numpy as np

        session, provider = self._session(net, ctx)
        size = self._options.batch or (4 if provider == "cpu" else 16)
        height, width = pixels.shape[:2]
        order = corners(height, width, net.window, self._options.step)
        left = Counter(order)
        fresh, looked = iter(left), 0
        total = np.zeros((height, width, net.classes), np.float32)
        seen = np.zeros((height, width, 1), np.float32)
        found: dict[tuple[int, int], Any] = {}
        for y, x in order:  # in oemer's order: float sums depend on it
            if (y, x) not in found:
                some = list(islice(fresh, size))
                batch = np.stack([_window(pixels, corner, net) for corner in some])
                seen_there = session.run([net.output], {"input": batch})[0]
                found.update(zip(some, seen_there, strict=True))
                looked += len(some)
                tell(looked / len(left))
            area = (slice(y, y + net.window), slice(x, x + net.window))
            total[area] += found[y, x]
            seen[area] += 1
            left[y, x] -= 1
            if not left[y, x]:
                del found[y, x]
        return (total / seen).argmax(axis=-1).astype(np.uint8)


def corners(height: int, width: int, window: int, step: int) -> list[tuple[int, int]]:
    """Upper left corners (y, x) of the windows in oemer's order, with its repetitions."""
    return [
        (min(y, height - window), min(x, width - window))
        for y in range(0, height, step)
        for x in range(0, width, step)
    ]


def scaled(picture: Path) -> Any:
    """The page as oemer scales it: uint8, shape (height, width, 3), channels in BGR order."""
    import numpy as np
    from PIL import Image

    with Image.open(picture) as image:
        rgb = np.asarray(image.convert("RGB"))
    area = rgb.shape[0] * rgb.shape[1]
    ratio = ((3_000_000 / area + 4_350_000 / area) / 2) ** 0.5
    size = (round(ratio * rgb.shape[1]), round(ratio * rgb.shape[0]))
    return np.asarray(Image.fromarray(np.ascontiguousarray(rgb[:, :, ::-1])).resize(size))


def _window(pixels: Any, corner: tuple[int, int], net: Net) -> Any:
    y, x = corner
    return pixels[y : y + net.window, x : x + net.window]


def _short_of_memory(limit: int) -> bool:
    """Whether this process has taken half of what it may, or the machine has little left."""
    import psutil

    taken = psutil.Process().memory_info().rss
    return bool(taken > limit / 2 or psutil.virtual_memory().available < limit / 4)
