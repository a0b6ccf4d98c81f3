"""``ensemble plugins new``: a package with a working plugin and tests that pass at once.

The files come from ``templates``: ``common`` for every kind, and a folder for each kind.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from string import Template

from ensemble_core import __version__
from ensemble_core.model import KINDS, ConfigError, OutputError

TEMPLATES = Path(__file__).parent / "templates"
MODULES = {
    "loader": "loader",
    "preprocessor": "enhancer",
    "recognizer": "reader",
    "exporter": "writer",
    "executor": "runner",
}
"""Kind → name of the module that holds the component."""


def write_plugin(kind: str, name: str, folder: Path) -> list[Path]:
    """Write a new plugin package.

    Args:
        kind: ``loader``, ``preprocessor``, ``recognizer``, ``exporter`` or ``executor``.
        name: Name of the strategy and of the distribution (``my-reader``); the package is
            called ``my_reader``.
        folder: Where to put it, in a folder of its own that is called ``name``; that one
            must be empty or not exist yet.

    Returns:
        The files written, in order.

    Raises:
        ConfigError: The kind or the name is not allowed.
        OutputError: The folder is not empty, or cannot be written.
    """
    texts = _files(kind, _words(kind, name))
    place = folder / name
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise OutputError(
                f"{place} exists already and is not empty",
                hint="choose another name or folder",
                code="output-exists",
            )
        return [_write(place / path, text) for path, text in texts]
    except OSError as error:
        raise OutputError(f"{error.filename or folder}: {error.strerror}") from error


def _words(kind: str, name: str) -> dict[str, str]:
    """What the templates' placeholders stand for."""
    if kind not in KINDS:
        raise ConfigError(f"{kind!r} is no kind of plugin", hint=f"one of {', '.join(KINDS)}")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ConfigError(
            f"{name!r} is no name for a plugin", hint="small letters, digits and hyphens: my-reader"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or package == "tests":
        raise ConfigError(f"{name!r} would hide Python's own {package!r}", hint="choose another")
    class_name = "".join(word.capitalize() for word in name.split("-"))
    major, minor = (int(part) for part in __version__.split(".")[:2])
    return {
        "kind": kind,
        "name": name,
        "package": package,
        "module": MODULES[kind],
        "class_name": class_name,
        "options_class": f"{class_name}Options",
        "core": f"{major}.{minor}",
        "next": f"{major}.{minor + 1}" if major == 0 else f"{major + 1}",
    }


def _files(kind: str, words: dict[str, str]) -> list[tuple[Path, str]]:
    """Every file of the new package: its place and its text."""
    package = Path(words["package"])
    places = {
        "common/pyproject.toml": Path("pyproject.toml"),
        "common/README.md": Path("README.md"),
        "common/gitignore": Path(".gitignore"),
        "common/package/__init__.py": package / "__init__.py",
        "common/package/py.typed": package / "py.typed",
        f"{kind}/plugin.py": package / "plugin.py",
        f"{kind}/options.py": package / "options.py",
        f"{kind}/component.py": package / f"{words['module']}.py",
        f"{kind}/test_contract.py": Path("tests") / "test_contract.py",
    }
    return [(place, _fill(TEMPLATES / f"{name}.tmpl", words)) for name, place in places.items()]


def _fill(template: Path, words: dict[str, str]) -> str:
    return Template(template.read_text(encoding="utf-8")).substitute(words)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
