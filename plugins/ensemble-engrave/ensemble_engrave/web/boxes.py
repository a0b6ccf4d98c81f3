"""The overlay of a source page: a box for each thing that was read there."""

from __future__ import annotations

from html import escape

from ensemble_core.model import Element, PageOfScore, Score

_WIDE = {"measure", "staff", "system"}
"""Kinds that hold others; they are places, not symbols."""

_ROOM = 3
"""Pixels a box is drawn outside of its symbol, so that the symbol can be seen."""


def is_symbol(element: Element) -> bool:
    """Whether it is something printed rather than a place that holds such things."""
    return element.kind not in _WIDE


def is_doubtful(element: Element, below: float) -> bool:
    """Whether it is a symbol that was read with less confidence than ``below``."""
    sure = element.confidence
    return is_symbol(element) and sure is not None and sure < below


def overlay(score: Score, page: PageOfScore, doubtful_below: float) -> str:
    """An SVG in the source page's pixels; small boxes lie on top of large ones."""
    here = [element for element in score.elements if element.page == page.page]
    here.sort(key=lambda element: (-_area(element), element.id))
    boxes = "".join(_box(element, doubtful_below) for element in here)
    return (
        f'<svg class="boxes" viewBox="0 0 {page.width} {page.height}" '
        f'preserveAspectRatio="none" aria-hidden="true">{boxes}</svg>'
    )


def _box(element: Element, doubtful_below: float) -> str:
    box = element.box
    sure = element.confidence
    room = 0 if element.kind in _WIDE else _ROOM
    classes = ["box", f"k-{_word(element.kind)}"]
    classes.append("qn" if sure is None else f"q{min(9, max(0, int(sure * 10)))}")
    if is_doubtful(element, doubtful_below):
        classes.append("doubtful")
    says = "" if sure is None else f' data-sure="{round(100 * sure)}"'
    return (
        f'<rect class="{" ".join(classes)}" data-ref="{escape(element.id)}" '
        f'data-kind="{escape(element.kind)}"{says} '
        f'x="{box.left - room:.1f}" y="{box.top - room:.1f}" '
        f'width="{max(1.0, box.right - box.left + 2 * room):.1f}" '
        f'height="{max(1.0, box.bottom - box.top + 2 * room):.1f}" rx="4"/>'
    )


def _area(element: Element) -> float:
    box = element.box
    return (box.right - box.left) * (box.bottom - box.top)


def _word(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in kind.lower())
