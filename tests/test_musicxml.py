"""MusicXML: read safely, checked, validated, signed, compressed; loader and exporter."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from ensemble_core.builtin.musicxml import MusicXmlExporter, MusicXmlLoader, MusicXmlOptions
from ensemble_core.model import (
    Context,
    ContractError,
    InputError,
    LimitExceeded,
    Limits,
    MissingError,
    Score,
)
from ensemble_core.musicxml import (
    MissingPage,
    check_wellformed_score,
    count_measures,
    find_schema,
    join,
    parse,
    read_mxl,
    serialize,
    stamp,
    to_partwise,
    validate,
    write_mxl,
)
from ensemble_core.testing import PIANO, SamplePart, document_of, sample_score

needs_schema = pytest.mark.skipif(find_schema() is None, reason="pip install musicxml")
DATA = Path(
    os.environ.get("ENSEMBLE_DATA", Path(__file__).parent.parent.parent / "shared" / "data")
)


class TestParse:
    """Documents nobody vouches for."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_every_unicode_encoding_is_read(self, encoding: str) -> None:
        declared = "UTF-16" if encoding.startswith("utf-16") else "UTF-8"
        text = f'<?xml version="1.0" encoding="{declared}"?><a>Für Élise</a>'
        assert parse(text.encode(encoding)).text == "Für Élise"

    def test_latin_1_is_read_as_declared(self) -> None:
        text = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Für Élise</a>'
        assert parse(text.encode("latin-1")).text == "Für Élise"

    def test_a_doctype_may_stand_there_and_is_not_loaded(self, tmp_path: Path) -> None:
        dtd = tmp_path / "evil.dtd"
        dtd.write_text('<!ENTITY a "loaded">')
        text = f'<!DOCTYPE a SYSTEM "{dtd.as_uri()}"><a>text</a>'
        assert parse(text.encode()).text == "text"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    @pytest.mark.parametrize(
        "subset",
        [
            '<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;&b;&b;">',
            '<!ENTITY b SYSTEM "file:///etc/passwd">',
            '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;',
        ],
    )
    def test_entities_are_refused(self, subset: str, encoding: str) -> None:
        text = f'<?xml version="1.0"?><!DOCTYPE a [{subset}]><a b="&b;">&b;</a>'
        with pytest.raises(InputError, match="entities"):
            parse(text.encode(encoding), "bomb.xml")

    def test_a_billion_laughs_are_refused_at_once(self) -> None:
        levels = "".join(
            f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10)
        )
        with pytest.raises(InputError, match="entities"):
            parse(f'<!DOCTYPE a [{levels}]><a b="&l9;"/>'.encode())

    @pytest.mark.parametrize(
        "data", [b"", b"  \n", b"no xml", b"<a><b></a>", b"\x00\xff\x00", b"<a>", b"<" * 1000]
    )
    def test_what_is_no_xml_is_one_line(self, data: bytes) -> None:
        with pytest.raises(InputError, match=r"^x\.xml: [^\n]+$"):
            parse(data, "x.xml")

    def test_a_tower_of_elements_is_refused(self) -> None:
        with pytest.raises(InputError, match="not well-formed"):
            parse(b"<a>" * 100_000 + b"</a>" * 100_000)

    def test_a_large_document_is_read(self) -> None:
        note = b"<note><pitch><step>C</step><octave>4</octave></pitch></note>"
        assert len(parse(b"<part>" + note * 400_000 + b"</part>")) == 400_000


class TestMxl:
    """Compressed files."""

    def put(self, path: Path, **members: bytes) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
        return path

    def container(self, name: str) -> bytes:
        return (
            f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>'.encode()
        )

    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        score = sample_score().musicxml
        path = tmp_path / "a.mxl"
        path.write_bytes(write_mxl(score))
        assert read_mxl(path) == score
        assert write_mxl(score) == path.read_bytes()

    def test_an_archive_without_container_may_hold_one_score(self, tmp_path: Path) -> None:
        assert read_mxl(self.put(tmp_path / "a.mxl", song_xml=b"<x/>")) == b"<x/>"

    @pytest.mark.parametrize("name", ["../x.xml", "/etc/passwd.xml", "a\\b.xml", "gone.xml", ""])
    def test_a_container_that_points_elsewhere_is_refused(self, tmp_path: Path, name: str) -> None:
        path = self.put(
            tmp_path / "a.mxl",
            **{"META-INF__container_xml": self.container(name)},
            song_xml=b"<x/>",
        )
        with pytest.raises(InputError, match=r"^a\.mxl: [^\n]+$"):
            read_mxl(path)

    def test_a_zip_bomb_is_refused_unopened(self, tmp_path: Path) -> None:
        path = self.put(
            tmp_path / "a.mxl",
            **{"META-INF__container_xml": self.container("song.xml")},
            song_xml=bytes(50_000_000),
        )
        assert path.stat().st_size < 100_000
        with pytest.raises(LimitExceeded, match="unpacks to 50,000,000 bytes"):
            read_mxl(path, Limits(max_input_bytes=1_000_000))  # type: ignore[arg-type]

    def test_a_bomb_that_lies_about_its_size_is_refused(self, tmp_path: Path) -> None:
        path = self.put(tmp_path / "a.mxl", song_xml=bytes(3_000_000))
        data = bytearray(path.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = data.index(signature) + offset
            data[place : place + 4] = (100).to_bytes(4, "little")
        path.write_bytes(data)
        with pytest.raises((InputError, LimitExceeded)):
            read_mxl(path, Limits(max_input_bytes=1_000_000))  # type: ignore[arg-type]

    def test_a_damaged_archive_is_one_line(self, tmp_path: Path) -> None:
        data = write_mxl(sample_score(50).musicxml)
        for place, cut in enumerate((data[:100], data[:-30], data[:300] + b"\0" * 50 + data[350:])):
            path = tmp_path / f"{place}.mxl"
            path.write_bytes(cut)
            with pytest.raises(InputError, match=r"^\d.mxl: [^\n]+$"):
                read_mxl(path)


class TestCheck:
    """The quick look at every recognizer's result."""

    GOOD = sample_score(2, (SamplePart(), PIANO)).musicxml.decode()

    def test_a_good_score_passes_with_its_length(self) -> None:
        assert check_wellformed_score(self.GOOD.encode()) == 2

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("score-partwise version", "score-timewise version", "not well-formed"),
            ('<part id="P2">', '<part id="P9">', "part list"),
            ('id="n1-0-1-1"', 'id="n1-0-1-0"', "twice"),
            ('<measure number="2">', "<measure>", "no number"),
            ("<step>C</step>", "<step>H</step>", "step 'H'"),
            ("<octave>4</octave>", "<octave>44</octave>", "octave '44'"),
            ("<duration>2</duration>", "<duration>-2</duration>", "positive duration"),
            ("<duration>2</duration>", "<duration>nan</duration>", "positive duration"),
            ("<divisions>2</divisions>", "<divisions>0</divisions>", "divisions"),
            ("<pitch>", "<rest/><pitch>", "neither pitch nor rest"),
            ("<voice>1</voice>", "<voice>1</voice></note><notes/><note><rest/>", "<notes>"),
            ("<part-list>", "<parts/><part-list>", "<parts>"),
        ],
    )
    def test_garbage_is_refused_with_the_reason(self, old: str, new: str, said: str) -> None:
        assert old in self.GOOD
        with pytest.raises(ContractError, match=said):
            check_wellformed_score(self.GOOD.replace(old, new, 1).encode())

    @pytest.mark.parametrize("data", [b"", b"\x89PNG", b"<html/>", b"<score-partwise/>", "text"])
    def test_what_is_no_score_is_refused(self, data: bytes) -> None:
        with pytest.raises(ContractError):
            check_wellformed_score(data)

    def test_parts_of_different_length_are_refused(self) -> None:
        place = self.GOOD.rindex("<measure ")
        cut = self.GOOD[:place] + "</part></score-partwise>"
        with pytest.raises(ContractError, match="different numbers of measures"):
            check_wellformed_score(cut.encode())


@needs_schema
class TestSchema:
    """Validation by the XSD."""

    def test_samples_are_valid(self) -> None:
        for score in (sample_score(), sample_score(3, (PIANO,), title="A", key=None, time=None)):
            assert validate(score.musicxml) == []

    def test_an_error_is_named_with_its_line(self) -> None:
        bad = sample_score().musicxml.replace(b"<octave>4", b"<octave>x", 1)
        (found, *_) = validate(bad)
        assert found.startswith("line ") and "octave" in found

    def test_links_are_known(self) -> None:
        link = b'</part-list><part id="P1">'
        linked = sample_score().musicxml.replace(
            link + b'<measure number="1">',
            link + b'<measure number="1"><link xmlns:xlink="http://www.w3.org/1999/xlink"'
            b' xlink:href="https://example.org" xlink:type="simple"/>',
        )
        assert validate(linked) == []


def test_without_a_schema_validation_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ensemble_core.musicxml.schema.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="pip install musicxml"):
        validate(b"<a/>")


def test_a_timewise_score_becomes_the_same_partwise() -> None:
    partwise = parse(sample_score(3, (SamplePart(), PIANO), title="T").musicxml)
    timewise = parse(b'<score-timewise version="2.0"/>')
    parts = partwise.findall("part")
    timewise.extend(child for child in partwise if child.tag != "part")
    for measures in zip(*parts, strict=True):
        measure = parse(f'<measure number="{measures[0].get("number")}"/>'.encode())
        for part, own in zip(parts, measures, strict=True):
            held = parse(f'<part id="{part.get("id")}"/>'.encode())
            held.extend(list(own))
            measure.append(held)
        timewise.append(measure)
    assert (
        serialize(to_partwise(timewise))
        == sample_score(3, (SamplePart(), PIANO), title="T").musicxml
    )


class TestStamp:
    """Provenance in the score."""

    PROVENANCE: ClassVar[dict[str, str]] = {
        "ensemble": "0.1.0",
        "recognizer": "mock 2 (bars=4)",
        "preprocess": "deskew",
    }

    def fields(self, score: Score) -> dict[str, str]:
        root = parse(score.musicxml)
        return {
            f.get("name"): f.text
            for f in root.iterfind("identification/miscellaneous/miscellaneous-field")
        }

    def test_it_says_what_read_the_score(self) -> None:
        score = stamp(sample_score(title="Air"), self.PROVENANCE)
        root = parse(score.musicxml)
        assert root.findtext("identification/encoding/software") == "Ensemble 0.1.0"
        assert self.fields(score)["ensemble-recognizer"] == "mock 2 (bars=4)"
        if find_schema():
            assert validate(score.musicxml) == []

    def test_stamping_twice_is_stamping_once(self) -> None:
        once = stamp(sample_score(), self.PROVENANCE)
        assert stamp(once, self.PROVENANCE) == once

    @pytest.mark.parametrize("title", ["Air", "A &lt;/part-list&gt; of sorts"])
    def test_nothing_but_the_head_changes(self, title: str) -> None:
        before = sample_score(3, (PIANO,), title=title).musicxml
        comment = b"<!-- </part-list> --><part-list>"
        for data in (before, before.replace(b"<part-list>", comment)):
            after = stamp(Score(data), self.PROVENANCE).musicxml
            assert after.partition(b"</part-list>")[2] == before.partition(b"</part-list>")[2]
            assert self.fields(Score(after))["ensemble-preprocess"] == "deskew"
            check_wellformed_score(after)

    def test_what_stands_there_stays_in_valid_order(self) -> None:
        text = (
            "<identification><creator>Bach</creator><encoding><software>Other 1</software>"
            "<encoding-date>2026-01-01</encoding-date></encoding><source>Ms</source>"
            '<miscellaneous><miscellaneous-field name="x">y</miscellaneous-field></miscellaneous>'
            "</identification><part-list>"
        )
        old = sample_score()
        score = attrs.evolve(
            old, musicxml=old.musicxml.replace(b"<part-list>", text.encode()), pages=()
        )
        done = stamp(score, self.PROVENANCE)
        root = parse(done.musicxml)
        assert [s.text for s in root.iter("software")] == ["Other 1", "Ensemble 0.1.0"]
        assert root.findtext("identification/creator") == "Bach"
        assert self.fields(done)["x"] == "y"
        assert root.findtext("identification/encoding/encoding-date") == "2026-01-01"
        if find_schema():
            assert validate(done.musicxml) == []
        read = stamp(attrs.evolve(score, pages=old.pages), self.PROVENANCE)
        assert b"encoding-date" not in read.musicxml

    def test_a_name_no_xml_can_hold_is_no_trouble(self) -> None:
        done = stamp(sample_score(), {"source": "a\x00b\x1b\ud800c\ufffe <&>"})
        assert self.fields(done)["ensemble-source"] == "a b  c  <&>"


class TestLoaderAndExporter:
    """``musicxml`` as input and as output."""

    def read(self, path: Path) -> Score:
        return MusicXmlLoader().read(document_of(path), Context(path.parent))

    def test_out_and_in_again(self, tmp_path: Path) -> None:
        score = sample_score(3, (PIANO,), title="Étude")
        for compressed in (False, True):
            options = MusicXmlOptions(compressed=compressed)
            (made,) = MusicXmlExporter(options).export(score, Context(tmp_path))
            assert made.suffix == (".mxl" if compressed else ".musicxml")
            read = self.read(made.path)
            assert read.title == "Étude"
            assert count_measures(read.musicxml) == 3
            if find_schema():
                assert validate(read.musicxml) == []

    def test_output_is_indented_for_people(self, tmp_path: Path) -> None:
        (made,) = MusicXmlExporter().export(sample_score(1), Context(tmp_path))
        assert b'\n      <note id="n1-0-1-0">\n' in made.path.read_bytes()

    def test_a_file_of_another_kind_is_the_users_error(self, tmp_path: Path) -> None:
        path = tmp_path / "x.musicxml"
        path.write_bytes(sample_score().musicxml.replace(b'<part id="P1">', b'<part id="P2">'))
        with pytest.raises(InputError, match="part list"):
            self.read(path)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not there")
class TestRealScores:
    """A few works of the OpenScore corpora."""

    FILES = sorted(DATA.glob("scores/*/*.mxl"))[::101]
    FILES += DATA.glob("scores/lieder/satie-lc6481941.mxl")  # gives an instrument's id twice

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_it_is_read(self, path: Path, tmp_path: Path) -> None:
        score = MusicXmlLoader().read(document_of(path), Context(tmp_path))
        assert count_measures(score.musicxml) > 1

    @pytest.mark.parametrize("path", FILES[::3], ids=lambda path: path.stem)
    def test_cut_into_pages_and_joined_it_is_the_same_music(self, path: Path) -> None:
        whole = read_mxl(path)
        pages = pages_of(whole, 17)
        joined = join(pages)
        assert sounding(joined.musicxml) == sounding(whole)
        if find_schema() and not validate(whole):
            assert validate(joined.musicxml) == []
        if len(pages) > 2:
            lacking = join([pages[0], MissingPage(1), *pages[2:]])
            assert lacking.diagnostics[0].code == "page-missing"
            check_wellformed_score(lacking.musicxml)


def pages_of(data: bytes, bars: int) -> list[Score]:
    """A score as a reader would give it, so many bars a page: each page states where it stands."""
    count = count_measures(data)
    pages = []
    for start in range(0, count, bars):
        root = parse(data)
        for part in root.iterfind("part"):
            held: dict[str, object] = {}
            for place, measure in enumerate(part.findall("measure")):
                if place < start:
                    for child in measure.iterfind("attributes/*"):
                        if child.tag in ("divisions", "key", "time", "staves", "clef"):
                            held[child.tag + child.get("number", "")] = child
                if not start <= place < start + bars:
                    part.remove(measure)
            first = part.find("measure")
            said = parse(b"<attributes/>")
            order = ("divisions", "key", "time", "staves", "clef")
            for name in sorted(held, key=lambda n: (order.index(n.rstrip("0123456789")), n)):
                said.append(held[name])
            if len(said):
                first.insert(0, said)
        pages.append(Score(serialize(root)))
    return pages


def sounding(data: bytes) -> list[tuple[str, ...]]:
    """Every note of every part: its bar, pitch, duration in quarters, ties."""
    notes: list[tuple[str, ...]] = []
    for part in parse(data).iterfind("part"):
        divisions = 1
        for bar, measure in enumerate(part.iterfind("measure")):
            for child in measure:
                divisions = int(child.findtext("divisions") or divisions)
                if child.tag in ("note", "backup", "forward"):
                    length = int(child.findtext("duration") or 0) / divisions
                    pitch = "".join(child.xpath("pitch/*/text()"))
                    ties = "".join(sorted(tie.get("type") for tie in child.iterfind("tie")))
                    notes.append((str(bar), child.tag, pitch, f"{length:.4f}", ties))
    return notes
