"""The order in which bars are played."""

from __future__ import annotations

import pytest

SCALE = ["C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5", "D5", "E5"]
NAMES = {60: "1", 62: "2", 64: "3", 65: "4", 67: "5", 69: "6", 71: "7", 72: "8", 74: "9", 76: "0"}


@pytest.fixture
def order(scribe, play):
    """Plays bars given by their signs; bar n has one note of its own, so the order is heard.

    Signs: ``|:`` ``:|`` ``:|3`` ``1[`` ``1]`` ``1]:|`` ``fine`` ``dc`` ``ds`` ``segno`` ``coda``
    ``to-coda``, several in one bar separated by blanks.
    """

    def sign(word: str) -> tuple[str, str]:
        table = {
            "|:": (scribe.forward, ""),
            ":|": ("", scribe.backward),
            "fine": ("", scribe.words("Fine", 'fine="yes"')),
            "dc": ("", scribe.words("D.C.", 'dacapo="yes"')),
            "ds": ("", scribe.words("D.S.", 'dalsegno="segno"')),
            "segno": (scribe.sign("segno", 'segno="segno"'), ""),
            "coda": (scribe.sign("coda", 'coda="coda"'), ""),
            "to-coda": ("", scribe.words("To Coda", 'tocoda="coda"')),
            "||": ("", '<barline location="right"><bar-style>light-heavy</bar-style></barline>'),
        }
        if word in table:
            return table[word]
        if word.startswith(":|"):
            return "", scribe.backward.replace("backward", f'backward" times="{word[2:]}')
        if word.endswith("["):
            return scribe.ending(word[:-1], "start"), ""
        if word.endswith("]:|"):
            return "", scribe.close_ending(word[:-3])
        if word.endswith("]"):
            return "", scribe.ending(word[:-1], "stop")
        return "", word  # raw MusicXML

    def run(*bars: str, numbers: str = "", **options: object) -> str:
        bodies = []
        for index, bar in enumerate(bars):
            signs = [sign(word) for word in (bar.split() if "<" not in bar else [bar])]
            body = (
                "".join(left for left, _ in signs)
                + scribe.note(SCALE[index], 4)
                + "".join(right for _, right in signs)
            )
            if numbers:
                body = f'@number="{numbers[index]}"@' + body
            bodies.append(body)
        run.played = play(scribe.score(bodies), **options)
        for place, note in enumerate(run.played.notes()):
            assert note.onset == place * 4
        return "".join(NAMES[pitch] for pitch in run.played.pitches())

    return run


@pytest.mark.parametrize(
    ("bars", "heard"),
    [
        (["", "", ""], "123"),
        (["", ":|", ""], "12123"),
        (["", "|:", ":|", ""], "123234"),
        (["|:", ":|3", ""], "1212123"),
        (["|:", ":|", "|:", ":|"], "12123434"),
        (["", ":|", "", ":|"], "12123434"),
        (["|:", "1[ 1]:|", "2[ 2]", ""], "12134"),
        (["|:", "1[", "1]:|", "2[", "2]", ""], "123145 6".replace(" ", "")),
        (["|:", "1,2[ 1,2]:|", "3[ 3]"], "121213"),
        (["|:", "1[ 1]:|", "2[ 2]:|", "3[ 3]", ""], "1213145"),
        (["|:", "1[ 1]:|", "2[ 2]:|", ""], "12134"),
        (["|:", "1[ 1]:|", ""], "1213"),
        (["|:", "1[ 1]:|", "2[ 2]", "|:", ":|"], "1213" + "4545"),
        (["|:", "1[ 1]:|", "2[ 2]", "", ":|"], "1213" + "4545"),
        (["", "fine", "", "dc"], "123412"),
        (["|:", ":| fine", "|:", ":| dc"], "1212" + "3434" + "12"),
        (["", "segno", "fine", "ds"], "123423"),
        (["", "to-coda", "dc", "coda"], "123124"),
        (["", "segno", "to-coda", "ds", "coda", ""], "1234" + "23" + "56"),
        (["|:", "1[ 1]:|", "2[ 2] fine", "dc"], "1213" + "4" + "13"),
        (["to-coda", "dc", "|: coda", ":|"], "12" + "1" + "3434"),
        (["", "", "dc"], "123123"),
        (["|:", "1,3[ 1,3]:|", "2,4[ 2,4]:|", ""], "12131213" + "4"),
        (["", "|:", "1,2[ 1,2]", ":|3", ""], "1" + "234234" + "24" + "5"),
        (["|:", "1[ 1]", ":|", "2[ 2]", ""], "123" + "1345"),
        (["|:", ":|3", "3[ 3]"], "121212" + "3"),
        (["|:", "1[ 1]:|", "3[ 3]"], "121213"),
        (["", "to-coda fine", "dc", "coda"], "123124"),
        (["|:", "1[ 1]:|", "2[ dc", "2]"], "1213" + "134"),
        (["to-coda", "|:", "1[ 1]:|", "2[ dc", "coda 2]"], "12324" + "1" + "5"),
        (["|:", "1,2[ 1,2]", "3[ 3] fine", "1[ 1]:|", "2[ 2]:|"], "124" + "125" + "13"),
    ],
)
def test_repeats_and_jumps_are_played_out(order, bars, heard):
    assert order(*bars) == heard
    assert not order.played.diagnostics


def test_repeats_can_be_switched_off(order):
    assert order("|:", "1[ 1]:|", "2[ 2] dc", repeats=False) == "123"


def test_a_repeat_is_taken_after_the_jump_where_the_score_says_so(order, scribe):
    again = scribe.backward.replace("backward", 'backward" after-jump="yes')
    assert order("|:", again, "dc") == "12123" + "12123"


def test_jumps_that_are_only_words_are_understood(order, scribe):
    for words in ("D.C. al Fine", "Da Capo al Fine", "d. c. al fine"):
        assert order("", scribe.words("Fine"), scribe.words(words)) == "12312"
    assert order("", scribe.sign("segno"), scribe.words("Fine"), scribe.words("D.S. al Fine")) == (
        "123423"
    )


def test_two_bare_coda_signs_are_to_coda_and_coda(order, scribe):
    coda = scribe.sign("coda")
    assert order("", coda, scribe.words("D.C. al Coda"), coda) == "123124"


def test_signs_in_any_part_count_for_all(scribe, play):
    upper = [scribe.note("C4", 4) + scribe.backward, scribe.note("D4", 4)]
    lower = [scribe.note("C3", 4), scribe.note("D3", 4)]
    played = play(scribe.score(upper, lower))
    assert played.pitches(0) == [60, 60, 62]
    assert played.pitches(1) == [48, 48, 50]


def test_da_capo_stays_within_its_movement(order):
    assert order("", "||", "fine", "dc ||", "", numbers="12121") == "12" + "343" + "5"


def test_a_final_barline_with_running_numbers_is_no_new_movement(order):
    assert order("", "fine ||", "", "dc", numbers="1234") == "123412"


@pytest.mark.parametrize(
    "bars",
    [
        ["|:", "1[ 1]", "2[ 2]", ""],  # endings and nothing that goes back
        ["|:", "2[ 2]:|", "3[ 3]"],  # no first ending
        ["", "5[ 5]", ""],
    ],
)
def test_signs_that_make_no_sense_are_played_straight_through_and_told(order, bars):
    assert order(*bars) == "1234567890"[: len(bars)]
    assert order.played.diagnostics
    for told in order.played.diagnostics:
        assert (told["severity"], told["code"]) == ("warning", "midi-repeats-unclear")
        assert told["message"]


def test_a_jump_to_a_sign_that_is_missing_is_told_and_played_on(order):
    assert order("", "ds", "") == "123"
    assert "segno" in order.played.diagnostics[0]["message"]


def test_only_the_broken_movement_is_played_straight(order):
    heard = order("", ":| ||", "|:", "2[ 2]", numbers="1212")
    assert heard == "1212" + "34"


@pytest.mark.parametrize("times", ["1000000000", "-3", "many", ""])
def test_an_absurd_number_of_times_is_played_twice(order, scribe, times):
    again = scribe.backward.replace("backward", f'backward" times="{times}')
    assert order("", again) == "1212"
