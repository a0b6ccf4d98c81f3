"""Stand-ins for oemer's two nets, with exactly their tensors, made when the tests start.

They replace 109 MB of weights by a few hundred bytes of arithmetic, so that everything of
oemer behind its nets runs for real and without a network:

- :func:`colour_nets` read a page drawn in class colours (``oemer_pages.coloured_page``). What
  they see is exact, so what oemer makes of it can be told beforehand.
- :func:`print_nets` find staff lines, heads and stems on ordinary black print by mathematical
  morphology (openings with lines and squares). They are right at the size oemer scales an A4
  page to, where a staff space is about 14 pixels.
- :func:`blind_nets` see an empty page.

What the stand-ins cannot show is how well oemer's own weights read.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

Corner = tuple[int, int, int]


@attrs.frozen
class NetShape:
    """The tensors of one net: folder, side of its window, output name, number of classes."""

    folder: str
    window: int
    output: str
    classes: int


STAFF_NET = NetShape("unet_big", 256, "prediction", 3)
SYMBOL_NET = NetShape("seg_net", 288, "conv2d_25", 4)
BACKGROUND, STAFF, SYMBOL = range(3)
NOTHING, STEM_REST_BAR, NOTEHEAD, CLEF_KEY_ACCIDENTAL = range(4)

MEANING: dict[Corner, tuple[int, int]] = {
    (1, 1, 1): (BACKGROUND, NOTHING),
    (1, 0, 0): (STAFF, NOTHING),
    (0, 0, 1): (SYMBOL, NOTEHEAD),
    (0, 1, 1): (SYMBOL, STEM_REST_BAR),
    (0, 1, 0): (SYMBOL, CLEF_KEY_ACCIDENTAL),
    (1, 1, 0): (BACKGROUND, NOTEHEAD),
    (1, 0, 1): (BACKGROUND, NOTHING),
    (0, 0, 0): (SYMBOL, NOTHING),
}
"""What the colour nets take a corner of the RGB cube for: classes of the two nets."""


def colour_nets(folder: Path) -> Path:
    """Write the nets that read class colours; gives the folder.

    Each pixel's channels are cut at half, the eight corners of the cube become a one-hot
    vector by one matrix, and a second one gives each corner its class.
    """
    corners = list(MEANING)
    for number, net in enumerate((STAFF_NET, SYMBOL_NET)):
        # oemer hands its nets OpenCV's order: blue, green, red
        signs = [[2.0 * corner[c] - 1 for corner in corners] for c in (2, 1, 0)]
        bias = [1.0 - sum(corner) for corner in corners]
        rows = [[float(MEANING[k][number] == c) for c in range(net.classes)] for k in corners]
        graph = _Graph()
        bright = graph.floats(graph.add("Greater", graph.pixels, graph.constant(127.5)))
        seen = graph.add("MatMul", bright, graph.matrix(signs))
        one_hot = graph.add("Relu", graph.add("Add", seen, graph.matrix([bias])))
        graph.add("MatMul", one_hot, graph.matrix(rows), out=net.output)
        graph.save(net, folder)
    return folder


def blind_nets(folder: Path) -> Path:
    """Write nets that take every pixel for background; gives the folder."""
    for net in (STAFF_NET, SYMBOL_NET):
        graph = _Graph()
        rows = [[float(c == 0) for c in range(net.classes)]] * 3
        bright = graph.add("Add", graph.pixels, graph.constant(1.0))
        graph.add("MatMul", bright, graph.matrix(rows), out=net.output)
        graph.save(net, folder)
    return folder


def print_nets(folder: Path) -> Path:
    """Write the nets that read black print by morphology; gives the folder."""
    graph = _Graph()
    ink = graph.ink()
    thick = graph.opened(ink, 5, 1)
    staff = graph.without(graph.opened(ink, 1, 25), thick)
    graph.classes([staff, graph.without(ink, staff)], STAFF_NET)
    graph.save(STAFF_NET, folder)

    graph = _Graph()
    ink = graph.ink()
    symbols = graph.without(ink, graph.without(graph.opened(ink, 1, 25), graph.opened(ink, 5, 1)))
    beams = graph.grown(graph.opened(symbols, 4, 19), 3, 3)
    lines = graph.without(graph.opened(ink, 30, 1), graph.opened(ink, 9, 9))
    # two lines side by side and shorter than a bar line are those of a sharp
    short = graph.without(lines, graph.opened(ink, 50, 1))
    twins = graph.grown(graph.without(graph.closed(short, 1, 11), short), 9, 15)
    stems = graph.without(lines, twins)
    solid = graph.closed(symbols, 9, 9)
    digits = graph.opened(solid, 45, 7)
    clefs = graph.grown(graph.opened(graph.closed(symbols, 13, 13), 16, 22), 61, 25)
    heads = graph.opened(solid, 9, 11)
    for other in (beams, stems, digits, twins, clefs):
        heads = graph.without(heads, other)
    rest = symbols
    for other in (beams, lines, graph.grown(heads, 5, 5), digits):
        rest = graph.without(rest, other)
    high = graph.grown(graph.opened(graph.closed(rest, 7, 7), 15, 5), 9, 9)
    signs = graph.without(
        graph.both(symbols, graph.either(graph.either(high, twins), clefs)), stems
    )
    signs = graph.without(signs, graph.grown(heads, 5, 5))
    graph.classes([stems, heads, signs], SYMBOL_NET)
    graph.save(SYMBOL_NET, folder)
    return folder


def stock_oemer(folder: Path, nets: Path) -> Path:
    """Copy the installed oemer with these nets as its checkpoints.

    Returns:
        The folder to put on ``PYTHONPATH`` for ``python -m oemer.ete``.
    """
    spec = importlib.util.find_spec("oemer")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("oemer is not installed")
    package = folder / "oemer"
    ignored = shutil.ignore_patterns("__pycache__", "*.onnx", "*.h5")
    shutil.copytree(spec.submodule_search_locations[0], package, ignore=ignored)
    for net in (STAFF_NET, SYMBOL_NET):
        place = package / "checkpoints" / net.folder / "model.onnx"
        shutil.copyfile(nets / net.folder / "model.onnx", place)
    return folder


class _Graph:
    """An ONNX graph under construction; values are named by the order they are made in."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.pixels = self.floats("input")

    def add(self, kind: str, *given: str, out: str = "", **attributes: Any) -> str:
        """Add a node; gives the name of its value."""
        from onnx import helper

        name = out or f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(given), [name], **attributes))
        return name

    def floats(self, value: str) -> str:
        from onnx import TensorProto

        return self.add("Cast", value, to=TensorProto.FLOAT)

    def matrix(self, rows: Sequence[Sequence[float]], shape: Sequence[int] = ()) -> str:
        from onnx import TensorProto, helper

        name = f"c{len(self._constants)}"
        shape = shape or (len(rows), len(rows[0]))
        values = [value for row in rows for value in row]
        self._constants.append(helper.make_tensor(name, TensorProto.FLOAT, shape, values))
        return name

    def constant(self, value: float) -> str:
        return self.matrix([[value]], (1,))

    def ink(self) -> str:
        """1 where the page is dark, shape (n, 1, side, side)."""
        mean = self.add("ReduceMean", self.pixels, axes=[3], keepdims=1)
        dark = self.floats(self.add("Less", mean, self.constant(140.0)))
        return self.add("Transpose", dark, perm=[0, 3, 1, 2])

    def grown(self, value: str, height: int, width: int) -> str:
        """Dilation with a rectangle: one side after the other, which costs their sum."""
        for side, kernel in ((height, [height, 1]), (width, [1, width])):
            if side > 1:
                value = self._pooled(value, kernel, (side - 1) // 2)
        return value

    def shrunk(self, value: str, height: int, width: int) -> str:
        """Erosion: the dilation of the negative, with the rectangle turned round."""
        value = self.add("Neg", value)
        for side, kernel in ((height, [height, 1]), (width, [1, width])):
            if side > 1:
                value = self._pooled(value, kernel, side // 2)
        return self.add("Neg", value)

    def _pooled(self, value: str, kernel: list[int], before: int) -> str:
        after = max(kernel) - 1 - before
        pads = [before, 0, after, 0] if kernel[0] > 1 else [0, before, 0, after]
        return self.add("MaxPool", value, kernel_shape=kernel, pads=pads, strides=[1, 1])

    def opened(self, value: str, height: int, width: int) -> str:
        return self.grown(self.shrunk(value, height, width), height, width)

    def closed(self, value: str, height: int, width: int) -> str:
        return self.shrunk(self.grown(value, height, width), height, width)

    def without(self, value: str, other: str) -> str:
        """Where ``value`` is and ``other`` is not."""
        return self.add("Relu", self.add("Sub", value, other))

    def both(self, value: str, other: str) -> str:
        return self.add("Mul", value, other)

    def either(self, value: str, other: str) -> str:
        return self.add("Max", value, other)

    def classes(self, masks: list[str], net: NetShape) -> None:
        """The masks as probabilities beside a background, channels last."""
        half = self.add("Mul", self.add("Sub", masks[0], masks[0]), self.constant(0.0))
        background = self.add("Add", half, self.constant(0.5))
        stacked = self.add("Concat", background, *masks, axis=1)
        self.add("Transpose", stacked, perm=[0, 2, 3, 1], out=net.output)

    def save(self, net: NetShape, folder: Path) -> None:
        import onnx
        from onnx import TensorProto, helper

        side = net.window
        given = helper.make_tensor_value_info("input", TensorProto.UINT8, ["n", side, side, 3])
        found = helper.make_tensor_value_info(
            net.output, TensorProto.FLOAT, ["n", side, side, net.classes]
        )
        graph = helper.make_graph(self._nodes, net.folder, [given], [found], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        place = folder / net.folder
        place.mkdir(parents=True, exist_ok=True)
        onnx.save(model, place / "model.onnx")
