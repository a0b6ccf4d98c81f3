"""Finding the symbols on a normalised page with a small convolutional net.

The net gives, at a quarter of the page's size, one heat map per kind whose peaks are the
centres of the symbols, and features, out of which at each peak the rest of the centre and the
size of the box are worked out (CenterNet, arXiv:1904.07850). A net may also give masks of thin
things at half the page's size. How it was trained, and what for, stands in ``MODEL.md``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from .beside import Beside
from .nets import session
from .symbols import KINDS, SPACE, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]
    Given = NDArray[np.float32] | NDArray[np.uint8]
    """What a net gives, by row, column and channel: numbers, or steps of a :class:`Scale`."""
    Maps = tuple[int, int, Box, Given, Given]
    """Left and top of a tile, the box within which its peaks count, its heat and features."""

MODEL = Path(__file__).with_name("models") / "symbols.onnx"
STRIDE = 4
"""Pixels of the page per cell of the maps."""
CONTEXT = 160
"""Pixels around a place that can matter for what is seen there."""
TILE = 2048
"""Longest side that is looked at in one piece; memory grows with the area."""
INK_MARGIN = 32
OVERLAP = 0.45
"""Boxes that share more than this (intersection over union) are one symbol."""


LENIENT = 0.4
"""Share of its threshold that the heat of a faint head or rest must have."""
FAINT = 0.1
"""Heat of a digit where one is expected."""
AROUND = 48
"""Pixels around a box that the net is shown with it."""


@attrs.frozen
class Scale:
    """What the numbers mean that a net gives: their distance from ``zero``, times ``step``."""

    step: float = 1.0
    zero: float = 0.0

    def real(self, given: NDArray[Any]) -> NDArray[np.float32]:
        """The values themselves."""
        import numpy as np

        numbers = given.astype(np.float32) - np.float32(self.zero)
        return np.asarray(numbers * np.float32(self.step), dtype=np.float32)

    def given(self, real: NDArray[np.float64], like: np.dtype[Any]) -> NDArray[Any]:
        """The greatest numbers of a type that are no more than the values."""
        import numpy as np

        found = real / self.step + self.zero
        if like == np.uint8:
            found = np.floor(found).clip(0, 255)
        return np.asarray(found, dtype=like)


@attrs.frozen
class Net:
    """The net, ready to run.

    Attributes:
        session: The ONNX Runtime session. It gives ``heat``, ``features`` and, if there are
            masks, ``masks``, each of shape (1, rows, columns, channels); heat and masks are
            logits, and all of them numbers or, in bytes, steps of a scale.
        kinds: The kinds it tells apart, as its file says.
        thresholds: Least heat of a peak, per kind, as a probability, shape (len(kinds),).
        boxes: What the features are multiplied with, and added, to get the rest of the centre
            and the logarithms of the size, shape (4, features + 1).
        masks: The classes of thin things it gives masks of, maybe none.
        step: Sides that it takes are multiples of this.
        scales: By what it gives; of numbers there is none.
    """

    session: Any
    kinds: tuple[str, ...]
    thresholds: NDArray[np.float32]
    boxes: NDArray[np.float32]
    masks: tuple[str, ...] = ()
    step: int = 16
    scales: Mapping[str, Scale] = {}

    def run(self, tile: NDArray[np.uint8]) -> tuple[Given, ...]:
        """Heat, features and, if there are any, masks of a picture, shape (H, W)."""
        names = ["heat", "features", *(["masks"] if self.masks else [])]
        given = self.session.run(names, {"image": tile[None, None]})
        return tuple(each[0] for each in given)

    def scale(self, name: str) -> Scale:
        """The scale of what it gives."""
        return self.scales.get(name, Scale())


@attrs.frozen(eq=False)
class Glance:
    """What the net sees on a page.

    Attributes:
        found: Waits for the symbols, in page pixels, left to right, each mark on the paper taken
            once; and heads and rests that the net is too unsure of, where nothing surer is.
        masks: How sure it is of each class of thin things, by name (see ``symbols.MASKS``):
            shape (ceil(H / 2), ceil(W / 2)), 255 is sure. Empty if the net gives none.
    """

    found: Callable[[], tuple[tuple[Symbol, ...], tuple[Symbol, ...]]]
    masks: dict[str, NDArray[np.uint8]]

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """What the net is sure of."""
        return self.found()[0]

    @property
    def faint(self) -> tuple[Symbol, ...]:
        """What it is not."""
        return self.found()[1]


def detect(image: NDArray[np.uint8], threads: int = 1) -> tuple[Symbol, ...]:
    """Find the symbols on a page: :func:`look` without the masks."""
    return look(image, threads).symbols


def look(image: NDArray[np.uint8], threads: int = 1, beside: Beside | None = None) -> Glance:
    """Find the symbols and thin things on a page.

    Args:
        image: Gray normalised page (staff space of 10 px), shape (H, W), dtype uint8; any size.
        threads: Threads that ONNX Runtime may use.
        beside: Where the symbols are made out of the heat while the caller goes on.

    Raises:
        ValueError: The array is not a gray 8-bit picture.
    """
    import cv2
    import numpy as np

    if image.ndim != 2 or image.dtype != np.uint8:
        raise ValueError(f"a gray uint8 page is needed, not {image.dtype} of shape {image.shape}")
    net = load(threads)
    height, width = image.shape
    thin = np.zeros((len(net.masks), -(-height // 2), -(-width // 2)), np.uint8)
    maps = []
    for left, top, tile, core in _tiles(image, net.step, 2 if net.masks else 1):
        heat, features, *masks = net.run(tile)
        maps.append((left, top, core, heat, features))
        x1, y1, x2, y2 = (-(-int(edge) // 2) for edge in core)
        for seen in masks:
            part = seen[y1 - top // 2 : y2 - top // 2, x1 - left // 2 : x2 - left // 2]
            for whole, plane in zip(thin, cv2.split(np.ascontiguousarray(part)), strict=True):
                whole[y1:y2, x1:x2] = _sureness(np.asarray(plane), net.scale("masks"))
    found = (beside or Beside()).start(lambda: _symbols(net, image, maps))
    return Glance(found, dict(zip(net.masks, thin, strict=True)))


def _sureness(logits: NDArray[Any], scale: Scale) -> NDArray[np.uint8]:
    """How sure the net is: 255 is sure."""
    import cv2
    import numpy as np

    if logits.dtype == np.uint8:
        table = _sureness(scale.real(np.arange(256)), Scale())
        return np.asarray(cv2.LUT(logits, table), dtype=np.uint8)
    return np.asarray(255 / (1 + np.exp(-scale.real(logits))) + 0.5).astype(np.uint8)


def _symbols(
    net: Net, image: NDArray[np.uint8], maps: Sequence[Maps]
) -> tuple[tuple[Symbol, ...], tuple[Symbol, ...]]:
    """The symbols, and heads and rests that the net is unsure of, left to right."""
    import numpy as np

    least = dict(zip(net.kinds, net.thresholds.tolist(), strict=True))
    unsure = attrs.evolve(net, thresholds=net.thresholds * _leniency(net))
    found = []
    for left, top, core, heat, features in maps:
        for kind, x, y, w, h, score in _peaks(unsure, heat, features):
            if core[0] <= x + left < core[2] and core[1] <= y + top < core[3]:
                found.append((kind, x + left, y + top, w, h, score))
    kept = _once(np.array(found, dtype=np.float64).reshape(-1, 6))
    symbols: list[Symbol] = []
    faint: list[Symbol] = []
    for k, x, y, w, h, s in kept.tolist():
        name = net.kinds[int(k)]
        symbol = Symbol(name, x - w / 2, y - h / 2, x + w / 2, y + h / 2, s)
        (symbols if s > least[name] else faint).append(_hanging_or_sitting(image, symbol))
    return tuple(sorted(symbols, key=_place)), tuple(sorted(faint, key=_place))


def _place(symbol: Symbol) -> tuple[float, float, str]:
    return symbol.left, symbol.top, symbol.kind


def _leniency(net: Net) -> NDArray[np.float32]:
    """What the thresholds are multiplied with to see faint heads and rests too."""
    import numpy as np

    wanted = [kind.startswith(("head-", "rest-")) for kind in net.kinds]
    return np.where(wanted, LENIENT, 1.0).astype(np.float32)


def digits(image: NDArray[np.uint8], box: Box, threads: int = 1) -> tuple[Symbol, ...]:
    """Digits within a small box, left to right: those as well that :func:`look` is unsure of.

    Args:
        image: As for :func:`look`.
        box: Left, top, right, bottom; only centres inside it count.
        threads: Threads that ONNX Runtime may use.
    """
    import numpy as np

    net = load(threads)
    numeric = [kind.startswith(("time-", "tuplet-")) and kind[-1].isdigit() for kind in net.kinds]
    faint = attrs.evolve(net, thresholds=np.where(numeric, FAINT, 0.9999).astype(np.float32))
    x1, y1 = (max(0, int(edge) - AROUND) // 4 * 4 for edge in box[:2])
    x2, y2 = (int(edge) + AROUND for edge in box[2:])
    piece = image[y1:y2, x1:x2]
    if not piece.size:
        return ()
    high, wide = piece.shape
    tile = np.pad(piece, ((0, -high % net.step), (0, -wide % net.step)), mode="edge")
    heat, features, *_ = net.run(tile)
    found = np.array(_peaks(faint, heat, features), np.float64).reshape(-1, 6)
    symbols = [
        Symbol(net.kinds[int(k)], x1 + x - w / 2, y1 + y - h / 2, x1 + x + w / 2, y1 + y + h / 2, s)
        for k, x, y, w, h, s in _once(found).tolist()
    ]
    inside = (s for s in symbols if box[0] < s.x < box[2] and box[1] < s.y < box[3])
    return tuple(sorted(inside, key=lambda s: s.x))


@lru_cache(maxsize=2)
def load(threads: int = 1) -> Net:
    """The net of this package, loaded once per process and number of threads."""
    import numpy as np

    opened, about = session(MODEL, threads)
    kinds = tuple(json.loads(about["kinds"]))
    if not set(kinds) <= set(KINDS):
        raise RuntimeError(f"{MODEL.name} was trained for other kinds than this version knows")
    return Net(
        opened,
        kinds,
        thresholds=np.array(json.loads(about["thresholds"]), np.float32),
        boxes=np.array(json.loads(about["boxes"]), np.float32),
        masks=tuple(json.loads(about.get("masks", "[]"))),
        step=int(about.get("step", 16)),
        scales={name: Scale(*pair) for name, pair in json.loads(about.get("scales", "{}")).items()},
    )


def _tiles(
    image: NDArray[np.uint8], multiple: int, grid: int
) -> Iterator[tuple[int, int, NDArray[np.uint8], Box]]:
    """Pieces of the part with ink: (left, top, pixels, box within which peaks count)."""
    import numpy as np

    paper = float(np.median(image[::8, ::8])) if image.size else 255.0
    ink = image < 0.72 * paper
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not rows.size:
        return
    top, bottom = max(int(rows[0]) - INK_MARGIN, 0), int(rows[-1]) + 1 + INK_MARGIN
    left, right = max(int(columns[0]) - INK_MARGIN, 0), int(columns[-1]) + 1 + INK_MARGIN
    top, left = top // grid * grid, left // grid * grid  # where masks have a pixel
    bottom, right = min(bottom, image.shape[0]), min(right, image.shape[1])
    step = TILE - 2 * CONTEXT
    ys = range(top, bottom, step) if bottom - top > TILE else (top,)
    xs = range(left, right, step) if right - left > TILE else (left,)
    for y in ys:
        for x in xs:
            y2 = min(y + step, bottom) if len(ys) > 1 else bottom
            x2 = min(x + step, right) if len(xs) > 1 else right
            y1, x1 = max(y - CONTEXT, top), max(x - CONTEXT, left)
            piece = image[y1 : min(y2 + CONTEXT, bottom), x1 : min(x2 + CONTEXT, right)]
            high, wide = piece.shape
            padded = np.pad(piece, ((0, -high % multiple), (0, -wide % multiple)), mode="edge")
            yield x1, y1, padded, (x, y, x2, y2)


def _peaks(net: Net, heat: Given, features: Given) -> list[tuple[float, ...]]:
    """(kind, x, y, width, height, score) of each peak that is high enough for its kind."""
    import numpy as np

    least = net.thresholds.astype(np.float64)
    least = net.scale("heat").given(np.log(least / (1 - least)), heat.dtype)
    # Looking along one axis is six times as fast as along three, and all of a row at once twice.
    rows_of = heat.reshape(len(heat), -1)
    hot = np.flatnonzero(rows_of > np.tile(least, heat.shape[1]))
    rows, columns, kinds = np.unravel_index(hot, heat.shape)
    highest = _highest(heat, rows, columns, kinds)
    rows, columns, kinds = rows[highest], columns[highest], kinds[highest]
    order = np.lexsort((columns, rows, kinds))
    rows, columns, kinds = rows[order], columns[order], kinds[order]
    logits = net.scale("heat").real(heat[rows, columns, kinds]).astype(np.float64)
    scores = 1 / (1 + np.exp(-logits))
    own = net.scale("features").real(features[rows, columns])
    dx, dy, log_w, log_h = net.boxes[:, :-1] @ own.T + net.boxes[:, -1:]
    x, y = (columns + 0.5 + dx) * STRIDE, (rows + 0.5 + dy) * STRIDE
    width, height = SPACE * np.exp(log_w.clip(-4, 4)), SPACE * np.exp(log_h.clip(-4, 4))
    table = np.stack([kinds, x, y, width, height, scores], axis=1).astype(np.float64)
    return [tuple(row) for row in table.tolist()]


def _highest(
    heat: Given, rows: NDArray[np.int64], columns: NDArray[np.int64], kinds: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether no cell around each place is hotter."""
    import numpy as np

    own = heat[rows, columns, kinds]
    highest = np.ones(len(own), bool)
    for down in (-1, 0, 1):
        for along in (-1, 0, 1):
            row = (rows + down).clip(0, heat.shape[0] - 1)
            column = (columns + along).clip(0, heat.shape[1] - 1)
            highest &= heat[row, column, kinds] <= own
    return highest


def _hanging_or_sitting(image: NDArray[np.uint8], symbol: Symbol) -> Symbol:
    """Tell whole from half rests by the staff line beside the bar: at its top or its foot.

    Both are the same bar in most type faces; which line it touches is a matter of few pixels,
    at which the net is unsure.
    """
    import numpy as np

    if symbol.kind not in ("rest-whole", "rest-half") or symbol.bottom - symbol.top > 0.9 * SPACE:
        return symbol
    left, right = round(symbol.left), round(symbol.right)
    sides = [image[:, max(x, 0) : max(x + 5, 0)] for x in (left - 8, right + 3)]
    at_top, at_foot = (
        float(np.mean([_darkest_row(side, round(y)) for side in sides]))
        for y in (symbol.top, symbol.bottom)
    )
    if abs(at_top - at_foot) < 0.15:
        return symbol
    return attrs.evolve(symbol, kind="rest-whole" if at_top > at_foot else "rest-half")


def _darkest_row(strip: NDArray[np.uint8], y: int) -> float:
    """How dark (0 to 1) the darkest of the three rows around ``y`` is."""
    rows = strip[max(y - 1, 0) : y + 2]
    return 1 - float(rows.mean(1).min()) / 255 if rows.size else 0.0


def _once(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of detections that lie on one another only the surest, whatever their kinds."""
    import numpy as np

    found = found[np.argsort(-found[:, 5], kind="stable")]
    _, x, y, w, h, _ = found.T
    left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    # Pairs that overlap at all: of those from left to right, each with what begins within it.
    order = np.argsort(left, kind="stable")
    count = np.searchsorted(left[order], right[order]) - np.arange(len(order)) - 1
    count = count.clip(0)
    first = np.repeat(np.arange(len(order)), count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    a, b = order[first], order[second]
    across = np.minimum(right[a], right[b]) - np.maximum(left[a], left[b])
    down = np.minimum(bottom[a], bottom[b]) - np.maximum(top[a], top[b])
    shared = across.clip(0) * down.clip(0)
    same = shared > OVERLAP * (w[a] * h[a] + w[b] * h[b] - shared)
    surer, other = np.minimum(a, b)[same], np.maximum(a, b)[same]
    keep = np.ones(len(found), bool)
    for i in np.argsort(surer, kind="stable").tolist():
        keep[other[i]] &= not keep[surer[i]]
    return found[keep]
