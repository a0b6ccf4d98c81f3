"""``ensemble models``: list, fetch, verify, import, path."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from ..config import discover
from ..config.options import did_you_mean
from ..config.settings import Settings
from ..model import ConfigError, ExitCode, MissingError, ModelFile
from ..modelfiles import Store, fetch, import_files, lacking, readable
from ..places import cache_folder
from ..registry import Registry
from ..registry.probe import probe
from .progress import FetchBar
from .stopping import stop_on_signals


@click.group("models", no_args_is_help=True)
def command() -> None:
    """Fetch, import and verify the model files of components.

    Nothing is downloaded but by `fetch`, or by `convert --fetch-models`.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List every model file: its component, size, state and folder.

    The state is judged by size alone; `verify` reads every byte.
    """
    settings = _settings()
    store = settings.models.store()
    files = [(name, file) for name, own in _known(settings).items() for file in own]
    rows = [(name, file, store.glance(name, file)) for name, file in files]
    if as_json:
        data = [
            {
                "component": name, "file": file.name, "size": file.size, "state": state,
                "folder": str(store.folder_of(name)), "url": file.url,
                "sha256": store.expected(name, file), "licence": file.licence,
            }
            for name, file, state in rows
        ]  # fmt: skip
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    width = max((len(f"{name}  {file.name}") for name, file, _ in rows), default=0)
    for name, file, state in rows:
        what = f"{f'{name}  {file.name}':<{width}}  {readable(file.size):>10}"
        click.echo(f"{what}  {state:<10}  {store.folder_of(name)}")
    if not rows:
        click.echo("no installed component reads model files", err=True)


@command.command("fetch")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def fetch_(components: tuple[str, ...], quiet: bool, debug: bool) -> None:
    """Download the missing model files of COMPONENTs (without any: of all that are installed).

    What was interrupted is gone on with. A file is used only if its size and hash are right.
    """
    settings = _settings()
    store, origin = settings.models.store(), settings.models.origin()
    for name, files in _chosen(settings, components).items():
        with stop_on_signals() as cancel, FetchBar(quiet) as bar:
            fetched = fetch(
                store, name, files, origin, cancel=cancel,
                on_bytes=partial(bar.show, name),
            )  # fmt: skip
        for file in files:
            if not quiet:
                what = "fetched" if file in fetched else "present"
                click.echo(f"{name}: {file.name} {what}: {store.path(name, file)}", err=True)


@command.command("verify")
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
def verify(components: tuple[str, ...]) -> None:
    """Read every byte of the model files and hold them to their size and hash.

    Ends with 4 when one is missing or not what it should be.
    """
    settings = _settings()
    store, bad = settings.models.store(), False
    for name, files in _chosen(settings, components).items():
        for file in files:
            state, found = store.verify(name, file)
            bad = bad or state != "present"
            hash_ = f"  sha256 {found}" if found else ""
            click.echo(f"{name}  {file.name}  {state}{hash_}")
    sys.exit(int(ExitCode.MISSING if bad else ExitCode.OK))


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("components", nargs=-1, metavar="[COMPONENT]...")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def import_(source: Path, components: tuple[str, ...], debug: bool) -> None:
    """Take model files from SOURCE: a folder, a .zip or .tar archive, or one file.

    Files are known by their names at any depth, and held to the same checks as downloads.
    """
    settings = _settings()
    store, chosen = settings.models.store(), _chosen(settings, components)
    done = import_files(store, source, chosen)
    for name, file in done:
        click.echo(f"{name}: {file.name} imported: {store.path(name, file)}", err=True)
    for name in dict.fromkeys(name for name, _ in done):
        if left := store.missing(name, chosen[name]):
            error = lacking(name, left, store.folder_of(name), "missing")
            click.echo(f"note: {error}", err=True)


@command.command("path")
@click.argument("component", required=False)
def path(component: str | None) -> None:
    """Print the folder of model files, or that of one COMPONENT."""
    settings = _settings()
    store: Store = settings.models.store()
    if component:
        _chosen(settings, [component])
    click.echo(store.folder_of(component) if component else store.folder)


def _settings() -> Settings:
    return discover(Path.cwd(), os.environ).settings()


def _known(settings: Settings) -> dict[str, tuple[ModelFile, ...]]:
    """Component → its model files, of all installed components; no plugin is imported here."""
    entries = [e for e in Registry(block=settings.plugins.block).entries if not e.blocked]
    seen = probe(entries, settings.run.cache_dir or cache_folder())
    return {entry.name: found.models for entry, found in seen.items() if found.models}


def _chosen(settings: Settings, names: Sequence[str]) -> dict[str, tuple[ModelFile, ...]]:
    """The components asked for, or all.

    Raises:
        MissingError: One is not installed, or none has model files.
        ConfigError: One has no model files.
    """
    known = _known(settings)
    installed = {entry.name for entry in Registry(block=settings.plugins.block).entries}
    for name in names:
        if name in known:
            continue
        if name in installed:
            raise ConfigError(f"{name} reads no model files", hint=did_you_mean(name, known))
        raise MissingError(f"there is no component {name!r}", hint=did_you_mean(name, known))
    return {name: known[name] for name in dict.fromkeys(names or known)}
