"""The contract of exporters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ensemble_core.model import Artifact, Context, ExporterSpec, Score
from ensemble_core.musicxml import check_wellformed_score
from ensemble_core.sniff import UNKNOWN, sniff

from .pages import drawn_page
from .scores import PIANO, SamplePart, sample_score
from .working import WorkingContract

_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE score-partwise [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><score-partwise>&b;</score-partwise>'
)


class ExporterContract(WorkingContract):
    """What an exporter must keep. Subclass it in a test file::

    class TestMidi(ExporterContract):
        name = "midi"
    """

    kind: ClassVar[str] = "exporter"

    def given(self, folder: Path) -> Score:
        """Eight bars for flute and piano, read from two pages."""
        return self._with_pictures(sample_score(8, (SamplePart(), PIANO), title="Étude"), folder)

    def broken(self, folder: Path) -> Iterator[tuple[str, Score]]:
        """What is no score."""
        whole = sample_score().musicxml
        contents = {
            "an empty score": b"",
            "a text": b"no score at all",
            "another XML": b"<html><body/></html>",
            "half a score": whole[: len(whole) // 2],
            "XML with entities": _BOMB,
        }
        for label, content in contents.items():
            yield label, Score(content)

    def odd(self, folder: Path) -> Iterator[tuple[str, Score]]:
        """Scores that are short, long, nameless or in an odd metre."""
        yield "one bar", self._with_pictures(sample_score(1), folder)
        yield "no pages", attrs.evolve(sample_score(2), pages=())
        yield "no title, no names", sample_score(2, (SamplePart(""),))
        yield "a title in Greek", sample_score(2, title="Μουσική &amp; &lt;ῥυθμός&gt;")
        yield "no time signature", sample_score(2, time=None, key=None)
        yield "a bar of 7/8", sample_score(2, time=(14, 8))
        yield "fine divisions", sample_score(2, divisions=10080)
        yield "twelve parts", sample_score(2, tuple(SamplePart(f"Part {n}") for n in range(12)))

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """Files in the workspace, of the media type they say, under names that differ."""
        spec = self.spec()
        assert isinstance(spec, ExporterSpec)
        assert isinstance(result, tuple) and result, "it gave no tuple of artifacts"
        assert len({artifact.suffix for artifact in result}) == len(result), "a suffix given twice"
        for artifact in result:
            assert isinstance(artifact, Artifact), f"it gave {type(artifact).__name__}"
            assert ctx.workspace.resolve() in artifact.path.resolve().parents, (
                f"{artifact.path.name} is not in the workspace"
            )
            assert artifact.path.stat().st_size > 0, f"{artifact.path.name} is empty"
            check_media_type(artifact.path, artifact.media_type)
        if not self.options:
            assert result[0].media_type == spec.media_type, "the first file is of another type"

    def _with_pictures(self, score: Score, folder: Path) -> Score:
        spec = self.spec()
        if not (isinstance(spec, ExporterSpec) and spec.needs_pictures):
            return score
        page = drawn_page(folder)
        shown = attrs.evolve(
            score.pages[0], picture=page.image, width=page.width, height=page.height
        )
        return attrs.evolve(score, pages=(shown,))


def check_media_type(path: Path, media_type: str) -> None:
    """Assert that a file is what it says it is.

    Raises:
        AssertionError: Its content is of another type, or damaged.
    """
    data = path.read_bytes()
    if media_type == "audio/midi":
        check_midi(data)
    elif media_type == "application/vnd.recordare.musicxml+xml":
        check_wellformed_score(data, path.name)
    elif media_type.endswith("+xml"):
        from lxml import etree

        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        assert root.tag, f"{path.name} is empty XML"
    elif media_type in ("text/html", "text/plain", "application/json", "text/csv"):
        data.decode("utf-8")
    else:
        found = sniff(path)
        assert found in (media_type, UNKNOWN), f"{path.name} is {found}, not {media_type}"


def check_midi(data: bytes) -> None:
    """Assert that bytes are a Standard MIDI File: its header, and tracks of the length they say.

    With mido installed the events are parsed too.
    """
    assert data[:8] == b"MThd\x00\x00\x00\x06", "no MIDI header"
    tracks, place = int.from_bytes(data[10:12], "big"), 14
    for _ in range(tracks):
        assert data[place : place + 4] == b"MTrk", "a track does not begin where it should"
        place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    assert place == len(data), "the tracks do not add up to the file"
    try:
        import mido
    except ImportError:
        return
    import io

    assert mido.MidiFile(file=io.BytesIO(data)).length >= 0
