"""``ensemble convert``: pictures, PDFs and scores in, files out."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..config import Config
from ..model import ConfigError
from .common import build_config, config_options, expand, parse_pages, seconds, step_options


@click.command("convert")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="WHERE",
    help="A folder, a file, or a template with {dir} {stem} {name} {index}; - for stdout.",
)
@step_options
@config_options
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Pages at a time.")
@click.option("--executor", metavar="NAME", help="Where pages are read: processes, serial …")
@click.option(
    "--deadline", metavar="TIME", callback=seconds, help="Longest a page may take: 90s, 5m."
)
@click.option(
    "--skip-existing", "policy", flag_value="skip", help="Leave inputs whose output exists."
)
@click.option("--overwrite", "policy", flag_value="overwrite", help="Replace existing outputs.")
@click.option("--resume", "policy", flag_value="resume", help="Go on with an interrupted batch.")
@click.option(
    "--fetch-models", is_flag=True, help="Download the model files that are missing, first."
)
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results of pages.")
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Write what happened as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report instead of the file names.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(**given: Any) -> None:  # fmt: skip
    """Read sheet music and write scores.

    INPUT is a file (PNG, JPEG, TIFF, PDF, MusicXML …), a folder of them, a pattern, or -
    for standard input. A score skips recognition and goes straight to the exporters.
    """
    from ..pipeline import Pipeline

    pipeline = Pipeline.from_config(_by_suffix(_config(given), given))
    inputs = _inputs(given["inputs"])
    one_score = len(inputs) == 1 or pipeline.settings.pipeline.join
    output = _output(given, one_score)
    result, interrupted = _run(pipeline, inputs, output, given)
    if given["report"]:
        _write_report(given["report"], result)
    if output is None:
        _to_stdout(result)
    elif given["as_json"]:
        click.echo(_as_json(result))
    sys.exit(130 if interrupted else int(result.report.exit_code))


def _config(given: dict[str, Any]) -> Config:
    run: dict[str, Any] = {}
    if given["jobs"]:
        run["jobs"] = given["jobs"]
    if given["executor"]:
        run["executor"] = given["executor"]
    if given["deadline"] is not None:
        run["page-deadline"] = given["deadline"]
    if given["no_cache"]:
        run["cache"] = False
    return build_config(
        given["config_path"], given["profile"], given["options"], given["export"],
        given["recognizer"], given["preprocess"], given["join"], run,
    )  # fmt: skip


def _inputs(arguments: Sequence[str]) -> list[Any]:
    from ..pipeline import Input

    if "-" in arguments:
        if len(arguments) > 1:
            raise ConfigError("- (standard input) must be the only input")
        return [Input("stdin", (sys.stdin.buffer,), ("stdin",), Path())]
    return list(expand(arguments))


def _by_suffix(config: Config, given: dict[str, Any]) -> Config:
    """``-o tune.mid`` without ``--to`` says which exporter is meant."""
    from ..pipeline import Pipeline, exporter_for

    output = given["output"]
    if not output or given["export"] or output == "-" or output.endswith("/"):
        return config
    suffix = Path(output).suffix
    if not suffix or Path(output).is_dir() or "{" in suffix:
        return config
    name = exporter_for(Pipeline.from_config(config).registry, suffix)
    return config.with_layer(f"argument --output {output}", {"pipeline": {"export": [name]}})


def _output(given: dict[str, Any], one_score: bool) -> str | None:
    """The template for outputs; None for standard output."""
    output: str | None = given["output"]
    if output == "-" or (output is None and given["inputs"] == ("-",)):
        if not one_score:
            raise ConfigError("--output - takes one input; --join makes one score of several")
        if given["as_json"]:
            raise ConfigError("--json and a score on standard output exclude each other")
        return None
    return output or ""


def _run(pipeline: Any, inputs: Sequence[Any], output: str | None, given: dict[str, Any]) -> Any:
    from .progress import Show
    from .stopping import stop_on_signals

    show = Show(
        quiet=given["quiet"], verbose=given["verbose"],
        paths=output is not None and not given["as_json"],
    )  # fmt: skip
    with stop_on_signals() as cancel, show:
        result = pipeline.run(
            inputs, output=output, policy=given["policy"] or "error",
            pages=parse_pages(given["pages"]), on_event=show, cancel=cancel,
            fetch_models=given["fetch_models"],
        )  # fmt: skip
    show.summary(result.report, debug=given["debug"])
    return result, cancel.cancelled


def _as_json(result: Any) -> str:
    from ..pipeline.wire import pack

    data = {**pack(result.report), "exit_code": int(result.report.exit_code)}
    return json.dumps(data, indent=2, ensure_ascii=False)


def _write_report(path: Path, result: Any) -> None:
    from ..pipeline.outputs import write_whole

    write_whole(path, (_as_json(result) + "\n").encode())


def _to_stdout(result: Any) -> None:
    for document in result.documents:
        if len(document.outputs) > 1:
            raise ConfigError(f"--output -: {len(document.outputs)} files cannot go to one stream")
        for output in document.outputs:
            sys.stdout.buffer.write(output.data or b"")
            sys.stdout.buffer.flush()
