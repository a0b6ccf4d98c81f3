"""Commands that plugins add, and what is known of them without importing anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click


def known_commands() -> dict[str, str]:
    """Command → one line, as remembered from the last look at the plugins.

    Read straight from the cache file: ``ensemble --help`` must not pay for a look at the
    installed distributions.
    """
    folder = _remembered()
    try:
        probes = json.loads((folder / "probes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, str] = {}
    for seen in probes.values():
        found.update(seen.get("commands") or {})
    return found


def plugin_command(name: str) -> click.Command | None:
    """The command a plugin adds under a name, or None."""
    from ..model import EnsembleError
    from ..registry import Registry, import_target

    registry = Registry()
    for entry in registry.of_kind("plugin"):
        if entry.blocked:
            continue
        try:
            commands = registry.plugin(entry).commands()
        except EnsembleError as error:
            click.echo(f"warning: {error}", err=True)
            continue
        for spec in commands:
            if spec.name == name:
                command: click.Command = import_target(spec.target, f"command {name!r}")
                return command
    return None


def _remembered() -> Path:
    given = os.environ.get("ENSEMBLE_RUN__CACHE_DIR")
    if given:
        return Path(given)
    from ..places import cache_folder

    return cache_folder()
