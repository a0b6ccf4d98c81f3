"""Verovio's SVG painted on a ReportLab canvas, as vectors and searchable text.

Verovio writes a small, closed part of SVG: nested ``svg`` and ``g``, ``use`` of glyph
outlines, ``path``, ``rect``, ``ellipse``, ``polygon``, ``polyline``, ``text`` with nested
``tspan``. General converters stumble over just that text and over nested ``svg``; this one
knows these elements and says which others it met.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from .fonts import Fonts
from .style import Look, class_rules, number

_TRANSFORM = re.compile(r"(\w+)\s*\(([^)]*)\)")
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_SILENT = {"desc", "defs", "style", "title"}


def tag_of(element: Any) -> str:
    """The element's name without its namespace; empty for comments."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


class Painter:
    """Paints pages on one canvas; glyph outlines are stored once per document.

    Args:
        canvas: A ``reportlab.pdfgen.canvas.Canvas``.
    """

    def __init__(self, canvas: Any) -> None:
        self.unknown: set[str] = set()
        self._canvas = canvas
        self._fonts = Fonts()
        self._forms: dict[str, str] = {}
        self._glyphs: dict[str, Any] = {}
        self._rules: dict[str, dict[str, str]] = {}
        self._draw: dict[str, Callable[[Any, Look], None]] = {
            "svg": self._svg, "g": self._group, "use": self._use, "path": self._path,
            "rect": self._rect, "ellipse": self._ellipse, "polygon": self._polygon,
            "polyline": self._polygon, "text": self._text,
        }  # fmt: skip

    def page(self, root: Any, width: float, height: float) -> None:
        """Paint one SVG tree on the current page, ``width`` × ``height`` points."""
        css = "".join(style.text or "" for style in root.iter() if tag_of(style) == "style")
        self._fonts.read(css)
        self._rules = class_rules(css)
        self._glyphs = {
            glyph.get("id"): glyph
            for defs in root.iter() if tag_of(defs) == "defs"
            for glyph in defs
        }  # fmt: skip
        self._define_glyphs()
        _, _, wide, high = _numbers(root.get("viewBox"))
        self._canvas.saveState()
        self._canvas.translate(0, height)
        self._canvas.scale(width / wide, -height / high)
        self._size = (wide, high)
        for child in root:
            self._element(child, Look())
        self._canvas.restoreState()

    def _define_glyphs(self) -> None:
        for glyph in self._glyphs.values():
            outline = _outline(glyph)
            if outline not in self._forms:
                name = "G" + hashlib.sha256(outline.encode()).hexdigest()[:12]
                self._forms[outline] = name
                self._canvas.beginForm(name, -9999, -9999, 9999, 9999)
                for path in glyph:
                    self._transform(path.get("transform"))
                    self._canvas.drawPath(self._trace(path.get("d")), stroke=0, fill=1)
                self._canvas.endForm()

    def _element(self, element: Any, look: Look) -> None:
        tag = tag_of(element)
        draw = self._draw.get(tag)
        if draw is None:
            if tag and tag not in _SILENT:
                self.unknown.add(tag)
            return
        look = look.inside(element, self._rules)
        if look.hidden:
            return
        transform = element.get("transform")
        if transform is None:
            draw(element, look)
            return
        self._canvas.saveState()
        self._transform(transform)
        draw(element, look)
        self._canvas.restoreState()

    def _transform(self, text: str | None) -> None:
        for name, words in _TRANSFORM.findall(text or ""):
            values = _numbers(words)
            if name == "translate":
                self._canvas.translate(values[0], values[1] if len(values) > 1 else 0)
            elif name == "scale":
                self._canvas.scale(values[0], values[-1])
            elif name == "rotate":
                x, y = values[1:] if len(values) == 3 else (0.0, 0.0)
                self._canvas.translate(x, y)
                self._canvas.rotate(values[0])
                self._canvas.translate(-x, -y)
            elif name == "matrix":
                self._canvas.transform(*values)

    def _svg(self, element: Any, look: Look) -> None:
        left, top, wide, high = _numbers(element.get("viewBox"))
        self._canvas.saveState()
        self._canvas.scale(self._size[0] / wide, self._size[1] / high)
        self._canvas.translate(-left, -top)
        self._group(element, look)
        self._canvas.restoreState()

    def _group(self, element: Any, look: Look) -> None:
        for child in element:
            self._element(child, look)

    def _use(self, element: Any, look: Look) -> None:
        href = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
        glyph = self._glyphs.get(href.lstrip("#"))
        if glyph is None:
            self.unknown.add(f"use of {href}")
            return
        self._canvas.setFillColor(look.fill)
        self._canvas.doForm(self._forms[_outline(glyph)])

    def _shape(self, path: Any, element: Any, look: Look) -> None:
        filled = look.fill != "none" and element.get("fill-opacity") != "0"
        if filled:
            self._canvas.setFillColor(look.fill)
        self._canvas.setStrokeColor(look.stroke)
        self._canvas.setLineWidth(look.stroke_width)
        self._canvas.setLineCap(look.cap)
        self._canvas.setLineJoin(look.join)
        self._canvas.setDash(list(look.dash) if look.dash else [])
        self._canvas.drawPath(path, stroke=int(look.stroke_width > 0), fill=int(filled))

    def _trace(self, outline: str) -> Any:
        from fontTools.svgLib.path import parse_path

        from .pen import make_pen

        path = self._canvas.beginPath()
        parse_path(outline, make_pen(path))
        return path

    def _path(self, element: Any, look: Look) -> None:
        self._shape(self._trace(element.get("d")), element, look)

    def _rect(self, element: Any, look: Look) -> None:
        path = self._canvas.beginPath()
        path.rect(*(number(element.get(key, "0")) for key in ("x", "y", "width", "height")))
        self._shape(path, element, look)

    def _ellipse(self, element: Any, look: Look) -> None:
        x, y, rx, ry = (number(element.get(key, "0")) for key in ("cx", "cy", "rx", "ry"))
        path = self._canvas.beginPath()
        path.ellipse(x - rx, y - ry, 2 * rx, 2 * ry)
        self._shape(path, element, look)

    def _polygon(self, element: Any, look: Look) -> None:
        values = _numbers(element.get("points"))
        path = self._canvas.beginPath()
        for index, point in enumerate(zip(values[::2], values[1::2], strict=False)):
            (path.lineTo if index else path.moveTo)(*point)
        if tag_of(element) == "polygon":
            path.close()
        self._shape(path, element, look)

    def _text(self, element: Any, look: Look) -> None:
        from .words import chunks, write

        for chunk in chunks(element, look, self._rules):
            write(self._canvas, chunk, self._fonts)


def _outline(glyph: Any) -> str:
    return "|".join(f"{path.get('transform')} {path.get('d')}" for path in glyph)


def _numbers(text: str | None) -> list[float]:
    return [float(part) for part in _NUMBER.findall(text or "")]
