"""``ensemble config``: start a file, show settings, say where each came from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from ..config import discover, project_file, schema_of
from ..config.settings import SECTIONS
from ..model import KINDS, EnsembleError, OutputError
from .common import config_options

STARTER = """\
# Ensemble's settings for this folder. `ensemble config explain` shows what is in force.

[pipeline]
# preprocess = ["deskew", { use = "sharpen", sigma = 1.2 }]
recognizer = "auto"
export = ["musicxml", "midi"]

[profiles.photo]
preprocess = ["crop", "flatten", "deskew"]

[run]
# jobs = 2
page-deadline = "15m"

[limits]
max-pixels = 200_000_000
max-pages = 500
"""


@click.group("config", no_args_is_help=True)
def command() -> None:
    """Show where settings come from; start and check a configuration file."""


@command.command("init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("ensemble.toml"))
def init(path: Path) -> None:
    """Write a commented ensemble.toml to start from."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(STARTER)
    except FileExistsError:
        raise OutputError(f"{path} exists already", code="output-exists") from None
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None
    click.echo(path)


@command.command("show")
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of TOML-like lines.")
def show(config_path: Path | None, profile: str | None, options: Any, as_json: bool) -> None:
    """Print every setting in force."""
    config = discover(Path.cwd(), os.environ, file=config_path, profile=profile, options=options)
    rows = {value.key: value.value for value in config.explain()}
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for key, value in rows.items():
        click.echo(f"{key} = {_toml(value)}")


@command.command("explain")
@config_options
@click.argument("prefix", default="")
def explain(config_path: Path | None, profile: str | None, options: Any, prefix: str) -> None:
    """Print each setting (or those that begin with PREFIX) with where it comes from."""
    config = discover(Path.cwd(), os.environ, file=config_path, profile=profile, options=options)
    rows = [value for value in config.explain() if value.key.startswith(prefix)]
    width = max((len(value.key) for value in rows), default=0)
    for value in rows:
        click.echo(f"{value.key:<{width}} = {_toml(value.value)}  # {value.origin}")


@command.command("validate")
@click.argument("path", type=click.Path(path_type=Path), required=False)
def validate(path: Path | None) -> None:
    """Check a configuration file: every table, key and value, options of plugins too."""
    from ..pipeline import Pipeline

    chosen = path or project_file(Path.cwd())
    if chosen is None:
        click.echo("no ensemble.toml here or above; the defaults hold")
        return
    config = discover(Path.cwd(), {}, file=chosen)
    for profile in (None, *config.profiles()):
        Pipeline.from_config(discover(Path.cwd(), {}, file=chosen, profile=profile)).validate()
    click.echo(f"{chosen}: valid")


@command.command("schema")
def schema() -> None:
    """Print one JSON Schema of the configuration file, with every usable plugin's options."""
    from ..registry import Registry, import_target

    registry = Registry()
    components: dict[str, Any] = {}
    for kind in KINDS:
        for component in registry.usable(kind)[0]:
            if component.spec.options:
                try:
                    cls = import_target(component.spec.options, component.spec.name)
                except EnsembleError as error:
                    click.echo(f"warning: {error}", err=True)
                    continue
                described = schema_of(cls)
                known = components.setdefault(component.spec.name, described)
                known["properties"] = {**described["properties"], **known["properties"]}
    sections = {name: schema_of(cls) for name, cls in SECTIONS.items()}
    options = {"type": "object", "properties": components}
    profile = {"type": "object", "properties": {**sections["pipeline"]["properties"], **sections}}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ensemble configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **sections,
            "options": options,
            "profiles": {"type": "object", "additionalProperties": profile},
            "default-profile": {"type": "string"},
        },
    }
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False))


def _toml(value: Any) -> str:
    return '""' if value is None else json.dumps(value, ensure_ascii=False, default=str)
