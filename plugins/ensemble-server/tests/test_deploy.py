"""What is said of deploying holds: compose.yaml, the Dockerfile, the pages, and the commands run.

There is no Docker where this runs: the commands of ``compose.yaml`` are carried out as processes,
with its variables, against a PostgreSQL, a Redis and an S3 server of our own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stack as stacks
import yaml
from announcing import announced
from ensemble_server.client import Client
from ensemble_server.settings import Settings, load
from servers import free_port
from serving import picture, serving, wait_for

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "ENSEMBLE_SERVER__"
SECRETS = {
    "PUBLIC_URL": "https://scores.example.org",
    "ENSEMBLE_SECRET": "s" * 40,
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
    "MINIO_PASSWORD": "m" * 8,
}


def filled(value: Any, given: dict[str, str]) -> Any:
    """A value of compose.yaml with its ``${NAME:-default}`` and ``${NAME:?why}`` put in."""
    if isinstance(value, dict):
        return {key: filled(each, given) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, given) for each in value]
    if not isinstance(value, str):
        return value

    def put(match: re.Match[str]) -> str:
        name, kind, text = match.groups()
        if name in given:
            return given[name]
        assert kind == ":-", f"{name} must be set: {text}"
        return str(text)

    return re.sub(r"\$\{(\w+)(:[-?])?([^}]*)\}", put, value).replace("$$", "$")


def composed(given: dict[str, str]) -> dict[str, Any]:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = filled(yaml.safe_load(text), given)
    return found


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_every_part_is_there_and_looked_after() -> None:
    services = composed(SECRETS)["services"]
    assert {"web", "worker", "postgres", "redis", "minio"} <= set(services)
    for name, each in services.items():
        once = each["restart"] == "no"
        own = "image" in each and each["image"].startswith("ensemble")  # the image's own check
        assert once or own or "healthcheck" in each, name
        for other in each.get("depends_on", {}):
            assert other in services
    volumes = {v.partition(":")[0] for each in services.values() for v in each.get("volumes", ())}
    assert volumes == set(composed(SECRETS)["volumes"])
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"], "the proxy's alone"


def test_no_secret_has_a_default() -> None:
    for name in SECRETS:
        less = {key: value for key, value in SECRETS.items() if key != name}
        with pytest.raises(AssertionError, match=f"{name} must be set"):
            composed(less)


def test_its_variables_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = composed(SECRETS)["services"]["web"]["environment"]
    for name, value in environment.items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields, name
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert settings.database_url == "postgresql://ensemble:p@postgres:5432/ensemble"
    assert settings.storage_options["secret"] == "m" * 8
    assert settings.trusted_proxies == ["172.30.57.1"] and settings.issuers == []


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users and users[-1] not in ("root", "0")
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    text = "\n".join(lines)
    assert ":latest" not in text
    for plugin in re.findall(r"/src/plugins/(ensemble-\w+)", text):
        assert (ROOT / "plugins" / plugin / "pyproject.toml").is_file(), plugin
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists() and f"!{source}" in kept, source


PAGES = ("docs/deploy.md", "docs/how-to/service-access.md", "plugins/ensemble-server/README.md")
TOML = [
    pytest.param(code, id=f"{Path(page).name}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "toml"))
]


@pytest.mark.parametrize("code", TOML)
def test_settings_on_the_pages_are_settings(code: str, tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text(code, encoding="utf-8")
    load(file)


def test_yaml_on_the_page_is_yaml() -> None:
    assert [yaml.safe_load(code) for code in blocks("docs/deploy.md", "yaml")]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Settings(folder=tmp_path_factory.mktemp("service"), workers=1)) as address:
        yield address


@pytest.mark.slow
def test_python_on_the_page_runs(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = blocks("docs/how-to/serve.md", "python")
    assert len(found) == 2
    for code in found:
        own = code.replace("http://127.0.0.1:8000", url).replace("build/scores", str(tmp_path))
        exec(compile(own, "serve.md", "exec"), {"__name__": "documentation"})
    assert (tmp_path / "brahms-volkslied.musicxml").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "brahms-volkslied.mid").read_bytes()[:4] == b"MThd"


# -- the commands of compose.yaml, as processes ----------------------------------------


class Parts:
    """Runs the commands of compose.yaml with its variables, moved to where the stores are."""

    def __init__(self, folder: Path, stack: stacks.Stack) -> None:
        own = stack.settings()
        site = folder / "site"
        site.mkdir()
        self.services = composed(SECRETS)["services"]
        self.port = free_port()
        self.environment = {
            **announced(site),
            **self.services["web"]["environment"],
            f"{PREFIX}FOLDER": str(folder / "data"),
            f"{PREFIX}DATABASE": own["database"],
            f"{PREFIX}REDIS": own["redis"],
            f"{PREFIX}STORAGE": own["storage"],
            f"{PREFIX}STORAGE_OPTIONS": str(own["storage_options"]).replace("'", '"'),
        }

    def command(self, words: str | list[str]) -> list[str]:
        split = shlex.split(words) if isinstance(words, str) else words
        assert split[0] == "ensemble"
        return [sys.executable, "-m", "ensemble_core", *split[1:]]

    def once(self, words: str | list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(words), env=self.environment, capture_output=True, text=True, timeout=300
        )

    @contextmanager
    def running(self, name: str, *more: str) -> Iterator[subprocess.Popen[str]]:
        words = [*self.command(self.services[name]["command"]), *more]
        process = subprocess.Popen(
            words, env=self.environment, stderr=subprocess.PIPE, text=True, cwd="/"
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stderr
            process.stderr.close()


@pytest.mark.slow
def test_the_commands_of_compose_work_together(tmp_path: Path, stack: stacks.Stack) -> None:
    parts = Parts(tmp_path, stack)
    refused = parts.once("ensemble serve --host 0.0.0.0 --workers 0 --port 0")
    assert refused.returncode == 2 and "not up to date" in refused.stderr, refused.stderr
    migrated = parts.once(parts.services["migrate"]["command"])
    assert migrated.returncode == 0, migrated.stderr
    closed = parts.once("ensemble serve --host 0.0.0.0 --workers 0 --port 0")
    assert closed.returncode == 2 and "nobody could sign in" in closed.stderr, closed.stderr
    key = parts.once("ensemble admin keys create first").stdout.strip()
    assert key.startswith("ens_"), key
    address = f"http://127.0.0.1:{parts.port}"
    with parts.running("web", "--port", str(parts.port)) as web, parts.running("worker") as worker:
        with Client(address, key, patience=180) as client:
            wait_for(client.capabilities)
            job = client.submit(("page.png", picture()), recognizer="mock", export=["musicxml"])
            assert job.wait(timeout=180).state == "done", job.data
            assert job.read("page.musicxml").startswith(b"<?xml")
        doctor = parts.once(parts.services["worker"]["healthcheck"]["test"][1:])
        assert doctor.returncode == 0, doctor.stdout
        assert alive(parts.port), "the image's own health check"
        assert web.poll() is None and worker.poll() is None
    assert web.returncode == 0 and worker.returncode == 0, "they end when they are told to"


def alive(port: int) -> bool:
    """The health check of the Dockerfile, asked of another port."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r'CMD \["python", "-c", "(import urllib.*?)"\]', text)
    assert found
    code = found[1].replace(":8000", f":{port}")
    return subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
