"""``ensemble plugins``: list, show, check, doctor, new."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import attrs
import click

from ..config import discover
from ..config.settings import Settings
from ..model import API_VERSION, KINDS, ExitCode, MissingError
from ..modelfiles import State, Store, lacking, readable
from ..places import cache_folder
from ..registry import Entry, Registry, import_target, missing
from ..registry.probe import Probe, probe


@click.group("plugins", no_args_is_help=True)
def command() -> None:
    """List, examine, check and start plugins."""


FINE = {"ready": "ok  ", "blocked": "--  ", "models missing": "--  "}
"""States that are no problem, and how the doctor marks them."""

BAD_MODELS: dict[State, str] = {
    "changed": "models damaged",
    "wrong size": "models damaged",
    "missing": "models missing",
}
"""State of a model file → state of its component, the worst first."""


@attrs.frozen
class Row:
    """One line of the list: an entry and what is the matter with it, if anything."""

    entry: Entry
    state: str
    summary: str = ""
    problem: str = ""
    hint: str = ""


@command.command("list")
@click.argument("kind", required=False, type=click.Choice([*KINDS, "plugin"]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--offline", is_flag=True, help="Metadata only: start no process to look at plugins.")
def list_(kind: str | None, as_json: bool, offline: bool) -> None:
    """List every installed strategy, with its state and the distribution it comes from.

    No plugin is imported here: a child process looks at those that are new or changed.
    """
    rows = [row for row in _rows(offline=offline) if kind in (None, row.entry.kind)]
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False))
        return
    width = max((len(row.entry.name) for row in rows), default=0)
    last = ""
    for row in rows:
        if row.entry.kind != last:
            last = row.entry.kind
            click.echo(f"{last}s")
        state = "" if row.state == "ready" else f"  [{row.state}]"
        text = row.problem or row.summary
        click.echo(f"  {row.entry.name:<{width}}  {row.entry.key}{state}  {text}".rstrip())


@command.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Look at every plugin afresh and say what is wrong and what to do about it.

    Ends with 4 when something is missing or does not load, 9 when a plugin breaks its
    contract, 0 when all is well. Model files that were not fetched yet are no problem;
    damaged ones are.
    """
    rows = _rows(fresh=True)
    bad = [row for row in rows if row.state not in FINE]
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False))
    else:
        for row in rows:
            mark = FINE.get(row.state, "BAD ")
            entry = row.entry
            click.echo(f"{mark}{entry.kind} {entry.name} ({entry.key})")
            if row in bad or row.problem:
                click.echo(f"      {row.problem}" + (f" ({row.hint})" if row.hint else ""))
        count = sum(row.state == "models missing" for row in rows)
        waiting = f", {count} without model files" if count else ""
        text = f"{len(rows)} strategies, {len(bad)} with a problem{waiting}"
        click.echo(f"{text}; plugin API {API_VERSION}")
    contract = any(row.state in ("broken contract", "collision") for row in bad)
    sys.exit(int(ExitCode.CONTRACT if contract else ExitCode.MISSING if bad else ExitCode.OK))


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print the options' JSON Schema.")
def show(name: str, as_json: bool) -> None:
    """Show a strategy: what it does, where it comes from, its options."""
    from ..config.schema import schema_of

    registry = _registry()
    entries = [e for e in registry.entries if name in (e.name, e.qualified, f"{e.kind}s.{e.name}")]
    if not entries:
        registry.find("plugin", name)
    for number, entry in enumerate(entries):
        if entry.kind == "plugin":
            continue
        component = registry.resolve(entry.kind, entry.qualified)
        spec = component.spec
        options = import_target(spec.options, f"options of {name!r}") if spec.options else None
        schema: dict[str, Any] = (
            schema_of(options) if options else {"type": "object", "properties": {}}
        )
        if as_json:
            click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
            continue
        click.echo(("\n" if number else "") + f"{entry.kind} {entry.name}: {spec.summary}")
        click.echo(
            f"  from {entry.key}, results version {component.version}, priority {spec.priority}"
        )
        for need in spec.requires:
            lacking = "" if not missing([need]) else f"  MISSING: {need.hint}"
            click.echo(f"  needs the {need.kind} {need.name}{lacking}")
        store = _settings().models.store()
        for file in spec.models:
            state = store.glance(spec.name, file)
            own = f"; -O {spec.name}.{spec.own_models}=FOLDER brings others"
            click.echo(
                f"  reads the model file {file.name} ({readable(file.size)}, {state}"
                f"{f', {file.licence}' if file.licence else ''}) in {store.folder_of(spec.name)}"
                + (own if spec.own_models else "")
            )
        for key, described in schema["properties"].items():
            default = json.dumps(described.get("default"), ensure_ascii=False)
            click.echo(f"  -O {spec.name}.{key}={default}  {described.get('description', '')}")
            if "enum" in described:
                click.echo(f"      one of {', '.join(map(str, described['enum']))}")


@command.command("check")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
def check(kind: str, name: str) -> None:
    """Hold a strategy to its contract: the conformance kit, without writing a test.

    Ends with 9 when a check fails.
    """
    try:
        from ..testing import check_plugin
    except ImportError as error:
        raise MissingError(
            f"the conformance kit needs {error.name}",
            hint="pip install 'ensemble-core[test]'",
            code="requirement-missing",
        ) from error
    _registry().find(kind, name)
    results = check_plugin(kind, name)
    for result in results:
        mark = {"passed": "ok  ", "failed": "BAD ", "skipped": "--  "}[result.outcome]
        click.echo(f"{mark}{result.name}" + (f": {result.message}" if result.message else ""))
    if any(result.outcome == "failed" for result in results):
        sys.exit(int(ExitCode.CONTRACT))


@command.command("new")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), default=Path(),
    help="Folder in which the package's folder is made.",
)  # fmt: skip
def new(kind: str, name: str, into: Path) -> None:
    """Start a plugin: a package whose tests pass at once.

    ensemble plugins new recognizer my-reader
    """
    from .scaffold import write_plugin

    for path in write_plugin(kind, name, into):
        click.echo(path)
    click.echo(f"next: pip install -e '{into / name}[test]' && pytest {into / name}", err=True)


def _settings() -> Settings:
    return discover(Path.cwd(), os.environ).settings()


def _registry() -> Registry:
    return Registry(block=_settings().plugins.block)


def _rows(fresh: bool = False, offline: bool = False) -> list[Row]:
    run = _settings()
    entries = Registry(block=run.plugins.block).entries
    asked = [] if offline else [entry for entry in entries if not entry.blocked]
    seen = probe(asked, run.run.cache_dir or cache_folder(), fresh)
    store = run.models.store()
    rows = [_row(entry, entries, seen.get(entry)) for entry in entries]
    return [
        _with_models(row, seen[row.entry], store, every_byte=fresh)
        if row.state == "ready" and row.entry in seen
        else row
        for row in rows
    ]


def _with_models(row: Row, seen: Probe, store: Store, every_byte: bool) -> Row:
    """The row of a component that is ready but for its model files, if they are not right."""
    name = row.entry.name
    states = {
        file: store.verify(name, file)[0] if every_byte else store.glance(name, file)
        for file in seen.models
    }
    for state, label in BAD_MODELS.items():
        files = [file for file, found in states.items() if found == state]
        if files:
            error = lacking(name, files, store.folder_of(name), state)
            return attrs.evolve(row, state=label, problem=error.message, hint=error.hint)
    return row


def _row(entry: Entry, entries: tuple[Entry, ...], seen: Probe | None) -> Row:
    if entry.blocked:
        return Row(entry, "blocked", problem="blocked by plugins.block")
    rivals = [
        other.key
        for other in entries
        if (other.kind, other.name) == (entry.kind, entry.name)
        and other is not entry
        and not other.blocked
    ]
    if seen is not None and not seen.ok:
        state = "does not load" if seen.code == "plugin-load-failed" else "broken contract"
        return Row(entry, state, seen.summary, seen.message, seen.hint)
    summary = seen.summary if seen else ""
    if rivals and entry.kind != "plugin":
        text = f"{' and '.join(rivals)} offers the same name"
        return Row(entry, "collision", summary, text, f"use {entry.qualified!r} or block one")
    lacking = missing(seen.requires) if seen else []
    if lacking:
        text = f"needs the {lacking[0].kind} {lacking[0].name}"
        return Row(entry, f"{lacking[0].kind} missing", summary, text, lacking[0].hint)
    if seen and seen.heavy:
        text = f"importing it imports {', '.join(seen.heavy)}"
        return Row(entry, "broken contract", summary, text, "import them in the component")
    return Row(entry, "ready", summary)


def _plain(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "state": row.state,
        "summary": row.summary,
        "problem": row.problem,
        "hint": row.hint,
    }
