"""``ensemble remote`` as a person runs it, against a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from announcing import announced
from ensemble_server.client import Client
from ensemble_server.settings import Settings
from serving import picture, serving, wait_for

RUN = "from ensemble_core.cli.main import run; run()"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    with serving(Settings(folder=folder, workers=2)) as address:
        yield address


@pytest.fixture(scope="module")
def environment(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the command."""
    return {**announced(tmp_path_factory.mktemp("site")), "ENSEMBLE_REMOTE_SERVER": url}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.png").write_bytes(picture(shade=number))
    return folder


def remote(environment: dict[str, str], folder: Path, *words: str, **more: Any) -> Any:
    return subprocess.run(
        [sys.executable, "-c", RUN, "remote", *words],
        cwd=folder, env=environment, capture_output=True, text=more.pop("text", True),
        timeout=300, **more,
    )  # fmt: skip


MOCK = ["-r", "mock"]


def test_a_folder_becomes_scores_here(environment: dict[str, str], scans: Path) -> None:
    done = remote(environment, scans.parent, "convert", "scans", "-o", "out/", *MOCK)
    assert done.returncode == 0, done.stderr
    names = [f"{number}{suffix}" for number in (1, 2) for suffix in (".mid", ".musicxml")]
    assert sorted(path.name for path in (scans.parent / "out").iterdir()) == names
    assert sorted(done.stdout.split()) == [f"out/{name}" for name in names]
    assert "2 inputs: 2 ok" in done.stderr


def test_the_bytes_are_those_of_a_conversion_here(environment: dict[str, str], scans: Path) -> None:
    words = ["scans/1.png", "-t", "musicxml", "-r", "mock", "-O", "mock.measures=7"]
    done = remote(environment, scans.parent, "convert", *words, "-o", "there.musicxml")
    assert done.returncode == 0, done.stderr
    here = subprocess.run(
        [sys.executable, "-c", RUN, "convert", *words, "-o", "here.musicxml", "--no-cache"],
        cwd=scans.parent, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert here.returncode == 0, here.stderr
    there = (scans.parent / "there.musicxml").read_text()
    assert there == (scans.parent / "here.musicxml").read_text()
    assert there.count("<measure") == 7


def test_existing_files_are_kept_unless_asked(environment: dict[str, str], scans: Path) -> None:
    mine = scans / "1.musicxml"
    mine.write_text("mine")
    words = ["scans/1.png", "-t", "musicxml", *MOCK]
    refused = remote(environment, scans.parent, "convert", *words)
    assert refused.returncode == 6 and "exists already" in refused.stderr
    skipped = remote(environment, scans.parent, "convert", *words, "--skip-existing")
    assert skipped.returncode == 0 and "skipped" in skipped.stderr
    assert mine.read_text() == "mine"
    replaced = remote(environment, scans.parent, "convert", *words, "--overwrite")
    assert replaced.returncode == 0 and mine.read_text().startswith("<?xml")


def test_standard_input_and_output(environment: dict[str, str], scans: Path) -> None:
    done = remote(
        environment, scans, "convert", "-", "-t", "musicxml", *MOCK,
        text=False, input=picture(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"<?xml") and done.stdout.rstrip().endswith(b">")


def test_several_inputs_join(environment: dict[str, str], scans: Path) -> None:
    words = ["scans", "--join", "-o", "both.musicxml", *MOCK, "--json"]
    done = remote(environment, scans.parent, "convert", *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["exit_code"] == 0 and len(report["documents"][0]["pages"]) == 2
    assert (scans.parent / "both.musicxml").is_file()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["-r", "mock", "-O", "mock.fault=nothing"], 5, "failed: 1.png"),
        (["-r", "mokc"], 2, "mock"),
        (["-t", "musikxml", "-r", "mock"], 2, "musicxml"),
        (["-r", "mock", "-O", "mock"], 2, "component.option=value"),
        (["-o", "tune.xyz", "-r", "mock"], 2, ".xyz"),
    ],
)
def test_exit_codes_are_those_of_convert(
    environment: dict[str, str], scans: Path, words: list[str], code: int, says: str
) -> None:
    done = remote(environment, scans, "convert", "1.png", *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_some_pages_that_fail_make_it_partial(environment: dict[str, str], scans: Path) -> None:
    (scans / "3.png").write_bytes(picture(shade=0))
    faults = ["-O", "mock.fault=raise", "-O", "mock.fault-corner=true"]
    words = ["scans", "--join", "-t", "musicxml", "-o", "part.musicxml", *MOCK, *faults]
    done = remote(environment, scans.parent, "convert", *words)
    assert done.returncode == 7, done.stderr
    assert "1 of 3 pages failed" in done.stderr and (scans.parent / "part.musicxml").is_file()


def test_no_service_is_one_line(environment: dict[str, str], scans: Path) -> None:
    words = ["--server", "http://127.0.0.1:1", "--patience", "0s"]
    done = remote(environment, scans, "convert", "1.png", *words)
    assert done.returncode == 4 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    done = remote(environment, scans, "jobs", "--key-file", "missing")
    assert done.returncode == 2 and "--key-file" in done.stderr


def test_a_wrong_key_is_one_line(environment: dict[str, str], scans: Path) -> None:
    (scans / "key").write_text("ens_wrong\n")
    done = remote(environment, scans, "jobs", "--key-file", "key", "--patience", "0s")
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_jobs_are_listed_and_cancelled(environment: dict[str, str], url: str, scans: Path) -> None:
    with Client(url) as client:
        slow = {"mock": {"fault": "delay", "delay": "60s"}}
        job = client.submit(scans / "1.png", name="to list", recognizer="mock", options=slow)
        listed = remote(environment, scans, "jobs", "--name", "to list")
        assert listed.returncode == 0 and job.id in listed.stdout and "to list" in listed.stdout
        told = json.loads(remote(environment, scans, "jobs", "--name", "to list", "--json").stdout)
        assert [each["id"] for each in told] == [job.id]
        cancelled = remote(environment, scans, "cancel", job.id)
        assert cancelled.returncode == 0, cancelled.stderr
        assert job.wait(timeout=30).state == "cancelled"
    missing = remote(environment, scans, "cancel", "no-such-job")
    assert missing.returncode == 3 and "no such job" in missing.stderr


def test_ctrl_c_cancels_the_jobs_there(environment: dict[str, str], url: str, scans: Path) -> None:
    words = ["convert", "1.png", "-r", "mock", "-O", "mock.fault=delay", "-O", "mock.delay=60s"]
    running = subprocess.Popen(
        [sys.executable, "-c", RUN, "remote", *words], cwd=scans, env=environment,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with Client(url) as client:
        job = wait_for(lambda: next(client.jobs(["running"]), None))
        running.send_signal(signal.SIGINT)
        assert running.wait(120) == 130
        assert job.wait(timeout=10).state == "cancelled"
    assert running.stderr is not None
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()
