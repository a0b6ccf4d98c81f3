"""What a drawn element looks like: the few properties Verovio's SVG uses, inherited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CLASS = re.compile(r"\bg\.([\w-]+)\s*$")


@attrs.frozen
class Look:
    """The inherited properties at one place of the tree; sizes in the units around it."""

    family: str = "Times"
    size: float = 0.0
    bold: bool = False
    italic: bool = False
    spacing: float = 0.0
    anchor: str = "start"
    fill: str = "black"
    stroke: str = "black"
    stroke_width: float = 1.0
    cap: int = 0
    join: int = 0
    dash: tuple[float, ...] = ()
    hidden: bool = False

    def inside(self, element: Any, by_class: Mapping[str, Mapping[str, str]]) -> Look:
        """The look inside ``element``: the style sheet's words, then its own attributes."""
        words: dict[str, str] = {}
        for name in (element.get("class") or "").split():
            words.update(by_class.get(name, {}))
        words.update(element.attrib)
        changes: dict[str, Any] = {}
        for key, value in words.items():
            if key in _READ:
                field, read = _READ[key]
                changes[field] = read(value)
        return attrs.evolve(self, **changes) if changes else self


def number(text: str) -> float:
    """The number of a length: ``405px`` is 405."""
    match = re.match(r"\s*(-?[\d.]+(?:e-?\d+)?)", text)
    return float(match.group(1)) if match else 0.0


def colour(text: str) -> str:
    """A colour ReportLab knows, or ``none``; black for what is no colour.

    MusicXML writes a transparent colour as #AARRGGBB, and Verovio hands it on.
    """
    text = text.strip()
    if match := re.fullmatch(r"#(?:[0-9a-fA-F]{2})?([0-9a-fA-F]{6})", text):
        return f"#{match.group(1)}"
    if text == "none":
        return text
    from reportlab.lib.colors import getAllNamedColors

    return text.lower() if text.lower() in getAllNamedColors() else "black"


def _family(text: str) -> str:
    return text.partition(",")[0].strip(" '\"")


_READ: dict[str, tuple[str, Any]] = {
    "font-family": ("family", _family),
    "font-size": ("size", number),
    "font-weight": ("bold", lambda text: text == "bold"),
    "font-style": ("italic", lambda text: text in ("italic", "oblique")),
    "letter-spacing": ("spacing", number),
    "text-anchor": ("anchor", str),
    "fill": ("fill", colour),
    "color": ("stroke", colour),  # the style sheet strokes shapes with the current colour
    "stroke-width": ("stroke_width", number),
    "stroke-linecap": ("cap", lambda text: {"round": 1, "square": 2}.get(text, 0)),
    "stroke-linejoin": ("join", lambda text: {"round": 1, "bevel": 2}.get(text, 0)),
    "stroke-dasharray": (
        "dash", lambda text: tuple(float(part) for part in re.findall(r"[\d.]+", text))
    ),
    "visibility": ("hidden", lambda text: text == "hidden"),
}  # fmt: skip


def class_rules(css: str) -> dict[str, dict[str, str]]:
    """The rules of Verovio's style sheet that speak of classes: ``g.dynam {…}``."""
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in _RULE.findall(re.sub(r"@font-face\s*\{.*?\}", "", css, flags=re.DOTALL)):
        pairs = (part.partition(":") for part in body.split(";"))
        words = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        for selector in selectors.split(","):
            if match := _CLASS.search(selector):
                rules.setdefault(match.group(1), {}).update(words)
    return rules
