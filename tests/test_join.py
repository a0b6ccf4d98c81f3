"""Several pages' scores become one."""

from __future__ import annotations

from fractions import Fraction

import attrs
import pytest

from ensemble_core.model import Box, Element, RecognitionError, Score
from ensemble_core.musicxml import (
    MissingPage,
    check_wellformed_score,
    count_measures,
    find_schema,
    join,
    missing_pages,
    parse,
    serialize,
    validate,
)
from ensemble_core.testing.scores import PIANO, SamplePart, sample_score

VIOLIN, CELLO = SamplePart("Violin"), SamplePart("Violoncello", ("F4",), 2)


def valid(score: Score) -> Score:
    check_wellformed_score(score.musicxml)
    if find_schema():
        assert validate(score.musicxml) == []
    return score


def notes(score: Score, part: int) -> list[tuple[Fraction, str, Fraction]]:
    """(onset, pitch, duration) in quarter notes from the start; rests left out."""
    found, start, divisions = [], Fraction(0), Fraction(1)
    for measure in parse(score.musicxml).findall("part")[part]:
        now = end = Fraction(0)
        for child in measure:
            stated = child.findtext("divisions")
            divisions = Fraction(stated) if stated else divisions
            length = Fraction(child.findtext("duration") or 0) / divisions
            if child.tag == "backup":
                now -= length
            elif child.tag == "note":
                if child.find("pitch") is not None:
                    pitch = child.findtext("pitch/step") + child.findtext("pitch/octave")
                    found.append((start + now, pitch, length))
                now += length
                end = max(end, now)
        start += end
    return found


def edit(score: Score, old: str, new: str, times: int = 1) -> Score:
    text = score.musicxml.decode()
    assert old in text
    return attrs.evolve(score, musicxml=text.replace(old, new, times).encode())


def test_bars_are_renumbered_and_pages_know_where_they_begin() -> None:
    pages = [sample_score(n, (VIOLIN, PIANO), page=k) for k, n in enumerate((3, 4, 2))]
    joined = valid(join(pages))
    for part in parse(joined.musicxml).iterfind("part"):
        assert [m.get("number") for m in part] == [str(n) for n in range(1, 10)]
    assert [(p.page, p.first_measure, p.measures) for p in joined.pages] == [
        (0, 0, 3), (1, 3, 4), (2, 7, 2),
    ]  # fmt: skip


def test_what_is_in_force_is_not_stated_again() -> None:
    joined = valid(join([sample_score(2, (PIANO,), key=-3, page=n) for n in range(3)]))
    assert joined.musicxml.count(b"<attributes>") == 1


def test_what_changes_at_the_top_of_a_page_is_kept() -> None:
    first = sample_score(2, (CELLO,), key=1, time=(4, 4))
    second = sample_score(2, (SamplePart("Violoncello", ("C4",), 3),), key=1, time=(3, 4), page=1)
    root = parse(valid(join([first, second])).musicxml)
    top = root.find("part/measure[3]/attributes")
    assert [child.tag for child in top] == ["time", "clef"]


def test_a_page_without_signatures_goes_on_in_what_was_in_force() -> None:
    second = sample_score(2, (VIOLIN,), key=None, time=None, page=1)
    root = parse(valid(join([sample_score(2, (VIOLIN,), key=2), second])).musicxml)
    assert len(root.findall(".//key")) == len(root.findall(".//time")) == 1


def test_an_assumed_time_signature_gives_way_to_the_one_in_force() -> None:
    guess = edit(sample_score(2, page=1), "<time>", '<time print-object="no">')
    joined = valid(join([sample_score(2, time=(3, 4)), guess]))
    assert [t.findtext("beats") for t in parse(joined.musicxml).iter("time")] == ["3"]


def bar_rests(score: Score) -> Score:
    """The score with every bar a whole-bar rest of the length its notes had."""
    root = parse(score.musicxml)
    for measure in root.iter("measure"):
        for staff in range(1, len(measure.findall("backup")) + 2):
            found = [n for n in measure.iterfind("note") if n.findtext("staff", "1") == str(staff)]
            for note in found[1:]:
                measure.remove(note)
            pitch, duration = found[0].find("pitch"), found[0].find("duration")
            found[0].replace(pitch, parse(b'<rest measure="yes"/>'))
            found[0].remove(found[0].find("type"))
            duration.text = str(len(found) * int(duration.text))
    return attrs.evolve(score, musicxml=serialize(root))


def test_bars_of_rest_get_the_length_of_the_bars_in_force() -> None:
    guess = bar_rests(sample_score(2, (PIANO,), page=1, divisions=4))
    joined = valid(
        join(
            [
                sample_score(2, (PIANO,), time=(3, 4)),
                edit(guess, "<time>", '<time print-object="no">'),
            ]
        )
    )
    for measure in parse(joined.musicxml).findall("part/measure")[2:]:
        lengths = [d.text for d in measure.iter("duration")]
        assert lengths == ["12", "12", "12"]


def test_of_two_assumed_time_signatures_each_page_keeps_its_own() -> None:
    pages = [
        edit(sample_score(2, time=time, page=n), "<time>", '<time print-object="no">')
        for n, time in enumerate(((3, 4), (4, 4)))
    ]
    joined = valid(join(pages))
    assert [t.findtext("beats") for t in parse(joined.musicxml).iter("time")] == ["3", "4"]


def test_different_divisions_keep_every_note_in_its_place() -> None:
    pages = [sample_score(2, (PIANO,), divisions=d, page=n) for n, d in enumerate((2, 12, 12, 1))]
    joined = valid(join(pages))
    expected = [
        (8 * page + onset, pitch, length)
        for page, score in enumerate(pages)
        for onset, pitch, length in notes(score, 0)
    ]
    assert notes(joined, 0) == expected
    stated = [d.text for d in parse(joined.musicxml).iter("divisions")]
    assert stated == ["2", "12", "1"]


def test_a_page_that_states_no_divisions_counts_in_quarters() -> None:
    bare = edit(sample_score(1, divisions=1, page=1), "<divisions>1</divisions>", "")
    joined = valid(join([sample_score(1, divisions=8), bare]))
    assert [length for *_, length in notes(joined, 0)] == [1] * 8


def test_page_and_system_breaks_are_kept() -> None:
    pages = [sample_score(4, (VIOLIN, PIANO), page=n, system=2) for n in range(2)]
    for part in parse(valid(join(pages)).musicxml).iterfind("part"):
        breaks = {m.get("number"): dict(m.find("print").attrib) for m in part.xpath("*[print]")}
        assert breaks == {
            "3": {"new-system": "yes"}, "5": {"new-page": "yes"}, "7": {"new-system": "yes"},
        }  # fmt: skip


def test_ids_stay_unique_and_boxes_follow_them() -> None:
    pages = [
        attrs.evolve(
            sample_score(2, page=n),
            elements=(Element("n1-0-1-2", "note", n, Box(n, 0, 9, 9), 0.5),),
        )
        for n in range(2)
    ]
    joined = valid(join(pages))
    ids = {e.get("id"): e for e in parse(joined.musicxml).iter("note")}
    assert len(ids) == 16
    assert [(e.page, e.box.left) for e in joined.elements] == [(0, 0), (1, 1)]
    assert [ids[e.id].getparent().get("number") for e in joined.elements] == ["1", "3"]


def test_the_title_is_the_first_pages() -> None:
    joined = join([sample_score(1, title="Air"), sample_score(1, title="7", page=1)])
    assert joined.title == "Air"
    assert parse(joined.musicxml).findtext("work/work-title") == "Air"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (0, "page 1 is missing: before bar 1"),
        (2, "page 3 is missing: between bars 41 and 42"),
        (3, "page 4 is missing: after bar 57"),
    ],
)
def test_a_missing_page_is_named_with_the_bars_around_it(missing: int, said: str) -> None:
    lengths = {2: (21, 20, 16, 7), 0: (3, 4, 5, 6), 3: (20, 21, 16, 9)}[missing]
    pages: list[Score | MissingPage] = [sample_score(n, page=k) for k, n in enumerate(lengths)]
    pages[missing] = MissingPage(missing, "the worker died")
    joined = valid(join(pages))
    assert missing_pages(joined) == (said,)
    assert said in parse(joined.musicxml).findtext("identification/miscellaneous/")
    assert count_measures(joined.musicxml) == sum(lengths) - lengths[missing]
    assert missing not in [page.page for page in joined.pages]


def test_nothing_read_is_an_error_of_one_line() -> None:
    with pytest.raises(RecognitionError, match="none of the pages"):
        join([MissingPage(0), MissingPage(1)])


def test_pictures_of_one_page_each_are_numbered_anew() -> None:
    pages = [
        attrs.evolve(sample_score(1), elements=(Element("n1-0-1-0", "note", 0, Box(0, 0, 1, 1)),))
        for _ in range(3)
    ]
    joined = valid(join(pages))
    assert [page.page for page in joined.pages] == [0, 1, 2]
    assert [(e.page, e.id) for e in joined.elements] == [
        (0, "p1-n1-0-1-0"), (1, "p2-n1-0-1-0"), (2, "p3-n1-0-1-0"),
    ]  # fmt: skip


def test_one_score_is_given_back_as_it_is() -> None:
    score = sample_score(2)
    assert join([score]) is score


class TestParts:
    """Parts are found again by order, staves, names and clefs."""

    def test_the_same_staves_in_the_same_order_are_the_same_parts(self) -> None:
        nameless = [SamplePart("", p.clefs, p.octave) for p in (VIOLIN, CELLO)]
        joined = valid(join([sample_score(1, (VIOLIN, CELLO)), sample_score(1, nameless, page=1)]))
        root = parse(joined.musicxml)
        assert [p.findtext("part-name") for p in root.iter("score-part")] == [
            "Violin", "Violoncello",
        ]  # fmt: skip

    def test_a_hidden_staff_is_filled_with_bars_of_rest(self) -> None:
        joined = valid(
            join([sample_score(2, (VIOLIN, PIANO)), sample_score(2, (PIANO,), page=1),
                  sample_score(2, (VIOLIN, PIANO), page=2)])
        )  # fmt: skip
        assert [onset for onset, *_ in notes(joined, 0)] == [*range(8), *range(16, 24)]
        assert len(notes(joined, 1)) == 48
        silent = parse(joined.musicxml).findall("part")[0].findall("measure")[2:4]
        assert [m.find("note/rest").get("measure") for m in silent] == ["yes", "yes"]
        assert [m.findtext("note/duration") for m in silent] == ["8", "8"]

    def test_the_missing_one_of_four_alike_is_found_by_its_clef(self) -> None:
        quartet = (
            SamplePart(""), SamplePart(""), SamplePart("", ("C3",), 3), SamplePart("", ("F4",), 2),
        )  # fmt: skip
        fewer = (quartet[0], quartet[1], quartet[3])
        joined = valid(join([sample_score(1, quartet), sample_score(1, fewer, page=1)]))
        assert [len(notes(joined, part)) for part in range(4)] == [8, 8, 4, 8]

    def test_abbreviated_names_are_recognised(self) -> None:
        first = (SamplePart("Oboe"), SamplePart("Violin 1"), SamplePart("Violin 2"))
        later = (SamplePart("Ob."), SamplePart("Vln. 2"))
        joined = valid(join([sample_score(1, first), sample_score(1, later, page=1)]))
        assert [len(notes(joined, part)) for part in range(3)] == [8, 4, 8]

    def test_an_instrument_that_enters_later_rests_until_then(self) -> None:
        joined = valid(
            join([sample_score(2, (PIANO,), time=(3, 4), key=2),
                  sample_score(1, (VIOLIN, PIANO), time=(3, 4), key=2, page=1)])
        )  # fmt: skip
        root = parse(joined.musicxml)
        assert [p.findtext("part-name") for p in root.iter("score-part")] == ["Violin", "Piano"]
        assert [onset for onset, *_ in notes(joined, 0)] == [6, 7, 8]
        assert root.findtext("part/measure[1]/attributes/time/beats") == "3"
        assert root.findtext("part/measure[1]/attributes/clef/sign") == "G"

    def test_rests_are_exact_where_the_divisions_are_too_coarse(self) -> None:
        first = sample_score(1, (VIOLIN, CELLO), divisions=1)
        second = edit(
            sample_score(1, (CELLO,), divisions=2, page=1),
            "<duration>2</duration>", "<duration>1</duration>",
        )  # fmt: skip
        joined = valid(join([first, second]))
        rest = parse(joined.musicxml).find("part/measure[2]")
        assert rest.findtext("attributes/divisions") == "2"
        assert rest.findtext("note/duration") == "7"

    def test_a_time_change_on_a_page_reaches_the_parts_that_are_not_on_it(self) -> None:
        joined = valid(
            join([sample_score(1, (VIOLIN, CELLO)), sample_score(2, (CELLO,), time=(3, 4), page=1)])
        )
        rest = parse(joined.musicxml).find("part/measure[2]")
        assert rest.findtext("attributes/time/beats") == "3"

    def test_instruments_are_those_of_the_part(self) -> None:
        def with_instrument(page: int) -> Score:
            score = edit(
                sample_score(1, page=page), "</part-name>",
                '</part-name><score-instrument id="I7"><instrument-name>Flute</instrument-name>'
                "</score-instrument>",
            )  # fmt: skip
            return edit(score, "<voice>", '<instrument id="I7"/><voice>', 99)

        joined = valid(join([with_instrument(0), with_instrument(1)]))
        root = parse(joined.musicxml)
        assert len(root.findall(".//score-instrument")) == 1
        assert {i.get("id") for i in root.iter("instrument")} == {"I7"}


class TestBorders:
    """Ties and slurs that hang over the edge of a page."""

    START = '<tie type="start"/>'
    SLUR = '<notations><slur type="{}" number="1"/></notations>'

    def last(self, insert: str, tag: str) -> Score:
        """A page whose last note (a B) has something put before its ``tag``."""
        text = sample_score(1).musicxml.decode().replace("<step>F</step>", "<step>B</step>")
        head, _, tail = text.rpartition(tag)
        return attrs.evolve(sample_score(1), musicxml=(head + insert + tag + tail).encode())

    def first(self, step: str, insert: str = "", tag: str = "<voice>") -> Score:
        """A page whose first note has the given step."""
        page = edit(sample_score(1, page=1), "<step>C</step>", f"<step>{step}</step>")
        return edit(page, tag, insert + tag) if insert else page

    def ties(self, score: Score) -> list[str]:
        return [tie.get("type") for tie in parse(score.musicxml).iter("tie")]

    def slurs(self, score: Score) -> list[str]:
        return [slur.get("type") for slur in parse(score.musicxml).iter("slur")]

    def test_a_tie_into_the_same_pitch_is_completed(self) -> None:
        joined = valid(join([self.last(self.START, "<voice>"), self.first("B")]))
        assert self.ties(joined) == ["start", "stop"]

    def test_a_tie_seen_only_on_the_later_page_is_completed(self) -> None:
        later = self.first("B", '<tie type="stop"/>')
        joined = valid(join([self.last("", "<voice>"), later]))
        assert self.ties(joined) == ["start", "stop"]

    def test_a_tie_into_another_pitch_is_taken_out(self) -> None:
        joined = valid(join([self.last(self.START, "<voice>"), self.first("A")]))
        assert self.ties(joined) == []

    def test_a_tie_towards_a_missing_page_is_taken_out(self) -> None:
        later = attrs.evolve(
            self.first("B", '<tie type="stop"/>'),
            pages=(attrs.evolve(sample_score(1).pages[0], page=2),),
        )
        joined = valid(join([self.last(self.START, "<voice>"), MissingPage(1), later]))
        assert self.ties(joined) == []

    def test_two_halves_of_a_slur_stay(self) -> None:
        later = self.first("A", self.SLUR.format("stop"), "</note>")
        joined = valid(join([self.last(self.SLUR.format("start"), "</note>"), later]))
        assert self.slurs(joined) == ["start", "stop"]

    @pytest.mark.parametrize("missing", [False, True])
    def test_half_a_slur_goes(self, missing: bool) -> None:
        first = self.last(self.SLUR.format("start"), "</note>")
        pages = [first, MissingPage(1)] if missing else [first, self.first("A")]
        joined = valid(join(pages))
        assert self.slurs(joined) == []
        assert b"<notations" not in joined.musicxml

    def test_a_slur_within_a_page_is_left_alone(self) -> None:
        page = edit(sample_score(2), "</note>", self.SLUR.format("start") + "</note>")
        head, _, tail = page.musicxml.decode().rpartition("</note>")
        text = head + self.SLUR.format("stop") + "</note>" + tail
        page = attrs.evolve(page, musicxml=text.encode())
        assert self.slurs(valid(join([page, sample_score(1, page=1)]))) == ["start", "stop"]


def test_a_long_document_keeps_all_its_bars() -> None:
    page = sample_score(20, (VIOLIN, PIANO))
    pages = [attrs.evolve(page, pages=(attrs.evolve(page.pages[0], page=n),)) for n in range(60)]
    joined = join(pages)
    assert check_wellformed_score(joined.musicxml) == 1200
    assert len(notes(joined, 1)) == 60 * 160


class TestGrouping:
    """A brace that was seen on one page and not on another."""

    RIGHT, LEFT = SamplePart("", ("G2",), 4), SamplePart("", ("F4",), 3)

    def as_two(self, page: int, divisions: int = 2) -> Score:
        return sample_score(2, (VIOLIN, self.RIGHT, self.LEFT), page=page, divisions=divisions)

    def as_one(self, page: int) -> Score:
        return sample_score(2, (VIOLIN, PIANO), page=page)

    def by_staff(self, score: Score) -> list[list[str]]:
        """Pitches of every staff of the score, in order."""
        found: dict[tuple[int, str], list[str]] = {}
        for number, part in enumerate(parse(score.musicxml).iterfind("part")):
            for note in part.iter("note"):
                staff = (number, note.findtext("staff") or "1")
                pitch = note.findtext("pitch/step") or "rest"
                found.setdefault(staff, []).append(pitch + (note.findtext("pitch/octave") or ""))
        return [found[key] for key in sorted(found)]

    def test_two_parts_become_the_two_staves_they_are(self) -> None:
        joined = valid(join([self.as_one(0), self.as_two(1, divisions=6), self.as_one(2)]))
        assert len(parse(joined.musicxml).findall("part")) == 2
        same = valid(join([self.as_one(n) for n in range(3)]))
        assert self.by_staff(joined) == self.by_staff(same)
        assert notes(joined, 1) == notes(same, 1)
        clefs = [clef.findtext("sign") for clef in parse(joined.musicxml).iter("clef")]
        assert clefs == ["G", "G", "F"]

    def test_one_part_becomes_the_two_parts_it_was(self) -> None:
        joined = valid(join([self.as_two(0), self.as_one(1)]))
        same = valid(join([self.as_two(0), self.as_two(1)]))
        assert self.by_staff(joined) == self.by_staff(same)
        assert [notes(joined, part) for part in range(3)] == [notes(same, n) for n in range(3)]

    def test_a_brace_around_the_wrong_staves_is_put_right(self) -> None:
        wrong = sample_score(2, (SamplePart("", ("G2", "G2")), self.LEFT), page=1)
        joined = valid(join([self.as_one(0), wrong]))
        parts = parse(joined.musicxml).findall("part")
        assert len(parts) == 2
        assert [len(staff) for staff in self.by_staff(joined)] == [16, 16, 16]

    def test_a_repeat_at_the_end_of_a_bar_stays_there(self) -> None:
        repeat = '<barline location="right"><repeat direction="backward"/></barline></measure>'
        page = edit(self.as_two(1), "</measure>", repeat, 99)
        joined = valid(join([self.as_one(0), page]))
        for part in parse(joined.musicxml).iterfind("part"):
            for measure in part.findall("measure")[2:]:
                assert [b.get("location") for b in measure.findall("barline")] == ["right"]
                assert measure[-1].tag == "barline"

    def test_boxes_follow_their_notes_to_another_part(self) -> None:
        page = attrs.evolve(
            self.as_two(1), elements=(Element("n3-1-1-0", "note", 1, Box(0, 0, 1, 1)),)
        )
        joined = valid(join([self.as_one(0), page]))
        (element,) = joined.elements
        note = next(n for n in parse(joined.musicxml).iter("note") if n.get("id") == element.id)
        assert note.findtext("staff") == "2"
        assert note.getparent().get("number") == "4"
