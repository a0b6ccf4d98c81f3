"""Reading lines of text with a small convolutional net.

A line is cut out so that its small letters are :data:`X_HEIGHT` pixels high and stand on one
row; the net gives for every :data:`STRIDE` pixels which letter is there, if any, and the
letters are read off with the rule of connectionist temporal classification (Graves et al.,
2006): the surest class of each frame, repeats taken once, blanks dropped.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse
from .nets import session
from .normalise import FINE
from .symbols import Word

Gray = NDArray[np.uint8]
MODEL = Path(__file__).with_name("models") / "letters.onnx"
HEIGHT = 32
"""Rows of a line that was cut out."""
X_HEIGHT = 10.0
BASE = 22.5
"""Row its letters stand on."""
STRIDE = 2

ALPHABET = (
    " !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz"
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŒœßŠšŽžČčĎďĚěŇňŘřŤťŮůĆćŃńŁłŚśŹź"
    "ŻżĄąĘęŐőŰű«»–‿°§♭♯♮♩♪𝅗"
)
"""The characters that are told apart; class 0 of the net is none of them."""

ROW = 1024
"""Pixels of a row in which lines are shown to the net one after the other."""
APART = 20
"""Pixels between them."""
MARGIN = 0.3
"""What is cut out beside a line, in parts of the height of its small letters."""
SURE = 0.55
"""Least confidence of a word, and"""
SURE_ALONE = 0.8
"""of a single character."""

ALIKE = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "‟": '"',
    "‐": "-", "‑": "-", "‒": "–", "—": "–", "―": "–", "…": "...", "º": "°", "\u00a0": " ",
    "\u00ad": "-", "{": "(", "}": ")", "\u035c": "‿", "\u2040": "‿",
    "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl",
})  # fmt: skip


def canonical(text: str) -> str:
    """Text with one form for what looks alike: quotes, apostrophes, dashes, ligatures."""
    return unicodedata.normalize("NFC", text).translate(ALIKE)


def strip(page: Gray, left: float, right: float, base: tuple[float, float], height: float) -> Gray:
    """Cut a line out of a page.

    Args:
        page: Gray, 255 is paper.
        left, right: What part of it.
        base: y at x = 0 of what its letters stand on, and its slope.
        height: Of its small letters, in pixels.

    Returns:
        Shape (HEIGHT, width), 0 is paper and 255 the line's darkest ink.
    """
    scale = X_HEIGHT / height
    middle = base[0] + base[1] * (left + right) / 2
    lean = abs(base[1]) * (right - left) / 2
    x1, x2 = max(0, int(left)), min(page.shape[1], int(np.ceil(right)) + 1)
    y1 = max(0, int(middle - lean - BASE / scale - 2))
    y2 = min(page.shape[0], int(middle + lean + (HEIGHT - BASE) / scale + 3))
    width = max(1, round((right - left) * scale))
    if x2 <= x1 or y2 <= y1:
        return np.zeros((HEIGHT, width), np.uint8)
    ink = np.asarray(255 - page[y1:y2, x1:x2], dtype=np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(
        ink, (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))), interpolation=how
    )
    fx, fy = small.shape[1] / (x2 - x1), small.shape[0] / (y2 - y1)
    # Where in `small` the pixel (u, v) of the line comes from.
    across = (left - x1) * fx
    start = (base[0] + base[1] * left - y1) * fy - BASE
    matrix = np.array([[1, 0, across], [base[1], 1, start]], np.float64)
    line = cv2.warpAffine(
        small, matrix, (width, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    line = line.astype(np.float32)
    place = int(0.98 * (line.size - 1))
    dark = max(60.0, float(np.partition(line, place, axis=None)[place]))
    return np.asarray(np.clip((line - 16) * (255 / (dark - 16)), 0, 255), dtype=np.uint8)


@attrs.frozen(eq=False)
class Line:
    """A line of text that was cut out.

    Attributes:
        picture: Gray, 255 is paper, best with nothing on it but the line.
        origin: x and y of its top left pixel on the fine page.
        base: y at x = 0 of what its letters stand on, on the fine page, and the slope of that.
        height: Of its small letters, in fine pixels.
    """

    picture: Gray
    origin: tuple[int, int]
    base: tuple[float, float]
    height: float

    @property
    def strip(self) -> Gray:
        """The line as the net wants it."""
        x, y = self.origin
        beside = MARGIN * self.height
        base = (self.base[0] + self.base[1] * x - y, self.base[1])
        return strip(self.picture, -beside, self.picture.shape[1] + beside, base, self.height)

    def x(self, frame: float) -> float:
        """Where on the fine page a frame of the net's answer is."""
        scale = self.height / X_HEIGHT
        return self.origin[0] - MARGIN * self.height + frame * STRIDE * scale


@attrs.frozen(eq=False)
class Read:
    """What the net says of the frames of a line, from left to right.

    Attributes:
        classes: The surest class of each frame, shape (frames,).
        sure: How sure, 0 to 1, shape (frames,).
        style: Probabilities of italic and bold, shape (frames, 2).
    """

    classes: NDArray[np.int64]
    sure: NDArray[np.float32]
    style: NDArray[np.float32]


@lru_cache(maxsize=2)
def load(threads: int = 1) -> tuple[Any, str]:
    """The net's session, loaded once per process and number of threads, and its alphabet."""
    opened, about = session(MODEL, threads)
    return opened, json.loads(about["alphabet"])


def read_lines(lines: Sequence[Line], threads: int = 1) -> list[list[Word]]:
    """The words of each line.

    Args:
        lines: Cut out of a page.
        threads: Threads that ONNX Runtime may use.
    """
    if not lines:
        return []
    alphabet = load(threads)[1]
    seen = look([line.strip for line in lines], threads)
    return [_words(line, one, alphabet) for line, one in zip(lines, seen, strict=True)]


def look(strips: Sequence[Gray], threads: int = 1) -> list[Read]:
    """Show lines that were cut out to the net, as many as fit in a row at once."""
    net, _ = load(threads)
    wide = max([ROW, *(strip.shape[1] + APART for strip in strips)])
    wide += -wide % STRIDE
    ends: list[int] = []
    places: list[tuple[int, int]] = []
    for one in strips:
        need = one.shape[1] + APART
        row = next(
            (r for r, end in enumerate(ends[-8:], max(0, len(ends) - 8)) if end + need <= wide),
            None,
        )
        if row is None:
            row = len(ends)
            ends.append(APART // 2)
        places.append((row, ends[row]))
        ends[row] += need + need % STRIDE
    rows = np.zeros((len(ends), HEIGHT, wide), np.uint8)
    for one, (row, x) in zip(strips, places, strict=True):
        rows[row, :, x : x + one.shape[1]] = one
    classes, sure, style = net.run(None, {"rows": rows})
    found = []
    for one, (row, x) in zip(strips, places, strict=True):
        frames = slice(x // STRIDE, (x + one.shape[1] + STRIDE - 1) // STRIDE)
        found.append(Read(classes[row, frames], sure[row, frames], style[row, frames]))
    return found


def _words(line: Line, read: Read, alphabet: str) -> list[Word]:
    """The words of a line: its letters, cut at spaces."""
    words: list[Word] = []
    letters: list[tuple[str, int, int]] = []  # with first and last frame
    before = 0
    for frame, number in enumerate([*read.classes.tolist(), 1]):
        char = alphabet[number - 1] if number else ""
        if char == " ":
            if letters:
                words += _word(line, read, letters)
            letters = []
        elif char and number != before:
            letters.append((char, frame, frame))
        elif char:
            letters[-1] = (char, letters[-1][1], frame)
        before = number
    return words


def _word(line: Line, read: Read, letters: Sequence[tuple[str, int, int]]) -> list[Word]:
    """One word, if it is sure enough."""
    text = "".join(char for char, *_ in letters)
    first, last = letters[0][1], letters[-1][2] + 1
    peaks = [float(read.sure[start : end + 1].max()) for _, start, end in letters]
    confidence = float(np.exp(np.log(np.maximum(peaks, 1e-3)).mean()))
    if confidence < (SURE if len(text) > 1 else SURE_ALONE):
        return []
    half = 0.35 * X_HEIGHT / STRIDE  # from the outer letters' middles to their edges
    box = _inked(line, line.x(first - half), line.x(last + half))
    base = line.base[0] + line.base[1] * (box[0] + box[2]) / 2
    left, top, right, bottom, low = coarse((*box, base)).tolist()
    small = any(char.islower() for char in text)
    height = line.height if small else min(line.height, 0.68 * (box[3] - box[1]))
    italic, bold = read.style[first:last].mean(0)
    middles = [line.x((start + end + 1) / 2) for _, start, end in letters]
    return [
        Word(text, left, top, right, bottom, low, height / FINE,
             bool(italic > 0.5), bool(bold > 0.5), confidence,
             tuple(coarse(np.array(middles)).tolist()),
             tuple(width / FINE for width in _blanks(line, middles)))
    ]  # fmt: skip


def _blanks(line: Line, middles: Sequence[float]) -> list[int]:
    """The widest run of columns without ink between each two letters, in fine pixels."""
    inked = np.asarray((line.picture < 160).any(0), dtype=bool)
    found = []
    for left, right in pairwise(middles):
        first = max(int(left) - line.origin[0], 0)
        columns = inked[first : max(int(right) + 1 - line.origin[0], first)]
        edges = np.flatnonzero(np.concatenate(([True], columns, [True])))
        found.append(int(np.diff(edges).max()) - 1)
    return found


def _inked(line: Line, left: float, right: float) -> tuple[float, float, float, float]:
    """The box of the ink of a line between two x, all on the fine page."""
    x, y = line.origin
    first = max(int(left) - x, 0)
    ink = line.picture[:, first : max(int(right) + 1 - x, 0)] < 160
    columns, rows = np.flatnonzero(ink.any(0)), np.flatnonzero(ink.any(1))
    if not columns.size:
        return left, float(y), right, float(y + line.picture.shape[0])
    return (
        float(x + first + columns[0]), float(y + rows[0]),
        float(x + first + columns[-1] + 1), float(y + rows[-1] + 1),
    )  # fmt: skip
