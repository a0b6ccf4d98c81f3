"""Layers of configuration, merged, each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..model import KINDS, ConfigError
from .options import did_you_mean, fields_of, parse_text, plain
from .settings import SECTIONS, Settings
from .toml import read

TOP_LEVEL = (*SECTIONS, "options", "profiles", "default-profile")
KIND_TABLES = tuple(f"{kind}s" for kind in KINDS)


@attrs.frozen
class Layer:
    """One source of values: where it is from, and its sections as plain data."""

    origin: str
    data: Mapping[str, Any]


@attrs.frozen
class Value:
    """One setting: its dotted key, its value, and the origin that won."""

    key: str
    value: Any
    origin: str


class Config:
    """Configuration as layers, lowest first. Reads no file and no environment by itself.

    Make one with :meth:`from_mapping`, :meth:`from_file` or, for a command line,
    :func:`ensemble_core.config.discover`.
    """

    def __init__(self, layers: Sequence[Layer] = (), profile: str | None = None) -> None:
        for layer in layers:
            check_layout(layer)
        self.layers = tuple(layers)
        self.profile = profile or self._default_profile()

    @staticmethod
    def from_mapping(data: Mapping[str, Any], profile: str | None = None) -> Config:
        """From plain data laid out like ``ensemble.toml``."""
        return Config([Layer("given", data)], profile)

    @staticmethod
    def from_file(path: str | Path, profile: str | None = None) -> Config:
        """From a TOML file (or the ``[tool.ensemble]`` table of a ``pyproject.toml``).

        Raises:
            ConfigError: It cannot be read, or a key is unknown.
        """
        return Config([file_layer(Path(path))], profile)

    def with_layer(self, origin: str, data: Mapping[str, Any]) -> Config:
        """The same with one more layer on top."""
        return Config([*self.layers, Layer(origin, data)], self.profile)

    def profiles(self) -> dict[str, dict[str, Any]]:
        """All profiles by name, merged over the layers."""
        merged: dict[str, dict[str, Any]] = {}
        for layer in self.layers:
            for name, values in layer.data.get("profiles", {}).items():
                merged[name] = _merge(merged.get(name, {}), profile_sections(name, values))
        return merged

    def values(self) -> dict[str, Value]:
        """Every value that was set, by dotted key, with the layer that won."""
        found: dict[str, Value] = {}
        for layer in self._stack():
            for key, value in _flatten(layer.data):
                found[key] = Value(key, value, layer.origin)
        return found

    def settings(self) -> Settings:
        """The merged, validated settings.

        Raises:
            ConfigError: A value is wrong; the message names its origin.
        """
        data: dict[str, Any] = {}
        for layer in self._stack():
            data = _merge(data, layer.data)
        try:
            return Settings.build(data)
        except ConfigError as error:
            key = error.message.partition(":")[0]
            value = self.values().get(key)
            origin = f" [from {value.origin}]" if value else ""
            raise ConfigError(error.message + origin, hint=error.hint) from None

    def explain(self) -> list[Value]:
        """Every setting, default or not, with its origin, in a stable order."""
        found, settings = self.values(), self.settings()
        rows = []
        for section, cls in SECTIONS.items():
            values = getattr(settings, section)
            for key, field in fields_of(cls).items():
                dotted = f"{section}.{key}"
                origin = found[dotted].origin if dotted in found else "default"
                rows.append(Value(dotted, plain(getattr(values, field.name)), origin))
        return rows + [v for k, v in sorted(found.items()) if k.startswith("options.")]

    def _default_profile(self) -> str | None:
        names = [layer.data.get("default-profile") for layer in self.layers]
        return next((name for name in reversed(names) if name), None)

    def _stack(self) -> list[Layer]:
        """The layers with the profile's values in their place: above files, below the rest."""
        stack = list(self.layers)
        if self.profile:
            known = self.profiles()
            if self.profile not in known:
                hint = did_you_mean(self.profile, known)
                raise ConfigError(f"there is no profile {self.profile!r}", hint=hint)
            layer = Layer(f"profile {self.profile}", known[self.profile])
            above = [
                place
                for place, other in enumerate(stack)
                if other.origin.startswith(("environment", "argument"))
            ]
            stack.insert(above[0] if above else len(stack), layer)
        return stack


def profile_sections(name: str, values: Any) -> dict[str, Any]:
    """A profile's table by sections; keys of ``[pipeline]`` may stand in it directly.

    Raises:
        ConfigError: It is not a table, or a key belongs nowhere.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"profiles.{name}: is not a table")
    steps = fields_of(SECTIONS["pipeline"])
    data: dict[str, Any] = {}
    for key, value in values.items():
        if key in SECTIONS or key == "options":
            data = _merge(data, {key: value})
        elif key in steps:
            data = _merge(data, {"pipeline": {key: value}})
        else:
            hint = did_you_mean(key, [*SECTIONS, "options", *steps])
            raise ConfigError(f"profiles.{name}: unknown key {key!r}", hint=hint)
    return data


def file_layer(path: Path) -> Layer:
    """One configuration file as a layer.

    Raises:
        ConfigError: It cannot be read or is not valid TOML.
    """
    data = read(path)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("ensemble", {})
    return Layer(str(path), data)


def check_layout(layer: Layer) -> None:
    """Refuse unknown tables and things that should be tables.

    Raises:
        ConfigError: With the layer's origin and the closest known name.
    """
    for key, value in layer.data.items():
        if key not in TOP_LEVEL:
            hint = did_you_mean(str(key), TOP_LEVEL)
            raise ConfigError(f"{layer.origin}: unknown table {key!r}", hint=hint)
        if key != "default-profile" and not isinstance(value, Mapping):
            raise ConfigError(f"{layer.origin}: {key} is not a table")
    for name, options in layer.data.get("options", {}).items():
        if not isinstance(options, Mapping):
            raise ConfigError(f"{layer.origin}: options.{name} is not a table")
    for name, values in layer.data.get("profiles", {}).items():
        profile_sections(name, values)


def section_value(section: str, key: str, text: str) -> Any:
    """The plain value a text stands for in a core setting.

    Raises:
        ConfigError: There is no such setting.
    """
    known = fields_of(SECTIONS[section])
    if key not in known:
        raise ConfigError(f"{section}: unknown setting {key!r}", hint=did_you_mean(key, known))
    return parse_text(text, known[key].type)


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; anything else is replaced whole."""
    merged = {str(key).replace("_", "-"): value for key, value in low.items()}
    for raw, value in high.items():
        key = str(raw).replace("_", "-")
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = dict(value) if isinstance(value, Mapping) else value
    return merged


def _flatten(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rows = []
    for section in (*SECTIONS, "options"):
        for key, value in data.get(section, {}).items():
            name = f"{section}.{str(key).replace('_', '-')}"
            if section == "options" and isinstance(value, Mapping):
                rows += [(f"{name}.{k.replace('_', '-')}", v) for k, v in _leaves(value)]
            else:
                rows.append((name, value))
    return rows


def _leaves(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            rows += [(f"{key}.{k}", v) for k, v in _leaves(value)]
        else:
            rows.append((str(key), value))
    return rows
