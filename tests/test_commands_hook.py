"""Plugins may add commands; they are known before they are imported, loaded when called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Installer

ADDER = """
import click
from ensemble_core.hooks import hookimpl
from ensemble_core.model import CommandSpec

@click.command()
@click.argument("word")
def shout(word):
    click.echo(word.upper())

@hookimpl
def ensemble_commands():
    return [CommandSpec(name="shout", target=__name__ + ":shout", summary="Say it louder")]
"""


def ensemble(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ensemble_core", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_a_plugin_adds_a_command(install: Installer, tmp_path: Path) -> None:
    install("shouter", {"plugins": {"shouter": "shouter_mod"}}, shouter_mod=ADDER)
    done = ensemble("shout", "forte", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "FORTE\n"), done.stderr
    assert ensemble("plugins", "list", cwd=tmp_path).returncode == 0
    assert "Say it louder" in ensemble("--help", cwd=tmp_path).stdout


def test_variables_of_a_plugin_are_no_business_of_the_core(
    install: Installer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("shouter", {"plugins": {"shouter": "shouter_mod"}}, shouter_mod=ADDER)
    monkeypatch.setenv("ENSEMBLE_SHOUTER__VOICE__HIGH", "yes")
    done = ensemble("config", "show", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("ENSEMBLE_SHUOTER__VOICE__HIGH", "yes")
    done = ensemble("config", "show", cwd=tmp_path)
    assert done.returncode == 2 and "ENSEMBLE_SHUOTER__VOICE__HIGH" in done.stderr


def test_a_broken_command_plugin_leaves_the_rest_alone(install: Installer, tmp_path: Path) -> None:
    install("sore", {"plugins": {"sore": "sore_mod"}}, sore_mod="raise OSError('no voice')")
    assert ensemble("--help", cwd=tmp_path).returncode == 0
    assert ensemble("config", "show", cwd=tmp_path).returncode == 0
    done = ensemble("shuot", cwd=tmp_path)
    assert done.returncode == 2 and "No such command" in done.stderr
