"""Importing one plugin and holding it to the contract; its failure stays its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import attrs
import pluggy

from .. import hooks
from ..model import API_VERSION, CommandSpec, ComponentSpec, ContractError, MissingError
from .entries import Entry

_FILE_NAME = re.compile(r"(?!hashes\.json$)[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@attrs.frozen
class Plugin:
    """A plugin that was imported and passed its checks.

    Attributes:
        name: What messages call it.
        manager: A plugin manager that holds this plugin alone, so that one plugin's
            exception never keeps another from being called.
    """

    name: str
    manager: pluggy.PluginManager

    def specs(self, kind: str) -> tuple[ComponentSpec, ...]:
        """The specs its hook for ``kind`` returns.

        Raises:
            ContractError: The hook raises, or returns something else than specs.
        """
        return self._collect(f"ensemble_{kind}s", ComponentSpec)

    def commands(self) -> tuple[CommandSpec, ...]:
        """The commands it adds.

        Raises:
            ContractError: The hook raises, or returns something else than commands.
        """
        return self._collect("ensemble_commands", CommandSpec)

    def _collect(self, hook: str, wanted: type[Any]) -> tuple[Any, ...]:
        try:
            found = [item for items in getattr(self.manager.hook, hook)() for item in items or ()]
        except Exception as error:
            raise ContractError(
                f"plugin {self.name}: {hook} raised {type(error).__name__}: {error}",
                code="plugin-hook-raised",
            ) from error
        for item in found:
            if not isinstance(item, wanted):
                raise ContractError(
                    f"plugin {self.name}: {hook} returned {item!r}, not a {wanted.__name__}"
                )
        return tuple(found)


def load(entry: Entry) -> Plugin:
    """Import the plugin an entry names and check its hooks.

    Raises:
        MissingError: Its module cannot be imported.
        ContractError: It has a hook nobody knows, or one with unknown arguments.
    """
    return check_hooks(entry.key, entry.plugin if entry.plugin is not None else _import(entry))


def _import(entry: Entry) -> Any:
    try:
        return import_module(entry.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise MissingError(
            f"plugin {entry.key} ({entry.kind} {entry.name!r}) does not load: "
            f"{type(error).__name__}: {first}",
            hint="`ensemble plugins doctor` says more",
            code="plugin-load-failed",
        ) from error


def check_hooks(name: str, plugin: Any) -> Plugin:
    """Register a plugin alone and refuse hooks that do not exist.

    Raises:
        ContractError: A hook is misspelled or takes arguments the specification lacks.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        first = str(error).splitlines()[0]
        raise ContractError(
            f"plugin {name}: {first}",
            hint=f"the hooks are {', '.join(known_hooks())}",
            code="plugin-hook-unknown",
        ) from error
    return Plugin(name, manager)


def known_hooks() -> list[str]:
    """Names of all hooks, in the order of the specification."""
    return [name for name in vars(hooks) if name.startswith("ensemble_")]


def spec_of(entry: Entry, plugin: Plugin) -> ComponentSpec:
    """The spec an entry point promises.

    Raises:
        ContractError: The plugin offers no such component, or for another API version.
    """
    specs: Iterable[ComponentSpec] = plugin.specs(entry.kind)
    spec = next((spec for spec in specs if spec.name == entry.name), None)
    if spec is None:
        raise ContractError(
            f"plugin {entry.key} announces the {entry.kind} {entry.name!r}, "
            "but its hook returns no spec of that name"
        )
    if spec.kind != entry.kind:
        raise ContractError(f"plugin {entry.key}: {entry.name!r} is a {spec.kind} spec")
    if spec.api != API_VERSION:
        raise ContractError(
            f"plugin {entry.key}: {entry.kind} {entry.name!r} is for plugin API {spec.api}, "
            f"this Ensemble has {API_VERSION}",
            hint="update Ensemble" if spec.api > API_VERSION else "update the plugin",
            code="plugin-api-mismatch",
        )
    for file in spec.models:
        if not _FILE_NAME.fullmatch(file.name) or file.size <= 0:
            raise ContractError(
                f"plugin {entry.key}: {entry.name!r} names a model file {file.name!r} of "
                f"{file.size} bytes; it needs a plain file name and its exact size"
            )
    return spec
