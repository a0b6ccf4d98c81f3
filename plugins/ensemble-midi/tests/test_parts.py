"""Parts: names, programs, channels, transposition, percussion."""

from __future__ import annotations

import pytest


def about(name, program=None, channel=None, *, key="", instrument=""):
    midi = ""
    if program or channel or key:
        midi = (
            '<midi-instrument id="I1">'
            + (f"<midi-channel>{channel}</midi-channel>" if channel else "")
            + (f"<midi-program>{program}</midi-program>" if program else "")
            + key
            + "</midi-instrument>"
        )
    return (
        f"<part-name>{name}</part-name><score-instrument id='I1'><instrument-name>"
        f"{instrument or name}</instrument-name></score-instrument>{midi}"
    )


def test_one_track_a_part_with_its_name_and_program(scribe, play):
    bar = scribe.note("C4", 4)
    played = play(
        scribe.score((about("Voice", 53), [bar]), (about("Piano", 1), [bar])), resolution=480
    )
    assert len(played.file.tracks) == 3
    assert [t.name for t in played.file.tracks[1:]] == ["Voice", "Piano"]
    programs = [played.metas("program_change", i)[0][1] for i in (1, 2)]
    assert [m.program for m in programs] == [52, 0]
    assert programs[0].channel != programs[1].channel


def test_names_of_any_script_survive(scribe, play):
    played = play(scribe.score((about("Flûte à bec ♭ 笛", 75), [scribe.note("C4", 4)])))
    assert played.file.tracks[1].name == "Flûte à bec ♭ 笛"


@pytest.mark.parametrize(
    ("name", "program"), [("Violoncello", 42), ("Flöte", 73), ("Soprano", 53), ("Part 7", 0)]
)
def test_without_midi_instrument_the_name_decides(scribe, play, name, program):
    played = play(scribe.score((f"<part-name>{name}</part-name>", [scribe.note("C4", 4)])))
    assert played.metas("program_change", 1)[0][1].program == program


@pytest.mark.parametrize(
    ("transpose", "sounding"),
    [
        ("<diatonic>-1</diatonic><chromatic>-2</chromatic>", 58),
        ("<diatonic>0</diatonic><chromatic>0</chromatic><octave-change>-1</octave-change>", 48),
        ("<chromatic>-9</chromatic>", 51),
        ("<diatonic>1</diatonic><chromatic>2</chromatic><octave-change>-2</octave-change>", 38),
        ("<chromatic>0</chromatic><octave-change>1</octave-change>", 72),
    ],
)
def test_transposing_instruments_sound_right(scribe, play, transpose, sounding):
    bar = f"<attributes><transpose>{transpose}</transpose></attributes>" + scribe.note("C4", 4)
    assert play(scribe.score([bar])).pitches() == [sounding]


def test_a_change_of_transposition_counts_from_where_it_stands(scribe, play):
    change = "<attributes><transpose><chromatic>{}</chromatic></transpose></attributes>"
    bars = [
        change.format(-2) + scribe.note("C4", 4),
        scribe.note("C4", 2) + change.format(-3) + scribe.note("C4", 2),
        scribe.note("C4", 4),
    ]
    assert play(scribe.score(bars)).pitches() == [58, 58, 57, 57]


def test_a_concert_pitch_score_is_not_transposed(scribe, play):
    bar = "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>" + scribe.note(
        "C4", 4
    )
    xml = scribe.score([bar], head="<defaults><concert-score/></defaults>")
    assert play(xml).pitches() == [60]


def test_octave_clefs_do_not_shift_what_is_written_as_sounding(scribe, play):
    clef = (
        "<attributes><clef><sign>G</sign><line>2</line>"
        "<clef-octave-change>-1</clef-octave-change></clef></attributes>"
    )
    assert play(scribe.score([clef + scribe.note("C3", 4)])).pitches() == [48]


def test_octave_lines_do_not_shift_either(scribe, play):
    line = (
        "<direction><direction-type><octave-shift type='{}' size='8'/></direction-type></direction>"
    )
    bar = line.format("down") + scribe.note("C6", 4) + line.format("stop")
    assert play(scribe.score([bar])).pitches() == [84]


def unpitched(step, octave, length, instrument):
    return (
        f"<note><unpitched><display-step>{step}</display-step><display-octave>{octave}"
        f"</display-octave></unpitched><duration>{length * 840}</duration>"
        f'<instrument id="{instrument}"/><voice>1</voice></note>'
    )


def test_percussion_is_on_channel_ten_with_its_keys(scribe, play):
    told = (
        "<part-name>Drumset</part-name>"
        '<score-instrument id="K"><instrument-name>Bass Drum</instrument-name></score-instrument>'
        '<score-instrument id="S"><instrument-name>Snare</instrument-name></score-instrument>'
        '<midi-instrument id="K"><midi-channel>10</midi-channel><midi-program>1</midi-program>'
        "<midi-unpitched>37</midi-unpitched></midi-instrument>"
        '<midi-instrument id="S"><midi-channel>10</midi-channel>'
        "<midi-unpitched>39</midi-unpitched></midi-instrument>"
    )
    bar = unpitched("F", 4, 2, "K") + unpitched("C", 5, 2, "S")
    played = play(scribe.score((told, [bar]), [scribe.note("C4", 4)]))
    assert played.triples() == [(0, 2, 36), (2, 2, 38)]
    assert {n.channel for n in played.notes()} == {9}
    assert {n.channel for n in played.notes(1)} == {0}


def test_unpitched_notes_of_a_nameless_part_are_still_percussion(scribe, play):
    bar = "<note><unpitched/><duration>3360</duration><voice>1</voice></note>"
    played = play(scribe.score((about("Triangle"), [bar])))
    assert [(n.channel, n.pitch) for n in played.notes()] == [(9, 81)]
    assert [(n.channel, n.pitch) for n in play(scribe.score([bar])).notes()] == [(9, 38)]


def test_a_change_of_instrument_changes_the_program(scribe, play):
    told = (
        "<part-name>Winds</part-name>"
        '<score-instrument id="F"><instrument-name>Flute</instrument-name></score-instrument>'
        '<score-instrument id="O"><instrument-name>Oboe</instrument-name></score-instrument>'
        '<midi-instrument id="F"><midi-program>74</midi-program></midi-instrument>'
        '<midi-instrument id="O"><midi-program>69</midi-program></midi-instrument>'
    )
    bars = [scribe.note("C5", 4, more=f'<instrument id="{i}"/>') for i in "FOF"]
    played = play(scribe.score((told, bars)))
    changes = [(t, m.program) for t, m in played.metas("program_change", 1)]
    assert changes == [(0, 73), (4, 68), (8, 73)]


def test_volume_and_pan_are_sent(scribe, play):
    told = about("Piano", 1).replace(
        "</midi-instrument>", "<volume>50</volume><pan>-45</pan></midi-instrument>"
    )
    played = play(scribe.score((told, [scribe.note("C4", 4)])))
    sent = {m.control: m.value for _, m in played.metas("control_change", 1)}
    assert sent == {7: 64, 10: 32}


def test_twenty_violins_share_channels_and_none_is_cut(scribe, play):
    parts = [(about("Violin", 41), [scribe.note("C4", 4 - i % 3)]) for i in range(20)]
    played = play(scribe.score(*parts))
    assert len(played.file.tracks) == 21
    assert not any(played.metas("midi_port", i) for i in range(1, 21))
    assert all(n.channel != 9 for i in range(20) for n in played.notes(i))
    shared = {n.channel for i in range(20) for n in played.notes(i)}
    assert len(shared) == 15
    assert all(len(played.notes(i)) <= 1 for i in range(20))


def test_more_than_fifteen_different_sounds_take_a_second_port(scribe, play):
    parts = [(about(f"Sound {i}", i + 1), [scribe.note("C4", 4)]) for i in range(18)]
    played = play(scribe.score(*parts))
    ports = [[m.port for _, m in played.metas("midi_port", i)] for i in range(1, 19)]
    assert ports == [[]] * 15 + [[1]] * 3
    assert [played.triples(i) for i in range(18)] == [[(0, 4, 60)]] * 18
    assert len({n.channel for i in range(15) for n in played.notes(i)}) == 15


def test_title_key_and_time_are_in_the_first_track(scribe, play):
    head = "<work><work-title>Die Forelle</work-title></work>"
    signature = (
        "<attributes><divisions>840</divisions><key><fifths>-5</fifths><mode>major</mode></key>"
        "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
    )
    played = play(scribe.score([signature + scribe.note("C4", 2)], head=head))
    assert played.file.tracks[0].name == "Die Forelle"
    ((_, meter),) = played.metas("time_signature")
    assert (meter.numerator, meter.denominator) == (2, 4)
    assert played.metas("key_signature")[0][1].key == "Db"
