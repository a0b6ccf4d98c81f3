"""The model files of an installed plugin, through the real command."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs
import pytest
from made_up import BARS
from publishing import Publisher, ranged, sending, slow, stall, whole
from small_disks import small_disk

from ensemble_core.model import ExitCode

DATA = random.Random(9).randbytes(400_000)
READER = """
from pathlib import Path
import attrs
from ensemble_core.hooks import hookimpl
from ensemble_core.model import ModelFile, RecognizerSpec, Score, option

@attrs.frozen
class Own:
    nets: str = option("", "Folder of one's own model files")

class Reader:
    def __init__(self, options):
        pass

    def recognize(self, page, ctx):
        assert ctx.model("net.bin").stat().st_size > 0
        return Score({score!r})

@hookimpl
def ensemble_recognizers():
    files = (ModelFile("net.bin", {url!r}, {size}, {sha256!r}, licence="MIT"),)
    return [RecognizerSpec(name="hungry", target=__name__ + ":Reader", options=Own,
                           models=files, own_models="nets", priority=-1, summary="Reads")]
"""


@attrs.frozen
class Kitchen:
    """A plugin that is installed, the server that publishes its file, and where that is kept."""

    publisher: Publisher
    folder: Path
    environment: dict[str, str]

    def command(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-m", "ensemble_core", *map(str, words)]

    def run(self, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment, **more}, timeout=60,
        )  # fmt: skip

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words), stderr=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment},
        )  # fmt: skip

    def left(self) -> set[str]:
        return {path.name for path in self.folder.glob("*")} - {".lock", "hashes.json"}


@pytest.fixture(params=[""])
def kitchen(request: pytest.FixtureRequest, install: Any, own_home: Path) -> Iterator[Kitchen]:
    with Publisher(DATA).running() as publisher:
        code = READER.format(
            score=BARS, url=f"{publisher.base}/net", size=len(DATA), sha256=request.param
        )
        install("hungry-dist", {"recognizers": {"hungry": "hungry_plugin"}}, hungry_plugin=code)
        others = {
            d.metadata["Name"]
            for d in metadata.distributions()
            if any(point.group.startswith("ensemble.") for point in d.entry_points)
        } - {"hungry-dist", "ensemble-core"}
        environment = {
            "ENSEMBLE_MODELS__ALLOW_HOSTS": "127.0.0.1",
            "ENSEMBLE_PLUGINS__BLOCK": ",".join(sorted(others)),  # looking at them takes time
        }
        yield Kitchen(publisher, own_home / "cache" / "ensemble" / "models" / "hungry", environment)


def test_from_missing_to_read(kitchen: Kitchen, page_png: Path, tmp_path: Path) -> None:
    convert = ("convert", page_png, "-r", "hungry", "-o", tmp_path / "out.musicxml")
    refused = kitchen.run(*convert)
    assert refused.returncode == ExitCode.MISSING
    assert len(refused.stderr.splitlines()) == 1
    for word in ("net.bin (400.0 kB)", str(kitchen.folder), "ensemble models fetch hungry"):
        assert word in refused.stderr
    planned = kitchen.run("plan", page_png, "-r", "hungry")
    assert planned.stderr == refused.stderr and planned.returncode == refused.returncode
    listed = kitchen.run("models", "list")
    words = ["hungry", "net.bin", "400.0", "kB", "missing", str(kitchen.folder)]
    assert listed.stdout.split() == words
    assert kitchen.publisher.asked == [], "nothing is downloaded without being asked for"

    fetched = kitchen.run("models", "fetch", "hungry")
    assert fetched.returncode == 0, fetched.stderr
    assert f"net.bin fetched: {kitchen.folder / 'net.bin'}" in fetched.stderr
    assert len(kitchen.publisher.asked) == 1
    (row,) = json.loads(kitchen.run("models", "list", "--json").stdout)
    assert (row["state"], row["size"], row["licence"]) == ("present", len(DATA), "MIT")
    assert row["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert "model files: net.bin" in kitchen.run("plan", page_png, "-r", "hungry").stdout
    assert kitchen.run(*convert).returncode == 0

    (kitchen.folder / "net.bin").write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    flipped = kitchen.run(*convert, "--overwrite")
    assert flipped.returncode == ExitCode.MISSING and "SHA-256" in flipped.stderr
    verified = kitchen.run("models", "verify")
    assert verified.returncode == ExitCode.MISSING and "net.bin  changed" in verified.stdout


def test_convert_fetches_when_told_to(kitchen: Kitchen, page_png: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.musicxml"
    done = kitchen.run("convert", page_png, "-r", "hungry", "-o", out, "--fetch-models")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "fetching the model files of hungry (400.0 kB)\n"
    assert out.exists()
    again = kitchen.run(
        "convert", page_png, "-r", "hungry", "-o", out, "--fetch-models", "--overwrite"
    )
    assert again.stderr == "" and len(kitchen.publisher.asked) == 1


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_on_a_terminal_a_bar_shows_the_bytes(
    kitchen: Kitchen, page_png: Path, tmp_path: Path
) -> None:
    import pty

    kitchen.publisher.answers = [slow]
    ours, theirs = pty.openpty()
    out = tmp_path / "out.musicxml"
    running = subprocess.Popen(
        kitchen.command("convert", page_png, "-r", "hungry", "-o", out, "--fetch-models"),
        stderr=theirs, env={**os.environ, **kitchen.environment, "TERM": "xterm", "COLUMNS": "150"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    assert running.wait(30) == 0, shown
    assert b"fetching the model files of hungry" in shown and b"/400.0 kB" in shown
    assert out.exists()


def test_the_doctor_is_content_without_files_but_not_with_bad_ones(kitchen: Kitchen) -> None:
    well = kitchen.run("plugins", "doctor")
    assert well.returncode == 0, well.stdout
    assert f"net.bin (400.0 kB) is missing from {kitchen.folder}" in well.stdout
    assert "ensemble models fetch hungry" in well.stdout
    assert "0 with a problem, 1 without model files" in well.stdout
    listed = kitchen.run("plugins", "list", "recognizer")
    assert "hungry-dist 1.0  [models missing]" in listed.stdout
    shown = kitchen.run("plugins", "show", "hungry")
    assert "reads the model file net.bin (400.0 kB, missing, MIT)" in shown.stdout
    kitchen.folder.mkdir(parents=True)
    (kitchen.folder / "net.bin").write_bytes(DATA[:-1])
    bad = kitchen.run("plugins", "doctor")
    assert bad.returncode == ExitCode.MISSING and "BAD recognizer hungry" in bad.stdout


def test_unknown_components_are_one_line(kitchen: Kitchen) -> None:
    for words, name, code in (
        (["fetch"], "hungri", ExitCode.MISSING),
        (["import", "."], "hungri", ExitCode.MISSING),
        (["path"], "musicxml", ExitCode.USAGE),
    ):
        done = kitchen.run("models", *words, name)
        assert done.returncode == code, done.stderr
        assert len(done.stderr.splitlines()) == 1 and "hungry" in done.stderr


def test_import_then_no_network_is_needed(kitchen: Kitchen, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "nets.zip", "w") as archive:
        archive.writestr("some/where/net.bin", DATA)
    done = kitchen.run("models", "import", tmp_path / "nets.zip")
    assert done.returncode == 0, done.stderr
    assert (kitchen.folder / "net.bin").read_bytes() == DATA
    assert kitchen.run("models", "fetch").returncode == 0
    assert kitchen.publisher.asked == []
    assert kitchen.run("models", "path", "hungry").stdout == f"{kitchen.folder}\n"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_fetch_is_gone_on_with(kitchen: Kitchen, number: int) -> None:
    kitchen.publisher.etag, kitchen.publisher.answers = '"v1"', [stall, ranged]
    running = kitchen.start("models", "fetch", "hungry")
    part = wait_for_part(kitchen)
    running.send_signal(number)
    _, told = running.communicate(timeout=20)
    assert running.returncode == ExitCode.CANCELLED and "Traceback" not in told
    assert kitchen.left() == {part.name, part.with_suffix(".tag").name}
    done = kitchen.run("models", "fetch", "hungry")
    assert done.returncode == 0, done.stderr
    assert kitchen.publisher.asked[1][1].startswith("bytes=")
    assert (kitchen.folder / "net.bin").read_bytes() == DATA
    assert kitchen.left() == {"net.bin"}


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_while_convert_fetches(kitchen: Kitchen, page_png: Path, tmp_path: Path) -> None:
    kitchen.publisher.answers = [stall]
    out = tmp_path / "out.musicxml"
    running = kitchen.start("convert", page_png, "-r", "hungry", "-o", out, "--fetch-models")
    wait_for_part(kitchen)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=20)
    assert running.returncode == ExitCode.CANCELLED, told
    assert "Traceback" not in told and not out.exists()


def wait_for_part(kitchen: Kitchen) -> Path:
    """The half that has come, once the server sends no more."""
    assert kitchen.publisher.under_way.wait(20)
    while True:
        found = list(kitchen.folder.glob(".*.part"))
        if found and found[0].stat().st_size > len(DATA) // 3:
            return found[0]
        kitchen.publisher.released.wait(0.02)


def test_a_killed_fetch_leaves_nothing_that_is_used(kitchen: Kitchen) -> None:
    kitchen.publisher.answers = [stall, whole]
    running = kitchen.start("models", "fetch", "hungry")
    wait_for_part(kitchen)
    running.kill()
    running.communicate()
    assert "missing" in kitchen.run("models", "list").stdout
    done = kitchen.run("models", "fetch")
    assert done.returncode == 0, done.stderr
    assert kitchen.left() == {"net.bin"}


def test_two_commands_at_once(kitchen: Kitchen) -> None:
    kitchen.publisher.answers = [slow]
    both = [kitchen.start("models", "fetch") for _ in range(2)]
    told = [running.communicate(timeout=60)[1] for running in both]
    assert [running.returncode for running in both] == [0, 0], told
    assert len(kitchen.publisher.asked) == 1
    assert (kitchen.folder / "net.bin").read_bytes() == DATA


@pytest.mark.parametrize("kitchen", [hashlib.sha256(b"another file").hexdigest()], indirect=True)
def test_a_wrong_hash_is_one_line(kitchen: Kitchen) -> None:
    done = kitchen.run("models", "fetch")
    assert done.returncode == ExitCode.MISSING and "SHA-256" in done.stderr
    assert "Traceback" not in done.stderr and kitchen.left() == set()


def test_a_wrong_size_is_one_line(kitchen: Kitchen) -> None:
    kitchen.publisher.answers = [sending(DATA[:-1])]
    done = kitchen.run("models", "fetch", "-q")
    assert done.returncode == ExitCode.MISSING and "399999 bytes" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and kitchen.left() == set()


def test_a_mirror_is_a_setting(kitchen: Kitchen) -> None:
    mirror = {"ENSEMBLE_MODELS__MIRROR": f"{kitchen.publisher.base}/m"}
    done = kitchen.run("models", "fetch", **mirror, ENSEMBLE_MODELS__ALLOW_HOSTS="")
    assert done.returncode == 0, done.stderr
    assert kitchen.publisher.asked == [("/m/hungry/net.bin", "")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "200k") as place:
        yield place


def test_a_full_disk_is_one_line(kitchen: Kitchen, disk: Path, tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(DATA)
    for words in (("fetch", "-q"), ("import", tmp_path)):
        done = kitchen.run("models", *words, ENSEMBLE_MODELS__FOLDER=str(disk))
        assert done.returncode == ExitCode.OUTPUT, done.stderr
        assert "no space left" in done.stderr and len(done.stderr.splitlines()) == 1
        assert {p.name for p in (disk / "hungry").glob("*")} <= {".lock"}


def test_a_disk_that_fills_up_meanwhile_is_one_line(kitchen: Kitchen) -> None:
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "sys.argv = ['ensemble', 'models', 'fetch', '-q']; "
        "from ensemble_core.cli.main import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True,
        env={**os.environ, **kitchen.environment},
    )  # fmt: skip
    assert done.returncode == ExitCode.OUTPUT, done.stderr
    assert "too large" in done.stderr and len(done.stderr.splitlines()) == 1
    assert kitchen.left() == set()


def test_a_folder_that_cannot_be_made_is_one_line(kitchen: Kitchen, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = kitchen.run("models", "fetch", "-q", ENSEMBLE_MODELS__FOLDER=str(tmp_path / "file"))
    assert done.returncode == ExitCode.OUTPUT and len(done.stderr.splitlines()) == 1


def test_a_read_only_folder_serves_but_takes_nothing(
    kitchen: Kitchen, disk: Path, page_png: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
    here = {"ENSEMBLE_MODELS__FOLDER": str(disk)}
    (disk / "hungry").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = kitchen.run("models", "fetch", "-q", **here)
    assert done.returncode == ExitCode.OUTPUT and "read-only" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    (disk / "hungry" / "net.bin").write_bytes(DATA)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert kitchen.run("models", "fetch", **here).returncode == 0
    out = tmp_path / "o.musicxml"
    read = kitchen.run("convert", page_png, "-r", "hungry", "-o", out, **here)
    assert read.returncode == 0, read.stderr


def test_help_imports_nothing_of_the_network() -> None:
    look = (
        "import sys; sys.argv = ['ensemble', '--help']\n"
        "from ensemble_core.cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "bad = {'pooch', 'requests', 'urllib3', 'filelock', 'numpy'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", look], check=True, capture_output=True)
