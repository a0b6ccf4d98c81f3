"""A new plugin, from wheels, in an environment that holds nothing else.

Long (two minutes): it builds wheels and installs the core's dependencies with pip.
Set ``ENSEMBLE_OFFLINE`` where no package index can be reached.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ensemble_core.cli.scaffold import write_plugin

REPOSITORY = Path(__file__).parent.parent


def call(*words: str | Path, folder: Path) -> str:
    """Run a command, away from this environment's packages."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=env, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.long
@pytest.mark.skipif("ENSEMBLE_OFFLINE" in os.environ, reason="ENSEMBLE_OFFLINE is set")
def test_a_new_recognizer_works_in_a_clean_environment(tmp_path: Path) -> None:
    (written, *_) = write_plugin("recognizer", "my-reader", tmp_path)
    wheels = tmp_path / "wheels"
    for source in (REPOSITORY, written.parent):
        call(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, source,
             folder=tmp_path)  # fmt: skip
    core, plugin = sorted(wheels.glob("*.whl"))
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    call(python, "-m", "pip", "install", "-q", f"ensemble-core[test] @ {core.as_uri()}", plugin,
         folder=tmp_path)  # fmt: skip

    # The tests alone, so that the installed package is what they see.
    tests = written.parent / "tests"
    assert " passed" in call(python, "-m", "pytest", "-q", tests, folder=tmp_path)
    assert "my-reader" in call(programs / "ensemble", "plugins", "list", folder=tmp_path)
    call(python, "-c", "from pathlib import Path; from ensemble_core.testing import engraved_page;"
         "engraved_page(Path(), 'melody')", folder=tmp_path)  # fmt: skip
    call(programs / "ensemble", "convert", "melody.png", "--recognizer", "my-reader",
         "--to", "musicxml", folder=tmp_path)  # fmt: skip
    assert (tmp_path / "melody.musicxml").read_text(encoding="utf-8").count("<measure ") == 16

    # And a package of another kind, by its own tests, in the same environment.
    call(programs / "ensemble", "plugins", "new", "exporter", "my-table", folder=tmp_path)
    call(python, "-m", "pip", "install", "-q", tmp_path / "my-table", folder=tmp_path)
    assert " passed" in call(
        python, "-m", "pytest", "-q", tmp_path / "my-table" / "tests", folder=tmp_path
    )
