"""What a user asks of a conversion, checked against what the plugins know."""

from __future__ import annotations

import hashlib
import json
import threading
import typing
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.config import Config
from ensemble_core.config.options import did_you_mean, fields_of
from ensemble_core.model import ConfigError
from ensemble_core.registry import Registry, import_target

KINDS = ("loader", "preprocessor", "recognizer", "exporter")
"""The kinds of components a user may choose; executors are the operator's."""

DEFAULT_EXPORT = ("musicxml", "midi")
PREVIEWS = "page-previews"
_LIMIT = 256
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@attrs.frozen
class Asked:
    """The pipeline a user asks for; what is empty is as the operator configured it."""

    preprocess: tuple[Any, ...] | None = None
    recognizer: Any = None
    fallback: tuple[Any, ...] | None = None
    export: tuple[Any, ...] | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)

    @staticmethod
    def parse(data: Any) -> Asked:
        """From JSON data.

        Raises:
            ConfigError: It is not laid out like this.
        """
        if not isinstance(data, Mapping):
            raise ConfigError("options: is not an object")
        for key in data:
            if key not in _FIELDS:
                hint = did_you_mean(str(key), _FIELDS)
                raise ConfigError(f"options: unknown key {str(key)!r}", hint=hint)
        lists = {
            key: _steps(data[key], key)
            for key in ("preprocess", "fallback", "export")
            if data.get(key) is not None
        }
        options = data.get("options") or {}
        if not isinstance(options, Mapping):
            raise ConfigError("options.options: is not an object")
        return Asked(recognizer=data.get("recognizer"), options=dict(options), **lists)

    def plain(self) -> dict[str, Any]:
        """As JSON data, without what was not asked."""
        found = {name: getattr(self, name) for name in _FIELDS}
        return {
            name: list(value) if isinstance(value, tuple) else value  # an empty one asks for none
            for name, value in found.items()
            if value not in (None, {})
        }

    def section(self) -> dict[str, Any]:
        """As a layer of configuration."""
        steps = {key: value for key, value in self.plain().items() if key != "options"}
        steps.setdefault("export", default_export())
        return {"pipeline": steps, "options": dict(self.options)}


_FIELDS = tuple(attrs.fields_dict(Asked))


class Checker:
    """Checks what users ask for, and remembers what was fine.

    Args:
        base: The operator's configuration.
    """

    def __init__(self, base: Config) -> None:
        self.base = base
        self._fine: dict[str, None] = {}
        self._lock = threading.Lock()

    def check(self, asked: Asked) -> None:
        """Hold it to the schemas of the plugins.

        Raises:
            ConfigError: A name, an option or a value is wrong, or not for users to set.
            MissingError: A component, or something it needs, is not there.
            ContractError: A chosen plugin breaks its contract.
        """
        key = canonical(asked.plain())
        if key in self._fine:
            return
        from ensemble_core.pipeline import Pipeline  # late: it is much, and others wait

        pipeline = Pipeline(config=self.base.with_layer("argument", asked.section()))
        _refuse_private(pipeline.registry, asked)
        pipeline.validate()
        with self._lock:
            if len(self._fine) >= _LIMIT:
                self._fine.clear()
            self._fine[key] = None


def canonical(data: Any) -> str:
    """JSON that is the same for equal data."""
    return _CANONICAL.encode(data)


def digest(data: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(canonical(data).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=1)
def default_export() -> list[str]:
    """What is made when nobody says what: the usual ones among those installed."""
    installed = {entry.name for entry in Registry().of_kind("exporter")}
    return [name for name in DEFAULT_EXPORT if name in installed]


def _steps(value: Any, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"options.{key}: is not a list")
    if len(value) > 20:
        raise ConfigError(f"options.{key}: has more than 20 steps")
    for each in value:
        if not isinstance(each, str | Mapping):
            raise ConfigError(f"options.{key}: {each!r} is not a step")
    return tuple(value)


def _refuse_private(registry: Registry, asked: Asked) -> None:
    """Paths and executors are the operator's: a user could reach into the machine by them."""
    tables: list[tuple[str, Any]] = list(asked.options.items())
    for kind in KINDS:
        inner = asked.options.get(f"{kind}s")
        if isinstance(inner, Mapping):
            tables += inner.items()
    for steps in (asked.preprocess, asked.fallback, asked.export, (asked.recognizer,)):
        tables += _inline(steps)
    executors = {"executors"}
    for entry in registry.of_kind("executor"):
        executors |= {entry.name, entry.qualified}
    for name, values in tables:
        if name in executors:
            raise ConfigError(f"options.{name}: only the operator may set this")
        if isinstance(values, Mapping):
            _refuse_paths(registry, str(name), values)


def _inline(steps: Any) -> list[tuple[str, Any]]:
    found = []
    for step in steps or ():
        if isinstance(step, Mapping):
            found.append((str(step.get("use", "")), step))
            more = step.get("fallback", ())
            found += _inline((more,) if isinstance(more, str | Mapping) else more)
    return found


def _refuse_paths(registry: Registry, name: str, values: Mapping[str, Any]) -> None:
    for entry in registry.entries:
        if entry.kind not in KINDS or entry.blocked or name not in (entry.name, entry.qualified):
            continue
        options = registry.resolve(entry.kind, entry.qualified or entry.name).spec.options
        if not options:
            continue
        fields = fields_of(import_target(options, f"options of {name!r}"))
        for raw in values:
            field = fields.get(str(raw).replace("_", "-"))
            if field is not None and _holds_path(field.type):
                raise ConfigError(f"options.{name}.{raw}: only the operator may set a path")


def _holds_path(wanted: Any) -> bool:
    if isinstance(wanted, type) and attrs.has(wanted):
        return any(_holds_path(field.type) for field in fields_of(wanted).values())
    return wanted is Path or any(_holds_path(part) for part in typing.get_args(wanted))
