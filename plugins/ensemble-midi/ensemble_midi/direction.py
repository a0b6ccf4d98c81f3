"""Directions, reduced to dynamics, hairpins and tempo."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from .source import number

_DYNAMIC = re.compile(r"(n|pf|[smfprz]{1,6})")
_UNITS = {
    "maxima", "long", "breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th",
    "128th", "256th", "512th", "1024th",
}  # fmt: skip


def reduce_direction(direction: Any, wedges: set[str]) -> str:
    """A ``<direction>`` with what is heard of it; ``{}`` stands for its offset.

    Args:
        direction: The element.
        wedges: Numbers of the open hairpins; kept up to date, so that none ends twice.

    Returns:
        MusicXML, or an empty string if nothing of it is heard.
    """
    kinds = []
    for element in direction.iterfind("direction-type/*"):
        text = ""
        if element.tag == "dynamics":
            text = _dynamics(element)
        elif element.tag == "wedge":
            text = _wedge(element, wedges)
        elif element.tag == "metronome":
            text = _metronome(element)
        elif element.tag == "words":
            words = escape(" ".join((element.text or "").split())[:200].replace("{}", ""))
            text = f"<words>{words}</words>" if words else ""
        if text:
            kinds.append(f"<direction-type>{text}</direction-type>")
    sound = direction.find("sound")
    tempo = number(sound.get("tempo")) if sound is not None else None
    heard = f'<sound tempo="{float(tempo)}"/>' if tempo and tempo > 0 else ""
    if heard and not kinds:
        kinds = ["<direction-type><words/></direction-type>"]
    if not kinds:
        return ""
    return f"<direction>{''.join(kinds)}<offset>{{}}</offset>{heard}</direction>"


def _dynamics(element: Any) -> str:
    marks = []
    for mark in element:
        name = mark.tag if mark.tag != "other-dynamics" else (mark.text or "").strip()
        if isinstance(name, str) and _DYNAMIC.fullmatch(name):
            marks.append(f"<{name}/>")
    return f"<dynamics>{''.join(marks)}</dynamics>" if marks else ""


def _wedge(element: Any, wedges: set[str]) -> str:
    kind, label = element.get("type"), re.sub(r"\W", "", element.get("number") or "1") or "1"
    if kind == "stop" and label in wedges:
        wedges.discard(label)
    elif kind in ("crescendo", "diminuendo") and label not in wedges:
        wedges.add(label)
    else:
        return ""
    return f'<wedge type="{kind}" number="{label}"/>'


def _metronome(element: Any) -> str:
    """A metronome mark with a number, or an equation of two note values."""
    units: list[str] = []
    for child in element:
        if child.tag == "beat-unit" and (child.text or "").strip() in _UNITS:
            units.append(f"<beat-unit>{child.text.strip()}</beat-unit>")
        elif child.tag == "beat-unit-dot" and units:
            units[-1] += "<beat-unit-dot/>"
    found = re.search(r"\d+(\.\d+)?", element.findtext("per-minute") or "")
    if found and len(units) == 1 and float(found.group()) > 0:
        minute = f"<per-minute>{found.group()}</per-minute>"
        return f"<metronome>{units[0]}{minute}</metronome>"
    if not found and len(units) == 2:
        return f"<metronome>{units[0]}{units[1]}</metronome>"
    return ""
