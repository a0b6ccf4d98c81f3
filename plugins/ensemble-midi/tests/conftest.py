"""Small scores written by hand, and MIDI files read back with mido."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import attrs
import mido
import pytest
from ensemble_midi.exporter import MidiExporter
from ensemble_midi.options import MidiOptions

from ensemble_core.model import Context, Score

DIVISIONS = 840  # divides by 2 to 8


@attrs.define
class Heard:
    """A note read back: quarter notes and MIDI numbers."""

    onset: float
    length: float
    pitch: int
    velocity: int
    channel: int


@attrs.define
class Played:
    """A MIDI file read back."""

    data: bytes
    file: Any
    diagnostics: list[dict[str, Any]]

    def notes(self, part: int = 0) -> list[Heard]:
        """Notes of a part, by onset and pitch; every note-on must have its note-off."""
        now, waiting, found = 0, defaultdict(list), []
        for message in self.file.tracks[part + 1]:
            now += message.time
            if message.type == "note_on":
                waiting[(message.channel, message.note)].append((now, message.velocity))
            elif message.type == "note_off":
                key = (message.channel, message.note)
                assert len(waiting[key]) == 1, "a key sounds twice on one channel"
                start, velocity = waiting[key].pop()
                beat = self.file.ticks_per_beat
                found.append(
                    Heard(
                        start / beat, (now - start) / beat, message.note, velocity, message.channel
                    )
                )
        assert not any(waiting.values()), "a note never ends"
        return sorted(found, key=lambda n: (n.onset, n.pitch, n.length))

    def triples(self, part: int = 0) -> list[tuple[float, float, int]]:
        """(onset, length, pitch) of a part."""
        return [(n.onset, n.length, n.pitch) for n in self.notes(part)]

    def pitches(self, part: int = 0) -> list[int]:
        return [n.pitch for n in self.notes(part)]

    def metas(self, kind: str, track: int = 0) -> list[tuple[float, Any]]:
        """(time in quarter notes, message) of one type."""
        now, found = 0, []
        for message in self.file.tracks[track]:
            now += message.time
            if message.type == kind:
                found.append((now / self.file.ticks_per_beat, message))
        return found

    def tempos(self) -> list[tuple[float, int]]:
        return [(t, round(mido.tempo2bpm(m.tempo))) for t, m in self.metas("set_tempo")]


class Scribe:
    """Writes MusicXML in few words."""

    attributes = (
        f"<attributes><divisions>{DIVISIONS}</divisions>"
        "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    forward = '<barline location="left"><repeat direction="forward"/></barline>'
    backward = '<barline location="right"><repeat direction="backward"/></barline>'

    def time(self, beats: int, unit: int = 4) -> str:
        return (
            f"<attributes><divisions>{DIVISIONS}</divisions><time><beats>{beats}</beats>"
            f"<beat-type>{unit}</beat-type></time></attributes>"
        )

    def note(
        self, pitch: str, length: float = 1, *, tie: str = "", voice: str = "1", staff: int = 0,
        chord: bool = False, grace: bool = False, more: str = "",
    ) -> str:  # fmt: skip
        """``pitch`` is ``C4``, ``F#5``, ``Bb3`` or ``rest``; ``tie`` is ``start``, ``stop``, both."""
        sound = "<rest/>"
        found = re.fullmatch(r"([A-G])([#b]?)(\d)", pitch)
        if found:
            alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>", "": ""}[found[2]]
            sound = f"<pitch><step>{found[1]}</step>{alter}<octave>{found[3]}</octave></pitch>"
        ties = "".join(f'<tie type="{kind}"/>' for kind in tie.split())
        return (
            "<note>" + "<grace/>" * grace + "<chord/>" * chord + sound
            + ("" if grace else f"<duration>{round(length * DIVISIONS)}</duration>")
            + f"{ties}<voice>{voice}</voice>" + f"<staff>{staff}</staff>" * bool(staff)
            + more + "</note>"
        )  # fmt: skip

    def backup(self, length: float) -> str:
        return f"<backup><duration>{round(length * DIVISIONS)}</duration></backup>"

    def words(self, text: str, sound: str = "") -> str:
        return (
            f"<direction><direction-type><words>{text}</words></direction-type>"
            f"{sound and f'<sound {sound}/>'}</direction>"
        )

    def sign(self, tag: str, sound: str = "") -> str:
        return (
            f"<direction><direction-type><{tag}/></direction-type>"
            f"{sound and f'<sound {sound}/>'}</direction>"
        )

    def dynamic(self, mark: str) -> str:
        return (
            f"<direction><direction-type><dynamics><{mark}/></dynamics>"
            "</direction-type></direction>"
        )

    def wedge(self, kind: str) -> str:
        return f'<direction><direction-type><wedge type="{kind}"/></direction-type></direction>'

    def ending(self, number: str, kind: str) -> str:
        side = "left" if kind == "start" else "right"
        return f'<barline location="{side}"><ending number="{number}" type="{kind}"/></barline>'

    def close_ending(self, number: str) -> str:
        return (
            f'<barline location="right"><ending number="{number}" type="stop"/>'
            '<repeat direction="backward"/></barline>'
        )

    def score(self, *parts: list[str] | tuple[str, list[str]], head: str = "") -> bytes:
        """A score; a part is a list of measure bodies, or (its score-part XML, that list).

        A body that begins with ``@`` gives the measure's attributes up to the next ``@``.
        """
        listed, bodies = [], []
        for index, part in enumerate(parts, 1):
            about, measures = part if isinstance(part, tuple) else ("<part-name/>", part)
            listed.append(f'<score-part id="P{index}">{about}</score-part>')
            written = []
            for number, measure in enumerate(measures, 1):
                told, body = f'number="{number}"', measure
                if body.startswith("@"):
                    _, told, body = body.split("@", 2)
                first = self.attributes if number == 1 and "<time>" not in body else ""
                written.append(f"<measure {told}>{first}{body}</measure>")
            bodies.append(f'<part id="P{index}">{"".join(written)}</part>')
        return (
            f'<score-partwise version="4.0">{head}<part-list>{"".join(listed)}</part-list>'
            f"{''.join(bodies)}</score-partwise>"
        ).encode()


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """Exports a score with options and reads the file back."""

    def run(musicxml: bytes, **options: Any) -> Played:
        messages: list[dict[str, Any]] = []
        context = Context(workspace=tmp_path, send=messages.append, component="midi")
        score = Score(musicxml=musicxml)
        (artifact,) = MidiExporter(MidiOptions(**options)).export(score, context)
        data = artifact.path.read_bytes()
        found = [m for m in messages if m["type"] == "diagnostic"]
        return Played(data, mido.MidiFile(file=io.BytesIO(data), charset="utf-8"), found)

    return run
