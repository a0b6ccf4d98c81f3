"""A broken plugin is reported by name and keeps nobody else from working."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import reader_code

from conftest import Installer
from ensemble_core import Pipeline
from ensemble_core.model import ContractError, ExitCode, MissingError
from ensemble_core.registry import Registry

CASES = {
    "raises": ("raise RuntimeError('no such wheel')\n", ExitCode.MISSING, "no such wheel"),
    "misspelled": (
        reader_code("misspelled") + "\n@hookimpl\ndef ensemble_recogniser():\n    return []\n",
        ExitCode.CONTRACT,
        "ensemble_recogniser",
    ),
    "future": (reader_code("future", api=99), ExitCode.CONTRACT, "plugin API 99"),
}


@pytest.fixture
def crowd(install: Installer) -> Path:
    """One good plugin among every kind of bad one."""
    install("good-dist", {"recognizers": {"good": "good_mod"}}, good_mod=reader_code("good"))
    for name, (code, _, _) in CASES.items():
        install(f"{name}-dist", {"recognizers": {name: f"{name}_mod"}}, **{f"{name}_mod": code})
    for number in ("one", "two"):
        install(
            f"twin-{number}",
            {"recognizers": {"twin": f"twin_{number}"}},
            **{f"twin_{number}": reader_code("twin")},
        )
    return install(
        "quitter", {"recognizers": {"quit": "quit_mod"}}, quit_mod="import os; os._exit(3)"
    )


def ensemble(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ensemble_core", *words], capture_output=True, text=True, cwd=cwd
    )


def test_list_and_doctor_name_the_distribution_of_each(crowd: Path) -> None:
    listed = ensemble("plugins", "list", "recognizer", "--json")
    assert listed.returncode == 0
    rows = {(r["name"], r["distribution"]): r for r in json.loads(listed.stdout)}
    assert rows["good", "good-dist"]["state"] == "ready"
    assert rows["raises", "raises-dist"]["state"] == "does not load"
    assert "no such wheel" in rows["raises", "raises-dist"]["problem"]
    assert rows["misspelled", "misspelled-dist"]["state"] == "broken contract"
    assert rows["future", "future-dist"]["state"] == "broken contract"
    assert rows["quit", "quitter"]["state"] == "does not load"
    for number, other in (("one", "two"), ("two", "one")):
        assert rows["twin", f"twin-{number}"]["state"] == "collision"
        assert f"twin-{other} 1.0" in rows["twin", f"twin-{number}"]["problem"]
    doctor = ensemble("plugins", "doctor")
    assert doctor.returncode == ExitCode.CONTRACT
    for name in (
        "raises-dist",
        "misspelled-dist",
        "future-dist",
        "twin-one",
        "twin-two",
        "quitter",
    ):
        assert f"({name} 1.0)" in doctor.stdout


@pytest.mark.parametrize("name", CASES)
def test_using_a_broken_plugin_is_one_line_and_its_exit_code(
    crowd: Path, page_png: Path, name: str
) -> None:
    _, code, phrase = CASES[name]
    done = ensemble("convert", str(page_png), "--recognizer", name)
    assert done.returncode == code
    assert phrase in done.stderr and f"{name}-dist" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_two_with_one_name_are_an_error_only_when_used(crowd: Path, page_png: Path) -> None:
    done = ensemble("convert", str(page_png), "--recognizer", "twin")
    assert done.returncode == ExitCode.CONTRACT
    assert "twin-one 1.0" in done.stderr and "twin-two 1.0" in done.stderr
    assert ensemble("plan", str(page_png), "--recognizer", "twin-two:twin").returncode == 0


def test_a_pipeline_that_uses_none_of_them_works(crowd: Path, page_png: Path) -> None:
    result = Pipeline(recognizer="good", export=["musicxml"]).run([page_png])
    assert result.ok, result.report
    assert b"<step>C</step>" in (result.documents[0].outputs[0].data or b"")


def test_version_and_help_work_among_them(crowd: Path) -> None:
    assert ensemble("--version").returncode == 0
    assert ensemble("--help").returncode == 0


def test_blocked_plugins_are_never_imported(crowd: Path) -> None:
    registry = Registry(block=["raises-dist", "twin-one"])
    with pytest.raises(MissingError, match="blocked"):
        registry.resolve("recognizer", "raises")
    assert registry.resolve("recognizer", "twin").entry.distribution == "twin-two"
    assert "raises_mod" not in sys.modules and "twin_one" not in sys.modules


def test_a_spec_of_another_name_breaks_the_contract(install: Installer) -> None:
    install("odd", {"recognizers": {"promised": "odd_mod"}}, odd_mod=reader_code("other"))
    with pytest.raises(ContractError, match="announces the recognizer 'promised'"):
        Registry().resolve("recognizer", "promised")


def test_listing_and_completion_import_no_plugin(crowd: Path) -> None:
    code = (
        "import sys, os, runpy\n"
        "sys.argv = ['ensemble', *{words!r}]\n"
        "try: runpy.run_module('ensemble_core', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "bad = [m for m in sys.modules if m.endswith('_mod') or m.startswith(('twin_',"
        " 'ensemble_sharpen', 'ensemble_midi', 'ensemble_sightread', 'ensemble_core.builtin',"
        " 'numpy', 'cv2', 'PIL', 'music21', 'verovio', 'onnxruntime', 'lxml'))]\n"
        "print('LOADED', bad, file=sys.stderr)\n"
    )
    for words in (["plugins", "list"], ["--help"], ["completion", "bash"]):
        done = subprocess.run(
            [sys.executable, "-c", code.format(words=words)], capture_output=True, text=True
        )
        assert "LOADED []" in done.stderr, (words, done.stderr)
