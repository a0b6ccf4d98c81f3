"""Tempo and dynamics."""

from __future__ import annotations

import pytest


def metronome(unit, per_minute, dot=""):
    return (
        "<direction><direction-type><metronome>"
        f"<beat-unit>{unit}</beat-unit>{dot}<per-minute>{per_minute}</per-minute>"
        "</metronome></direction-type></direction>"
    )


def test_without_a_mark_it_is_120(scribe, play):
    assert play(scribe.score([scribe.note("C4", 4)])).tempos() == [(0, 120)]


@pytest.mark.parametrize(
    ("mark", "quarters"),
    [
        (metronome("quarter", 72), 72),
        (metronome("half", 60), 120),
        (metronome("quarter", 60, "<beat-unit-dot/>"), 90),
        (metronome("eighth", "c. 96"), 48),
        ('<sound tempo="66"/>', 66),
        (metronome("quarter", 80).replace("</direction>", '<sound tempo="80"/></direction>'), 80),
    ],
)
def test_tempo_marks_are_heard(scribe, play, mark, quarters):
    assert play(scribe.score([mark + scribe.note("C4", 4)])).tempos() == [(0, quarters)]


def test_words_with_a_sound_are_heard_by_the_sound(scribe, play):
    mark = scribe.words("Langsam, zart", 'tempo="50"')
    assert play(scribe.score([mark + scribe.note("C4", 4)])).tempos() == [(0, 50)]


@pytest.mark.parametrize(("words", "quarters"), [("Adagio", 56), ("Allegro molto", 132)])
def test_words_music21_knows_are_heard(scribe, play, words, quarters):
    assert play(scribe.score([scribe.words(words) + scribe.note("C4", 4)])).tempos() == [
        (0, quarters)
    ]


def test_words_that_are_no_tempo_change_nothing(scribe, play):
    words = scribe.words("dolce") + scribe.words("con sordino")
    assert play(scribe.score([words + scribe.note("C4", 4)])).tempos() == [(0, 120)]


def test_a_tempo_in_the_middle_of_a_bar_counts_from_there(scribe, play):
    bar = scribe.note("C4", 3) + metronome("quarter", 60) + scribe.note("D4", 1)
    assert play(scribe.score([bar])).tempos() == [(0, 120), (3, 60)]


def test_equal_note_values_carry_the_tempo_over(scribe, play):
    equation = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit>"
        "<beat-unit>half</beat-unit></metronome></direction-type></direction>"
    )
    bars = [metronome("quarter", 60) + scribe.note("C4", 4), equation + scribe.note("D4", 4)]
    assert play(scribe.score(bars)).tempos() == [(0, 60), (4, 120)]


def test_after_a_jump_back_the_tempo_of_that_place_holds(scribe, play):
    bars = [
        metronome("quarter", 60) + scribe.note("C4", 4),
        scribe.forward + scribe.note("D4", 4),
        metronome("quarter", 90) + scribe.note("E4", 4) + scribe.backward,
    ]
    assert play(scribe.score(bars)).tempos() == [(0, 60), (8, 90), (12, 60), (16, 90)]


def test_the_tempo_option_replaces_all_marks(scribe, play):
    bars = [metronome("quarter", 60) + scribe.note("C4", 4), metronome("quarter", 90)]
    assert play(scribe.score(bars), tempo=100.0).tempos() == [(0, 100)]


@pytest.mark.parametrize("mark", [metronome("quarter", 0), '<sound tempo="-7"/>',
                                  '<sound tempo="fast"/>', metronome("elephant", 60)])  # fmt: skip
def test_a_senseless_tempo_is_ignored(scribe, play, mark):
    assert play(scribe.score([mark + scribe.note("C4", 4)])).tempos() == [(0, 120)]


def test_dynamics_are_heard_in_order_of_loudness(scribe, play):
    marks = ["ppp", "pp", "p", "mp", "mf", "f", "ff", "fff"]
    played = play(scribe.score([scribe.dynamic(m) + scribe.note("C4", 4) for m in marks]))
    velocities = [n.velocity for n in played.notes()]
    assert velocities == sorted(set(velocities))
    assert velocities[4] == 80


def test_velocity_is_that_of_mezzoforte(scribe, play):
    xml = scribe.score([scribe.note("C4", 4), scribe.dynamic("p") + scribe.note("C4", 4)])
    loud = [n.velocity for n in play(xml, velocity=100).notes()]
    assert loud[0] == 100
    assert loud[1] < 80
    assert all(1 <= n.velocity <= 127 for n in play(xml, velocity=127).notes())


def test_a_dynamic_holds_for_both_staves_but_not_for_other_parts(scribe, play):
    bar = (
        scribe.dynamic("ff")
        + scribe.note("G4", 4, staff=1)
        + scribe.backup(4)
        + scribe.note("C3", 4, staff=2, voice="5")
    )
    played = play(scribe.score([bar], [scribe.note("C4", 4)]))
    assert [n.velocity for n in played.notes(0)] == [124, 124]
    assert [n.velocity for n in played.notes(1)] == [80]


def test_a_crescendo_grows_to_the_mark_at_its_end(scribe, play):
    bar = scribe.dynamic("p") + scribe.wedge("crescendo")
    bar += "".join(scribe.note(p) for p in ("C4", "D4", "E4", "F4")) + scribe.wedge("stop")
    played = play(scribe.score([bar, scribe.dynamic("f") + scribe.note("G4", 4)]))
    velocities = [n.velocity for n in played.notes()]
    assert velocities == sorted(set(velocities))
    assert velocities[0] == 51
    assert velocities[-1] == 102


def test_a_diminuendo_without_an_end_mark_stays_softer(scribe, play):
    bar = scribe.dynamic("f") + scribe.wedge("diminuendo")
    bar += scribe.note("C4", 2) + scribe.note("D4", 2) + scribe.wedge("stop")
    first, second, after = (
        n.velocity for n in play(scribe.score([bar, scribe.note("E4", 4)])).notes()
    )
    assert first == 102
    assert first > second > after > 60


def test_accents_are_louder(scribe, play):
    accent = "<notations><articulations><{}/></articulations></notations>"
    bar = (
        scribe.note("C4")
        + scribe.note("D4", more=accent.format("accent"))
        + scribe.note("E4", more=accent.format("strong-accent"))
        + scribe.note("F4")
    )
    plain, accented, strong, after = (n.velocity for n in play(scribe.score([bar])).notes())
    assert plain == after < accented < strong


def test_sforzato_is_for_one_note(scribe, play):
    bar = scribe.dynamic("p") + scribe.note("C4") + scribe.dynamic("sfz") + scribe.note("D4")
    bar += scribe.note("E4", 2)
    before, stressed, after = (n.velocity for n in play(scribe.score([bar])).notes())
    assert before == after < stressed


def test_fortepiano_is_loud_then_soft(scribe, play):
    bar = scribe.dynamic("fp") + scribe.note("C4", 2) + scribe.note("D4", 2)
    first, second = (n.velocity for n in play(scribe.score([bar])).notes())
    assert first > 80 > second


def test_dynamics_are_repeated_with_their_bars(scribe, play):
    bars = [
        scribe.dynamic("p") + scribe.note("C4", 4),
        scribe.dynamic("f") + scribe.note("D4", 4) + scribe.backward,
    ]
    velocities = [n.velocity for n in play(scribe.score(bars)).notes()]
    assert velocities[:2] == velocities[2:]
