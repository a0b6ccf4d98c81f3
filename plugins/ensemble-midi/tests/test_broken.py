"""What scanning makes of scores: bars that do not add up, things missing, nonsense."""

from __future__ import annotations

import random

import pytest
from lxml import etree

from ensemble_core.model import EnsembleError, InputError


def onsets(played, part=0):
    return [n.onset for n in played.notes(part)]


def test_a_bar_with_too_little_is_filled_up(scribe, play):
    full = scribe.note("C4", 4)
    assert onsets(play(scribe.score([full, scribe.note("D4", 3), full, full]))) == [0, 4, 8, 12]


def test_a_bar_with_too_much_pushes_the_next_one(scribe, play):
    full = scribe.note("C4", 4)
    assert onsets(play(scribe.score([full, scribe.note("D4", 5), full]))) == [0, 4, 9]


def test_the_longest_voice_of_all_parts_decides(scribe, play):
    full = scribe.note("C4", 4)
    short = scribe.note("C3", 2)
    played = play(scribe.score([full, full, full], [short, short, short]))
    assert onsets(played, 0) == onsets(played, 1) == [0, 4, 8]


def test_a_short_bar_on_which_all_staves_agree_is_meant(scribe, play):
    full, short = scribe.note("C4", 4), scribe.note("C4", 2)
    played = play(scribe.score([full, short, full, full], [full, short, full, full]))
    assert onsets(played) == [0, 4, 6, 10]


def test_a_bar_divided_by_a_repeat_is_not_filled_up(scribe, play):
    full = scribe.note("C4", 4)
    bars = [full, scribe.note("D4", 3) + scribe.backward, scribe.note("E4", 1), full]
    assert onsets(play(scribe.score(bars), repeats=False)) == [0, 4, 7, 8]


def test_an_empty_bar_lasts_as_long_as_its_time_signature(scribe, play):
    bars = [scribe.time(3) + scribe.note("C4", 3), "", scribe.note("D4", 3)]
    assert onsets(play(scribe.score(bars))) == [0, 6]


def test_a_part_with_fewer_bars_keeps_its_place(scribe, play):
    full = scribe.note("C4", 4)
    played = play(scribe.score([full], [full, full, full]))
    assert onsets(played, 0) == [0]
    assert onsets(played, 1) == [0, 4, 8]


def test_a_whole_rest_in_three_four_is_one_bar(scribe, play):
    rest = scribe.note("rest", 4, more="<type>whole</type>")
    bars = [scribe.time(3) + scribe.note("C4", 3), rest, scribe.note("D4", 3)]
    assert onsets(play(scribe.score(bars))) == [0, 6]


def test_missing_divisions_are_found_from_the_note_types(scribe, play):
    note = (
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>"
        "<type>quarter</type></note>"
    )
    xml = scribe.score([note * 4, note * 4]).replace(b"<divisions>840</divisions>", b"")
    assert play(xml).triples() == [(i, 1, 60) for i in range(8)]


@pytest.mark.parametrize("divisions", ["0", "-4", "x", ""])
def test_senseless_divisions_are_as_good_as_none(scribe, play, divisions):
    note = (
        "<note><pitch><step>C</step><octave>4</octave></pitch><duration>6</duration>"
        "<type>half</type></note>"
    )
    xml = scribe.score([note * 2]).replace(b">840<", f">{divisions}<".encode())
    assert play(xml).triples() == [(0, 2, 60), (2, 2, 60)]


def test_a_missing_duration_is_found_from_the_type(scribe, play):
    note = (
        "<note><pitch><step>C</step><octave>4</octave></pitch><type>half</type><dot/></note>"
        "<note><pitch><step>D</step><octave>4</octave></pitch><type>eighth</type>"
        "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
        "</time-modification></note>"
    )
    played = play(scribe.score([note]), resolution=480)
    assert [(n.onset, round(n.length * 480)) for n in played.notes()] == [(0, 1440), (3, 160)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<part-list>", "<part-lost>"),
        ("<step>C</step>", "<step>H</step>"),
        ("<octave>4</octave>", "<octave>ninety</octave>"),
        ("<voice>1</voice>", "<voice>soprano</voice>"),
        ("<voice>1</voice>", ""),
        ("<note>", "<note><chord/>"),
        ("<beat-type>4</beat-type>", "<beat-type>0</beat-type>"),
        ("<beats>4</beats>", "<beats>many</beats>"),
        ("<beats>4</beats>", "<beats>2+2</beats>"),
        ("<duration>840</duration>", "<duration>-840</duration>"),
        ("<duration>840</duration>", "<duration>1e999</duration>"),
        ("<duration>840</duration>", "<duration></duration>"),
        ('<measure number="1">', "<measure>"),
        ("<part-name/>", ""),
        ('<part id="P1">', '<part id="P9">'),
        ('<part id="P1">', "<part>"),
    ],
)
def test_nonsense_in_one_place_costs_no_more_than_that(scribe, play, before, after):
    good = "".join(scribe.note(p) for p in ("C4", "D4", "E4", "F4"))
    text = scribe.score([good, good]).decode()
    assert before in text
    if before == "<part-list>":
        text = text.replace("</part-list>", "</part-lost>")
    played = play(text.replace(before, after, 1).encode())
    assert {62, 64, 65} <= set(played.pitches())


def test_hairpins_that_never_begin_or_end_are_harmless(scribe, play):
    bar = scribe.wedge("stop") + scribe.wedge("crescendo") + scribe.note("C4", 4)
    bar += scribe.wedge("diminuendo") + scribe.wedge("continue")
    assert play(scribe.score([bar])).triples() == [(0, 4, 60)]


@pytest.mark.parametrize("length", [100, 999_999_999 / 840])
def test_an_absurd_length_takes_neither_minutes_nor_the_music_with_it(scribe, play, length):
    absurd = scribe.note("C4", length).replace("</voice>", "</voice><type>quarter</type>")
    played = play(scribe.score([absurd, scribe.note("D4", 4)]))
    assert played.pitches() == [60, 62]
    assert onsets(played)[1] <= 256


def test_a_backup_beyond_the_barline_stops_at_it(scribe, play):
    bar = scribe.note("C4", 4) + scribe.backup(9) + scribe.note("E4", 4, voice="2")
    assert play(scribe.score([bar])).triples() == [(0, 4, 60), (0, 4, 64)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "XML"),
        (b"not xml", "XML"),
        (b"<score-partwise><part-list>", "XML"),
        (b"\x00\x01\x02", "XML"),
        (b"<score-timewise/>", "score-timewise"),
        (b"<html/>", "html"),
        (b"<score-partwise/>", "no measures"),
        (b'<score-partwise><part id="P1"/></score-partwise>', "no measures"),
        (
            b'<!DOCTYPE score-partwise [<!ENTITY a "aaaa">]>'
            b"<score-partwise><part><measure>&a;</measure></part></score-partwise>",
            "entities",
        ),
    ],
)
def test_what_is_no_score_is_refused_in_one_line(play, data, says):
    with pytest.raises(InputError, match=says) as raised:
        play(data)
    assert "\n" not in str(raised.value)


def test_files_are_never_read_through_the_score(play, tmp_path, scribe):
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    xml = scribe.score([scribe.note("C4", 4)]).decode()
    head = f'<!DOCTYPE score-partwise [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    with pytest.raises(InputError, match="entities"):
        play((head + xml.replace("<part-name/>", "<part-name>&e;</part-name>")).encode())


def test_a_score_with_no_notes_gives_a_silent_file(scribe, play):
    played = play(scribe.score([scribe.note("rest", 4)]))
    assert played.notes() == []
    assert len(played.file.tracks) == 2


def _sample(scribe):
    accent = "<notations><articulations><accent/></articulations></notations>"
    first = (
        scribe.dynamic("p")
        + scribe.wedge("crescendo")
        + scribe.note("C4", 2, tie="start", more=accent)
        + scribe.note("E4", 2, chord=True)
        + scribe.note("D4", grace=True)
        + scribe.note("C4", 2, tie="stop")
        + scribe.wedge("stop")
        + scribe.backup(4)
        + scribe.note("G3", 4, voice="2", staff=2)
    )
    second = scribe.ending("1", "start") + scribe.words("Allegro", 'tempo="130"')
    second += scribe.note("F4", 4) + scribe.close_ending("1")
    third = scribe.sign("segno", 'segno="s"') + scribe.ending("2", "start")
    third += scribe.note("A4", 4) + scribe.ending("2", "stop")
    fourth = scribe.note("B4", 4) + scribe.words("D.S. al Fine", 'dalsegno="s"')
    return scribe.score([scribe.forward + first, second, third, fourth])


@pytest.mark.parametrize("seed", range(60))
def test_damaged_scores_play_or_say_why_not(scribe, play, seed):
    """Elements dropped, doubled, moved, their text and attributes spoilt."""
    chance = random.Random(seed)
    root = etree.fromstring(_sample(scribe))
    for _ in range(chance.randint(1, 12)):
        element = chance.choice([e for e in root.iter() if e.getparent() is not None])
        parent = element.getparent()
        what = chance.randrange(5)
        if what == 0:
            parent.remove(element)
        elif what == 1:
            parent.insert(
                chance.randrange(len(parent) + 1), etree.fromstring(etree.tostring(element))
            )
        elif what == 2:
            element.text = chance.choice(["", "0", "-1", "9999", "x", "3.5", "1e9"])
        elif what == 3 and element.attrib:
            element.set(chance.choice(list(element.attrib)), chance.choice(["", "0", "stop", "77"]))
        else:
            parent[:] = chance.sample(list(parent), len(parent))
    try:
        played = play(etree.tostring(root))
    except EnsembleError as error:
        assert "\n" not in str(error)
    else:
        for part in range(len(played.file.tracks) - 1):
            played.notes(part)
