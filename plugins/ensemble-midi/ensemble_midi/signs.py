"""The road signs of a score: repeats, endings, segno, coda, Fine and the jumps."""

from __future__ import annotations

import re
from typing import Any

import attrs

from .source import whole

MOST_TIMES = 99
"""More passes than this through one repeat are a slip of the encoder."""

_STRONG = {"light-light", "light-heavy", "heavy-light", "heavy-heavy", "heavy"}
_FINE = re.compile(r"^\W*fine\W*$", re.I)
_TO_CODA = re.compile(r"\b(to|alla)\s+coda\b", re.I)
_DA_CAPO = re.compile(r"(\bd\.?\s*c\b\.?|\bda\s+capo\b)", re.I)
_DAL_SEGNO = re.compile(r"(\bd\.?\s*s\b\.?|\bdal\s+segno\b)", re.I)


@attrs.define
class BarSigns:
    """What stands at one bar, in any part.

    Attributes:
        number: As printed.
        implicit: Not counted: a pick-up, or the rest of a divided bar.
        forward: A repeat begins with it.
        backward: Passes through the repeat that ends with it; 0: none ends.
        after_jump: That repeat is played again after a D.C. or D.S., too.
        starts: Passes an ending that starts here is for; empty: none starts.
        stops: An ending stops with it.
        segno: Labels of the segnos here.
        coda: Labels of the codas here.
        fine: The end after a jump.
        da_capo: Jump to the beginning.
        dal_segno: Label of the segno to jump to; None: no jump.
        to_coda: Label of the coda to jump to; None: no jump.
        strong_left: A double or heavy barline, or a repeat, on its left.
        strong_right: The same on its right.
    """

    number: str = ""
    implicit: bool = False
    forward: bool = False
    backward: int = 0
    after_jump: bool = False
    starts: frozenset[int] = frozenset()
    stops: bool = False
    segno: set[str] = attrs.field(factory=set)
    coda: set[str] = attrs.field(factory=set)
    fine: bool = False
    da_capo: bool = False
    dal_segno: str | None = None
    to_coda: str | None = None
    strong_left: bool = False
    strong_right: bool = False


def read_signs(root: Any) -> list[BarSigns]:
    """The signs of every bar, gathered from all parts."""
    bars: list[BarSigns] = []
    for part in root.iterfind("part"):
        for index, measure in enumerate(part.iterfind("measure")):
            if index == len(bars):
                bars.append(BarSigns(number=measure.get("number", "")))
            bar = bars[index]
            bar.implicit |= measure.get("implicit") == "yes"
            for barline in measure.iterfind("barline"):
                _barline(barline, bar)
            for element in measure:
                if element.tag == "direction":
                    _direction(element, bar)
                elif element.tag == "sound":
                    _sound(element, bar)
    _tell_codas_apart(bars)
    return bars


def _barline(barline: Any, bar: BarSigns) -> None:
    left = barline.get("location") == "left"
    style = barline.findtext("bar-style")
    repeat = barline.find("repeat")
    ending = barline.find("ending")
    if repeat is not None and repeat.get("direction") == "forward":
        bar.forward = True
    elif repeat is not None:
        times = whole(repeat.get("times"), 1, MOST_TIMES) or 2
        bar.backward = max(bar.backward, times)
        bar.after_jump |= repeat.get("after-jump") == "yes"
    if ending is not None:
        if ending.get("type") == "start":
            bar.starts = bar.starts | _passes(ending)
        else:
            bar.stops = True
    strong = style in _STRONG or repeat is not None or ending is not None
    bar.strong_left |= strong and left
    bar.strong_right |= strong and not left


def _passes(ending: Any) -> frozenset[int]:
    """The passes an ending is for: its number attribute, else its text, else 1."""
    for text in (ending.get("number"), ending.text):
        found: set[int] = set()
        for first, last in re.findall(r"(\d{1,2})(?:\s*[-–]\s*(\d{1,2}))?", text or ""):
            found.update(range(int(first), int(last or first) + 1))
        if found - {0}:
            return frozenset(found - {0})
    return frozenset({1})


def _direction(direction: Any, bar: BarSigns) -> None:
    sounds = direction.findall("sound")
    before = (bar.fine, bar.da_capo, bar.dal_segno, bar.to_coda)
    for sound in sounds:
        _sound(sound, bar)
    told = before != (bar.fine, bar.da_capo, bar.dal_segno, bar.to_coda)
    if direction.find("direction-type/segno") is not None:
        labels = {s.get("segno") for s in sounds if s.get("segno")}
        bar.segno |= labels or {""}
    words = " ".join(w.text or "" for w in direction.iterfind("direction-type/words"))
    jumping = told or _words(words, bar)
    if direction.find("direction-type/coda") is not None and not jumping:
        labels = {s.get("coda") for s in sounds if s.get("coda")}
        bar.coda |= labels or {""}


def _words(words: str, bar: BarSigns) -> bool:
    """Understand a jump that is only written out; True if there is one."""
    if _FINE.match(words):
        bar.fine = True
    elif _DAL_SEGNO.search(words):
        bar.dal_segno = bar.dal_segno or ""
    elif _DA_CAPO.search(words):
        bar.da_capo = True
    elif _TO_CODA.search(words):
        bar.to_coda = bar.to_coda or ""
    else:
        return False
    return True


def _sound(sound: Any, bar: BarSigns) -> None:
    if sound.get("segno"):
        bar.segno.add(sound.get("segno"))
    if sound.get("coda"):
        bar.coda.add(sound.get("coda"))
    if sound.get("fine"):
        bar.fine = True
    if sound.get("dacapo") == "yes":
        bar.da_capo = True
    if sound.get("dalsegno"):
        bar.dal_segno = sound.get("dalsegno")
    if sound.get("tocoda"):
        bar.to_coda = sound.get("tocoda")


def _tell_codas_apart(bars: list[BarSigns]) -> None:
    """Where only bare coda signs stand, all but the last say *to* the coda."""
    signs = [bar for bar in bars if bar.coda]
    if len(signs) > 1 and all(bar.to_coda is None for bar in bars):
        for bar in signs[:-1]:
            if bar.coda == {""}:
                bar.coda, bar.to_coda = set(), ""
