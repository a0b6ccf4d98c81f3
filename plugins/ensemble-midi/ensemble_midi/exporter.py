"""The ``midi`` exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ensemble_core.model import Artifact, Context, Diagnostic, InputError, Score

from .options import MidiOptions

if TYPE_CHECKING:
    from .signs import BarSigns


class MidiExporter:
    """Plays a score and writes the performance as a standard MIDI file."""

    def __init__(self, options: MidiOptions | None = None) -> None:
        self.options = options or MidiOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write ``score.mid`` into the workspace.

        Raises:
            InputError: The MusicXML cannot be read, or has no measures.
        """
        ctx.check()
        path = ctx.workspace / "score.mid"
        path.write_bytes(self.to_bytes(score, ctx))
        ctx.progress(1, 1)
        return (Artifact(path=path, media_type="audio/midi", suffix=".mid"),)

    def to_bytes(self, score: Score, ctx: Context) -> bytes:
        """The MIDI file as bytes.

        Raises:
            InputError: The MusicXML cannot be read, or has no measures.
        """
        from .channels import allocate
        from .dynamics import set_velocities
        from .performance import perform, tempo_map, visits
        from .prepare import prepare
        from .reading import read_part
        from .writer import Song, write

        prepared = prepare(score.musicxml)
        if not prepared.bars:
            raise InputError("the score holds no measures, so there is nothing to play")
        steps = len(prepared.parts) + 2
        ctx.progress(1, steps, "steps")
        played = visits(self._order(prepared.signs, ctx), prepared.bars)
        parts, tempos = [], []
        for index, (table, document) in enumerate(prepared.parts):
            music = read_part(table, document, self.options.velocity)
            set_velocities(music, prepared.bars, self.options.velocity)
            parts.append((table, perform(table, music, played)))
            tempos += music.tempos
            ctx.progress(index + 2, steps, "steps")
        changes = tempo_map(tempos, played)
        if self.options.tempo is not None:
            changes = [(played[0][1], self.options.tempo)]
        tables = [table for table, _ in parts]
        song = Song(
            title=score.title or prepared.title,
            resolution=self.options.resolution,
            bars=prepared.bars,
            played=played,
            tempos=changes,
            parts=list(zip(tables, allocate(parts), strict=True)),
        )
        return write(song)

    def _order(self, signs: list[BarSigns], ctx: Context) -> tuple[int, ...]:
        """The bars as they are played; tells the user about road signs that make no sense."""
        from .roadmap import route

        if not self.options.repeats:
            return tuple(range(len(signs)))
        found = route(signs)
        for problem in found.problems:
            ctx.report(
                Diagnostic(
                    "warning",
                    "midi-repeats-unclear",
                    problem,
                    hint="look at the repeat signs there, or use -O midi.repeats=false",
                )
            )
        return found.order
