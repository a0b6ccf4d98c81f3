"""The hooks of ensemble-midi."""

from __future__ import annotations

from collections.abc import Iterable

from ensemble_core.hooks import hookimpl
from ensemble_core.model import ExporterSpec


@hookimpl
def ensemble_exporters() -> Iterable[ExporterSpec]:
    """The ``midi`` exporter."""
    return (
        ExporterSpec(
            name="midi",
            target="ensemble_midi.exporter:MidiExporter",
            options="ensemble_midi.options:MidiOptions",
            summary="Standard MIDI file, played as a musician would",
            media_type="audio/midi",
            suffix=".mid",
        ),
    )
