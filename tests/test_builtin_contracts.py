"""The core's own components keep the contract everybody else is held to."""

from __future__ import annotations

from ensemble_core.testing import (
    ExecutorContract,
    ExporterContract,
    LoaderContract,
    ScoreLoaderContract,
)


class TestImage(LoaderContract):
    name = "image"


class TestMusicXmlIn(ScoreLoaderContract):
    name = "musicxml"


class TestMusicXmlOut(ExporterContract):
    name = "musicxml"


class TestCompressedMusicXml(ExporterContract):
    name = "musicxml"
    options = {"compressed": True}


class TestSerial(ExecutorContract):
    name = "serial"


class TestProcesses(ExecutorContract):
    name = "processes"
