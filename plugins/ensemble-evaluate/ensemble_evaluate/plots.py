"""Plots as SVG, drawn by hand: they take their colours from the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median

import attrs

from .summary import Figures

_LEFT, _RIGHT, _ROW = 190, 60, 24
_WIDTH = 760


@attrs.frozen
class Dot:
    """One document in a plot: its value and what is shown when the pointer is on it."""

    value: float
    label: str
    series: int = 0


def strips(rows: Mapping[str, Sequence[Dot]], most: float, unit: str) -> str:
    """One line of dots a group, its median as a stroke.

    Args:
        rows: Name of the group → its documents.
        most: Right end of the axis.
        unit: What the axis counts, for its label (``%`` multiplies by 100).
    """
    height = _ROW * len(rows) + 40
    parts = [_axis(most, unit, height)]
    for number, (name, dots) in enumerate(rows.items()):
        y = 16 + _ROW * number
        parts.append(_text(_LEFT - 10, y + 4, name, "end"))
        parts.append(_line(_LEFT, y, _WIDTH - _RIGHT, y, "grid"))
        for dot in dots:
            x = _x(dot.value, most)
            shift = (dot.series - 0.5) * 4 if len({d.series for d in dots}) > 1 else 0
            parts.append(
                f'<circle class="s{dot.series}" cx="{x:.1f}" cy="{y + shift:.1f}" r="3.5">'
                f"<title>{escape(dot.label)}</title></circle>"
            )
        for series in sorted({dot.series for dot in dots}):
            x = _x(median(dot.value for dot in dots if dot.series == series), most)
            parts.append(_line(x, y - 9, x, y + 9, f"median s{series}"))
    return _svg(parts, height)


def bars(costs: Sequence[Figures], most: int = 14) -> str:
    """What OMR-NED is made of: missed, invented and changed, as share of all symbols."""
    shown = [row for row in costs if row["edits"]][:most]
    if not shown:
        return ""
    top = max(row["share"] for row in shown)
    height = _ROW * len(shown) + 12
    parts: list[str] = []
    for number, row in enumerate(shown):
        y = 14 + _ROW * number
        parts.append(_text(_LEFT - 10, y + 4, row["kind"], "end"))
        x: float = _LEFT
        for how in ("missed", "invented", "changed"):
            share = row["share"] * row[how] / row["edits"]
            width = (_WIDTH - _LEFT - _RIGHT) * share / top
            parts.append(
                f'<rect class="{how}" x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="16">'
                f"<title>{escape(row['kind'])}: {row[how]} symbols {how}</title></rect>"
            )
            x += width
        parts.append(_text(x + 6, y + 4, f"{100 * row['share']:.2f} %", "start"))
    return _svg(parts, height)


def _x(value: float, most: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(value, 0.0), most) / most


def _axis(most: float, unit: str, height: int) -> str:
    parts = []
    for step in range(6):
        value = most * step / 5
        x = _x(value, most)
        shown = f"{100 * value:.0f} %" if unit == "%" else f"{value:.3g} {unit}"
        parts.append(_line(x, 4, x, height - 26, "grid"))
        parts.append(_text(x, height - 8, shown, "middle"))
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], height: int) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img">' + "".join(parts) + "</svg>"
    )
