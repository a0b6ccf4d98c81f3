"""The benchmark's own reading of a score against the exporter's, on a few scores."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("ENSEMBLE_DATA", ROOT.parent / "shared" / "data")) / "scores" / "lieder"
SONGS = ("satie-lc6993176", "kinkel-lc6177442", "arne-lc8871933")


@pytest.fixture(scope="module")
def fidelity():
    script = ROOT / "benchmarks" / "midi_fidelity.py"
    if not script.exists():
        pytest.skip("the benchmarks are not here")
    spec = importlib.util.spec_from_file_location("midi_fidelity", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(fidelity, play, musicxml):
    played = play(musicxml)
    parts, counts = fidelity.expected(etree.fromstring(musicxml))
    for index, wanted in enumerate(parts):
        found = [
            (round(n.onset * 480), round(n.length * 480), n.pitch) for n in played.notes(index)
        ]
        assert fidelity.compare(wanted, found, 480) == ([], [])
    return counts


def test_a_score_with_a_bit_of_everything(fidelity, play, scribe):
    transpose = "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>"
    upper = [
        '@number="0" implicit="yes"@' + transpose + scribe.note("G4", 1),
        scribe.forward + scribe.note("C4", 3) + scribe.note("D4", 1, tie="start"),
        scribe.ending("1", "start")
        + scribe.note("D4", 1, tie="stop")
        + scribe.note("E4", grace=True)
        + scribe.note("F4", 1 / 3) * 3
        + scribe.note("G4", 2)
        + scribe.close_ending("1"),
        scribe.ending("2", "start") + scribe.note("D4", 4, tie="stop") + scribe.ending("2", "stop"),
        scribe.note("A4", 4) + scribe.words("D.C. al Fine", 'dacapo="yes"'),
    ]
    lower = [scribe.note("C3", 1)] + [
        scribe.note("C3", 4) + scribe.backup(4) + scribe.note("C3", 2, voice="2")
    ] * 4
    counts = check(fidelity, play, scribe.score(upper, lower))
    assert counts["played"] > counts["bars"]
    assert counts["ties"] >= 2
    assert counts["graces"]


@pytest.mark.data
@pytest.mark.parametrize("song", SONGS)
def test_songs_of_the_openscore_corpus(fidelity, play, song):
    path = DATA / f"{song}.mxl"
    if not path.exists():
        pytest.skip("the data folder is not here")
    counts = check(fidelity, play, fidelity.read_mxl(path))
    assert counts["bars"]
