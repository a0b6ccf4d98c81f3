"""Words below a staff become syllables of the chords above them."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest
from lxml import etree

verovio = pytest.importorskip("verovio")
pytest.importorskip("fontTools")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "training")]

import truth  # noqa: E402
from ensemble_sightread.meaning import Reading, read  # noqa: E402
from ensemble_sightread.musicxml import write  # noqa: E402
from ensemble_sightread.symbols import SPACE, Seen, Word  # noqa: E402
from test_meaning import HEADER, kern, page  # noqa: E402

from ensemble_core.musicxml.schema import validate  # noqa: E402

MARGIN = 500
"""Of a page of Verovio's, in its units."""
SONG = kern("4c\n4d\n4e\n4f\n=\n4g\n4a\n4b\n4cc\n=\n4c\n4d\n4e\n4f")


def word(text: str, middle: float, baseline: float, **more: bool) -> Word:
    """A word of the usual size, centred at ``middle``."""
    half = 0.22 * SPACE * len(text)
    if text == "-":
        box = (middle - 2.5, baseline - 5, middle + 2.5, baseline - 4)
        return Word(text, *box, baseline - 4, 9)
    return Word(text, middle - half, baseline - 15, middle + half, baseline, baseline, 9, **more)


def below(seen: Seen, staff: int, drop: float) -> float:
    return seen.staves[staff].y(0, 500) + drop * SPACE


def columns(reading: Reading, staff: int = 0) -> list[float]:
    """Middles of a staff's chords, from left to right."""
    events = [e for bar in reading.bars for e in bar.events if e.heads and e.staff == staff]
    return [event.middle for event in sorted(events, key=lambda e: e.x)]


def sung(reading: Reading) -> list[list[str]]:
    """What is sung to each chord, as a verse each with hyphens, after a check of the document."""
    out = write(reading)
    assert not list(validate(out.musicxml))
    boxes = {element.id for element in out.elements if element.kind == "lyric"}
    found = []
    for note in etree.fromstring(out.musicxml).iter("note"):
        verses = []
        for lyric in note.iter("lyric"):
            assert lyric.get("id") in boxes
            kinds = [node.text for node in lyric.iter("syllabic")]
            text = "".join(node.text for node in lyric.iter("text", "elision"))
            text = ("-" if kinds[0] in ("middle", "end") else "") + text
            text += "-" if kinds[-1] in ("begin", "middle") else ""
            verses.append(f"{lyric.get('number')}:{text}")
        found.append(verses)
    return found


def with_words(spine: str, *words: tuple[str, int, float], shift: float = 0.0) -> Reading:
    """A page with words, each below a chord (by number) by some staff spaces."""
    bare = page(spine)
    xs = columns(bare)
    placed = [word(text, xs[n] + shift, below(bare.seen, 0, drop)) for text, n, drop in words]
    return read(attrs.evolve(bare.seen, words=tuple(placed)))


def test_each_word_is_sung_to_the_chord_above_it() -> None:
    texts = ["a", "bird", "came", "down", "the", "walk", "he", "did", "not", "know", "I", "saw"]
    reading = with_words(SONG, *((text, n, 4.0) for n, text in enumerate(texts)))
    assert sung(reading) == [[f"1:{text}"] for text in texts]


def test_words_off_the_middle_of_their_chords_find_them() -> None:
    texts = ["a", "bird", "came", "down", "the", "walk", "he", "did", "not", "know", "I", "saw"]
    reading = with_words(SONG, *((text, n, 4.0) for n, text in enumerate(texts)), shift=9.0)
    assert sung(reading) == [[f"1:{text}"] for text in texts]


def test_hyphens_by_themselves_and_within_words_part_syllables() -> None:
    bare = page(SONG)
    xs, y = columns(bare), below(bare.seen, 0, 4)
    words = [word("Hal-", xs[0], y), word("le", xs[1], y), word("-", (xs[1] + xs[2]) / 2, y)]
    words += [word("lu-jah", (xs[2] + xs[3]) / 2, y), word("sing", xs[4], y)]
    reading = read(attrs.evolve(bare.seen, words=tuple(words)))
    found = [verses[0] if verses else "" for verses in sung(reading)]
    assert found[:5] == ["1:Hal-", "1:-le-", "1:-lu-", "1:-jah", "1:sing"]


def test_a_slur_and_a_tie_are_sung_on_one_syllable() -> None:
    reading = with_words(
        kern("(4c\n4d)\n4e\n[4f\n=\n4f]\n4a\n4b\n4cc"),
        ("long", 0, 4), ("is", 2, 4), ("all", 3, 4), ("the", 5, 4), ("day", 6, 4),
    )  # fmt: skip
    assert [bool(verses) for verses in sung(reading)] == [
        True, False, True, True, False, True, True, False,
    ]  # fmt: skip


def test_verses_are_numbered_from_the_top_down() -> None:
    first, second = ["one", "two", "three", "four"], ["five", "six", "seven", "eight"]
    words = [(text, n, 4.0) for n, text in enumerate(first)]
    words += [(text, n, 6.5) for n, text in enumerate(second)]
    found = sung(with_words(SONG, *words))
    assert found[:4] == [[f"1:{a}", f"2:{b}"] for a, b in zip(first, second, strict=True)]


def test_two_vowels_share_a_chord_and_a_number_stands_before_its_verse() -> None:
    bare = page(kern("2c\n2d\n=\n2e\n2f"))
    xs, y = columns(bare), below(bare.seen, 0, 4)
    words = [word("2.", xs[0] - 16, y), word("de", xs[0], y), word("glia", xs[1] - 4, y)]
    words += [word("a", xs[1] + 11, y), word("ria", xs[2], y), word("mor", xs[3], y)]
    found = sung(read(attrs.evolve(bare.seen, words=tuple(words))))
    assert found == [["1:2.\u00a0de"], ["1:glia\u00a0a"], ["1:ria"], ["1:mor"]]


def test_a_word_goes_on_in_the_next_system() -> None:
    bars = "\n=\n".join(["4c\n4d\n4e\n4f"] * 14)
    bare = page(kern(bars))
    assert len(bare.seen.systems) == 3
    last = [bar for bar in bare.bars if bar.system == 0][-1]
    before = sorted(e.middle for e in last.events)
    after = sorted(e.middle for e in next(b for b in bare.bars if b.system == 1).events)
    upper, lower = below(bare.seen, 0, 4), below(bare.seen, 1, 4)
    first, second = ("sing", "a", "song", "Ma-"), ("ri", "went", "all", "out")
    words = [word(text, x, upper) for text, x in zip(first, before, strict=True)]
    words += [word(text, x, lower) for text, x in zip(second, after, strict=True)]
    found = [v[0] for v in sung(read(attrs.evolve(bare.seen, words=tuple(words)))) if v]
    assert found[3:6] == ["1:Ma-", "1:-ri", "1:went"]


def test_terms_are_not_sung() -> None:
    reading = with_words(SONG, ("cresc.", 0, 4), ("molto", 2, 4), ("dim.", 4, 4), ("rit.", 8, 4))
    assert not any(sung(reading))


def engraved_words(svg: str, seen: Seen) -> tuple[Word, ...]:
    """Syllables and hyphens where Verovio puts them; letters are taken to be equally wide."""
    found = []
    for node in etree.fromstring(svg.encode()).iter("{*}text", "{*}rect"):
        if node.getparent().get("class") != "syl":
            continue
        x, y = ((float(node.get(name)) + MARGIN) / seen.scale for name in "xy")
        if node.tag.endswith("rect"):
            found.append(word("-", x + 2.5, y + 5))
        else:
            text = "".join(node.itertext()).strip()
            found.append(word(text, x + 0.22 * SPACE * len(text), y))
    return tuple(found)


def test_words_where_an_engraver_puts_them() -> None:
    spines = [line.split() for line in HEADER.split("\n") if line]
    head = [[line[0], "**text" if line[0] == "**kern" else "*"] for line in spines]
    music = [
        "4c",
        "Sing,",
        "4d",
        "ma-",
        "4e",
        "-ri-",
        "4f",
        "-a,",
        "=",
        "=",
        "4g",
        "de",
        "4a",
        "glia",
        "4b",
        "stan-",
        "4cc",
        "-za",
        "==",
        "==",
        "*-",
        "*-",
    ]
    rows = head + [music[n : n + 2] for n in range(0, len(music), 2)]
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "footer": "none", "header": "none"})
    assert kit.loadData("\n".join("\t".join(row) for row in rows) + "\n")
    svg = kit.renderToSVG(1)
    seen = truth.seen(svg)
    reading = read(attrs.evolve(seen, words=engraved_words(svg, seen)))
    found = [verses[0] for verses in sung(reading)]
    assert found == ["1:Sing,", "1:ma-", "1:-ri-", "1:-a,", "1:de", "1:glia", "1:stan-", "1:-za"]


def test_a_word_without_hyphens_over_several_chords_is_cut() -> None:
    bare = page(kern("4c\n4d\n4e\n4f\n=\n2g\n2a"))
    xs, y = columns(bare), below(bare.seen, 0, 4)
    joined = Word("canonado", xs[0] - 16, y - 15, xs[3] + 16, y, y, 9)
    words = (joined, word("lui", xs[4], y), word("dit", xs[5], y))
    found = [verses[0] for verses in sung(read(attrs.evolve(bare.seen, words=words)))]
    assert found == ["1:ca-", "1:-no-", "1:-na-", "1:-do", "1:lui", "1:dit"]


def test_a_long_word_on_one_chord_stays_whole() -> None:
    texts = ["a", "b", "wonderful"]
    found = sung(with_words(kern("2c\n2d\n=\n1e"), *((t, n, 4.0) for n, t in enumerate(texts))))
    assert found == [["1:a"], ["1:b"], ["1:wonderful"]]


def test_a_slur_over_a_phrase_is_no_melisma() -> None:
    spine = kern("(4c\n4d\n4e\n4f\n=\n4g\n4a\n4b\n4cc)\n=\n4c\n4d\n4e\n4f")
    texts = ["a", "bird", "came", "down", "the", "walk", "he", "did", "not", "know", "I", "saw"]
    assert sung(with_words(spine, *((t, n, 4.0) for n, t in enumerate(texts)))) == [
        [f"1:{text}"] for text in texts
    ]


def test_words_read_as_one_are_parted_where_the_paper_is_widest() -> None:
    bare = page(SONG)
    xs, y = columns(bare), below(bare.seen, 0, 4)
    left, right = xs[0] - 16, xs[1] + 16
    middles = tuple(left + (n + 0.5) * (right - left) / 8 for n in range(8))
    blanks = (1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0)
    both = Word("pournous", left, y - 15, right, y, y, 9, middles=middles, blanks=blanks)
    others = [word(text, x, y) for text, x in zip(["a", "b", "as", "ti"], xs[2:6], strict=True)]
    found = sung(read(attrs.evolve(bare.seen, words=(both, *others))))
    assert found[:3] == [["1:pour"], ["1:nous"], ["1:a"]]
