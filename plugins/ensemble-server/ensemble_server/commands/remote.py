"""``ensemble remote``: convert on a service, and look after the jobs there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ensemble_core.cli.common import expand, seconds
from ensemble_core.model import ConfigError, InputError

if TYPE_CHECKING:
    from ..client import Client
    from ..remote.batch import Parcel

F = TypeVar("F", bound=Callable[..., Any])

KEY = "ENSEMBLE_REMOTE_KEY"
STATES = ("queued", "running", "done", "partial", "failed", "cancelled")


def service_options(command: F) -> F:
    """Add the options that say which service, and who asks."""
    wrapped: Any = click.option(
        "--key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="ENSEMBLE_REMOTE_KEY_FILE",
        metavar="FILE",
        help=f"A file that holds an API key; or set {KEY}.",
    )(command)
    wrapped = click.option(
        "--server",
        envvar="ENSEMBLE_REMOTE_SERVER",
        default="http://127.0.0.1:8000",
        show_default=True,
        metavar="URL",
        help="Where the service is.",
    )(wrapped)
    wrapped = click.option(
        "--patience",
        default="60s",
        callback=seconds,
        metavar="TIME",
        show_default=True,
        help="How long to try again while the service is busy or away.",
    )(wrapped)
    return cast("F", wrapped)


@click.group("remote")
def command() -> None:
    """Convert on an Ensemble service instead of this machine."""


@command.command("convert")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="WHERE",
    help="A folder, a file, or a template with {dir} {stem} {name} {index}; - for stdout.",
)
@click.option("-t", "--to", "export", metavar="NAMES", help="What to make: musicxml,midi …")
@click.option("-r", "--recognizer", metavar="NAME", help="What reads the pages.")
@click.option("-p", "--preprocess", metavar="NAMES", help="Image enhancers in order.")
@click.option("--join", is_flag=True, help="Make one score of all inputs.")
@click.option(
    "-O", "--option", "options", multiple=True, metavar="NAME.KEY=VALUE",
    help="Set a component's option (sharpen.sigma=1.2).",
)  # fmt: skip
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True,
    help="Inputs at a time.",
)  # fmt: skip
@click.option("--deadline", metavar="TIME", callback=seconds, help="Longest a job may take.")
@click.option("--priority", type=click.IntRange(-10, 10), default=0, help="Larger is sooner.")
@click.option(
    "--skip-existing", "policy", flag_value="skip", help="Leave inputs whose output exists."
)
@click.option("--overwrite", "policy", flag_value="overwrite", help="Replace existing outputs.")
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Write what happened as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report instead of the file names.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@service_options
def convert(**given: Any) -> None:
    """Send files, wait, and save the results; as `ensemble convert` does it here.

    INPUT is a file, a folder of them, a pattern, or - for standard input. The exit codes are
    those of `ensemble convert`.
    """
    from ensemble_core.cli.progress import Show
    from ensemble_core.cli.stopping import stop_on_signals

    from ..remote.asking import Abilities, asked_for
    from ..remote.batch import Batch, Where

    parcels = _parcels(given["inputs"], given["join"])
    output = _output(given, len(parcels))
    with connected(given) as client:
        abilities = Abilities(client.capabilities())
        asked = asked_for(given, abilities)
        where = Where(output, given["policy"] or "error", abilities.suffixes(asked["export"]))
        show = Show(
            quiet=given["quiet"], verbose=given["verbose"],
            paths=output is not None and not given["as_json"],
        )  # fmt: skip
        with stop_on_signals() as cancel, show:
            report = Batch(client, asked, where, show, cancel).run(parcels, given["jobs"])
    show.summary(report, debug=given["debug"])
    if given["report"]:
        from ensemble_core.pipeline.outputs import write_whole

        write_whole(given["report"], (_as_json(report) + "\n").encode())
    if given["as_json"]:
        click.echo(_as_json(report))
    sys.exit(130 if cancel.cancelled else int(report.exit_code))


@command.command("jobs")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these.")
@click.option("--name", default="", help="Only those with this in their name.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="Most jobs."
)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known of them.")
@service_options
def jobs(**given: Any) -> None:
    """List your jobs on the service, newest first."""
    from itertools import islice

    with connected(given) as client:
        page = min(200, given["limit"])
        found = list(islice(client.jobs(given["states"], given["name"], page), given["limit"]))
    if given["as_json"]:
        click.echo(json.dumps([job.data for job in found], indent=2, ensure_ascii=False))
        return
    for job in found:
        when = job.created.astimezone().strftime("%Y-%m-%d %H:%M")
        count = job.data.get("page_count")
        pages = "" if count is None else f"{count} page{'s' if count != 1 else ''}"
        click.echo(f"{job.id}  {when}  {job.state:<9}  {pages:<10}  {job.name}")


@command.command("cancel")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@service_options
def cancel(**given: Any) -> None:
    """Stop jobs; those that have ended stay as they are."""
    with connected(given) as client:
        for job_id in given["job_ids"]:
            job = client.cancel(job_id)
            state = "will be cancelled" if not job.ended else job.state
            click.echo(f"{job.id}  {state}")


def connected(given: dict[str, Any]) -> Client:
    """The client a command line asks for.

    Raises:
        ConfigError: The key file cannot be read.
    """
    from ..client import Client

    return Client(given["server"], _key(given["key_file"]), patience=given["patience"] or 0.0)


def _key(file: Path | None) -> str:
    if file is None:
        return os.environ.get(KEY, "").strip()
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--key-file: {file} cannot be read: {error}") from None


def _parcels(arguments: Sequence[str], join: bool) -> list[Parcel]:
    """What is to be sent, one for each score.

    Raises:
        InputError: There is nothing to read.
        ConfigError: Standard input is not the only one.
    """
    from ..remote.batch import Parcel

    if "-" in arguments:
        if len(arguments) > 1:
            raise ConfigError("- (standard input) must be the only input")
        return [Parcel("stdin", Path(), [("stdin", sys.stdin.buffer.read())])]
    files = expand(arguments)
    for file in files:
        if not file.is_file():
            raise InputError(f"{file}: there is no such file")
    if join and len(files) > 1:
        return [Parcel(files[0].name, files[0].parent, files)]
    return [Parcel(file.name, file.parent, [file]) for file in files]


def _output(given: dict[str, Any], scores: int) -> str | None:
    """The template for outputs; None for standard output."""
    output: str | None = given["output"]
    if output == "-" or (output is None and given["inputs"] == ("-",)):
        if scores > 1:
            raise ConfigError("--output - takes one input; --join makes one score of several")
        if given["as_json"]:
            raise ConfigError("--json and a score on standard output exclude each other")
        return None
    if output and Path(output).is_dir() and not output.endswith("/"):
        return f"{output}/"
    return output or ""


def _as_json(report: Any) -> str:
    from ensemble_core.pipeline.wire import pack

    data = {**pack(report), "exit_code": int(report.exit_code)}
    return json.dumps(data, indent=2, ensure_ascii=False)
