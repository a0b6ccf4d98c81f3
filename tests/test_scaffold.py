"""``ensemble plugins new``: what it writes works at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ensemble_core.cli.scaffold import write_plugin
from ensemble_core.model import KINDS, ConfigError, OutputError

sys.path.insert(0, str(Path(__file__).parent))
from installing import develop, run

ENSEMBLE = "from ensemble_core.cli.main import run; run()"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_tests_of_a_new_package_pass_at_once(kind: str, tmp_path: Path) -> None:
    name = f"my-own-{kind}"
    written = write_plugin(kind, name, tmp_path)
    assert all(path.is_file() for path in written)
    folder, site = tmp_path / name, tmp_path / "site"
    develop(folder, site)
    done = run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, site, [folder])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout.splitlines()[-1], done.stdout
    left = [path for path in folder.rglob("*") if path.is_file() and path not in written]
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_clean_in_the_eyes_of_the_tools(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    pytest.importorskip("mypy")
    write_plugin(kind, "a-plugin-with-a-longer-name", tmp_path)
    folder = tmp_path / "a-plugin-with-a-longer-name"
    for words in (
        ["ruff", "check", "--isolated", "--line-length", "100", "--select", "E,W,F,I,UP,B", "."],
        ["mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "-p",
         "a_plugin_with_a_longer_name"],
    ):  # fmt: skip
        done = run(["-m", *words], folder, tmp_path / "site", [folder])
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_recognizer_reads_a_page_from_the_command_line(tmp_path: Path) -> None:
    from ensemble_core.testing import engraved_page

    write_plugin("recognizer", "my-reader", tmp_path)
    folder, site = tmp_path / "my-reader", tmp_path / "site"
    develop(folder, site)
    page = engraved_page(tmp_path).image
    words = ["-c", ENSEMBLE, "convert", str(page), "--recognizer", "my-reader",
             "--to", "musicxml", "--output", str(tmp_path / "out.musicxml")]  # fmt: skip
    done = run(words, tmp_path, site, [folder])
    assert done.returncode == 0, done.stderr
    score = (tmp_path / "out.musicxml").read_text(encoding="utf-8")
    # Three systems of two staves, read as six staves of 5, 6 and 5 bars.
    assert score.count("<measure ") == 32
    assert "my-reader 0.1.0" in score


@pytest.mark.parametrize("name", ["My-Reader", "1st", "a_b", "-a", "a--b", "a/b", "../x", "", "é"])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no name for a plugin"):
        write_plugin("recognizer", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "class", "tests"])
def test_a_name_that_hides_a_module_of_python_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="would hide"):
        write_plugin("recognizer", name, tmp_path)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="recogniser"):
        write_plugin("recogniser", "my-reader", tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_plugin("recognizer", "my-reader", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="exists already"):
        write_plugin("exporter", "my-reader", tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
