"""The MIDI exporter held to the contract."""

from __future__ import annotations

from ensemble_core.testing import ExporterContract


class TestMidi(ExporterContract):
    name = "midi"
