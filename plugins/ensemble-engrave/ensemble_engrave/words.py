"""Text of an SVG: nested ``tspan`` s become runs, runs with one anchor become chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .fonts import Fonts
from .style import Look, number


@attrs.define
class Chunk:
    """Runs that follow one another from one point; ``anchor`` says where the point is."""

    x: float
    y: float
    anchor: str
    runs: list[tuple[str, Look]] = attrs.field(factory=list)


def chunks(element: Any, look: Look, rules: Mapping[str, Mapping[str, str]]) -> Iterator[Chunk]:
    """The chunks of a ``text`` element that have words in them."""
    found = [Chunk(_at(element, "x", 0.0), _at(element, "y", 0.0), look.anchor)]
    _collect(element, look, rules, found)
    return (chunk for chunk in found if chunk.runs)


def _collect(
    element: Any, look: Look, rules: Mapping[str, Mapping[str, str]], found: list[Chunk]
) -> None:
    _add(found[-1], element.text, look)
    for child in element:
        if not isinstance(child.tag, str) or not child.tag.endswith("tspan"):
            continue
        inner = look.inside(child, rules)
        last = found[-1]
        if child.get("x") is not None or child.get("y") is not None:
            found.append(Chunk(_at(child, "x", last.x), _at(child, "y", last.y), inner.anchor))
        elif child.get("text-anchor") and not last.runs:
            last.anchor = inner.anchor
        _collect(child, inner, rules, found)
        _add(found[-1], child.tail, look)


def _add(chunk: Chunk, text: str | None, look: Look) -> None:
    # Verovio indents its output; between its tspans the text has size 0 and is not there.
    if text and look.size > 0 and not look.hidden and not ("\n" in text and not text.strip()):
        chunk.runs.append((text, look))


def _at(element: Any, key: str, default: float) -> float:
    value = element.get(key)
    return default if value is None else number(value)


def write(canvas: Any, chunk: Chunk, fonts: Fonts) -> None:
    """Write a chunk on a canvas whose y axis points down."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    measured = []
    for text, look in chunk.runs:
        font = fonts.name(_family(look), bold=look.bold, italic=look.italic)
        width = stringWidth(text, font, look.size) + look.spacing * len(text)
        measured.append((text, look, font, width))
    total = sum(width for *_, width in measured)
    x = chunk.x - {"middle": total / 2, "end": total}.get(chunk.anchor, 0.0)
    for text, look, font, width in measured:
        if look.fill != "none":
            canvas.saveState()
            canvas.translate(x, chunk.y)
            canvas.scale(1, -1)
            canvas.setFillColor(look.fill)
            canvas.setFont(font, look.size)
            canvas.drawString(0, 0, text, charSpace=look.spacing)
            canvas.restoreState()
        x += width


def _family(look: Look) -> str:
    return "Liberation" if look.family in ("Times", "serif") else look.family
