"""The exporter as a component: what it promises to the pipeline."""

from __future__ import annotations

import subprocess
import sys
import time

import attrs
import mido
import pytest
from ensemble_midi.exporter import MidiExporter
from ensemble_midi.options import MidiOptions
from ensemble_midi.plugin import ensemble_exporters

from ensemble_core.model import (
    Cancelled,
    CancelToken,
    Context,
    DeadlineExceeded,
    Exporter,
    Score,
)


@pytest.fixture
def score(scribe):
    bar = scribe.dynamic("f") + scribe.note("C4", 2) + scribe.note("E4", 2)
    return Score(musicxml=scribe.score([bar] * 4, [bar] * 4), title="A song")


def test_the_spec_names_what_it_makes():
    (spec,) = ensemble_exporters()
    assert (spec.name, spec.media_type, spec.suffix) == ("midi", "audio/midi", ".mid")
    assert spec.deterministic


def test_it_is_an_exporter_and_its_file_is_in_the_workspace(score, tmp_path):
    exporter = MidiExporter(MidiOptions())
    assert isinstance(exporter, Exporter)
    (artifact,) = exporter.export(score, Context(workspace=tmp_path))
    assert artifact.path.parent == tmp_path
    assert (artifact.media_type, artifact.suffix) == ("audio/midi", ".mid")
    assert mido.MidiFile(artifact.path).tracks[0].name == "A song"


def test_the_same_score_gives_the_same_bytes(score, tmp_path):
    def export(name):
        folder = tmp_path / name
        folder.mkdir()
        (artifact,) = MidiExporter().export(score, Context(workspace=folder))
        return artifact.path.read_bytes()

    assert export("one") == export("two")


def test_hash_seeds_do_not_change_the_bytes(score, tmp_path):
    source = tmp_path / "score.xml"
    source.write_bytes(score.musicxml)
    program = (
        "import sys, pathlib, hashlib\n"
        "from ensemble_core.model import Context, Score\n"
        "from ensemble_midi.exporter import MidiExporter\n"
        "score = Score(musicxml=pathlib.Path(sys.argv[1]).read_bytes())\n"
        "context = Context(workspace=pathlib.Path(sys.argv[1]).parent)\n"
        "(artifact,) = MidiExporter().export(score, context)\n"
        "print(hashlib.sha256(artifact.path.read_bytes()).hexdigest())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(source)],
            env={"PYTHONHASHSEED": seed, "HOME": str(tmp_path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


def test_importing_the_plugin_is_cheap():
    program = (
        "import sys, ensemble_midi.plugin\n"
        "ensemble_midi.plugin.ensemble_exporters()\n"
        "print([m for m in ('music21', 'mido', 'numpy', 'lxml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_printed(score, tmp_path, capfd):
    MidiExporter().export(score, Context(workspace=tmp_path))
    assert capfd.readouterr() == ("", "")


def test_progress_goes_up_to_the_end(score, tmp_path):
    told = []
    MidiExporter().export(score, Context(workspace=tmp_path, send=told.append))
    parts = [message["done"] / message["total"] for message in told]
    assert parts == sorted(parts)
    assert len(parts) > 2
    assert parts[-1] == 1


def test_a_cancelled_run_writes_nothing(score, tmp_path):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        MidiExporter().export(score, Context(workspace=tmp_path, cancel=token))
    assert not list(tmp_path.iterdir())


def test_cancelling_in_the_middle_stops_between_parts(score, tmp_path):
    token, told = CancelToken(), []

    def send(message):
        told.append(message)
        token.cancel()

    with pytest.raises(Cancelled):
        MidiExporter().export(score, Context(workspace=tmp_path, cancel=token, send=send))
    assert len(told) == 1
    assert not list(tmp_path.iterdir())


def test_a_passed_deadline_is_kept(score, tmp_path):
    with pytest.raises(DeadlineExceeded):
        MidiExporter().export(score, Context(workspace=tmp_path, expires=time.monotonic() - 1))


@pytest.mark.parametrize(
    "wrong", [{"velocity": 0}, {"velocity": 128}, {"resolution": 1}, {"tempo": 0.0}]
)
def test_options_are_checked(wrong):
    with pytest.raises(ValueError):
        MidiOptions(**wrong)


def test_every_option_says_what_it_does():
    for field in attrs.fields(MidiOptions):
        assert field.metadata["doc"]
