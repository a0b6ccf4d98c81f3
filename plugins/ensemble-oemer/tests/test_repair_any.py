"""Whatever bars oemer may write: the repair's result is valid, complete, and keeps the notes."""

from __future__ import annotations

from collections import Counter

from ensemble_oemer.repair import repair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from oemer_written import TYPES, oemer_page

from ensemble_core.musicxml import check_wellformed_score, find_schema, validate

LENGTHS = [*TYPES, *(round(length * 1.5) for length in TYPES)]
PITCHES = ["C4", "F#4", "Bb3", "F4", "G5", "A0", "C8"]


@st.composite
def words(draw: st.DrawFn) -> str:
    """A word of a bar as oemer might write it, sensible or not."""
    length = draw(st.sampled_from(LENGTHS))
    staff = draw(st.sampled_from(["", "", "2:"]))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["clef1:F", "clef2:G", "clef1:G", "key:-3", "key:0", "system"]))
    kind = draw(st.sampled_from(["note", "note", "note", "chord", "rest", "<", ">"]))
    if kind in "<>":
        return f"{kind}{length}"
    if kind == "rest":
        return f"{staff}r/{length}"
    second = draw(st.sampled_from(["", "", "v2"]))
    plus = "+" if kind == "chord" else ""
    return f"{staff}{plus}{draw(st.sampled_from(PITCHES))}/{length}{second}"


bars = st.lists(st.lists(words(), max_size=10).map(" ".join), min_size=1, max_size=6)


def pitches(data: bytes) -> Counter[tuple[str, ...]]:
    """How often each pitch is written in each staff."""
    return Counter(
        tuple(note.findtext(f"pitch/{tag}") or "0" for tag in ("step", "alter", "octave"))
        for note in etree.fromstring(data).iter("note")
        if note.find("pitch") is not None
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(page=bars, fifths=st.integers(-6, 6))
def test_any_bars_come_out_valid_whole_and_the_same_twice(page: list[str], fifths: int) -> None:
    stock = oemer_page(" | ".join(page), staves=2, fifths=fifths)
    data, told = repair(stock)
    check_wellformed_score(data)
    if find_schema():
        assert validate(data) == []
    assert repair(data)[0] == data
    twins = next((int(d.message.split()[2]) for d in told if d.code == "oemer-twins"), 0)
    assert (pitches(stock) - pitches(data)).total() == twins
    assert not pitches(data) - pitches(stock)
    _hold_together(data)


def _hold_together(data: bytes) -> None:
    """In every bar each voice is gapless or leaps forward, none overlaps, all staves are there."""
    for measure in etree.fromstring(data).iter("measure"):
        now = 0
        ends: dict[str, int] = {}
        staves = set()
        for child in measure:
            length = int(child.findtext("duration") or 0)
            if child.tag == "backup":
                now -= length
                assert now >= 0
            elif child.tag == "forward":
                now += length
            elif child.tag == "note" and child.find("chord") is None:
                voice = child.findtext("voice") or ""
                assert now >= ends.get(voice, 0)
                now += length
                ends[voice] = now
                staves.add(child.findtext("staff"))
        assert staves == {"1", "2"}
