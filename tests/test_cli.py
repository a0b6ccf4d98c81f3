"""The command line as a person meets it, in real processes and with real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import BARS

from ensemble_core.model import ExitCode


def ensemble(
    *words: str | Path, cwd: Path | None = None, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ensemble_core", *map(str, words)]
    return subprocess.run(command, capture_output=True, cwd=cwd, input=stdin or b"")


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    path = tmp_path / "tune.musicxml"
    path.write_bytes(BARS)
    return path


def test_a_score_goes_straight_to_the_exporters(tune: Path, tmp_path: Path) -> None:
    done = ensemble("convert", tune, "-o", tmp_path / "out" / "x.musicxml")
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == [str(tmp_path / "out" / "x.musicxml")]
    assert b"<step>C</step>" in (tmp_path / "out" / "x.musicxml").read_bytes()
    assert done.stderr == b""


def test_stdin_to_stdout_carries_nothing_but_the_score(tune: Path, tmp_path: Path) -> None:
    done = ensemble("convert", "-", stdin=tune.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"<?xml")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tune.musicxml"]


def test_an_existing_output_is_kept_unless_told(tune: Path) -> None:
    done = ensemble("convert", tune)
    assert done.returncode == ExitCode.OUTPUT
    assert "exists already" in done.stderr.decode() and len(lines(done.stderr)) == 1
    assert tune.read_bytes() == BARS


@pytest.mark.parametrize("flag", ["--skip-existing", "--resume", "--overwrite"])
def test_policies(tune: Path, tmp_path: Path, flag: str) -> None:
    assert ensemble("convert", tune, "-o", f"{tmp_path}/o/").returncode == 0
    assert ensemble("convert", tune, "-o", f"{tmp_path}/o/", flag).returncode == 0


def test_the_report_tells_what_happened(tune: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.png"
    report = tmp_path / "report.json"
    done = ensemble("convert", tune, missing, "-o", f"{tmp_path}/o/", "--report", report, "--json")
    assert done.returncode == ExitCode.PARTIAL
    assert json.loads(done.stdout) == json.loads(report.read_text())
    data = json.loads(report.read_text())
    assert [d["status"] for d in data["documents"]] == ["ok", "failed"]
    assert data["documents"][1]["error"]["code"] == "input-unreadable"
    assert data["exit_code"] == 7 and data["schema"] == 1
    assert data["versions"]["ensemble-core"]


def test_quiet_prints_errors_only(tune: Path, tmp_path: Path) -> None:
    done = ensemble("convert", tune, tmp_path / "none.png", "-o", f"{tmp_path}/o/", "-q")
    assert done.stdout == b"" and len(lines(done.stderr)) == 1


def test_verbose_names_the_steps(tune: Path, tmp_path: Path) -> None:
    done = ensemble("convert", tune, "-o", f"{tmp_path}/o/", "-v")
    assert "tune.musicxml: ok" in done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "code", "phrase"),
    [
        (["convert"], 2, "INPUT"),
        (["convret"], 2, "Did you mean 'convert'"),
        (["convert", "x.png", "--pages", "3-1"], 2, "not a range"),
        (["convert", "x.png", "--pages", "one"], 2, "not a page"),
        (["convert", "x.png", "--deadline", "soon"], 2, "not a duration"),
        (["convert", "x.png", "-c", "none.toml"], 2, "no such configuration file"),
        (["convert", "x.png", "--profile", "photo"], 2, "no profile 'photo'"),
        (["convert", "x.png", "-O", "sigma=1"], 2, "component.option=value"),
        (["convert", "x.png", "-O", "nobody.sigma=1"], 2, "no such component"),
        (["convert", "x.png", "-o", "a.xyz"], 2, "no exporter makes .xyz files"),
        (["convert", "x.png", "--to", "musicxlm"], 4, "did you mean 'musicxml'"),
        (["convert", "x.png", "--recognizer", "nobody"], 3, "no such file"),
        (["convert", "-", "x.png"], 2, "must be the only input"),
        (["convert", "a.png", "b.png", "-o", "-"], 2, "one input"),
        (["convert", "a.png", "--json", "-o", "-"], 2, "standard output"),
        (["convert", "x.png"], 3, "no such file"),
        (["convert", "*.tiff"], 3, "no file matches"),
        (["convert", "."], 3, "holds no picture"),
        (["plugins", "show", "nobody"], 4, "nobody"),
        (["config", "validate", "none.toml"], 2, "no such configuration file"),
    ],
)
def test_what_the_user_got_wrong_is_said_in_one_line(
    tmp_path: Path, words: list[str], code: int, phrase: str
) -> None:
    done = ensemble(*words, cwd=tmp_path)
    text = done.stderr.decode()
    assert done.returncode == code, text
    assert phrase in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


def test_config_init_explain_show_validate_schema(tmp_path: Path) -> None:
    import jsonschema

    from ensemble_core.config.toml import read

    assert ensemble("config", "init", cwd=tmp_path).returncode == 0
    assert ensemble("config", "init", cwd=tmp_path).returncode == ExitCode.OUTPUT
    explained = ensemble("config", "explain", "run.page", cwd=tmp_path).stdout.decode()
    assert explained.strip() == f"run.page-deadline = 900.0  # {tmp_path / 'ensemble.toml'}"
    shown = json.loads(ensemble("config", "show", "--json", cwd=tmp_path).stdout)
    assert shown["pipeline.export"] == ["musicxml", "midi"]
    assert "max-pages" in ensemble("config", "show", cwd=tmp_path).stdout.decode()
    schema = json.loads(ensemble("config", "schema", cwd=tmp_path).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read(tmp_path / "ensemble.toml"), schema)
    (tmp_path / "ensemble.toml").write_text("[options.musicxml]\ncompresed = true\n")
    wrong = ensemble("config", "validate", cwd=tmp_path)
    assert wrong.returncode == ExitCode.USAGE and b"compressed" in wrong.stderr
    (tmp_path / "ensemble.toml").write_text("[options.mock]\nmeasures = -1\n")
    unused = ensemble("config", "validate", cwd=tmp_path)
    assert unused.returncode == ExitCode.USAGE and b"options.mock.measures" in unused.stderr
    (tmp_path / "ensemble.toml").write_text("[options.mock]\nmeasures = 2\n")
    assert ensemble("config", "validate", cwd=tmp_path).returncode == 0


def test_the_plan_says_what_would_run_and_why(tune: Path, tmp_path: Path) -> None:
    shown = ensemble("plan", tune, "--to", "musicxml", cwd=tmp_path).stdout.decode()
    assert "export" in shown and "musicxml" in shown and "chosen" in shown
    data = json.loads(ensemble("plan", tune, "--to", "musicxml", "--json").stdout)
    assert data["recognizer"] is None
    assert data["export"][0]["name"] == "musicxml"


def test_plugins_show_lists_options(tmp_path: Path) -> None:
    shown = ensemble("plugins", "show", "musicxml").stdout.decode()
    assert "-O musicxml.compressed=false" in shown
    data = json.loads(ensemble("plugins", "show", "exporters.musicxml", "--json").stdout)
    assert data["properties"]["compressed"]["type"] == "boolean"


def test_cache_info_and_clear(tmp_path: Path) -> None:
    assert "0 pages" in ensemble("cache", "info").stdout.decode()
    assert "removed 0 pages" in ensemble("cache", "clear").stdout.decode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    if shell == "bash" and os.system("bash --version > /dev/null 2>&1"):
        pytest.skip("no bash")
    assert b"_ENSEMBLE_COMPLETE" in ensemble("completion", shell).stdout


def test_version_is_the_packages() -> None:
    from ensemble_core import __version__

    assert ensemble("--version").stdout.decode() == f"ensemble {__version__}\n"


def test_an_option_on_the_command_line_reaches_its_component(tune: Path, tmp_path: Path) -> None:
    done = ensemble("convert", tune, "-o", f"{tmp_path}/o/", "-O", "musicxml.compressed=yes")
    assert done.returncode == 0, done.stderr
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["tune.mxl"]


def test_a_profile_and_the_environment_count(tune: Path, tmp_path: Path) -> None:
    (tmp_path / "ensemble.toml").write_text(
        "[profiles.small.options.musicxml]\ncompressed = true\n"
    )
    done = ensemble("convert", tune, "-o", "o/", "--profile", "small", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o" / "tune.mxl").exists()


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_a_terminal_shows_a_bar_and_a_clean_end(tmp_path: Path, page_png: Path) -> None:
    import pty

    other = tmp_path / "other.png"
    other.write_bytes(page_png.read_bytes() + b" ")
    parent, child = pty.openpty()
    command = [
        sys.executable, "-m", "ensemble_core", "convert", str(page_png), str(other),
        "--recognizer", "mock", "-O", "mock.fault=delay", "-o", "o/{index}",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=child, stdout=subprocess.PIPE, cwd=tmp_path) as running:
        os.close(child)
        shown = b""
        while True:
            try:
                data = os.read(parent, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        assert running.stdout is not None
        paths = running.stdout.read().decode().splitlines()
        assert running.wait() == 0, shown
    os.close(parent)
    assert "page.png" in shown.decode() and "%" in shown.decode()
    assert sorted(paths) == ["o/1.musicxml", "o/2.musicxml"]


def test_debug_shows_where_a_worker_failed(tmp_path: Path, page_png: Path) -> None:
    words = ["convert", page_png, "--recognizer", "mock", "-O", "mock.fault=raise", "-o", "o/"]
    plain = ensemble(*words, cwd=tmp_path)
    assert plain.returncode == ExitCode.RECOGNITION and len(lines(plain.stderr)) == 1
    debug = ensemble(*words, "--debug", cwd=tmp_path)
    assert b"Traceback" in debug.stderr and b"ensemble_mock" in debug.stderr
