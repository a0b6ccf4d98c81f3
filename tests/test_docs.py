"""The documentation tells the truth: tables against the code, and every block of code runs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from ensemble_core import hooks, model
from ensemble_core.cli.main import COMMANDS
from ensemble_core.model import ExitCode
from ensemble_core.registry import known_hooks

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"


def table(path: Path) -> list[list[str]]:
    rows = [line for line in path.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_exit_codes_are_those_of_the_code() -> None:
    rows = [row for row in table(REFERENCE / "exit-codes.md") if row[0].isdigit()]
    assert {int(code): name for code, name, _ in rows} == {int(c): c.name for c in ExitCode}


def test_every_error_code_in_the_sources_is_documented() -> None:
    text = (REFERENCE / "exit-codes.md").read_text()
    sources = "\n".join(
        path.read_text()
        for path in (ROOT / "ensemble_core").rglob("*.py")
        if "templates" not in path.parts
    )
    used = set(re.findall(r'\b(?:code|default_code) = "([a-z-]+)"', sources))
    used |= set(re.findall(r'\bcode="([a-z-]+)"', sources))
    assert used, "the pattern finds something"
    assert sorted(code for code in used if f"`{code}`" not in text) == []


def test_every_error_class_has_a_documented_code() -> None:
    text = (REFERENCE / "exit-codes.md").read_text()
    for name in dir(model):
        cls = getattr(model, name)
        if isinstance(cls, type) and issubclass(cls, model.EnsembleError):
            assert f"`{cls.default_code}` | {int(cls.exit_code)}" in text, name


def test_every_hook_is_documented_and_tested() -> None:
    page = (REFERENCE / "hooks.md").read_text()
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").glob("*.py"))
    for name in known_hooks():
        function = getattr(hooks, name)
        assert f"| `{name}` |" in page, name
        assert inspect.getdoc(function), name
        assert re.search(rf"def {name}\(", tests), f"no test implements {name}"
        for argument in inspect.signature(function).parameters:
            assert f"`{argument}`" in page, (name, argument)


def test_every_command_is_documented() -> None:
    page = (REFERENCE / "command-line.md").read_text()
    assert [name for name in COMMANDS if f"`{name}" not in page] == []


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OWN_TEST = {"write-a-recognizer.md", "serve.md"}


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


PYTHON = [
    pytest.param(path, code, id=f"{path.name}-{number}")
    for path in PAGES
    if path.name not in OWN_TEST
    for number, code in enumerate(blocks(path, "python"))
]


@pytest.mark.parametrize(("path", "code"), PYTHON)
def test_python_in_the_documentation_runs(
    path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, str(path), "exec"), {"__name__": "documentation"})


TOML = [
    pytest.param(code, id=f"{path.name}-{number}")
    for path in (ROOT / "README.md", REFERENCE / "configuration.md")
    for number, code in enumerate(blocks(path, "toml"))
]


@pytest.mark.parametrize("code", TOML)
def test_toml_in_the_documentation_is_valid_configuration(code: str) -> None:
    from ensemble_core.config import Config
    from ensemble_core.config.toml import loads

    config = Config.from_mapping(loads(code))
    for profile in (None, *config.profiles()):
        Config(config.layers, profile).settings()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_core_names_no_plugin_outside_builtin() -> None:
    names = r"\b(oemer|sightread|ensemble_midi|ensemble_pdf|pypdfium2|music21|verovio)\b"
    for path in (ROOT / "ensemble_core").rglob("*.py"):
        if {"builtin", "templates", "testing"} & set(path.parts):
            continue
        code = re.sub(r'""".*?"""|#.*|"HEAVY.*?\)', "", path.read_text(), flags=re.DOTALL)
        assert path.name == "probe.py" or not re.search(names, code), path
