"""Where a command line's configuration comes from: user file, project file, environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model import ConfigError
from ..places import config_file
from ..registry.entries import scan
from .config import Config, Layer, file_layer, section_value
from .options import Text, did_you_mean
from .settings import SECTIONS
from .toml import loads

PROJECT_FILE = "ensemble.toml"
PREFIX = "ENSEMBLE_"


def discover(
    folder: Path,
    environment: Mapping[str, str],
    *,
    file: Path | None = None,
    profile: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    options: Sequence[str] = (),
) -> Config:
    """Put the layers together: user < project < profile < environment < arguments.

    Args:
        folder: Where to look for ``ensemble.toml`` or ``pyproject.toml``, upwards.
        environment: Variables; ``ENSEMBLE_RUN__JOBS=2`` sets ``run.jobs``,
            ``ENSEMBLE_OPTIONS__SHARPEN__SIGMA=1.5`` an option.
        file: Take this file instead of the project's.
        profile: Name of a profile; ``ENSEMBLE_PROFILE`` by default.
        arguments: Sections given on the command line.
        options: ``component.option=value`` texts.

    Raises:
        ConfigError: A file, a variable or an argument is wrong.
    """
    layers = []
    user = config_file()
    if user.is_file():
        layers.append(file_layer(user))
    chosen = file or _from_variable(environment) or project_file(folder)
    if chosen:
        layers.append(file_layer(chosen))
    layers += environment_layers(environment)
    if arguments:
        layers.append(Layer("argument", arguments))
    layers += [option_layer(text) for text in options]
    return Config(layers, profile or environment.get(f"{PREFIX}PROFILE") or None)


def _from_variable(environment: Mapping[str, str]) -> Path | None:
    value = environment.get(f"{PREFIX}CONFIG")
    return Path(value) if value else None


def project_file(folder: Path) -> Path | None:
    """The nearest ``ensemble.toml``, or ``pyproject.toml`` with ``[tool.ensemble]``, upwards."""
    for place in (folder, *folder.parents):
        if (place / PROJECT_FILE).is_file():
            return place / PROJECT_FILE
        pyproject = place / "pyproject.toml"
        if pyproject.is_file():
            try:
                if "ensemble" in loads(pyproject.read_text(encoding="utf-8")).get("tool", {}):
                    return pyproject
            except (OSError, ValueError):
                continue
    return None


def environment_layers(environment: Mapping[str, str]) -> list[Layer]:
    """One layer for each ``ENSEMBLE_SECTION__KEY`` variable.

    Sections named as an installed plugin of the group ``ensemble.plugins`` are that plugin's own.

    Raises:
        ConfigError: A variable names an unknown section or setting.
    """
    layers = []
    for variable, text in sorted(environment.items()):
        words = variable[len(PREFIX) :].lower().replace("_", "-").split("--")
        if not variable.startswith(PREFIX) or len(words) < 2:
            continue
        section, *path = words
        if section == "options" and len(path) >= 2:
            data: dict[str, Any] = {section: _nest(path, Text(text))}
        elif section in SECTIONS and len(path) == 1:
            data = {section: {path[0]: section_value(section, path[0], text)}}
        elif section in (entry.name for entry in scan() if entry.kind == "plugin"):
            continue  # that plugin reads its own variables
        else:
            hint = did_you_mean(section, [*SECTIONS, "options"])
            raise ConfigError(f"{variable}: sets nothing that exists", hint=hint)
        layers.append(Layer(f"environment {variable}", data))
    return layers


def option_layer(text: str) -> Layer:
    """``component.option=value`` (or ``section.key=value``) as a layer.

    Raises:
        ConfigError: It is not of that form.
    """
    path, equals, value = text.partition("=")
    words = [word.strip().replace("_", "-") for word in path.split(".")]
    if not equals or len(words) < 2 or not all(words):
        raise ConfigError(f"-O {text}: is not of the form component.option=value")
    if words[0] in SECTIONS and len(words) == 2:
        section, key = words
        return Layer(f"argument -O {text}", {section: {key: section_value(section, key, value)}})
    return Layer(f"argument -O {text}", {"options": _nest(words, Text(value))})


def _nest(path: Sequence[str], value: Any) -> dict[str, Any]:
    for word in reversed(path):
        value = {word: value}
    nested: dict[str, Any] = value
    return nested
