"""What is written sounds: pitches, lengths, ties, voices, tuplets, grace notes."""

from __future__ import annotations

import pytest


def quarters(scribe, *pitches):
    return "".join(scribe.note(p) for p in pitches)


def test_a_scale_sounds_as_written(scribe, play):
    xml = scribe.score([quarters(scribe, "C4", "D4", "E4", "F#4"), scribe.note("Bb3", 4)])
    assert play(xml).triples() == [
        (0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 66), (4, 4, 58),
    ]  # fmt: skip


def test_ties_are_one_note_even_across_barlines(scribe, play):
    first = scribe.note("C4", 3) + scribe.note("G4", 1, tie="start")
    second = scribe.note("G4", 4, tie="stop start")
    third = scribe.note("G4", 1, tie="stop") + scribe.note("G4", 3)
    xml = scribe.score([first, second, third])
    assert play(xml).triples() == [(0, 3, 60), (3, 6, 67), (9, 3, 67)]


def test_only_the_tied_note_of_a_chord_is_held(scribe, play):
    chord = scribe.note("C4", 2, tie="start") + scribe.note("E4", 2, chord=True)
    after = scribe.note("C4", 2, tie="stop") + scribe.note("E4", 2, chord=True)
    assert play(scribe.score([chord + after])).triples() == [(0, 4, 60), (0, 2, 64), (2, 2, 64)]


def test_a_tie_may_go_to_another_voice(scribe, play):
    first = scribe.note("C4", 4, tie="start", voice="1")
    second = (
        scribe.note("E4", 4, voice="1")
        + scribe.backup(4)
        + scribe.note("C4", 4, tie="stop", voice="2")
    )
    assert play(scribe.score([first, second])).triples() == [(0, 8, 60), (4, 4, 64)]


def test_a_tie_that_leads_nowhere_is_struck(scribe, play):
    xml = scribe.score([scribe.note("C4", 2, tie="start") + scribe.note("D4", 2, tie="stop")])
    assert play(xml).triples() == [(0, 2, 60), (2, 2, 62)]


def test_a_tie_is_held_into_both_endings(scribe, play):
    bars = [
        scribe.forward + scribe.note("C4", 4, tie="start"),
        scribe.ending("1", "start") + scribe.note("C4", 4, tie="stop") + scribe.close_ending("1"),
        scribe.ending("2", "start") + scribe.note("C4", 4, tie="stop") + scribe.ending("2", "stop"),
    ]
    assert play(scribe.score(bars)).triples() == [(0, 8, 60), (8, 8, 60)]


def test_unmarked_tied_notation_counts_as_a_tie(scribe, play):
    tied = '<notations><tied type="{}"/></notations>'
    xml = scribe.score(
        [
            scribe.note("C4", 4, more=tied.format("start")),
            scribe.note("C4", 4, more=tied.format("stop")),
        ]
    )
    assert play(xml).triples() == [(0, 8, 60)]


@pytest.mark.parametrize("parts", [3, 5, 6, 7])
def test_tuplets_do_not_drift(scribe, play, parts):
    bar = "".join(scribe.note("C4", 1 / parts) for _ in range(parts * 4))
    played = play(scribe.score([bar, scribe.note("D4", 4)]), resolution=480)
    ticks = [round(n.onset * 480) for n in played.notes()]
    for index, tick in enumerate(ticks[:-1]):
        assert abs(tick - index * 480 / parts) <= 0.5
    assert ticks[-1] == 4 * 480
    if 480 % parts == 0:
        assert {round(n.length * 480) for n in played.notes()[:-1]} == {480 // parts}


def test_voices_sound_together(scribe, play):
    bar = (
        scribe.note("G4", 4, voice="1")
        + scribe.backup(4)
        + scribe.note("C4", 2, voice="2")
        + scribe.note("D4", 2, voice="2")
    )
    assert play(scribe.score([bar])).triples() == [(0, 2, 60), (0, 4, 67), (2, 2, 62)]


def test_overlapping_notes_of_one_pitch_do_not_cut_each_other(scribe, play):
    bar = (
        scribe.note("G4", 4, voice="1")
        + scribe.backup(4)
        + scribe.note("rest", 1, voice="2")
        + scribe.note("G4", 1, voice="2")
        + scribe.note("G4", 2, voice="2")
        + scribe.backup(4)
        + scribe.note("G4", 1, voice="3")
    )
    played = play(scribe.score([bar]))
    assert played.triples() == [(0, 1, 67), (0, 4, 67), (1, 1, 67), (2, 2, 67)]
    programs = {m.channel for _, m in played.metas("program_change", 1)}
    assert programs == {n.channel for n in played.notes()}


def test_voices_named_alike_on_two_staves_are_two_voices(scribe, play):
    bar = scribe.note("G4", 4, staff=1) + scribe.backup(4) + scribe.note("C3", 4, staff=2)
    after = (
        scribe.note("A4", 1, grace=True, staff=1)
        + scribe.note("G4", 4, staff=1)
        + scribe.backup(4)
        + scribe.note("C3", 4, staff=2)
    )
    lengths = {(n.onset, n.pitch): n.length for n in play(scribe.score([bar, after])).notes()}
    assert lengths[(0, 48)] == 4, "the grace note of the upper staff shortens the lower one"
    assert lengths[(0, 67)] < 4


def test_a_chord_may_have_notes_of_different_lengths(scribe, play):
    bar = scribe.note("C4", 2) + scribe.note("E4", 1, chord=True) + scribe.note("D4", 2)
    assert play(scribe.score([bar])).triples() == [(0, 2, 60), (0, 1, 64), (2, 2, 62)]


def test_cue_notes_are_silent_and_hidden_notes_sound(scribe, play):
    cue = scribe.note("C5", 2).replace("<note>", "<note><cue/>")
    hidden = scribe.note("D4", 2).replace("<note>", '<note print-object="no">')
    assert play(scribe.score([cue + hidden])).triples() == [(2, 2, 62)]


def test_grace_notes_take_time_from_the_note_before_and_move_nothing(scribe, play):
    bar = (
        scribe.note("C4", 2)
        + scribe.note("D4", grace=True)
        + scribe.note("E4", grace=True)
        + scribe.note("F4", 2)
    )
    assert play(scribe.score([bar, scribe.note("G4", 4)])).triples() == [
        (0, 1.75, 60), (1.75, 0.125, 62), (1.875, 0.125, 64), (2, 2, 65), (4, 4, 67),
    ]  # fmt: skip


def test_grace_notes_leave_at_least_half_of_a_short_note(scribe, play):
    bar = scribe.note("C4", 0.25) + scribe.note("D4", grace=True) * 2 + scribe.note("F4", 0.75)
    triples = play(scribe.score([bar, ""]), resolution=960).triples()
    assert triples[0] == (0, 0.125, 60)
    assert triples[-1] == (0.25, 0.75, 65)


def test_grace_notes_after_a_rest_take_from_the_rest(scribe, play):
    bar = scribe.note("rest", 2) + scribe.note("D4", grace=True) + scribe.note("F4", 2)
    assert play(scribe.score([bar])).triples() == [(1.875, 0.125, 62), (2, 2, 65)]


def test_a_grace_chord_at_the_very_beginning_takes_from_its_main_note(scribe, play):
    bar = (
        scribe.note("D4", grace=True)
        + scribe.note("F4", grace=True, chord=True)
        + scribe.note("G4", 4)
    )
    assert play(scribe.score([bar])).triples() == [
        (0, 0.125, 62), (0, 0.125, 65), (0.125, 3.875, 67),
    ]  # fmt: skip


def test_a_grace_note_that_ends_a_bar_sounds_before_the_barline(scribe, play):
    xml = scribe.score([scribe.note("C4", 4) + scribe.note("D4", grace=True), scribe.note("E4", 4)])
    assert play(xml).triples() == [(0, 3.875, 60), (3.875, 0.125, 62), (4, 4, 64)]


def test_a_pick_up_bar_is_as_short_as_it_is(scribe, play):
    bars = ['@number="0" implicit="yes"@' + scribe.note("G4", 1), scribe.note("C5", 4)]
    assert play(scribe.score(bars)).triples() == [(0, 1, 67), (1, 4, 72)]


@pytest.mark.parametrize("resolution", [24, 96, 480, 10080])
def test_resolution_is_kept(scribe, play, resolution):
    played = play(scribe.score([scribe.note("C4", 4)]), resolution=resolution)
    assert played.file.ticks_per_beat == resolution
    assert played.triples() == [(0, 4, 60)]
