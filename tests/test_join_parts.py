"""Joining: names, instruments, credits, and pages of any make."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from ensemble_core.model import Score
from ensemble_core.musicxml import (
    MissingPage,
    check_wellformed_score,
    count_measures,
    find_schema,
    join,
    parse,
    validate,
)
from ensemble_core.testing import PIANO, SamplePart, sample_score

DRUMS = SamplePart("Drums", ("G2",), 4)
VIOLIN = SamplePart("Violin")


def valid(score: Score) -> Score:
    check_wellformed_score(score.musicxml)
    if find_schema():
        assert validate(score.musicxml) == []
    return score


def edit(score: Score, old: str, new: str, times: int = -1) -> Score:
    text = score.musicxml.decode()
    assert old in text
    return attrs.evolve(score, musicxml=text.replace(old, new, times).encode())


def with_instruments(score: Score, part: str, *names: str) -> Score:
    """The part gets the instruments, and its notes play the last of them."""
    listed = "".join(
        f'<score-instrument id="{part}-{n}"><instrument-name>{name}</instrument-name>'
        "</score-instrument>"
        for n, name in enumerate(names)
    )
    midi = "".join(
        f'<midi-instrument id="{part}-{n}"><midi-channel>10</midi-channel></midi-instrument>'
        for n in range(len(names))
    )
    root = parse(score.musicxml)
    place = next(p for p in root.iter("score-part") if p.findtext("part-name") == part)
    for element in parse(f"<x>{listed}{midi}</x>".encode()):
        place.append(element)
    number = place.get("id")
    for note in root.iterfind(f"part[@id='{number}']/measure/note"):
        played = parse(f'<instrument id="{part}-{len(names) - 1}"/>'.encode())
        note.insert(note.index(note.find("duration")) + 1, played)
    return attrs.evolve(score, musicxml=b"<?xml version='1.0'?>" + _text(root))


def _text(root: object) -> bytes:
    from lxml import etree

    text: bytes = etree.tostring(root)
    return text


def played(score: Score) -> Counter[tuple[str, str]]:
    """How often each instrument of each part plays, by their names."""
    root = parse(score.musicxml)
    names = {
        i.get("id"): (p.findtext("part-name"), i.findtext("instrument-name"))
        for p in root.iter("score-part")
        for i in p.iter("score-instrument")
    }
    return Counter(names[i.get("id")] for i in root.iter("instrument"))


class TestInstruments:
    """References to instruments are right after joining."""

    def test_a_new_instrument_of_a_known_part_joins_its_list(self) -> None:
        first = with_instruments(sample_score(1, (DRUMS,)), "Drums", "Snare")
        second = with_instruments(sample_score(1, (DRUMS,), page=1), "Drums", "Cymbal", "Snare")
        third = with_instruments(sample_score(1, (DRUMS,), page=2), "Drums", "Cymbal", "Gong")
        joined = valid(join([first, second, third]))
        assert played(joined) == {("Drums", "Snare"): 8, ("Drums", "Gong"): 4}

    def test_a_new_part_keeps_its_own(self) -> None:
        first = with_instruments(sample_score(1, (PIANO,)), "Piano", "Grand")
        second = sample_score(1, (PIANO, DRUMS), page=1)
        second = with_instruments(with_instruments(second, "Piano", "Grand"), "Drums", "Snare")
        joined = valid(join([first, second]))
        assert played(joined) == {("Piano", "Grand"): 16, ("Drums", "Snare"): 4}


def test_a_name_read_on_a_later_page_is_taken_over() -> None:
    nameless = sample_score(1, (attrs.evolve(VIOLIN, name="Part 1"),))
    joined = valid(join([nameless, sample_score(1, (VIOLIN,), page=1)]))
    assert parse(joined.musicxml).findtext("part-list/score-part/part-name") == "Violin"


def test_parts_grouped_alike_are_matched_by_order_whatever_is_read_of_their_names() -> None:
    garbled = (attrs.evolve(VIOLIN, name="Allegro"), attrs.evolve(PIANO, name="molto"))
    joined = valid(join([sample_score(1, (VIOLIN, PIANO)), sample_score(1, garbled, page=1)]))
    names = [p.findtext("part-name") for p in parse(joined.musicxml).iter("score-part")]
    assert names == ["Violin", "Piano"]


def test_an_instrument_that_takes_the_place_of_another_is_a_new_part() -> None:
    first = (SamplePart("Flute"), SamplePart("Violin"))
    later = (SamplePart("Fiute"), SamplePart("Viola", ("C3",), 3))
    joined = valid(join([sample_score(1, first), sample_score(1, later, page=1)]))
    names = [p.findtext("part-name") for p in parse(joined.musicxml).iter("score-part")]
    assert sorted(names) == ["Flute", "Viola", "Violin"]


def test_what_is_written_on_a_page_keeps_its_page() -> None:
    words = '<credit page="1"><credit-words>Fine del primo atto</credit-words></credit><part-list>'
    pages = [sample_score(1), edit(sample_score(1, page=1), "<part-list>", words)]
    credit = parse(valid(join(pages)).musicxml).find("credit")
    assert credit.get("page") == "2"


def test_a_pick_up_and_divided_bars_do_not_count() -> None:
    first = edit(sample_score(3), '<measure number="1">', '<measure number="1" implicit="yes">')
    second = edit(
        sample_score(2, page=1), '<measure number="2">', '<measure number="2" implicit="yes">'
    )
    root = parse(valid(join([first, second, sample_score(1, page=2)])).musicxml)
    assert [m.get("number") for m in root.iter("measure")] == ["0", "1", "2", "3", "X3", "4"]


def test_groups_of_parts_stay() -> None:
    start = '<part-group number="1" type="start"><group-symbol>bracket</group-symbol></part-group>'
    first = edit(sample_score(1, (VIOLIN, PIANO)), "<part-list>", "<part-list>" + start)
    first = edit(first, "</part-list>", '<part-group number="1" type="stop"/></part-list>')
    drums = sample_score(1, (VIOLIN, DRUMS, PIANO), page=1)
    listed = parse(valid(join([first, drums])).musicxml).find("part-list")
    assert [c.findtext("part-name") or c.get("type") for c in listed] == [
        "start", "Violin", "Drums", "Piano", "stop",
    ]  # fmt: skip


ORCHESTRA = (
    SamplePart("Flute", ("G2",), 5),
    SamplePart("Viola", ("C3",), 3),
    PIANO,
    SamplePart("Bass", ("F4",), 2),
)
PAGES = st.lists(
    st.one_of(
        st.none(),
        st.tuples(
            st.integers(1, 4),
            st.sets(st.integers(1, 3)).map(lambda chosen: chosen | {0}),
            st.sampled_from((1, 2, 3, 8)),
            st.sampled_from(((4, 4), (3, 4), (6, 8), None)),
            st.sampled_from((0, -3, 2, None)),
        ),
    ),
    min_size=2,
    max_size=5,
).filter(any)


def content(score: Score) -> Counter[tuple[str, int, Fraction, str, Fraction]]:
    """Every pitch by part, bar, onset and duration in quarter notes."""
    root = parse(score.musicxml)
    names = {p.get("id"): p.findtext("part-name") for p in root.iter("score-part")}
    found: Counter[tuple[str, int, Fraction, str, Fraction]] = Counter()
    for part in root.iterfind("part"):
        divisions = Fraction(1)
        for bar, measure in enumerate(part):
            now = Fraction(0)
            for child in measure:
                divisions = Fraction(child.findtext("divisions") or divisions)
                length = Fraction(child.findtext("duration") or 0) / divisions
                if child.tag == "backup":
                    now -= length
                elif child.tag == "note":
                    if child.find("pitch") is not None:
                        pitch = "".join(child.xpath("pitch/*/text()"))
                        found[names[part.get("id")], bar, now, pitch, length] += 1
                    now += length
    return found


@settings(max_examples=40, deadline=None)
@given(PAGES)
def test_whatever_the_pages_are_no_note_moves(pages: list[tuple[int, set[int], int, object, object] | None]) -> None:  # fmt: skip
    scores: list[Score | MissingPage] = []
    expected: Counter[tuple[str, int, Fraction, str, Fraction]] = Counter()
    start = 0
    for number, page in enumerate(pages):
        if page is None:
            scores.append(MissingPage(number))
            continue
        measures, chosen, divisions, time, key = page
        parts = tuple(ORCHESTRA[n] for n in sorted(chosen))
        score = sample_score(measures, parts, divisions=divisions, time=time, key=key, page=number)  # type: ignore[arg-type]
        scores.append(score)
        for (name, bar, onset, pitch, length), count in content(score).items():
            expected[name, bar + start, onset, pitch, length] += count
        start += measures
    joined = valid(join(scores))
    assert content(joined) == expected
    assert count_measures(joined.musicxml) == start
    assert len([d for d in joined.diagnostics if d.code == "page-missing"]) == pages.count(None)
    bars = parse(joined.musicxml).findall("part")[0]
    assert [m.get("number") for m in bars] == [str(n + 1) for n in range(start)]
