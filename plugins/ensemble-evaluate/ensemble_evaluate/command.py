"""``ensemble evaluate``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)


@click.command("evaluate")
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="SET | TRUTH PAGES")
@click.option(
    "-r",
    "--recognizer",
    "recognizers",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Who reads; give it several times to compare.",
)
@click.option(
    "-o",
    "--output",
    default="evaluation",
    show_default=True,
    metavar="FOLDER",
    type=PATH,
    help="Where readings, report.json and report.html go.",
)
@click.option("--resume", is_flag=True, help="Keep what an earlier run has read already.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads and cores a recognizer gets.",
)
@click.option(
    "--deadline", default="15m", show_default=True, metavar="TIME", help="Longest a page may take."
)
@click.option(
    "--ned-limit",
    default="5m",
    show_default=True,
    metavar="TIME",
    help="Longest musicdiff may compare two scores.",
)
@click.option("-p", "--preprocess", default="", metavar="NAMES", help="Image enhancers in order.")
@click.option(
    "-O",
    "--option",
    "options",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="Set a component's option.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only pages with condition=scan, engraver=lilypond, kind=piano …",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Comparisons at a time (reading is always one at a time).",
)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="How many of the worst bars of each recognizer the report shows.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the tables only.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(**given: Any) -> None:  # fmt: skip
    """Read pages whose music is known, and tell how well that went.

    SET is a file that lists pages with their truth. Or TRUTH is a score and PAGES its PDF,
    picture or folder of pictures; or both are folders, and files of the same name pair up.

    Every recognizer reads every page by the normal pipeline in a process of its own. A page
    that fails counts as completely wrong.
    """
    from .cases import read_cases
    from .evaluation import evaluate, write_json
    from .page import write_html
    from .reading import How
    from .summary import costs
    from .table import cost_table, table

    if len(given["paths"]) > 2:
        raise click.UsageError("one set, or a truth and its pages")
    cases = _only(read_cases(given["paths"]), given["only"])
    how = How(
        given["threads"], _seconds(given["deadline"], "--deadline"), tuple(given["options"]),
        tuple(name.strip() for name in given["preprocess"].split(",") if name.strip()),
    )  # fmt: skip
    done = evaluate(
        cases, given["recognizers"], how, folder=given["output"], resume=given["resume"],
        ned_limit=_seconds(given["ned_limit"], "--ned-limit"),
        jobs=given["jobs"] or os.cpu_count() or 1,
        tell=(lambda text: None) if given["quiet"] else _tell,
    )  # fmt: skip
    write_json(given["output"] / "report.json", done)
    write_html(given["output"] / "report.html", done, given["worst"])
    click.echo(table(done.rows))
    for name in done.recognizers:
        click.echo(f"\nWhat the OMR-NED of {name} is made of:\n{cost_table(costs(done.of(name)))}")


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _only(cases: list[Any], wanted: tuple[str, ...]) -> list[Any]:
    from ensemble_core.model import ConfigError

    fields = ("name", "engraver", "kind", "staves", "condition", "work")
    for text in wanted:
        field, _, value = text.partition("=")
        if field not in fields:
            raise ConfigError(f"--only {text}: a field is one of {', '.join(fields)}")
        cases = [case for case in cases if str(getattr(case, field)) in value.split(",")]
    if not cases:
        raise ConfigError("no page is left to read")
    return cases


def _seconds(text: str, name: str) -> float:
    from ensemble_core.config.options import parse_duration
    from ensemble_core.model import ConfigError

    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {text!r} {error}") from None
